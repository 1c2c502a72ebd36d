"""Levels, grades and six points mean the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    LANDMARKS,
    Grade,
    Level,
    SixPoints,
    SpacingSource,
    neighbours,
)


def test_thirteen_levels_are_graded_from_t4_to_l4():
    assert len(GRADED_LEVELS) == 13
    assert (GRADED_LEVELS[0], GRADED_LEVELS[-1]) == (Level.T4, Level.L4)
    assert Level.T13 not in GRADED_LEVELS


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (Level.T12, (Level.T11, Level.L1)),
        (Level.C7, (None, Level.T1)),
        (Level.S1, (Level.L5, None)),
        (Level.T13, (None, None)),
    ],
)
def test_neighbours(level, expected):
    assert neighbours(level) == expected


@pytest.mark.parametrize("grade", [Grade.INDETERMINATE, Grade.NOT_EVALUABLE])
def test_a_state_is_never_a_number(grade):
    with pytest.raises(ValueError, match="not a number"):
        _ = grade.number


def test_borderline_is_a_half():
    assert Grade.BORDERLINE.number == 0.5


def test_six_points_keep_their_order():
    array = np.arange(12, dtype=float).reshape(6, 2)
    points = SixPoints.from_array(array)
    assert points.sup_post == (4.0, 5.0)
    assert np.array_equal(points.to_array(), array)
    assert list(points.to_json()) == list(LANDMARKS)


def test_six_points_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(6, 2\)"):
        SixPoints.from_array(np.zeros((5, 2)))


def test_detector_spacing_is_not_a_calibration():
    calibrated = {source for source in SpacingSource if source.is_calibrated}
    assert SpacingSource.IMAGER_RAW not in calibrated
    assert SpacingSource.NONE not in calibrated
    assert len(calibrated) == 3
