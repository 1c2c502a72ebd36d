"""Simulated densitometry: numbers that belong together, and files that are what they claim."""

from __future__ import annotations

import io
from datetime import date
from itertools import combinations

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.result import Side, Site
from zoom_imaging.simulate.densitometry import (
    HIP_TOTAL_PARTS,
    HOLOGIC_REFERENCE,
    HORIZON,
    IDXA,
    LUNAR_REFERENCE,
    exam_of,
    levels_name,
    results_of,
)
from zoom_imaging.simulate.hologic_report import (
    EIGHT_COLUMNS,
    FIVE_COLUMNS,
    DateForm,
    HologicStyle,
    Part,
    hologic_report,
    hologic_text,
)
from zoom_imaging.simulate.lunar_image import XmlForm, lunar_image
from zoom_imaging.simulate.lunar_report import LunarStyle, Scan, lunar_report
from zoom_imaging.simulate.report_header import file_bytes

DAY = date(2025, 3, 4)
LUMBAR = (0.742, 0.781, 0.803, 0.792)
SUBSETS = [subset for size in range(1, 5) for subset in combinations(LUMBAR_DXA_LEVELS, size)]
bmds = st.tuples(*[st.floats(0.4, 1.6)] * 4)


def reread(dataset) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(file_bytes(dataset)))


@given(bmds, st.sampled_from([HORIZON, IDXA]), st.sampled_from(SUBSETS))
@settings(max_examples=60, deadline=None)
def test_printed_numbers_of_an_exam_belong_together(lumbar, scanner, included):
    exam = exam_of("P-1", DAY, lumbar, scanner=scanner, included=included)
    *parts, total = exam.spine_lines()
    for line in (*parts, total, *exam.hip_lines(Side.LEFT)):
        assert line.bmc_g / line.area_cm2 == pytest.approx(
            line.bmd_g_per_cm2, abs=0.0005 + 0.005 * (1 + line.bmd_g_per_cm2) / line.area_cm2
        )
    assert total.area_cm2 == pytest.approx(sum(line.area_cm2 for line in parts), abs=0.021)
    assert total.bmc_g == pytest.approx(sum(line.bmc_g for line in parts), abs=0.021)
    ratio = sum(line.bmc_g for line in parts) / sum(line.area_cm2 for line in parts)
    assert total.bmd_g_per_cm2 == pytest.approx(ratio, abs=0.002)
    low = min(line.t_score for line in parts)
    assert low - 0.1 <= total.t_score <= max(line.t_score for line in parts) + 0.1


def test_total_is_not_the_mean_of_densities():
    exam = exam_of("P-1", DAY, (0.5, 0.7, 0.9, 1.1))
    assert exam.lumbar(LUMBAR_DXA_LEVELS).bmd_g_per_cm2 > 0.805


def test_t_score_is_the_distance_from_the_young_mean_in_sd():
    mean, sd = HOLOGIC_REFERENCE.of("L2")
    exam = exam_of("P-1", DAY, (0.9, mean - 2.5 * sd, 0.9, 0.9))
    line = exam.line(exam.vertebra(Level.L2))
    assert line.t_score == -2.5
    assert line.young_pct == round(100 * (mean - 2.5 * sd) / mean)
    assert line.z_score > line.t_score


def test_each_maker_has_its_own_reference_and_hip_regions():
    hologic, lunar = (exam_of("P-1", DAY, LUMBAR, scanner=scanner) for scanner in (HORIZON, IDXA))
    assert hologic.reference is HOLOGIC_REFERENCE
    assert lunar.reference is LUNAR_REFERENCE
    assert [one.region for one in hologic.hips[0].regions] == ["Neck", "Troch", "Inter", "Wards"]
    assert [one.region for one in lunar.hips[0].regions] == ["Neck", "Wards", "Troch", "Shaft"]


