"""Printed reports: every number comes back in quarantine, and what cannot be read says so."""

from __future__ import annotations

import contextlib
import shutil
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS
from zoom_imaging.dxa.naming import scan_named
from zoom_imaging.dxa.printed import read_printed, scan_of_header
from zoom_imaging.dxa.read import read_report
from zoom_imaging.dxa.result import DxaSource, ResultState, Side, Site
from zoom_imaging.errors import NotRelevantError, UnreadableError
from zoom_imaging.simulate.densitometry import exam_of, results_of
from zoom_imaging.simulate.printed_report import (
    Manner,
    page_lines,
    pdf_of,
    pictured_report,
    printed_report,
)
from zoom_imaging.simulate.report_header import file_bytes

DAY = date(2025, 3, 5)
LUMBAR = (0.742, 0.781, 0.803, 0.792)
SUBSETS = [levels for count in range(2, 5) for levels in combinations(LUMBAR_DXA_LEVELS, count)]
HOLOGIC_HEADING = "Region Area(cm2) BMC(g) BMD(g/cm2) T-score PR(%) Z-score AM(%)"


def exam(lumbar=LUMBAR, **more):
    return exam_of("P-1", DAY, lumbar, **more)


def lines(*text, heading=HOLOGIC_HEADING):
    content = read_printed(["AP Spine", heading, *text], None, "printed")
    return {row.label: row for row in content.rows}, content


@given(
    lumbar=st.tuples(*[st.floats(0.4, 1.6)] * 4),
    included=st.sampled_from(SUBSETS),
    manner=st.sampled_from(Manner),
)
@settings(max_examples=60, deadline=None)
def test_a_printed_spine_comes_back_and_is_quarantined(lumbar, included, manner):
    measured = exam(lumbar, included=included)
    content = read_printed(page_lines(measured, manner), None, "printed")
    by_label = {row.label: row for row in content.rows}
    for result in results_of(measured.spine_lines()):
        label = result.region
        if label not in by_label:
            label = "Total"
        assert by_label[label].numbers == result.numbers
        assert by_label[label].doubt == "printed"
    assert not content.warnings
    assert content.reference == measured.reference.name


@pytest.mark.parametrize("manner", Manner)
@pytest.mark.parametrize("side", [Side.NONE, Side.LEFT, Side.RIGHT])
def test_a_pdf_is_read_through_its_text_layer(manner, side):
    measured = exam(sides=(Side.LEFT, Side.RIGHT))
    report = read_report(file_bytes(printed_report(measured, manner, side=side)), "a.dcm")
    assert report.source is DxaSource.PDF
    printed = measured.spine_lines() if side is Side.NONE else measured.hip_lines(side)
    expected = {(r.site, r.side, r.region, *r.numbers) for r in results_of(printed, side)}
    assert {(r.site, r.side, r.region, *r.numbers) for r in report.results} == expected
    assert {r.state for r in report.results} == {ResultState.QUARANTINED}
    assert all("a person must confirm" in r.reason for r in report.results)
    assert not [r for r in report.results if r.state is ResultState.ACCEPTED]
    assert report.scan_date == DAY


def test_columns_are_told_by_their_heading_and_never_by_position():
    by_label, _ = lines(
        "L1 -1.7 0.742 8.52 11.49", heading="Region T-score BMD (g/cm2) BMC (g) Area (cm2)"
    )
    assert by_label["L1"].numbers == (11.49, 8.52, 0.742, -1.7, None)


def test_without_a_heading_nothing_is_read():
    content = read_printed(["AP Spine", "L1 11.49 8.52 0.742 -1.7 80 0.3 104"], None, "printed")
    assert not content.rows


def test_a_line_that_lost_a_number_is_withheld_with_its_text():
    by_label, content = lines(
        "L1 11.49 8.52 0.742 -1.7 80 0.3", "L2 12.44 9.71 0.781 -2.2 76 -0.1 98"
    )
    assert by_label["L1"].bmd.value is None
    assert "does not fit its columns" in by_label["L1"].bmd.problem
    assert by_label["L2"].bmd.value == 0.781
    assert "7 columns" in content.warnings[0]


@pytest.mark.parametrize(
    "lost",
    [
        "L3 13.58 10.90 @.803 -2.6 74 -0.3 96",
        "Ll 13.58 10.90 0.803 -2.6 74 -0.3 96",
        "L3 13.58 10.90 0.803 -2.6 -0.3 96",
    ],
)
def test_a_total_is_in_doubt_when_a_vertebra_cannot_be_read(lost):
    """Else `Total` would be named by the vertebrae that were left."""
    by_label, _ = lines(
        "L2 12.44 9.71 0.781 -2.2 76 -0.1 98", lost, "Total 52.17 40.76 0.781 -2.4 75 -0.2 97"
    )
    assert "not known which vertebrae the total holds" in by_label["Total"].doubt


