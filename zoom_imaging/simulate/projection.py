"""Path length through closed surfaces: signed-depth rasterisation in a cone or a slot scan.

Every triangle adds the depth of its surface with the sign of its orientation to the pixels whose
ray it meets: what enters minus what leaves is the length inside, whatever the shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.simulate.mesh import Faces, Floats

# A ray through a shared edge must belong to one triangle only: an irrational shift keeps pixel
# centres off the edges of symmetrical meshes.
_SHIFT_PX = np.array([3.1e-4, 2.7e-4])


@dataclass(frozen=True)
class Geometry:
    """A lateral exposure: focus and detector on the left-right axis, plane x = 0 in between.

    `detector_side` is +1 where the detector is at the patient's left. A slot scan moves focus and
    slot along the body: magnification acts across the body only. `mirrored` puts anterior at the
    right of the image. Pixel centres are whole numbers; (`centre_y_mm`, `centre_z_mm`) is the
    central ray and meets the middle of the image.
    """

    pixel_mm: float
    rows: int
    columns: int
    source_to_detector_mm: float
    spine_to_detector_mm: float
    centre_y_mm: float
    centre_z_mm: float
    slot: bool = False
    detector_side: int = 1
    mirrored: bool = False

    @property
    def magnification(self) -> float:
        """Of the plane x = 0."""
        return self.source_to_detector_mm / (self.source_to_detector_mm - self.spine_to_detector_mm)

    def project(self, world: Floats) -> Floats:
        """(n, 3) of x, y, z to (n, 3) of column, row and distance from the focus along x (mm)."""
        distance = self._distance(world)
        zoom = self.source_to_detector_mm / distance
        across = (world[:, 1] - self.centre_y_mm) * zoom / self.pixel_mm
        along = (world[:, 2] - self.centre_z_mm) * (1.0 if self.slot else zoom) / self.pixel_mm
        if self.mirrored:
            across = -across
        column = across + (self.columns - 1) / 2
        row = (self.rows - 1) / 2 - along
        return np.stack([column, row, distance], axis=1)

    def _distance(self, world: Floats) -> Floats:
        plane = self.source_to_detector_mm - self.spine_to_detector_mm
        distance: Floats = plane + self.detector_side * world[:, 0]
        return distance

    def obliquity(self) -> Floats:
        """(rows, columns): length along the ray per millimetre of depth."""
        across = (np.arange(self.columns) - (self.columns - 1) / 2) * self.pixel_mm
        along = ((self.rows - 1) / 2 - np.arange(self.rows)) * self.pixel_mm
        if self.slot:
            along = np.zeros_like(along)
        square = (across[None, :] ** 2 + along[:, None] ** 2) / self.source_to_detector_mm**2
        factor: Floats = np.sqrt(1.0 + square)
        return factor


@dataclass(frozen=True)
class DepthWindow:
    """Millimetres inside a surface, along x, on the part of the image that it covers."""

    rows: slice
    columns: slice
    depth_mm: Floats

    def add_to(self, image: Floats, factor: float = 1.0) -> None:
        """Add `factor` times the depth to a whole image."""
        image[self.rows, self.columns] += factor * self.depth_mm

    def within(self, outer: DepthWindow) -> Floats:
        """The depth on the window of an outer surface, at most the depth of that one."""
        whole = np.zeros_like(outer.depth_mm)
        rows = slice(max(self.rows.start, outer.rows.start), min(self.rows.stop, outer.rows.stop))
        columns = slice(
            max(self.columns.start, outer.columns.start),
            min(self.columns.stop, outer.columns.stop),
        )
        if rows.start < rows.stop and columns.start < columns.stop:
            whole[_shifted(rows, outer.rows), _shifted(columns, outer.columns)] = self.depth_mm[
                _shifted(rows, self.rows), _shifted(columns, self.columns)
            ]
        return np.minimum(whole, outer.depth_mm)


def _shifted(inner: slice, outer: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)


def depth_window(geometry: Geometry, world: Floats, faces: Faces) -> DepthWindow:
    """Depth inside a closed surface of vertices (n, 3) in mm and faces (m, 3)."""
    points = geometry.project(world)
    points[:, :2] += _SHIFT_PX
    if not geometry.slot:
        # 1/distance is linear in the image of a flat triangle; the distance is not.
        points[:, 2] = 1.0 / points[:, 2]
    low = np.floor(points[:, :2].min(axis=0)).astype(int)
    high = np.ceil(points[:, :2].max(axis=0)).astype(int) + 1
    first_column, last_column = np.clip([low[0], high[0]], 0, geometry.columns)
    first_row, last_row = np.clip([low[1], high[1]], 0, geometry.rows)
    image = np.zeros((last_row - first_row, last_column - first_column))
    if image.size:
        points[:, :2] -= (first_column, first_row)
        _rasteriser()(points[faces], image, not geometry.slot)
    return DepthWindow(
        slice(int(first_row), int(last_row)),
        slice(int(first_column), int(last_column)),
        np.abs(image),
    )


def depth(geometry: Geometry, world: Floats, faces: Faces) -> Floats:
    """(rows, columns): millimetres along x inside a closed surface; times obliquity is the path."""
    image = np.zeros((geometry.rows, geometry.columns))
    depth_window(geometry, world, faces).add_to(image)
    return image


@cache
def _rasteriser() -> Any:
    import numba

    return numba.njit(cache=True, fastmath=True, nogil=True)(_rasterise)


def _rasterise(
    triangles: NDArray[np.float64], image: NDArray[np.float64], perspective: bool
) -> None:
    rows, columns = image.shape
    for index in range(triangles.shape[0]):
        x0, y0, z0 = triangles[index, 0, 0], triangles[index, 0, 1], triangles[index, 0, 2]
        x1, y1, z1 = triangles[index, 1, 0], triangles[index, 1, 1], triangles[index, 1, 2]
        x2, y2, z2 = triangles[index, 2, 0], triangles[index, 2, 1], triangles[index, 2, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0.0:
            continue
        sign = 1.0 if area > 0 else -1.0
        first_row = max(0, int(np.ceil(min(y0, y1, y2))))
        last_row = min(rows - 1, int(np.floor(max(y0, y1, y2))))
        first_column = max(0, int(np.ceil(min(x0, x1, x2))))
        last_column = min(columns - 1, int(np.floor(max(x0, x1, x2))))
        for row in range(first_row, last_row + 1):
            for column in range(first_column, last_column + 1):
                a = ((x1 - column) * (y2 - row) - (x2 - column) * (y1 - row)) / area
                b = ((x2 - column) * (y0 - row) - (x0 - column) * (y2 - row)) / area
                c = 1.0 - a - b
                if a >= 0.0 and b >= 0.0 and c > 0.0:
                    value = a * z0 + b * z1 + c * z2
                    if perspective:
                        value = 1.0 / value
                    image[row, column] += sign * value
