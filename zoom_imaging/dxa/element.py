"""Text of single elements, as stored: without conversion by VR, in whatever character set.

pydicom's conversion would shorten, round or refuse what a report has written; numbers must be seen
as they stand in the file.
"""

from __future__ import annotations

from functools import lru_cache

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from zoom_imaging.ingest.text import header_text, visible


def stored_bytes(dataset: Dataset, tag: int) -> bytes:
    """The value of an element as it stands in the file; b"" if it is absent or no plain value."""
    if tag not in dataset:
        return b""
    element = dataset.get_item(BaseTag(tag), keep_deferred=True)
    value = element.value if element is not None else None
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return b""


def character_set(dataset: Dataset) -> bytes:
    """The file's Specific Character Set as stored."""
    return stored_bytes(dataset, 0x00080005).strip(b" \0")


@lru_cache(maxsize=256)
def _tag_of(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is not in the DICOM dictionary")
    return tag


def element_text(dataset: Dataset, keyword: str, terms: bytes, warnings: list[str]) -> str:
    """One value as a line of visible text, decoded by `terms`; "" if the element is absent.

    ValueError for a keyword that the dictionary does not have.
    """
    stored = stored_bytes(dataset, _tag_of(keyword))
    return line_of(stored, terms, warnings, keyword) if stored else ""


def line_of(value: bytes, terms: bytes, warnings: list[str], what: str) -> str:
    """Bytes as a line of visible text; runs of blanks and line ends become one blank each."""
    raw = b" ".join(value.replace(b"\0", b" ").split())
    text = header_text(raw, terms, warnings, what=f"the text of {what}") if raw else ""
    return " ".join(visible(text).split())


def clean_lines(value: bytes, terms: bytes, warnings: list[str]) -> list[str]:
    """A long text line by line, so that a fault in one line stays in it."""
    lines = value.replace(b"\0", b" ").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return [line_of(line, terms, warnings, "the report") for line in lines]
