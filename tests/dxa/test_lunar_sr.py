"""Structured reports of Lunar scanners: structure is tolerated, meaning is not."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from datetime import date

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.assembly import assemble
from zoom_imaging.dxa.checks import Tolerances
from zoom_imaging.dxa.lunar_sr import is_lunar_sr, read_lunar_sr
from zoom_imaging.dxa.result import ResultState, Side, Site
from zoom_imaging.dxa.sr_tree import SrItem
from zoom_imaging.simulate.densitometry import IDXA, exam_of, results_of
from zoom_imaging.simulate.hologic_report import hologic_report
from zoom_imaging.simulate.lunar_report import LunarStyle, Scan, lunar_lines, lunar_report

TODAY = date(2025, 3, 4)
LUMBAR = (0.942, 0.981, 1.003, 0.992)
BOTH = (Side.LEFT, Side.RIGHT)


def exam(lumbar=LUMBAR, **more):
    earlier = exam_of("P-1", date(2023, 2, 1), (1.1, 1.1, 1.1, 1.1), scanner=IDXA)
    return exam_of("P-1", TODAY, lumbar, scanner=IDXA, **{"earlier": [earlier], **more})


def tree_of(dataset: Dataset) -> SrItem:
    """The tree after a way through a file, as `sr_tree` must give it."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(stream, enforce_file_format=True)
        return _item_of(pydicom.dcmread(io.BytesIO(stream.getvalue())))


def _item_of(dataset: Dataset) -> SrItem:
    name = dataset.get("ConceptNameCodeSequence")
    value, unit = str(dataset.get("TextValue") or ""), None
    for measured in dataset.get("MeasuredValueSequence") or []:
        raw = measured.get_item("NumericValue")
        value = raw.value.decode() if raw is not None and raw.value else ""
        codes = measured.get("MeasurementUnitsCodeSequence")
        unit = str(codes[0].CodeValue) if codes else None
    return SrItem(
        value_type=str(dataset.get("ValueType", "")),
        meaning=str(name[0].CodeMeaning) if name else "",
        text=value,
        unit=unit,
        children=tuple(_item_of(child) for child in dataset.get("ContentSequence") or []),
    )


def item(value_type: str, meaning: str | None, *children: Dataset) -> Dataset:
    made = Dataset()
    made.RelationshipType, made.ValueType = "CONTAINS", value_type
    if meaning is not None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X1", "99TEST", meaning
        made.ConceptNameCodeSequence = [code]
    if children or value_type == "CONTAINER":
        made.ContentSequence = list(children)
    return made


def box(meaning: str | None, *children: Dataset) -> Dataset:
    return item("CONTAINER", meaning, *children)


def text(meaning: str | None, value: str) -> Dataset:
    made = item("TEXT", meaning)
    made.TextValue = value
    return made


def num(meaning: str | None, value: str | None, unit: str | None = "g/cm2") -> Dataset:
    """A NUM item; value None: without a measured value, as the standard lets it be."""
    made = item("NUM", meaning)
    measured = Dataset()
    if unit is not None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
        measured.MeasurementUnitsCodeSequence = [code]
    if value is not None:
        content = value.encode()
        content += b" " * (len(content) % 2)
        tag = Tag(0x0040A30A)
        measured[tag] = RawDataElement(tag, "DS", len(content), content, 0, False, True)
    made.MeasuredValueSequence = [measured] if value is not None else []
    return made


def report(*children: Dataset, title: str = "DXA Report") -> Dataset:
    dataset = lunar_report(exam())
    dataset.ContentSequence = list(children)
    dataset.ConceptNameCodeSequence[0].CodeMeaning = title
    return dataset


def judged(dataset: Dataset, day: date | None = TODAY):
    content = read_lunar_sr(tree_of(dataset), day)
    found = assemble(content.rows, Tolerances())
    return found.results, (*content.warnings, *found.warnings)


