"""How the pixels of an image are stored, as its header declares it (PS3.3 C.7.6.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from zoom_imaging.errors import NotRelevantError, UnreadableError
from zoom_imaging.radiograph.decimals import header_text, header_texts, whole_number

LARGEST_PIXELS = 64 * 1024**2
"""Samples of all frames together; a whole spine of 9000 x 3500 has half of it."""


@dataclass(frozen=True)
class Layout:
    """How a pixel is stored (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: int

    @property
    def frame_pixels(self) -> int:
        """Pixels of one frame."""
        return self.rows * self.columns

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame."""
        return self.frame_pixels * self.samples * (self.bits_allocated // 8)

    @property
    def container(self) -> np.dtype[Any]:
        """Unsigned type of one sample as it lies in the file."""
        return np.dtype(f"u{self.bits_allocated // 8}")


def read_layout(dataset: Dataset, path: str) -> Layout:
    """The image pixel module; UnreadableError or NotRelevantError for what cannot be a radiograph.

    Sizes are checked here, before memory is taken.
    """

    def need(keyword: str, default: int | None = None) -> int:
        number = whole_number(dataset, keyword)
        if number is None:
            number = default
        if number is None:
            raise UnreadableError(
                f"{path}: the image has no usable {keyword}",
                expected="a whole number",
                found=repr(" ".join(header_texts(dataset, keyword))),
                remedy="copy the file again from its source",
            )
        return number

    allocated = need("BitsAllocated")
    stored = need("BitsStored", allocated)
    layout = Layout(
        rows=need("Rows"),
        columns=need("Columns"),
        frames=need("NumberOfFrames", 1) or 1,
        samples=need("SamplesPerPixel", 1),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=need("HighBit", stored - 1),
        signed=need("PixelRepresentation", 0) == 1,
        photometric=header_text(dataset, "PhotometricInterpretation").upper() or "MONOCHROME2",
        planar=need("PlanarConfiguration", 0),
    )
    _check_layout(layout, path)
    return layout


def _check_layout(layout: Layout, path: str) -> None:
    if layout.rows < 1 or layout.columns < 1 or layout.frames < 1:
        raise UnreadableError(
            f"{path}: the image has no area",
            expected="rows, columns and frames of at least 1",
            found=f"{layout.rows} x {layout.columns}, {layout.frames} frames",
        )
    if layout.frame_pixels * layout.frames * max(layout.samples, 1) > LARGEST_PIXELS:
        raise UnreadableError(
            f"{path}: the declared image is too large",
            expected=f"at most {LARGEST_PIXELS} samples",
            found=f"{layout.frames} frames of {layout.rows} x {layout.columns} "
            f"with {layout.samples} samples",
        )
    if layout.bits_allocated not in {8, 16, 32} or layout.samples not in {1, 3, 4}:
        raise NotRelevantError(
            f"{path}: the image is stored in a way that no radiograph uses",
            expected="8, 16 or 32 bits allocated, 1 or 3 samples",
            found=f"{layout.bits_allocated} bits, {layout.samples} samples",
        )
    if not (
        1 <= layout.bits_stored <= layout.bits_allocated
        and layout.bits_stored - 1 <= layout.high_bit < layout.bits_allocated
    ):
        raise UnreadableError(
            f"{path}: Bits Stored and High Bit contradict Bits Allocated",
            expected=f"at most {layout.bits_allocated} bits with the high bit inside",
            found=f"Bits Stored {layout.bits_stored}, High Bit {layout.high_bit}",
        )
