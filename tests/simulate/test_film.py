"""Looks: what they do to the grey values."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.simulate.film import Curve, Look, random_look, render, to_12_bit

BODY = np.full((200, 160), 2.0)
BODY[80:120, 60:100] = 2.8
QUIET = Look(scatter=0.0, photons=1e7, equalise=0.0, background=None)


def drawn(look: Look, image: np.ndarray = BODY) -> np.ndarray:
    return render(image, 0.5, look, np.random.default_rng(0))


@pytest.mark.parametrize("curve", list(Curve))
def test_bone_is_bright_on_every_curve(curve: Curve) -> None:
    from dataclasses import replace

    grey = drawn(replace(QUIET, curve=curve))
    assert grey[100, 80] > grey[20, 20] + 0.2


@pytest.mark.parametrize("seed", range(12))
def test_a_random_look_stays_in_range_and_repeats(seed: int) -> None:
    look = random_look(np.random.default_rng(seed))
    first, second = drawn(look), drawn(look)
    assert np.array_equal(first, second)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.min() >= 0.0
    assert first.max() <= 1.0
    assert first.std() > 0.01


def test_structure_loss_softens_edges_along_the_body_only() -> None:
    from dataclasses import replace

    sharp, soft = drawn(QUIET), drawn(replace(QUIET, loss_along_mm=1.5))
    along = [np.abs(np.diff(image[:, 80])).max() for image in (sharp, soft)]
    across = [np.abs(np.diff(image[100, :])).max() for image in (sharp, soft)]
    assert along[1] < 0.6 * along[0]
    assert across[1] > 0.9 * across[0]


def test_more_photons_are_less_noise() -> None:
    from dataclasses import replace

    noise = [
        drawn(replace(QUIET, photons=photons, detector_blur_mm=0.05))[20:60, 20:60].std()
        for photons in (1e3, 1e5)
    ]
    assert noise[0] > 4 * noise[1]


def test_a_collimated_border_is_black() -> None:
    from dataclasses import replace

    grey = drawn(replace(QUIET, collimation_mm=(5.0, 0.0, 8.0, 0.0)))
    assert not grey[:8].any()
    assert not grey[:, :14].any()
    assert grey[15:, 20:].any()


def test_twelve_bits_use_the_whole_range() -> None:
    grey = to_12_bit(np.array([[0.0, 0.5, 1.0, 2.0]], dtype=np.float32))
    assert grey.tolist() == [[0, 2048, 4095, 4095]]
