"""Which pixels are picture: inside the shutter and the collimator, and not a blank border.

Display Shutter (0018,1600-1622) and Collimator (0018,1700-1720) say it in the header, PS3.3
C.7.6.11 and C.8.7.3; a border of one constant value says it in the pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from zoom_imaging.radiograph.decimals import decimals, header_texts

Mask = NDArray[np.bool_]
_LEAST_FRACTION = 0.05
_SHAPES = (
    # keywords of the shape and, of each form, its coordinates
    ("ShutterShape", "Shutter", "Shutter", "VerticesOfThePolygonalShutter"),
    ("CollimatorShape", "Collimator", "Collimator", "VerticesOfThePolygonalCollimator"),
)


def open_field(dataset: Dataset, rows: int, columns: int) -> tuple[Mask, tuple[str, ...]]:
    """True inside every shutter and collimator that the header draws, with warnings.

    A shape that is incomplete, or that would leave less than a twentieth of the picture, is named
    and left out.
    """
    field = np.ones((rows, columns), dtype=bool)
    notes: list[str] = []
    for keyword, edge, circle, polygon in _SHAPES:
        for form in header_texts(dataset, keyword):
            inside = _inside(dataset, form.upper(), (edge, circle, polygon), rows, columns)
            if inside is None:
                notes.append(f"{keyword} {form} could not be read; not used")
            elif (field & inside).mean() < _LEAST_FRACTION:
                notes.append(f"{keyword} {form} would hide the picture; not used")
            else:
                field &= inside
    return field, tuple(notes)


def _inside(
    dataset: Dataset, form: str, names: tuple[str, str, str], rows: int, columns: int
) -> Mask | None:
    edge, circle, polygon = names
    row, column = np.ogrid[1 : rows + 1, 1 : columns + 1]  # the standard counts from 1
    if form == "RECTANGULAR":
        left, right, upper, lower = (
            decimals(dataset, f"{edge}{side}Edge").first
            for side in ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
        )
        if left is None or right is None or upper is None or lower is None:
            return None
        return (column > left) & (column < right) & (row > upper) & (row < lower)
    if form == "CIRCULAR":
        centre = decimals(dataset, f"CenterOfCircular{circle}").values
        radius = decimals(dataset, f"RadiusOfCircular{circle}").first
        if len(centre) != 2 or centre[0] is None or centre[1] is None or radius is None:
            return None
        distance: NDArray[Any] = np.hypot(row - centre[0], column - centre[1])
        return distance <= radius
    if form == "POLYGONAL":
        return _polygon(decimals(dataset, polygon).values, rows, columns)
    return None


def _polygon(values: tuple[float | None, ...], rows: int, columns: int) -> Mask | None:
    numbers = [value for value in values if value is not None]
    if len(numbers) != len(values) or len(numbers) < 6 or len(numbers) % 2:
        return None
    from skimage.draw import polygon2mask

    vertices = np.array(numbers, dtype=float).reshape(-1, 2) - 1
    inside: Mask = polygon2mask((rows, columns), vertices)  # type: ignore[no-untyped-call]
    return inside


def blank_border(values: NDArray[np.int32], inside: Mask) -> Mask:
    """True on whole rows and columns along the four edges that hold one constant value.

    `inside` marks pixels that count; pixels outside of it are blank already. Only an exactly
    constant run that starts at an edge is blank: noise is picture.
    """
    rows, columns = values.shape
    top = _leading_constant(values, inside)
    bottom = _leading_constant(values[::-1], inside[::-1])
    left = _leading_constant(values.T, inside.T)
    right = _leading_constant(values.T[::-1], inside.T[::-1])
    blank = np.zeros((rows, columns), dtype=bool)
    blank[:top] = True
    blank[rows - bottom :] = True
    blank[:, :left] = True
    blank[:, columns - right :] = True
    return blank


def _leading_constant(values: NDArray[np.int32], inside: Mask) -> int:
    """Lines from the start whose counted pixels all hold one and the same value."""
    constant: int | None = None
    for number in range(len(values)):
        line = values[number][inside[number]]
        if line.size == 0:
            continue
        first = int(line[0])
        if (constant is not None and first != constant) or (line != first).any():
            return number
        constant = first
    return len(values)
