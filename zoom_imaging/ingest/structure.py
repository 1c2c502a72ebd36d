"""Is a data set whole? Walk the lengths of its elements to the end of the file, without pixels.

pydicom's element reader does the walking. It reads a cut file as far as it goes and says nothing;
here every read is watched, and a file that ends earlier than its elements say is `Unsound`.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import BinaryIO

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.faults import PARSER_ERRORS

PIXEL_DATA = 0x7FE00010
PIXEL_TAGS = frozenset({PIXEL_DATA, 0x7FE00008, 0x7FE00009})
DEEPEST_NESTING = 64
"""A content tree of a report has less than ten levels."""

_CHUNK_OF_A_SEARCH = 1024 * 8  # pydicom looks for a lost delimiter in pieces of this size
_DEFER_BYTES = 1 << 16
_ELEMENT_HEADER_BYTES = 8
_UNDEFINED = 0xFFFFFFFF
Element = RawDataElement | DataElement


@dataclass
class Walk:
    """The wanted elements of a data set, and what is wrong with it (empty if it is whole)."""

    elements: dict[int, Element] = field(default_factory=dict)
    fault: str = ""
    remark: str = ""
    end: int = 0
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)


class _Watched:
    """A stream that notes the first read that came back shorter than asked for."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read = stream.read
        self.seek = stream.seek
        self.tell = stream.tell
        self.short: tuple[int, int, int] | None = None

    def read(self, count: int = -1) -> bytes:
        found = self._read(count)
        if len(found) < count and self.short is None and count != _CHUNK_OF_A_SEARCH:
            self.short = (self.tell() - len(found), count, len(found))
        return found


def walk(
    stream: BinaryIO,
    size: int,
    *,
    implicit: bool,
    little_endian: bool,
    wanted: list[int],
) -> Walk:
    """Walk from where the stream stands to its end (`size`) and keep the `wanted` elements.

    Values longer than 64 KiB are not kept: `spans` says where they lie. Nothing is raised.
    """
    start = stream.tell()
    quick = Walk()
    if _follow(quick, stream, implicit, little_endian, wanted) is None and _is_plain(quick, size):
        return quick
    stream.seek(start)
    return _watched_walk(stream, size, implicit, little_endian, wanted)


def _follow(
    result: Walk,
    stream: BinaryIO | _Watched,
    implicit: bool,
    little_endian: bool,
    wanted: list[int],
) -> BaseException | None:
    """Let pydicom read on to the end; the error that stopped it, if one did."""
    try:
        for element in data_element_generator(
            stream,  # type: ignore[arg-type]
            implicit,
            little_endian,
            defer_size=_DEFER_BYTES,
            specific_tags=wanted,
        ):
            tag = int(element.tag)
            result.elements[tag] = element
            result.spans[tag] = _span(element, stream.tell())
    except PARSER_ERRORS as found:
        result.end = stream.tell()
        return found
    result.end = stream.tell()
    return None


def _span(element: Element, position: int) -> tuple[int, int]:
    """Where a value begins and where it should end; `position` is where the reader stands."""
    if not isinstance(element, RawDataElement):
        return element.file_tell or 0, position
    if element.length == _UNDEFINED:
        return element.value_tell, position
    return element.value_tell, element.value_tell + element.length


def _is_plain(found: Walk, size: int) -> bool:
    """Whether whole values of declared length were found, the last one at the end of the file."""
    return (
        found.end == size
        and max((end for _, end in found.spans.values()), default=0) == size
        and all(
            isinstance(element, RawDataElement)
            and element.length != _UNDEFINED
            and (element.value is None or len(element.value) == element.length)
            for element in found.elements.values()
        )
    )


