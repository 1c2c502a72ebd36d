"""One row a subject: "not evaluable" is never zero, and a positive stays positive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, Visit
from zoom_imaging.change.record import BmdChange
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, ResultState, Scanner, Site
from zoom_imaging.endpoints.dictionary import table
from zoom_imaging.endpoints.schemas import check
from zoom_imaging.endpoints.status import EndpointStatus
from zoom_imaging.endpoints.subjects import (
    endpoint_row,
    endpoint_rows,
    lumbar_levels,
    marker_change,
)
from zoom_imaging.query import Query, QueryKind

from .conftest import NO_BMD, Clinical, film, subject, trial

MILD = (0.22, Grade.MILD)
MODERATE = (0.35, Grade.MODERATE)
T12, L2 = Level.T12, Level.L2
PAIR = {T12: MILD, L2: MODERATE}
UNSURE = "undetermined"


def fracture_cells(one):
    names = (
        "levels_evaluable_both incident_vf new_vf_count worsening_vf_count multiple_vf "
        "incident_levels sdi_baseline sdi_partial_month12 sdi_month12 sdi_change"
    )
    row = endpoint_row(one, 0)
    return [row[name] for name in names.split()]


@pytest.mark.parametrize(
    ("before", "after", "levels", "cells"),
    [
        ({}, {}, GRADED_LEVELS, [13, "no", 0, 0, "no", "", 0, 0, 0, 0]),
        ({}, {}, GRADED_LEVELS[2:], [11, UNSURE, 0, 0, UNSURE, "", 0, 0, None, None]),
        ({}, {}, GRADED_LEVELS[1:], [12, UNSURE, 0, 0, "no", "", 0, 0, None, None]),
        ({}, {T12: MODERATE}, GRADED_LEVELS, [13, "yes", 1, 0, "no", "T12", 0, 2, 2, 2]),
        ({}, PAIR, [T12, L2], [2, "yes", 2, 0, "yes", "T12;L2", 0, 3, None, None]),
        ({T12: MILD}, {T12: MODERATE}, GRADED_LEVELS, [13, "no", 0, 1, "no", "", 1, 2, 2, 1]),
    ],
    ids=["none", "two missing", "one missing", "new", "two new, most missing", "worsening"],
)  # fmt: skip
def test_fractures(before, after, levels, cells):
    one = subject([film("1.1", before)], [film("1.2", after, levels)])
    assert fracture_cells(one) == cells


@pytest.mark.parametrize("baseline", [(), (film("1.1", {T12: MODERATE}),)])
def test_without_a_film_at_month_12_nothing_is_said_to_be_zero(baseline):
    cells = fracture_cells(subject(baseline, ()))
    assert cells[:6] == [0, "not_evaluable", None, None, "not_evaluable", ""]
    assert cells[7:] == [None, None, None]


@pytest.mark.parametrize(
    ("values", "changes", "reason"),
    [
        ({}, [None, None], "the clinical table has no CTX"),
        ({"ctx_m6": 0.2, "ctx_m12": 0.4}, [None, None], "no change: CTX at baseline"),
        ({"ctx_baseline": 0.4, "ctx_m6": 0.2, "ctx_m12": 0.5}, [-50.0, 25.0], ""),
        ({"ctx_baseline": 0.4, "ctx_m12": 0.5}, [None, 25.0], "no CTX at m6"),
        ({"ctx_baseline": 0.0, "ctx_m12": 0.5}, [None, None], "no CTX at m6"),
    ],
)
def test_a_marker_changes_only_from_its_own_baseline(values, changes, reason):
    row = endpoint_row(subject(clinical=Clinical(**values)), 0)
    found = [row["ctx_change_m6_pct"], row["ctx_change_m12_pct"]]
    assert found == [pytest.approx(change) if change else None for change in changes]
    assert row["ctx_reason"].startswith(reason)
    assert row["ctx_m12"] == values.get("ctx_m12")


def test_marker_change_of_nothing():
    assert marker_change(None, 1.0) is None
    assert marker_change(1.0, None) is None


def report(path, *results):
    return DxaReport(
        path, path, DxaSource.HOLOGIC_TEXT, None, Scanner(), "f", "13", "ref", (), results
    )


def lumbar(region, bmd, state=ResultState.ACCEPTED, site=Site.LUMBAR_SPINE):
    return DxaResult(site, region, bmd_g_per_cm2=bmd, state=state)


@pytest.mark.parametrize(
    ("reports", "values"),
    [
        ([report("a", lumbar("L1", 0.9), lumbar("L2", 1.0))], {"L1": 0.9, "L2": 1.0}),
        ([report("a", lumbar("L1", 0.9)), report("b", lumbar("L1", 0.9))], {"L1": 0.9}),
        ([report("a", lumbar("L1", 0.9)), report("b", lumbar("L1", 0.8))], {}),
        ([report("a", lumbar("L1", 0.9, ResultState.QUARANTINED))], {}),
        (
            [
                report("a", lumbar("L1", 0.9, ResultState.SUPERSEDED)),
                report("b", lumbar("L1", 0.8)),
            ],
            {"L1": 0.8},
        ),
        ([report("a", lumbar("L1", 0.9, site=Site.LATERAL_SPINE))], {}),
        ([report("a", lumbar("L1-L4", 0.9))], {}),
    ],
)
def test_lumbar_levels_are_accepted_and_not_contradicted(reports, values):
    found = lumbar_levels(reports)
    assert {level.value: result.bmd_g_per_cm2 for level, result in found.items()} == values


def test_bmd_arms_and_query_count_reach_the_row(fractured):
    change = BmdChange(
        "lumbar_spine", "L1-L3", 0.9, 0.918, 2.0, False, "L4 left", -1.2, -1.0, (Level.L4,)
    )
    one = replace(
        fractured,
        bmd_changes={**NO_BMD, "lumbar_spine": change},
        dxa={
            Visit.BASELINE: (report("a", lumbar("L1", 0.85), lumbar("L4", 0.7)),),
            Visit.MONTH12: (),
        },
    )
    query = Query(QueryKind.TREATMENT, "0012", "which arm?")
    other = Query(QueryKind.TREATMENT, "12", "which arm?")
    (row,) = endpoint_rows(trial(one, queries=[query, other]))
    check(table("endpoints.csv"), [row])
    expected = {
        "arm_planned": "once",
        "arm_actual": None,
        "endpoint_status": "provisional",
        "ls_bmd_baseline_g_per_cm2": 0.9,
        "ls_bmd_change_pct": 2.0,
        "ls_bmd_levels": "L1-L3",
        "ls_bmd_reason": "L4 left",
        "ls_tscore_month12": -1.0,
        "ls_bmd_change_exceeds_lsc": False,
        "l1_bmd_baseline_g_per_cm2": 0.85,
        "l4_bmd_baseline_g_per_cm2": 0.7,
        "l1_bmd_month12_g_per_cm2": None,
        "th_bmd_change_pct": None,
        "th_reason": "no report",
        "incident_vf": "yes",
        "query_count": 1,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("status", EndpointStatus)
def test_the_row_says_who_stands_behind_it(fractured, status):
    (row,) = endpoint_rows(trial(replace(fractured, status=status)))
    check(table("endpoints.csv"), [row])
    assert row["endpoint_status"] == status.value
