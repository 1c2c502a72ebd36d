"""XML in Image Comments: both forms, the right exam of several, and text that must be refused."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS
from zoom_imaging.dxa.assembly import assemble
from zoom_imaging.dxa.checks import Tolerances
from zoom_imaging.dxa.lunar_xml import lunar_xml, read_lunar_xml
from zoom_imaging.dxa.result import ResultState, Side, Site
from zoom_imaging.errors import DxaReportError
from zoom_imaging.simulate.densitometry import IDXA, exam_of, results_of
from zoom_imaging.simulate.lunar_image import XmlForm, lunar_image, lunar_xml_text
from zoom_imaging.simulate.lunar_report import LunarStyle, Scan, lunar_lines, lunar_report

TODAY = date(2025, 3, 4)
FORMS = list(XmlForm)
LUMBAR = (0.942, 0.981, 1.003, 0.992)


def exam(lumbar=LUMBAR, day=TODAY, **more):
    earlier = exam_of("P-1", date(2023, 2, 1), (1.1, 1.1, 1.1, 1.1), scanner=IDXA)
    return exam_of("P-1", day, lumbar, scanner=IDXA, **{"earlier": [earlier], **more})


def newer(region: str, cells: str, trend: str = "", scan: str = "AP Spine") -> str:
    return (
        f'<DXA_RESULTS><SCAN type="{scan}"><ROI region="{region}">{cells}</ROI>{trend}'
        "</SCAN></DXA_RESULTS>"
    )


def older(exams: str, region: str = "L1-L4", scan: str = "AP Spine") -> str:
    return (
        f'<DENSITOMETRY_RESULTS><CURRENT_EXAM><SCAN type="{scan}"><TREND>'
        f"<TREND_ROI>{region}</TREND_ROI>{exams}</TREND></SCAN></CURRENT_EXAM>"
        "</DENSITOMETRY_RESULTS>"
    )


def judged(text: str, day: date | None = TODAY):
    content = read_lunar_xml(text, day)
    found = assemble(content.rows, Tolerances())
    return found.results, (*content.warnings, *found.warnings)


def one(text: str, day: date | None = TODAY):
    results = [r for r in judged(text, day)[0] if r.state is not ResultState.HISTORY]
    assert len(results) == 1, results
    return results[0]


@pytest.mark.parametrize("form", FORMS)
@given(
    lumbar=st.tuples(*[st.floats(0.4, 1.6)] * 4),
    style=st.builds(
        LunarStyle,
        decimal_comma=st.booleans(),
        minus=st.sampled_from(["-", "\u2212"]),
        trend=st.booleans(),
    ),
    vertebrae=st.integers(2, 4),
)
@settings(max_examples=25, deadline=None)
def test_what_was_measured_is_what_is_read(form, lumbar, style, vertebrae):
    measured = exam(lumbar, included=LUMBAR_DXA_LEVELS[:vertebrae])
    results, _ = judged(lunar_xml_text(measured, form=form, style=style))
    expected = results_of(lunar_lines(measured, Scan.SPINE, style))
    expected += results_of(measured.hip_lines(Side.LEFT), Side.LEFT)
    if form is XmlForm.DENSITOMETRY_RESULTS:
        expected = tuple(replace(one, area_cm2=None, bmc_g=None) for one in expected)
    accepted = {r for r in results if r.state is ResultState.ACCEPTED}
    assert accepted == set(expected)


@pytest.mark.parametrize("form", FORMS)
def test_from_the_bytes_of_an_image(form):
    stream = io.BytesIO()
    lunar_image(exam(), form=form).save_as(stream, enforce_file_format=True)
    text = lunar_xml(pydicom.dcmread(io.BytesIO(stream.getvalue())))
    assert text is not None
    results, _ = judged(text)
    total = next(r for r in results if r.region == "L1-L4")
    assert (total.bmd_g_per_cm2, total.state) == (0.981, ResultState.ACCEPTED)


def test_the_comments_of_a_structured_report_count_too():
    dataset = lunar_report(exam())
    assert lunar_xml(dataset) is None
    dataset.ImageComments = lunar_xml_text(exam())
    assert "DXA_RESULTS" in str(lunar_xml(dataset))


@pytest.mark.parametrize("comment", [None, "", "checked by the technologist", "<b>BMD</b> 0.9"])
def test_other_comments_are_no_results(comment):
    dataset = lunar_image(exam(), form=None)
    if comment is not None:
        dataset.ImageComments = comment
    assert lunar_xml(dataset) is None


NOW = '<EXAM date="03/04/2025"><BMD>0.900</BMD></EXAM>'
BEFORE = '<EXAM date="02/01/2023"><BMD>1.100</BMD></EXAM>'
NOW_OLD = "<EXAM><EXAM_DATE>3/4/2025</EXAM_DATE><BMD>0.900</BMD><YAT>-2.0</YAT></EXAM>"
BEFORE_OLD = "<EXAM><EXAM_DATE>2/1/2023</EXAM_DATE><BMD>1.100</BMD><YAT>-0.5</YAT></EXAM>"


@pytest.mark.parametrize("exams", [NOW_OLD + BEFORE_OLD, BEFORE_OLD + NOW_OLD])
def test_the_current_exam_is_the_newest_wherever_it_stands(exams):
    results, _ = judged(older(exams))
    states = {(r.bmd_g_per_cm2, r.t_score): r.state for r in results}
    assert states == {(0.9, -2.0): ResultState.ACCEPTED, (1.1, -0.5): ResultState.HISTORY}


@pytest.mark.parametrize("exams", [NOW + BEFORE, BEFORE + NOW])
def test_a_trend_is_history_and_never_the_result(exams):
    text = newer(
        "L1-L4", '<BMD units="g/cm2">0.900</BMD>', f'<TREND region="L1-L4">{exams}</TREND>'
    )
    results, _ = judged(text)
    assert [(r.bmd_g_per_cm2, r.state) for r in results] == [
        (0.9, ResultState.ACCEPTED),
        (1.1, ResultState.HISTORY),
    ]
    assert "02/01/2023" in results[1].reason


def test_a_change_inside_of_an_exam_is_no_bmd():
    change = '<CHANGE type="PCHANGE_VS_PREVIOUS"><BMD units="%">-0.9</BMD></CHANGE>'
    trend = f'<TREND region="L1-L4"><EXAM date="03/04/2025"><BMD>0.900</BMD>{change}</EXAM></TREND>'
    assert one(newer("L1-L4", "<BMD>0.900</BMD>", trend)).state is ResultState.ACCEPTED


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2025, 4, 3), "month/day/year"),
        (date(2025, 3, 5), "2025-03-05"),
        (date(2023, 2, 1), "2023-02-01"),
        (None, "no date to check it by"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_date_that_the_header_contradicts_leaves_the_whole_scan_to_a_person(form, day, words):
    results, warnings = judged(lunar_xml_text(exam(), [Scan.SPINE], form=form), day)
    current = [r for r in results if r.state is not ResultState.HISTORY]
    assert {r.region for r in current} == {"L1", "L2", "L3", "L4", "L1-L4"}
    assert {r.state for r in current} == {ResultState.QUARANTINED}
    assert all(words in r.reason for r in current)
    assert any(words in warning for warning in warnings)


@pytest.mark.parametrize("text", ["25/12/2024", "04-03-25", "", "soon", "13/13/2025", "2/30/2025"])
def test_a_date_that_is_none_is_never_guessed(text):
    unclear = f'<EXAM date="{text}"><BMD>0.950</BMD></EXAM>'
    found = one(newer("L1-L4", "<BMD>0.900</BMD>", f'<TREND region="L1-L4">{NOW}{unclear}</TREND>'))
    assert found.state is ResultState.QUARANTINED
    assert "not clear" in found.reason


def test_result_and_newest_exam_that_differ_are_quarantined():
    trend = '<TREND region="L1-L4"><EXAM date="03/04/2025"><BMD>0.950</BMD></EXAM></TREND>'
    found = one(newer("L1-L4", "<BMD>0.900</BMD>", trend))
    assert found.state is ResultState.QUARANTINED
    assert "0.900" in found.reason
    assert "0.950" in found.reason


def test_two_contradictory_regions_are_both_kept_and_none_accepted():
    twice = (
        '<DXA_RESULTS><SCAN type="AP Spine"><ROI region="L1-L4"><BMD>0.900</BMD></ROI>'
        '<ROI region="L1-L4"><BMD>0.950</BMD></ROI></SCAN></DXA_RESULTS>'
    )
    results, _ = judged(twice)
    assert {r.bmd_g_per_cm2 for r in results} == {0.9, 0.95}
    assert {r.state for r in results} == {ResultState.QUARANTINED}


@pytest.mark.parametrize(
    ("printed", "unit", "value"),
    [
        ("1.023", "g/cm2", 1.023),
        ("1,023", "g/cm2", 1.023),
        ("1,023", None, 1.023),
        ("1023", "mg/cm2", 1.023),
        ("1.023", "g/cm²", 1.023),
        ("1.023 g/cm2", None, 1.023),
        ("1023", "g/cm2", None),
        ("1023", None, None),
        ("1.023", "mg/cm2", None),
        ("1.023", "g", None),
        ("---", "g/cm2", None),
        ("-", None, None),
        ("N/A", None, None),
        ("", None, None),
        ("0", "g/cm2", None),
        ("1.0.2", None, None),
    ],
)
def test_bmd_by_its_unit_or_not_at_all(printed, unit, value):
    attribute = f' units="{unit}"' if unit else ""
    found = one(newer("L1-L4", f"<BMD{attribute}>{printed}</BMD>"))
    assert found.bmd_g_per_cm2 == value
    assert found.state is (ResultState.WITHHELD if value is None else ResultState.ACCEPTED)
    assert found.reason or value is not None


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("-1.0", -1.0),
        ("\u22121.0", -1.0),
        ("-1,0", -1.0),
        ("1.0", 1.0),
        ("+0.4", 0.4),
        ("---", None),
        ("", None),
        ("N/A", None),
        ("-10.0.1", None),
        ("99", None),
    ],
)
def test_scores_keep_their_sign_and_a_missing_one_is_not_zero(printed, value):
    cells = f"<BMD>0.900</BMD><BMD_TSCORE>{printed}</BMD_TSCORE><BMD_ZSCORE>0.7</BMD_ZSCORE>"
    found = one(newer("L1-L4", cells))
    assert found.t_score == value
    assert found.z_score == 0.7
    assert found.state is ResultState.ACCEPTED


@pytest.mark.parametrize(
    ("scan", "region", "site", "side"),
    [
        ("AP Spine", "Total", Site.LUMBAR_SPINE, Side.NONE),
        ("Left Femur", "Total", Site.TOTAL_HIP, Side.LEFT),
        ("Right Femur", "Neck", Site.FEMORAL_NECK, Side.RIGHT),
        ("DualFemur", "Neck Mean", Site.FEMORAL_NECK, Side.MEAN),
        ("DualFemur", "Total Left", Site.TOTAL_HIP, Side.LEFT),
        ("Left Forearm", "Radius 33%", Site.FOREARM, Side.LEFT),
        ("Total Body", "Total", Site.WHOLE_BODY, Side.NONE),
    ],
)
def test_total_is_that_of_its_scan(scan, region, site, side):
    found = one(newer(region, "<BMD>0.900</BMD>", scan=scan))
    assert (found.site, found.side) == (site, side)


def test_total_of_a_spine_without_its_vertebrae_is_withheld():
    found = one(newer("Total", "<BMD>0.900</BMD>"))
    assert found.state is ResultState.WITHHELD


@pytest.mark.parametrize("region", ["Upper Neck", "Neck Diff", "L5-S1", "Anything"])
def test_an_unknown_region_is_named_and_used_for_nothing(region):
    results, warnings = judged(newer(region, "<BMD>0.900</BMD>", scan="Left Femur"))
    assert results == ()
    assert any(region in warning for warning in warnings)


def test_an_unknown_scan_is_named_and_used_for_nothing():
    results, warnings = judged(newer("L1", "<BMD>0.900</BMD>", scan="Small Animal"))
    assert results == ()
    assert any("Small Animal" in warning for warning in warnings)


WHOLE = newer("L1-L4", "<BMD>0.900</BMD><BMD_TSCORE>-2.0</BMD_TSCORE>")


@pytest.mark.parametrize("length", range(20, len(WHOLE) - 1, 7))
def test_cut_text_is_refused_whole(length):
    with pytest.raises(DxaReportError, match=r"damaged: it is cut off|damaged"):
        read_lunar_xml(WHOLE[:length], TODAY)


ENTITY = '<!DOCTYPE a [<!ENTITY b "0.9">]>' + WHOLE.replace("0.900", "&b;")
EXTERNAL = '<!DOCTYPE a SYSTEM "http://localhost/a.dtd">' + WHOLE


@pytest.mark.parametrize(
    "text",
    [
        ENTITY,
        EXTERNAL,
        "<DXA_RESULTS>" + "<SCAN>" * 5000 + "</SCAN>" * 5000 + "</DXA_RESULTS>",
        "<DXA_RESULTS>" + " " * 1_000_001 + "</DXA_RESULTS>",
        "<DXA_RESULTS></DXA_RESULTS>",
        "<OTHER><DXA_RESULTS/></OTHER>",
        WHOLE + WHOLE,
        WHOLE.replace("</ROI>", ""),
        "",
    ],
    ids=["entity", "dtd", "deep", "long", "empty", "other", "twice", "unclosed", "nothing"],
)
def test_text_that_no_densitometer_writes_is_refused_with_a_reason(text):
    with pytest.raises(DxaReportError) as refusal:
        read_lunar_xml(text, TODAY)
    assert "XML in Image Comments" in refusal.value.reason
    assert "localhost" not in refusal.value.reason


@pytest.mark.parametrize(
    "dressed",
    [
        '<?xml version="1.0" encoding="ISO-8859-1"?>\r\n' + WHOLE,
        '\ufeff<?xml version="1.0" encoding="utf-16"?>' + WHOLE + "\x00 ",
        WHOLE.lower().replace("g/cm2", "g/cm2"),
        WHOLE.replace("<ROI", "<!-- analysed by hand -->\n<ROI"),
        WHOLE.replace("<DXA_RESULTS>", '<DXA_RESULTS xmlns="urn:lunar">'),
    ],
)
def test_harmless_dress_does_not_matter(dressed):
    assert one(dressed).bmd_g_per_cm2 == 0.9


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused(text):
    for whole in (text, WHOLE.replace("0.900", text), f"<DXA_RESULTS>{text}</DXA_RESULTS>"):
        with suppress(DxaReportError):
            assert all(r.bmd_g_per_cm2 != 0 for r in judged(whole)[0])
