"""Two subjects of the sample from films to tables, first by the model, then as readers saw them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pydicom
import pytest

from zoom_imaging.anatomy import Grade, GradeSource, Level, Shape, Visit
from zoom_imaging.batch import job
from zoom_imaging.batch.cache import CACHE_NAME
from zoom_imaging.batch.cluster import Done, Team
from zoom_imaging.batch.job import Request, run_job
from zoom_imaging.batch.progress import Voice
from zoom_imaging.batch.readings import Readings
from zoom_imaging.endpoints.dictionary import TABLES
from zoom_imaging.review.answer import NonFractureCause
from zoom_imaging.review.case import READING_LIST_NAME, load_reading_list
from zoom_imaging.review.verdict import Standing

from ..review.made import verdict_of
from .trial_folder import row, rows

pytestmark = [pytest.mark.end_to_end, pytest.mark.model]

BROKEN, INTACT = "ZOOM-003", "ZOOM-001"
AFTER = Visit.MONTH12
NAMES = [*(table.file_name for table in TABLES), "outlines.jsonl", "analysis.json"]


@pytest.fixture(scope="module")
def run(sample, tmp_path_factory):
    """Run over two subjects; later runs find what the model said before."""
    folder = tmp_path_factory.mktemp("read")
    for name in (BROKEN, INTACT):
        shutil.copytree(sample / name, folder / "in" / name)
    request = Request(
        (folder / "in",), folder / "out", clinical_path=sample / "clinical.csv", jobs=1
    )

    def spread(team, tasks, function, **_):
        yield from (Done(task, function(task)) for task in tasks)

    def run(verdicts=None):
        readings = Readings("readings.sqlite", verdicts or {}, "seal")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Team, "spread", spread)
            patch.setattr(job, "load_readings", lambda _: readings)
            asked = replace(request, readings="readings.sqlite" if verdicts else "")
            assert run_job(asked, Voice(quiet=True)) is False
        return {name: (request.out / name).read_bytes() for name in [*NAMES, READING_LIST_NAME]}

    run.out, run.source = request.out, request.sources[0]
    run.by_model = run()
    return run


@pytest.fixture(scope="module")
def cases(run):
    return {case.subject_id: case for case in load_reading_list(run.out).cases}


@pytest.fixture(scope="module")
def verdicts(cases):
    """One subject final without her fracture, the other read once, and somebody unknown."""
    said = {
        (AFTER, Level.L1): {
            "grade": Grade.NORMAL,
            "shape": Shape.NONE,
            "cause": NonFractureCause.DEGENERATIVE_WEDGE,
            "note": "osteophytes",
        }
    }
    by = {(AFTER, Level.L1): GradeSource.ADJUDICATOR}
    films = cases[BROKEN].films
    final = verdict_of(films, said, subject_id=BROKEN, by=by, differences=1)
    once = verdict_of(cases[INTACT].films, subject_id=INTACT, standing=Standing.READ_ONCE)
    return {BROKEN: final, INTACT: once, "ZOOM-999": once}


def test_the_model_alone_is_provisional_and_lists_everybody(run, cases):
    assert row(run.out, "endpoints.csv", subject_id=BROKEN)["incident_levels"] == "L1"
    assert {one["endpoint_status"] for one in rows(run.out, "endpoints.csv")} == {"provisional"}
    assert set(cases) == {one["subject_id"] for one in rows(run.out, "endpoints.csv")}
    assert len(cases[BROKEN].films) == 2
    assert Level.L1 in cases[BROKEN].flagged
    assert not [name for name in cases if name not in {BROKEN, INTACT} and cases[name].films]
    assert json.loads((run.out / "run.json").read_text())["readings"] is None


def test_readings_move_the_endpoint_and_say_whose_they_are(run, verdicts):
    read = run(verdicts)
    final = row(run.out, "endpoints.csv", subject_id=BROKEN)
    assert final["endpoint_status"] == "final"
    assert (final["incident_vf"], final["incident_levels"], final["sdi_change"]) == ("no", "", "0")
    assert final["ls_bmd_levels"] == "L1-L4"
    seen = row(run.out, "vertebrae.csv", subject_id=BROKEN, visit="month12", level="L1")
    assert (seen["genant_grade"], seen["grade_source"]) == ("0", "adjudicator")
    assert seen["reason"] == "cause other than fracture: degenerative wedge; osteophytes"
    assert seen["p_grade0"] == ""
    change = row(run.out, "changes.csv", subject_id=BROKEN, level="L1")
    assert (change["change"], change["p_incident"], change["flagged"]) == ("none", "", "N")
    once = row(run.out, "endpoints.csv", subject_id=INTACT)
    assert once["endpoint_status"] == "read_once"
    assert len(rows(run.out, "endpoints.csv")) == 12
    adsl = {one["SUBJID"]: one["STATUS"] for one in rows(run.out / "adam", "adsl.csv")}
    assert (adsl[BROKEN], adsl[INTACT], adsl["ZOOM-002"]) == ("final", "read_once", "provisional")
    record = json.loads((run.out / "run.json").read_text())
    assert record["readings"] == {
        "source": "readings.sqlite",
        "audit_head": "seal",
        "subjects_final": 1,
        "subjects_read_once": 1,
        "subjects_stale": 0,
    }
    assert any("ZOOM-999" in note for note in record["notes"])
    page = next((run.out / "report" / "subjects").glob("zoom-003-*.html")).read_text()
    assert "Final: read, adjudicated" in page
    # The list stays the model's, and a second run gives the same bytes.
    assert read[READING_LIST_NAME] == run.by_model[READING_LIST_NAME]
    assert run(verdicts) == read


def test_the_height_rule_stands_beside_the_readers_grade(run, verdicts):
    """What the readers confirm has the model's heights, and their grade."""
    films = verdicts[BROKEN].films.values()
    run({BROKEN: verdict_of(films, subject_id=BROKEN)})
    change = row(run.out, "changes.csv", subject_id=BROKEN, level="L1")
    assert (change["change"], change["confirmed"]) == ("new", "Y")
    assert row(run.out, "endpoints.csv", subject_id=BROKEN)["incident_levels"] == "L1"


