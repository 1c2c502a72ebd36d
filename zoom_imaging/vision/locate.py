"""Find centres of vertebral bodies, without names: a heatmap over the film, then its peaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.vision.bundle import LocateParameters
from zoom_imaging.vision.canvas import Canvas
from zoom_imaging.vision.engine import Engine

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Peaks:
    """Candidates on a canvas: `places` (n, 2) as (column, row), `probabilities` (n,), best first.

    `sacrum` is the place of S1 and its probability, None where it is not seen.
    """

    places: Floats
    probabilities: Floats
    sacrum: tuple[float, float, float] | None


def locate(canvas: Canvas, engine: Engine, how: LocateParameters) -> Peaks:
    """Average the locator's answers over overlapping tiles of the canvas and take the peaks."""
    from scipy import ndimage

    zoom = canvas.mm / how.pitch_mm
    width = max(1, round(1 / zoom))
    grey = ndimage.uniform_filter(canvas.pixels, width, mode="nearest")
    rows, columns = (max(8, round(side * zoom)) for side in canvas.pixels.shape)
    factor = (canvas.pixels.shape[0] / rows, canvas.pixels.shape[1] / columns)
    down = (np.arange(rows) + 0.5) * factor[0] - 0.5
    across = (np.arange(columns) + 0.5) * factor[1] - 0.5
    grid = np.meshgrid(down, across, indexing="ij")
    small = ndimage.map_coordinates(grey, grid, order=1, mode="nearest")
    inside = ndimage.map_coordinates(canvas.valid.astype(np.uint8), grid, order=0, mode="nearest")
    inside = (inside > 0).astype(np.float32)
    heat = _tiled(np.stack([small * inside, inside]).astype(np.float32), engine, how)
    heat = heat * inside

    def to_canvas(places: Floats) -> Floats:
        return np.asarray((places + 0.5) * np.array(factor[::-1]) - 0.5)

    places, probabilities = find_peaks(
        heat[0], how.peak_probability, how.peak_radius_mm / how.pitch_mm
    )
    below, certain = find_peaks(heat[1], how.sacrum_probability, 40.0 / how.pitch_mm)
    sacrum = None
    if len(below):
        column, row = to_canvas(below)[0]
        sacrum = (float(column), float(row), float(certain[0]))
    return Peaks(to_canvas(places), probabilities, sacrum)


def _tiled(film: NDArray[np.float32], engine: Engine, how: LocateParameters) -> Floats:
    """Probabilities (2, rows, columns) over the whole film (2, rows, columns)."""
    import torch
    from monai.inferers.inferer import SlidingWindowInferer

    def predict(tiles: torch.Tensor) -> torch.Tensor:
        (logits,) = engine.run("locator", tiles.numpy())
        chance = torch.sigmoid(torch.from_numpy(logits))
        size = tiles.shape[-2:]
        return torch.nn.functional.interpolate(chance, size, mode="bilinear", align_corners=False)

    inferer = SlidingWindowInferer(
        roi_size=(how.tile, how.tile),
        sw_batch_size=8,
        overlap=how.overlap,
        mode="gaussian",
        padding_mode="constant",
    )
    out = inferer(torch.from_numpy(film)[None], predict)
    return np.asarray(out[0].numpy(), dtype=float)


def find_peaks(heat: NDArray[np.floating], least: float, radius: float) -> tuple[Floats, Floats]:
    """Maxima of `heat` above `least`, at least `radius` pixels apart, the highest first.

    Places (n, 2) as (column, row), refined below a pixel by a parabola, and their values (n,).
    """
    from scipy import ndimage

    values = np.asarray(heat, float)
    top = ndimage.maximum_filter(values, size=3, mode="constant")
    rows, columns = np.nonzero((values == top) & (values >= least))
    order = np.lexsort((columns, rows, -values[rows, columns]))
    kept: list[tuple[float, float]] = []
    chances: list[float] = []
    for k in order:
        row, column = int(rows[k]), int(columns[k])
        if all(np.hypot(column - c, row - r) >= radius for c, r in kept):
            kept.append(
                (
                    column + _parabola(values, row, column, 1),
                    row + _parabola(values, row, column, 0),
                )
            )
            chances.append(float(values[row, column]))
    return np.array(kept, float).reshape(-1, 2), np.array(chances, float)


def _parabola(values: Floats, row: int, column: int, axis: int) -> float:
    """Offset of the maximum from a pixel along one axis, at most half a pixel."""
    dr, dc = (1, 0) if axis == 0 else (0, 1)
    ends = (row - dr, column - dc, row + dr, column + dc)
    if ends[0] < 0 or ends[1] < 0 or ends[2] >= values.shape[0] or ends[3] >= values.shape[1]:
        return 0.0
    before, here, after = values[ends[0], ends[1]], values[row, column], values[ends[2], ends[3]]
    bend = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0
