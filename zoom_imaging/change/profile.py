"""Whether two films of one spine have the same scale, and the same names for the same vertebrae.

Scale. Endplates do not get shorter and posterior heights of unfractured bodies stay: over several
levels their ratios between two films are the ratio of the scales (domain rules, section 6). The
endplate widths tell whether the scales differ; heights are brought to one scale by the posterior
heights of unfractured levels where there are five or more, because a slot scanner magnifies across
but not along the spine, else by widths and heights together [D].

Names. Everybody's spine has a profile: wedge, biconcavity, height and depth differ from level to
level by more than two measurements of one level do. If the profile of month 12 fits that of
baseline clearly better when moved by one level, the numbering of one of the films is in doubt [D].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from zoom_imaging.anatomy import GRADED_LEVELS, Level
from zoom_imaging.charter import FractureRules
from zoom_imaging.morphometry.deformity_index import is_graded
from zoom_imaging.morphometry.heights import (
    Triple,
    endplate_width,
    is_measurable,
    paired_distances,
)
from zoom_imaging.morphometry.reading import FilmReading

LEVELS_FOR_WIDTHS: Final = 3
"""Fewer levels do not tell the scale of a film."""

LEVELS_FOR_HEIGHTS: Final = 5
"""From so many unfractured levels on the posterior heights alone give the scale along the spine."""

CONTRADICTION: Final = 0.10
"""Widths and heights that disagree by more leave the scale unknown."""

LEVELS_FOR_NAMES: Final = 6
"""Fewer common levels do not tell whether the names are the same."""

_FEATURE_SD: Final = 0.045
"""Assumed scatter, between two readings of one level, of a ratio or a relative size."""

_OFFSET_SD: Final = 0.04
"""Assumed scatter of the overall scale of two films that claim the same millimetres."""

_CAP: Final = 9.0
"""One level cannot count for more: a new fracture changes its own profile."""

_EVIDENCE: Final = 8.0
"""Log-likelihood ratio from which another numbering is clearly better (about 3000:1)."""


@dataclass(frozen=True)
class LevelProfile:
    """One vertebra of one film: heights and endplate width in mm, or in pixels without a scale."""

    heights: Triple
    width: float
    fractured: bool


@dataclass(frozen=True)
class ScaleRatio:
    """Scale of baseline over scale of month 12, None where too few levels tell it.

    `widths` is from the endplates, `heights` from posterior heights of unfractured levels. Both are
    1 for films with the same scale. `levels` counts the levels that both films show.
    """

    widths: float | None
    heights: float | None
    pooled: float | None
    levels: int

    @property
    def along_spine(self) -> float | None:
        """The factor that brings heights of month 12 to the scale of baseline."""
        if self.heights is None:
            return self.pooled
        if self.widths is not None and abs(self.heights / self.widths - 1) > CONTRADICTION:
            return None
        return self.heights


def film_profile(film: FilmReading, rules: FractureRules) -> dict[Level, LevelProfile]:
    """The evaluable levels of a film with the measures that tell them apart."""
    profile = {}
    for reading in film.vertebrae:
        if reading.six_points is None or not is_graded(reading):
            continue
        heights = paired_distances(reading.six_points, film.scale)
        width = endplate_width(reading.six_points, film.scale)
        if is_measurable(heights) and math.isfinite(width) and width > 0:
            profile[reading.level] = LevelProfile(heights, width, reading.grade.number >= 1)
    return profile


def scale_ratio(
    before: Mapping[Level, LevelProfile], after: Mapping[Level, LevelProfile]
) -> ScaleRatio:
    """Compare the levels that both films show."""
    common = [level for level in GRADED_LEVELS if level in before and level in after]
    widths = [before[level].width / after[level].width for level in common]
    heights = [
        before[level].heights.posterior / after[level].heights.posterior
        for level in common
        if not before[level].fractured and not after[level].fractured
    ]
    enough = len(common) >= LEVELS_FOR_WIDTHS
    return ScaleRatio(
        widths=median(widths) if enough else None,
        heights=median(heights) if len(heights) >= LEVELS_FOR_HEIGHTS else None,
        pooled=median([*widths, *heights]) if enough else None,
        levels=len(common),
    )


def better_shift(
    before: Mapping[Level, LevelProfile],
    after: Mapping[Level, LevelProfile],
    *,
    same_millimetres: bool,
) -> int:
    """0 when the names agree or nothing tells; +1 when month 12 calls a vertebra one level lower.

    +1 means that what is T8 at baseline looks like what month 12 calls T9. `same_millimetres` says
    that both films have millimetres, so that a different overall size counts as well.
    """
    fits = {shift: _misfit(before, after, shift, same_millimetres) for shift in (-1, 0, 1)}
    now = fits.pop(0)
    if now is None:
        return 0
    best, count, shift = min(
        ((*fit, shift) for shift, fit in fits.items() if fit is not None),
        default=(math.inf, 0, 0),
    )
    if not 0 <= best < now[0]:
        return 0
    # With a scatter that is not known but the same for all, likelihoods compare by the logarithm of
    # the misfits: a noisy pair of films needs a larger difference than a sharp one.
    measures = min(count, now[1]) * (len(_FEATURES) + len(_SIZES))
    evidence = measures / 2 * math.log(now[0] / max(best, _LEAST_MISFIT))
    return shift if evidence >= _EVIDENCE else 0


_LEAST_MISFIT: Final = 0.5
"""A fit that is better than measurement allows proves no more than a good one."""

_FEATURES: Final[tuple[Callable[[LevelProfile], float], ...]] = (
    lambda level: level.heights.anterior / level.heights.posterior,
    lambda level: level.heights.middle / level.heights.posterior,
)
_SIZES: Final[tuple[Callable[[LevelProfile], float], ...]] = (
    lambda level: math.log(level.heights.posterior),
    lambda level: math.log(level.width),
)


def _misfit(
    before: Mapping[Level, LevelProfile],
    after: Mapping[Level, LevelProfile],
    shift: int,
    same_millimetres: bool,
) -> tuple[float, int] | None:
    """Mean capped squared difference a level, and the number of levels; None with too few."""
    pairs = [
        (before[level], after[GRADED_LEVELS[at + shift]])
        for at, level in enumerate(GRADED_LEVELS)
        if level in before
        and 0 <= at + shift < len(GRADED_LEVELS)
        and GRADED_LEVELS[at + shift] in after
    ]
    if len(pairs) < LEVELS_FOR_NAMES:
        return None
    total = 0.0
    for feature in _FEATURES:
        total += sum(_capped(feature(one) - feature(other), _FEATURE_SD) for one, other in pairs)
    for size in _SIZES:
        differences = [size(one) - size(other) for one, other in pairs]
        offset = median(differences)
        total += sum(_capped(difference - offset, _FEATURE_SD) for difference in differences)
        if same_millimetres:
            total += _capped(offset, _OFFSET_SD)
    return total / len(pairs), len(pairs)


def _capped(difference: float, sd: float) -> float:
    return min((difference / sd) ** 2, _CAP)