def one(*children: Dataset):
    results = [r for r in judged(report(*children))[0] if r.state is not ResultState.HISTORY]
    assert len(results) == 1, results
    return results[0]


def spine(*values: Dataset, region: str = "L1-L4"):
    return one(box("AP Spine", box(region, *values)))


@given(
    lumbar=st.tuples(*[st.floats(0.4, 1.6)] * 4),
    style=st.builds(
        LunarStyle,
        old=st.booleans(),
        decimal_comma=st.booleans(),
        numeric_scores=st.booleans(),
        minus=st.sampled_from(["-", "\u2212"]),
        trend=st.booleans(),
        more_ranges=st.booleans(),
        dual_femur=st.booleans(),
    ),
    vertebrae=st.integers(2, 4),
)
@settings(max_examples=40, deadline=None)
def test_what_was_measured_is_what_is_read(lumbar, style, vertebrae):
    if style.numeric_scores:
        style = replace(style, minus="-")
    measured = exam(lumbar, included=LUMBAR_DXA_LEVELS[:vertebrae], sides=BOTH)
    results, _ = judged(lunar_report(measured, style=style))
    expected = results_of(lunar_lines(measured, Scan.SPINE, style))
    for side in BOTH:
        expected += results_of(measured.hip_lines(side), side)
    if style.old:
        expected = tuple(replace(one, area_cm2=None, bmc_g=None) for one in expected)
    accepted = {r for r in results if r.state is ResultState.ACCEPTED and r.side is not Side.MEAN}
    assert accepted == set(expected)
    means = [r for r in results if r.side is Side.MEAN]
    assert bool(means) == style.dual_femur


def test_milligrams_are_read_by_their_unit():
    results, _ = judged(lunar_report(exam(), style=LunarStyle(milligrams=True)))
    total = next(r for r in results if r.region == "L1-L4" and r.bmc_g)
    assert (total.bmd_g_per_cm2, total.state) == (0.981, ResultState.ACCEPTED)


def test_dates_version_and_reference_of_the_report():
    content = read_lunar_sr(tree_of(lunar_report(exam())))
    assert content.scan_date == TODAY
    assert content.analysis_version == IDXA.software
    assert content.reference.startswith("USA (Combined NHANES")
    assert content.warnings == ()


def test_a_report_without_its_facts_leaves_them_open():
    content = read_lunar_sr(tree_of(report(box("AP Spine", box("L1-L4", num("BMD", "0.9"))))))
    assert content.scan_date is None
    assert content.reference == ""


@pytest.mark.parametrize("written", ["01/02/2025", "1.2.2025", "02-01-25"])
def test_an_ambiguous_scan_date_is_not_guessed(written):
    dataset = report(box("AP Spine", text("Scan Date", written), box("L1-L4", num("BMD", "0.9"))))
    content = read_lunar_sr(tree_of(dataset))
    assert content.scan_date is None
    assert any(written in warning for warning in content.warnings)


def test_two_scan_dates_in_one_report_are_left_to_a_person():
    results, warned = judged(
        report(
            box("AP Spine", text("Scan Date", "04-Mar-2025"), box("L1-L4", num("BMD", "0.9"))),
            box("Left Femur", text("Scan Date", "05-Mar-2025"), box("Neck", num("BMD", "0.7"))),
        )
    )
    assert {r.state for r in results} == {ResultState.QUARANTINED}
    assert any("several scan dates" in warning for warning in warned)


def trend(day: str, bmd: str, region: str = "L1-L4") -> Dataset:
    change = box("CHANGE_VS_PREVIOUS", num("BMD", "-0.9", "%"))
    return box(f"Trend {region}", box(day, num("AGE", "70", "a"), num("BMD", bmd), change))


