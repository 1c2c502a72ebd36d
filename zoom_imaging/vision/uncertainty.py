"""How sure a finding is: standard deviations, calibrated grades, and the state that follows.

A network always answers. This module decides when its answer may count: pure functions over the
delineator's numbers, the calibration fitted on people held apart, and thresholds of the bundle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import VertebraState
from zoom_imaging.vision.bundle import Calibration, StateParameters

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judgement:
    """Whether a vertebra can be judged, and a sentence where it cannot."""

    state: VertebraState
    reason: str = ""


def point_sd(spread: Floats, repeats: Floats, pitch: float, calibration: Calibration) -> Floats:
    """Standard deviation of each of the six points (6,), in the unit of `spread`.

    `spread` (6,) is that of the landmark maps, whose least possible value belongs to the maps that
    were asked for (`spread_floor_px` patch pixels of size `pitch`); `repeats` (r, 6, 2) are points
    of test-time repeats.
    """
    floor = calibration.spread_floor_px * pitch
    wide = np.sqrt(np.maximum(np.asarray(spread) ** 2 - floor**2, (0.25 * floor) ** 2))
    moved = np.sqrt(np.asarray(repeats).var(axis=0).mean(axis=-1))
    return np.asarray(np.hypot(calibration.spread_scale * wide, moved))


def ratios_of(six: Floats) -> Floats:
    """Ha/Hp and Hm/Hp (..., 2) of six points (..., 6, 2) in square pixels."""
    lengths = np.hypot(*np.moveaxis(six[..., :3, :] - six[..., 3:, :], -1, 0))
    return np.asarray(lengths[..., :2] / np.maximum(lengths[..., 2:], 1e-6))


def raw_ratio_sd(six: Floats, repeats: Floats, sd: Floats) -> float:
    """Standard deviation of the two height ratios before it is calibrated.

    The larger of what the repeats show and what the deviations of the points (`sd`, along the
    heights) propagate to: three repeats alone would flatter.
    """
    shown = float(ratios_of(repeats).std(axis=0, ddof=1).max()) if len(repeats) > 1 else 0.0
    lengths = np.hypot(*(six[:3] - six[3:]).T)
    relative = np.hypot(sd[:3], sd[3:]) / np.maximum(lengths, 1e-6)
    ratio = ratios_of(six)
    passed = ratio * np.hypot(relative[:2], relative[2])
    return float(max(shown, passed.mean()))


def ratio_sd(six: Floats, repeats: Floats, sd: Floats, calibration: Calibration) -> float:
    """Standard deviation of the height ratios: a part that every film has, and the film's own."""
    own = calibration.ratio_scale * raw_ratio_sd(six, repeats, sd)
    return float(np.hypot(calibration.ratio_floor, own))


def grade_probabilities(
    logits: Floats, calibration: Calibration
) -> tuple[float, float, float, float]:
    """Calibrated probabilities of grades 0-3, which add up to 1."""
    scaled = np.asarray(logits, float) / calibration.grade_temperature
    scaled = scaled + np.array(calibration.grade_bias)
    chance = np.exp(scaled - scaled.max())
    chance = np.round(chance / chance.sum(), 6)
    chance[int(chance.argmax())] += 1.0 - chance.sum()
    return float(chance[0]), float(chance[1]), float(chance[2]), float(chance[3])


def near_border(points: Floats, valid: NDArray[np.bool_], margin: float) -> bool:
    """Whether any of `points` (n, 2) lies within `margin` pixels of the edge of the valid film."""
    rows, columns = valid.shape
    reach = max(1, int(np.ceil(margin)))
    offsets = np.array([(0, 0), (reach, 0), (-reach, 0), (0, reach), (0, -reach)], dtype=float)
    around = np.round(points[:, None, :] + offsets[None]).astype(int)
    column, row = around[..., 0], around[..., 1]
    outside = (column < 0) | (row < 0) | (column >= columns) | (row >= rows)
    if outside.any():
        return True
    return bool((~valid[row, column]).any())


def crosses_seam(rows: Floats, seams: Sequence[int], margin: float) -> bool:
    """Whether a body that spans `rows` (film rows) touches a seam, within `margin` rows."""
    top, bottom = float(np.min(rows)) - margin, float(np.max(rows)) + margin
    return any(top <= seam <= bottom for seam in seams)


def judge(
    *,
    at_border: bool,
    at_seam: bool,
    body: float,
    seen: float,
    body_probability: float,
    seen_probability: float,
    relative_sd: float,
    ratio_deviation: float,
    overlap: float,
    how: StateParameters,
) -> Judgement:
    """The state of one vertebra, the strongest reason first.

    `relative_sd` is the root mean square of the points' deviations over the local spacing;
    `overlap` the Dice of mask and six points.
    """
    checks = (
        (
            at_border,
            VertebraState.AT_IMAGE_BORDER,
            "the vertebral body reaches the border of the image",
        ),
        (
            at_seam,
            VertebraState.AT_SEAM,
            "the vertebral body touches a seam of the stitched image",
        ),
        (
            seen < seen_probability,
            VertebraState.OBSCURED,
            f"the vertebral body is covered or cut (probability of a full view {seen:.2f})",
        ),
        (
            body < body_probability,
            VertebraState.LOW_CONFIDENCE,
            f"a vertebral body is not certain here (probability {body:.2f})",
        ),
        (
            overlap < how.smallest_agreement,
            VertebraState.LOW_CONFIDENCE,
            f"outline and six points contradict each other (overlap {overlap:.2f})",
        ),
        (
            relative_sd > how.largest_spread,
            VertebraState.LOW_CONFIDENCE,
            f"the six points are uncertain ({relative_sd:.3f} of the vertebral spacing)",
        ),
        (
            ratio_deviation > how.largest_ratio_sd,
            VertebraState.LOW_CONFIDENCE,
            f"the height ratios are uncertain (standard deviation {ratio_deviation:.3f})",
        ),
    )
    for applies, state, reason in checks:
        if applies:
            return Judgement(state, reason)
    return Judgement(VertebraState.EVALUABLE)
