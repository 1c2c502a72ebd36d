"""Hostile text in headers, file names and ids, through the real command to all that it writes."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import date
from html.parser import HTMLParser

import pydicom.config
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from ..batch.trial_folder import CLINICAL_COLUMNS, write_report

pytestmark = pytest.mark.model

IDS = (
    '=HYPERLINK("http://x.example/","see")',
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "+1-1|cmd",
    "@SUM(A1)",
    "../../escape",
    "A" * 64,
    "a,b;c'd\"e",
)
MARKUP = "</td></script><svg/onload=alert(2)><b>bold {{7*7}} ${7*7}"
NAMES = (
    "=1+1.dcm",
    "<img src=x onerror=alert(3)>.dcm",
    "a\nb.dcm",
    "\x1b[2J\x1b]0;owned\x07.dcm",
    "\u202egpj.dcm",
    "-rf.dcm",
    "%s%n{0}.dcm",
    "n" * 240 + ".dcm",
)
EARLY, LATE = date(2025, 3, 10), date(2026, 3, 12)


class Page(HTMLParser):
    """Tags, attributes and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


@pytest.fixture(scope="module")
def result(tmp_path_factory, sample):
    """One run over all of it: the result folder, and what the command wrote to the terminal."""
    base = tmp_path_factory.mktemp("hostile")
    source = base / "in"
    source.mkdir()
    for number, subject in enumerate(IDS):
        for day, bmd in ((EARLY, 0.9), (LATE, 0.918)):
            folder = source / f"{number}{day:%y}"
            folder.mkdir()
            write_report(folder / NAMES[number], subject, day, bmd)
    with pydicom.config.disable_value_validation():
        film = dcmread(sample / "ZOOM-001" / "baseline" / "IM0001")
        film.PatientID = film.ClinicalTrialSubjectID = IDS[1]
        film.PatientName = MARKUP
        film.StudyDescription = film.SeriesDescription = film.InstitutionName = MARKUP
        film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        for name in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
            setattr(film, name, f"{EARLY:%Y%m%d}")
        film.save_as(source / "<film>.dcm")
    with zipfile.ZipFile(source / "=cmd.zip", "w") as archive:
        archive.writestr("\x1b[31m<i>.txt", "text")
        archive.writestr("../=1+1.dcm", "text")
    (source / "not dicom \x1b[5m.txt").write_text("<script>")
    clinical = base / "clinical.csv"
    with clinical.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(CLINICAL_COLUMNS)
        for subject in IDS:
            writer.writerow([subject, "once", "1.9", "2025-03-20", "", "", "0.3", "0.3", "", ""])
    out = base / "OUT"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "zoom_imaging.run", str(source)),
            *("--clinical", str(clinical), "--out", str(out), "--jobs", "1"),
        ],
        capture_output=True,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    said = (done.stdout + done.stderr).decode("utf-8")
    assert done.returncode == 0, said
    return out, said


def cells(out):
    for path in sorted(out.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                yield from ((path.name, name, cell, row) for name, cell in row.items())


def test_no_cell_is_a_formula_and_none_has_a_control_character(result):
    out, _ = result
    seen = 0
    for table, name, cell, _ in cells(out):
        assert cell is not None, (table, name)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", cell), (table, name)
        if not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", cell):
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (table, name, cell)
        seen += cell.startswith("'")
    assert seen > 3


def test_every_id_has_its_row_and_its_values(result):
    """Hostile characters cost nobody the endpoint, and no id becomes another."""
    out, _ = result
    rows = {
        row["subject_id"]: row["ls_bmd_change_pct"]
        for table, name, _, row in cells(out)
        if table == "endpoints.csv" and name == "subject_id"
    }
    spelled = {f"'{one}" if one[0] in "=+-@" else one for one in IDS}
    assert set(rows) == spelled
    assert all(float(value) == pytest.approx(2.0, abs=0.1) for value in rows.values())


def test_pages_have_no_element_and_no_address_of_the_input(result):
    out, _ = result
    pages = sorted((out / "report").rglob("*.html"))
    assert pages
    for path in pages:
        page = Page()
        text = path.read_text("utf-8")
        page.feed(text)
        assert page.handlers == []
        assert not page.tags & {"iframe", "object", "embed", "form", "base"}
        assert "<script>alert" not in text
        assert "<svg/onload" not in text
        assert "<img src=x" not in text
        for address in page.addresses:
            assert not re.match(r"(?i)\s*(https?:|//|javascript:)", address), address
    shown = "".join(path.read_text("utf-8") for path in pages)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_json_is_json_and_texts_are_visible(result):
    out, _ = result
    for path in out.glob("*.json"):
        text = path.read_text("utf-8")
        json.loads(text)
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", text), path.name


def test_no_name_of_a_written_file_comes_from_the_input(result):
    """SR, pages, pictures and data sets: plain names below OUT, nothing beside it."""
    out, _ = result
    written = [path.relative_to(out).as_posix() for path in out.rglob("*")]
    assert any(name.startswith("sr/") and name.endswith(".dcm") for name in written)
    for name in written:
        assert re.fullmatch(r"[A-Za-z0-9._/ -]+", name), name
        assert len(name) < 200
    assert {path.name for path in out.parent.iterdir()} == {"in", "OUT", "clinical.csv"}


def test_the_terminal_gets_text(result):
    _, said = result
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said.replace("\r\n", "\n"))
    assert "Traceback" not in said
