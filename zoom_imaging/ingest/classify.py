"""What a sound DICOM file is: a densitometry report, a radiograph of the spine, or neither.

The content decides (SOP class, modality, maker, body part, descriptions), never the file's name.
What is neither is `not_relevant` with a sentence that names it. Where a report may still hold no
result, the densitometry room has the last word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from zoom_imaging.anatomy import View
from zoom_imaging.ingest.catalogue import Disposition, FileKind, Header
from zoom_imaging.ingest.clues import Clues, sop_class_name
from zoom_imaging.ingest.dicomdir import MEDIA_DIRECTORY_UID
from zoom_imaging.ingest.view import SpinePart, spine_part, view_of

_SR_PREFIX = "1.2.840.10008.5.1.4.1.1.88."
_NO_RESULT_SR = {
    _SR_PREFIX + "59": "a key object selection",
    _SR_PREFIX + "67": "a radiation dose report",
    _SR_PREFIX + "68": "a radiation dose report",
    _SR_PREFIX + "76": "a radiation dose report",
}
SPINE_READING = "Spine reading"
"""Series description of the structured reports that we write of a film's reading."""
_ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_FLUOROSCOPY_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.12.1",  # XA
    "1.2.840.10008.5.1.4.1.1.12.2",  # RF
}
_PROJECTION_CLASSES = _FLUOROSCOPY_CLASSES | {
    "1.2.840.10008.5.1.4.1.1.1",  # CR
    "1.2.840.10008.5.1.4.1.1.1.1",  # DX for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # DX for processing
}
_CAPTURE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.7.1",
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.3",
    "1.2.840.10008.5.1.4.1.1.7.4",
}
_PROJECTION_MODALITIES = {"CR", "DX", "DR", "RG", "RF", "XA", "OT", "HC", "SC", ""}
_DXA_MODALITIES = {"BMD", "BD", "DXA"}
_DXA_MAKERS = re.compile(r"hologic|lunar|norland|osteosys|medilink|cooper\s?surgical")
_DXA_MODELS = re.compile(
    r"lunar|i-?dxa\b|prodigy|\bdpx|\bqdr|stratos|osteocore|dexxum|norland|medix"
)
_DXA_WORDS = re.compile(r"densit|\bdxa\b|\bdexa\b|\bbmd\b|bone mineral|골밀도")
_LATERAL_SCAN = re.compile(r"\blva\b|\biva\b|\bvfa\b|lateral")


@dataclass(frozen=True)
class Classified:
    """The kind of a file; `disposition` is None where the file goes on into the flow."""

    kind: FileKind
    disposition: Disposition | None = None
    reason: str = ""
    view: View = View.UNKNOWN
    view_reason: str = ""
    part: SpinePart | None = None


def classify(header: Header, clues: Clues) -> Classified:
    """Tell a sound DICOM file by its content."""
    if header.sop_class_uid == MEDIA_DIRECTORY_UID:
        return Classified(FileKind.DICOMDIR, Disposition.NOT_RELEVANT, "a DICOMDIR")
    if clues.hologic_text or clues.lunar_xml:
        return Classified(FileKind.DXA_REPORT)
    if header.sop_class_uid.startswith(_SR_PREFIX) or header.sop_class_uid == _ENCAPSULATED_PDF:
        return _document(header, clues)
    if header.modality.upper() in _DXA_MODALITIES or _is_densitometer(header):
        return _densitometer_image(header, clues)
    return _radiograph(header, clues)


def _document(header: Header, clues: Clues) -> Classified:
    """A structured report or a PDF."""
    if header.sop_class_uid in _NO_RESULT_SR:
        return _foreign(header, _NO_RESULT_SR[header.sop_class_uid])
    if header.model == "zoom_imaging" and clues.series_description == SPINE_READING:
        # Its outlines are binary numbers, in which a word of densitometry may turn up by chance.
        return _foreign(header, "a reading of a radiograph, by this program")
    if _is_densitometry(header, clues) or clues.speaks_of_bone_density:
        return Classified(FileKind.DXA_REPORT)
    return _foreign(header, "nothing in it speaks of bone mineral density")


