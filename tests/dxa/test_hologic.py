"""Hologic's private text: every way in which sites write it, and what must not be read from it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime
from itertools import combinations

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.read import read_report
from zoom_imaging.dxa.result import DxaSource, ResultState, Side, Site
from zoom_imaging.errors import DxaReportError, NotRelevantError
from zoom_imaging.simulate.densitometry import exam_of, levels_name, results_of
from zoom_imaging.simulate.hologic_report import (
    EIGHT_COLUMNS,
    FIVE_COLUMNS,
    SIX_COLUMNS,
    Column,
    DateForm,
    HologicStyle,
    Part,
    hologic_report,
    hologic_text,
    report_lines,
)
from zoom_imaging.simulate.report_header import file_bytes

TODAY = date(2025, 3, 5)
LUMBAR = (0.942, 0.981, 1.003, 0.992)
PLAIN = HologicStyle()
SUBSETS = [levels for count in range(1, 5) for levels in combinations(LUMBAR_DXA_LEVELS, count)]
KOREAN = "\\ISO 2022 IR 149"


def exam(lumbar=LUMBAR, **more):
    earlier = exam_of("P-1", date(2023, 2, 1), (1.1, 1.1, 1.1, 1.1))
    return exam_of("P-1", more.pop("day", TODAY), lumbar, **{"earlier": [earlier], **more})


def read(measured=None, part=Part.SPINE, style=PLAIN, change=None):
    """Read a report whose text `change` altered."""
    measured = measured or exam()
    dataset = hologic_report(measured, part=part, style=style)
    if change is not None:
        text = change(hologic_text(measured, part, style)).encode()
        dataset[0x0019, style.block << 8].value = text + b" " * (len(text) % 2)
    return read_report(file_bytes(dataset), "a.dcm")


def current(report):
    return {r.region: r for r in report.results if r.state is not ResultState.HISTORY}


def accepted(report):
    return {r.region: r for r in report.results if r.state is ResultState.ACCEPTED}


@pytest.mark.parametrize("levels", SUBSETS, ids=levels_name)
@pytest.mark.parametrize("label", [False, True], ids=["Total", "by vertebrae"])
def test_total_is_named_by_the_vertebrae_that_it_holds(levels, label):
    report = read(exam(included=levels), style=HologicStyle(sets_total_label=label))
    assert report.included_levels == levels
    found = accepted(report)
    names = [*map(str, levels), *([levels_name(levels)] if len(levels) > 1 else [])]
    assert sorted(found) == sorted(names)
    for level in set(LUMBAR_DXA_LEVELS) - set(levels):
        gone = current(report)[level]
        assert (gone.state, gone.bmd_g_per_cm2) == (ResultState.WITHHELD, None)
        assert "excluded" in gone.reason


STYLES = st.builds(
    HologicStyle,
    block=st.sampled_from([0x10, 0x11, 0x20, 0xE0]),
    creator=st.sampled_from(["HOLOGIC", "HOLOGIC, INC.", "APEX"]),
    vr=st.sampled_from(["UN", "LT", "OB", "UT"]),
    columns=st.one_of(
        st.sampled_from([EIGHT_COLUMNS, SIX_COLUMNS, FIVE_COLUMNS]),
        st.permutations(EIGHT_COLUMNS).map(tuple),
    ),
    dates=st.sampled_from(DateForm),
    implicit=st.booleans(),
    decoy=st.booleans(),
    blank_scores=st.booleans(),
    history=st.booleans(),
)


@given(lumbar=st.tuples(*[st.floats(0.4, 1.6)] * 4), style=STYLES, part=st.sampled_from(Part))
@settings(max_examples=60, deadline=None)
def test_what_was_measured_is_what_is_read(lumbar, style, part):
    measured = exam(lumbar, sides=(Side.LEFT, Side.RIGHT))
    report = read(measured, part, style)
    expected = set()
    for one in results_of(report_lines(measured, part), part.side):
        missing = {} if Column.Z_SCORE in style.columns else {"z_score": None}
        if style.blank_scores:
            missing["t_score"] = None
        expected.add(replace(one, **missing))
    assert {r for r in report.results if r.state is ResultState.ACCEPTED} == expected
    assert report.source is DxaSource.HOLOGIC_TEXT
    assert report.scan_date == TODAY
    assert report.scan_id == part.scan_id(measured)
    assert (report.scanner.model, report.scanner.serial) == ("Horizon W", "300412M")
    assert report.reference == measured.reference.name
    assert report.analysis_version == measured.scanner.software


@pytest.mark.parametrize("form", DateForm)
def test_the_time_of_the_analysis_follows_the_order_that_the_header_proves(form):
    assert read(style=HologicStyle(dates=form)).analysed_at == datetime(2025, 3, 5, 9, 49)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "MÜLLER^ÄNNE"),
        ("ISO_IR 192", "김^영희"),
        ("ISO_IR 149", "김^영희"),
        (KOREAN, "Kim^Younghee=김^영희"),
        ("KSC5601", "김^영희"),
        ("ISO_IR 100", "김^영희"),
        ("", "김^영희"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_name_in_any_character_set_costs_no_number(charset, name):
    codecs = {"ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8"}
    measured = exam()
    dataset = hologic_report(measured)
    dataset.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
    dataset.PatientName = "SIMULATED"
    raw = name.encode(codecs.get(charset, "euc-kr"), "replace")
    if charset == KOREAN:
        raw = raw.replace("김".encode("euc-kr"), b"\x1b$)C" + "김".encode("euc-kr"))
    text = hologic_text(measured, Part.SPINE).encode().replace(b"SIMULATED, P1", raw)
    dataset[0x0019, 0x1000].value = text + b" " * (len(text) % 2)
    report = read_report(file_bytes(dataset), "a.dcm")
    assert accepted(report)["L1-L4"].bmd_g_per_cm2 == 0.981


def test_history_is_history_and_never_this_scan():
    report = read()
    past = [r for r in report.results if r.state is ResultState.HISTORY]
    assert [r.bmd_g_per_cm2 for r in past] == [1.1]
    assert "2023" in past[0].reason
    assert accepted(report)["L1-L4"].bmd_g_per_cm2 == 0.981


def test_a_history_in_the_first_table_is_no_result():
    with pytest.raises(NotRelevantError, match="History"):
        read(
            exam(earlier=[]),
            change=lambda text: text.replace("Results Summary:", "DXA Results History:"),
        )


def test_the_total_of_a_hip_is_never_that_of_the_spine():
    report = read(part=Part.LEFT_HIP)
    assert {r.site for r in report.results if r.region == "Total"} == {Site.TOTAL_HIP}
    assert report.included_levels == ()
    assert {r.side for r in report.results} == {Side.LEFT}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.replace('ScanMode = "f Lumbar Spine"', 'ScanMode = "f Left Hip"'), "site"),
        (lambda t: t.replace('AnalProtocol = "Spine"', 'AnalProtocol = "Hip"'), "site"),
        (lambda t: t.replace("March 05, 2025 - ", "March 06, 2025 - "), "2025-03-05"),
        (lambda t: t.replace("March 05, 2025 - ", "06/03/2025 - "), "2025-03-05"),
    ],
)
def test_a_text_that_contradicts_itself_or_its_header_is_left_to_a_person(change, words):
    report = read(change=change)
    assert not accepted(report)
    values = [r for r in current(report).values() if r.bmd_g_per_cm2 is not None]
    assert all(r.state is ResultState.QUARANTINED and words in r.reason for r in values)
    assert any(words in warning for warning in report.warnings)


@pytest.mark.parametrize(
    ("old", "new", "state"),
    [
        ('"0.942"', '"0.492"', ResultState.QUARANTINED),
        ('"0.942"', '"942"', ResultState.WITHHELD),
        ('"0.942"', '" "', ResultState.WITHHELD),
        ('"0.942"', '"---"', ResultState.WITHHELD),
        ('"0.942"', '"0,942"', ResultState.ACCEPTED),
    ],
)
def test_one_cell_of_l1(old, new, state):
    found = current(read(change=lambda text: text.replace(old, new, 1)))["L1"]
    assert found.state is state
    assert (
        found.bmd_g_per_cm2
        == {
            ResultState.ACCEPTED: 0.942,
            ResultState.QUARANTINED: 0.492,
            ResultState.WITHHELD: None,
        }[state]
    )


def test_a_cell_that_is_written_twice_is_not_overwritten():
    def twice(text: str) -> str:
        line = 'ResultsTable1[ 1][ 3] = "0.942";'
        assert line in text
        return text.replace(line, line + '\r\nResultsTable1[ 1][ 3] = "0.950";')

    found = current(read(change=twice))["L1"]
    assert found.state is ResultState.QUARANTINED
    assert "0.942" in found.reason
    assert "0.950" in found.reason


def test_a_positive_score_stays_positive_and_t_is_not_z():
    measured = exam((1.3, 1.3, 1.3, 1.3))
    found = accepted(read(measured))["L1"]
    line = measured.spine_lines()[0]
    assert (found.t_score, found.z_score) == (line.t_score, line.z_score)
    assert found.t_score > 0
    assert found.t_score != found.z_score


def test_a_text_cut_in_its_table_gives_no_total():
    def cut(text: str) -> str:
        return text[: text.index('ResultsTable1[ 4][ 0] = "L4"')]

    report = read(change=cut)
    assert "L1-L3" not in current(report)
    assert all(
        r.state is ResultState.QUARANTINED and "announce" in r.reason
        for r in current(report).values()
    )


def test_a_total_whose_row_of_a_vertebra_is_lost_is_not_taken_for_the_others():
    def lose(text: str) -> str:
        lines = text.split("\r\n")
        return "\r\n".join(line for line in lines if not line.startswith("ResultsTable1[ 2]"))

    total = [r for name, r in current(read(change=lose)).items() if name not in set(Level)]
    assert [r.state for r in total] == [ResultState.QUARANTINED]


def test_without_any_site_the_report_is_refused():
    dataset = hologic_report(exam())
    dataset.BodyPartExamined = ""
    text = hologic_text(exam(), Part.SPINE)
    text = text.replace("f Lumbar Spine", "f").replace(
        'AnalProtocol = "Spine"', 'AnalProtocol = ""'
    )
    dataset[0x0019, 0x1000].value = text.encode() + b" " * (len(text) % 2)
    with pytest.raises(DxaReportError, match=r"a\.dcm.*which site was scanned"):
        read_report(file_bytes(dataset), "a.dcm")


def test_an_unknown_row_is_named_and_used_for_nothing():
    report = read(change=lambda text: text.replace('[ 1][ 0] = "L1"', '[ 1][ 0] = "L9"'))
    assert any("L9" in warning for warning in report.warnings)
    assert "L1-L4" not in accepted(report)


def test_another_serial_number_in_the_header_is_told():
    report = read(change=lambda text: text.replace("S/N 300412M", "S/N 111111"))
    assert any("111111" in w and "300412M" in w for w in report.warnings)


def test_a_scan_dated_by_another_of_the_headers_dates_is_told_and_read():
    dataset = hologic_report(exam())
    dataset.AcquisitionDate = dataset.ContentDate = "20250307"
    report = read_report(file_bytes(dataset), "a.dcm")
    assert report.scan_date == date(2025, 3, 7)
    assert any("one of the header's dates" in warning for warning in report.warnings)
    assert "L1-L4" in accepted(report)


@given(st.binary(max_size=300), st.integers(0, 3000))
@settings(max_examples=80, deadline=None)
def test_any_bytes_in_the_text_are_read_or_refused(noise, at):
    dataset = hologic_report(exam())
    text = hologic_text(exam(), Part.SPINE).encode()
    text = text[: 20 + at] + noise + text[20 + at + len(noise) :]
    dataset[0x0019, 0x1000].value = text + b" " * (len(text) % 2)
    measured = {0.942, 0.981, 1.003, 0.992}
    try:
        report = read_report(file_bytes(dataset), "a.dcm")
    except (DxaReportError, NotRelevantError):
        return
    for name, found in accepted(report).items():
        if found.bmd_g_per_cm2 not in measured and name in set(Level):
            # A changed number is taken only where BMC and area, changed too, agree with it.
            assert (
                found.area_cm2 is None
                or found.bmc_g is None
                or abs(found.bmc_g / found.area_cm2 - found.bmd_g_per_cm2) <= 0.0025
            )


def test_the_bytes_of_the_report_are_those_of_a_real_file():
    dataset = pydicom.dcmread(io.BytesIO(file_bytes(hologic_report(exam()))))
    assert dataset[0x0019, 0x1000].VR == "UN"
    assert dataset.Modality == "OT"


@pytest.mark.parametrize("lost", ["", "11.62", "14.67"], ids=["label", "and a BMC", "and an area"])
def test_a_total_is_not_renamed_when_a_row_is_lost(lost):
    """`Total` says nothing of its vertebrae: what is left of the sums shows that one is missing."""

    def damage(text):
        text = text.replace('"L2"', '"#"')
        return text.replace(f'"{lost}"', '" "') if lost else text

    report = read(exam((0.742, 0.781, 0.803, 0.792)), change=damage)
    total = current(report)["L1,L3-L4"]
    assert total.state is ResultState.QUARANTINED
    assert "L1, L3, L4" in total.reason
    assert report.included_levels == ()


def test_a_total_without_name_and_without_sums_is_quarantined():
    def without_sums(text):
        return text.replace("Area[cm", "Width[cm").replace("BMC[(g)]", "Height")

    total = current(read(change=without_sums))["L1-L4"]
    assert (total.area_cm2, total.bmc_g, total.bmd_g_per_cm2) == (None, None, 0.981)
    assert total.state is ResultState.QUARANTINED
    assert "does not name its vertebrae" in total.reason
