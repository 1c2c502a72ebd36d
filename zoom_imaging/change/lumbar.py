"""Which lumbar vertebrae stand behind the change of BMD, and their density at one visit.

Lumbar BMD = sum of BMC over sum of area, never the mean of densities; where both reports print it
for exactly these vertebrae, as printed. The same vertebrae count at both visits. A fractured
vertebra is denser for being squeezed: it leaves both visits. A vertebra that differs by more than
the charter's T-score difference from its neighbour is a question, and leaves only if the charter
says so (ISCD official positions; domain rules, section 7).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Grade, Level, Visit
from zoom_imaging.change.exam import VISIT_NAMES, Exam, density
from zoom_imaging.change.record import ChangeKind, VertebraChange
from zoom_imaging.change.regions import levels_label, levels_of_region
from zoom_imaging.charter import DxaRules, FractureRules
from zoom_imaging.dxa.result import DxaResult
from zoom_imaging.morphometry.deformity_index import counted_grade
from zoom_imaging.query import Query, QueryKind

TOLERANCE: Final = 1e-9
"""Printed decimals are not exact in binary: limits hold within this."""


@dataclass(frozen=True)
class LumbarValue:
    """BMD of a set of levels at one visit; None with the reason. `t_score` only as printed."""

    bmd_g_per_cm2: float | None
    t_score: float | None
    reason: str = ""
    queries: tuple[Query, ...] = ()


def level_results(exam: Exam) -> dict[Level, DxaResult]:
    """The accepted row of each single vertebra."""
    return {
        levels[0]: result
        for result in exam.results
        if (levels := levels_of_region(result.region)) is not None and len(levels) == 1
    }


def included_levels(exam: Exam) -> tuple[Level, ...]:
    """The vertebrae behind the lumbar total of a report, of L1-L4.

    Without a word of the report, those of its widest total, else the single vertebrae that it has.
    """
    stated = [level for level in LUMBAR_DXA_LEVELS if level in exam.report.included_levels]
    if stated:
        return tuple(stated)
    named = [levels_of_region(result.region) or () for result in exam.results]
    widest = max(named, key=len, default=())
    single = level_results(exam)
    return widest if len(widest) > 1 else tuple(lv for lv in LUMBAR_DXA_LEVELS if lv in single)


def fractured_levels(changes: Iterable[VertebraChange], rules: FractureRules) -> dict[Level, str]:
    """L1-L4 with a fracture at either visit, and the words for it."""
    result = {}
    for change in changes:
        if change.level not in LUMBAR_DXA_LEVELS:
            continue
        before, after = (
            _counted(change.grade_baseline, rules),
            _counted(change.grade_month12, rules),
        )
        if change.kind is ChangeKind.NEW:
            result[change.level] = "new fracture"
        elif (before or 0) >= 1:
            result[change.level] = f"grade {change.grade_baseline.value} at baseline"
        elif (after or 0) >= 1:
            result[change.level] = f"grade {change.grade_month12.value} at month 12"
    return result


def unread_levels(
    changes: Iterable[VertebraChange], levels: Collection[Level]
) -> tuple[Level, ...]:
    """Those of `levels` that no film pair could clear of a fracture at both visits."""
    cleared = {
        change.level
        for change in changes
        if change.kind is not ChangeKind.NOT_EVALUABLE
        and change.grade_baseline.is_numeric
        and change.grade_month12.is_numeric
    }
    return tuple(level for level in LUMBAR_DXA_LEVELS if level in levels and level not in cleared)


def outliers(
    t_scores: Mapping[Level, float], levels: Sequence[Level], limit: float
) -> tuple[tuple[Level, ...], tuple[str, ...]]:
    """Vertebrae more than `limit` T-scores from their neighbour, and each such pair in words.

    Of a pair that differs, the outlier is the one that also differs from its other neighbour, or
    has none while the other one agrees with its own. With two vertebrae, or where the steps go on
    in one direction, nothing tells which one is wrong: the pair is named and no outlier.
    """
    scored = [level for level in levels if level in t_scores]
    pairs = tuple(
        f"{upper.value} {t_scores[upper]:.1f}, {lower.value} {t_scores[lower]:.1f}"
        for upper, lower in pairwise(scored)
        if _apart(t_scores, upper, lower, limit)
    )
    found: set[Level] = set()
    while len(scored) > 2 and (left := _differing(t_scores, scored, limit)):
        without = {
            level: _differing(t_scores, [other for other in scored if other is not level], limit)
            for at, level in enumerate(scored)
            if all(_apart(t_scores, level, beside, limit) for beside in _beside(scored, at))
        }
        fewest = min(without.values(), default=left)
        suspects = [level for level in scored if without.get(level) == fewest < left]
        if not suspects or any(
            upper in suspects and lower in suspects for upper, lower in pairwise(scored)
        ):
            break
        found.update(suspects)
        scored = [level for level in scored if level not in suspects]
    return tuple(level for level in levels if level in found), pairs


def _beside(levels: Sequence[Level], at: int) -> list[Level]:
    return [levels[index] for index in (at - 1, at + 1) if 0 <= index < len(levels)]


def _apart(t_scores: Mapping[Level, float], one: Level, other: Level, limit: float) -> bool:
    return abs(t_scores[one] - t_scores[other]) > limit + TOLERANCE


def _differing(t_scores: Mapping[Level, float], levels: Sequence[Level], limit: float) -> int:
    return sum(_apart(t_scores, upper, lower, limit) for upper, lower in pairwise(levels))


def without_fractures(
    levels: Sequence[Level], changes: Sequence[VertebraChange], rules: FractureRules
) -> tuple[list[Level], list[str]]:
    """The levels that no fracture has touched at either visit, and what to say about the rest."""
    fractured = fractured_levels(changes, rules)
    kept = [level for level in levels if level not in fractured]
    notes = [
        f"{level.value} left out at both visits: {fractured[level]}"
        for level in levels
        if level in fractured
    ]
    unread = unread_levels(changes, kept)
    if unread:
        notes.append(
            f"a fracture of {levels_label(unread)} could not be excluded: not evaluable on films "
            "of both visits"
        )
    return kept, notes


def without_outliers(
    levels: list[Level], exams: Mapping[Visit, Exam], rules: DxaRules, subject_id: str
) -> tuple[list[Level], list[str], list[Query]]:
    """Ask about neighbours that differ by their T-scores; leave out what the charter leaves out."""
    notes: list[str] = []
    queries: list[Query] = []
    excluded: set[Level] = set()
    limit = rules.outlier_t_score_difference
    for visit, exam in exams.items():
        t_scores = {
            level: result.t_score
            for level, result in level_results(exam).items()
            if result.t_score is not None
        }
        found, pairs = outliers(t_scores, levels, limit)
        if not pairs:
            continue
        excluded.update(found)
        queries.append(
            Query(
                kind=QueryKind.DXA_IMPLAUSIBLE,
                subject_id=subject_id,
                question=(
                    f"neighbouring vertebrae differ by more than {limit:g} T-score: "
                    "does one have to be left out?"
                ),
                values="; ".join(pairs),
                visit=visit,
                level=found[0] if len(found) == 1 else None,
            )
        )
        if not (rules.exclude_outliers and found):
            notes.append(f"{VISIT_NAMES[visit]}: T-scores of neighbours differ: {'; '.join(pairs)}")
    if not rules.exclude_outliers or not excluded:
        return levels, notes, queries
    notes.append(
        f"{levels_label(excluded)} left out at both visits: more than {limit:g} T-score from its "
        "neighbour"
    )
    return [level for level in levels if level not in excluded], notes, queries


def printed_total(exam: Exam, levels: Sequence[Level]) -> DxaResult | None:
    """The total of exactly these levels that the report prints, None where it prints another."""
    return next(
        (result for result in exam.results if levels_of_region(result.region) == tuple(levels)),
        None,
    )


def lumbar_value(
    exam: Exam,
    levels: Sequence[Level],
    visit: Visit,
    rules: DxaRules,
    subject_id: str,
    *,
    as_printed: bool,
) -> LumbarValue:
    """BMD of exactly these levels: the printed total if asked, else sum of BMC over sum of area.

    The two must agree within the charter's tolerance whichever is taken. Without BMC and area of
    each level the printed total is all there is.
    """
    name, label = VISIT_NAMES[visit], levels_label(levels)
    printed = printed_total(exam, levels)
    total = density(printed) if printed is not None else None
    t_score = printed.t_score if printed is not None else None
    rows = level_results(exam)
    parts = [_content(rows[level]) for level in levels if level in rows]
    complete = [part for part in parts if part is not None]
    if len(complete) < len(levels):
        if total is not None:
            return LumbarValue(total, t_score)
        lacking = [
            level.value for level in levels if level not in rows or _content(rows[level]) is None
        ]
        return LumbarValue(
            None,
            None,
            f"{name}: no BMC and area of {', '.join(lacking)}, and no printed total of {label}",
        )
    recomputed = sum(bmc for bmc, _ in complete) / sum(area for _, area in complete)
    if total is not None and abs(total - recomputed) > rules.total_tolerance_g_per_cm2 + TOLERANCE:
        values = f"printed {total:.3f}, sum of BMC over sum of area {recomputed:.4f} g/cm2"
        question = f"the printed total of {label} is not that of its vertebrae: which one holds?"
        query = Query(QueryKind.DXA_CONTRADICTION, subject_id, question, values, visit)
        return LumbarValue(None, None, f"{name}: {label} contradicts itself: {values}", (query,))
    return LumbarValue(total if as_printed and total is not None else recomputed, t_score)


def _content(result: DxaResult) -> tuple[float, float] | None:
    """(BMC in g, area in cm2); the third of BMC, area and BMD follows from two."""
    bmc, area, bmd = result.bmc_g, result.area_cm2, result.bmd_g_per_cm2
    if bmc is None and area is not None and bmd is not None:
        bmc = bmd * area
    elif area is None and bmc is not None and bmd:
        area = bmc / bmd
    if bmc is None or area is None or bmc <= 0 or area <= 0:
        return None
    return bmc, area


def _counted(grade: Grade, rules: FractureRules) -> int | None:
    return counted_grade(grade, rules) if grade.is_numeric else None
