"""What a height would be without a fracture: the reference from which a loss is counted.

Genant does not fix the reference, so the charter names one (`ReferenceHeight`):

- `posterior_same`: the vertebra's own Hp times the expected ratio of its level.
- `adjacent`: the mean height of the nearest evaluable, unfractured vertebra above and below (the
  only one, brought to the level by the norms, where the other is missing).
- `predicted_posterior`: the expected ratio times the posterior height. While the own Hp is intact
  it is used; the more Hp itself is off from what up to four neighbours predict, the more the
  prediction takes its place, so that a crushed or deeply biconcave body is not measured against its
  own loss [D].

Posterior loss is always counted from the neighbours' prediction (McCloskey 1993, Osteoporos Int
3:138).

The expected ratio is the level's norm moved by what the person's other vertebrae show [D]. People
differ as a whole, and so do markers, readers and networks: a spine whose every body is 4 % lower in
front than the norm has no fracture for it, and an equal bias of a network cancels. The shift is the
median deviation of the other unfractured levels, shrunk towards zero by their number (empirical
Bayes, between-person spread 0.025) and never more than 0.05: one body cannot excuse itself, half of
the spine cannot hide the other half, and a spine that is fractured everywhere is still compared
with the norm.

All functions take heights in any one unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from zoom_imaging.anatomy import TYPICAL_LEVELS, Level
from zoom_imaging.charter import FractureRules, ReferenceHeight
from zoom_imaging.morphometry.genant import Losses, reaches
from zoom_imaging.morphometry.heights import Triple
from zoom_imaging.morphometry.norms import NORMS, LevelNorm, posterior_ratio

PREDICTORS_A_SIDE: Final = 2
"""Hp is predicted from up to two vertebrae above and two below (McCloskey 1993)."""

PREDICTOR_REACH: Final = 4
"""Vertebrae further away than this say too little about a posterior height."""

ADJACENT_REACH: Final = 2
"""`adjacent` may step over one missing or fractured vertebra."""

PERSON_SD: Final = 0.025
"""Assumed spread, between people, of what all ratios of a spine have in common."""

MAXIMUM_SHIFT: Final = 2 * PERSON_SD
"""A person's reference never leaves the norm by more."""

POSTERIOR_INTACT: Final = 0.05
"""Up to this deviation from the prediction the own posterior height is the reference."""

POSTERIOR_REPLACED: Final = 0.15
"""From this deviation on the predicted posterior height is the reference."""

_MAXIMUM_PASSES: Final = 5


@dataclass(frozen=True)
class LossEstimate:
    """Losses of one vertebra; `norm_sd` is the spread of normal people in each of the three."""

    losses: Losses
    norm_sd: Losses

    @property
    def worst(self) -> int:
        """0, 1 or 2: which of the three losses is the largest."""
        return max(range(3), key=lambda index: self.losses[index])


def nearest(
    level: Level, candidates: Collection[Level], *, a_side: int, reach: int
) -> tuple[Level, ...]:
    """Up to `a_side` candidates above and below within `reach` levels, nearest first."""
    at = TYPICAL_LEVELS.index(level)
    chosen: list[Level] = []
    for step in (-1, 1):
        found: list[Level] = []
        for distance in range(1, reach + 1):
            index = at + step * distance
            if not 0 <= index < len(TYPICAL_LEVELS):
                break
            if TYPICAL_LEVELS[index] in candidates and TYPICAL_LEVELS[index] in NORMS:
                found.append(TYPICAL_LEVELS[index])
        chosen.extend(found[:a_side])
    return tuple(chosen)


def predicted_posterior(
    level: Level,
    posteriors: Mapping[Level, float],
    average: Callable[[list[float]], float] = fmean,
) -> float | None:
    """Hp as up to four neighbours predict it by level-specific ratios; None without a neighbour."""
    neighbours = nearest(level, posteriors, a_side=PREDICTORS_A_SIDE, reach=PREDICTOR_REACH)
    if not neighbours:
        return None
    return average([posteriors[other] * posterior_ratio(level, other) for other in neighbours])


def adjacent_heights(level: Level, heights: Mapping[Level, Triple]) -> Triple | None:
    """Mean Ha, Hm and Hp of the nearest vertebra above and below; None without any."""
    neighbours = nearest(level, heights, a_side=1, reach=ADJACENT_REACH)
    if not neighbours:
        return None
    if len(neighbours) == 1:
        (other,) = neighbours
        factor = posterior_ratio(level, other)
        own, its = NORMS[level], NORMS[other]
        return Triple(
            heights[other].anterior * factor * own.anterior_posterior / its.anterior_posterior,
            heights[other].middle * factor * own.middle_posterior / its.middle_posterior,
            heights[other].posterior * factor,
        )
    return Triple(*(fmean(values) for values in zip(*map(heights.get, neighbours), strict=True)))


