"""Several reports of one scan: one of them counts, or none does and a person is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.dxa.analyses import mark_older_analyses, reconcile
from zoom_imaging.dxa.result import (
    DxaReport,
    DxaResult,
    DxaSource,
    ResultState,
    Scanner,
    Side,
    Site,
)
from zoom_imaging.query import QueryKind

ACCEPTED, SUPERSEDED = ResultState.ACCEPTED, ResultState.SUPERSEDED
QUARANTINED, HISTORY = ResultState.QUARANTINED, ResultState.HISTORY


def spine(*bmds: float, state: ResultState = ACCEPTED) -> tuple[DxaResult, ...]:
    return tuple(
        DxaResult(Site.LUMBAR_SPINE, f"L{place}", 12.0, 12.0 * bmd, bmd, -2.0, -0.5, state=state)
        for place, bmd in enumerate(bmds, start=1)
    )


def hip(bmd: float, side: Side = Side.LEFT) -> tuple[DxaResult, ...]:
    return (
        DxaResult(Site.TOTAL_HIP, "Total", 30.0, 30.0 * bmd, bmd, side=side),
        DxaResult(Site.FEMORAL_NECK, "Neck", 5.0, 5.0 * bmd, bmd, side=side),
    )


def report(path: str, *results: DxaResult, hour: int | None = None, **values) -> DxaReport:
    made = DxaReport(
        path=path,
        sop_instance_uid=f"2.25.{sum(path.encode())}",
        source=DxaSource.LUNAR_SR,
        scan_date=date(2025, 3, 4),
        scanner=Scanner("GE", "iDXA", "210873", "18"),
        scan_mode="",
        analysis_version="",
        reference="",
        included_levels=(),
        results=results,
        subject_id="Z-001",
        analysed_at=None if hour is None else datetime(2025, 3, 4, hour),
        scan_id="",
    )
    return replace(made, **values)


def states(reports) -> list[set[ResultState]]:
    return [{result.state for result in one.results} for one in reports]


def test_the_same_results_in_two_files_count_once():
    settled, queries = reconcile([report("a", *spine(0.9, 1.0)), report("b", *spine(0.9, 1.0))])
    assert states(settled) == [{ACCEPTED}, {SUPERSEDED}]
    assert settled[1].results[0].reason == "the same results of this scan are read from a"
    assert queries == ()


def test_of_two_copies_the_fuller_one_counts():
    short, full = report("a", *spine(0.9)), report("b", *spine(0.9, 1.0))
    settled, queries = reconcile([short, full])
    assert states(settled) == [{SUPERSEDED}, {ACCEPTED}]
    assert queries == ()


def test_a_later_analysis_takes_the_place_of_an_earlier_one():
    first = report("a", *spine(0.9, 1.0), hour=9)
    second = report("b", *spine(0.9, 1.1), hour=15)
    settled, queries = reconcile([first, second])
    assert states(settled) == [{SUPERSEDED}, {ACCEPTED}]
    assert "analysed 2025-03-04 15:00, b" in settled[0].results[0].reason
    assert queries == ()


@pytest.mark.parametrize("hours", [(None, None), (9, None), (9, 9)])
def test_reports_that_differ_without_a_known_order_are_a_question(hours):
    settled, queries = reconcile(
        [
            report("a", *spine(0.9, 1.0), hour=hours[0]),
            report("b", *spine(0.9, 1.1), hour=hours[1]),
        ]
    )
    assert states(settled) == [{QUARANTINED}, {QUARANTINED}]
    (query,) = queries
    assert query.kind is QueryKind.DXA_CONTRADICTION
    assert "a: L1 0.900, L2 1.000 | b: L1 0.900, L2 1.100" in query.values


@pytest.mark.parametrize(
    "other",
    [
        {"scan_date": date(2026, 3, 4)},
        {"scanner": Scanner("GE", "iDXA", "999", "18")},
        {"scan_id": "A2"},
    ],
)
def test_another_day_scanner_or_scan_is_another_scan(other):
    reports = [
        report("a", *spine(0.9), scan_id="A1"),
        report("b", *spine(1.1), **{"scan_id": "A1"} | other),
    ]
    assert reconcile(reports) == (tuple(reports), ())


def test_the_spine_and_each_hip_are_judged_apart():
    first = report("a", *spine(0.9), *hip(0.7), *hip(0.8, Side.RIGHT), hour=9)
    second = report("b", *spine(0.9), *hip(0.75), hour=10)
    settled, _ = reconcile([first, second])
    by_site = [
        {(one.site, one.side): one.state for one in each.results if one.region != "Neck"}
        for each in settled
    ]
    assert by_site[0] == {
        (Site.LUMBAR_SPINE, Side.NONE): ACCEPTED,
        (Site.TOTAL_HIP, Side.LEFT): SUPERSEDED,
        (Site.TOTAL_HIP, Side.RIGHT): ACCEPTED,
    }
    assert by_site[1] == {
        (Site.LUMBAR_SPINE, Side.NONE): SUPERSEDED,
        (Site.TOTAL_HIP, Side.LEFT): ACCEPTED,
    }


def test_history_stays_history():
    old = spine(0.8, state=HISTORY)
    settled, _ = reconcile([report("a", *spine(0.9), *old), report("b", *spine(0.9), *old)])
    assert [result.state for result in settled[1].results] == [SUPERSEDED, HISTORY]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.9, 1.0, 1.1]),
            st.sampled_from([ACCEPTED, QUARANTINED, ResultState.WITHHELD, HISTORY]),
            st.sampled_from([None, 9, 10]),
        ),
        max_size=5,
    )
)
def test_nothing_becomes_accepted_and_no_scan_counts_twice(drawn):
    reports = [
        report(f"file-{place}", *spine(bmd, state=state), hour=hour)
        for place, (bmd, state, hour) in enumerate(drawn)
    ]
    settled, _ = reconcile(reports)
    for before, after in zip(reports, settled, strict=True):
        if before.results[0].state is not ACCEPTED:
            assert after.results[0].state is not ACCEPTED
        assert after.results[0].numbers == before.results[0].numbers
    assert sum(one.results[0].state is ACCEPTED for one in settled) <= 1


def test_files_given_one_by_one_keep_their_copies():
    reports = [report("a", *spine(0.9)), report("b", *spine(0.9))]
    assert mark_older_analyses(reports) == tuple(reports)


def test_files_given_one_by_one_lose_an_older_analysis():
    settled = mark_older_analyses(
        [report("a", *spine(0.9), hour=9), report("b", *spine(1.0), hour=10)]
    )
    assert states(settled) == [{SUPERSEDED}, {ACCEPTED}]


def test_files_given_one_by_one_that_contradict_each_other_say_so():
    settled = mark_older_analyses([report("a", *spine(0.9)), report("b", *spine(1.0))])
    assert states(settled) == [{ACCEPTED}, {ACCEPTED}]
    for one in settled:
        assert "a: L1 0.900 | b: L1 1.000" in one.warnings[0]
