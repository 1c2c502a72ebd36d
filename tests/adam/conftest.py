"""Results of a few made-up subjects, as a run would have them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Arm, Grade, Level, VertebraState, Visit
from zoom_imaging.change.record import BmdChange, ChangeKind, VertebraChange
from zoom_imaging.change.subject import summarise_fractures
from zoom_imaging.charter import load_charter
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, Scanner, Site
from zoom_imaging.endpoints.results import RunMetadata, SubjectResults, TrialResults
from zoom_imaging.ingest.catalogue import Catalogue
from zoom_imaging.ingest.clinical import ClinicalRow
from zoom_imaging.morphometry.reading import VertebraReading

START = date(2024, 3, 12)
DAYS = {Visit.BASELINE: date(2024, 3, 6), Visit.MONTH12: date(2025, 3, 10)}
CHARTER = load_charter()


def reading(level: Level, grade: Grade, uid: str) -> VertebraReading:
    if not grade.is_numeric:
        return VertebraReading(level, VertebraState.OBSCURED, "hidden by a shoulder")
    return VertebraReading(level, VertebraState.EVALUABLE, "", grade=grade, sop_instance_uid=uid)


def report(visit: Visit, subject: str, bmd: float) -> DxaReport:
    results = [
        DxaResult(Site.LUMBAR_SPINE, level, 12.0, 12.0 * bmd, bmd, -2.0, -0.5)
        for level in ("L1", "L2", "L3", "L4", "L1-L4")
    ]
    return DxaReport(
        path=f"{subject}/{visit.value}",
        sop_instance_uid=f"1.2.{len(subject)}.{list(Visit).index(visit)}",
        source=DxaSource.HOLOGIC_TEXT,
        scan_date=DAYS[visit],
        scanner=Scanner("HOLOGIC", "Horizon W", "1", "13"),
        scan_mode="f",
        analysis_version="13",
        reference="White Female",
        included_levels=(Level.L1, Level.L2, Level.L3, Level.L4),
        results=tuple(results),
        subject_id=subject,
    )


def subject(
    name: str,
    arm: Arm | None = Arm.TWICE,
    bmd: tuple[float | None, float | None] = (0.800, 0.776),
    grades: dict[Level, tuple[Grade, Grade]] | None = None,
    **clinical: object,
) -> SubjectResults:
    """Grades are 0 at both visits where `grades` does not say otherwise."""
    grades = grades or {}
    both = {level: grades.get(level, (Grade.NORMAL, Grade.NORMAL)) for level in GRADED_LEVELS}
    vertebrae = {
        visit: tuple(reading(level, pair[at], f"1.9.{at}") for level, pair in both.items())
        for at, visit in enumerate(Visit)
    }
    changes = tuple(_change(level, *pair) for level, pair in both.items())
    before, after = bmd
    percent = 100 * (after - before) / before if before and after else None
    known = BmdChange(
        "lumbar_spine",
        "L1-L4" if before else "",
        before,
        after,
        percent,
        None if percent is None else abs((after or 0) - (before or 0)) >= 0.0277,
        "" if percent is not None else "no accepted lumbar report at one visit",
        -2.0 if before else None,
        -2.2 if after else None,
    )
    none = BmdChange("total_hip", "", None, None, None, None, "no report of the hip")
    row = ClinicalRow(name, arm, 3.0, START, **clinical)  # type: ignore[arg-type]
    return SubjectResults(
        subject_id=name,
        clinical=row,
        arm_planned=arm,
        arm_actual=row.arm_actual,
        dxa={
            visit: (report(visit, name, value),) if value else ()
            for visit, value in zip(Visit, bmd, strict=True)
        },
        films=dict.fromkeys(Visit, ()),
        film_sources=dict.fromkeys(Visit, ()),
        vertebrae=vertebrae,
        changes=changes,
        fractures=summarise_fractures(
            changes, vertebrae[Visit.BASELINE], vertebrae[Visit.MONTH12], CHARTER.fracture
        ),
        bmd_changes={
            "lumbar_spine": known,
            "total_hip": none,
            "femoral_neck": replace(none, site="femoral_neck"),
        },
        queries=(),
    )


def _change(level: Level, before: Grade, after: Grade) -> VertebraChange:
    kind = ChangeKind.NONE
    if not before.is_numeric or not after.is_numeric:
        kind = ChangeKind.NOT_EVALUABLE
    elif after.number > before.number:
        kind = ChangeKind.NEW if before.number < 1 else ChangeKind.WORSENING
    return VertebraChange(level, before, after, kind, "")


def trial_of(*subjects: SubjectResults) -> TrialResults:
    return TrialResults(
        charter=CHARTER,
        catalogue=Catalogue((), (), ()),
        clinical=(),
        subjects=subjects,
        queries=(),
        run=RunMetadata({}, "m", "1", "", "", "torch", {}),
    )


@pytest.fixture(scope="session")
def trial() -> TrialResults:
    """Whole, fractured, without follow-up, with risedronate, without an arm."""
    hidden = {Level.T4: (Grade.NOT_EVALUABLE, Grade.NORMAL)}
    return trial_of(
        subject("001", Arm.ONCE, ctx_m6=0.31, ctx_m12=0.36, p1np_m6=28.4),
        subject(
            "002",
            grades={
                Level.T8: (Grade.NORMAL, Grade.MODERATE),
                Level.T12: (Grade.MILD, Grade.SEVERE),
                **hidden,
            },
            zol2_date=date(2024, 9, 12),
            second_dose="zoledronic_acid",
        ),
        subject("003", bmd=(0.812, None), grades=hidden),
        subject("004", second_dose="risedronate"),
        subject("0=5", arm=None),
    )
