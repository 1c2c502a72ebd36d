"""When a finding may count: borders, seams, spread, and grades that add up to one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zoom_imaging.anatomy import VertebraState
from zoom_imaging.vision.bundle import Calibration, StateParameters
from zoom_imaging.vision.uncertainty import (
    crosses_seam,
    grade_probabilities,
    judge,
    near_border,
    point_sd,
    ratio_sd,
    ratios_of,
)

GOOD: dict[str, Any] = {
    "at_border": False,
    "at_seam": False,
    "body": 0.98,
    "seen": 0.97,
    "body_probability": 0.5,
    "seen_probability": 0.35,
    "relative_sd": 0.01,
    "ratio_deviation": 0.01,
    "overlap": 0.95,
    "how": StateParameters(),
}
SIX = np.array([[0, 0], [10, 1], [20, 0], [0, 20], [10, 19], [20, 20]], float)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, VertebraState.EVALUABLE),
        ({"at_border": True, "seen": 0.1}, VertebraState.AT_IMAGE_BORDER),
        ({"at_seam": True}, VertebraState.AT_SEAM),
        ({"seen": 0.1}, VertebraState.OBSCURED),
        ({"body": 0.4}, VertebraState.LOW_CONFIDENCE),
        ({"overlap": 0.3}, VertebraState.LOW_CONFIDENCE),
        ({"relative_sd": 0.5}, VertebraState.LOW_CONFIDENCE),
        ({"ratio_deviation": 0.5}, VertebraState.LOW_CONFIDENCE),
    ],
)
def test_the_state_has_a_reason(change: dict[str, Any], state: VertebraState) -> None:
    judgement = judge(**{**GOOD, **change})
    assert judgement.state is state
    assert bool(judgement.reason) is (state is not VertebraState.EVALUABLE)


@pytest.mark.parametrize(
    ("shift", "near"), [((30, 30), False), ((0, 30), True), ((30, 79), True), ((62, 30), True)]
)
def test_a_body_at_the_border_or_behind_a_collimator(shift: tuple[int, int], near: bool) -> None:
    valid = np.ones((100, 100), np.bool_)
    valid[:, 81:] = False
    assert near_border(SIX + np.array(shift), valid, 2.0) is near


@pytest.mark.parametrize(
    ("seam", "hit"), [(5, False), (9, True), (20, True), (30, True), (35, False)]
)
def test_a_seam_through_the_body(seam: int, hit: bool) -> None:
    assert crosses_seam(SIX[:, 1] + 10, (seam,), 2.0) is hit


def test_grades_are_probabilities_and_temperature_softens_them() -> None:
    logits = np.array([0.0, 1.0, 4.0, 2.0])
    sharp = grade_probabilities(logits, Calibration(grade_temperature=1.0))
    soft = grade_probabilities(logits, Calibration(grade_temperature=3.0))
    assert sum(sharp) == pytest.approx(1.0, abs=1e-12)
    assert sharp[2] > soft[2] > 0.25


def test_wider_maps_and_moving_repeats_raise_the_deviation() -> None:
    still = np.stack([SIX, SIX, SIX])
    moving = np.stack([SIX, SIX + 1.5, SIX - 1.5])
    calibration = Calibration()
    low = point_sd(np.full(6, 2.3), still, 1.0, calibration)
    wide = point_sd(np.full(6, 6.0), still, 1.0, calibration)
    moved = point_sd(np.full(6, 2.3), moving, 1.0, calibration)
    assert (wide > 2 * low).all()
    assert (moved > low + 0.5).all()
    assert ratio_sd(SIX, still, wide, calibration) > ratio_sd(SIX, still, low, calibration) > 0


def test_the_floor_of_the_ratios_stays_on_the_best_film() -> None:
    still = np.stack([SIX, SIX, SIX])
    calibration = Calibration(ratio_floor=0.02, ratio_scale=1.0)
    assert ratio_sd(SIX, still, np.full(6, 1e-6), calibration) == pytest.approx(0.02, abs=1e-4)


def test_ratios() -> None:
    wedge = SIX.copy()
    wedge[0, 1] = 5.0
    assert np.allclose(ratios_of(wedge), [0.75, 0.9])
