"""Cases of `deidentify`: one person, dates everywhere, names in the picture."""

from __future__ import annotations

import importlib.util
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from ..ingest.specimen import dicom, film, picture

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("zoom_imaging.commands.deidentify") is None,
    reason="the command deidentify is not there",
)

KEY = "a key of these tests only, with more than thirty-two bytes\n"


def deidentify(source: Path, out: Path, key: Path):
    import typer

    from zoom_imaging.commands import deidentify as module

    app = typer.Typer()
    app.command()(module.command)
    result = CliRunner().invoke(app, [str(source), "--out", str(out), "--key", str(key)])
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def files(out: Path):
    found = [path for path in sorted(out.rglob("*")) if path.is_file()]
    return [(path, dcmread(path)) for path in found if path.read_bytes()[128:132] == b"DICM"]


def day(dataset) -> date:
    text = str(dataset.AcquisitionDate)
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key.txt"
    path.write_text(KEY)
    path.chmod(0o600)
    return path


@pytest.fixture(params=["deid-one-person-many-spellings"])
def many(request, case):
    return case(request.param)


def test_deid_one_person_many_spellings(many, key, tmp_path):
    """One pseudonym, one shift: 367 days stay 367; the same key gives the same bytes."""
    deidentify(many / "dicom", tmp_path / "one", key)
    found = files(tmp_path / "one")
    assert len(found) == 5
    assert len({str(ds.PatientID) for _, ds in found}) == 1
    days = sorted({day(ds) for _, ds in found})
    assert (days[-1] - days[0]).days == 367
    deidentify(many / "dicom", tmp_path / "two", key)
    assert [p.read_bytes() for p, _ in found] == [
        p.read_bytes() for p, _ in files(tmp_path / "two")
    ]
    key.write_text(KEY[::-1])
    deidentify(many / "dicom", tmp_path / "three", key)
    other = {str(ds.PatientID) for _, ds in files(tmp_path / "three")}
    assert other.isdisjoint({str(ds.PatientID) for _, ds in found})


def test_deid_dates_everywhere(case, cases, key, tmp_path):
    source = case("deid-dates-everywhere")
    before = {ds.file_meta.MediaStorageSOPInstanceUID: ds for _, ds in files(source)}
    assert len(before) == 2
    out = tmp_path / "OUT"
    deidentify(source, out, key)
    for check in cases["deid-dates-everywhere"]["expect"]["checks"]:
        for text in check.get("absent_bytes_hex", ()):
            for path in out.rglob("*"):
                assert not path.is_file() or bytes.fromhex(text) not in path.read_bytes(), path
    found = [ds for _, ds in files(out)]
    assert len(found) == 2
    first, second = sorted(map(day, found))
    assert (second - first).days == 370
    assert all(str(ds.AcquisitionDate) != "99990101" for ds in found)
    base = min(found, key=day)
    taken = date.fromisoformat(str(base.AcquisitionDateTime)[:8])
    step = base.RequestAttributesSequence[0].ScheduledProcedureStepStartDate
    assert (taken - date.fromisoformat(str(step))).days == 5


def test_deid_second_frame_and_rgb(key, tmp_path):
    """A name burned into every frame is gone from all, or the object is not written."""
    source = tmp_path / "in"
    source.mkdir()
    for name, frames, samples in (("two_frames.dcm", 2, 1), ("one_frame.dcm", 1, 3)):
        ds = film(SOPInstanceUID=f"1.2.826.0.1.3680043.10.1999.55.{frames}{samples}")
        picture(ds, 200, 300, bits=8, samples=samples)
        pixels = np.full((frames, 200, 300, samples), 40, np.uint8)
        pixels[:, 8:26, 10:250:3] = 255
        ds.PixelData = pixels.tobytes()
        if frames > 1:
            ds.NumberOfFrames = frames
        ds.BurnedInAnnotation = "YES"
        (source / name).write_bytes(dicom(ds))
    out = tmp_path / "OUT"
    deidentify(source, out, key)
    for path, ds in files(out):
        box = ds.pixel_array.reshape(-1, 200, 300, ds.SamplesPerPixel)[:, 4:30, 4:260]
        assert all(len(np.unique(frame)) == 1 for frame in box), path
        assert ds.BurnedInAnnotation == "NO"
