"""Colour pictures that are grey: three equal channels, or a palette of greys.

A radiograph that was stored as RGB or as palette indices has three equal channels. A picture with
real colour is a screen capture or a photograph and is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from zoom_imaging.errors import NotRelevantError, UnreadableError
from zoom_imaging.ingest.faults import PARSER_ERRORS
from zoom_imaging.radiograph.layout import Layout

_TOLERANCE = 8 / 255
"""Lossy compression lets equal channels differ a little."""


def is_colour(layout: Layout) -> bool:
    """True for everything but MONOCHROME1 and MONOCHROME2."""
    return layout.samples > 1 or layout.photometric not in {"MONOCHROME1", "MONOCHROME2"}


def grey_from_colour(
    values: NDArray[np.int32], dataset: Dataset, layout: Layout, path: str
) -> tuple[NDArray[np.float32], str]:
    """Grey values 0..1 of shape (rows, columns) and a note on what was done.

    NotRelevantError names the photometric interpretation of real colour; UnreadableError a palette
    that cannot be applied.
    """
    if layout.photometric == "PALETTE COLOR" and layout.samples == 1:
        channels, top = _apply_palette(values, dataset, path)
        note = "palette indices (PALETTE COLOR) with a grey palette, read through the palette"
    elif layout.samples >= 3:
        channels, top = _rgb(values, layout), float((1 << layout.bits_stored) - 1)
        note = f"three equal channels ({layout.photometric}), read as grey"
    else:
        raise NotRelevantError(
            f"{path}: the photometric interpretation {layout.photometric} is not that of a "
            "radiograph",
            expected="MONOCHROME1, MONOCHROME2, or equal channels",
            found=f"{layout.samples} samples a pixel",
        )
    difference = channels.max(axis=-1) - channels.min(axis=-1)
    if float(difference.max()) > _TOLERANCE * top:
        raise NotRelevantError(
            f"{path}: a colour picture (photometric interpretation {layout.photometric}), "
            "not a radiograph",
            expected="equal channels",
            found=f"channels that differ by up to {float(difference.max()) / top:.0%}",
        )
    return (channels[..., 1] / np.float32(top)).astype(np.float32), note


def _rgb(values: NDArray[np.int32], layout: Layout) -> NDArray[np.float32]:
    if layout.photometric.startswith("YBR_FULL"):
        # equal channels are neutral chroma: luminance alone is the picture
        middle = 1 << (layout.bits_stored - 1)
        luminance = values[..., 0].astype(np.float32)
        chroma = values[..., 1:3].astype(np.float32) - middle
        return np.stack(
            [luminance + 1.402 * chroma[..., 1], luminance, luminance + 1.772 * chroma[..., 0]],
            axis=-1,
        )
    return values[..., :3].astype(np.float32)


def _apply_palette(
    values: NDArray[np.int32], dataset: Dataset, path: str
) -> tuple[NDArray[np.float32], float]:
    try:
        coloured: NDArray[Any] = apply_color_lut(values, dataset)
        declared = int(dataset.RedPaletteColorLookupTableDescriptor[2])
    except PARSER_ERRORS as e:
        raise UnreadableError(
            f"{path}: the palette of PALETTE COLOR cannot be applied ({e})",
            remedy="export the image as MONOCHROME2",
        ) from e
    largest = max(int(coloured.max()), 1)
    bits = max(declared, largest.bit_length())
    return coloured[..., :3].astype(np.float32), float((1 << bits) - 1)
