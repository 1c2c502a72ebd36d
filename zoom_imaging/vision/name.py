"""Names along the chain: which vertebra is which, and how sure that is.

Every vertebra has probabilities of its level from the namer; the chain fixes how the names follow
each other. A hidden Markov model over levels joins the two: the gap to the next vertebra says how
many levels lie between (one, or more where a vertebra was not found). No two vertebrae can share a
level, and none is skipped without a gap that says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import TYPICAL_LEVELS, Level
from zoom_imaging.vision.bundle import NameParameters

Floats = NDArray[np.float64]

ABOVE = 6
"""Cervical vertebrae above C7 that a chain may hold; they have no name here."""

BELOW = 4
"""Bodies below S1 that a chain may hold, sacral segments and false ones; they have no name."""

LEVELS = len(TYPICAL_LEVELS)
LARGEST_STEP = 3
GAP_DEVIATION = 0.17
"""Standard deviation of the logarithm of a gap against its neighbours (discs, fractures)."""

SKIP_COST = 2.5


@dataclass(frozen=True)
class Names:
    """`levels` has one entry a vertebra, None above C7 and below S1, with their `probabilities`.

    `missing` lists the levels that a gap skips, with the index of the vertebra above the gap.
    """

    levels: tuple[Level | None, ...]
    probabilities: tuple[float, ...]
    missing: tuple[tuple[int, Level], ...]

    @property
    def indices(self) -> tuple[int | None, ...]:
        """Positions of `levels` in `TYPICAL_LEVELS`."""
        return tuple(
            None if level is None else TYPICAL_LEVELS.index(level) for level in self.levels
        )

    @property
    def certainty(self) -> float:
        """The smallest probability of a name along the chain: one wrong name spoils the film."""
        named = zip(self.levels, self.probabilities, strict=True)
        return min((chance for level, chance in named if level is not None), default=0.0)


def name_chain(
    log_probabilities: Floats,
    gaps: Floats,
    temperature: float,
    how: NameParameters,
    *,
    above: Floats | None = None,
    below: Floats | None = None,
) -> Names:
    """Name n vertebrae from the top down.

    `log_probabilities` (n, 19) are the namer's, C7 to S1; `gaps` (n - 1,) the distances between
    neighbours, in any unit; `temperature` > 1 allows for evidence that neighbours share. `above`
    and `below` (19,) are the namer's opinion of the places next to the two ends, where the film
    shows something there: the sacrum under the last body is the best anchor that a film has.
    """
    evidence = _evidence(np.asarray(log_probabilities, float), temperature, how.floor)
    moves = [_step_cost(np.asarray(gaps, float), k) for k in range(len(gaps))]
    n, states = evidence.shape
    forward = np.full((n, states), -np.inf)
    backward = np.zeros((n, states))
    best = np.full((n, states), -np.inf)
    came = np.zeros((n, states), dtype=int)
    if above is not None:
        beyond = _evidence(np.asarray(above, float)[None], temperature, how.floor)[0]
        evidence[0] += np.concatenate([beyond[:1], beyond[:-1]])
    if below is not None:
        beyond = _evidence(np.asarray(below, float)[None], temperature, how.floor)[0]
        evidence[-1] += np.concatenate([beyond[1:], beyond[-1:]])
    forward[0] = best[0] = evidence[0]
    for k in range(1, n):
        shifted = _shifted(forward[k - 1], moves[k - 1])
        forward[k] = np.logaddexp.reduce(shifted, axis=0) + evidence[k]
        shifted = _shifted(best[k - 1], moves[k - 1])
        came[k] = shifted.argmax(0)
        best[k] = shifted.max(0) + evidence[k]
    for k in range(n - 2, -1, -1):
        after = backward[k + 1] + evidence[k + 1]
        backward[k] = np.logaddexp.reduce(_shifted_back(after, moves[k]), axis=0)
    joint = forward + backward
    marginal = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
    path = [int(best[-1].argmax())]
    for k in range(n - 1, 0, -1):
        path.append(path[-1] - int(came[k, path[-1]]) - 1)
    path.reverse()
    missing = [
        (k, TYPICAL_LEVELS[state - ABOVE])
        for k in range(n - 1)
        for state in range(path[k] + 1, path[k + 1])
        if ABOVE <= state < ABOVE + LEVELS
    ]
    return Names(
        levels=tuple(
            TYPICAL_LEVELS[s - ABOVE] if ABOVE <= s < ABOVE + LEVELS else None for s in path
        ),
        probabilities=tuple(float(marginal[k, s]) for k, s in enumerate(path)),
        missing=tuple(missing),
    )


def _evidence(log_probabilities: Floats, temperature: float, floor: float) -> Floats:
    """Evidence (n, ABOVE + 19 + BELOW).

    The namer never learned what lies beyond C7 and S1: there its opinion is worth nothing, or that
    of the nearest level that it did learn, half and half.
    """
    n = len(log_probabilities)
    chance = np.exp(log_probabilities) * (1 - floor * LEVELS) + floor
    above = np.repeat((chance[:, :1] + 1 / LEVELS) / 2, ABOVE, axis=1)
    below = np.repeat((chance[:, -1:] + 1 / LEVELS) / 2, BELOW, axis=1)
    # A sacrum that the chain runs into is seen at an odd angle: not all of it is believed.
    chance = np.concatenate([chance[:, :-1], 0.75 * chance[:, -1:] + 0.25 / LEVELS], axis=1)
    whole = np.concatenate([above, chance, below], axis=1).reshape(n, -1)
    return np.asarray(np.log(whole) / temperature)


def _step_cost(gaps: Floats, index: int) -> Floats:
    """Log-likelihood (LARGEST_STEP,) that gap `index` spans 1, 2 or 3 levels."""
    around = np.concatenate([gaps[max(0, index - 2) : index], gaps[index + 1 : index + 3]])
    if not len(around):
        return np.array([0.0, -50.0, -50.0])
    usual = float(np.median(around))
    steps = np.arange(1, LARGEST_STEP + 1)
    off = np.log(gaps[index] / (usual * steps)) / GAP_DEVIATION
    # A collapsed vertebra makes gaps short, never long: too short is no evidence against one step.
    off[0] = max(off[0], 0.0)
    return np.asarray(-0.5 * np.minimum(off**2, 60.0) - SKIP_COST * (steps - 1))


def _shifted(values: Floats, moves: Floats) -> Floats:
    """(LARGEST_STEP, states): what arrives at each state by each number of steps down."""
    out = np.full((LARGEST_STEP, len(values)), -np.inf)
    for step in range(1, LARGEST_STEP + 1):
        out[step - 1, step:] = values[:-step] + moves[step - 1]
    return out


def _shifted_back(values: Floats, moves: Floats) -> Floats:
    """(LARGEST_STEP, states): what comes back to each state from the states below."""
    out = np.full((LARGEST_STEP, len(values)), -np.inf)
    for step in range(1, LARGEST_STEP + 1):
        out[step - 1, :-step] = values[step:] + moves[step - 1]
    return out
