"""One input file as the bytes of its de-identified twin, or the reason why there is none."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass

import pydicom
import pydicom.config
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from zoom_imaging.dxa.read import read_report
from zoom_imaging.dxa.result import DxaReport
from zoom_imaging.errors import InputError, NotRelevantError, UnreadableError
from zoom_imaging.exchange.deidentify.dataset import Cleaner, Counts, Person
from zoom_imaging.exchange.deidentify.elements import raw_value
from zoom_imaging.exchange.deidentify.pixels import (
    CleanPixels,
    Picture,
    Pixels,
    clean_pixels,
    put_frames,
)
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.ingest.catalogue import FileKind, Header
from zoom_imaging.ingest.clues import Clues, sop_class_name
from zoom_imaging.ingest.dataset import Source, open_source

NAME = "the file"
"""What reasons call it: its path may hold a name."""

_SR_PREFIX = "1.2.840.10008.5.1.4.1.1.88."
_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
_ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
_DENSITOMETER = re.compile(
    r"hologic|lunar|norland|osteosys|medilink|i-?dxa|prodigy|\bdpx|\bqdr|horizon|discovery", re.I
)
_ITEM = b"\xfe\xff\x00\xe0"
_PIXEL_DATA = 0x7FE00010


@dataclass(frozen=True)
class Written:
    """The bytes of a cleaned file, and what was done to it."""

    content: bytes
    sop_instance_uid: str
    counts: Counts
    pixels: CleanPixels


@dataclass(frozen=True)
class Known:
    """What `ingest` says of the file."""

    header: Header
    clues: Clues
    kind: FileKind


def written(
    content: bytes,
    known: Known,
    person: Person,
    secret: Secret,
    *,
    time_points: Collection[str] = (),
    vouched: bool = False,
) -> Written:
    """Clean one file. InputError with a reason where it cannot be cleaned for certain."""
    _require_kind(known)
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        before = _report(content) if known.kind is FileKind.DXA_REPORT else None
        source = open_source(content, NAME)
        uid = secret.uid(known.header.sop_instance_uid)
        if known.clues.has_pixels:
            pixels = _pixels(source, known, vouched=vouched)
        else:
            pixels = CleanPixels(Pixels.NONE)
        counts = Cleaner(source, person, secret, time_points).clean()
        put_frames(source, pixels)
        finished = _bytes_of(source, known.header, uid, native=pixels.frames is not None)
        if before is not None:
            _require_same_numbers(before, _report(finished), person.shift_days)
    return Written(finished, uid, counts, pixels)


def _require_kind(known: Known) -> None:
    """Reports and pictures are cleaned; what has other places for text is not."""
    uid = known.header.sop_class_uid
    name = sop_class_name(uid)
    if uid.startswith(_ENCAPSULATED):
        raise NotRelevantError(
            "a document inside of DICOM (PDF): its pages cannot be cleaned for certain",
            remedy="enter its numbers by hand",
        )
    picture = name.rstrip(")").partition(" - ")[0].endswith("Image Storage")
    if not uid.startswith(_SR_PREFIX) and not (picture and known.clues.has_pixels):
        shown = name if name != uid else "a file of an unknown class"
        raise NotRelevantError(f"{shown}: neither a picture nor a structured report")
    if not known.header.sop_instance_uid:
        raise UnreadableError("the file has no SOP Instance UID")


def _pixels(source: Source, known: Known, *, vouched: bool) -> CleanPixels:
    dataset = source.dataset
    if any(tag >> 16 == 0x6000 and "OverlayData" for tag in map(int, dataset.keys())):
        _require_separate_overlays(source)
    film = known.kind is FileKind.SPINE_RADIOGRAPH
    captured = known.header.sop_class_uid.startswith(_CAPTURES)
    page = captured and not _is_number(known.header.sop_class_uid)
    maker = f"{known.header.manufacturer} {known.header.model}"
    declared = str(dataset.get("BurnedInAnnotation") or "").strip().upper()
    picture = Picture(
        capture=not film and (page or bool(_DENSITOMETER.search(maker))),
        has_results=known.clues.hologic_text or known.clues.lunar_xml,
        # A capture is a picture of a screen: that it holds no text is not taken on trust.
        burned_in="" if captured and declared == "NO" else declared,
        vouched=vouched and not captured,
    )
    cleaned = clean_pixels(source, picture)
    value = raw_value(dataset, _PIXEL_DATA)
    if cleaned.frames is None and value.startswith(_ITEM) and not _is_compressed(source):
        raise UnreadableError("the pixel data are compressed and the header says that they are not")
    return cleaned


def _is_number(uid: str) -> bool:
    """Whether a UID of the form of a capture is another class (…1.77 is mammography's)."""
    return not (uid == _CAPTURES or uid.startswith(_CAPTURES + "."))


def _require_separate_overlays(source: Source) -> None:
    """An overlay among the bits of the pixels would stay when its description is removed."""
    dataset = source.dataset
    for group in range(0x6000, 0x6100, 2):
        rows, data = group << 16 | 0x0010, group << 16 | 0x3000
        if rows in dataset and data not in dataset:
            raise NotRelevantError(
                "an overlay, which may hold text, lies among the bits of the pixels",
                remedy="export the film without overlays",
            )


def _is_compressed(source: Source) -> bool:
    syntax = source.transfer_syntax
    return bool(syntax.is_transfer_syntax and syntax.is_compressed and syntax.is_encapsulated)


def _bytes_of(source: Source, header: Header, uid: str, *, native: bool) -> bytes:
    dataset, encoding = source.dataset, source.encoding
    value = raw_value(dataset, _PIXEL_DATA)
    syntax: UID = ExplicitVRLittleEndian if encoding.little_endian else ExplicitVRBigEndian
    if encoding.implicit:
        syntax = ImplicitVRLittleEndian
    if not native and value.startswith(_ITEM) and _is_compressed(source):
        syntax = source.transfer_syntax
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = UID(header.sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(uid)
    dataset.file_meta = meta
    stream = io.BytesIO()
    try:
        pydicom.dcmwrite(
            stream,
            dataset,
            implicit_vr=encoding.implicit,
            little_endian=encoding.little_endian,
            enforce_file_format=True,
        )
    except InputError:
        raise
    except Exception as error:  # a damaged element shows itself only here
        raise UnreadableError(
            f"an element of the file is damaged and cannot be written ({type(error).__name__})"
        ) from error
    return stream.getvalue()


def _report(content: bytes) -> DxaReport | None:
    try:
        return read_report(content, NAME)
    except InputError:
        return None


def _require_same_numbers(before: DxaReport, after: DxaReport | None, shift_days: int) -> None:
    """A report must say the same after cleaning, on a day that has moved with the others."""
    from datetime import timedelta

    same = after is not None and _said(before) == _said(after)
    if same and after is not None and before.scan_date is not None:
        same = after.scan_date == before.scan_date + timedelta(days=shift_days)
    if not same:
        raise UnreadableError(
            "the report does not say the same after its text was cleaned",
            remedy="please report it with the form of the report, without the patient's data",
        )


def _said(report: DxaReport) -> object:
    return (
        report.source,
        report.scanner,
        report.scan_mode,
        report.analysis_version,
        report.reference,
        report.included_levels,
        [(one.site, one.side, one.region, one.numbers, one.state) for one in report.results],
    )
