"""From the rows of one report to its results: repeats, the lumbar spine, other sites, history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.checks import (
    Tolerances,
    hip_warning,
    history_result,
    judge,
    order_warnings,
)
from zoom_imaging.dxa.lumbar import lumbar_spine
from zoom_imaging.dxa.region import total_name
from zoom_imaging.dxa.repeats import merge_repeats
from zoom_imaging.dxa.result import DxaResult, Side, Site
from zoom_imaging.dxa.row import RegionRow


@dataclass(frozen=True)
class Assembly:
    """Results in reading order, the vertebrae behind the lumbar total, and what is worth a look."""

    results: tuple[DxaResult, ...]
    included_levels: tuple[Level, ...]
    warnings: tuple[str, ...]


def assemble(rows: Sequence[RegionRow], tolerances: Tolerances) -> Assembly:
    """Judge every row; the order is vertebrae, lumbar totals, other sites as printed, history."""
    current = merge_repeats([row for row in rows if not row.history])
    spine = lumbar_spine(current, tolerances)
    others = [row for row in current if row.site is not Site.LUMBAR_SPINE]
    results = [
        *spine.results,
        *(judge(row, row.label, tolerances) for row in others),
        *(_earlier(row) for row in rows if row.history),
    ]
    warnings = [*order_warnings(rows), *spine.warnings]
    for side in Side:
        fault = hip_warning([row for row in others if row.site.is_hip and row.side is side])
        if fault:
            warnings.append(f"{fault} ({side.value or 'no side'})")
    warnings += [
        printed.note for row in current for printed in (row.area, row.bmc, row.bmd) if printed.note
    ]
    return Assembly(tuple(results), spine.included_levels, tuple(dict.fromkeys(warnings)))


def _earlier(row: RegionRow) -> DxaResult:
    levels = [level for level in row.levels if level in LUMBAR_DXA_LEVELS]
    return history_result(row, total_name(levels) if levels else row.label)
