"""From the rows of one report to its results: duplicates, totals, excluded vertebrae, history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.checks import (
    Tolerances,
    hip_warning,
    history_result,
    judge,
    order_warnings,
)
from zoom_imaging.dxa.number import Printed
from zoom_imaging.dxa.region import total_name
from zoom_imaging.dxa.result import DxaResult, ResultState, Side, Site
from zoom_imaging.dxa.row import RegionRow
from zoom_imaging.dxa.totals import excluded_results, has_values, judge_total, main_levels

_HIP_SITES = frozenset(
    {
        Site.TOTAL_HIP,
        Site.FEMORAL_NECK,
        Site.TROCHANTER,
        Site.INTERTROCHANTER,
        Site.WARDS,
        Site.FEMUR_SHAFT,
    }
)
_SAME = (0.006, 0.006, 0.0006, 0.051, 0.051)
"""Largest difference of area, BMC, BMD, T and Z that two roundings of one number can make."""


@dataclass(frozen=True)
class Assembly:
    """Results in reading order, the vertebrae behind the lumbar total, and what is worth a look."""

    results: tuple[DxaResult, ...]
    included_levels: tuple[Level, ...]
    warnings: tuple[str, ...]


def agree(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    """True if no number that both have differs by more than rounding."""
    return all(
        first is None or second is None or abs(first - second) <= allowed
        for first, second, allowed in zip(one, other, _SAME, strict=True)
    )


def _key(row: RegionRow) -> tuple[str, ...]:
    name = total_name(row.levels) if set(row.levels) <= set(LUMBAR_DXA_LEVELS) else row.label
    return row.site.value, row.side.value, name or row.label.lower()


def _problems(row: RegionRow) -> bool:
    return any(
        printed.problem for printed in (row.area, row.bmc, row.bmd, row.t_score, row.z_score)
    )


def _fill(row: RegionRow, other: RegionRow) -> RegionRow:
    def fuller(mine: Printed, theirs: Printed) -> Printed:
        return theirs if mine.is_missing else mine

    return replace(
        row,
        area=fuller(row.area, other.area),
        bmc=fuller(row.bmc, other.bmc),
        bmd=fuller(row.bmd, other.bmd),
        t_score=fuller(row.t_score, other.t_score),
        z_score=fuller(row.z_score, other.z_score),
        young_adult_percent=fuller(row.young_adult_percent, other.young_adult_percent),
        age_matched_percent=fuller(row.age_matched_percent, other.age_matched_percent),
        doubt=row.doubt or other.doubt,
    )


def merge_repeats(rows: Sequence[RegionRow]) -> list[RegionRow]:
    """One row for each region; rows that contradict each other all stay, each with the doubt."""
    groups: dict[tuple[str, ...], list[RegionRow]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    merged: list[RegionRow] = []
    for group in groups.values():
        clean = not any(_problems(row) for row in group)
        if len(group) == 1 or (
            clean
            and all(
                agree(one.numbers, other.numbers)
                for index, one in enumerate(group)
                for other in group[index + 1 :]
            )
        ):
            kept = group[0]
            for other in group[1:]:
                kept = _fill(kept, other)
            merged.append(kept)
            continue
        values = " | ".join(row.shown for row in group)
        doubt = f"{len(group)} contradictory values for {group[0].label} in one file: {values}"
        merged += [replace(row, doubt=doubt) for row in group]
    return merged


def assemble(rows: Sequence[RegionRow], tolerances: Tolerances) -> Assembly:
    """Judge every row; the order is vertebrae, lumbar totals, other sites as printed, history."""
    current = merge_repeats([row for row in rows if not row.history])
    history = [row for row in rows if row.history]
    warnings = list(order_warnings(rows))
    spine, included = _lumbar(current, tolerances, warnings)
    others = [row for row in current if row.site is not Site.LUMBAR_SPINE]
    results = spine + [judge(row, row.label, tolerances) for row in others]
    for side in Side:
        hip = [row for row in others if row.site in _HIP_SITES and row.side is side]
        fault = hip_warning(hip)
        if fault:
            warnings.append(f"{fault} ({side.value or 'no side'})")
    for row in history:
        levels = [level for level in row.levels if level in LUMBAR_DXA_LEVELS]
        results.append(history_result(row, total_name(levels) if levels else row.label))
    for row in current:
        for printed in (row.area, row.bmc, row.bmd):
            if printed.note and printed.note not in warnings:
                warnings.append(printed.note)
    return Assembly(tuple(results), included, tuple(warnings))


def _lumbar(
    rows: Sequence[RegionRow], tolerances: Tolerances, warnings: list[str]
) -> tuple[list[DxaResult], tuple[Level, ...]]:
    single = [row for row in rows if row.is_vertebra]
    totals = [row for row in rows if row.is_lumbar_total]
    counts: dict[Level, int] = {}
    for row in single:
        counts[row.levels[0]] = counts.get(row.levels[0], 0) + 1
    clashing = frozenset(level for level, count in counts.items() if count > 1)
    vertebrae = {
        row.levels[0]: row
        for row in single
        if row.levels[0] in LUMBAR_DXA_LEVELS and row.levels[0] not in clashing
    }
    judged = [judge_total(total, vertebrae, clashing, tolerances) for total in totals]
    names: list[str] = [result.region for result, _ in judged]
    judged = [
        (
            replace(
                result,
                state=ResultState.QUARANTINED,
                reason="the file has several totals of these vertebrae: "
                + " | ".join(total.shown for total in totals),
            )
            if names.count(result.region) > 1 and not _all_agree(judged, result.region)
            else result,
            levels,
        )
        for result, levels in judged
    ]
    included = main_levels(
        levels for result, levels in judged if result.state is ResultState.ACCEPTED
    )
    if included is None:
        warnings.append(
            f"lumbar totals {', '.join(names)}: none holds all others, so the report does not say "
            "which vertebrae the site includes"
        )
        included = ()
    alone = [level for level, row in vertebrae.items() if has_values(row)]
    if not totals and single:
        if len(alone) == 1 and not clashing:
            included = (alone[0],)
            warnings.append(f"the report has one vertebra ({alone[0]}) and no total")
        else:
            warnings.append("the report has no total of the lumbar spine")
    if totals and not single:
        warnings.append("the vertebrae behind the lumbar total are not listed one by one")
    for total in totals:
        parts = [vertebrae[level] for level in total.levels or alone if level in vertebrae]
        if parts and any(row.area.value is None or row.bmc.value is None for row in parts):
            warnings.append(
                f"{total.label}: area or BMC of a vertebra is not printed, the total cannot be "
                "checked by its sums"
            )
    results = [
        _explain(judge(row, row.levels[0].value, tolerances), row.levels[0], included, row)
        for row in sorted(single, key=lambda row: row.levels[0].ordinal)
    ]
    results += excluded_results(
        included, {level: row for level, row in vertebrae.items()}, clashing
    )
    results = _without_blank_doubles(results)
    results.sort(key=lambda result: Level(result.region).ordinal)
    seen: set[str] = set()
    for result, levels in judged:
        if len(levels) == 1 and levels[0] in vertebrae:
            # The total of one vertebra is that vertebra: sum_fault has compared the two.
            warnings.append(f"the total is that of one vertebra, {levels[0]}")
            continue
        if result.region in seen and result.state is ResultState.ACCEPTED:
            continue
        seen.add(result.region)
        results.append(result)
    return results, included


def _all_agree(judged: Sequence[tuple[DxaResult, tuple[Level, ...]]], region: str) -> bool:
    numbers = [
        (result.area_cm2, result.bmc_g, result.bmd_g_per_cm2, result.t_score, result.z_score)
        for result, _ in judged
        if result.region == region
    ]
    return all(agree(numbers[0], other) for other in numbers[1:])


def _explain(
    result: DxaResult, level: Level, included: tuple[Level, ...], row: RegionRow
) -> DxaResult:
    if not included or level in included or not has_values(row):
        return result
    told = f"measured, but not in the report's total {total_name(included)}"
    return replace(result, reason="; ".join(part for part in (told, result.reason) if part))


def _without_blank_doubles(results: list[DxaResult]) -> list[DxaResult]:
    """A blank row of an excluded vertebra and its exclusion are one result."""
    excluded = {
        result.region
        for result in results
        if result.state is ResultState.WITHHELD and result.reason.startswith("excluded")
    }
    return [
        result
        for result in results
        if result.region not in excluded
        or (result.state is ResultState.WITHHELD and result.reason.startswith("excluded"))
    ]
