"""The view of a radiograph from its data set; what the words mean is decided in `ingest.view`."""

from __future__ import annotations

from pydicom.dataset import Dataset

from zoom_imaging.ingest.view import ViewFinding, ViewHeader, view_of
from zoom_imaging.radiograph.decimals import header_text, header_texts

_DESCRIPTIONS = (
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDeviceProcessingDescription",
    "PerformedProcedureStepDescription",
)


def read_view(dataset: Dataset) -> ViewFinding:
    """Lateral, AP, other or unknown, with the sentence why."""
    return view_of(
        ViewHeader(
            view_position=header_text(dataset, "ViewPosition"),
            view_codes=_codes(dataset),
            patient_orientation=header_texts(dataset, "PatientOrientation"),
            descriptions=tuple(
                text
                for keyword in _DESCRIPTIONS
                if (text := _words(dataset, keyword))
            ),
            study_description=_words(dataset, "StudyDescription"),
        )
    )


def _words(dataset: Dataset, keyword: str) -> str:
    """Text in the declared character set where that works; a wrong one never costs the film."""
    try:
        value = dataset.get(keyword)
    except (LookupError, ValueError, TypeError):
        return header_text(dataset, keyword)
    return str(value).strip(" \0") if value else ""


def _codes(dataset: Dataset) -> tuple[str, ...]:
    sequence = dataset.get("ViewCodeSequence")
    return tuple(
        text
        for item in sequence or ()
        for keyword in ("CodeValue", "CodeMeaning")
        if (text := header_text(item, keyword))
    )
