"""A film made ready to be looked at: a window of it, resampled and stretched in contrast.

Only for the eye. A plate is small, so that films can be opened one at a time and let go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import Point
from zoom_imaging.radiograph.film import Radiograph

OUTSIDE_FILM = 38
"""Grey value where the window reaches beyond the film: flat, and unlike exposed film."""

_DARKEST_PERCENTILE, _BRIGHTEST_PERCENTILE = 0.5, 99.8
_LOCAL_CONTRAST_LIMIT = 0.006


@dataclass(frozen=True)
class Window:
    """A rectangle of a film in pixels of the stored image; its edges may lie outside the film.

    The centre of the first pixel is 0, so the whole film is (-0.5, -0.5, columns, rows).
    """

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def whole(cls, radiograph: Radiograph) -> Window:
        """All of the film."""
        rows, columns = radiograph.pixels.shape
        return cls(-0.5, -0.5, float(columns), float(rows))


@dataclass(frozen=True)
class Plate:
    """Grey values (uint8, rows x columns of the picture) of a window of a film."""

    grey: NDArray[np.uint8]
    window: Window

    def place(self, points: tuple[Point, ...] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Film pixels of shape (n, 2) as (column, row) as pixels of this plate."""
        rows, columns = self.grey.shape
        array = np.asarray(points, dtype=float).reshape(-1, 2)
        origin = np.array([self.window.left, self.window.top])
        zoom = np.array([columns / self.window.width, rows / self.window.height])
        placed: NDArray[np.float64] = (array - origin) * zoom - 0.5
        return placed


def make_plate(radiograph: Radiograph, window: Window, columns: int, rows: int) -> Plate:
    """Resample a window to `columns` x `rows`: area averages when smaller, cubic when larger.

    Contrast is stretched between percentiles of the valid part and levelled locally, so that the
    thoracic and the lumbar spine of one film can be seen together.
    """
    film_rows, film_columns = radiograph.pixels.shape
    zoom_x, zoom_y = columns / window.width, rows / window.height
    # The part of the picture that lies on the film, in whole pixels of the picture.
    x0 = max(0, int(np.ceil((-0.5 - window.left) * zoom_x - 1e-6)))
    y0 = max(0, int(np.ceil((-0.5 - window.top) * zoom_y - 1e-6)))
    x1 = min(columns, int(np.floor((film_columns - 0.5 - window.left) * zoom_x + 1e-6)))
    y1 = min(rows, int(np.floor((film_rows - 0.5 - window.top) * zoom_y + 1e-6)))
    grey = np.full((rows, columns), OUTSIDE_FILM, dtype=np.uint8)
    if x1 <= x0 or y1 <= y0:
        return Plate(grey, window)
    box = (
        max(0.0, window.left + 0.5 + x0 / zoom_x),
        max(0.0, window.top + 0.5 + y0 / zoom_y),
        min(float(film_columns), window.left + 0.5 + x1 / zoom_x),
        min(float(film_rows), window.top + 0.5 + y1 / zoom_y),
    )
    values = _resample(radiograph.pixels, box, x1 - x0, y1 - y0)
    valid = _resample(radiograph.valid, box, x1 - x0, y1 - y0) > 0.5
    grey[y0:y1, x0:x1] = _stretch(values, valid)
    return Plate(grey, window)


def _resample(
    values: NDArray[Any], box: tuple[float, float, float, float], columns: int, rows: int
) -> NDArray[np.float32]:
    from PIL import Image

    # Only the part that is needed is copied: films of 100 megapixels occur.
    left, top = int(np.floor(box[0])), int(np.floor(box[1]))
    part = values[top : int(np.ceil(box[3])), left : int(np.ceil(box[2]))]
    part = np.ascontiguousarray(part, dtype=np.float32)
    inner = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    smaller = columns <= inner[2] - inner[0] and rows <= inner[3] - inner[1]
    method = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
    image = Image.fromarray(part).resize((columns, rows), method, box=inner)
    return np.asarray(image, dtype=np.float32)


def _stretch(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    from skimage.exposure import equalize_adapthist

    judged = values[valid] if valid.any() else values.ravel()
    darkest, brightest = np.percentile(judged, [_DARKEST_PERCENTILE, _BRIGHTEST_PERCENTILE])
    if brightest - darkest < 1e-6:
        return np.full(values.shape, 128, dtype=np.uint8)
    even = np.clip((values - darkest) / (brightest - darkest), 0.0, 1.0)
    tile = (max(8, values.shape[0] // 8), max(8, values.shape[1] // 3))
    levelled = equalize_adapthist(even, kernel_size=tile, clip_limit=_LOCAL_CONTRAST_LIMIT)
    # Half of it: fully levelled, bright and dark bone lose the shades inside them.
    mixed = np.clip(0.5 * (even + levelled), 0.0, 1.0)
    grey: NDArray[np.uint8] = np.round(mixed * 255.0).astype(np.uint8)
    return grey
