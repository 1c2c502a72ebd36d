"""Patches: points and pixels travel together, mirrored patients come out alike."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.vision.frame import Frame, axis_at, local_spacing


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("up", [(0.0, -1.0), (0.5, -0.8), (-0.3, -0.9)])
def test_points_come_back(up: tuple[float, float], mirrored: bool) -> None:
    frame = Frame.upright((40.0, 60.0), up, 0.7, 64, mirrored=mirrored)
    points = np.array([[3.0, 9.0], [50.0, 20.0]])
    assert np.allclose(frame.to_film(frame.to_patch(points)), points)
    assert np.allclose(frame.to_patch(np.array([40.0, 60.0])), 31.5)


def test_up_is_up_and_the_unmirrored_patch_keeps_left() -> None:
    frame = Frame.upright((50.0, 50.0), (0.0, -1.0), 1.0, 33)
    above, left = frame.to_patch(np.array([[50.0, 40.0], [40.0, 50.0]]))
    assert above[1] < frame.middle
    assert left[0] < frame.middle


def test_a_bright_pixel_is_sampled_where_the_points_say() -> None:
    image = np.zeros((100, 90), np.float32)
    image[30:33, 60:63] = 1.0
    frame = Frame.upright((55.0, 35.0), (0.2, -1.0), 0.5, 64, mirrored=True)
    patch = frame.sample(image, np.ones(image.shape, np.bool_))
    x, y = frame.to_patch(np.array([61.0, 31.0]))
    assert patch[0, round(y), round(x)] == pytest.approx(1.0)


def test_outside_the_film_is_invalid() -> None:
    image = np.ones((50, 50), np.float32)
    frame = Frame.upright((0.0, 0.0), (0.0, -1.0), 1.0, 32)
    patch = frame.sample(image, np.ones(image.shape, np.bool_))
    assert patch[1, 0, 0] == 0
    assert patch[1, -2, -2] == 1
    assert not Frame.upright((900.0, 900.0), (0.0, -1.0), 1.0, 32).sample(image, image > 0).any()


def test_spacing_ignores_one_collapsed_and_one_missing_vertebra() -> None:
    rows = np.array([0, 30, 60, 78, 108, 168, 198], float)
    centres = np.stack([np.zeros(7), rows], axis=1)
    steps = np.array([1, 1, 1, 1, 2, 1])
    assert np.allclose(local_spacing(centres, steps), 30.0)
    assert axis_at(centres, 3) == (0.0, -1.0)
    with pytest.raises(ValueError, match="two centres"):
        local_spacing(centres[:1])
