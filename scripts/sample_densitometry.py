"""Densitometry of one simulated subject as DICOM files, and what the endpoint table must say."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sample_cohort import Maker, SubjectPlan

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level, Visit
from zoom_imaging.dxa.result import Scanner, Side
from zoom_imaging.simulate.densitometry import (
    DISCOVERY,
    HORIZON,
    IDXA,
    PRODIGY,
    Densitometry,
    PrintedRegion,
    exam_of,
    levels_name,
)
from zoom_imaging.simulate.hologic_report import Part, hologic_report
from zoom_imaging.simulate.lunar_image import XmlForm, lunar_image
from zoom_imaging.simulate.lunar_report import Scan, lunar_report

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

FIRST_NUMBER = 21
"""The films of a visit have the numbers before it, whatever their count."""
SCANNERS: dict[Maker, tuple[Scanner, Scanner]] = {
    Maker.HOLOGIC: (HORIZON, DISCOVERY),
    Maker.LUNAR_SR: (IDXA, PRODIGY),
    Maker.LUNAR_XML: (IDXA, PRODIGY),
}
"""The site's scanner, and the one that it had at baseline where it was replaced."""


def exam_at(plan: SubjectPlan, visit: Visit) -> Densitometry:
    """The exam of a visit; the report of month 12 repeats that of baseline."""
    bmd = plan.bmd
    scanner = SCANNERS[bmd.maker][bmd.scanner_changes and visit is Visit.BASELINE]
    hip_score, hip_change = _hip(plan)
    later = visit is Visit.MONTH12
    same_scanner = later and not bmd.scanner_changes
    return exam_of(
        plan.subject_id,
        plan.visit_date(visit),
        _lumbar_bmd(plan, visit),
        scanner=scanner,
        hip_offset_sd=hip_score,
        hip_change_pct=hip_change if later else 0.0,
        sides=(Side.LEFT,),
        included=_included(plan),
        birth_date=date(1948 + plan.seed % 15, 6, 15),
        earlier=(exam_at(plan, Visit.BASELINE),) if same_scanner else (),
    )


def write_reports(folder: Path, plan: SubjectPlan, visit: Visit) -> tuple[Path, ...]:
    """Write what the densitometer sent for a visit: spine and left hip; returns the files."""
    exam = exam_at(plan, visit)
    paths = []
    for number, dataset in enumerate(_datasets(plan, exam), start=FIRST_NUMBER):
        path = folder / f"IM{number:04d}"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return tuple(paths)


def _datasets(plan: SubjectPlan, exam: Densitometry) -> list[FileDataset]:
    if plan.bmd.maker is Maker.HOLOGIC:
        return [hologic_report(exam, part=part) for part in (Part.SPINE, Part.LEFT_HIP)]
    if plan.bmd.maker is Maker.LUNAR_SR:
        # The pictures of the same exam, which hold no result.
        return [lunar_image(exam, form=None), lunar_report(exam)]
    form = _xml_form(plan)
    return [lunar_image(exam, scan=scan, form=form) for scan in (Scan.SPINE, Scan.LEFT_FEMUR)]


def _xml_form(plan: SubjectPlan) -> XmlForm:
    """Both forms occur in the sample; one subject has one."""
    return XmlForm.DENSITOMETRY_RESULTS if plan.seed % 2 == 0 else XmlForm.DXA_RESULTS


def _included(plan: SubjectPlan) -> tuple[Level, ...]:
    return tuple(level for level in LUMBAR_DXA_LEVELS if level not in plan.bmd.excluded)


def _lumbar_bmd(plan: SubjectPlan, visit: Visit) -> list[float]:
    """BMD of L1-L4; a level that breaks after baseline is denser for being squeezed."""
    values = list(plan.bmd.baseline_g_per_cm2)
    if visit is Visit.BASELINE:
        return values
    broken = [level for level in plan.at_month12 if level in LUMBAR_DXA_LEVELS]
    for index, level in enumerate(LUMBAR_DXA_LEVELS):
        values[index] *= 1 + plan.bmd.change_pct / 100
        if level in broken:
            values[index] *= 1 + plan.bmd.collapse_gain_pct / 100
    return values


