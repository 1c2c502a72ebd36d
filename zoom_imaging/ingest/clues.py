"""What the first pass keeps of one file beside its header: clues to its kind, view and subject."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydicom._uid_dict import UID_dictionary

from zoom_imaging.ingest.catalogue import Disposition, Header


@dataclass(frozen=True)
class Clues:
    """What tells the kind, the view and the subject of a file, beside its `Header`.

    `subject_ids` are the ids as stored, in their attributes' names, without padding; control
    characters are kept, so that an id can be judged as it is.
    """

    subject_ids: tuple[tuple[str, str], ...] = ()
    time_points: tuple[str, ...] = ()
    series_description: str = ""
    study_description: str = ""
    protocol: str = ""
    image_type: str = ""
    photometric: str = ""
    patient_orientation: str = ""
    laterality: str = ""
    view_codes: tuple[str, ...] = ()
    anatomy: tuple[str, ...] = ()
    document_title: str = ""
    sex: str = ""
    birth_date: str = ""
    bits_allocated: int = 0
    samples: int = 1
    frames: int = 1
    has_pixels: bool = False
    has_content: bool = False
    has_document: bool = False
    hologic_text: bool = False
    lunar_xml: bool = False
    speaks_of_bone_density: bool = False


@dataclass(frozen=True)
class ParsedFile:
    """What one file's bytes say. With a `problem` the header holds what could be read before it."""

    header: Header | None = None
    clues: Clues = field(default_factory=Clues)
    problem: Disposition | None = None
    reason: str = ""
    warnings: tuple[str, ...] = ()


def sop_class_name(uid: str) -> str:
    """The standard's name of a SOP Class; the UID itself for one that is not of the standard.

    pydicom's `UID` would warn about, and log, whatever a damaged file has in its place.
    """
    return UID_dictionary[uid][0] if uid in UID_dictionary else uid
