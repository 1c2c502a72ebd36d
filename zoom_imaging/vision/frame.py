"""Square patches of a film: where they lie, and how points go to and fro.

The networks never see a film; they see square patches that are turned to the spine's axis, scaled
and, where the patient faces right, mirrored, so that the anterior side lies on the left. All film
coordinates here are (column, row) of a film with square pixels (see `WorkingFilm`), 0-based pixel
centres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """A patch of `size` x `size` pixels on a film.

    `matrix` (2, 2) takes an offset in patch pixels (x to the right, y down) from the patch's middle
    to an offset in film pixels (column, row) from `centre`.
    """

    centre: tuple[float, float]
    matrix: Array
    size: int

    @classmethod
    def upright(
        cls,
        centre: tuple[float, float],
        up: tuple[float, float],
        pitch_px: float,
        size: int,
        *,
        mirrored: bool = False,
    ) -> Frame:
        """A patch whose rows run against `up` (a direction on the film, column and row).

        `pitch_px` is the distance of two patch pixels in film pixels; `mirrored` swaps left and
        right, for a patient who faces right.
        """
        direction = np.asarray(up, dtype=float)
        direction = direction / max(float(np.hypot(*direction)), 1e-9)
        down = -direction
        right = np.array([-direction[1], direction[0]])
        if mirrored:
            right = -right
        matrix = np.stack([right, down], axis=1) * pitch_px
        return cls((float(centre[0]), float(centre[1])), matrix, size)

    @property
    def middle(self) -> float:
        """The patch coordinate of `centre`."""
        return (self.size - 1) / 2

    def to_film(self, points: NDArray[np.floating]) -> Array:
        """Patch points (..., 2) as (x, y) to film points (column, row)."""
        offset = np.asarray(points, dtype=float) - self.middle
        return np.asarray(offset @ self.matrix.T + np.asarray(self.centre))

    def to_patch(self, points: NDArray[np.floating]) -> Array:
        """Film points (..., 2) as (column, row) to patch points (x, y)."""
        offset = np.asarray(points, dtype=float) - np.asarray(self.centre)
        return np.asarray(offset @ np.linalg.inv(self.matrix).T + self.middle)

    def sample(
        self, image: NDArray[np.float32], valid: NDArray[np.bool_] | NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        """Take the patch: shape (2, size, size), grey values 0..1 and 1 where the film is valid.

        Grey values are interpolated bilinearly; outside the film both channels are 0.
        """
        from scipy import ndimage

        swap = self.matrix[::-1, ::-1]
        middle = np.array([self.middle, self.middle])
        origin = np.array(self.centre[::-1]) - swap @ middle
        lower, upper = self._box(image.shape[:2])
        part = (slice(lower[0], upper[0]), slice(lower[1], upper[1]))
        if upper[0] <= lower[0] or upper[1] <= lower[1]:
            return np.zeros((2, self.size, self.size), np.float32)
        shape = (self.size, self.size)
        shifted = origin - lower
        grey = ndimage.affine_transform(
            image[part], swap, shifted, output_shape=shape, order=1, mode="constant", cval=0.0
        )
        inside = ndimage.affine_transform(
            np.ascontiguousarray(valid[part]).view(np.uint8),
            swap,
            shifted,
            output_shape=shape,
            order=0,
            mode="constant",
            cval=0,
        )
        inside = (inside > 0).astype(np.float32)
        return np.stack([np.asarray(grey, np.float32) * inside, inside])

    def _box(self, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The part of the film (rows, columns) that the patch touches, with a margin."""
        ends = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float) * (self.size - 1)
        corners = self.to_film(ends)[:, ::-1]
        lower = np.maximum(np.floor(corners.min(0)).astype(int) - 2, 0)
        upper = np.minimum(np.ceil(corners.max(0)).astype(int) + 3, np.array(shape[:2]))
        return lower, upper


def axis_at(centres: NDArray[np.floating], index: int) -> tuple[float, float]:
    """The spine's direction upwards at one of its `centres` (n, 2), ordered from the top down."""
    above = centres[max(index - 1, 0)]
    below = centres[min(index + 1, len(centres) - 1)]
    direction = np.asarray(above, float) - np.asarray(below, float)
    length = float(np.hypot(*direction))
    if length < 1e-6:
        return 0.0, -1.0
    return float(direction[0] / length), float(direction[1] / length)


def local_spacing(centres: NDArray[np.floating], steps: NDArray[np.integer] | None = None) -> Array:
    """The smooth distance to the neighbour at each of the `centres` (n, 2), from the top down.

    The median over two gaps above and two below, so that one collapsed body or one missed centre
    does not change the scale of its patch. `steps` (n - 1) counts the levels that a gap spans.
    """
    points = np.asarray(centres, float)
    if len(points) < 2:
        raise ValueError(f"spacing: expected two centres or more, found {len(points)}")
    gaps = np.hypot(*np.diff(points, axis=0).T)
    if steps is not None:
        gaps = gaps / np.maximum(np.asarray(steps), 1)
    n = len(points)
    return np.array([float(np.median(gaps[max(0, i - 2) : i + 2])) for i in range(n)])
