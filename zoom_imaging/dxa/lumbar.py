"""The lumbar spine of one report: vertebrae, totals, and which vertebrae the site includes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.checks import Tolerances, judge
from zoom_imaging.dxa.region import total_name
from zoom_imaging.dxa.repeats import all_agree
from zoom_imaging.dxa.result import DxaResult, ResultState
from zoom_imaging.dxa.row import RegionRow
from zoom_imaging.dxa.totals import (
    EXCLUDED,
    excluded_results,
    has_values,
    judge_total,
    main_levels,
)

_Judged = tuple[DxaResult, tuple[Level, ...]]
"""The result of a total, and the vertebrae behind it as far as they are certain."""


@dataclass(frozen=True)
class LumbarSpine:
    """Results in reading order, the vertebrae of the site's total, and what is worth a look."""

    results: tuple[DxaResult, ...]
    included_levels: tuple[Level, ...]
    warnings: tuple[str, ...]


def lumbar_spine(rows: Sequence[RegionRow], tolerances: Tolerances) -> LumbarSpine:
    """Judge the lumbar rows of one scan, of which each region is one row or in doubt."""
    single = [row for row in rows if row.is_vertebra]
    totals = [row for row in rows if row.is_lumbar_total]
    counts = Counter(row.levels[0] for row in single)
    clashing = frozenset(level for level, count in counts.items() if count > 1)
    vertebrae = {
        row.levels[0]: row
        for row in single
        if row.levels[0] in LUMBAR_DXA_LEVELS and row.levels[0] not in clashing
    }
    judged = _in_doubt_if_several(
        totals, [judge_total(total, vertebrae, clashing, tolerances) for total in totals]
    )
    warnings: list[str] = []
    included = _included(judged, warnings)
    if not totals and single:
        included = _without_total(vertebrae, clashing, warnings)
    if totals and not single:
        warnings.append("the vertebrae behind the lumbar total are not listed one by one")
    warnings += _unproven(totals, vertebrae)
    results = [
        _explain(judge(row, row.levels[0].value, tolerances), included, row) for row in single
    ]
    results += excluded_results(included, vertebrae, clashing)
    results = _without_blank_doubles(results)
    results.sort(key=lambda result: Level(result.region).ordinal)
    results += _distinct_totals(judged, vertebrae, warnings)
    return LumbarSpine(tuple(results), included, tuple(warnings))


def _in_doubt_if_several(
    totals: Sequence[RegionRow], judged: Sequence[_Judged]
) -> Sequence[_Judged]:
    """Totals of the same vertebrae that differ are all quarantined."""
    printed: dict[str, list[tuple[float | None, ...]]] = {}
    for result, _ in judged:
        printed.setdefault(result.region, []).append(result.numbers)
    shown = " | ".join(total.shown for total in totals)
    reason = f"the file has several totals of these vertebrae: {shown}"
    return [
        (result, levels)
        if all_agree(printed[result.region])
        else (replace(result, state=ResultState.QUARANTINED, reason=reason), levels)
        for result, levels in judged
    ]


def _included(judged: Sequence[_Judged], warnings: list[str]) -> tuple[Level, ...]:
    levels = main_levels(
        levels for result, levels in judged if result.state is ResultState.ACCEPTED
    )
    if levels is None:
        names = ", ".join(result.region for result, _ in judged)
        warnings.append(
            f"lumbar totals {names}: none holds all others, so the report does not say which "
            "vertebrae the site includes"
        )
        return ()
    return levels


def _without_total(
    vertebrae: Mapping[Level, RegionRow], clashing: frozenset[Level], warnings: list[str]
) -> tuple[Level, ...]:
    alone = [level for level, row in vertebrae.items() if has_values(row)]
    if len(alone) == 1 and not clashing:
        warnings.append(f"the report has one vertebra ({alone[0]}) and no total")
        return (alone[0],)
    warnings.append("the report has no total of the lumbar spine")
    return ()


def _unproven(totals: Sequence[RegionRow], vertebrae: Mapping[Level, RegionRow]) -> list[str]:
    """Totals that their sums cannot prove, because a vertebra has no area or BMC."""
    alone = [level for level, row in vertebrae.items() if has_values(row)]
    warnings = []
    for total in totals:
        parts = [vertebrae[level] for level in total.levels or alone if level in vertebrae]
        if any(row.area.value is None or row.bmc.value is None for row in parts):
            warnings.append(
                f"{total.label}: area or BMC of a vertebra is not printed, the total cannot be "
                "checked by its sums"
            )
    return warnings


def _distinct_totals(
    judged: Sequence[_Judged], vertebrae: Mapping[Level, RegionRow], warnings: list[str]
) -> list[DxaResult]:
    found: list[DxaResult] = []
    for result, levels in judged:
        if len(levels) == 1 and levels[0] in vertebrae:
            # The total of one vertebra is that vertebra: its value was compared with the total's.
            warnings.append(f"the total is that of one vertebra, {levels[0]}")
        elif result.state is not ResultState.ACCEPTED or result.region not in {
            other.region for other in found
        }:
            found.append(result)
    return found


def _explain(result: DxaResult, included: tuple[Level, ...], row: RegionRow) -> DxaResult:
    if not included or row.levels[0] in included or not has_values(row):
        return result
    told = f"measured, but not in the report's total {total_name(included)}"
    return replace(result, reason="; ".join(part for part in (told, result.reason) if part))


def _without_blank_doubles(results: list[DxaResult]) -> list[DxaResult]:
    """A blank row of an excluded vertebra and its exclusion are one result."""

    def is_exclusion(result: DxaResult) -> bool:
        return result.state is ResultState.WITHHELD and result.reason.startswith(EXCLUDED)

    excluded = {result.region for result in results if is_exclusion(result)}
    return [result for result in results if result.region not in excluded or is_exclusion(result)]
