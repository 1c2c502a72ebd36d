"""From the elements of a data set to a `Header` and `Clues`, every text fit for a table."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO

from pydicom.dataelem import RawDataElement

from zoom_imaging.anatomy import View
from zoom_imaging.ingest.catalogue import Header
from zoom_imaging.ingest.clues import Clues, ParsedFile
from zoom_imaging.ingest.dates import day_of_examination, parse_day
from zoom_imaging.ingest.structure import PIXEL_TAGS, Element, Walk
from zoom_imaging.ingest.text import header_text, visible

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SOP_CLASS_UID = 0x00080016
_CONTENT_SEQUENCE = 0x0040A730
_HOLOGIC_TEXT = frozenset(0x00190000 | block << 8 for block in range(0x10, 0x100))
_REPORT_WORDS = re.compile(rb"bmd|bone mineral|densit|\bdxa\b|\bdexa\b")
_LUNAR_XML = (b"<dxa_results", b"<densitometry_results")

_TEXTS = {
    "manufacturer": 0x00080070,
    "model": 0x00081090,
    "series_description": 0x0008103E,
    "study_description": 0x00081030,
    "protocol": 0x00181030,
    "body_part": 0x00180015,
    "view_position": 0x00185101,
    "patient_name": 0x00100010,
    "document_title": 0x00420010,
    "time_point_id": 0x00120050,
    "time_point_description": 0x00120051,
}
_CODES = {
    "modality": 0x00080060,
    "image_type": 0x00080008,
    "photometric": 0x00280004,
    "patient_orientation": 0x00200020,
    "laterality": 0x00200060,
    "sex": 0x00100040,
    "birth_date": 0x00100030,
}
_UIDS = {
    "sop_class_uid": 0x00080016,
    "sop_instance_uid": 0x00080018,
    "study_instance_uid": 0x0020000D,
    "series_instance_uid": 0x0020000E,
}
_META_UIDS = {"sop_class_uid": 0x00020002, "sop_instance_uid": 0x00020003}
_IDS = {"ClinicalTrialSubjectID": 0x00120040, "PatientID": 0x00100020}
_DATES = {
    "AcquisitionDate": 0x00080022,
    "AcquisitionDateTime": 0x0008002A,
    "ContentDate": 0x00080023,
    "StudyDate": 0x00080020,
}
_NUMBERS = {
    "rows": 0x00280010,
    "columns": 0x00280011,
    "samples": 0x00280002,
    "bits_allocated": 0x00280100,
}
_FRAMES = 0x00280008
_CHARACTER_SET = 0x00080005
_VIEW_CODES = 0x00540220
_ANATOMY = 0x00082218
_COMMENTS = 0x00204000
_DOCUMENT = 0x00420011
WANTED = sorted(
    {
        *_TEXTS.values(),
        *_CODES.values(),
        *_UIDS.values(),
        *_IDS.values(),
        *_DATES.values(),
        *_NUMBERS.values(),
        *PIXEL_TAGS,
        *_HOLOGIC_TEXT,
        _FRAMES,
        _CHARACTER_SET,
        _VIEW_CODES,
        _ANATOMY,
        _COMMENTS,
        _DOCUMENT,
        _CONTENT_SEQUENCE,
    }
)
"""Tags of all elements that the first pass looks at."""


def plain_values(elements: Mapping[int, Element]) -> dict[int, bytes]:
    """The values that are no sequences, without padding."""
    return {
        tag: element.value.strip(b" \0")
        for tag, element in elements.items()
        if isinstance(element, RawDataElement) and isinstance(element.value, bytes)
    }


def describe(
    stream: BinaryIO, found: Walk, meta: Mapping[int, bytes], syntax: str, notes: list[str]
) -> ParsedFile:
    """Header and clues of the elements that were found; `meta` are the values of the meta group."""
    elements = found.elements
    values = plain_values(elements)
    terms = values.get(_CHARACTER_SET, b"")

    def text(name: str, tag: int) -> str:
        value = values.get(tag)
        return header_text(value, terms, notes, what=name.replace("_", " ")) if value else ""

    def ascii_text(tag: int) -> str:
        value = values.get(tag)
        return visible(value.decode("ascii", "replace")) if value else ""

    texts = {name: visible(text(name, tag)) for name, tag in _TEXTS.items()}
    codes = {name: ascii_text(tag) for name, tag in _CODES.items()}
    uids = {name: ascii_text(tag) for name, tag in _UIDS.items()}
    for name, tag in _META_UIDS.items():
        uids[name] = uids[name] or visible(meta.get(tag, b"").decode("ascii", "replace"))
    ids = tuple((name, text(name, tag)) for name, tag in _IDS.items())
    dates = [
        (name, values.get(tag, b"").decode("ascii", "replace")) for name, tag in _DATES.items()
    ]
    acquired_on, date_source = day_of_examination(dates)
    numbers = {name: _number(elements.get(tag)) for name, tag in _NUMBERS.items()}
    comments = _beginning(stream, found, _COMMENTS, 4096).lower()
    subject = next((visible(value) for _, value in ids if value), "")
    header = Header(
        **uids,
        transfer_syntax_uid=visible(syntax),
        modality=codes["modality"],
        manufacturer=texts["manufacturer"],
        model=texts["model"],
        body_part=texts["body_part"],
        view_position=texts["view_position"],
        view=View.UNKNOWN,
        study_date=_study_date(dates),
        acquired_on=acquired_on,
        date_source=date_source,
        subject_id=subject,
        time_point=texts["time_point_id"] or texts["time_point_description"],
        rows=numbers["rows"],
        columns=numbers["columns"],
        patient_name=texts["patient_name"],
    )
    clues = Clues(
        subject_ids=ids,
        time_points=tuple(
            point for point in (texts["time_point_id"], texts["time_point_description"]) if point
        ),
        series_description=texts["series_description"],
        study_description=texts["study_description"],
        protocol=texts["protocol"],
        document_title=texts["document_title"],
        image_type=codes["image_type"],
        photometric=codes["photometric"],
        patient_orientation=codes["patient_orientation"],
        laterality=codes["laterality"],
        sex=codes["sex"],
        birth_date=codes["birth_date"],
        view_codes=_meanings(elements.get(_VIEW_CODES)),
        anatomy=_meanings(elements.get(_ANATOMY)),
        bits_allocated=numbers["bits_allocated"],
        samples=numbers["samples"] or 1,
        frames=_frames(values.get(_FRAMES, b"")),
        has_pixels=not PIXEL_TAGS.isdisjoint(elements),
        has_content=_CONTENT_SEQUENCE in elements,
        has_document=_DOCUMENT in elements,
        hologic_text=any(
            tag >> 16 == 0x0019 and _begins_hologic(_beginning(stream, found, tag, 64))
            for tag in elements
        ),
        lunar_xml=any(mark in comments for mark in _LUNAR_XML),
        speaks_of_bone_density=_speaks_of_bone_density(stream, found),
    )
    return ParsedFile(header=header, clues=clues, warnings=tuple(dict.fromkeys(notes)))


def _study_date(dates: list[tuple[str, str]]) -> date | None:
    return parse_day(dict(dates)["StudyDate"])


def _number(element: Element | None) -> int:
    """An unsigned short, in the byte order of the file; 0 where there is none."""
    if not isinstance(element, RawDataElement) or not isinstance(element.value, bytes):
        return 0
    if len(element.value) < 2:
        return 0
    order = "<" if element.is_little_endian else ">"
    return int(struct.unpack(f"{order}H", element.value[:2])[0])


def _frames(value: bytes) -> int:
    return int(value) if value.isdigit() and int(value) > 0 else 1


def _beginning(stream: BinaryIO, found: Walk, tag: int, count: int) -> bytes:
    """The first bytes of a value, also of one that was too long to be kept."""
    begin, end = found.spans.get(tag, (0, 0))
    stream.seek(begin)
    return stream.read(min(count, end - begin))


def _begins_hologic(value: bytes) -> bool:
    return value.lstrip(b"\xef\xbb\xbf \r\n\t\0").startswith(b"<HologicHeader1>")


def _meanings(element: Element | None) -> tuple[str, ...]:
    """Code values and meanings of a code sequence, in lower case."""
    if element is None:
        return ()
    try:
        if isinstance(element, RawDataElement):
            return _meanings_of_bytes(element._replace(value_tell=0))
        return _meanings_of_items(element.value)
    except Exception:  # a code that cannot be read is no clue
        return ()


@lru_cache(maxsize=256)
def _meanings_of_bytes(element: RawDataElement) -> tuple[str, ...]:
    """Thousands of files have the same few codes: each is decoded once."""
    from pydicom.dataset import Dataset

    return _meanings_of_items(Dataset({element.tag: element})[element.tag].value)


def _meanings_of_items(items: Iterable[Dataset]) -> tuple[str, ...]:
    found = [
        visible(str(item.get(name, ""))) for item in items for name in ("CodeValue", "CodeMeaning")
    ]
    return tuple(text.strip().lower() for text in found if text.strip())


def _speaks_of_bone_density(stream: BinaryIO, found: Walk) -> bool:
    """Whether the content tree of a structured report has a word of densitometry in it."""
    span = found.spans.get(_CONTENT_SEQUENCE)
    if span is None:
        return False
    stream.seek(span[0])
    return bool(_REPORT_WORDS.search(stream.read(max(0, span[1] - span[0])).lower()))
