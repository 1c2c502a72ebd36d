"""Rows along which a stitched film was joined.

Long films are joined from two or three exposures. Where the parts differ in exposure, or were laid
at an offset, grey values jump along one whole row: no anatomy does that over the full width. The
search is conservative: it reports a row only where the jump stands out from the rows around it in
nearly every part of the width. DICOM has no attribute for the position of a seam.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from zoom_imaging.radiograph.decimals import header_texts

Mask = NDArray[np.bool_]
_BLOCKS = 16
_LEAST_BLOCKS = 8
_SHARE = 0.8
_TIMES = 4.0
_WINDOW = 21
_EDGE_ROWS = 4
_STITCHED_WORDS = ("STITCH", "COMPOSED", "MERGED", "PASTED", "JOINED")


def find_seams(pixels: NDArray[np.floating[Any]], valid: Mask) -> tuple[int, ...]:
    """Rows that begin a new part of a stitched film: the jump lies between row - 1 and row.

    `pixels` has shape (rows, columns); only differences between two valid pixels count. Each of the
    column blocks votes for a row where its jump is at least four times the jump that is usual
    around it: the common jump of its columns (another exposure), or their mean absolute one
    (another position). A seam needs the votes of four fifths of all blocks that see any texture.
    """
    rows, columns = pixels.shape
    if rows < 4 * _WINDOW or columns < 2 * _BLOCKS or not valid.any():
        return ()
    common, absolute, seen = _jumps(pixels, valid)
    floor = 0.002 * float(np.ptp(pixels[valid]))
    votes = np.zeros(rows)
    voters = np.zeros(rows)
    for jumps in (common, absolute):
        usual = _usual(jumps)
        stands_out = seen & (jumps > _TIMES * usual) & (jumps > floor)
        votes = np.maximum(votes, stands_out.sum(axis=1))
        voters = np.maximum(voters, (seen & ((usual > 0) | (jumps > floor))).sum(axis=1))
    found = (votes >= _SHARE * voters) & (voters >= _LEAST_BLOCKS)
    first, last = _picture_rows(valid)
    found[: first + _EDGE_ROWS] = False
    found[max(last - _EDGE_ROWS, 0) :] = False
    return _one_row_each(np.where(found, absolute.sum(axis=1), 0.0))


def _jumps(
    pixels: NDArray[np.floating[Any]], valid: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64], Mask]:
    """Differences to the row above in each block of columns, all of shape (rows, blocks).

    The absolute median difference, the mean absolute difference, and whether the block is picture
    in both rows.
    """
    rows = len(pixels)
    difference = np.diff(pixels, axis=0)
    both = valid[1:] & valid[:-1]
    common, absolute = np.zeros((rows, _BLOCKS)), np.zeros((rows, _BLOCKS))
    seen = np.zeros((rows, _BLOCKS), dtype=bool)
    pieces = zip(
        np.array_split(difference, _BLOCKS, axis=1),
        np.array_split(both, _BLOCKS, axis=1),
        strict=True,
    )
    for block, (part, counted) in enumerate(pieces):
        full = counted.all(axis=1)
        seen[1:, block] = full
        common[1:, block] = np.where(full, np.abs(np.median(part, axis=1)), 0.0)
        absolute[1:, block] = np.where(full, np.abs(part).mean(axis=1), 0.0)
    return common, absolute, seen


def _usual(jumps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running median of the jumps along the rows."""
    from scipy import ndimage

    return np.asarray(
        ndimage.median_filter(jumps, size=(_WINDOW, 1), mode="nearest"), dtype=np.float64
    )


def _picture_rows(valid: Mask) -> tuple[int, int]:
    rows = np.flatnonzero(valid.any(axis=1))
    return (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)


def _one_row_each(strength: NDArray[np.float64]) -> tuple[int, ...]:
    """The strongest row of each run of rows that lie at most three apart."""
    rows = np.flatnonzero(strength)
    if rows.size == 0:
        return ()
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > 3) + 1)
    return tuple(int(group[np.argmax(strength[group])]) for group in groups)


def says_stitched(dataset: Dataset) -> bool:
    """True where the header calls the picture stitched or composed, without saying where."""
    words = " ".join(
        text
        for keyword in (
            "ImageType",
            "DerivationDescription",
            "SeriesDescription",
            "AcquisitionDeviceProcessingDescription",
        )
        for text in header_texts(dataset, keyword)
    ).upper()
    return any(word in words for word in _STITCHED_WORDS)
