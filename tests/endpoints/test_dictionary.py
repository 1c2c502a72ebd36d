"""One dictionary: contract, tables, schemas and the document say the same."""

from __future__ import annotations

import pytest

from zoom_imaging.endpoints.column import Column, Kind
from zoom_imaging.endpoints.dictionary import OUTLINE_FIELDS, TABLES, dictionary_markdown, table
from zoom_imaging.endpoints.schemas import check, checked, frame, schema
from zoom_imaging.errors import OutputError

PAIRS = [f"l{n}_{{}}_{visit}{{}}" for n in (1, 2, 3, 4) for visit in ("baseline", "month12")]
LUMBAR = " ".join(
    [pair.format("bmd", "_g_per_cm2") for pair in PAIRS]
    + [pair.format("tscore", "") for pair in PAIRS]
)
CONTRACT = {
    "endpoints.csv": "subject_id arm_planned arm_actual endpoint_status ls_bmd_baseline_g_per_cm2 "
    "ls_bmd_month12_g_per_cm2 ls_bmd_change_pct ls_bmd_levels ls_bmd_reason ls_tscore_baseline "
    f"ls_tscore_month12 {LUMBAR} ls_bmd_change_exceeds_lsc th_bmd_baseline_g_per_cm2 "
    "th_bmd_month12_g_per_cm2 th_bmd_change_pct fn_bmd_baseline_g_per_cm2 "
    "fn_bmd_month12_g_per_cm2 fn_bmd_change_pct levels_evaluable_both incident_vf new_vf_count "
    "worsening_vf_count multiple_vf incident_levels sdi_baseline sdi_month12 sdi_change ctx_m6 "
    "ctx_m12 p1np_m6 p1np_m12 query_count",
    "vertebrae.csv": "subject_id visit level state reason height_anterior_mm height_middle_mm "
    "height_posterior_mm spacing_source ratio_anterior_posterior ratio_middle_posterior "
    "ratio_posterior_neighbours ratio_sd genant_grade genant_shape p_grade0 p_grade1 p_grade2 "
    "p_grade3 grade_source sop_instance_uid",
    "changes.csv": "subject_id level grade_baseline grade_month12 change reason "
    "height_change_max_pct height_change_max_mm morphometric_change confirmed p_incident flagged",
    "dxa.csv": "subject_id visit site region area_cm2 bmc_g bmd_g_per_cm2 t_score z_score "
    "reference scanner_model scanner_serial scan_mode analysis_version source sop_instance_uid "
    "state reason",
    "files.csv": "path sha256 sop_instance_uid kind subject_id visit disposition reason",
    "queries.csv": "query_id subject_id visit level question values status",
}
"""Columns that other people's scripts read, in their order."""


@pytest.mark.parametrize("name", CONTRACT)
def test_every_column_of_the_contract_is_there_in_its_order(name):
    promised = CONTRACT[name].split()
    assert [column for column in table(name).names if column in promised] == promised


@pytest.mark.parametrize("one", TABLES, ids=lambda one: one.file_name)
def test_schema_and_dictionary_have_the_same_columns(one):
    assert list(schema(one).columns) == list(one.names)
    assert len(set(one.names)) == len(one.names)
    assert set(one.key) <= set(one.names)


def test_the_document_is_not_stale(root):
    """`python -m zoom_imaging.endpoints.dictionary > docs/data_dictionary.md` makes it."""
    document = (root / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert document == dictionary_markdown()
    for one in TABLES:
        for column in one.columns:
            assert f"| `{column.name}` |" in document
    assert all(f"| `{name}` |" in document for name, _ in OUTLINE_FIELDS)


def row(**changes):
    return {
        "query_id": "Q-1",
        "subject_id": "0012",
        "visit": None,
        "level": "T12",
        "question": "which?",
        "values": "",
        "status": "open",
    } | changes


QUERIES = table("queries.csv")


def test_rows_as_the_dictionary_says_pass_and_stay_text():
    check(QUERIES, [row(), row(query_id="Q-2")])
    check(QUERIES, [])
    assert frame(QUERIES, [row()])["subject_id"].tolist() == ["0012"]


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([row(status="done")], "status"),
        ([row(visit="month6")], "visit"),
        ([row(query_id=None)], "query_id"),
        ([row(query_id="")], "query_id"),
        ([row(), row()], "query_id"),
        ([row(extra="x")], "extra"),
        ([{key: value for key, value in row().items() if key != "level"}], "level"),
    ],
)
def test_rows_that_break_the_dictionary_are_not_written(rows, named):
    with pytest.raises(OutputError, match=named):
        check(QUERIES, rows)


@pytest.mark.parametrize(
    "change", [{"label": "x" * 41}, {"kind": Kind.CODE}, {"codes": ("a",), "kind": Kind.TEXT}]
)
def test_a_column_says_what_it_is(change):
    good = {"name": "n", "label": "l", "kind": Kind.TEXT, "definition": "d", "source": "s"}
    Column(**good)
    with pytest.raises(ValueError, match="column n"):
        Column(**(good | change))


def test_keys_are_compared_across_the_parts_in_which_rows_are_checked(monkeypatch):
    monkeypatch.setattr("zoom_imaging.endpoints.schemas._CHECKED_AT_ONCE", 2)
    several = [row(query_id=f"Q-{number}") for number in range(5)]
    assert list(checked(QUERIES, iter(several))) == several
    with pytest.raises(OutputError, match="two rows with the key"):
        list(checked(QUERIES, [*several, several[0]]))
