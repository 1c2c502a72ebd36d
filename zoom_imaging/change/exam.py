"""The one densitometry report of a visit that a site is taken from, or why there is none.

Only `accepted` results count. Several reports of one visit that agree are one exam in several
files: the most complete one is used. Several that contradict each other are none, and a question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zoom_imaging.anatomy import Visit
from zoom_imaging.dxa.result import DxaReport, DxaResult, ResultState, Side, Site
from zoom_imaging.query import Query, QueryKind

VISIT_NAMES = {Visit.BASELINE: "baseline", Visit.MONTH12: "month 12"}


@dataclass(frozen=True)
class Exam:
    """A report and its accepted results of one site."""

    report: DxaReport
    results: tuple[DxaResult, ...]


@dataclass(frozen=True)
class NoExam:
    """Why a visit has no value of a site."""

    reason: str
    queries: tuple[Query, ...] = ()


def accepted(report: DxaReport, site: Site) -> tuple[DxaResult, ...]:
    """Results of a site that may be used and have a density."""
    return tuple(
        result
        for result in report.results
        if result.site is site and result.state is ResultState.ACCEPTED and density(result)
    )


def density(result: DxaResult) -> float | None:
    """BMD in g/cm2 as printed, else BMC over area; None without either."""
    if result.bmd_g_per_cm2 is not None and result.bmd_g_per_cm2 > 0:
        return result.bmd_g_per_cm2
    if result.bmc_g is not None and result.area_cm2 is not None and result.area_cm2 > 0:
        return result.bmc_g / result.area_cm2 or None
    return None


def choose_exam(
    reports: Sequence[DxaReport],
    site: Site,
    visit: Visit,
    *,
    tolerance_g_per_cm2: float,
    subject_id: str,
    keep: Callable[[DxaResult], bool] = lambda _: True,
) -> Exam | NoExam:
    """The report of a visit for a site; `keep` narrows it, for instance to one side."""
    exams = [
        Exam(report, results)
        for report in reports
        if (results := tuple(filter(keep, accepted(report, site))))
    ]
    if not exams:
        return NoExam(_why_none(reports, site, visit))
    contradiction = _contradiction(exams, tolerance_g_per_cm2)
    if contradiction:
        question = f"reports of one visit differ in the {_site_name(site)}: which one holds?"
        return NoExam(
            f"{VISIT_NAMES[visit]}: {len(exams)} reports contradict each other ({contradiction})",
            (Query(QueryKind.DUPLICATE_VISIT, subject_id, question, contradiction, visit),),
        )
    return max(exams, key=_completeness)


def _completeness(exam: Exam) -> tuple[int, int, int, str]:
    numbers = sum(
        value is not None
        for result in exam.results
        for value in (result.area_cm2, result.bmc_g, result.t_score)
    )
    return len(exam.results), numbers, bool(exam.report.scanner.serial), exam.report.path


def _contradiction(exams: Sequence[Exam], tolerance: float) -> str:
    """What differs, as "L1-L4: 0.900, 0.950"; "" when all agree."""
    values: dict[tuple[str, Side], set[float]] = {}
    for exam in exams:
        for result in exam.results:
            value = density(result)
            if value is not None:
                values.setdefault((result.region, result.side), set()).add(value)
    return "; ".join(
        f"{' '.join(filter(None, (side.value, region)))}: "
        f"{', '.join(f'{value:.3f}' for value in sorted(found))}"
        for (region, side), found in sorted(values.items())
        if max(found) - min(found) > tolerance + 1e-9
    )


def _why_none(reports: Sequence[DxaReport], site: Site, visit: Visit) -> str:
    name = VISIT_NAMES[visit]
    if not reports:
        return f"{name}: no densitometry"
    others = dict.fromkeys(
        f"{result.state.value}" + (f" ({result.reason})" if result.reason else "")
        for report in reports
        for result in report.results
        if result.site is site and result.state is not ResultState.ACCEPTED
    )
    if others:
        return f"{name}: no accepted {_site_name(site)} result: {', '.join(others)}"
    return f"{name}: no {_site_name(site)} result"


def _site_name(site: Site) -> str:
    return site.value.replace("_", " ")
