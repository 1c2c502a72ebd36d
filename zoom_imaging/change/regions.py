"""Names of sets of lumbar vertebrae: `L1-L4`, `L1-L2,L4`, `L1,L3-L4`, and back."""

from __future__ import annotations

import re
from collections.abc import Collection

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level

_RUN = re.compile(r"(L[1-4])(?:\s*[-\u2013]\s*(L[1-4]))?")


def levels_label(levels: Collection[Level]) -> str:
    """Runs of neighbouring levels joined by a hyphen, runs by a comma; "" for no level."""
    runs: list[list[Level]] = []
    for level in LUMBAR_DXA_LEVELS:
        if level not in levels:
            continue
        if runs and runs[-1][-1].ordinal + 1 == level.ordinal:
            runs[-1].append(level)
        else:
            runs.append([level])
    return ",".join(
        run[0].value if len(run) == 1 else f"{run[0].value}-{run[-1].value}" for run in runs
    )


def levels_of_region(region: str) -> tuple[Level, ...] | None:
    """The levels that a region's name stands for; None for a name that is no set of L1-L4."""
    levels: set[Level] = set()
    for part in region.split(","):
        match = _RUN.fullmatch(part.strip())
        if match is None:
            return None
        first = LUMBAR_DXA_LEVELS.index(Level(match[1]))
        last = LUMBAR_DXA_LEVELS.index(Level(match[2] or match[1]))
        if last < first:
            return None
        levels.update(LUMBAR_DXA_LEVELS[first : last + 1])
    return tuple(level for level in LUMBAR_DXA_LEVELS if level in levels)
