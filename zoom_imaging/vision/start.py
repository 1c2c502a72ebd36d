"""Where reading starts: the locator's chain of bodies, and what may lie beyond its ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.vision.canvas import Canvas
from zoom_imaging.vision.chain import next_centre
from zoom_imaging.vision.locate import Peaks

Floats = NDArray[np.float64]

SACRUM_GAPS = (0.6, 1.6)
"""Distance of S1 from L5, in gaps between the bodies above."""

_NEAR_CANDIDATE_GAPS = 0.4
"""A candidate this close to the expected place of the next body is that body."""


@dataclass(frozen=True)
class Start:
    """A canvas with the chain of candidates found on it.

    `centres` (n, 2) are the chain's, from the top down, in canvas pixels; `fuller` holds the
    candidates that it passed over, too (see `with_skipped`).
    """

    canvas: Canvas
    peaks: Peaks
    centres: Floats
    fuller: Floats
    score: float

    def beyond(self, centres: Floats, *, upwards: bool) -> Floats | None:
        """The place (1, 2) next to an end of `centres`, a candidate if one is near; None off film.

        `centres` (n, 2) are the bodies as delineated, which may be more than the chain's.
        """
        at = next_centre(centres, upwards=upwards)
        end = centres[0] if upwards else centres[-1]
        if not upwards and self.sacrum_next(centres):
            return np.array([self.peaks.sacrum[:2]]) if self.peaks.sacrum else None
        if len(self.peaks.places):
            distances = np.hypot(*(self.peaks.places - at).T)
            nearest = int(distances.argmin())
            if distances[nearest] < _NEAR_CANDIDATE_GAPS * float(np.hypot(*(at - end))):
                at = self.peaks.places[nearest]
        rows, columns = self.canvas.valid.shape
        column, row = (round(float(value)) for value in at)
        if not (0 <= column < columns and 0 <= row < rows and self.canvas.valid[row, column]):
            return None
        return np.asarray(at, float)[None]

    def sacrum_next(self, centres: Floats) -> float:
        """Probability that the locator's sacrum follows the last body; 0 where it does not."""
        if self.peaks.sacrum is None:
            return 0.0
        column, row, chance = self.peaks.sacrum
        gap = float(np.median(np.hypot(*np.diff(centres[-4:], axis=0).T)))
        distance = float(np.hypot(column - centres[-1][0], row - centres[-1][1])) / gap
        lower = row > centres[-1][1]
        return chance if lower and SACRUM_GAPS[0] <= distance <= SACRUM_GAPS[1] else 0.0
