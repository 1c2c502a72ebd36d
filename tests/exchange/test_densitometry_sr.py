"""Our structured report says what was read, to us, to dcmtk and to dicom3tools."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, ResultState, Side, Site
from zoom_imaging.errors import NotRelevantError
from zoom_imaging.exchange.densitometry_sr import densitometry_sr
from zoom_imaging.simulate.hologic_report import Part

from .conftest import DAY, hologic, lunar, read_back

LUMBAR = (0.742, 0.821, 0.803, 0.792)
SUBSETS = [levels for count in range(1, 5) for levels in combinations(LUMBAR_DXA_LEVELS, count)]


def numbers(report: DxaReport) -> set[tuple[object, ...]]:
    return {
        (r.site, r.side, r.region, *r.numbers)
        for r in report.results
        if r.state is ResultState.ACCEPTED
    }


@given(
    lumbar=st.tuples(*[st.floats(0.4, 1.6)] * 4),
    included=st.sampled_from(SUBSETS),
    part=st.sampled_from(Part),
)
@settings(max_examples=40, deadline=None)
def test_what_was_read_is_read_back(
    lumbar: tuple[float, ...], included: tuple[Level, ...], part: Part
) -> None:
    report, source = hologic(lumbar, included, part)
    again = read_back(densitometry_sr(report, source))
    assert numbers(again) == numbers(report)
    assert again.included_levels == report.included_levels
    assert again.source is DxaSource.GENERIC_SR
    assert (again.scan_date, again.reference, again.scan_mode) == (
        DAY,
        report.reference,
        report.scan_mode,
    )
    assert again.scanner.serial == report.scanner.serial
    assert again.subject_id == report.subject_id
    assert again.analysis_version == report.analysis_version


@given(lumbar=st.tuples(*[st.floats(0.4, 1.6)] * 4))
@settings(max_examples=15, deadline=None)
def test_spine_and_both_hips_of_one_report_stay_apart(lumbar: tuple[float, ...]) -> None:
    report, source = lunar(lumbar)
    again = read_back(densitometry_sr(report, source))
    assert numbers(again) == numbers(report)
    assert {r.side for r in again.results if r.site is Site.TOTAL_HIP} == {Side.LEFT, Side.RIGHT}


def test_a_forearm_keeps_its_region() -> None:
    report, source = hologic(LUMBAR, LUMBAR_DXA_LEVELS)
    arm = DxaResult(
        Site.FOREARM,
        "Radius 1/3",
        area_cm2=2.5,
        bmc_g=1.5,
        bmd_g_per_cm2=0.6,
        t_score=-1.4,
        side=Side.LEFT,
    )
    again = read_back(densitometry_sr(replace(report, results=(arm,)), source))
    assert numbers(again) == numbers(replace(report, results=(arm,)))


@pytest.mark.parametrize(
    "state", [s for s in ResultState if s is not ResultState.ACCEPTED], ids=str
)
def test_a_number_that_may_not_be_used_is_no_number_in_the_report(state: ResultState) -> None:
    report, source = hologic(LUMBAR, LUMBAR_DXA_LEVELS)
    doubted = tuple(
        replace(r, state=state, reason="BMC / area contradicts BMD") if r.region == "L2" else r
        for r in report.results
    )
    made = densitometry_sr(replace(report, results=doubted), source)
    again = read_back(made)
    assert "L2" not in {r.region for r in again.results if r.state is ResultState.ACCEPTED}
    reason = f"AP Spine L2, {state.value}: BMC / area contradicts BMD"
    assert any(reason in text for text in values(made, "TextValue"))
    assert 0.821 not in values(made, "NumericValue")
    assert 0.803 in values(made, "NumericValue")


def values(dataset: Dataset, keyword: str) -> list[object]:
    """All values of an element, however deep."""
    return [one.value for one in dataset.iterall() if one.keyword == keyword]


def test_a_report_without_a_usable_number_is_refused() -> None:
    report, source = hologic(LUMBAR, LUMBAR_DXA_LEVELS)
    results = tuple(replace(r, state=ResultState.QUARANTINED) for r in report.results)
    with pytest.raises(NotRelevantError, match="no number of this report may be used"):
        densitometry_sr(replace(report, results=results), source)


def test_patient_study_and_source_are_named() -> None:
    report, source = hologic(LUMBAR, LUMBAR_DXA_LEVELS)
    made = densitometry_sr(report, source)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "PatientBirthDate"):
        assert made.get(keyword) == source.get(keyword)
    evidence = made.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.SeriesInstanceUID == source.SeriesInstanceUID
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert made.SOPInstanceUID == densitometry_sr(report, source).SOPInstanceUID
    assert made.VerificationFlag == "UNVERIFIED"


@pytest.mark.parametrize("tool", ["dciodvfy", "dsrdump"])
@pytest.mark.parametrize("maker", ["hologic", "lunar"])
def test_other_software_finds_no_fault(tool: str, maker: str, tmp_path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed (Debian: dicom3tools, dcmtk)")
    report, source = lunar(LUMBAR) if maker == "lunar" else hologic(LUMBAR, LUMBAR_DXA_LEVELS)
    path = tmp_path / "sr.dcm"
    densitometry_sr(report, source).save_as(path, enforce_file_format=True)
    done = subprocess.run([tool, str(path)], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Error" not in said
    if tool == "dsrdump":
        assert "(122496007,SCT" in said or '(66794005,SCT,"L1 vertebra")' in said
        assert '"0.742" (g/cm2,UCUM' in said
