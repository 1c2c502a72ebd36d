"""The lumbar total: which vertebrae it holds, and whether its value is theirs.

Lumbar total BMD = sum of BMC / sum of area over the included vertebrae, not the mean of their BMDs
(domain rules, section 7), within the charter's tolerance of 0.002 g/cm2. The total is named by its
vertebrae whatever the file calls it. A name that the rows contradict, or a value that is not the
rows', is quarantined or withheld with both in the reason; the vertebrae keep their own state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.checks import Tolerances, judge
from zoom_imaging.dxa.region import total_name
from zoom_imaging.dxa.result import DxaResult, ResultState, Site
from zoom_imaging.dxa.row import RegionRow

EXCLUDED = "excluded by the site"
_EPSILON = 1e-9


def has_values(row: RegionRow) -> bool:
    """False for a row of blanks, which is how some reports print an excluded vertebra."""
    return not (row.area.is_missing and row.bmc.is_missing and row.bmd.is_missing)


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum; None where a value is missing or there is none."""
    known = list(values)
    if not known or any(value is None for value in known):
        return None
    return sum(value for value in known if value is not None)


def _areas(rows: Iterable[RegionRow]) -> float | None:
    return _sum(row.area.value for row in rows)


def _contents(rows: Iterable[RegionRow]) -> float | None:
    return _sum(row.bmc.value for row in rows)


def _near(found: float, expected: float) -> bool:
    # Sums of up to four rounded numbers; a vertebra more or less changes them by 20 % at least.
    return abs(found - expected) <= max(0.03, 0.005 * expected) + _EPSILON


def _names(rows: Iterable[RegionRow]) -> str:
    return ", ".join(row.label for row in rows)


def _range_fault(bmd: float, parts: list[RegionRow], tolerance_g_per_cm2: float) -> str:
    """Sentence if a total lies outside of its vertebrae, all that is certain without areas."""
    known = [part.bmd.value for part in parts if part.bmd.value is not None]
    if len(known) != len(parts) or not known:
        return ""
    if min(known) - tolerance_g_per_cm2 <= bmd <= max(known) + tolerance_g_per_cm2:
        return ""
    return (
        f"printed total BMD {bmd:.4f} g/cm2 is outside of its vertebrae "
        f"({_names(parts)}: {min(known):.4f} to {max(known):.4f})"
    )


def sum_fault(total: RegionRow, parts: list[RegionRow], tolerance_g_per_cm2: float) -> str:
    """Sentence if the total is not the sum of `parts`; empty if it is or cannot be computed."""
    area, bmc, bmd = _areas(parts), _contents(parts), total.bmd.value
    if bmd is None:
        return ""
    names = _names(parts)
    if area and bmc is not None and abs(bmc / area - bmd) > tolerance_g_per_cm2 + _EPSILON:
        return (
            f"sum of BMC / sum of area of {names} = {bmc / area:.4f} contradicts the printed total "
            f"BMD {bmd:.4f} g/cm2 (tolerance {tolerance_g_per_cm2:g})"
        )
    if area and total.area.value is not None and not _near(total.area.value, area):
        return f"areas of {names} sum to {area:.2f}, the printed total is {total.area.value:g} cm2"
    if bmc is not None and total.bmc.value is not None and not _near(total.bmc.value, bmc):
        return f"BMC of {names} sums to {bmc:.2f}, the printed total is {total.bmc.value:g} g"
    if not area or bmc is None:
        return _range_fault(bmd, parts, tolerance_g_per_cm2)
    return ""


def _is_proven_sum(total: RegionRow, parts: list[RegionRow], tolerance: float) -> bool:
    return (
        bool(_areas(parts))
        and _contents(parts) is not None
        and total.area.value is not None
        and total.bmc.value is not None
        and not sum_fault(total, parts, tolerance)
    )