def test_a_trend_is_history_wherever_it_stands():
    for children in (
        (trend("01-Feb-2023", "1.100"), box("L1-L4", num("BMD", "0.900"))),
        (box("L1-L4", num("BMD", "0.900")), trend("01-Feb-2023", "1.100")),
        (box("L1-L4", trend("01-Feb-2023", "1.100"), num("BMD", "0.900")),),
    ):
        results, _ = judged(report(box("AP Spine", *children)))
        assert [(r.bmd_g_per_cm2, r.state) for r in results] == [
            (0.9, ResultState.ACCEPTED),
            (1.1, ResultState.HISTORY),
        ]
        assert "01-Feb-2023" in results[1].reason


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    ("day", "header", "state"),
    [
        ("01-Feb-2023", TODAY, ResultState.HISTORY),
        ("04-Mar-2025", TODAY, ResultState.ACCEPTED),
        ("04-Mar-2025", None, ResultState.QUARANTINED),
    ],
)
def test_an_exam_under_a_day_is_current_only_on_that_day(inside, day, header, state):
    bmd = num("BMD", "0.9")
    scan = box("L1-L4", box(day, bmd)) if inside else box(day, box("L1-L4", bmd))
    results, _ = judged(report(box("AP Spine", scan)), header)
    assert [r.state for r in results] == [state]


def test_modifiers_below_a_value_do_not_hide_it():
    bmd = num("BMD", "0.9")
    bmd.ContentSequence = [text("Method", "Basis"), num("BMD", "0.7")]
    assert spine(bmd).bmd_g_per_cm2 == 0.9


def test_a_report_of_trends_alone_has_no_current_result():
    results, _ = judged(report(box("AP Spine", trend("01-Feb-2023", "1.100"))))
    assert [r.state for r in results] == [ResultState.HISTORY]


def test_the_trend_repeats_the_current_exam_or_contradicts_it():
    for bmd, state in (("0.900", ResultState.ACCEPTED), ("0.950", ResultState.QUARANTINED)):
        results, _ = judged(
            report(box("AP Spine", box("L1-L4", num("BMD", "0.900")), trend("04-Mar-2025", bmd)))
        )
        assert [(r.bmd_g_per_cm2, r.state) for r in results] == [(0.9, state)]


@pytest.mark.parametrize("word", ["History", "Previous Exam", "Prior", "Baseline", "TREND"])
def test_values_under_a_look_back_are_not_the_result(word):
    results, _ = judged(report(box("AP Spine", box(word, box("L1-L4", num("BMD", "1.100"))))))
    assert all(r.state is ResultState.HISTORY for r in results)


@pytest.mark.parametrize(
    ("value", "unit", "bmd"),
    [
        ("0.918", "g/cm2", 0.918),
        ("0,918", "g/cm2", 0.918),
        ("918", "mg/cm2", 0.918),
        ("0.918", None, 0.918),
        ("9.18E-1", "g/cm2", 0.918),
        ("918", "g/cm2", None),
        ("918", None, None),
        ("0.918", "mg/cm2", None),
        ("0.918", "g", None),
        ("", "g/cm2", None),
        (None, "g/cm2", None),
        ("---", "g/cm2", None),
        ("-", "g/cm2", None),
    ],
)
def test_bmd_by_its_unit_or_not_at_all(value, unit, bmd):
    found = spine(num("BMD", value, unit), text("BMD_TSCORE", "-2.0"))
    assert found.bmd_g_per_cm2 == bmd
    assert found.state is (ResultState.WITHHELD if bmd is None else ResultState.ACCEPTED)
    assert bool(found.reason) == (bmd is None)


@pytest.mark.parametrize(
    ("value", "score"),
    [
        ("-1.0", -1.0),
        ("\u22121.0", -1.0),
        ("-1,0", -1.0),
        (" 1.2 ", 1.2),
        ("0.0", 0.0),
        ("---", None),
        ("-", None),
        ("N/A", None),
        ("n/a", None),
        ("high", None),
        ("104", None),
    ],
)
def test_scores_as_text_keep_sign_and_missing_marks_are_not_zero(value, score):
    found = spine(num("BMD", "0.9"), text("BMD_TSCORE", value), text("BMD_ZSCORE", "0.6"))
    assert (found.t_score, found.z_score) == (score, 0.6)
    assert found.state is ResultState.ACCEPTED


