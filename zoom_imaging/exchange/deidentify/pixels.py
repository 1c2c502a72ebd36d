"""Text that is burned into pictures: found and blanked, or the picture is not given out.

Two kinds of pictures. A capture (Secondary Capture, a densitometer's report page) holds no
measurement in its pixels that a reader takes from there: everything that may be writing is blanked,
small shapes on an even ground as well as every word that Tesseract finds, and a second look must
find nothing; else the picture is blanked as a whole, or, if it is all that the file has, refused. A
film is measured: its pixels are changed only where a word stands at its border or on even ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.errors import InputError, NotRelevantError, UnreadableError
from zoom_imaging.exchange.deidentify import words as recognition
from zoom_imaging.exchange.deidentify.words import Word
from zoom_imaging.ingest.dataset import Source
from zoom_imaging.ingest.pixels import decoded

_EVEN_GROUND = 0.25
_INK_STEP = 10
_LARGEST_LETTER = 0.12
"""Share of the picture's longer side up to which a shape may be a letter or a word."""

_SMALLEST_CAPTURE_PX = 48
_FILM_WORD_CONFIDENCE = 60.0
_FILM_WORD_CHARACTERS = 3
_FILM_BORDER = 0.15
_SAME_INK = 0.4
_MOST_INK = 0.6
_FIRST_LOOK_CHARACTERS = 2
_SECOND_LOOK_CHARACTERS = 3
_SECOND_LOOK_CONFIDENCE = 50.0
_MOST_LOOKS = 8
_REMEDY = "blank the text at the site, or leave the file out"
_INSTALL = "install tesseract-ocr and the extra ocr"


class Pixels(StrEnum):
    """What was done with the pixels of a file."""

    NONE = "none"
    UNCHANGED = "unchanged"
    TEXT_BLANKED = "text_blanked"
    ALL_BLANKED = "all_blanked"


@dataclass(frozen=True)
class Picture:
    """What is known of an image before its pixels are looked at.

    `capture`: a picture of a page. `has_results`: the file's numbers stand in its header.
    `burned_in` is the attribute as written. `vouched`: the user says that films without the
    attribute have no text in them.
    """

    capture: bool
    has_results: bool
    burned_in: str
    vouched: bool = False


@dataclass(frozen=True)
class CleanPixels:
    """New frames (None: the file's own stay), (frames, rows, columns) with samples last."""

    done: Pixels
    frames: NDArray[Any] | None = None
    high_bit: int = 0
    note: str = ""


def clean_pixels(source: Source, picture: Picture) -> CleanPixels:
    """Take burned-in text out of an image.

    Raises UnreadableError or NotRelevantError with the reason for which it cannot be given out.
    """
    if not picture.capture and picture.burned_in == "NO":
        return CleanPixels(Pixels.UNCHANGED, note="declared to hold no burned-in text")
    if not picture.capture and not picture.burned_in and picture.vouched:
        return CleanPixels(Pixels.UNCHANGED, note="said by the user to hold no burned-in text")
    frames, high_bit = _decoded(source)
    if picture.capture:
        return _capture(frames, high_bit, picture)
    return _film(frames, high_bit, picture)


def _decoded(source: Source) -> tuple[NDArray[Any], int]:
    """All frames as stored values, colour as RGB."""
    from zoom_imaging.radiograph.decode import decode

    samples = int(source.dataset.get("SamplesPerPixel") or 1)
    if samples == 1:
        stored = decode(source)
        frames = np.array(stored.frames)
        return frames.reshape(-1, *frames.shape[-2:]), stored.layout.high_bit
    return _colour(source), 7


def _colour(source: Source) -> NDArray[Any]:
    from pydicom.dataset import FileMetaDataset

    from zoom_imaging.radiograph.layout import read_layout

    layout = read_layout(source.dataset, source.path)
    if layout.bits_allocated != 8 or layout.samples != 3:
        raise UnreadableError("a colour picture of more than 8 bits: its text cannot be found")
    source.dataset.file_meta = FileMetaDataset()
    source.dataset.file_meta.TransferSyntaxUID = source.transfer_syntax
    try:
        if source.transfer_syntax.is_encapsulated:
            pixels = decoded(source.dataset)
        else:
            pixels = np.asarray(source.dataset.pixel_array)
    except InputError:
        raise
    except Exception as error:  # a codec raises what it likes
        raise UnreadableError(
            f"the picture cannot be decoded ({type(error).__name__}), so its text cannot be found"
        ) from error
    return np.array(pixels.reshape(-1, layout.rows, layout.columns, 3))