def _name_fault(total: RegionRow, parts: list[RegionRow]) -> str:
    """Sentence if nothing shows that a total without a name holds just these vertebrae.

    A row that was lost would leave a total of other vertebrae than its name says.
    """
    if total.levels:
        return ""
    by_area = total.area.value is not None and _areas(parts)
    by_content = total.bmc.value is not None and _contents(parts) is not None
    if by_area or by_content:
        return ""
    return (
        f"{total.label} does not name its vertebrae, and without area and BMC its sums cannot show "
        f"that it is that of {_names(parts)}"
    )


def judge_total(
    total: RegionRow,
    vertebrae: Mapping[Level, RegionRow],
    clashing: frozenset[Level],
    tolerances: Tolerances,
) -> tuple[DxaResult, tuple[Level, ...]]:
    """The result of a lumbar total, and the vertebrae behind it as far as they are certain.

    `vertebrae` holds the rows of L1-L4; `clashing` the levels that have contradictory rows.
    """
    present = tuple(
        level
        for level in LUMBAR_DXA_LEVELS
        if level in clashing or (level in vertebrae and has_values(vertebrae[level]))
    )
    levels = total.levels or present
    tolerance = tolerances.total_g_per_cm2
    if not levels:
        unnamed = judge(total, "Total", tolerances)
        reason = "a lumbar total, but the report does not say of which vertebrae"
        return _withhold(unnamed, reason), ()
    result = judge(total, total_name(levels), tolerances)
    if result.state is ResultState.WITHHELD:
        return result, ()
    missing = [level for level in levels if level not in present]
    if present and missing:
        parts = [vertebrae[level] for level in present if level in vertebrae]
        called = f"the file calls it {total.label}, but has no value for {', '.join(missing)}"
        if _is_proven_sum(total, parts, tolerance):
            name = total_name(present)
            return _quarantine(replace(result, region=name), f"{called}: it is that of {name}"), ()
        return _withhold(result, f"{called} ({total.shown})"), ()
    fault = ""
    both = sorted(clashing & set(levels), key=lambda level: level.ordinal)
    if both:
        fault = f"{', '.join(both)} has contradictory rows in the file"
    elif present:
        parts = [vertebrae[level] for level in levels]
        fault = sum_fault(total, parts, tolerance) or _name_fault(total, parts)
    if fault:
        return _quarantine(result, fault), ()
    return result, levels if result.state is ResultState.ACCEPTED else ()


def _quarantine(result: DxaResult, reason: str) -> DxaResult:
    told = "; ".join(part for part in (reason, result.reason) if part)
    return replace(result, state=ResultState.QUARANTINED, reason=told)


def _withhold(result: DxaResult, reason: str) -> DxaResult:
    return DxaResult(
        site=result.site,
        side=result.side,
        region=result.region,
        state=ResultState.WITHHELD,
        reason="; ".join(part for part in (reason, result.reason) if part),
    )


def main_levels(sets: Iterable[tuple[Level, ...]]) -> tuple[Level, ...] | None:
    """Vertebrae of the report's main total: the set that holds all others; None if none does."""
    found = {frozenset(levels) for levels in sets if levels}
    if not found:
        return ()
    widest = max(found, key=len)
    if any(not levels <= widest for levels in found):
        return None
    return tuple(sorted(widest, key=lambda level: level.ordinal))


def excluded_results(
    included: tuple[Level, ...], vertebrae: Mapping[Level, RegionRow], clashing: frozenset[Level]
) -> list[DxaResult]:
    """A withheld result for each of L1-L4 that the total leaves out and that has no values."""
    if not included:
        return []
    return [
        DxaResult(
            site=Site.LUMBAR_SPINE,
            region=level.value,
            state=ResultState.WITHHELD,
            reason=EXCLUDED,
        )
        for level in LUMBAR_DXA_LEVELS
        if level not in included
        and level not in clashing
        and not (level in vertebrae and has_values(vertebrae[level]))
    ]