def _hip(plan: SubjectPlan) -> tuple[float, float]:
    """T-score of the hip at baseline, and its change in percent: less than that of the spine."""
    rng = np.random.default_rng([plan.seed, 17])
    return float(rng.uniform(-2.4, -1.3)), round(0.6 * plan.bmd.change_pct, 2)


def lumbar_truth(plan: SubjectPlan) -> dict[str, str]:
    """Columns of endpoints.csv that the plan decides: BMD, T-scores, change and why not.

    The lumbar BMD is what was measured, before rounding by a report; single vertebrae, hips and
    T-scores are as printed.
    """
    exams = {visit: exam_at(plan, visit) for visit in Visit}
    kept = [level for level in _included(plan) if level not in _fractured(plan)]
    totals = {visit: exam.lumbar(kept).bmd_g_per_cm2 for visit, exam in exams.items()}
    row = _site("ls", totals, plan)
    row["ls_bmd_levels"] = levels_name(kept)
    row["ls_bmd_reason"] = _reason(plan, kept)
    for visit, exam in exams.items():
        whole = tuple(kept) == exam.included
        total = exam.line(exam.lumbar(kept))
        row[f"ls_tscore_{visit.value}"] = f"{total.t_score:.2f}" if whole else ""
        lines = {line.region: line for line in exam.spine_lines()}
        for level in LUMBAR_DXA_LEVELS:
            row |= _level(level, visit, lines.get(level.value))
    for prefix, region in (("th", "Total"), ("fn", "Neck")):
        lines_at = {visit: _hip_line(exam, region) for visit, exam in exams.items()}
        printed = {visit: line.bmd_g_per_cm2 for visit, line in lines_at.items()}
        row |= _site(prefix, printed, plan)
        for visit, line in lines_at.items():
            row[f"{prefix}_tscore_{visit.value}"] = f"{line.t_score:.2f}"
    return row


def _hip_line(exam: Densitometry, region: str) -> PrintedRegion:
    return next(line for line in exam.hip_lines(Side.LEFT) if line.region == region)


def _fractured(plan: SubjectPlan) -> set[Level]:
    return {*plan.at_baseline, *plan.at_month12}


def _reason(plan: SubjectPlan, kept: list[Level]) -> str:
    """A part of the reason that must be given; empty where nothing is to be said."""
    if plan.bmd.scanner_changes:
        return "no change: another scanner at month 12"
    for level in _included(plan):
        if level in plan.at_month12 and level not in plan.at_baseline:
            return f"{level.value} left out at both visits: new fracture"
        if level in plan.at_baseline:
            return f"{level.value} left out at both visits: grade"
    if Visit.MONTH12 not in plan.films.visits:
        return f"a fracture of {levels_name(kept)} could not be excluded"
    return ""


def _site(prefix: str, bmd: dict[Visit, float], plan: SubjectPlan) -> dict[str, str]:
    before, after = bmd[Visit.BASELINE], bmd[Visit.MONTH12]
    change = "" if plan.bmd.scanner_changes else f"{100 * (after - before) / before:.4f}"
    return {
        f"{prefix}_bmd_baseline_g_per_cm2": f"{before:.4f}",
        f"{prefix}_bmd_month12_g_per_cm2": f"{after:.4f}",
        f"{prefix}_bmd_change_pct": change,
    }


def _level(level: Level, visit: Visit, line: PrintedRegion | None) -> dict[str, str]:
    stem = level.value.lower()
    return {
        f"{stem}_bmd_{visit.value}_g_per_cm2": f"{line.bmd_g_per_cm2:.4f}" if line else "",
        f"{stem}_tscore_{visit.value}": f"{line.t_score:.2f}" if line else "",
    }
