"""Tables of films, reports, files and queries hold the rows that they promise."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, GradeSource, Level, Visit
from zoom_imaging.dxa.result import (
    DxaReport,
    DxaResult,
    DxaSource,
    ResultState,
    Scanner,
    Side,
    Site,
)
from zoom_imaging.endpoints.dictionary import OUTLINE_FIELDS, table
from zoom_imaging.endpoints.schemas import check
from zoom_imaging.endpoints.tables import (
    change_rows,
    dxa_rows,
    file_rows,
    outline_records,
    query_rows,
    vertebra_rows,
)
from zoom_imaging.ingest.catalogue import (
    Catalogue,
    CatalogueEntry,
    Disposition,
    FileKind,
    SourceFile,
)
from zoom_imaging.query import Query, QueryKind

from .conftest import subject, trial


def only(rows, **where):
    found = [row for row in rows if all(row[name] == value for name, value in where.items())]
    assert len(found) == 1
    return found[0]


def test_every_level_has_a_row_at_both_visits_and_says_what_it_is(fractured):
    rows = list(vertebra_rows(trial(fractured)))
    check(table("vertebrae.csv"), rows)
    assert len(rows) == 2 * len(GRADED_LEVELS)
    seen = only(rows, visit="month12", level="T12")
    assert seen["genant_grade"] == "2"
    assert seen["genant_shape"] == "wedge"
    assert seen["spacing_source"] == "geometry"
    assert seen["height_anterior_mm"] == pytest.approx(19.5)
    assert seen["sop_instance_uid"] == "1.2"
    unseen = only(rows, visit="month12", level="T4")
    assert unseen["state"] == "not_imaged"
    assert unseen["reason"]
    assert unseen["genant_grade"] == "not_evaluable"
    empty = ("genant_shape", "grade_source", "spacing_source", "height_anterior_mm", "p_grade0")
    assert all(unseen[name] is None for name in empty)


def test_a_person_who_says_that_there_is_no_grade_is_named(fractured):
    by_reader = {
        visit: tuple(replace(one, grade_source=GradeSource.READER) for one in found)
        for visit, found in fractured.vertebrae.items()
    }
    rows = list(vertebra_rows(trial(replace(fractured, vertebrae=by_reader))))
    check(table("vertebrae.csv"), rows)
    assert {row["grade_source"] for row in rows} == {"reader"}


def test_every_level_has_a_change_and_one_without_two_films_is_not_none(fractured):
    rows = list(change_rows(trial(fractured)))
    check(table("changes.csv"), rows)
    assert len(rows) == len(GRADED_LEVELS)
    assert only(rows, level="T12")["change"] == "new"
    lost = only(rows, level="T4")
    assert lost["change"] == "not_evaluable"
    assert lost["reason"]


def test_a_subject_without_films_has_all_rows_and_no_value():
    nobody = trial(subject())
    assert {row["change"] for row in change_rows(nobody)} == {"not_evaluable"}
    assert {row["state"] for row in vertebra_rows(nobody)} == {"not_imaged"}
    assert list(outline_records(nobody)) == []


def test_outlines_are_strict_json_with_the_promised_keys(fractured):
    records = list(outline_records(trial(fractured)))
    assert len(records) == 25
    for record in records:
        assert list(record) == [name for name, _ in OUTLINE_FIELDS]
        json.dumps(record, allow_nan=False)
    assert records[0]["polygon_px"][2] == [40.0, 30.12]


def test_dxa_keeps_what_may_not_be_used_and_tells_left_from_right():
    report = DxaReport(
        "p",
        "1.9",
        DxaSource.LUNAR_SR,
        None,
        Scanner("GE", "iDXA", "S1", "18"),
        "std",
        "18.1",
        "Asian",
        (Level.L1,),
        (
            DxaResult(Site.TOTAL_HIP, "Total", 30.1, 25.2, 0.837, -1.1, 0.2, Side.LEFT),
            DxaResult(Site.TOTAL_HIP, "Total", 30.0, 25.0, 0.833, -1.1, 0.2, Side.RIGHT),
            DxaResult(Site.LUMBAR_SPINE, "L1", state=ResultState.WITHHELD, reason="cell is blank"),
        ),
    )
    one = subject(dxa={Visit.BASELINE: (report,), Visit.MONTH12: ()})
    rows = list(dxa_rows(trial(one)))
    check(table("dxa.csv"), rows)
    assert [row["side"] for row in rows] == ["left", "right", None]
    assert rows[0]["scanner_serial"] == "S1"
    assert rows[2]["bmd_g_per_cm2"] is None
    assert rows[2]["reason"] == "cell is blank"


def test_files_and_queries():
    entries = (
        CatalogueEntry(
            SourceFile("a.zip!=x", "/a.zip"),
            "ab",
            FileKind.DXA_REPORT,
            Disposition.USED,
            subject_id="0012",
            visit=Visit.BASELINE,
        ),
        CatalogueEntry(
            SourceFile("b", "/b"), "", FileKind.NOT_DICOM, Disposition.UNREADABLE, "link"
        ),
    )
    query = Query(QueryKind.DATE, "0012", "when?", "a / b", Visit.MONTH12, Level.L1)
    run = trial(catalogue=Catalogue(entries), queries=[query])
    files, queries = list(file_rows(run)), list(query_rows(run))
    check(table("files.csv"), files)
    check(table("queries.csv"), queries)
    assert [row["disposition"] for row in files] == ["used", "unreadable"]
    assert queries[0]["query_id"] == query.query_id
    assert (queries[0]["visit"], queries[0]["level"]) == ("month12", "L1")
