"""Follow the spine from vertebra to vertebra: confirm, centre, fill gaps, go on at both ends.

The locator proposes, the delineator disposes: a centre stays only where the delineator sees a
vertebral body, moves to the middle of its corners, and opens the search for its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.vision.bundle import Parameters
from zoom_imaging.vision.canvas import Canvas
from zoom_imaging.vision.chain import count_steps, next_centre
from zoom_imaging.vision.delineate import Delineation, Place, delineate
from zoom_imaging.vision.engine import Engine
from zoom_imaging.vision.frame import axis_at, local_spacing

Floats = NDArray[np.float64]
LONGEST = 24
FURTHEST = 0.45
"""A centre that moves by more than this many spacings belongs to another vertebra."""

CLOSEST = 0.8
"""Bodies whose centres are nearer than this share of their mean height lie over each other."""

LONGEST_SETTLING = 3


@dataclass(frozen=True)
class Tracker:
    """A canvas with the networks to read it; `mirrored` for a patient who faces right."""

    canvas: Canvas
    engine: Engine
    how: Parameters
    mirrored: bool

    def follow(self, centres: Floats, least_row: float | None = None) -> list[Delineation]:
        """All vertebrae of the spine of which `centres` (n, 2) are some, from the top down.

        Nothing is looked for below `least_row` (the first sacral body), where it is known.
        """
        found = self._confirmed(self._look(self._places(centres)))
        if len(found) < 2:
            return []
        found = self._filled(found)
        for upwards in (True, False):
            found = self._extended(found, upwards=upwards, least_row=least_row)
        found = self._filled(found)
        for _ in range(LONGEST_SETTLING):
            if len(found) < 2:
                return []
            places = self._places(_centres(found))
            keep = self.how.delineate.keep_probability
            looked = self._look(places, self.how.delineate.repeats)
            found = _without_doubles([d for d in looked if d.body >= keep])
            if len(found) == len(places):
                break
            # One vertebra less changes the spacing, thus the crops, of its neighbours.
        return found

    def _look(
        self,
        places: Sequence[Place],
        repeats: Sequence[tuple[float, float, float]] = ((0.0, 0.0, 1.0),),
    ) -> list[Delineation]:
        return delineate(
            self.canvas,
            places,
            self.engine,
            self.how.delineate,
            mirrored=self.mirrored,
            repeats=repeats,
        )

    def _places(self, centres: Floats) -> list[Place]:
        steps = np.array(count_steps(centres, self.how.chain))
        spacing = local_spacing(centres, steps)
        return [
            Place((float(c[0]), float(c[1])), axis_at(centres, k), float(spacing[k]))
            for k, c in enumerate(centres)
        ]

    def _confirmed(self, looked: Sequence[Delineation]) -> list[Delineation]:
        keep = self.how.delineate.keep_probability
        good = [d for d in looked if d.body >= keep and _moved(d) <= FURTHEST]
        return _without_doubles(good)

    def _filled(self, found: list[Delineation]) -> list[Delineation]:
        """Look again where a gap spans more than one level."""
        centres = _centres(found)
        wanted: list[Place] = []
        for k, steps in enumerate(count_steps(centres, self.how.chain)):
            ends = centres[k], centres[k + 1]
            for step in range(1, steps):
                middle = ends[0] + (ends[1] - ends[0]) * step / steps
                length = float(np.hypot(*(ends[1] - ends[0])))
                up = (ends[0] - ends[1]) / length
                place = Place(
                    (float(middle[0]), float(middle[1])),
                    (float(up[0]), float(up[1])),
                    length / steps,
                )
                wanted.append(place)
        sure = self.how.delineate.body_probability
        new = [d for d in self._look(wanted) if d.body >= sure and _moved(d) <= FURTHEST]
        return _without_doubles([*found, *new])

    def _extended(
        self, found: list[Delineation], *, upwards: bool, least_row: float | None
    ) -> list[Delineation]:
        rows, columns = self.canvas.pixels.shape
        sure = self.how.delineate.body_probability
        while len(found) < LONGEST:
            centres = _centres(found)
            place_at = next_centre(centres, upwards=upwards)
            end = centres[0] if upwards else centres[-1]
            length = float(np.hypot(*(place_at - end)))
            if not (0 <= place_at[0] < columns and 0 <= place_at[1] < rows):
                break
            if not upwards and least_row is not None and place_at[1] > least_row - 0.35 * length:
                break
            up = (place_at - end if upwards else end - place_at) / length
            spacing = local_spacing(centres)[0 if upwards else -1]
            place = Place(
                (float(place_at[0]), float(place_at[1])), (float(up[0]), float(up[1])), spacing
            )
            (looked,) = self._look([place])
            gap = float(np.hypot(*(looked.centre - end))) / length
            if looked.body < sure or _moved(looked) > FURTHEST or not 0.6 <= gap <= 1.45:
                break
            found = [looked, *found] if upwards else [*found, looked]
        return found


def _moved(looked: Delineation) -> float:
    """How far the corners' mean lies from where it was expected, in spacings."""
    return float(np.hypot(*(looked.centre - np.array(looked.place.centre)))) / looked.place.spacing


def _centres(found: Sequence[Delineation]) -> Floats:
    return np.stack([d.centre for d in found])


def _without_doubles(found: Sequence[Delineation]) -> list[Delineation]:
    """Of two bodies that lie over each other the less certain goes; ordered along the spine."""
    kept: list[Delineation] = []
    for d in sorted(found, key=lambda item: (-round(item.body, 1), _doubt(item))):
        if not any(_overlap(d, other) for other in kept):
            kept.append(d)
    return sorted(kept, key=lambda item: float(item.centre[1]))


def _doubt(looked: Delineation) -> float:
    """Mean spread of the landmark maps, in spacings."""
    return float(looked.spread.mean()) / looked.place.spacing


def _overlap(first: Delineation, second: Delineation) -> bool:
    """Whether the bodies share so much room that they must be one and the same vertebra."""
    distance = float(np.hypot(*(first.centre - second.centre)))
    if distance < 0.5 * min(first.place.spacing, second.place.spacing):
        return True
    return distance < CLOSEST * (_height(first) + _height(second)) / 2


def _height(looked: Delineation) -> float:
    """Mean of the anterior and the posterior height, in canvas pixels."""
    return float(np.hypot(*(looked.six[[0, 2]] - looked.six[[3, 5]]).T).mean())
