"""Following the spine with a delineator that sees only what a test drew."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.vision.bundle import Parameters
from zoom_imaging.vision.canvas import make_canvas
from zoom_imaging.vision.track import Tracker

from .conftest import make_film

HEIGHT, DEPTH, STEP = 24.0, 30.0, 33.0


class DrawnSpine:
    """An engine that finds the bodies that lie within a patch's middle, and no others."""

    name = "drawn"

    def __init__(self, centres: np.ndarray) -> None:
        self.centres = centres

    def run(self, network: str, patches: np.ndarray) -> tuple[np.ndarray, ...]:
        """The patches carry their film coordinates: a ramp in columns, one in rows."""
        assert network == "delineator"
        n, _, size, _ = patches.shape
        points = np.full((n, 6, 2), size / 2, np.float32)
        flags = np.full((n, 2), -6.0, np.float32)
        for k, patch in enumerate(patches):
            row = float(patch[0, size // 2, size // 2]) * 1000
            pitch = float(patch[0, size // 2 + 8, size // 2] - patch[0, size // 2, size // 2])
            pitch *= 1000 / 8
            nearest = self.centres[np.abs(self.centres[:, 1] - row).argmin()]
            off = (nearest[1] - row) / pitch
            if abs(off) > 0.45 * STEP / pitch:
                continue
            flags[k] = 6.0
            half = HEIGHT / 2 / pitch
            for point in range(6):
                x = size / 2 + (point % 3 - 1) * DEPTH / 2 / pitch
                points[k, point] = (x, size / 2 + off + (-half if point < 3 else half))
        mask = np.full((n, 1, size, size), -5.0, np.float32)
        heat = np.zeros((n, 6, size // 2, size // 2), np.float32)
        spread = np.full((n, 6), 2.2, np.float32)
        return mask, heat, points, spread, np.zeros((n, 4), np.float32), flags


def follow(
    known: list[int], least_row: float | None = None, hidden: int | None = None
) -> list[int]:
    """Indices of the bodies found from those at `known`, of twelve down a film of 500 rows."""
    rows = 60 + STEP * np.arange(12)
    centres = np.stack([np.full(12, 100.0), rows], axis=1)
    shown = centres if hidden is None else np.delete(centres, hidden, axis=0)
    ramp = np.repeat(np.arange(500, dtype=np.float32)[:, None] / 1000, 200, axis=1)
    canvas = make_canvas(make_film(ramp), 0.5, 0.5)
    tracker = Tracker(canvas, DrawnSpine(shown), Parameters(), mirrored=False)
    found = tracker.follow(centres[known], least_row)
    return [int(np.abs(rows - d.centre[1]).argmin()) for d in found]


@pytest.mark.parametrize("known", [[4, 5, 6], [0, 1, 2, 3], [9, 10, 11], list(range(12))])
def test_the_whole_spine_is_found_from_a_part(known: list[int]) -> None:
    assert follow(known) == list(range(12))


def test_a_gap_is_filled() -> None:
    assert follow([3, 4, 6, 7]) == list(range(12))


def test_a_vertebra_that_cannot_be_seen_is_left_out_and_counted_by_the_gap() -> None:
    assert follow([3, 4, 6, 7], hidden=5) == [k for k in range(12) if k != 5]


def test_nothing_is_looked_for_below_the_sacrum() -> None:
    assert follow([4, 5, 6], least_row=60 + 9.5 * STEP)[-1] == 9


def test_one_vertebra_is_not_found_twice() -> None:
    assert follow([4, 5, 5, 6, 7]) == list(range(12))
