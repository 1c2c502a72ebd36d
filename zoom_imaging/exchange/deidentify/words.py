"""Text in a picture: found by Tesseract, where it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.errors import UnreadableError

OCR_SECONDS = 120
_WANTED_WIDTH_PX = 1500
_WIDEST_PX = 3000
_LARGEST_FACTOR = 6
_SURE_PERCENT = 30.0


@dataclass(frozen=True)
class Word:
    """A word and its box in pixels of the picture, ends excluded; `confidence` is 0 to 100."""

    text: str
    top: int
    bottom: int
    left: int
    right: int
    confidence: float

    @property
    def characters(self) -> int:
        """Letters and digits."""
        return sum(character.isalnum() for character in self.text)


@lru_cache(maxsize=1)
def can_recognise() -> bool:
    """Whether Tesseract and its Python package are there."""
    try:
        import pytesseract  # noqa: F401
    except ImportError:
        return False
    return shutil.which("tesseract") is not None


def words_in(picture: NDArray[Any], *, again: bool = False) -> list[Word]:
    """The words of a grey or colour picture of 8 bits, whatever is dark and what is bright.

    `again` looks at another size, which finds what a first look may have missed. UnreadableError
    where Tesseract gives up.
    """
    found: list[Word] = []
    for plane in _planes(picture):
        found += _recognised(plane, again=again)
    return found


def _planes(picture: NDArray[Any]) -> Sequence[NDArray[np.uint8]]:
    """The grey picture; of a colour picture with coloured ink also the weakest channel."""
    if picture.ndim == 2:
        return [picture.astype(np.uint8)]
    channels = np.ascontiguousarray(np.moveaxis(picture, 2, 0))  # many times as fast
    grey = channels.mean(axis=0).astype(np.uint8)
    weakest, strongest = channels.min(axis=0), channels.max(axis=0)
    coloured = float(np.mean(strongest.astype(np.int16) - weakest > 60)) > 0.002
    return [grey, weakest.astype(np.uint8)] if coloured else [grey]


def _recognised(plane: NDArray[np.uint8], *, again: bool) -> list[Word]:
    import pytesseract
    from PIL import Image

    page = Image.fromarray(255 - plane if np.median(plane) < 100 else plane)
    wanted = _WANTED_WIDTH_PX * (1.4 if again else 1.0)
    factor = min(max(1.0, wanted / page.width), _LARGEST_FACTOR, _WIDEST_PX / max(page.size))
    if factor != 1.0:
        size = (max(1, round(page.width * factor)), max(1, round(page.height * factor)))
        page = page.resize(size, Image.Resampling.LANCZOS)
    page.format = "PPM"  # how it goes to Tesseract: packing it as PNG takes a while
    try:
        table = pytesseract.image_to_data(
            page,
            config=f"--psm {6 if again else 11}",
            timeout=OCR_SECONDS,
            output_type=pytesseract.Output.DICT,
        )
    except (RuntimeError, OSError) as error:
        raise UnreadableError("Tesseract could not read the picture") from error
    words = []
    for number, text in enumerate(table["text"]):
        confidence = float(table["conf"][number])
        if text.strip() and confidence >= _SURE_PERCENT:
            left, top = table["left"][number], table["top"][number]
            words.append(
                Word(
                    text=text.strip(),
                    top=int(top / factor),
                    bottom=int((top + table["height"][number]) / factor) + 1,
                    left=int(left / factor),
                    right=int((left + table["width"][number]) / factor) + 1,
                    confidence=confidence,
                )
            )
    return words
