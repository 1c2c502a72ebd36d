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
_NEAR = 3
_STITCHED_WORDS = ("STITCH", "COMPOSED", "MERGED", "PASTED", "JOINED")


def find_seams(pixels: NDArray[np.floating[Any]], valid: Mask) -> tuple[int, ...]:
    """Rows that begin a new part of a stitched film: the jump lies between row - 1 and row.

    `pixels` has shape (rows, columns); only differences between two valid pixels count. Each of the
    column blocks votes for a row where its jump is at least four times the jump that is usual
    around it: the common jump of its columns (another exposure), the same over a drawn line of up
    to two rows, or their mean absolute jump (another position). A seam needs the votes of four
    fifths of all blocks that see any texture.
    """
    rows, columns = pixels.shape
    if rows < 4 * _WINDOW or columns < 2 * _BLOCKS or not valid.any():
        return ()
    floor = 0.002 * float(np.ptp(pixels[valid]))
    common, absolute, seen = _jumps(pixels, valid, 1)
    over_line, _, seen_over_line = _jumps(pixels, valid, 3)
    exact = _outvoted(common, seen, floor) | _outvoted(absolute, seen, floor)
    lined = _outvoted(over_line, seen_over_line, floor)
    first, last = _picture_rows(valid)
    for found in (exact, lined):
        found[: first + _EDGE_ROWS] = False
        found[max(last - _EDGE_ROWS, 0) :] = False
    strength = absolute.sum(axis=1)
    rows_found = [int(group[np.argmax(strength[group])]) for group in _groups(exact)]
    # A drawn line hides the row itself: the last row that still looks over it is its own.
    rows_found += [
        int(group[-1])
        for group in _groups(lined)
        if all(abs(int(group[-1]) - row) > 2 * _NEAR for row in rows_found)
    ]
    return tuple(sorted(rows_found))


def _outvoted(jumps: NDArray[np.float64], seen: Mask, floor: float) -> Mask:
    """Rows whose jump stands out in four fifths of the blocks that see any texture."""
    usual = _usual(jumps)
    votes = (seen & (jumps > _TIMES * usual) & (jumps > floor)).sum(axis=1)
    voters = (seen & ((usual > 0) | (jumps > floor))).sum(axis=1)
    return np.asarray((votes >= _SHARE * voters) & (voters >= _LEAST_BLOCKS))


def _jumps(
    pixels: NDArray[np.floating[Any]], valid: Mask, distance: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], Mask]:
    """Differences between row - 1 and row - 1 + distance in blocks of columns: (rows, blocks).

    The absolute mean difference, the mean absolute difference, and whether at least half of the
    block is picture in both rows. Pure black and white are not: text is burned in with them.
    """
    rows, columns = pixels.shape
    picture = valid & (pixels > pixels.min()) & (pixels < pixels.max())
    both = picture[distance:] & picture[:-distance]
    difference = np.where(both, pixels[distance:] - pixels[:-distance], 0.0)
    starts = np.linspace(0, columns, _BLOCKS, endpoint=False).astype(int)
    counted = np.add.reduceat(both, starts, axis=1, dtype=np.float64)
    widths = np.diff([*starts, columns])
    several = np.maximum(counted, 1)
    sums = (
        np.abs(np.add.reduceat(difference, starts, axis=1, dtype=np.float64)),
        np.add.reduceat(np.abs(difference), starts, axis=1, dtype=np.float64),
    )
    place = slice(1, rows - distance + 1)
    seen = np.zeros((rows, _BLOCKS), dtype=bool)
    seen[place] = counted >= widths / 2
    common, absolute = np.zeros((rows, _BLOCKS)), np.zeros((rows, _BLOCKS))
    common[place], absolute[place] = (total / several for total in sums)
    return np.where(seen, common, 0.0), np.where(seen, absolute, 0.0), seen


def _usual(jumps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running median of the jumps along the rows."""
    from scipy import ndimage

    return np.asarray(
        ndimage.median_filter(jumps, size=(_WINDOW, 1), mode="nearest"), dtype=np.float64
    )


def _picture_rows(valid: Mask) -> tuple[int, int]:
    rows = np.flatnonzero(valid.any(axis=1))
    return (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)


def _groups(found: Mask) -> list[NDArray[np.intp]]:
    """Runs of found rows that lie at most three apart."""
    rows = np.flatnonzero(found)
    if rows.size == 0:
        return []
    return np.split(rows, np.flatnonzero(np.diff(rows) > _NEAR) + 1)


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
