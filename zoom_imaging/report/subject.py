"""What a subject's page says: films, levels, densitometry, fractures, files and questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, Shape, Visit
from zoom_imaging.change.record import BmdChange, ChangeKind, VertebraChange
from zoom_imaging.dxa.result import DxaReport, DxaResult, ResultState, Side, Site
from zoom_imaging.endpoints.results import BMD_SITES, SubjectResults, TrialResults
from zoom_imaging.ingest.catalogue import CatalogueEntry, Disposition, FileKind
from zoom_imaging.morphometry.reading import VertebraReading
from zoom_imaging.report.gallery import Picture
from zoom_imaging.report.overview import (
    files_of,
    fracture_words,
    lsc_words,
    missing_words,
    queries_of,
)
from zoom_imaging.report.page import page_name, words
from zoom_imaging.report.palette import (
    CHANGE_WORDS,
    STATE_WORDS,
    VISIT_WORDS,
    short_grade,
    shown_grade,
)
from zoom_imaging.report.standing import said_by, subject_standing

SITE_WORDS: Mapping[str, str] = {
    "lumbar_spine": "Lumbar spine",
    "total_hip": "Total hip",
    "femoral_neck": "Femoral neck",
}

_HIDDEN_STATES = frozenset({ResultState.HISTORY, ResultState.SUPERSEDED})


@dataclass(frozen=True)
class GradeCell:
    """One vertebra at one visit as the table shows it; `why` says why there is no grade.

    `by` says who gave the grade, or as a person said that there is none.
    """

    code: str
    words: str
    why: str
    vertebra: VertebraReading | None
    by: str = ""


@dataclass(frozen=True)
class LevelLine:
    """One level at both visits and what became of it."""

    level: Level
    baseline: GradeCell
    month12: GradeCell
    change: VertebraChange
    change_words: str
    reasons: str


@dataclass(frozen=True)
class RegionLine:
    """One region of densitometry at both visits; a list where a visit has several values."""

    site: str
    region: str
    side: str
    baseline: tuple[DxaResult, ...]
    month12: tuple[DxaResult, ...]


@dataclass(frozen=True)
class SiteChange:
    """The change of one site with its judgement in words."""

    name: str
    change: BmdChange
    lsc: str
    difference_g_per_cm2: float | None


def subject_page(
    subject: SubjectResults,
    results: TrialResults,
    pictures: Sequence[Picture],
    neighbours: tuple[str, str],
) -> dict[str, Any]:
    """Everything that the template asks for; `neighbours` are the subjects before and after."""
    files = files_of(subject, results)
    fractures, known = fracture_words(subject)
    return {
        "results": results,
        "subject": subject,
        "standing": subject_standing(subject),
        "pictures": pictures,
        "missing": missing_words(subject),
        "unused_films": _unused_films(files),
        "levels": level_lines(subject),
        "regions": region_lines(subject),
        "reports": [
            (VISIT_WORDS[visit], report) for visit in Visit for report in subject.dxa[visit]
        ],
        "sites": [_site(name, subject.bmd_changes[name]) for name in BMD_SITES],
        "fracture_words": fractures,
        "fracture_known": known,
        "files": files,
        "queries": queries_of(subject, results),
        "visit_words": VISIT_WORDS,
        "before": (neighbours[0], page_name(neighbours[0])) if neighbours[0] else None,
        "after": (neighbours[1], page_name(neighbours[1])) if neighbours[1] else None,
    }


def level_lines(subject: SubjectResults) -> tuple[LevelLine, ...]:
    """T4-L4, and transitional levels that were compared, from the top down."""
    found = {
        visit: {vertebra.level: vertebra for vertebra in subject.vertebrae[visit]}
        for visit in Visit
    }
    lines = []
    for change in _every_change(subject):
        cells = {
            visit: _cell(found[visit].get(change.level), bool(subject.films[visit]))
            for visit in Visit
        }
        reasons = [*_whys(cells), change.reason] if change.reason else _whys(cells)
        lines.append(
            LevelLine(
                level=change.level,
                baseline=cells[Visit.BASELINE],
                month12=cells[Visit.MONTH12],
                change=change,
                change_words=CHANGE_WORDS[change.kind],
                reasons="; ".join(dict.fromkeys(reasons)),
            )
        )
    return tuple(lines)


def region_lines(subject: SubjectResults) -> tuple[RegionLine, ...]:
    """Every region that either visit has, in the order of the reports, without earlier exams."""
    found: dict[tuple[Site, str, Side], dict[Visit, list[DxaResult]]] = {}
    for visit in Visit:
        for result in _results(subject.dxa[visit]):
            key = (result.site, result.region, result.side)
            found.setdefault(key, {each: [] for each in Visit})[visit].append(result)
    order = list(Site)
    return tuple(
        RegionLine(
            site=words(site),
            region=region,
            side=str(side.value),
            baseline=tuple(values[Visit.BASELINE]),
            month12=tuple(values[Visit.MONTH12]),
        )
        for (site, region, side), values in sorted(
            found.items(), key=lambda item: order.index(item[0][0])
        )
    )


def _whys(cells: Mapping[Visit, GradeCell]) -> list[str]:
    whys = {visit: cell.why for visit, cell in cells.items() if cell.why}
    if len(whys) == len(Visit) and len(set(whys.values())) == 1:
        return [f"Both visits: {next(iter(whys.values()))}"]
    return [f"{VISIT_WORDS[visit]}: {why}" for visit, why in whys.items()]


def _every_change(subject: SubjectResults) -> list[VertebraChange]:
    """The changes of a subject; a level of T4-L4 without one is not evaluable, never left out."""
    known = {change.level: change for change in subject.changes}
    for level in GRADED_LEVELS:
        known.setdefault(
            level,
            VertebraChange(
                level,
                Grade.NOT_EVALUABLE,
                Grade.NOT_EVALUABLE,
                ChangeKind.NOT_EVALUABLE,
                "the visits were not compared",
            ),
        )
    return sorted(known.values(), key=lambda change: change.level.ordinal)


def _results(reports: Sequence[DxaReport]) -> list[DxaResult]:
    return [
        result
        for report in reports
        for result in report.results
        if result.state not in _HIDDEN_STATES
    ]


def _cell(vertebra: VertebraReading | None, has_films: bool) -> GradeCell:
    if vertebra is None:
        why = "no film shows this level" if has_films else "no film"
        return GradeCell("ne", "not evaluable", why, None)
    grade, by = shown_grade(vertebra), said_by(vertebra)
    if grade is Grade.NOT_EVALUABLE:
        state = STATE_WORDS[vertebra.state]
        why = f"{state} ({vertebra.reason})" if vertebra.reason else state
        return GradeCell("ne", "not evaluable", why, vertebra, by)
    if grade is Grade.INDETERMINATE:
        return GradeCell("ne", "indeterminate", vertebra.reason, vertebra, by)
    shape = Shape.NONE if grade is Grade.NORMAL else vertebra.shape
    code = grade.value.replace(".", "")
    return GradeCell(code, short_grade(grade, shape), vertebra.reason, vertebra, by)


def _site(name: str, change: BmdChange) -> SiteChange:
    both = change.baseline_g_per_cm2 is not None and change.month12_g_per_cm2 is not None
    difference = None
    if both and change.change_pct is not None:
        difference = (change.month12_g_per_cm2 or 0.0) - (change.baseline_g_per_cm2 or 0.0)
    return SiteChange(SITE_WORDS[name], change, lsc_words(change), difference)


def _unused_films(files: Sequence[CatalogueEntry]) -> list[CatalogueEntry]:
    """Films that might have shown something; a duplicate shows what another film shows."""
    return [
        entry
        for entry in files
        if entry.kind is FileKind.SPINE_RADIOGRAPH
        and entry.disposition not in {Disposition.USED, Disposition.DUPLICATE}
    ]
