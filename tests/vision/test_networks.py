"""Shapes of the networks, and landmark points that no mass far away can move."""

from __future__ import annotations

import pytest
import torch

from zoom_imaging.vision.networks import Delineator, Locator, Namer, Standardise, soft_argmax


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_locator() -> None:
    assert Locator().eval()(torch.rand(2, 2, 96, 64)).shape == (2, 2, 48, 32)


def test_namer() -> None:
    levels, facing = Namer().eval()(torch.rand(3, 2, 128, 128))
    assert levels.shape == (3, 19)
    assert facing.shape == (3,)


def test_delineator() -> None:
    mask, heat, points, spread, grade, flags = Delineator().eval()(torch.rand(2, 2, 64, 64))
    assert mask.shape == (2, 1, 64, 64)
    assert heat.shape == (2, 6, 32, 32)
    assert points.shape == (2, 6, 2)
    assert spread.shape == (2, 6)
    assert grade.shape == (2, 4)
    assert flags.shape == (2, 2)


def test_grey_scale_and_offset_do_not_matter_and_invalid_pixels_are_zero() -> None:
    patches = torch.rand(1, 2, 32, 32)
    patches[:, 1] = 1.0
    patches[:, 1, :, 20:] = 0.0
    other = patches.clone()
    other[:, 0] = 0.2 + 0.5 * patches[:, 0]
    other[:, 0, :, 20:] = 99.0
    ours, theirs = Standardise()(patches), Standardise()(other)
    assert torch.allclose(ours, theirs, atol=0.15)
    assert not theirs[:, :, :, 20:].any()


def peaked(*peaks: tuple[int, int, float]) -> torch.Tensor:
    """A map (1, 1, 64, 64) with Gaussian peaks at (x, y) of a height."""
    axis = torch.arange(64.0)
    chance = torch.full((64, 64), 1e-9)
    for x, y, height in peaks:
        chance += height * torch.exp(
            -((axis[None] - x).square() + (axis[:, None] - y).square()) / 2
        )
    return chance.log()[None, None]


def test_a_point_is_the_middle_of_its_peak() -> None:
    points, spread = soft_argmax(peaked((20, 30, 1.0)))
    assert points[0, 0].tolist() == pytest.approx([40.5, 60.5], abs=0.05)
    assert float(spread) == pytest.approx(2.0, abs=0.1)


def test_mass_far_away_raises_the_doubt_but_moves_nothing() -> None:
    points, spread = soft_argmax(peaked((20, 30, 1.0), (50, 62, 0.5)))
    assert points[0, 0].tolist() == pytest.approx([40.5, 60.5], abs=0.1)
    assert float(spread) > 2.5
