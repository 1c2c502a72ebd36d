"""The real command over the simulated trial that ships with the source, against its known truth."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pydicom
import pytest

from zoom_imaging.exchange.radiograph_sr_reading import read_radiograph_sr
from zoom_imaging.review.case import load_reading_list
from zoom_imaging.review.database import Database
from zoom_imaging.review.verdict import Standing

from .review.conftest import Room, fill

pytestmark = [pytest.mark.end_to_end, pytest.mark.model]

TABLES = (
    "endpoints.csv",
    "vertebrae.csv",
    "changes.csv",
    "dxa.csv",
    "files.csv",
    "queries.csv",
    "outlines.jsonl",
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def run(source: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zoom_imaging.run", str(source), "--quiet"]
    command += ["--clinical", str(source / "clinical.csv"), "--out", str(out), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)


@pytest.fixture(scope="module")
def results(sample, tmp_path_factory) -> Path:
    """The result folder of one run over the sample."""
    out = tmp_path_factory.mktemp("sample") / "results"
    done = run(sample, out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def truth(sample) -> list[dict[str, str]]:
    return rows(sample / "truth.csv")


def test_the_sample_holds_the_situations_that_a_trial_meets(truth):
    assert len(truth) >= 8
    assert len({row["subject_id"] for row in truth}) == len(truth)


def test_every_column_of_the_truth_comes_out(results, truth):
    found = {row["subject_id"]: row for row in rows(results / "endpoints.csv")}
    assert set(found) == {row["subject_id"] for row in truth}
    differences = []
    for expected in truth:
        for column, value in expected.items():
            got = found[expected["subject_id"]][column]
            if column.endswith(("_g_per_cm2", "_pct")) and value:
                tolerance = 0.001 if column.endswith("_g_per_cm2") else 0.15
                same = bool(got) and abs(float(got) - float(value)) <= tolerance
            elif column.endswith("_reason") and value:
                same = value in got
            else:
                same = got == value
            if not same:
                differences.append((expected["subject_id"], column, value, got))
    assert differences == []


def test_every_file_has_one_row_and_what_is_not_used_says_why(results, sample):
    table = rows(results / "files.csv")
    files = [path for path in sample.rglob("*") if path.is_file()]
    assert len(table) == len(files)
    assert len({row["path"] for row in table}) == len(files)
    unexplained = [row for row in table if row["disposition"] != "used" and not row["reason"]]
    assert unexplained == []
    dispositions = Counter(row["disposition"] for row in table)
    assert dispositions["failed"] == 0
    for expected in ("not_dicom", "unreadable", "not_relevant", "wrong_view"):
        assert dispositions[expected] >= 1, dispositions


def test_outlines_are_strict_json_and_lie_inside_their_film(results):
    lines = (results / "outlines.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        outline = json.loads(line, parse_constant=pytest.fail)
        assert set(outline["six_points_px"]) == {
            "sup_ant", "sup_mid", "sup_post", "inf_ant", "inf_mid", "inf_post",
        }  # fmt: skip
        columns = [point[0] for point in outline["polygon_px"]]
        heights = [point[1] for point in outline["polygon_px"]]
        for column, row in outline["six_points_px"].values():
            assert min(columns) - 8 <= column <= max(columns) + 8
            assert min(heights) - 8 <= row <= max(heights) + 8


def test_a_second_run_computes_nothing_and_changes_no_byte(results, sample):
    before = {name: (results / name).read_bytes() for name in TABLES}
    done = run(sample, results)
    assert done.returncode == 0, done.stderr
    assert {name: (results / name).read_bytes() for name in TABLES} == before


def test_the_report_has_a_page_for_every_subject(results, truth):
    index = (results / "report" / "index.html").read_text(encoding="utf-8")
    for row in truth:
        assert row["subject_id"] in index
    pages = list((results / "report" / "subjects").glob("*.html"))
    assert len(pages) == len(truth)
    assert list((results / "report" / "pictures").glob("*.png"))


@pytest.mark.parametrize(("name", "pictures"), [("sample_trial", 2), ("reading_a_radiograph", 5)])
def test_the_notebooks_run(results, root, monkeypatch, name, pictures):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("ZOOM_RESULTS", str(results))
    notebook = nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(root / "notebooks")}}
    )
    client.execute()
    drawn = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(drawn) == pictures


def test_what_readers_say_of_the_sample_becomes_its_final_endpoints(results, sample, tmp_path):
    """From the reading list over two readers, an adjudicator and the lock to table and SR."""
    out = tmp_path / "results"
    shutil.copytree(results, out)
    path = tmp_path / "readings.sqlite3"
    database = Database(path)
    fill(database, load_reading_list(out))
    room = Room(database)
    no_fracture = {"grade": "0", "shape": "none", "cause": "schmorl_node"}
    room.browser("reader1").read_all({("B", "T12"): no_fracture})
    room.browser("reader2").read_all()
    room.browser("judge").read_all({("B", "T12"): no_fracture})
    room.browser("manager").lock_all()
    database.close()

    done = run(sample, out, "--readings", str(path))

    assert done.returncode == 0, done.stderr
    before = {row["subject_id"]: row for row in rows(results / "endpoints.csv")}
    after = {row["subject_id"]: row for row in rows(out / "endpoints.csv")}
    assert {row["endpoint_status"] for row in before.values()} == {"provisional"}
    assert {row["endpoint_status"] for row in after.values()} == {"final"}
    overruled = [one for one, row in before.items() if row["incident_levels"] == "T12"]
    assert overruled
    for subject_id in overruled:
        assert (after[subject_id]["incident_vf"], after[subject_id]["sdi_change"]) == ("no", "0")
    for subject_id in before.keys() - set(overruled):
        assert after[subject_id]["incident_levels"] == before[subject_id]["incident_levels"]

    table = {
        (row["subject_id"], row["visit"], row["level"]): row for row in rows(out / "vertebrae.csv")
    }
    told = 0
    for file in (out / "sr").iterdir():
        dataset = pydicom.dcmread(file)
        report = read_radiograph_sr(dataset)
        assert report.standing is Standing.FINAL
        for vertebra in report.vertebrae:
            row = table[str(dataset.PatientID), report.visit.value, vertebra.level.value]
            grade = vertebra.grade.value if vertebra.grade else "not_evaluable"
            assert grade == row["genant_grade"], row
            assert row["grade_source"] in {"reader", "adjudicator"}
            told += 1
    assert told == sum(bool(row["grade_source"]) for row in table.values())
