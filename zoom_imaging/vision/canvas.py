"""The film as the networks want it: square pixels of about half a millimetre, with a way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.radiograph.film import Radiograph

TARGET_MM = 0.5
"""Pixel of the training films; finer films are averaged down to this, never below 0.4 mm."""


@dataclass(frozen=True)
class Canvas:
    """A film with square pixels of `mm` millimetres.

    `pixels` (rows, columns) 0..1 and `valid` as in `Radiograph`; `step` is the (column, row) size
    of one canvas pixel in pixels of the stored image. Where the scale of the film is not known,
    `mm` is an assumption.
    """

    pixels: NDArray[np.float32]
    valid: NDArray[np.bool_]
    mm: float
    step: tuple[float, float]

    def to_film(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Canvas points (..., 2) to pixels of the stored image."""
        return np.asarray((np.asarray(points, float) + 0.5) * np.array(self.step) - 0.5)

    def to_canvas(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixels of the stored image (..., 2) to canvas points."""
        return np.asarray((np.asarray(points, float) + 0.5) / np.array(self.step) - 0.5)

    @property
    def height_mm(self) -> float:
        """Height of the film."""
        return float(self.pixels.shape[0] * self.mm)


def make_canvas(
    film: Radiograph, row_mm: float, column_mm: float, pitch_mm: float | None = None
) -> Canvas:
    """Average a film down to square pixels; the stored pixel is `row_mm` by `column_mm`.

    `pitch_mm` asks for one pixel size; without it the film's own decides, from 0.4 to 0.65 mm.
    """
    by_row = max(1, round(TARGET_MM / row_mm - 0.2))
    by_column = max(1, round(TARGET_MM / column_mm - 0.2))
    grey, share = _block_mean(film.pixels, film.valid, by_row, by_column)
    high, wide = row_mm * by_row, column_mm * by_column
    # Coarse or anisotropic films: the finer of the two directions decides, within reason.
    pitch = pitch_mm or float(np.clip(min(high, wide), 0.4, 0.65))
    zoom = (high / pitch, wide / pitch)
    near = 0.01 if high != wide or pitch_mm else 0.25
    if max(abs(zoom[0] - 1), abs(zoom[1] - 1)) > near:
        size = (round(share.shape[0] * zoom[0]), round(share.shape[1] * zoom[1]))
        grey, share = _resampled(grey, size), _resampled(share, size)
        step = (
            film.pixels.shape[1] // by_column * by_column / share.shape[1],
            film.pixels.shape[0] // by_row * by_row / share.shape[0],
        )
    else:
        step = (float(by_column), float(by_row))
    valid = share > 0.5
    mm = float(np.sqrt(step[0] * column_mm * step[1] * row_mm))
    return Canvas(np.where(valid, grey, 0.0).astype(np.float32), valid, mm, step)


def _block_mean(
    pixels: NDArray[np.float32], valid: NDArray[np.bool_], by_row: int, by_column: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean of the valid pixels of each block, and the share of the block that is valid."""
    rows, columns = pixels.shape[0] // by_row, pixels.shape[1] // by_column
    part = (slice(0, rows * by_row), slice(0, columns * by_column))
    shape = (rows, by_row, columns, by_column)
    weight = valid[part].astype(np.float32).reshape(shape).sum((1, 3))
    total = np.where(valid[part], pixels[part], 0).reshape(shape).sum((1, 3), dtype=np.float32)
    return total / np.maximum(weight, 1.0), weight / (by_row * by_column)


def _resampled(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """The same field as `size` (rows, columns) pixels, linear between and constant at the edge."""
    import SimpleITK as sitk  # noqa: N813 - its customary name

    grid = sitk.Image(size[1], size[0], sitk.sitkFloat32)
    spacing = (values.shape[1] / size[1], values.shape[0] / size[0])
    grid.SetSpacing(spacing)
    grid.SetOrigin([(each - 1) / 2 for each in spacing])  # both begin at the edge of the field
    image = sitk.GetImageFromArray(values)
    moved = sitk.Resample(
        image, grid, sitk.Transform(), sitk.sitkLinear, 0.0, sitk.sitkFloat32, True
    )
    return np.asarray(sitk.GetArrayFromImage(moved), np.float32)