def personal_shift(deviations: Collection[float], level_sd: float) -> float:
    """How far the expected ratio of a level moves, from the deviations of the other levels."""
    if not deviations:
        return 0.0
    # The variance of a median of n normal values is about pi/2 times that of their mean.
    scatter = math.pi / 2 * level_sd**2 / len(deviations)
    shrinkage = PERSON_SD**2 / (PERSON_SD**2 + scatter)
    shift = shrinkage * median(deviations)
    return min(MAXIMUM_SHIFT, max(-MAXIMUM_SHIFT, shift))


def expected_ratios(level: Level, others: Mapping[Level, Triple]) -> tuple[float, float]:
    """Ha/Hp and Hm/Hp that this level of this person would have without a fracture."""
    anterior = [
        triple.anterior / triple.posterior - NORMS[other].anterior_posterior
        for other, triple in others.items()
        if other is not level
    ]
    middle = [
        triple.middle / triple.posterior - NORMS[other].middle_posterior
        for other, triple in others.items()
        if other is not level
    ]
    norm = NORMS[level]
    return (
        norm.anterior_posterior + personal_shift(anterior, norm.anterior_posterior_sd),
        norm.middle_posterior + personal_shift(middle, norm.middle_posterior_sd),
    )


def blended_posterior(own: float, predicted: float) -> float:
    """The own posterior height while it is as predicted, the predicted one when it is not."""
    deviation = abs(1 - own / predicted)
    weight = (deviation - POSTERIOR_INTACT) / (POSTERIOR_REPLACED - POSTERIOR_INTACT)
    weight = min(1.0, max(0.0, weight))
    return (1 - weight) * own + weight * predicted


def _norm_sd(norm: LevelNorm, ratios: tuple[float, float]) -> Losses:
    def without_shared(sd: float) -> float:
        return math.sqrt(max(sd**2 - PERSON_SD**2, 0.0))

    return (
        without_shared(norm.anterior_posterior_sd) / ratios[0],
        without_shared(norm.middle_posterior_sd) / ratios[1],
        norm.posterior_sd,
    )


def estimate(
    level: Level,
    heights: Mapping[Level, Triple],
    unfractured: Mapping[Level, Triple],
    reference: ReferenceHeight,
) -> LossEstimate | None:
    """Losses of one level; None when no neighbour says what its posterior height should be.

    `heights` are all evaluable vertebrae, `unfractured` those among them that may serve as
    reference.
    """
    own = heights[level]
    others = {other: triple for other, triple in unfractured.items() if other is not level}
    posterior = predicted_posterior(
        level, {other: triple.posterior for other, triple in others.items()}, median
    )
    if posterior is None:
        return None
    ratios = expected_ratios(level, unfractured)
    if reference is ReferenceHeight.ADJACENT:
        expected = adjacent_heights(level, others)
        if expected is None:
            return None
    else:
        base = (
            own.posterior
            if reference is ReferenceHeight.POSTERIOR_SAME
            else blended_posterior(own.posterior, posterior)
        )
        expected = Triple(ratios[0] * base, ratios[1] * base, posterior)
    return LossEstimate(
        losses=(
            1 - own.anterior / expected.anterior,
            1 - own.middle / expected.middle,
            1 - own.posterior / posterior,
        ),
        norm_sd=_norm_sd(NORMS[level], ratios),
    )


def spine_losses(
    heights: Mapping[Level, Triple], rules: FractureRules
) -> dict[Level, LossEstimate | None]:
    """Losses of every evaluable vertebra of a film.

    A fractured neighbour is no reference, and whether it is fractured depends on its own
    neighbours: the first pass takes all, each later one leaves out what the pass before found,
    until nothing changes. Where no unfractured vertebra is near, all near ones serve.
    """
    known = {level: triple for level, triple in heights.items() if level in NORMS}
    fractured: set[Level] = set()
    result: dict[Level, LossEstimate | None] = {}
    for _ in range(_MAXIMUM_PASSES):
        unfractured = {level: known[level] for level in known if level not in fractured}
        result = {
            level: estimate(level, known, unfractured, rules.reference_height)
            or estimate(level, known, known, rules.reference_height)
            for level in known
        }
        found = {
            level
            for level, value in result.items()
            if value is not None and reaches(max(value.losses), rules.mild_loss)
        }
        if found == fractured:
            break
        fractured = found
    return result
