"""Text that a machine wrote into a film: found by its look and blanked before a reader sees it.

A header that says "no annotation is burned in" may be wrong. Written text is one line of at least
four letter-like shapes of one extreme grey value, of like height, close beside each other. A side
marker (one or two letters) stays: readers need it. This is no de-identification, which happens
before a run and is checked; it keeps a forgotten line of text from a blinded reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]

FEWEST_LETTERS: Final = 4
_LOWEST_PX, _HIGHEST_PX = 5, 96
_MARGIN_PX: Final = 2
_WIDEST_LETTER, _LONGEST_WORD = 1.5, 40
_LEAST_FILL, _MOST_FILL = 0.2, 0.85
_FADING: Final = 0.08
_MOST_FADING: Final = 0.2


@dataclass(frozen=True)
class _Shape:
    """A connected spot of one extreme grey value, as its box."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def letters(self) -> int:
        """How many letters may be in it: they are somewhat narrower than high."""
        return max(1, round((self.right - self.left) / (0.9 * self.height)))

    def is_beside(self, other: _Shape) -> bool:
        """As the next letter of a line lies: on its row, of like height, at most a blank away."""
        tall = max(self.height, other.height)
        overlap = min(self.bottom, other.bottom) - max(self.top, other.top)
        gap = max(self.left, other.left) - min(self.right, other.right)
        return overlap >= 0.5 * min(self.height, other.height) and gap <= 1.5 * tall


def without_text(pixels: Grey) -> Grey:
    """The film (rows, columns), 0..1, with every line of written text made black."""
    boxes = [box for value in (1.0, 0.0) for box in _lines(pixels, value)]
    if not boxes:
        return pixels
    blanked = pixels.copy()
    rows, columns = pixels.shape
    for box in boxes:
        top, left = max(box.top - _MARGIN_PX, 0), max(box.left - _MARGIN_PX, 0)
        bottom = min(box.bottom + _MARGIN_PX, rows)
        right = min(box.right + _MARGIN_PX, columns)
        blanked[top:bottom, left:right] = 0.0
    return blanked


def _lines(pixels: Grey, value: float) -> list[_Shape]:
    """Boxes of the lines of text of one grey value."""
    shapes = sorted(
        _letters(pixels == np.float32(value), words=value > 0), key=lambda shape: shape.left
    )
    lines: list[list[_Shape]] = []
    for shape in shapes:
        line = next((one for one in lines if any(shape.is_beside(it) for it in one[-6:])), None)
        if line is None:
            lines.append([shape])
        else:
            line.append(shape)
    return [
        box
        for line in lines
        if sum(shape.letters for shape in line) >= FEWEST_LETTERS
        and (box := _box(line, pixels, value))
    ]


def _box(line: list[_Shape], pixels: Grey, value: float) -> _Shape | None:
    """The box of a line of text; None for spots of bright bone or noise, which lie in like grey."""
    box = _Shape(
        min(shape.top for shape in line),
        min(shape.left for shape in line),
        max(shape.bottom for shape in line),
        max(shape.right for shape in line),
    )
    if box.height > 2 * float(np.median([shape.height for shape in line])):
        return None
    return box if _is_crisp(pixels[box.top : box.bottom, box.left : box.right], value) else None


def _is_crisp(inside: Grey, value: float) -> bool:
    """Written letters end at once; overexposed bone fades into its surroundings."""
    from scipy import ndimage

    letters = inside == np.float32(value)
    edge = ndimage.binary_dilation(letters) & ~letters
    if not edge.any():
        return False
    return float((np.abs(inside[edge] - value) < _FADING).mean()) <= _MOST_FADING


def _letters(mask: NDArray[np.bool_], *, words: bool) -> list[_Shape]:
    """Spots like letters and, of white ones, like words: black ones are also corners of a field."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return []
    found = []
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        height, width = (part.stop - part.start for part in box)
        fill = sizes[index] / (height * width)
        is_letter = width <= _WIDEST_LETTER * height
        # Letters that touch are a word: wide, and never as full as a bar or a border.
        is_word = words and width <= _LONGEST_WORD * height and _LEAST_FILL <= fill <= _MOST_FILL
        if _LOWEST_PX <= height <= _HIGHEST_PX and (is_letter or is_word):
            found.append(_Shape(box[0].start, box[1].start, box[0].stop, box[1].stop))
    return found
