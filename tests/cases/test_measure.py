"""Cases of `measure`: scale, grey values, transfer syntaxes and hostile containers."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from .checks import assert_json, is_same_reading, same_reading
from .films import MADE, Plain, made

pytestmark = pytest.mark.model

CLOSE = {"height_mm": 0.3, "ratio": 0.01}


@pytest.fixture
def files(measure, folder):
    """The JSON objects of a case's files, by name, as one call gives them."""

    def of(case, *names):
        code, lines = measure(*(folder / case / name for name in names))
        assert code == 0
        return {Path(line["path"]).name: line for line in lines}

    return of


def names(film):
    return [vertebra["level"] for vertebra in film["vertebrae"]]


def test_scale_imager_only(files, measure, folder):
    """The spacing at the detector is never sold as that at the spine, and no 4 mm rule runs."""
    film = files("scale-imager-only", "imager_only.dcm")["imager_only.dcm"]
    assert film["state"] == "read"
    assert film["spacing_source"] == "imager_raw"
    assert "agnification" in film["spacing_reason"]
    assert any(vertebra["ratios"] for vertebra in film["vertebrae"])
    path = folder / "scale-imager-only" / "imager_only.dcm"
    code, (pair,) = measure("--pair", path, path)
    assert code == 0
    assert {change["height_change_max_mm"] for change in pair["changes"]} == {None}


def test_scale_decimal_comma(files):
    film = files("scale-decimal-comma", "comma.dcm")["comma.dcm"]
    assert film["state"] == "read"
    if film["spacing_mm"] is None:
        assert film["spacing_reason"]
    else:
        assert film["spacing_mm"] == pytest.approx([0.6, 0.6], abs=1e-6)
        assert any("(0028,0030)" in warning for warning in film["warnings"])
    assert any(vertebra["ratios"] for vertebra in film["vertebrae"])


def test_scale_long_ds(files, reference):
    film = files("scale-long-ds", "long_ds.dcm")["long_ds.dcm"]
    assert film["spacing_mm"] == pytest.approx([0.6, 0.6], abs=1e-6)
    same_reading(film, reference, **CLOSE)


def test_grey_monochrome1_window(files, reference):
    same_reading(files("grey-monochrome1-window", "mono1.dcm")["mono1.dcm"], reference, **CLOSE)


def test_grey_fractional_slope(files, reference):
    films = files("grey-fractional-slope", "slope.dcm", "zero.dcm")
    same_reading(films["slope.dcm"], reference, **CLOSE)
    zero = films["zero.dcm"]
    assert zero["state"] in {"read", "refused"}
    assert zero["reason"] or zero["warnings"]


def test_grey_high_bit_15(files, reference):
    film = files("grey-high-bit-15", "high_bit_15.dcm")["high_bit_15.dcm"]
    if film["state"] == "refused":
        assert "Bits Stored" in film["reason"]
        assert "High Bit" in film["reason"]
    else:
        same_reading(film, reference, **CLOSE)


def test_grey_padding_stitched(files, reference):
    """The reading moves with the picture; what reaches the padding is not evaluable."""
    film = files("grey-padding-stitched", "padded.dcm")["padded.dcm"]
    same_reading(film, reference, height_mm=0.6, ratio=0.02, columns=40)
    edge = next(v for v in film["vertebrae"] if v["level"] == "T9")
    assert edge["state"] in {"at_image_border", "at_seam"}


def test_syntax_lies(files, reference):
    """Each is read as what it is with a warning, or refused; one bad file stops no other."""
    films = files("syntax-lies", "native_as_jpegll.dcm", "j2k_as_native.dcm", "j2k_as_jpegll.dcm")
    assert len(films) == 3
    for film in films.values():
        if film["state"] == "read":
            same_reading(film, reference, **CLOSE)
            assert film["warnings"]
        else:
            assert film["reason"]
            assert film["vertebrae"] == []


def test_container_multi_frame(measure, folder):
    code, lines = measure(folder / "container-multi-frame" / "two_frames.dcm")
    assert code == 0
    if len(lines) == 1:
        assert lines[0]["state"] == "refused"
        assert "2" in lines[0]["reason"]
    else:
        assert [line["frame"] for line in lines] == [0, 1]
        for line in lines:
            assert len(set(names(line))) == len(names(line))


def test_container_huge_header(files):
    films = files("container-huge-header", "rows.dcm", "length.dcm")
    assert len(films) == 2
    for film in films.values():
        assert film["state"] == "refused"
        assert film["reason"]


MEMORY = """
import resource, sys
from pathlib import Path
from zoom_imaging.commands.measure import Workplace, measure_file
from zoom_imaging.charter import load_charter
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
place = Workplace(load_charter())
assert all(m.reason for name in sys.argv[1:] for m in measure_file(Path(name), place))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_container_huge_header_costs_no_memory(folder):
    """8 GB are declared, a kilobyte is there: less than 200 MiB are taken on top."""
    case = folder / "container-huge-header"
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, case / "rows.dcm", case / "length.dcm"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert int(done.stdout) < 200 << 10
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0


def test_jpeg_extended_12_bit(files):
    """Read with a spine from the top down (its plain film is not there), or refused by name."""
    film = files("jpeg-extended-12-bit", "film.dcm")["film.dcm"]
    if film["state"] == "refused":
        assert re.search("(?i)transfer syntax|jpeg", film["reason"])
    else:
        heights = [
            vertebra["six_points_px"]["sup_ant"][1]
            for vertebra in film["vertebrae"]
            if vertebra["six_points_px"]
        ]
        assert len(heights) >= 5
        assert heights == sorted(heights)


@pytest.mark.parametrize("case", sorted(MADE))
def test_described_film(case, cases, measure, reference, tmp_path):
    """Films that cases.json only describes, held to its own checks."""
    for name, content in made(case, Plain(Path(reference["path"]))).items():
        (tmp_path / name).write_bytes(content)
    code, lines = measure(tmp_path)
    assert code == 0
    objects = {Path(line["path"]).name: line for line in lines}
    for check in cases[case]["expect"]["checks"]:
        held(check, objects, reference, measure, tmp_path)


def held(check, objects, reference, measure, where):
    if "any" in check:
        assert any(holds(one, objects, reference, measure, where) for one in check["any"]), objects
    elif "same_reading" in check:
        same_reading(
            objects[Path(check["same_reading"][0]).name],
            reference,
            height_mm=check["tol_height_mm"],
            ratio=check["tol_ratio"],
            columns=check.get("offset_columns", 0),
        )
    elif "changes" in check:
        code, (pair,) = measure("--pair", where / "base.dcm", where / "m12.dcm")
        assert code == 0
        assert pair["changes"]
        for change in pair["changes"]:
            assert change.items() >= check["equals"].items()
    else:
        assert_json(check, objects)


def holds(check, *rest):
    try:
        held(check, *rest)
    except AssertionError:
        return False
    return True


def test_a_reading_of_noise_is_told_from_that_of_the_film(reference):
    """The comparison that these tests rest on can fail."""
    moved = reference | {
        "vertebrae": [
            vertebra | {"ratios": {**vertebra["ratios"], "anterior_posterior": 0.5}}
            for vertebra in reference["vertebrae"]
            if vertebra["ratios"]
        ]
    }
    assert is_same_reading(reference, reference, **CLOSE)
    assert not is_same_reading(moved, reference, **CLOSE)
