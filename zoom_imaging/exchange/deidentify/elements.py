"""Elements of a data set as they stand in the file: their VR, their text, and a new value for them.

Values are taken and put back as bytes, so that a number that is no valid DS, or text in an odd
character set, goes through as it is or is replaced as a whole, and pydicom's conversions never
decide. Text that is kept is written in UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from zoom_imaging.ingest.dataset import Encoding
from zoom_imaging.ingest.text import header_text

UTF_8 = b"ISO_IR 192"
_TEXT_PADS_WITH_NUL = frozenset({"UI"})
_UNKNOWN = frozenset({"UN", "", None})


def keyword_of(tag: int) -> str:
    """The dictionary's keyword; "" for a private or unknown attribute."""
    return keyword_for_tag(tag)


def vr_of(dataset: Dataset, tag: int) -> str:
    """The VR as stored, or the dictionary's where the file does not say."""
    element = dataset.get_item(BaseTag(tag))
    stored = element.VR if element is not None else None
    if stored not in _UNKNOWN:
        return str(stored)
    try:
        return dictionary_VR(BaseTag(tag))
    except KeyError:
        return "UN"


def is_sequence(dataset: Dataset, tag: int) -> bool:
    """Whether the element holds items."""
    return vr_of(dataset, tag) == "SQ"


def items(dataset: Dataset, tag: int) -> list[Dataset]:
    """The items of a sequence; none where it is empty or cannot be taken apart."""
    value = dataset[BaseTag(tag)].value
    try:
        return [one for one in value or () if isinstance(one, Dataset)]
    except TypeError:
        return []


def raw_value(dataset: Dataset, tag: int) -> bytes:
    """The bytes of a value; b"" for a sequence or an absent element."""
    element = dataset.get_item(BaseTag(tag)) if tag in dataset else None
    value = element.value if element is not None else None
    if isinstance(value, bytes):
        return value
    if isinstance(element, DataElement) and element.VR != "SQ" and value is not None:
        many = value if isinstance(value, list | tuple) or _is_multiple(value) else [value]
        return "\\".join(str(one) for one in many).encode("utf-8", "replace")
    return b""


def _is_multiple(value: object) -> bool:
    return type(value).__name__ == "MultiValue"


def texts(dataset: Dataset, tag: int, terms: bytes) -> list[str]:
    """The values of a text element, decoded by the file's character set."""
    raw = raw_value(dataset, tag)
    if vr_of(dataset, tag) in {"LT", "ST", "UT"}:
        return [header_text(raw, terms, [], what="a text")]
    return [header_text(one, terms, [], what="a text") for one in raw.split(b"\\")]


def text_of(dataset: Dataset, keyword: str, terms: bytes) -> str:
    """All values of an attribute as one text; "" where it is absent."""
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return ""
    return "\\".join(texts(dataset, tag, terms))


def put_bytes(dataset: Dataset, tag: int, vr: str, value: bytes, encoding: Encoding) -> None:
    """Set an element to these bytes, padded to an even length as its VR wants it."""
    if len(value) % 2:
        value += b"\0" if vr in _TEXT_PADS_WITH_NUL or vr in {"UN", "OB"} else b" "
    dataset[BaseTag(tag)] = RawDataElement(
        BaseTag(tag), vr, len(value), value, 0, encoding.implicit, encoding.little_endian, True
    )


def put_text(dataset: Dataset, tag: int, text: str, encoding: Encoding, vr: str = "") -> None:
    """Set a text element; the character set of the file becomes UTF-8."""
    put_bytes(dataset, tag, vr or vr_of(dataset, tag), text.encode("utf-8", "replace"), encoding)


def tags_of(dataset: Dataset) -> list[int]:
    """The tags of a data set in their order."""
    return sorted(int(tag) for tag in dataset.keys())  # noqa: SIM118 - no conversion of elements


def every(dataset: Dataset) -> Iterator[tuple[Dataset, int]]:
    """Every element of a data set and of the items of its sequences, with the set that holds it."""
    waiting = [dataset]
    while waiting:
        one = waiting.pop()
        for tag in tags_of(one):
            if is_sequence(one, tag):
                waiting += items(one, tag)
            else:
                yield one, tag