def _is_densitometer(header: Header) -> bool:
    maker, model = header.manufacturer.lower(), header.model.lower()
    if header.modality.upper() in {"MG", "US", "CT", "MR", "NM", "PT", "RF", "XA"}:
        return False  # the same makers build other machines
    return bool(_DXA_MAKERS.search(maker) or _DXA_MODELS.search(model))


def _is_densitometry(header: Header, clues: Clues) -> bool:
    texts = (
        clues.series_description,
        clues.study_description,
        clues.protocol,
        clues.document_title,
    )
    return _is_densitometer(header) or any(_DXA_WORDS.search(text.lower()) for text in texts)


def _densitometer_image(header: Header, clues: Clues) -> Classified:
    """A picture from a densitometer without results that can be read from its header.

    A lateral scan of the spine (LVA, IVA, VFA) shows vertebrae and goes on as a lateral film.
    """
    texts = (clues.protocol, clues.series_description, header.view_position)
    lateral = any(_LATERAL_SCAN.search(text.lower()) for text in texts)
    deep_spine = "SPINE" in header.body_part.upper() and clues.bits_allocated == 16
    if clues.samples == 1 and (lateral or deep_spine):
        return Classified(
            FileKind.SPINE_RADIOGRAPH,
            view=View.LATERAL,
            view_reason="a lateral scan of a densitometer",
            part=SpinePart.WHOLE,
        )
    shown = clues.protocol or header.body_part or "no region named"
    return Classified(
        FileKind.OTHER_DICOM,
        Disposition.NOT_RELEVANT,
        f"a picture from a densitometer ({shown}) without results that can be read; "
        "numbers in a picture are not taken",
    )


def _spine_part(header: Header, clues: Clues) -> SpinePart | None:
    """The part of the spine by the body part, else by the descriptions, the study's last."""
    own = (header.body_part, *clues.anatomy)
    descriptions = (clues.series_description, clues.protocol)
    part = spine_part(own) or spine_part(descriptions)
    if part is None and not header.body_part:
        return spine_part((clues.study_description,))
    if part is SpinePart.WHOLE and spine_part(descriptions):
        return spine_part((*own, *descriptions))  # "SPINE" with "L-spine lateral"
    return part


def _radiograph(header: Header, clues: Clues) -> Classified:
    frames = clues.frames if header.sop_class_uid in _FLUOROSCOPY_CLASSES else 1
    if (
        header.sop_class_uid not in _PROJECTION_CLASSES | _CAPTURE_CLASSES
        or header.modality.upper() not in _PROJECTION_MODALITIES
        or frames > 1
    ):
        return _foreign(header, f"a series of {frames} frames" if frames > 1 else "")
    part = _spine_part(header, clues)
    if part is None:
        shown = header.body_part or "no body part"
        return _foreign(
            header, f"a radiograph of something else ({shown}); nothing in it names the spine"
        )
    if part in {SpinePart.CERVICAL, SpinePart.SACRAL}:
        return _foreign(
            header, f"a radiograph of the {part.value} spine, which holds none of T4-L4"
        )
    descriptions = (clues.series_description, clues.protocol, clues.study_description)
    view, said = view_of(
        header.view_position, clues.view_codes, clues.patient_orientation, descriptions
    )
    if view in {View.AP, View.OTHER}:
        name = "an anteroposterior" if view is View.AP else "an oblique or other"
        return Classified(
            FileKind.SPINE_RADIOGRAPH,
            Disposition.WRONG_VIEW,
            f"{name} view of the spine ({said}); only lateral views are measured",
            view,
            said,
            part,
        )
    return Classified(FileKind.SPINE_RADIOGRAPH, view=view, view_reason=said, part=part)


def _foreign(header: Header, more: str = "") -> Classified:
    name = sop_class_name(header.sop_class_uid)
    shown = name if name != header.sop_class_uid else f"object of SOP Class {name}"
    modality = f" (modality {header.modality})" if header.modality else ""
    reason = f"{shown}{modality}: neither a densitometry report nor a radiograph of the spine"
    return Classified(
        FileKind.OTHER_DICOM, Disposition.NOT_RELEVANT, f"{reason}; {more}" if more else reason
    )