def test_earlier_scans_below_the_table_are_not_taken():
    by_label, content = lines(
        "L1 11.49 8.52 0.742 -1.7 80 0.3 104",
        "Scan Date Age BMD(g/cm2) T-score",
        "L1 11.49 8.52 0.942 -0.7 90 0.3 104",
    )
    assert by_label["L1"].bmd.value == 0.742
    assert len(content.rows) == 1


def test_a_comma_is_a_decimal_sign_and_a_dash_is_missing():
    by_label, _ = lines("L1 11,49 8,52 0,742 - 80 −0,3 104")
    assert by_label["L1"].numbers == (11.49, 8.52, 0.742, None, -0.3)


@pytest.mark.parametrize(
    ("protocol", "body", "laterality", "expected"),
    [
        ("AP Spine", "", "", (Site.LUMBAR_SPINE, Side.NONE)),
        ("", "LSPINE", "", (Site.LUMBAR_SPINE, Side.NONE)),
        ("", "HIP", "L", (Site.TOTAL_HIP, Side.LEFT)),
        ("Right Femur", "", "L", (Site.TOTAL_HIP, Side.RIGHT)),
        ("", "", "", None),
    ],
)
def test_the_header_names_the_scan_where_the_page_does_not(protocol, body, laterality, expected):
    scan = scan_of_header(protocol, body, laterality)
    assert (scan and (scan.site, scan.side)) == expected


def test_a_title_names_the_next_scan():
    content = read_printed(
        [
            HOLOGIC_HEADING,
            "Left Hip",
            "Neck 4.67 2.95 0.632 -2.0 74 -0.2 96",
            "Right Hip",
            "Neck 4.70 2.99 0.636 -1.9 75 -0.2 96",
        ],
        scan_named("AP Spine"),
        "printed",
    )
    assert [(row.site, row.side) for row in content.rows] == [
        (Site.FEMORAL_NECK, Side.LEFT),
        (Site.FEMORAL_NECK, Side.RIGHT),
    ]


@given(st.lists(st.text(max_size=120), max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_without_a_crash(text):
    content = read_printed(["AP Spine", HOLOGIC_HEADING, *text], None, "printed")
    assert all(row.doubt for row in content.rows)


@given(at=st.integers(0, 6000), value=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_damaged_pdf_is_read_or_refused(at, value):
    document = bytearray(PDF)
    document[at % len(document)] = value
    dataset = printed_report(exam())
    dataset.EncapsulatedDocument = bytes(document)
    with contextlib.suppress(UnreadableError, NotRelevantError):
        report = read_report(file_bytes(dataset), "a.dcm")
        assert not [r for r in report.results if r.state is ResultState.ACCEPTED]


PDF = pdf_of(page_lines(exam(), Manner.HOLOGIC))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"no pdf at all.", "is no PDF"),
        (b"%PDF-1.4 cut off ", "damaged"),
        (pdf_of([]), "without a text layer"),
    ],
)
def test_what_is_no_readable_pdf_is_refused_with_a_reason(document, said):
    dataset = printed_report(exam())
    dataset.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    with pytest.raises((UnreadableError, NotRelevantError), match=said):
        read_report(file_bytes(dataset), "a.dcm")


needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="tesseract is not installed (Debian: tesseract-ocr)"
)


@needs_tesseract
@pytest.mark.parametrize("manner", Manner)
def test_a_picture_is_read_only_when_asked_and_nothing_of_it_is_accepted(manner):
    content = file_bytes(pictured_report(exam(), manner))
    with pytest.raises(NotRelevantError, match="--ocr"):
        read_report(content, "a.dcm")
    report = read_report(content, "a.dcm", ocr=True)
    assert report.source is DxaSource.OCR
    assert {r.state for r in report.results} <= {ResultState.QUARANTINED, ResultState.WITHHELD}
    read = {r.region: r.bmd_g_per_cm2 for r in report.results}
    assert (read["L1"], read["L2"], read["L1-L4"]) == (0.742, 0.781, 0.781)


@needs_tesseract
def test_a_picture_without_a_table_is_refused():
    dataset = pictured_report(exam())
    dataset.PixelData = b"\xff" * len(dataset.PixelData)
    with pytest.raises(NotRelevantError, match="no bone mineral density"):
        read_report(file_bytes(dataset), "a.dcm", ocr=True)
