"""The chain: a smooth spine among ribs and noise, gaps counted, no chain where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.vision.bundle import ChainParameters
from zoom_imaging.vision.chain import Chain, count_steps, find_chain, next_centre, with_skipped

HOW = ChainParameters()


def spine(count: int = 14) -> np.ndarray:
    """Centres of a kyphotic spine in mm, gaps from 20 to 36 mm."""
    gaps = np.linspace(20, 36, count - 1)
    tilt = np.deg2rad(np.linspace(-30, 18, count - 1))
    steps = np.stack([gaps * np.sin(tilt), gaps * np.cos(tilt)], axis=1)
    return np.array([100.0, 50.0]) + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def test_the_whole_spine_is_one_chain() -> None:
    centres = spine()
    chain = find_chain(centres, np.full(len(centres), 0.9), HOW)
    assert chain.indices == tuple(range(len(centres)))
    assert set(chain.steps) == {1}


def test_candidates_beside_the_spine_are_left_out() -> None:
    centres = spine()
    beside = centres[[2, 5, 9]] + np.array([[28.0, 6.0], [-35.0, 4.0], [40.0, -8.0]])
    places = np.concatenate([beside, centres])
    chances = np.concatenate([np.full(3, 0.6), np.full(len(centres), 0.8)])
    chain = find_chain(places, chances, HOW)
    assert chain.indices == tuple(range(3, 3 + len(centres)))


def test_a_missed_vertebra_leaves_a_gap_of_two_steps() -> None:
    centres = np.delete(spine(), 6, axis=0)
    chain = find_chain(centres, np.full(len(centres), 0.9), HOW)
    assert chain.indices == tuple(range(len(centres)))
    assert chain.steps[5] == 2
    assert count_steps(centres, HOW)[5] == 2


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_candidates_are_no_spine(count: int) -> None:
    places = spine()[:count]
    assert find_chain(places, np.full(count, 0.9), HOW).indices == ()


def test_candidates_in_a_row_across_the_film_are_no_spine() -> None:
    across = np.stack([np.arange(6) * 30.0, np.full(6, 100.0)], axis=1)
    assert find_chain(across, np.full(6, 0.9), HOW).indices == ()


def test_candidates_without_any_order_do_not_make_a_long_chain() -> None:
    rng = np.random.default_rng(3)
    places = rng.uniform(0, 300, (12, 2))
    chain = find_chain(places, np.full(12, 0.35), HOW)
    assert len(chain.indices) < 8


@pytest.mark.parametrize(("upwards", "hidden"), [(True, 0), (False, -1)])
def test_the_next_centre_is_expected_near_the_true_one(upwards: bool, hidden: int) -> None:
    centres = spine()
    known = centres[1:] if upwards else centres[:-1]
    expected = next_centre(known, upwards=upwards)
    assert np.hypot(*(expected - centres[hidden])) < 5.0


def test_good_candidates_on_the_line_are_not_passed_over() -> None:
    """A chain of every other vertebra of a spine with many fractures; a rib beside it stays out."""
    places = np.array([[50, 0], [50, 20], [50, 40], [52, 60], [50, 80], [75, 50], [50, 74]], float)
    chances = np.array([0.9, 0.8, 0.9, 0.8, 0.9, 0.9, 0.9])
    chain = Chain((0, 2, 4), (1, 1), 1.0)
    assert with_skipped(places, chances, chain, HOW) == (0, 1, 2, 3, 4)
    weak = np.array([0.9, 0.2, 0.9, 0.2, 0.9, 0.9, 0.9])
    assert with_skipped(places, weak, chain, HOW) == (0, 2, 4)
