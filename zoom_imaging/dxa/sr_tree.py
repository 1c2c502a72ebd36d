"""The content tree of a structured report as plain items, numbers as they stand in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset

from zoom_imaging.dxa.element import character_set, element_text

_TEXT_OF_TYPE = {
    "TEXT": "TextValue",
    "DATE": "Date",
    "TIME": "Time",
    "DATETIME": "DateTime",
    "PNAME": "PersonName",
    "UIDREF": "UID",
}
_REFERENCES = frozenset({"IMAGE", "COMPOSITE", "WAVEFORM"})
_MOST_ODDITIES = 12


@dataclass(frozen=True)
class SrItem:
    """One content item. `meaning` is the concept name ("" if none), `code` and `scheme` its code.

    `text` is the value as written: a number as stored, a coded value by its meaning (with
    `value_code`); "" where nothing is. `unit` is the code value of a number's unit, None if none.
    """

    value_type: str
    meaning: str
    text: str
    unit: str | None
    children: tuple[SrItem, ...] = ()
    code: str = ""
    scheme: str = ""
    value_code: str = ""
    relationship: str = ""


def read_tree(dataset: Dataset, warnings: list[str]) -> SrItem:
    """The tree of a report; what is odd in its structure is told in `warnings`.

    The nesting is known to be sound and of bounded depth (`ingest.structure`).
    """
    terms = character_set(dataset)
    root = _item(dataset, terms, warnings)
    oddities = list(dict.fromkeys(_oddities(root)))
    warnings += oddities[:_MOST_ODDITIES]
    if len(oddities) > _MOST_ODDITIES:
        warnings.append(f"{len(oddities) - _MOST_ODDITIES} more items are odd in the same ways")
    return root


def items_of(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none where it is absent or is no sequence."""
    if keyword not in dataset:
        return []
    value = dataset[keyword].value
    return [item for item in value if isinstance(item, Dataset)] if value else []


def _item(dataset: Dataset, terms: bytes, warnings: list[str]) -> SrItem:
    def text(source: Dataset, keyword: str) -> str:
        return element_text(source, keyword, terms, warnings)

    value_type = text(dataset, "ValueType").upper()
    names = items_of(dataset, "ConceptNameCodeSequence")
    name = names[0] if names else Dataset()
    value, unit, value_code = "", None, ""
    if value_type == "NUM":
        measured = items_of(dataset, "MeasuredValueSequence")
        value = " | ".join(filter(None, (text(one, "NumericValue") for one in measured)))
        units = [code for one in measured for code in items_of(one, "MeasurementUnitsCodeSequence")]
        unit = text(units[0], "CodeValue") if units else None
    elif value_type == "CODE":
        codes = items_of(dataset, "ConceptCodeSequence")
        value = text(codes[0], "CodeMeaning") if codes else ""
        value_code = text(codes[0], "CodeValue") if codes else ""
    elif value_type in _TEXT_OF_TYPE:
        value = text(dataset, _TEXT_OF_TYPE[value_type])
    elif value_type in _REFERENCES and items_of(dataset, "ReferencedSOPSequence"):
        value = "reference"
    return SrItem(
        value_type=value_type,
        meaning=text(name, "CodeMeaning"),
        text=value,
        unit=unit,
        children=tuple(
            _item(child, terms, warnings) for child in items_of(dataset, "ContentSequence")
        ),
        code=text(name, "CodeValue"),
        scheme=text(name, "CodingSchemeDesignator"),
        value_code=value_code,
        relationship=text(dataset, "RelationshipType"),
    )


def _oddities(item: SrItem) -> Iterator[str]:
    """What an item below this one lacks that the standard (PS3.3 C.17.3) asks for."""
    where = f"under '{item.meaning or item.value_type or 'an item without a name'}'"
    for child in item.children:
        shown = f"'{child.meaning}'" if child.meaning else f"an item of type {child.value_type}"
        if not child.relationship:
            yield f"{shown} {where} has no relationship to it"
        if not child.meaning and child.value_type not in _REFERENCES:
            value = f" (value {child.text})" if child.text else ""
            yield f"{shown} {where} has no name{value}: used for nothing"
        if child.value_type in _REFERENCES and not child.text:
            yield f"{shown} {where} refers to no object"
        if child.value_type == "CONTAINER" and not child.children:
            yield f"{shown} {where} is empty"
        if not child.value_type:
            yield f"{shown} {where} has no value type"
        yield from _oddities(child)