def test_scores_as_numbers():
    found = spine(num("BMD", "0.9"), num("BMD_TSCORE", "-2.1", "1"), num("BMD_ZSCORE", "0.6", None))
    assert (found.t_score, found.z_score) == (-2.1, 0.6)


def test_a_score_in_percent_is_none():
    found = spine(num("BMD", "0.9"), num("BMD_TSCORE", "-2.1", "%"))
    assert found.t_score is None
    assert "%" in found.reason


def test_meanings_are_compared_without_case_or_blanks():
    found = one(box(" ap  SPINE ", box(" l1 - l4 ", num("bmd", "0.9"), text("Bmd_TScore", "-2.0"))))
    assert (found.region, found.bmd_g_per_cm2, found.t_score) == ("L1-L4", 0.9, -2.0)


def test_values_may_lie_one_level_deeper():
    inner = box("Results", num("BMD", "0.9"), text("BMD_TSCORE", "-2.0"))
    for children in (
        box("AP Spine", box("L1-L4", inner)),
        box("Scans", box("AP Spine", box("L1-L4", inner))),
    ):
        assert one(children).bmd_g_per_cm2 == 0.9


def test_a_value_given_twice_is_one_or_is_in_doubt():
    agrees = spine(num("BMD", "0.9"), box("Results", num("BMD", "0.900")))
    differs = spine(num("BMD", "0.9"), box("Results", num("BMD", "0.95")))
    assert agrees.state is ResultState.ACCEPTED
    assert differs.state is ResultState.QUARANTINED
    assert "0.95" in differs.reason


def test_two_contradictory_regions_are_both_kept_and_none_accepted():
    scan = box("AP Spine", box("L1-L4", num("BMD", "0.9")), box("L1-L4", num("BMD", "0.95")))
    results, _ = judged(report(scan))
    assert {r.bmd_g_per_cm2 for r in results} == {0.9, 0.95}
    assert {r.state for r in results} == {ResultState.QUARANTINED}


def test_without_a_name_nothing_is_read_and_it_is_said():
    results, warned = judged(
        report(
            num(None, "9.999"),
            box("AP Spine", box("L1-L4", num("BMD", "0.9")), num(None, "8.888")),
            box(None, box("AP Spine", box("L1", num("BMD", "7.777")))),
            num("BMD", "6.666"),
        )
    )
    assert [r.bmd_g_per_cm2 for r in results] == [0.9]
    for value in ("9.999", "8.888", "7.777", "6.666"):
        assert any(value in warning for warning in warned), value


@pytest.mark.parametrize(
    ("scan", "region", "site", "side"),
    [
        ("Left Femur", "Total", Site.TOTAL_HIP, Side.LEFT),
        ("Right Femur", "Neck", Site.FEMORAL_NECK, Side.RIGHT),
        ("DualFemur", "Neck Left", Site.FEMORAL_NECK, Side.LEFT),
        ("DualFemur", "Neck Mean", Site.FEMORAL_NECK, Side.MEAN),
        ("DualFemur", "Total Right", Site.TOTAL_HIP, Side.RIGHT),
        ("Left Forearm", "Radius 33%", Site.FOREARM, Side.LEFT),
        ("Total Body", "Total", Site.WHOLE_BODY, Side.NONE),
        ("Total Body", "Left Arm", Site.WHOLE_BODY, Side.NONE),
        ("LVA", "L2", Site.LATERAL_SPINE, Side.NONE),
    ],
)
def test_a_region_belongs_to_its_scan(scan, region, site, side):
    found = one(box(scan, box(region, num("BMD", "0.9"))))
    assert (found.site, found.side) == (site, side)


def test_side_of_scan_and_region_that_contradict_are_quarantined():
    found = one(box("Left Femur", box("Neck Right", num("BMD", "0.7"))))
    assert found.state is ResultState.QUARANTINED


