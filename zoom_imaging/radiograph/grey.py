"""From stored bits to grey values 0..1 with bone bright, and which pixels are padding.

The order of PS3.3 C.11 and PS3.4 N.2: bits, modality LUT, VOI LUT or window, and one inversion at
the very end. Padding is found in the stored values and takes part in no statistic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from zoom_imaging.errors import UnreadableError
from zoom_imaging.radiograph.decimals import converted_value, header_text
from zoom_imaging.radiograph.layout import Layout
from zoom_imaging.radiograph.lut import modality_values, voi_values

Mask = NDArray[np.bool_]
_NEARLY_ALL = 0.98
_SPECKLE_FRACTION = 0.001


@dataclass(frozen=True)
class Grey:
    """Grey values of one frame, 0..1, and what had to be said about them."""

    pixels: NDArray[np.float32]
    warnings: tuple[str, ...]


def unpack(stored: NDArray[Any], layout: Layout, path: str) -> NDArray[np.int32]:
    """Pixel values out of their containers: shifted down, masked, sign extended (PS3.5 8.1.1).

    Whatever lies above the high bit (embedded overlays, junk) or below the stored bits is dropped.
    UnreadableError where the header says that the values stand at the top of their containers and
    no value does: then either the header is wrong or an encoder has cut the values.
    """
    shift = layout.high_bit + 1 - layout.bits_stored
    largest = int(stored.max()) if stored.size else 0
    if shift and 0 < largest < 1 << layout.bits_stored:
        raise UnreadableError(
            f"{path}: the pixel values contradict Bits Stored {layout.bits_stored} and High Bit "
            f"{layout.high_bit}",
            expected=f"values up to {(1 << (layout.high_bit + 1)) - 1}",
            found=f"no value above {largest}",
            remedy="export the image again with a right High Bit",
        )
    mask = (1 << layout.bits_stored) - 1
    wide = np.int64 if layout.bits_allocated > 16 else np.int32
    values: NDArray[Any] = np.right_shift(stored.astype(wide), shift) & mask
    if layout.signed:
        sign = 1 << (layout.bits_stored - 1)
        values = (values ^ sign) - sign
    if values.size and int(values.max()) > np.iinfo(np.int32).max:
        raise UnreadableError(f"{path}: the pixel values need more than 31 bits")
    return np.asarray(values, dtype=np.int32)


def padding(
    stored: NDArray[Any], values: NDArray[np.int32], layout: Layout, dataset: Dataset
) -> tuple[Mask, tuple[str, ...]]:
    """Pixels that hold the padding value (0028,0120) or lie between it and its limit (0028,0121).

    The value is compared with the whole container too, because stitching software pads with values
    beyond the stored range. A value that no tag names, at the border and far outside of all others,
    is padding as well. Returns the mask and warnings.
    """
    mask = np.zeros(values.shape, dtype=bool)
    notes: list[str] = []
    pad = _container_value(dataset, "PixelPaddingValue")
    if pad is not None:
        top = (1 << layout.bits_allocated) - 1
        mask |= stored == (pad & top)
        mask |= values == _as_value(pad, layout)
        limit = _container_value(dataset, "PixelPaddingRangeLimit")
        if limit is not None:
            low, high = sorted((_as_value(pad, layout), _as_value(limit, layout)))
            between = (values >= low) & (values <= high)
            if between.mean() > _NEARLY_ALL:
                notes.append("Pixel Padding Range Limit (0028,0121) covers the picture; not used")
            else:
                mask |= between
    unnamed = _unnamed_padding(values, mask)
    if unnamed is not None:
        mask |= values == unnamed
        notes.append(
            f"the border holds the value {unnamed}, far outside of all others: taken as padding"
        )
    return mask, tuple(notes)


def _container_value(dataset: Dataset, keyword: str) -> int | None:
    """A US or SS element as the 16 bits that it has, whatever sign its VR claims."""
    tag = tag_for_keyword(keyword)
    value = converted_value(dataset, tag) if tag is not None else None
    if isinstance(value, bytes):
        value = int.from_bytes(value[:2], "little") if len(value) >= 2 else None
    return int(value) & 0xFFFF if isinstance(value, int) else None


def _as_value(container: int, layout: Layout) -> int:
    return container - 0x10000 if layout.signed and container & 0x8000 else container


def _unnamed_padding(values: NDArray[np.int32], padded: Mask) -> int | None:
    """An extreme value along the border with a wide gap to the rest of the picture, else None."""
    lines = ((0, slice(None)), (-1, slice(None)), (slice(None), 0), (slice(None), -1))
    edge = np.concatenate([values[line][~padded[line]] for line in lines])
    if edge.size == 0:
        return None
    candidates, counts = np.unique(edge, return_counts=True)
    value = int(candidates[counts.argmax()])
    rest = values[~padded & (values != value)]
    if counts.max() < 0.05 * edge.size or rest.size < 0.02 * values.size:
        return None
    low, high = int(rest.min()), int(rest.max())
    gap = max(low - value, value - high)
    return value if gap > max(high - low, 16) // 2 else None


def outside(padded: Mask) -> Mask:
    """Padding that is no picture: connected to the border, or large.

    A few saturated pixels inside the picture that happen to equal the padding value stay picture.
    """
    if not padded.any():
        return padded
    from scipy import ndimage

    labels, count = ndimage.label(padded)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    keep = sizes > _SPECKLE_FRACTION * padded.size
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        keep[np.unique(edge)] = True
    keep[0] = False
    return np.asarray(keep[labels], dtype=bool)


def is_inverted(dataset: Dataset, layout: Layout) -> tuple[bool, tuple[str, ...]]:
    """Whether low values are bright: MONOCHROME1 or Presentation LUT Shape INVERSE, once for both.

    The two say the same thing in two places (PS3.3 C.11.6); a file that sets one of them is meant
    to be inverted, one that sets both is inverted once.
    """
    shape = header_text(dataset, "PresentationLUTShape").upper()
    photometric = layout.photometric
    notes: tuple[str, ...] = ()
    contradiction = (photometric == "MONOCHROME1" and shape == "IDENTITY") or (
        photometric == "MONOCHROME2" and shape == "INVERSE"
    )
    if contradiction:
        notes = (
            f"Photometric Interpretation {photometric} contradicts Presentation LUT Shape {shape}; "
            "inverted once",
        )
    return photometric == "MONOCHROME1" or shape == "INVERSE", notes


def render(
    values: NDArray[np.int32], counted: Mask, dataset: Dataset, layout: Layout, path: str
) -> Grey:
    """Grey values 0..1 of a monochrome frame; only pixels in `counted` enter statistics.

    Raises UnreadableError for a picture without any contrast or an invalid modality LUT.
    """
    modality, notes = modality_values(values, dataset, layout, path)
    sample = modality.values[counted]
    if sample.size == 0 or float(sample.min()) == float(sample.max()):
        found = "padding only" if sample.size == 0 else f"the single value {float(sample[0]):g}"
        raise UnreadableError(
            f"{path}: the picture is empty", expected="grey values that differ", found=found
        )
    voi, voi_notes = voi_values(modality, dataset, layout)
    notes += voi_notes
    if voi is not None and not _has_contrast(voi[counted]):
        notes += ("the window of the header leaves no picture; grey values scaled by percentiles",)
        voi = None
    pixels = voi if voi is not None else normalise(modality.values, counted)
    inverted, shape_notes = is_inverted(dataset, layout)
    if inverted:
        pixels = 1 - pixels
    return Grey(np.asarray(pixels, dtype=np.float32), notes + shape_notes)


def _has_contrast(sample: NDArray[np.floating[Any]]) -> bool:
    """False if more than 98 % of the picture is wholly black or wholly white."""
    return bool((sample <= 0).mean() <= _NEARLY_ALL and (sample >= 1).mean() <= _NEARLY_ALL)


def normalise(values: NDArray[np.floating[Any]], counted: Mask) -> NDArray[np.float32]:
    """Scale so that the 0.5th and 99.5th percentile of the counted pixels become 0 and 1."""
    sample = values[counted]
    low, high = np.percentile(sample, [0.5, 99.5])
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    scaled = (values - np.float32(low)) / np.float32(high - low)
    return np.asarray(np.clip(scaled, 0, 1), dtype=np.float32)
