"""One radiograph, decoded: grey values with bone bright, scale with its source, view, seams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import SpacingSource, View


@dataclass(frozen=True)
class Scale:
    """Millimetres a pixel, in the plane that `source` stands for (domain rules, section 6).

    `row_mm` is the distance between rows (down), `column_mm` the one between columns (across). Both
    are None only for `SpacingSource.NONE`. `reason` says how the numbers were found or why not.
    """

    source: SpacingSource
    row_mm: float | None
    column_mm: float | None
    reason: str

    @property
    def as_list(self) -> list[float] | None:
        """`[row, column]` as tables and JSON write it."""
        if self.row_mm is None or self.column_mm is None:
            return None
        return [self.row_mm, self.column_mm]


@dataclass(frozen=True)
class Radiograph:
    """A projection radiograph, ready to be measured.

    `pixels` is float32 of shape (rows, columns) in the geometry of the stored image, scaled to
    0..1 after modality LUT, VOI LUT and inversion, so that bone is bright. `valid` is a boolean
    mask of the same shape: False where the image is padding or lies behind a collimator.
    `seams` are the rows along which a stitched film was joined.
    """

    path: str
    sop_instance_uid: str
    pixels: NDArray[np.float32]
    valid: NDArray[np.bool_]
    scale: Scale
    view: View
    view_reason: str
    acquired_on: date | None
    seams: tuple[int, ...] = ()
    frame: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def aspect(self) -> float:
        """Row spacing over column spacing; 1.0 where the scale is unknown."""
        if self.scale.row_mm is None or self.scale.column_mm is None:
            return 1.0
        return self.scale.row_mm / self.scale.column_mm