def _capture(frames: NDArray[Any], high_bit: int, picture: Picture) -> CleanPixels:
    tiny = max(frames.shape[1:3]) < _SMALLEST_CAPTURE_PX
    if tiny or not recognition.can_recognise():
        why = "too small to be looked at" if tiny else "character recognition is not installed"
        if picture.has_results or tiny:
            return _blank(frames, high_bit, why)
        raise NotRelevantError(
            f"a picture of a page whose text cannot be found: {why}", remedy=_INSTALL
        )
    cleaned = frames.copy()
    for frame in cleaned:
        _blank_letters(frame)
    left = _blank_words(cleaned)
    changed = not np.array_equal(cleaned, frames)
    if left:
        why = "text is left that cannot be blanked for certain"
    elif picture.burned_in == "YES" and not changed:
        why = "the header says that text is burned in, and none was found"
    elif changed:
        return CleanPixels(Pixels.TEXT_BLANKED, cleaned, high_bit)
    else:
        return CleanPixels(Pixels.UNCHANGED, note="no text found by character recognition")
    if picture.has_results:
        return _blank(frames, high_bit, why)
    raise NotRelevantError(f"a picture of a page: {why}", remedy=_REMEDY)


def _blank(frames: NDArray[Any], high_bit: int, why: str) -> CleanPixels:
    return CleanPixels(Pixels.ALL_BLANKED, np.zeros_like(frames), high_bit, f"blanked: {why}")


def _blank_words(frames: NDArray[Any]) -> list[Word]:
    """Blank every word in every frame until a look at either size finds none; what is left."""
    found: list[Word] = []
    quiet = 0
    for look in range(_MOST_LOOKS):
        found = _capture_words(frames, again=bool(look % 2))
        quiet = 0 if found else quiet + 1
        if quiet == 2:
            break
        for frame in frames:  # a page's heading stands at one place in all of its frames
            for word in found:
                _fill(frame, word)
    return found


def _capture_words(frames: NDArray[Any], *, again: bool) -> list[Word]:
    """Words in any frame; a second look, whose page is read as one block, must be surer."""
    characters = _SECOND_LOOK_CHARACTERS if again else _FIRST_LOOK_CHARACTERS
    confidence = _SECOND_LOOK_CONFIDENCE if again else 0.0
    return [
        word
        for frame in frames
        for word in recognition.words_in(_eight_bits(frame), again=again)
        if word.characters >= characters and word.confidence >= confidence
    ]


def _blank_letters(frame: NDArray[Any]) -> None:
    """Blank every small shape on the even ground of a page: letters, digits, lines, marks."""
    from scipy import ndimage

    ground = _most_frequent(frame)
    apart = np.abs(frame.astype(np.int32) - ground)
    ink = apart > _INK_STEP if frame.ndim == 2 else (apart > _INK_STEP).any(axis=2)
    if 1.0 - ink.mean() < _EVEN_GROUND:
        return
    # Letters of one word and lines of one block grow together; a scan or a graph is larger.
    labels, _ = ndimage.label(ink, structure=np.ones((3, 3)))
    limit = _LARGEST_LETTER * max(frame.shape[:2])
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is not None and max(one.stop - one.start for one in place) <= limit:
            shape = ndimage.binary_dilation(_around(labels, place) == number, iterations=2)
            _around(frame, place)[shape] = ground


def _around(array: NDArray[Any], place: tuple[slice, ...], margin: int = 2) -> NDArray[Any]:
    """The part of an array at a place, with the pixels about it."""
    grown = tuple(slice(max(0, one.start - margin), one.stop + margin) for one in place)
    return array[grown]


def _most_frequent(pixels: NDArray[Any]) -> NDArray[Any]:
    """The most frequent value, or colour of 8 bits; of several the lowest."""
    colour = pixels.ndim == 3
    # A colour as one number: those are sorted ten times as fast as rows of three.
    flat = pixels @ np.array([1 << 16, 1 << 8, 1], np.int32) if colour else pixels
    values, counts = np.unique(flat, return_counts=True)
    found = int(values[int(np.argmax(counts))])
    return np.array([found >> 16, found >> 8 & 255, found & 255] if colour else found, np.int32)


