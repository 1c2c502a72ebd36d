"""The spine among the candidates: a smooth line whose gaps change slowly.

A dynamic programme over pairs of candidates: every vertebra adds its probability, every pair of
neighbouring gaps costs for a turn and for a change of length. A candidate beside the spine (a rib,
a spinous process) costs more than it adds. Pure functions over arrays in millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.vision.bundle import ChainParameters

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """Indices of the candidates that form the spine, from the top down.

    `steps` has one entry a gap: how many levels it spans (1, or more where one was not found).
    """

    indices: tuple[int, ...]
    steps: tuple[int, ...]
    score: float


@dataclass(frozen=True)
class _Edge:
    upper: int
    lower: int
    steps: int
    gap_mm: float
    angle: float


def find_chain(places_mm: Floats, probabilities: Floats, how: ChainParameters) -> Chain:
    """The best chain among candidates at `places_mm` (n, 2) as (column, row).

    Empty where no chain reaches `how.shortest` vertebrae.
    """
    edges = _edges(np.asarray(places_mm, float), how)
    best: list[float] = []
    before: list[int] = []
    ending: dict[int, list[int]] = {}
    for number, edge in enumerate(edges):
        gain = _gain(probabilities[edge.lower]) - how.missing_penalty * (edge.steps - 1)
        score, came = _gain(probabilities[edge.upper]), -1
        for other in ending.get(edge.upper, []):
            value = best[other] - _bend(edges[other], edge, how)
            if value > score:
                score, came = value, other
        best.append(score + gain)
        before.append(came)
        ending.setdefault(edge.lower, []).append(number)
    if not edges:
        return Chain((), (), 0.0)
    at = int(np.argmax(best))
    score = best[at]
    path = [edges[at]]
    while before[at] >= 0:
        at = before[at]
        path.append(edges[at])
    path.reverse()
    indices = (path[0].upper, *(edge.lower for edge in path))
    if len(indices) < how.shortest:
        return Chain((), (), 0.0)
    return Chain(indices, tuple(edge.steps for edge in path), float(score))


def with_skipped(
    places_mm: Floats, probabilities: Floats, chain: Chain, how: ChainParameters
) -> tuple[int, ...]:
    """The chain's indices, and those of good candidates on its line that it passed over.

    Several fractures in a row make gaps so uneven that a chain of every other vertebra looks
    smoother. What lies on the line is looked at; whether it is a body the delineator decides.
    """
    places = np.asarray(places_mm, float)
    out: list[int] = []
    for upper, lower in pairwise(chain.indices):
        out.append(upper)
        start, along = places[upper], places[lower] - places[upper]
        length = float(np.hypot(*along))
        unit = along / max(length, 1e-6)
        between = []
        for k, place in enumerate(places):
            if k in chain.indices or probabilities[k] < how.skipped_probability:
                continue
            down = float((place - start) @ unit)
            across = abs(float(unit[0] * (place - start)[1] - unit[1] * (place - start)[0]))
            apart = min(down, length - down)
            if apart >= how.smallest_gap_mm and across <= how.skipped_across_mm:
                between.append((down, k))
        out += [k for _, k in sorted(between)]
    return (*out, *chain.indices[-1:])


def _gain(probability: float) -> float:
    return float(probability) + 0.15


def _edges(places: Floats, how: ChainParameters) -> list[_Edge]:
    """Every pair that may be neighbours; an edge follows all those that end at its top."""
    order = np.argsort(places.reshape(-1, 2)[:, 1], kind="stable")
    edges = []
    for a, upper in enumerate(order):
        for lower in order[a + 1 :]:
            across, down = places[lower] - places[upper]
            length = float(np.hypot(across, down))
            angle = float(np.arctan2(across, down))
            if abs(np.rad2deg(angle)) > how.largest_tilt_deg:
                continue
            for steps in range(1, how.largest_steps + 1):
                gap = length / steps
                if how.smallest_gap_mm <= gap <= how.largest_gap_mm:
                    edges.append(_Edge(int(upper), int(lower), steps, gap, angle))
    return sorted(edges, key=lambda edge: (places[edge.upper][1], places[edge.lower][1]))


def _bend(first: _Edge, second: _Edge, how: ChainParameters) -> float:
    """What it costs that two neighbouring gaps differ in direction and in length."""
    turn = abs(np.rad2deg(first.angle - second.angle))
    if turn > how.largest_turn_deg:
        return 1e9
    change = np.log(second.gap_mm / first.gap_mm)
    return float(
        how.turn_penalty * (turn / how.largest_turn_deg) ** 2 + how.gap_penalty * change**2
    )


def count_steps(centres: Floats, how: ChainParameters) -> tuple[int, ...]:
    """How many levels each gap of an ordered chain of `centres` (n, 2) spans.

    A gap is compared with the median of the four around it; beyond `how.missing_step` times that,
    a vertebra is missing.
    """
    gaps = np.hypot(*np.diff(np.asarray(centres, float), axis=0).T)
    steps = []
    for k, gap in enumerate(gaps):
        around = np.concatenate([gaps[max(0, k - 2) : k], gaps[k + 1 : k + 3]])
        usual = float(np.median(around)) if len(around) else float(gap)
        ratio = gap / max(usual, 1e-6)
        steps.append(max(1, round(ratio)) if ratio >= how.missing_step else 1)
    return tuple(steps)


def next_centre(centres: Floats, *, upwards: bool) -> Floats:
    """Where the neighbour beyond an end of the chain is expected.

    The last gap, or the median of the last three where it is unusual, turned on as the spine turns.
    """
    ordered = np.asarray(centres, float)
    if not upwards:
        ordered = ordered[::-1]
    gaps = ordered[:-1] - ordered[1:]
    lengths = np.hypot(gaps[:4, 0], gaps[:4, 1])
    length = float(np.clip(lengths[0], 0.85 * np.median(lengths), 1.15 * np.median(lengths)))
    length *= 0.97 if upwards else 1.03
    angle = float(np.arctan2(gaps[0, 1], gaps[0, 0]))
    if len(gaps) > 1:
        earlier = float(np.arctan2(gaps[1, 1], gaps[1, 0]))
        turn = (angle - earlier + np.pi) % (2 * np.pi) - np.pi
        angle += 0.5 * float(np.clip(turn, -0.35, 0.35))
    return np.asarray(ordered[0] + length * np.array([np.cos(angle), np.sin(angle)]))
