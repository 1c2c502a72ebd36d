"""Densitometry reports: each form is cleaned and still says the same numbers."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoom_imaging.dxa import generic_sr, lunar_sr
from zoom_imaging.dxa.read import read_report
from zoom_imaging.dxa.result import Side
from zoom_imaging.errors import UnreadableError
from zoom_imaging.exchange.deidentify import structured
from zoom_imaging.exchange.deidentify.hologic import rewritten_texts
from zoom_imaging.exchange.deidentify.lunar import rewritten_xml
from zoom_imaging.exchange.deidentify.report import State
from zoom_imaging.exchange.deidentify.scrub import Scrubber
from zoom_imaging.simulate.densitometry import IDXA, exam_of
from zoom_imaging.simulate.hologic_report import (
    EIGHT_COLUMNS,
    FIVE_COLUMNS,
    SIX_COLUMNS,
    DateForm,
    HologicStyle,
    Part,
    hologic_report,
)
from zoom_imaging.simulate.lunar_image import XmlForm, lunar_image, lunar_xml_text
from zoom_imaging.simulate.lunar_report import Scan, lunar_report
from zoom_imaging.simulate.printed_report import Manner, printed_report
from zoom_imaging.simulate.report_header import file_bytes

from .made import SECRET, cleaned

DAY, BEFORE = date(2025, 3, 5), date(2023, 11, 14)
LUMBAR = (0.942, 0.981, 1.003, 0.992)
SUBJECT = "QK-7731"
SHIFT = timedelta(days=SECRET.shift_days(SUBJECT))
TRACES = (b"2025-03-05", b"20250305", b"05-Mar-2025", b"03/05/2025", b"A0305", b"QK-7731", b"ZOFIA")
pytestmark = pytest.mark.usefixtures("no_recognition")


def exam(scanner=None, day=DAY, **more):
    who = {"patient_name": "ZOFIA^QUENBY", "birth_date": date(1951, 12, 30)}
    given_scanner = {"scanner": scanner} if scanner else {}
    earlier = exam_of(SUBJECT, BEFORE, (0.95, 0.99, 1.01, 1.0), **given_scanner)
    made = exam_of(
        SUBJECT,
        day,
        LUMBAR,
        sides=(Side.LEFT, Side.RIGHT),
        earlier=[earlier],
        **given_scanner,
        **more,
    )
    return replace(made, **who)


def said(content: bytes):
    report = read_report(content, "a.dcm")
    return (
        [(r.site, r.side, r.region, r.numbers, r.state) for r in report.results],
        report.reference,
        report.scan_mode,
        report.scanner,
        report.included_levels,
    )


REPORTS = {
    "Hologic, spine": lambda: hologic_report(exam(), part=Part.SPINE),
    "Hologic, hip": lambda: hologic_report(exam(), part=Part.LEFT_HIP),
    "Lunar SR": lambda: lunar_report(exam(IDXA)),
    "Lunar XML, newer": lambda: lunar_image(exam(IDXA), form=XmlForm.DXA_RESULTS),
    "Lunar XML, older": lambda: lunar_image(exam(IDXA), form=XmlForm.DENSITOMETRY_RESULTS),
}


@pytest.mark.parametrize("form", REPORTS)
def test_cleaned_report_says_the_same_numbers_and_no_identity(tmp_path, form):
    dataset = REPORTS[form]()
    result = cleaned(tmp_path, dataset)
    assert [row.state for row in result.outcome.rows] == [State.WRITTEN], result.reasons
    content = result.files[0].read_bytes()
    assert said(content) == said(file_bytes(dataset))
    assert read_report(content, "a.dcm").scan_date == DAY + SHIFT
    for trace in TRACES:
        assert trace.lower() not in result.everything.lower(), trace


@pytest.mark.parametrize("form", REPORTS)
def test_earlier_exams_in_a_report_move_by_the_same_amount(tmp_path, form):
    before = read_report(file_bytes(REPORTS[form]()), "a.dcm")
    after = read_report(cleaned(tmp_path, REPORTS[form]()).files[0].read_bytes(), "a.dcm")
    history = [r.reason for r in before.results if "earlier" in r.reason]
    moved = [r.reason for r in after.results if "earlier" in r.reason]
    if "hip" not in form:
        assert history
    assert len(moved) == len(history)
    assert str((BEFORE + SHIFT).year) in " ".join(moved) or not history
    assert not set(moved) & set(history)


STYLES = st.builds(
    HologicStyle,
    block=st.sampled_from([0x10, 0x11, 0x20, 0xE0]),
    vr=st.sampled_from(["UN", "OB", "LT"]),
    dates=st.sampled_from(DateForm),
    columns=st.sampled_from([EIGHT_COLUMNS, SIX_COLUMNS, FIVE_COLUMNS]),
    character_set=st.sampled_from(["ISO_IR 100", "ISO_IR 192"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STYLES, st.dates(date(2019, 1, 1), date(2026, 12, 31)), st.sampled_from(Part))
def test_hologic_text_of_any_site_is_rewritten_with_the_same_results(style, day, part):
    """Dates in any order and locale, other blocks, VRs and columns."""
    dataset = hologic_report(exam(day=day), part=part, style=style)
    whole = pydicom.dcmread(io.BytesIO(file_bytes(dataset)))
    scrubber = Scrubber(frozenset({"ZOFIA^QUENBY"}), frozenset({SUBJECT}), SHIFT.days)
    (text,) = rewritten_texts(whole, scrubber, SECRET, frozenset({day}))
    for one in (b"ZOFIA", b"QUENBY", SUBJECT.encode(), b"DOB", b"Operator", b"Institution"):
        assert one not in text
    for form in ("%B %d, %Y", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y"):
        assert f"{day:{form}}".encode() not in text


def test_patient_node_of_a_lunar_xml_does_not_come_along():
    text = lunar_xml_text(exam(IDXA), [Scan.SPINE])
    node = "<PATIENT id='QK-7731'><LAST_NAME>Zofia</LAST_NAME><DOB>12/30/1951</DOB></PATIENT>"
    scan = text.index("<SCAN")
    found = rewritten_xml(
        text[:scan] + node + text[scan:].replace("<SCAN", "<SCAN operator='Quenby'"),
        Scrubber(frozenset(), frozenset(), SHIFT.days),
    )
    for one in ("PATIENT", "Zofia", "Quenby", "QK-7731", "1951", "2025"):
        assert one not in found
    assert found.count("<ROI") == text.count("<ROI")


@pytest.mark.parametrize(
    "text",
    ["<DXA_RESULTS><SCAN type='AP Spine'>", "<!DOCTYPE a><DXA_RESULTS/>", "<OTHER><NAME/></OTHER>"],
    ids=["cut", "document type", "another form"],
)
def test_xml_that_cannot_be_taken_apart_is_refused(text):
    with pytest.raises(UnreadableError):
        rewritten_xml(text, Scrubber(frozenset(), frozenset(), SHIFT.days))


@pytest.mark.parametrize(
    ("meaning", "text", "expected"),
    [
        ("BMD_TSCORE", "-1.9", "-1.9"),
        ("BMD_TSCORE", "Zofia", "REMOVED"),
        ("enCORE Version", "18.00.120", "18.00.120"),
        ("Scan Date", "05-Mar-2025", f"{DAY + SHIFT:%d-%b-%Y}"),
        ("Scan Date", "with Ms Zofia on 05-Mar-2025", "REMOVED"),
        ("Finding Site", "Left Femur", "Left Femur"),
        ("Finding Site", "Left Femur of Zofia", "Left Femur of"),
        ("Patient Name", "Zofia Quenby", "REMOVED"),
        ("Impression", "Ms Zofia has osteopenia", "REMOVED"),
        ("Menopause Age", "51", "REMOVED"),
    ],
)
def test_text_item_of_a_report_keeps_what_its_name_allows(meaning, text, expected):
    scrubber = Scrubber(frozenset(), frozenset(), SHIFT.days)
    assert structured.text_value(meaning, text, scrubber, SECRET) == expected


def test_every_fact_that_the_readers_take_is_known_to_the_cleaning():
    """A new name in the reader without one here would lose the value in silence."""
    known = (
        structured.DATES
        | structured.DEVICE
        | structured.MODES
        | structured.SCAN_IDS
        | structured.PLACES
    )
    assert set(lunar_sr._FACTS) <= known
    names = generic_sr._SITE_NAMES | generic_sr._SIDE_NAMES | generic_sr._TITLE_NAMES
    assert {name.replace(" ", "") for name in names} <= known


def test_person_named_in_the_content_tree_becomes_the_pseudonym(tmp_path):
    made = lunar_report(exam(IDXA))
    person = pydicom.Dataset()
    person.RelationshipType, person.ValueType = "HAS OBS CONTEXT", "PNAME"
    name = pydicom.Dataset()
    name.CodeValue, name.CodingSchemeDesignator = "121008", "DCM"
    name.CodeMeaning = "Person Observer Name"
    person.ConceptNameCodeSequence = [name]
    person.PersonName = "GREENLEAF^OTTOLINE"
    made.ContentSequence.append(person)
    result = cleaned(tmp_path, made)
    assert result.datasets[0].ContentSequence[-1].PersonName == SECRET.pseudonym(SUBJECT)
    assert b"ottoline" not in result.everything.lower()


def test_pdf_is_quarantined(tmp_path):
    result = cleaned(tmp_path, printed_report(exam(), Manner.HOLOGIC))
    assert [row.state for row in result.outcome.rows] == [State.QUARANTINED]
    assert "PDF" in result.reasons[0]
    assert result.files == []


def test_report_whose_numbers_would_change_is_quarantined(tmp_path, monkeypatch):
    """The cleaning is checked by reading: what it loses is never given out as if it were whole."""
    from zoom_imaging.exchange.deidentify import hologic

    real = hologic._cell

    def losing(table, row, cell, *more):
        return "" if cell == "-1.0" else real(table, row, cell, *more).replace("0.9", "0.8")

    monkeypatch.setattr(hologic, "_cell", losing)
    result = cleaned(tmp_path, hologic_report(exam(), part=Part.SPINE))
    assert [row.state for row in result.outcome.rows] == [State.QUARANTINED]
    assert "does not say the same" in result.reasons[0]


def test_report_counts_by_keyword(tmp_path):
    result = cleaned(tmp_path, lunar_report(exam(IDXA)))
    assert dict(result.outcome.rows[0].changed)["PatientName"] == 1
    assert result.report["changed"]["StudyInstanceUID"] == 1
