"""Items of structured reports, and the tree that is read after a way through a file."""

from __future__ import annotations

import io

import pydicom
from pydicom.dataset import Dataset

from zoom_imaging.dxa.sr_tree import SrItem, read_tree


def code(meaning: str, value: str = "X1", scheme: str = "99TEST") -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
    return made


def item(value_type: str, concept: Dataset | str, *children: Dataset, **values: object) -> Dataset:
    made = Dataset()
    made.RelationshipType, made.ValueType = "CONTAINS", value_type
    made.ConceptNameCodeSequence = [code(concept) if isinstance(concept, str) else concept]
    for keyword, value in values.items():
        setattr(made, keyword, value)
    if children:
        made.ContentSequence = list(children)
    return made


def number(concept: Dataset | str, value: str, *children: Dataset, unit: str = "g/cm2") -> Dataset:
    measured = Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = [code(unit, unit, "UCUM")]
    return item("NUM", concept, *children, MeasuredValueSequence=[measured])


def tree(*children: Dataset) -> tuple[SrItem, list[str]]:
    """The tree of a report with these items, and what was warned of."""
    root = item("CONTAINER", "Report", *children)
    root.SpecificCharacterSet = "ISO_IR 192"
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, root, implicit_vr=False, little_endian=True, force_encoding=True)
    stream.seek(0)
    warnings: list[str] = []
    return read_tree(pydicom.dcmread(stream, force=True), warnings), warnings
