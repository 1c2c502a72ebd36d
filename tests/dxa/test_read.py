"""The door of the densitometry room: which file is read, in which format, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import UID

from zoom_imaging.dxa.read import read_report
from zoom_imaging.dxa.result import DxaSource, ResultState
from zoom_imaging.errors import (
    InputError,
    NotDicomError,
    NotRelevantError,
    UnreadableError,
)
from zoom_imaging.simulate.densitometry import IDXA, exam_of
from zoom_imaging.simulate.hologic_report import hologic_report
from zoom_imaging.simulate.lunar_image import XmlForm, lunar_image, lunar_xml_text
from zoom_imaging.simulate.lunar_report import lunar_report
from zoom_imaging.simulate.report_header import file_bytes

TODAY = date(2025, 3, 4)
LUMBAR = (0.942, 0.981, 1.003, 0.992)
PDF = UID("1.2.840.10008.5.1.4.1.1.104.1")


HOLOGIC = hologic_report(exam_of("P-1", TODAY, LUMBAR))
LUNAR = exam_of("P-1", TODAY, LUMBAR, scanner=IDXA)
FORMATS = {
    DxaSource.HOLOGIC_TEXT: file_bytes(HOLOGIC),
    DxaSource.LUNAR_SR: file_bytes(lunar_report(LUNAR)),
    DxaSource.LUNAR_XML: file_bytes(lunar_image(LUNAR, form=XmlForm.DXA_RESULTS)),
}


def total(report):
    return next(
        r for r in report.results if r.region == "L1-L4" and r.state is not ResultState.HISTORY
    )


@pytest.mark.parametrize("source", FORMATS, ids=str)
def test_each_format_is_told_by_its_content(source):
    report = read_report(FORMATS[source], "a.dcm")
    assert report.source is source
    assert (total(report).bmd_g_per_cm2, total(report).state) == (0.981, ResultState.ACCEPTED)
    assert report.scan_date == TODAY
    assert report.analysed_at is not None
    assert report.analysed_at.date() == TODAY
    assert report.scanner.serial in {"300412M", "210873"}
    assert report.scanner.software
    assert report.analysis_version
    assert report.sop_instance_uid
    assert report.path == "a.dcm"


@pytest.mark.parametrize("source", FORMATS, ids=str)
@given(share=st.floats(0.0, 0.999))
@settings(max_examples=25, deadline=None)
def test_a_cut_file_is_refused_and_never_read_as_far_as_it_goes(source, share):
    whole = FORMATS[source]
    with pytest.raises((UnreadableError, NotDicomError)) as refusal:
        read_report(whole[: int(len(whole) * share)], "a.dcm")
    assert "a.dcm" in refusal.value.reason


@pytest.mark.parametrize("source", FORMATS, ids=str)
@given(at=st.integers(132, 10_000), value=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_never_ends_in_anything_but_a_result_or_a_refusal(source, at, value):
    content = bytearray(FORMATS[source])
    content[at % len(content)] = value
    try:
        report = read_report(bytes(content), "a.dcm")
    except InputError as error:
        refusal = error.reason
        report = None
    if report is None:
        assert refusal.startswith("a.dcm")
        return
    assert all(r.reason or r.state is ResultState.ACCEPTED for r in report.results)


def test_a_picture_without_results_is_refused_and_its_numbers_are_not_taken():
    with pytest.raises(NotRelevantError, match=r"a\.dcm.*numbers in a picture are not taken"):
        read_report(file_bytes(lunar_image(LUNAR, form=None)), "a.dcm")


def test_text_that_is_no_dicom_is_told_from_a_damaged_file():
    with pytest.raises(NotDicomError, match=r"a\.txt"):
        read_report(b"BMD 0.981 g/cm2 " * 20, "a.txt")


def test_a_report_and_its_xml_that_contradict_each_other_are_left_to_a_person():
    dataset = lunar_report(LUNAR)
    dataset.ImageComments = lunar_xml_text(LUNAR)
    assert total(read_report(file_bytes(dataset), "a.dcm")).state is ResultState.ACCEPTED
    dataset.ImageComments = lunar_xml_text(LUNAR).replace("0.981", "0.918")
    found = [
        r
        for r in read_report(file_bytes(dataset), "a.dcm").results
        if r.region in {"L2", "L1-L4"} and r.state is not ResultState.HISTORY
    ]
    assert {r.state for r in found} == {ResultState.QUARANTINED}


def test_without_a_day_in_its_header_the_reports_own_day_counts_with_a_warning():
    dataset = hologic_report(exam_of("P-1", TODAY, LUMBAR))
    for name in ("AcquisitionDate", "ContentDate", "StudyDate", "SeriesDate"):
        setattr(dataset, name, "")
    report = read_report(file_bytes(dataset), "a.dcm")
    assert report.scan_date == TODAY
    assert any("neither acquisition, content nor study date" in w for w in report.warnings)


def test_the_time_of_analysis_is_that_of_the_content_where_the_report_gives_none():
    report = read_report(FORMATS[DxaSource.LUNAR_XML], "a.dcm")
    assert report.analysed_at == datetime(2025, 3, 4, 9, 49)


def test_nesting_without_end_is_refused(shared):
    content = (shared / "cases/container-nested-sequences/deep.dcm").read_bytes()
    with pytest.raises(UnreadableError, match="nested"):
        read_report(content, "deep.dcm")


def test_nesting_of_seventy_levels_is_refused():
    dataset = lunar_report(LUNAR)
    inner = Dataset()
    inner.ValueType = "CONTAINER"
    for _ in range(70):
        outer = Dataset()
        outer.ValueType = "CONTAINER"
        outer.ContentSequence = [inner]
        inner = outer
    dataset.ContentSequence = [*dataset.ContentSequence, inner]
    with pytest.raises(UnreadableError, match="nested too deep"):
        read_report(file_bytes(dataset), "a.dcm")


SHOW = """
import sys
from zoom_imaging.dxa.read import read_report
print(read_report(open(sys.argv[1], "rb").read(), "a.dcm"))
"""


def test_no_day_depends_on_the_time_zone_of_file_or_machine(tmp_path):
    dataset = hologic_report(exam_of("P-1", TODAY, LUMBAR))
    dataset.TimezoneOffsetFromUTC = "-0800"
    dataset.AcquisitionTime = "235900"
    path = tmp_path / "a.dcm"
    path.write_bytes(file_bytes(dataset))
    shown = {
        subprocess.run(
            [sys.executable, "-c", SHOW, str(path)],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("UTC", "Asia/Seoul", "America/Los_Angeles")
    }
    assert len(shown) == 1
    assert "datetime.date(2025, 3, 4)" in shown.pop()
