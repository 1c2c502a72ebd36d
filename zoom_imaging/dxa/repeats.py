"""Rows that a report prints twice: one row where they agree, a doubt on each where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS
from zoom_imaging.dxa.number import Printed
from zoom_imaging.dxa.region import total_name
from zoom_imaging.dxa.row import RegionRow

_SAME = (0.006, 0.006, 0.0006, 0.051, 0.051)
"""Largest difference of area, BMC, BMD, T and Z that two roundings of one number can make."""


def agree(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    """True if no number that both have differs by more than rounding."""
    return all(
        first is None or second is None or abs(first - second) <= allowed
        for first, second, allowed in zip(one, other, _SAME, strict=True)
    )


def all_agree(rows: Sequence[Sequence[float | None]]) -> bool:
    """True if each two of them agree."""
    return all(agree(one, other) for one, other in combinations(rows, 2))


def merge_repeats(rows: Sequence[RegionRow]) -> list[RegionRow]:
    """One row for each region; rows that contradict each other all stay, each with the doubt."""
    groups: dict[tuple[str, ...], list[RegionRow]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    merged: list[RegionRow] = []
    for group in groups.values():
        is_clean = not any(map(_has_problem, group))
        if len(group) == 1 or (is_clean and all_agree([row.numbers for row in group])):
            kept = group[0]
            for other in group[1:]:
                kept = _fill(kept, other)
            merged.append(kept)
            continue
        values = " | ".join(row.shown for row in group)
        doubt = f"{len(group)} contradictory values for {group[0].label} in one file: {values}"
        merged += [replace(row, doubt=doubt) for row in group]
    return merged


def _key(row: RegionRow) -> tuple[str, ...]:
    name = total_name(row.levels) if set(row.levels) <= set(LUMBAR_DXA_LEVELS) else row.label
    return row.site.value, row.side.value, name or row.label.lower()


def _has_problem(row: RegionRow) -> bool:
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