def _watched_walk(
    stream: BinaryIO, size: int, implicit: bool, little_endian: bool, wanted: list[int]
) -> Walk:
    result = Walk()
    watched = _Watched(stream)
    error = _follow(result, watched, implicit, little_endian, wanted)
    result.fault = _fault(watched, size, error)
    if not result.fault:
        return result
    whole = watched.short[0] if watched.short else result.end
    pixels_end = max(
        (end for tag, (_, end) in result.spans.items() if tag in PIXEL_TAGS and end <= size),
        default=0,
    )
    if 0 < pixels_end <= whole:
        result.remark = f"{size - pixels_end} bytes after the pixel data were not understood"
        result.fault = ""
    elif _only_zeros_left(stream, watched, size):
        result.remark = "zeros after the last element were ignored"
        result.fault = ""
    return result


def _fault(watched: _Watched, size: int, error: BaseException | None) -> str:
    if isinstance(error, RecursionError):
        return "its sequences are nested too deeply to be read"
    end = watched.tell()
    if watched.short is None:
        if error is not None:
            return f"its elements cannot be followed to the end ({type(error).__name__})"
        return "its elements end before the file does" if end < size else ""
    at, asked, got = watched.short
    if at > size:
        return _cut(at, size)
    if error is None and (asked, got) == (_ELEMENT_HEADER_BYTES, 0) and end == size == at:
        return ""
    return _cut(at + asked, size)


def _cut(expected: int, size: int) -> str:
    return f"it is cut: its elements say at least {expected} bytes, the file has {size}"


def _only_zeros_left(stream: BinaryIO, watched: _Watched, size: int) -> bool:
    if watched.short is None:
        return False
    at, asked, got = watched.short
    if asked != _ELEMENT_HEADER_BYTES or not 0 < got < asked or at + got != size:
        return False
    stream.seek(at)
    return not any(stream.read(got))


def require_sound_sequences(elements: Collection[Element], what: str = "the report") -> None:
    """Follow every sequence down to its last element; UnreadableError where lengths do not fit.

    Sequences of declared length are only bytes to pydicom until somebody asks for them, and a
    length inside them that is too long would give a shortened value without a word. For readers of
    structured reports.
    """
    waiting: list[tuple[Element, int]] = [(element, 1) for element in elements]
    while waiting:
        element, depth = waiting.pop()
        if depth > DEEPEST_NESTING:
            raise UnreadableError(
                f"{what} is nested too deeply", expected=f"at most {DEEPEST_NESTING} levels"
            )
        for item in _items(element, what):
            waiting.extend((inner, depth + 1) for inner in item)


def _items(element: Element, what: str) -> list[list[Element]]:
    """The elements of each item of a sequence; nothing for an element of another kind."""
    if isinstance(element, DataElement):
        if element.VR != "SQ":
            return []
        return [list(item.values()) for item in element.value]
    value = element.value
    if not isinstance(value, bytes) or _vr(element) != "SQ":
        return []
    found = []
    for item in _whole(value, True, element.is_little_endian, what):
        if int(item.tag) != 0xFFFEE000 or not isinstance(item, RawDataElement):
            raise UnreadableError(f"{what} is damaged: a sequence holds {item.tag}, not an item")
        inner = item.value if isinstance(item.value, bytes) else b""
        implicit = element.is_implicit_VR or not inner[4:6].isalpha()
        found.append(list(_whole(inner, implicit, element.is_little_endian, what)))
    return found


def _whole(value: bytes, implicit: bool, little_endian: bool, what: str) -> list[Element]:
    watched = _Watched(io.BytesIO(value))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = list(data_element_generator(watched, implicit, little_endian))  # type: ignore[arg-type]
    except PARSER_ERRORS as error:
        raise UnreadableError(f"{what} is damaged inside a sequence") from error
    if fault := _fault(watched, len(value), None):
        raise UnreadableError(f"{what} is damaged inside a sequence: {fault}")
    return found


def _vr(element: RawDataElement) -> str | None:
    if element.VR:
        return element.VR
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(BaseTag(element.tag))
    except KeyError:
        return None
