"""Numbers of a header as they are written, read without losing or inventing any.

A decimal string (VR DS) has at most 16 characters and a point. Files in the field have 20
characters, a comma, a NUL at the end or nothing: each is read for what it says or named as a fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_description, dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from zoom_imaging.ingest.faults import PARSER_ERRORS
from zoom_imaging.ingest.text import visible

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?", re.ASCII)
_BINARY_VRS = frozenset({"FL", "FD", "US", "SS", "UL", "SL", "UV", "SV"})
_LONGEST = 64


@dataclass(frozen=True)
class Decimals:
    """The numbers of one element, None where a value is none, and what was wrong with them."""

    name: str
    values: tuple[float | None, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def first(self) -> float | None:
        """The first value, None if there is none or it is no number."""
        return self.values[0] if self.values else None

    @property
    def is_present(self) -> bool:
        """True if the element is there with any text in it."""
        return bool(self.values)


def tag_name(keyword: str) -> str:
    """`Pixel Spacing (0028,0030)`, as messages write a tag."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is not in the DICOM dictionary")
    number = Tag(tag)
    return f"{dictionary_description(tag)} ({number.group:04X},{number.element:04X})"


def header_texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of an element as visible text without outer blanks; empty if it is absent."""
    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return ()
    element = dataset.get_item(tag, keep_deferred=True)
    value: Any = element.value if element is not None else None
    if isinstance(element, RawDataElement):
        if (element.VR or dictionary_VR(tag)) in _BINARY_VRS:
            value = converted_value(dataset, tag)
        elif isinstance(value, bytes):
            value = value.decode("latin-1").split("\\")
    if value is None:
        return ()
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        value = [value]
    texts = tuple(visible(str(part).strip(" \0\t\r\n")) for part in value)
    return texts if any(texts) else ()


def converted_value(dataset: Dataset, tag: int) -> Any:
    """The value of an element as pydicom converts it, None where its bytes do not fit its VR."""
    try:
        return dataset[tag].value if tag in dataset else None
    except PARSER_ERRORS:
        return None


def header_text(dataset: Dataset, keyword: str) -> str:
    """The first value of an element as text, "" if there is none."""
    texts = header_texts(dataset, keyword)
    return texts[0] if texts else ""


def parse_decimal(text: str) -> tuple[float | None, str]:
    """A decimal string and what was wrong with it ("" if nothing).

    A single comma between digits is a decimal comma; anything that leaves two readings is none.
    NaN and infinity are no decimal strings.
    """
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    if _DECIMAL.fullmatch(text):
        number = float(text)
        if abs(number) == float("inf"):
            return None, f"{shown!r} is no finite number"
        return number, ""
    if _COMMA.fullmatch(text):
        return float(text.replace(",", ".")), f"{shown!r} has a decimal comma"
    return None, f"{shown!r} is no decimal number"


def decimals(dataset: Dataset, keyword: str) -> Decimals:
    """All numbers of an element; a fault names the tag and the text that is wrong."""
    name = tag_name(keyword)
    values: list[float | None] = []
    faults: list[str] = []
    for text in header_texts(dataset, keyword):
        number, fault = parse_decimal(text)
        values.append(number)
        if fault:
            outcome = f"read as {number:g}" if number is not None else "not used"
            sentence = f"{name}: {fault}, {outcome}"
            if sentence not in faults:
                faults.append(sentence)
    return Decimals(name, tuple(values), tuple(faults))


def whole_number(dataset: Dataset, keyword: str) -> int | None:
    """A whole number of the header (US or IS), None if it is absent or none."""
    number = decimals(dataset, keyword).first
    if number is None or number != int(number):
        return None
    return int(number)
