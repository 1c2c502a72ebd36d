"""What every structured report of ours is made of: concepts, texts, and the source it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoom_imaging.exchange.densitometry_codes import Coded

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_NEEDED: Sequence[str] = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


def code(coded: Coded) -> Any:
    """The concept as highdicom takes it."""
    from highdicom.sr import CodedConcept

    # Code Meaning has 64 characters at most.
    return CodedConcept(coded.value, coded.scheme, coded.meaning[:64])


def text_item(concept: Any, text: str) -> Any:
    """A text that its parent contains; control characters, which DICOM forbids, become blanks."""
    from highdicom.sr import RelationshipTypeValues, TextContentItem

    return TextContentItem(
        name=concept, value=plain(text), relationship_type=RelationshipTypeValues.CONTAINS
    )


def plain(text: str) -> str:
    """The text as an SR can hold it: printable, without blanks at its ends."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).strip()


def source_item(source: Dataset) -> Any:
    """The object that the numbers were read from."""
    from highdicom.sr import CompositeContentItem, RelationshipTypeValues
    from pydicom.sr.codedict import codes

    return CompositeContentItem(
        name=codes.DCM.SourceOfMeasurement,
        referenced_sop_class_uid=source.SOPClassUID,
        referenced_sop_instance_uid=source.SOPInstanceUID,
        relationship_type=RelationshipTypeValues.CONTAINS,
    )


def evidence_of(source: Dataset) -> Dataset:
    """The source's identity, with what type 2 asks for where the source lacks it.

    The report is written in Unicode: a note may be in a script that the source's set lacks.
    """
    from pydicom.dataset import Dataset as Plain

    evidence = Plain()
    for keyword in _NEEDED:
        value = source.get(keyword)
        setattr(evidence, keyword, "" if value is None else value)
    evidence.SpecificCharacterSet = "ISO_IR 192"
    return evidence