def _fill(frame: NDArray[Any], word: Word) -> None:
    """Fill a word's box, a quarter of its height larger, and its line, with what surrounds it."""
    rows, columns = frame.shape[:2]
    margin = max(3, (word.bottom - word.top) // 4)
    top, bottom = max(0, word.top - margin), min(rows, word.bottom + margin)
    left, right = max(0, word.left - margin), min(columns, word.right + margin)
    if top >= bottom or left >= right:
        return
    ground = _ground_of(frame[top:bottom, left:right])
    contrast = _farthest(frame[top:bottom, left:right], ground)
    # A box may cut its letters: it grows until its upper and lower edge are free of ink.
    highest, lowest = max(0, 2 * top - bottom), min(rows, 2 * bottom - top)
    while top > highest and _farthest(frame[top, left:right], ground) > _SAME_INK * contrast:
        top -= 1
    while (
        bottom < lowest and _farthest(frame[bottom - 1, left:right], ground) > _SAME_INK * contrast
    ):
        bottom += 1
    top, bottom = max(0, top - 2), min(rows, bottom + 2)
    step = bottom - top
    while left > 0 and _goes_on(frame[top:bottom, max(0, left - step) : left], contrast):
        left = max(0, left - step)
    while right < columns and _goes_on(frame[top:bottom, right : right + step], contrast):
        right = min(columns, right + step)
    frame[top:bottom, left:right] = _ground_of(frame[top:bottom, left:right])


def _goes_on(beside: NDArray[Any], contrast: float) -> bool:
    """Whether a line of text goes on beside a word: something stands out as much as the word."""
    return _farthest(beside, _ground_of(beside)) > _SAME_INK * contrast


def _farthest(part: NDArray[Any], ground: NDArray[Any]) -> float:
    return float(np.abs(part.astype(np.int32) - ground).max())


def _ground_of(box: NDArray[Any]) -> NDArray[Any]:
    """The most frequent value, or colour, on the edge of a box."""
    edge = np.concatenate([box[0], box[-1], box[:, 0], box[:, -1]])
    return _most_frequent(edge[:, np.newaxis] if box.ndim == 2 else edge[:, np.newaxis, :])


def _on_even_ground(frame: NDArray[Any], word: Word) -> bool:
    """Whether a word stands where nothing else does, so that nothing is lost with it."""
    rows, columns = frame.shape[:2]
    margin = max(4, (word.bottom - word.top) // 3)
    box = frame[
        max(0, word.top - margin) : min(rows, word.bottom + margin),
        max(0, word.left - margin) : min(columns, word.right + margin),
    ]
    ground = _ground_of(box)
    ink = np.abs(box.astype(np.int32) - ground) > 0
    share = ink.mean() if box.ndim == 2 else ink.any(axis=2).mean()
    return bool(share < _MOST_INK)


def _film(frames: NDArray[Any], high_bit: int, picture: Picture) -> CleanPixels:
    if not recognition.can_recognise():
        raise NotRelevantError(
            "the header does not say that no text is burned in, and character recognition is not "
            "installed",
            remedy=f"{_INSTALL}, or say with --films-without-text that there is none",
        )
    cleaned = frames.copy()
    found = _film_words(frames)
    if picture.burned_in == "YES" and not found:
        raise NotRelevantError(
            "the header says that text is burned in, and none was found", remedy=_REMEDY
        )
    if not found:
        return CleanPixels(Pixels.UNCHANGED, note="no text found by character recognition")
    inside = [
        word
        for word in found
        if not _at_border(word, frames.shape[1:3])
        and not all(_on_even_ground(frame, word) for frame in frames)
    ]
    if inside:
        raise NotRelevantError(
            f"text in the middle of a film ({len(inside)} words): it cannot be blanked without "
            "changing what is measured",
            remedy=_REMEDY,
        )
    for frame in cleaned:
        for word in found:
            _fill(frame, word)
    if _film_words(cleaned) or _film_words(cleaned, again=True):
        raise NotRelevantError("text at the border of a film cannot be blanked", remedy=_REMEDY)
    return CleanPixels(Pixels.TEXT_BLANKED, cleaned, high_bit)


def _film_words(frames: NDArray[Any], *, again: bool = False) -> list[Word]:
    return [
        word
        for frame in frames
        for word in recognition.words_in(_eight_bits(frame), again=again)
        if word.characters >= _FILM_WORD_CHARACTERS and word.confidence >= _FILM_WORD_CONFIDENCE
    ]


def _at_border(word: Word, size: Sequence[int]) -> bool:
    rows, columns = size
    return (
        word.bottom <= rows * _FILM_BORDER
        or word.top >= rows * (1 - _FILM_BORDER)
        or word.right <= columns * _FILM_BORDER
        or word.left >= columns * (1 - _FILM_BORDER)
    )


def _eight_bits(frame: NDArray[Any]) -> NDArray[Any]:
    """Any stored values as 8 bits, from the darkest to the brightest."""
    if frame.dtype == np.uint8:
        return frame
    low, high = float(frame.min()), float(frame.max())
    return ((frame.astype(np.float32) - low) * (255.0 / max(high - low, 1.0))).astype(np.uint8)


def put_frames(source: Source, clean: CleanPixels) -> None:
    """Write new frames into the data set, uncompressed; the size of the picture stays."""
    if clean.frames is None:
        return
    dataset, frames = source.dataset, clean.frames
    if frames.dtype.itemsize > 1 and not source.encoding.little_endian:
        frames = frames.astype(frames.dtype.newbyteorder(">"))
    content = frames.tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB" if frames.dtype.itemsize == 1 else "OW"
    if frames.ndim == 4:
        dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", 0
    else:
        dataset.HighBit = clean.high_bit
    dataset.BurnedInAnnotation = "NO"