def test_total_hip_leaves_out_wards_triangle():
    hip = exam_of("P-1", DAY, LUMBAR).hips[0]
    parts = [one for one in hip.regions if one.region in HIP_TOTAL_PARTS]
    assert "Wards" not in {one.region for one in parts}
    assert hip.total.bmc_g == pytest.approx(sum(one.bmc_g for one in parts))


def test_bones_keep_their_size_between_visits():
    before, after = (exam_of("P-1", day, LUMBAR) for day in (DAY, date(2026, 3, 4)))
    for one, other in zip(before.spine, after.spine, strict=True):
        assert other.area_cm2 == pytest.approx(one.area_cm2, rel=0.009)
        assert other.bmd_g_per_cm2 == pytest.approx(one.bmd_g_per_cm2, abs=1e-9)


@pytest.mark.parametrize(
    ("levels", "name"),
    [
        ("1234", "L1-L4"),
        ("124", "L1-L2,L4"),
        ("13", "L1,L3"),
        ("234", "L2-L4"),
        ("134", "L1,L3-L4"),
        ("3", "L3"),
    ],
)
def test_sets_of_vertebrae_are_named_by_their_runs(levels, name):
    assert levels_name([Level(f"L{number}") for number in levels]) == name


def test_what_must_be_read_names_site_and_side():
    exam = exam_of("P-1", DAY, LUMBAR, sides=(Side.RIGHT,))
    spine = results_of(exam.spine_lines())
    hip = results_of(exam.hip_lines(Side.RIGHT), Side.RIGHT)
    assert [one.region for one in spine] == ["L1", "L2", "L3", "L4", "L1-L4"]
    assert hip[0].site is Site.FEMORAL_NECK
    assert hip[-1].site is Site.TOTAL_HIP
    assert hip[-1].side is Side.RIGHT


FILES = {
    "hologic spine": hologic_report,
    "hologic hip": lambda exam: hologic_report(exam, part=Part.LEFT_HIP),
    "lunar report": lunar_report,
    "lunar image": lambda exam: lunar_image(exam, form=XmlForm.DENSITOMETRY_RESULTS),
}


@pytest.mark.parametrize("make", FILES.values(), ids=FILES.keys())
def test_the_same_exam_gives_the_same_bytes_and_another_visit_another_file(make):
    exam = exam_of("P-1", DAY, LUMBAR)
    first, again = make(exam), make(exam_of("P-1", DAY, LUMBAR))
    later = make(exam_of("P-1", date(2026, 3, 4), LUMBAR))
    assert file_bytes(first) == file_bytes(again)
    assert first.SOPInstanceUID != later.SOPInstanceUID
    assert first.StudyInstanceUID != later.StudyInstanceUID
    assert first.PatientID == later.PatientID == "P-1"


def test_hologic_page_shows_a_picture_of_modest_size():
    content = file_bytes(hologic_report(exam_of("P-1", DAY, LUMBAR)))
    assert len(content) < 200_000
    page = pydicom.dcmread(io.BytesIO(content)).pixel_array
    assert page.ndim == 3
    assert page.std() > 20
    assert (page == 255).mean() > 0.4


def test_page_of_another_exam_looks_different():
    pages = [
        hologic_report(exam_of("P-1", DAY, lumbar)).pixel_array
        for lumbar in (LUMBAR, (0.9, 0.9, 0.9, 0.9))
    ]
    assert (pages[0] != pages[1]).any()


@pytest.mark.parametrize("vr", ["UN", "LT", "OB"])
@pytest.mark.parametrize("block", [0x10, 0x11, 0xE1])
def test_hologic_text_lies_in_the_block_and_vr_that_the_style_asks_for(vr, block):
    style = HologicStyle(block=block, vr=vr, creator="SOMEBODY 1.0", decoy=True)
    dataset = reread(hologic_report(exam_of("P-1", DAY, LUMBAR), style=style))
    element = dataset[0x0019, block << 8]
    assert vr == element.VR
    text = element.value if vr == "LT" else element.value.decode("latin-1")
    assert text.startswith("<HologicHeader1>")
    assert dataset[0x0019, block].value == "SOMEBODY 1.0"
    decoy = dataset[0x0019, (block + 1) << 8].value
    assert b"HologicHeader1" not in decoy


