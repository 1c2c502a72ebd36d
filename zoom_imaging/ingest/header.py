"""One file's header, without pixels: identity, dates, and the clues that tell what it is.

A file is DICOM by what its bytes are: with or without preamble and meta header, in any transfer
syntax, whatever its name. It is walked to its end (see `structure`), so that a cut file is told
from a whole one before anything is taken from it.
"""

from __future__ import annotations

import io
import re
import struct
import warnings as python_warnings
import zlib
from dataclasses import dataclass, field, replace
from datetime import date
from typing import BinaryIO

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import data_element_generator
from pydicom.uid import UID

from zoom_imaging.anatomy import View
from zoom_imaging.ingest.archive import DEFAULT_LIMITS, Limits
from zoom_imaging.ingest.catalogue import Disposition, Header
from zoom_imaging.ingest.dates import day_of_examination, parse_day
from zoom_imaging.ingest.dicomdir import MEDIA_DIRECTORY_UID
from zoom_imaging.ingest.sniff import what_else
from zoom_imaging.ingest.structure import PIXEL_DATA, PIXEL_TAGS, Element, Walk, walk
from zoom_imaging.ingest.text import header_text, visible, without_padding

_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_IMPLICIT_LITTLE = "1.2.840.10008.1.2"
_EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_UID = re.compile(rb"[0-9]+(\.[0-9]+)+")
_NATIVE = {_EXPLICIT_LITTLE, _IMPLICIT_LITTLE, _EXPLICIT_BIG, _DEFLATED}
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
_WANTED = frozenset(
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


def parse(content: bytes, limits: Limits = DEFAULT_LIMITS) -> ParsedFile:
    """Read the header of one file held in memory. Nothing is raised for what a file may hold."""
    return parse_stream(io.BytesIO(content), len(content), limits)


def parse_stream(stream: BinaryIO, size: int, limits: Limits = DEFAULT_LIMITS) -> ParsedFile:
    """Read the header of one file of `size` bytes; the pixel data are passed over, not read."""
    if size == 0:
        return ParsedFile(problem=Disposition.UNREADABLE, reason="the file is empty (0 bytes)")
    with python_warnings.catch_warnings():
        # What pydicom warns of is told in our own words where it matters.
        python_warnings.simplefilter("ignore")
        return _parse(stream, size, limits)


def _parse(stream: BinaryIO, size: int, limits: Limits) -> ParsedFile:
    head = stream.read(160)
    certain = True
    if head[128:132] == b"DICM":
        start = 132
    elif head[:4] == b"DICM":
        start = 4
    elif _begins_like_a_data_set(head):
        start, certain = 0, False
    else:
        return ParsedFile(problem=Disposition.NOT_DICOM, reason=what_else(head))
    stream.seek(start)
    meta = _meta(stream)
    syntax = _uid(meta.get(0x00020010))
    notes: list[str] = []
    if syntax == _DEFLATED:
        inflated, fault = _inflate(stream, size - stream.tell(), limits)
        if fault:
            return ParsedFile(problem=Disposition.UNREADABLE, reason=fault)
        stream, size = io.BytesIO(inflated), len(inflated)
    found, syntax = _walk(stream, size, syntax, notes)
    if not certain and not _UID.fullmatch(_bytes(found.elements.get(_UIDS["sop_class_uid"]))):
        return ParsedFile(
            problem=Disposition.NOT_DICOM,
            reason="it begins like a DICOM data set but is none: no SOP Class UID",
        )
    if found.remark:
        notes.append(found.remark)
    parsed = _described(stream, found, meta, syntax, notes)
    if not found.elements and not found.fault:
        found.fault = "it is cut: nothing follows its meta header"
    fault = found.fault or _missing(parsed, found, syntax)
    if fault:
        reason = f"the file is damaged: {fault}; copy it again from where it came"
        return replace(parsed, problem=Disposition.UNREADABLE, reason=reason)
    return parsed


def _begins_like_a_data_set(head: bytes) -> bool:
    """Whether bytes without preamble may be elements: the meta group, or early tags of group 8."""
    if len(head) < 16:
        return False
    for order in "<>":
        group, element = struct.unpack(f"{order}HH", head[:4])
        if group in {0x0002, 0x0008} and element <= 0x0100:
            explicit = head[4:6].isalpha() and head[4:6].isupper()
            length = struct.unpack(
                f"{order}H" if explicit else f"{order}I", head[6:8] if explicit else head[4:8]
            )[0]
            return bool(length <= 0x1000)
    return False


def _meta(stream: BinaryIO) -> dict[int, Element]:
    """The meta group, explicit little endian by the standard, implicit from some writers."""
    start = stream.tell()
    peek = stream.read(8)
    stream.seek(start)
    if peek[:2] != b"\x02\x00":
        return {}
    implicit = not peek[4:6].isalpha()
    try:
        return {
            int(element.tag): element
            for element in data_element_generator(
                stream, implicit, True, stop_when=lambda tag, vr, length: tag >> 16 != 2
            )
        }
    except Exception:  # a meta header cut in its middle: the walk behind it says so
        stream.seek(start)
        return {}


def _inflate(stream: BinaryIO, stored: int, limits: Limits) -> tuple[bytes, str]:
    packed = stream.read(min(stored, limits.member_bytes + 1))
    if len(packed) > limits.member_bytes:
        return b"", "the deflated data set is too large to be inflated"
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(packed, limits.member_bytes + 1)
    except zlib.error:
        return b"", "the file is damaged: its deflated data set cannot be inflated"
    if objection := limits.objection(len(inflated), len(packed)):
        return b"", f"the deflated data set is refused: {objection}"
    if not engine.eof:
        return b"", "the file is damaged: its deflated data set is cut"
    return inflated, ""


def _walk(stream: BinaryIO, size: int, syntax: str, notes: list[str]) -> tuple[Walk, str]:
    """Walk the data set as it is written, whatever the meta header says; the syntax that holds."""
    start = stream.tell()
    peek = stream.read(6)
    stream.seek(start)
    explicit = len(peek) == 6 and peek[4:6].isalpha() and peek[4:6].isupper()
    little = syntax != _EXPLICIT_BIG
    if not syntax and explicit and peek[:1] == b"\0":
        little = False
    if peek[:2] == b"\x08\x00":
        little = True
    if not syntax:
        implicit_syntax = _EXPLICIT_LITTLE if little else _EXPLICIT_BIG
        syntax = implicit_syntax if explicit else _IMPLICIT_LITTLE
        notes.append("no transfer syntax is declared: told from the bytes")
    elif peek and explicit == (syntax == _IMPLICIT_LITTLE):
        notes.append(
            f"the declared transfer syntax {visible(syntax)} is not how the file is written: "
            f"{'explicit' if explicit else 'implicit'} VR"
        )
    found = walk(stream, size, implicit=not explicit, little_endian=little, wanted=_WANTED)
    return found, syntax


def _bytes(element: Element | None) -> bytes:
    value = element.value if isinstance(element, RawDataElement) else None
    return without_padding(value) if isinstance(value, bytes) else b""


def _uid(element: Element | None) -> str:
    return _bytes(element).decode("ascii", "replace")


def _ascii(element: Element | None) -> str:
    return visible(_bytes(element).decode("ascii", "replace"))


def _described(
    stream: BinaryIO, found: Walk, meta: dict[int, Element], syntax: str, notes: list[str]
) -> ParsedFile:
    """Header and clues of the elements that were found."""
    elements = found.elements
    terms = _bytes(elements.get(_CHARACTER_SET))

    def text(tag: int, what: str) -> str:
        element = elements.get(tag)
        value = element.value if isinstance(element, RawDataElement) else None
        if not value:
            return ""
        return header_text(value, terms, notes, what=what)

    texts = {name: visible(text(tag, name.replace("_", " "))) for name, tag in _TEXTS.items()}
    codes = {name: _ascii(elements.get(tag)) for name, tag in _CODES.items()}
    uids = {name: visible(_uid(elements.get(tag))) for name, tag in _UIDS.items()}
    uids["sop_class_uid"] = uids["sop_class_uid"] or visible(_uid(meta.get(0x00020002)))
    uids["sop_instance_uid"] = uids["sop_instance_uid"] or visible(_uid(meta.get(0x00020003)))
    ids = tuple((name, text(tag, name)) for name, tag in _IDS.items())
    dates = [
        (name, _bytes(elements.get(tag)).decode("ascii", "replace")) for name, tag in _DATES.items()
    ]
    acquired_on, date_source = day_of_examination(dates)
    numbers = {name: _number(elements.get(tag)) for name, tag in _NUMBERS.items()}
    comments = _bytes(elements.get(_COMMENTS))[:4096].lower()
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
        frames=_frames(elements.get(_FRAMES)),
        has_pixels=not PIXEL_TAGS.isdisjoint(elements),
        has_content=_CONTENT_SEQUENCE in elements,
        has_document=_DOCUMENT in elements,
        hologic_text=any(
            tag in _HOLOGIC_TEXT and _begins_hologic(element) for tag, element in elements.items()
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


def _frames(element: Element | None) -> int:
    value = _bytes(element)
    return int(value) if value.isdigit() and int(value) > 0 else 1


def _begins_hologic(element: Element) -> bool:
    value = element.value if isinstance(element, RawDataElement) else None
    return isinstance(value, bytes) and value[:64].lstrip(b"\xef\xbb\xbf \r\n\t\0").startswith(
        b"<HologicHeader1>"
    )


def _meanings(element: Element | None) -> tuple[str, ...]:
    """Code values and meanings of a code sequence, in lower case."""
    if element is None:
        return ()
    from pydicom.dataset import Dataset

    try:
        if isinstance(element, DataElement):
            items = element.value
        else:
            items = Dataset({element.tag: element})[element.tag].value  # type: ignore[dict-item]
        found = [
            visible(str(item.get(name, "")))
            for item in items
            for name in ("CodeValue", "CodeMeaning")
        ]
    except Exception:  # a code that cannot be read is no clue
        return ()
    return tuple(text.strip().lower() for text in found if text.strip())


def _speaks_of_bone_density(stream: BinaryIO, found: Walk) -> bool:
    """Whether the content tree of a structured report has a word of densitometry in it."""
    span = found.spans.get(_CONTENT_SEQUENCE)
    if span is None:
        return False
    stream.seek(span[0])
    return bool(_REPORT_WORDS.search(stream.read(max(0, span[1] - span[0])).lower()))


def _missing(parsed: ParsedFile, found: Walk, syntax: str) -> str:
    """What a whole object of its class has and this file has not; empty if nothing is missing."""
    header, clues = parsed.header, parsed.clues
    if header is None or not header.sop_class_uid:
        return "it names no SOP Class"
    if header.sop_class_uid == MEDIA_DIRECTORY_UID:
        return ""
    if not header.sop_instance_uid:
        return "it has no SOP Instance UID, so it cannot be told from other objects"
    name = UID(header.sop_class_uid).name
    if name.endswith(" SR Storage") and not clues.has_content:
        return "a structured report without content"
    if "Encapsulated" in name and not clues.has_document:
        return "an encapsulated document without the document"
    if "Image Storage" in name:
        if not clues.has_pixels:
            return "an image without pixel data"
        return _short_pixels(header, clues, found, syntax)
    return ""


def _short_pixels(header: Header, clues: Clues, found: Walk, syntax: str) -> str:
    """Whether native pixel data are shorter than rows, columns and frames declare."""
    pixels = found.elements.get(PIXEL_DATA)
    if (
        not isinstance(pixels, RawDataElement)
        or pixels.length == 0xFFFFFFFF
        or syntax not in _NATIVE
    ):
        return ""
    samples = 2 if clues.photometric == "YBR_FULL_422" else clues.samples
    bits = header.rows * header.columns * samples * clues.frames * clues.bits_allocated
    expected = (bits + 7) // 8
    if pixels.length < expected:
        return (
            f"{header.rows} rows and {header.columns} columns need {expected} bytes of pixel data, "
            f"the file has {pixels.length}"
        )
    return ""
