"""Change of BMD over the same regions, computed by hand; and every reason why there is none."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level
from zoom_imaging.change.bmd import hip_change, lumbar_change
from zoom_imaging.change.record import ChangeKind, VertebraChange
from zoom_imaging.charter import CrossCalibration
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

BMC = {"L1": 10.2, "L2": 11.7, "L3": 12.88, "L4": 14.1}
AREA = {"L1": 12.0, "L2": 13.0, "L3": 14.0, "L4": 15.0}


def by_hand(*levels, factor=1.0):
    return factor * sum(BMC[level] for level in levels) / sum(AREA[level] for level in levels)


def films(**grades):
    """Changes of T4-L4; `grades` maps a level to (baseline, month 12), everything else is 0, 0."""
    result = []
    for level in GRADED_LEVELS:
        before, after = (Grade(grade) for grade in grades.get(level.value, ("0", "0")))
        kind = ChangeKind.NONE
        if not (before.is_numeric and after.is_numeric):
            kind = ChangeKind.NOT_EVALUABLE
        elif after.number > before.number:
            kind = ChangeKind.NEW if before.number == 0 else ChangeKind.WORSENING
        result.append(VertebraChange(level, before, after, kind, ""))
    return result


def change(charter, before, after, read=None, **more):
    read = films() if read is None else read
    before = [] if before is None else [before.build()]
    after = [] if after is None else [after.build()]
    return lumbar_change(before, after, read, charter, subject_id="Z-1", **more)


def kinds(found):
    return [query.kind for query in found.queries]


def test_the_printed_total_is_taken_if_both_visits_have_it_and_neither_if_one_lacks_it(
    charter, dxa
):
    both = change(charter, dxa(total=0.905), dxa(factor=1.02, total=0.923))
    assert (both.baseline_g_per_cm2, both.month12_g_per_cm2) == (0.905, 0.923)
    one = change(charter, dxa(total=0.905), dxa(factor=1.02, label="L2-L4", total=0.94))
    assert one.baseline_g_per_cm2 == pytest.approx(48.88 / 54)
    assert one.month12_g_per_cm2 == pytest.approx(48.88 / 54 * 1.02)


def test_total_is_sum_of_bmc_over_sum_of_area_not_the_mean_of_densities(charter, dxa):
    found = change(charter, dxa(), dxa(factor=1.02))
    assert found.baseline_g_per_cm2 == pytest.approx(48.88 / 54)
    assert found.baseline_g_per_cm2 != pytest.approx((0.85 + 0.9 + 0.92 + 0.94) / 4, abs=1e-4)
    assert found.month12_g_per_cm2 == pytest.approx(48.88 / 54 * 1.02)
    assert found.change_pct == pytest.approx(2.0)
    assert found.levels == "L1-L4"
    assert (found.t_score_baseline, found.t_score_month12) == (-1.4, -1.4)
    assert found.excluded_levels == ()
    assert found.queries == ()
    assert found.reason == ""


@pytest.mark.parametrize(
    ("before", "after", "levels", "t_score"),
    [
        (("L1", "L2", "L3", "L4"), ("L1", "L2", "L3"), "L1-L3", (None, -1.4)),
        (("L1", "L2", "L4"), ("L1", "L3", "L4"), "L1,L4", (None, None)),
        (("L2", "L3", "L4"), ("L2", "L3", "L4"), "L2-L4", (-1.4, -1.4)),
    ],
)
def test_only_vertebrae_of_both_visits_count(*, charter, dxa, before, after, levels, t_score):
    def report(names):
        rows = {name: (AREA[name], BMC[name], -1.4) for name in names}
        label = {4: "L1-L4", 3: {"L1": "L1-L3", "L2": "L2-L4"}[names[0]]}[len(names)]
        label = {("L1", "L2", "L4"): "L1-L2,L4", ("L1", "L3", "L4"): "L1,L3-L4"}.get(names, label)
        return dxa(levels=rows, label=label)

    found = change(charter, report(before), report(after))
    common = [name for name in before if name in after]
    assert found.levels == levels
    assert found.baseline_g_per_cm2 == pytest.approx(by_hand(*common))
    assert found.change_pct == pytest.approx(0)
    assert (found.t_score_baseline, found.t_score_month12) == t_score
    assert kinds(found) == ([] if before == after else [QueryKind.DXA_NOT_COMPARABLE])


@pytest.mark.parametrize(
    ("grades", "words"),
    [
        ({"L2": ("0", "1")}, "L2 left out at both visits: new fracture"),
        ({"L2": ("2", "2")}, "L2 left out at both visits: grade 2 at baseline"),
        ({"L2": ("1", "3")}, "L2 left out at both visits: grade 1 at baseline"),
        ({"L2": ("not_evaluable", "2")}, "L2 left out at both visits: grade 2 at month 12"),
        ({"L2": ("3", "not_evaluable")}, "L2 left out at both visits: grade 3 at baseline"),
    ],
)
def test_a_fractured_vertebra_leaves_both_visits_and_the_reason_says_so(
    charter, dxa, grades, words
):
    squeezed = dict(dxa().levels)
    squeezed["L2"] = (11.0, 13.5, 0.5)
    after = dxa(levels=squeezed, factor=1.01)
    found = change(charter, dxa(), after, films(**grades))
    assert found.levels == "L1,L3-L4"
    assert found.excluded_levels == (Level.L2,)
    assert found.baseline_g_per_cm2 == pytest.approx((10.2 + 12.88 + 14.1) / 41)
    assert found.change_pct == pytest.approx(1.0)
    assert (found.t_score_baseline, found.t_score_month12) == (None, None)
    assert words in found.reason
    assert QueryKind.DXA_IMPLAUSIBLE not in kinds(found)


def test_fractures_elsewhere_and_borderline_grades_leave_no_lumbar_vertebra_out(charter, dxa):
    found = change(charter, dxa(), dxa(), films(T8=("0", "3"), L2=("0.5", "0.5")))
    assert found.levels == "L1-L4"


def test_levels_that_no_film_could_clear_stay_and_are_named(charter, dxa):
    found = change(charter, dxa(), dxa(), read=[])
    assert found.levels == "L1-L4"
    assert found.change_pct == pytest.approx(0)
    assert "a fracture of L1-L4 could not be excluded" in found.reason
    found = change(charter, dxa(), dxa(), films(L1=("0", "not_evaluable")))
    assert "a fracture of L1 could not be excluded" in found.reason


@pytest.mark.parametrize(
    ("fractured", "levels"), [(("L1", "L2"), "L3-L4"), (("L2", "L3"), "L1,L4")]
)
def test_two_vertebrae_are_enough_also_when_not_adjacent(charter, dxa, fractured, levels):
    found = change(charter, dxa(), dxa(), films(**dict.fromkeys(fractured, ("2", "2"))))
    assert found.levels == levels
    assert found.change_pct == pytest.approx(0)


@pytest.mark.parametrize("count", [3, 4])
def test_never_a_single_vertebra(charter, dxa, count):
    fractured = dict.fromkeys(["L1", "L2", "L3", "L4"][:count], ("2", "2"))
    found = change(charter, dxa(), dxa(), films(**fractured))
    assert (found.baseline_g_per_cm2, found.month12_g_per_cm2, found.change_pct) == (None,) * 3
    assert (found.t_score_baseline, found.exceeds_lsc, found.levels) == (None, None, "")
    assert "the charter asks for 2" in found.reason


@pytest.mark.parametrize(
    ("count", "difference", "exceeds"),
    [
        (4, 0.0277, True),
        (4, 0.0276, False),
        (4, -0.0277, True),
        (3, 0.0277 * 1.07, True),
        (3, 0.0296, False),
        (2, 0.0277 * 1.24, True),
        (2, 0.0343, False),
    ],
)
def test_least_significant_change_by_number_of_vertebrae(charter, dxa, count, difference, exceeds):
    names = ["L1", "L2", "L3", "L4"][:count]
    before = dxa(levels=dict.fromkeys(names, (10.0, 8.0, None)), label=f"L1-L{count}")
    after = dxa(
        levels=dict.fromkeys(names, (10.0, 8.0 + 10 * difference, None)),
        label=f"L1-L{count}",
        total=0.8 + difference,
    )
    found = change(charter, before, after)
    assert found.exceeds_lsc is exceeds
    assert found.change_pct == pytest.approx(100 * difference / 0.8)


@pytest.mark.parametrize(
    ("factor", "asked"), [(1.10, False), (1.101, True), (0.90, False), (0.899, True)]
)
def test_more_than_ten_per_cent_is_a_question_and_stays_in_the_table(charter, dxa, factor, asked):
    found = change(charter, dxa(total_t=None), dxa(factor=factor, total_t=None))
    assert found.change_pct == pytest.approx(100 * (factor - 1))
    assert kinds(found) == [QueryKind.DXA_IMPLAUSIBLE] * asked


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("scan_mode", "a Lumbar Spine", "scan mode"),
        ("analysis_version", "13.7", "analysis version"),
        ("reference", "Asian Female", "reference"),
        ("serial", "", "scanner serial"),
    ],
)
def test_every_difference_is_a_question_and_the_change_is_given(charter, dxa, field, value, words):
    found = change(charter, dxa(), dxa(factor=1.02, **{field: value}))
    assert found.change_pct == pytest.approx(2.0)
    (query,) = found.queries
    assert query.kind is QueryKind.DXA_NOT_COMPARABLE
    assert words in query.question
    assert (value or "not stated") in query.values
    assert words in found.reason


def test_case_and_blanks_are_no_difference(charter, dxa):
    found = change(charter, dxa(), dxa(serial=" 300000m ", scan_mode="F  LUMBAR SPINE"))
    assert found.queries == ()


@pytest.mark.parametrize(
    "other",
    [
        {"serial": "300001M"},
        {"serial": "300000"},
        {"serial": "", "model": "Lunar iDXA"},
        {"serial": "", "model": "", "manufacturer": "GE Healthcare"},
    ],
)
def test_another_scanner_gives_no_change_but_both_values(charter, dxa, other):
    first = {"serial": ""} if other["serial"] == "" else {}
    found = change(charter, dxa(**first), dxa(factor=1.02, **other))
    assert found.change_pct is None
    assert found.exceeds_lsc is None
    assert found.baseline_g_per_cm2 == pytest.approx(by_hand(*BMC))
    assert found.month12_g_per_cm2 == pytest.approx(by_hand(*BMC, factor=1.02))
    assert "no cross-calibration" in found.reason
    assert kinds(found) == [QueryKind.DXA_NOT_COMPARABLE]


@pytest.mark.parametrize(
    ("source", "target", "before", "after"),
    [
        ("300000M", "300001M", 1.05 * 48.88 / 54 - 0.01, 1.02 * 48.88 / 54),
        ("300001M", "300000M", 48.88 / 54, 1.05 * 1.02 * 48.88 / 54 - 0.01),
    ],
)
def test_a_record_of_cross_calibration_converts_one_visit(
    *, charter, dxa, source, target, before, after
):
    record = CrossCalibration(
        from_serial=source,
        to_serial=target,
        slope=1.05,
        intercept_g_per_cm2=-0.01,
        record="phantom study 7",
    )
    rules = charter.dxa.model_copy(update={"cross_calibrations": (record,)})
    calibrated = charter.model_copy(update={"dxa": rules})
    found = change(calibrated, dxa(), dxa(factor=1.02, serial="300001M"))
    assert found.baseline_g_per_cm2 == pytest.approx(before)
    assert found.month12_g_per_cm2 == pytest.approx(after)
    assert found.change_pct == pytest.approx(100 * (after / before - 1))
    assert found.exceeds_lsc is None
    assert "phantom study 7" in found.reason
    assert kinds(found) == [QueryKind.DXA_NOT_COMPARABLE]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (False, True, "baseline: no densitometry"),
        (True, False, "month 12: no densitometry"),
        (False, False, "month 12: no densitometry"),
    ],
)
def test_a_missing_visit_leaves_the_other_value(charter, dxa, before, after, words):
    found = change(charter, dxa() if before else None, dxa() if after else None)
    assert (found.baseline_g_per_cm2 is not None) is before
    assert (found.month12_g_per_cm2 is not None) is after
    assert found.change_pct is None
    assert words in found.reason


@pytest.mark.parametrize("state", [s for s in ResultState if s is not ResultState.ACCEPTED])
def test_only_accepted_results_count(charter, dxa, state):
    found = change(charter, dxa(), dxa(states={"all": state}))
    assert found.month12_g_per_cm2 is None
    assert found.change_pct is None
    assert state.value in found.reason
    assert "read by OCR" in found.reason


def test_history_beside_the_current_scan_is_never_taken(charter, dxa):
    old = DxaResult(Site.LUMBAR_SPINE, "L1-L4", 54.0, 60.0, 1.111, state=ResultState.HISTORY)
    found = change(charter, dxa(rows=(old,)), dxa(factor=1.02, rows=(old,)))
    assert found.change_pct == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("read", "levels", "value"),
    [(films(), "L1-L4", 0.905), (films(L2=("2", "2")), "L1,L3-L4", None)],
)
def test_without_bmc_and_area_only_the_printed_total_of_the_same_levels_counts(
    charter, dxa, read, levels, value
):
    """An old Lunar report: densities only."""
    old = dict.fromkeys(BMC, (None, None, None))
    found = change(charter, dxa(levels=old, total=0.905), dxa(levels=old, total=0.914), read)
    assert found.levels == levels
    assert found.baseline_g_per_cm2 == value
    if value is None:
        assert found.change_pct is None
        assert "no BMC and area of L1, L3, L4, and no printed total of L1,L3-L4" in found.reason
    else:
        assert found.change_pct == pytest.approx(100 * 0.009 / 0.905)
        assert found.exceeds_lsc is False


def test_bmc_follows_from_density_and_area(charter, dxa):
    rows = tuple(
        DxaResult(Site.LUMBAR_SPINE, level, AREA[level], None, BMC[level] / AREA[level])
        for level in BMC
    )
    found = change(charter, dxa(levels={}, included=tuple(BMC), rows=rows), dxa(factor=1.02))
    assert found.baseline_g_per_cm2 == pytest.approx(48.88 / 54)


def test_a_printed_total_that_contradicts_its_vertebrae_is_no_value(charter, dxa):
    found = change(charter, dxa(), dxa(total=0.950))
    assert found.month12_g_per_cm2 is None
    assert found.change_pct is None
    assert "contradicts itself" in found.reason
    assert kinds(found) == [QueryKind.DXA_CONTRADICTION]
    assert change(charter, dxa(), dxa(total=0.9071)).change_pct is not None


def test_two_reports_of_a_visit_agree_or_are_a_question(charter, dxa):
    def found(second):
        return lumbar_change(
            [dxa().build()], [dxa().build(), second.build()], films(), charter, subject_id="Z-1"
        )

    same = found(dxa(levels={"L1": (12.0, 10.2, None)}, label="L1-L4", total=0.905, path="b"))
    assert same.change_pct == pytest.approx(0)
    other = found(dxa(factor=1.05, path="b"))
    assert other.change_pct is None
    assert other.month12_g_per_cm2 is None
    assert "contradict each other" in other.reason
    assert kinds(other) == [QueryKind.DUPLICATE_VISIT]


@pytest.mark.parametrize(
    ("t_scores", "outlier"),
    [
        ((-1.5, -1.4, -1.3, -1.2), None),
        ((-2.3, -1.3, -1.3, -1.3), None),
        ((-2.4, -1.3, -1.3, -1.3), "L1"),
        ((-1.3, -0.2, -1.3, -1.3), "L2"),
        ((-1.3, -1.3, -1.3, 0.1), "L4"),
        ((-3.0, -1.5, 0.0, 1.5), "?"),
        ((-3.0, -3.0, -1.0, -1.0), "?"),
        ((-3.0, -1.0, -1.0, 1.0), "L1,L4"),
    ],
)
@pytest.mark.parametrize("exclude", [False, True])
def test_a_vertebra_unlike_its_neighbours_is_asked_about_and_left_out_only_by_charter(
    charter, dxa, t_scores, outlier, exclude
):
    rules = charter.dxa.model_copy(update={"exclude_outliers": exclude})
    rows = {
        level: (AREA[level], BMC[level], score) for level, score in zip(BMC, t_scores, strict=True)
    }
    strict = charter.model_copy(update={"dxa": rules})
    found = change(strict, dxa(levels=rows), dxa(levels=rows, factor=1.01))
    assert kinds(found) == [QueryKind.DXA_IMPLAUSIBLE] * (0 if outlier is None else 2)
    gone = outlier.split(",") if exclude and outlier not in {None, "?"} else []
    assert found.excluded_levels == tuple(Level(level) for level in gone)
    kept = [level for level in BMC if level not in gone]
    assert found.baseline_g_per_cm2 == pytest.approx(by_hand(*kept))
    assert found.change_pct == pytest.approx(1.0)


# Hips


def hip(side="left", bmd=0.8, site=Site.TOTAL_HIP, t_score=-1.0, **more):
    return DxaReport(
        path=f"{side}.dcm",
        sop_instance_uid=f"3.{side}",
        source=DxaSource.HOLOGIC_TEXT,
        scan_date=None,
        scanner=Scanner("HOLOGIC", "Horizon W", more.pop("serial", "300000M"), ""),
        scan_mode="a Hip",
        analysis_version="13.6",
        reference="White Female",
        included_levels=(),
        results=(
            DxaResult(
                site=site,
                region="Total",
                bmd_g_per_cm2=bmd,
                t_score=t_score,
                side=Side(side),
                **more,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("before", "after", "levels", "pct"),
    [
        ([hip("left")], [hip("left", 0.82)], "left", 2.5),
        ([hip("right")], [hip("right", 0.82)], "right", 2.5),
        ([hip("left"), hip("right", 0.7)], [hip("right", 0.735)], "right", 5.0),
        ([hip("right", 0.7), hip("left")], [hip("left", 0.82), hip("right")], "left", 2.5),
        ([hip("mean")], [hip("mean", 0.82), hip("left")], "mean", 2.5),
    ],
)
def test_the_same_hip_at_both_visits_the_left_one_first(charter, before, after, levels, pct):
    found = hip_change(before, after, charter, Site.TOTAL_HIP)
    assert found.levels == levels
    assert found.change_pct == pytest.approx(pct)
    assert found.queries == ()
    assert found.exceeds_lsc is None, "the charter has no least significant change for the hip"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [("left", "right", "left, then right"), ("", "", "do not say which side")],
)
def test_another_or_an_unknown_side_gives_no_change(charter, before, after, words):
    found = hip_change([hip(before)], [hip(after, 0.82)], charter, Site.TOTAL_HIP)
    assert found.change_pct is None
    assert (found.baseline_g_per_cm2, found.month12_g_per_cm2) == (0.8, 0.82)
    assert words in found.reason
    assert kinds(found) == [QueryKind.DXA_NOT_COMPARABLE]


def test_neck_and_total_are_two_sites(charter):
    neck = hip("left", 0.6, site=Site.FEMORAL_NECK)
    found = hip_change([neck, hip("left")], [neck, hip("left", 0.82)], charter, Site.FEMORAL_NECK)
    assert (found.site, found.change_pct) == ("femoral_neck", 0)
    with pytest.raises(ValueError, match="no site of the hip"):
        hip_change([], [], charter, Site.LUMBAR_SPINE)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ([], "month 12: no densitometry"),
        ([hip(state=ResultState.QUARANTINED, reason="OCR")], "quarantined (OCR)"),
        ([hip(site=Site.FEMORAL_NECK)], "month 12: no total hip result"),
        ([hip(bmd=None)], "month 12: no total hip result"),
    ],
)
def test_a_hip_that_is_missing_says_why(charter, after, words):
    found = hip_change([hip()], after, charter, Site.TOTAL_HIP)
    assert found.baseline_g_per_cm2 == 0.8
    assert (found.month12_g_per_cm2, found.change_pct) == (None, None)
    assert words in found.reason


def test_a_hip_on_another_scanner(charter):
    found = hip_change([hip()], [hip(bmd=0.82, serial="9")], charter, Site.TOTAL_HIP)
    assert found.change_pct is None
    assert "no cross-calibration" in found.reason


def test_implausible_hip(charter):
    found = hip_change([hip()], [hip(bmd=0.95)], charter, Site.TOTAL_HIP)
    assert kinds(found) == [QueryKind.DXA_IMPLAUSIBLE]