@pytest.mark.parametrize(
    ("form", "day"),
    [
        (DateForm.LONG, "March 04, 2025"),
        (DateForm.MONTH_FIRST, "03/04/2025"),
        (DateForm.DAY_FIRST, "04/03/2025"),
        (DateForm.DOTS, "04.03.2025"),
    ],
)
def test_hologic_dates_follow_the_site(form, day):
    text = hologic_text(exam_of("P-1", DAY, LUMBAR), Part.SPINE, HologicStyle(dates=form))
    assert f'Scan = "{day} - A030425' in text
    assert "\r\n" in text


@pytest.mark.parametrize("columns", [EIGHT_COLUMNS, FIVE_COLUMNS, FIVE_COLUMNS[::-1]])
def test_hologic_columns_stand_under_their_headers(columns):
    exam = exam_of("P-1", DAY, LUMBAR)
    text = hologic_text(exam, Part.SPINE, HologicStyle(columns=columns))
    for number, column in enumerate(columns, start=1):
        assert f'ResultsTable1[ 0][{number:2d}] = "{column.value}";' in text
    bmd = columns.index(next(one for one in columns if one.value.startswith("BMD"))) + 1
    assert f'ResultsTable1[ 1][{bmd:2d}] = "0.742";' in text
    assert f"MAXCOLS1 = {len(columns) + 1};" in text


def test_earlier_exams_stand_in_the_second_table_only():
    before = exam_of("P-1", date(2024, 3, 1), (0.9, 0.9, 0.9, 0.9))
    exam = exam_of("P-1", DAY, LUMBAR, earlier=[before])
    text = hologic_text(exam, Part.SPINE)
    assert 'ResultsTable2[ 2][ 2] = "0.900";' in text
    assert 'ResultsTable1[ 2][ 2] = "0.900";' not in text


def test_an_excluded_vertebra_has_no_row():
    exam = exam_of("P-1", DAY, LUMBAR, included=LUMBAR_DXA_LEVELS[:3])
    text = hologic_text(exam, Part.SPINE)
    assert '"L4"' not in text
    assert "MAXROWS1 = 5;" in text


def test_spine_and_hip_are_two_scans_of_one_study():
    exam = exam_of("P-1", DAY, LUMBAR)
    spine, hip = (hologic_report(exam, part=part) for part in (Part.SPINE, Part.LEFT_HIP))
    assert Part.SPINE.scan_id(exam) != Part.LEFT_HIP.scan_id(exam)
    assert spine.StudyInstanceUID == hip.StudyInstanceUID
    assert spine.SOPInstanceUID != hip.SOPInstanceUID
    assert (hip.BodyPartExamined, hip.Laterality) == ("HIP", "L")


def test_a_hip_that_was_not_scanned_has_no_report():
    with pytest.raises(ValueError, match="no right hip was scanned"):
        hologic_report(exam_of("P-1", DAY, LUMBAR), part=Part.RIGHT_HIP)


def test_implicit_files_are_not_compressed():
    dataset = reread(hologic_report(exam_of("P-1", DAY, LUMBAR), style=HologicStyle(implicit=True)))
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2"
    assert dataset.pixel_array.shape[2] == 3


def test_lunar_files_are_a_report_and_an_image():
    exam = exam_of("P-1", DAY, LUMBAR, scanner=IDXA)
    report = reread(lunar_report(exam, style=LunarStyle(old=True, decimal_comma=True)))
    image = reread(lunar_image(exam, scan=Scan.LEFT_FEMUR))
    assert report.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.22"
    assert image.SOPClassUID == "1.2.840.10008.5.1.4.1.1.1"
    assert image.ImageComments.startswith('<?xml version="1.0"?>\r\n<DXA_RESULTS>')
    assert image.pixel_array.dtype == "uint8"
    assert "ImageComments" not in lunar_image(exam, form=None)
