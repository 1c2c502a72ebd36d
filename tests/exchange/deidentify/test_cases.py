"""Hard inputs from public bug reports of neighbouring tools, as far as identity goes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pydicom
import pytest

from .made import Result, command, table

BYTES = {"deid-dates-everywhere": ["20250310", "20260315", "19570509", "19570410", "20250305"]}


@pytest.fixture
def case(shared, tmp_path):
    def run(name: str, out: str = "out", key: Path | None = None) -> list[pydicom.Dataset]:
        folder = shared / "cases" / name
        source = folder / "dicom" if (folder / "dicom").is_dir() else folder
        secret = key or shared / "cases" / "deid-one-person-many-spellings" / "key.txt"
        done = command(source, "--out", tmp_path / out, "--key", secret)
        assert done.returncode == 0, done.stderr
        states = {row["state"] for row in table(tmp_path / out / "deidentify.csv")}
        assert states == {"written"}
        return [pydicom.dcmread(path) for path in sorted((tmp_path / out).glob("S-*/**/*.dcm"))]

    return run


def day_of(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def content_of(folder: Path) -> bytes:
    return Result(None, folder).everything


@pytest.mark.filterwarnings("ignore:The value length:UserWarning")
def test_one_person_in_many_spellings(case, tmp_path):
    """Five files, one pseudonym, one shift: 367 days stay 367; a second run gives the same."""
    found = case("deid-one-person-many-spellings")
    assert len(found) == 5
    assert len({ds.PatientID for ds in found}) == len({str(ds.PatientName) for ds in found}) == 1
    days = {day_of(ds.AcquisitionDate) for ds in found}
    assert (max(days) - min(days)).days == 367
    case("deid-one-person-many-spellings", "again")
    assert content_of(tmp_path / "again") == content_of(tmp_path / "out")
    key = tmp_path / "other"
    key.write_text("another secret, which is long enough as well")
    others = case("deid-one-person-many-spellings", "other-out", key)
    assert {ds.PatientID for ds in others}.isdisjoint(ds.PatientID for ds in found)


def test_dates_everywhere(case, tmp_path):
    """No original date is left, in sequences and in another calendar either; intervals stay."""
    found = {ds.StudyInstanceUID: ds for ds in case("deid-dates-everywhere")}
    base, m12 = sorted(found.values(), key=lambda ds: ds.AcquisitionDate)
    content = content_of(tmp_path / "out")
    for text in BYTES["deid-dates-everywhere"]:
        assert text.encode() not in content
    assert (day_of(m12.AcquisitionDate) - day_of(base.AcquisitionDate)).days == 370
    inside = base.RequestAttributesSequence[0].ScheduledProcedureStepStartDate
    assert (day_of(base.AcquisitionDateTime) - day_of(inside)).days == 5
    assert base.Manufacturer == "INVENTED"