def test_readings_of_another_film_are_stale(run, verdicts):
    film = next((run.source / BROKEN / "month12").glob("IM0001"))
    content = film.read_bytes()
    try:
        changed = pydicom.dcmread(film)
        changed.ImageComments = "sent again"
        changed.save_as(film)
        run(verdicts)
    finally:
        film.write_bytes(content)
    one = row(run.out, "endpoints.csv", subject_id=BROKEN)
    assert (one["endpoint_status"], one["incident_levels"]) == ("provisional", "L1")
    asked = [
        query
        for query in rows(run.out, "queries.csv")
        if "their readings are not used" in query["question"]
    ]
    assert [query["subject_id"] for query in asked] == [BROKEN]
    assert "has other bytes than when it was read" in asked[0]["values"]
    record = json.loads((run.out / "run.json").read_text())
    assert record["readings"]["subjects_stale"] == 1
    run()


def test_results_are_the_same_bytes_whatever_the_number_of_workers(sample, tmp_path):
    """Structured reports say when they were made; their names are a digest of what they say."""
    shutil.copytree(sample / BROKEN, tmp_path / "in")
    found = []
    for jobs in (1, 2):
        out = tmp_path / f"out{jobs}"
        assert run_job(Request((tmp_path / "in",), out, jobs=jobs), Voice(quiet=True)) is False
        paths = [path.relative_to(out) for path in sorted(out.rglob("*")) if path.is_file()]
        shown = [path for path in paths if path.parts[0] != CACHE_NAME]
        found.append(
            {
                path: (out / path).read_bytes()
                for path in shown
                if path.parts[0] != "sr" and path.name != "run.json"
            }
        )
        found[-1]["reports"] = {path for path in shown if path.parts[0] == "sr"}
        assert len(found[-1]["reports"]) == 2
        assert any(path.suffix == ".png" for path in shown if "pictures" in path.parts)
    assert found[0] == found[1]