@pytest.mark.parametrize("region", ["Upper Neck", "Neck Difference", "L5", "T13-L2", "Android"])
def test_other_regions_are_never_taken_for_known_ones(region):
    for scan in ("Left Femur", "AP Spine"):
        results, warned = judged(report(box(scan, box(region, num("BMD", "0.9")))))
        assert all(r.region not in {"L1-L4", "Neck", "Total"} for r in results)
        assert results or any(region in warning for warning in warned)


def test_a_region_under_no_scan_is_read_for_nothing():
    results, warned = judged(report(box("L1-L4", num("BMD", "0.9"))))
    assert results == ()
    assert any("L1-L4" in warning for warning in warned)


def test_t12_stays_out_of_the_lumbar_total():
    measured = lunar_report(exam())
    measured.ContentSequence[2].ContentSequence.insert(3, box("T12", num("BMD", "0.8")))
    results, _ = judged(measured)
    total = next(r for r in results if r.region == "L1-L4" and r.bmc_g)
    assert total.state is ResultState.ACCEPTED
    assert next(r for r in results if r.region == "T12").bmd_g_per_cm2 == 0.8


def test_a_range_without_l4_is_named_by_its_vertebrae_and_l4_is_withheld():
    results, _ = judged(lunar_report(exam(included=LUMBAR_DXA_LEVELS[:3])))
    current = [
        r for r in results if r.site is Site.LUMBAR_SPINE and r.state is not ResultState.HISTORY
    ]
    assert [r.region for r in current] == ["L1", "L2", "L3", "L4", "L1-L3"]
    assert current[3].bmd_g_per_cm2 is None
    assert current[3].state is ResultState.WITHHELD


def test_a_total_that_is_not_its_vertebrae_is_quarantined():
    dataset = lunar_report(exam())
    total = next(
        one
        for one in dataset.ContentSequence[2].ContentSequence
        if one.ConceptNameCodeSequence[0].CodeMeaning == "L1-L4"
    )
    total.ContentSequence = [num("BMD", "1.100")]
    results, _ = judged(dataset)
    found = next(r for r in results if r.region == "L1-L4" and r.state is not ResultState.HISTORY)
    assert found.state is ResultState.QUARANTINED


def test_who_is_a_lunar_report():
    assert is_lunar_sr(lunar_report(exam()))
    titled = lunar_report(exam())
    titled.Manufacturer = titled.ManufacturerModelName = "Reading Room"
    assert is_lunar_sr(titled)
    titled.ConceptNameCodeSequence[0].CodeMeaning = "Measurement Report"
    assert not is_lunar_sr(titled)
    del titled.ConceptNameCodeSequence
    assert not is_lunar_sr(titled)
    assert not is_lunar_sr(hologic_report(exam()))


CASES = [
    ("sr-tree-oddities/odd.dcm", 0.807),
    ("ds-long-and-comma/report.dcm", 0.9),
    ("midnight-and-time-zone/report.dcm", None),
    ("charset-term-not-defined/iso_ir_149.dcm", 0.9),
    ("charset-term-not-defined/ksc5601.dcm", 0.9),
    ("charset-term-not-defined/proper.dcm", 0.9),
]


@pytest.mark.parametrize(("name", "bmd"), CASES)
def test_hard_inputs_of_public_bug_reports(shared, name, bmd):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(shared / "cases" / name)
        assert is_lunar_sr(dataset)
        results, warned = judged(dataset, None)
    accepted = {r.region: r.bmd_g_per_cm2 for r in results if r.state is ResultState.ACCEPTED}
    assert set(accepted) >= {Level.L1, Level.L2, Level.L3, Level.L4, "L1-L4"}
    assert bmd is None or accepted["L1-L4"] == pytest.approx(bmd, abs=0.0011)
    assert not {8.888, 9.999} & set(accepted.values())
    if "odd" in name:
        assert any("9.999" in warning for warning in warned)
        assert any("8.888" in warning for warning in warned)
