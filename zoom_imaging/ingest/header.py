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
from dataclasses import replace
from typing import BinaryIO

from pydicom.dataelem import RawDataElement
from pydicom.filereader import data_element_generator

from zoom_imaging.ingest.archive import DEFAULT_LIMITS, Limits
from zoom_imaging.ingest.catalogue import Disposition, Header
from zoom_imaging.ingest.clues import Clues, ParsedFile, sop_class_name
from zoom_imaging.ingest.dicomdir import MEDIA_DIRECTORY_UID
from zoom_imaging.ingest.elements import SOP_CLASS_UID, WANTED, describe, plain_values
from zoom_imaging.ingest.sniff import what_else
from zoom_imaging.ingest.structure import PIXEL_DATA, Element, Walk, walk
from zoom_imaging.ingest.text import visible

__all__ = ["ParsedFile", "parse", "parse_stream"]

_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_IMPLICIT_LITTLE = "1.2.840.10008.1.2"
_EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_TRANSFER_SYNTAX = 0x00020010
_UID = re.compile(rb"[0-2](\.[0-9]+){4,}")
_NATIVE = {_EXPLICIT_LITTLE, _IMPLICIT_LITTLE, _EXPLICIT_BIG, _DEFLATED}


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
        if not any(head[:128]) and b"DICM".startswith(head[128:132]):
            reason = f"the file is cut: {size} bytes, which is less than a DICOM header"
            return ParsedFile(problem=Disposition.UNREADABLE, reason=reason)
        return ParsedFile(problem=Disposition.NOT_DICOM, reason=what_else(head))
    stream.seek(start)
    meta = _meta(stream)
    syntax = meta.get(_TRANSFER_SYNTAX, b"").decode("ascii", "replace")
    notes: list[str] = []
    if syntax == _DEFLATED:
        inflated, fault = _inflate(stream, size - stream.tell(), limits)
        if fault:
            return ParsedFile(problem=Disposition.UNREADABLE, reason=fault)
        stream, size = io.BytesIO(inflated), len(inflated)
    at_end = stream.tell() >= size
    found, syntax = _walk(stream, size, syntax, notes)
    if not certain and not _UID.fullmatch(plain_values(found.elements).get(SOP_CLASS_UID, b"")):
        return ParsedFile(
            problem=Disposition.NOT_DICOM,
            reason="it begins like a DICOM data set but is none: no SOP Class UID",
        )
    if found.remark:
        notes.append(found.remark)
    parsed = describe(stream, found, meta, syntax, notes)
    if at_end:
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


def _meta(stream: BinaryIO) -> dict[int, bytes]:
    """The meta group, explicit little endian by the standard, implicit from some writers.

    The declared length of the group is not relied upon: some writers count wrongly.
    """
    start = stream.tell()
    peek = stream.read(8)
    stream.seek(start)
    if peek[:2] != b"\x02\x00":
        return {}
    implicit = not peek[4:6].isalpha()
    try:
        elements: dict[int, Element] = {
            int(element.tag): element
            for element in data_element_generator(
                stream, implicit, True, stop_when=lambda tag, vr, length: tag >> 16 != 2
            )
        }
    except Exception:  # a meta header cut in its middle: the walk behind it says so
        stream.seek(start)
        return {}
    return plain_values(elements)


def _inflate(stream: BinaryIO, stored: int, limits: Limits) -> tuple[bytes, str]:
    packed = stream.read(min(stored, limits.member_bytes + 1))
    if len(packed) > limits.member_bytes:
        return b"", "the deflated data set is too large to be inflated"
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(packed, limits.inflated_at_most(len(packed)) + 1)
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
    found = walk(stream, size, implicit=not explicit, little_endian=little, wanted=WANTED)
    return found, syntax


def _missing(parsed: ParsedFile, found: Walk, syntax: str) -> str:
    """What a whole object of its class has and this file has not; empty if nothing is missing."""
    header, clues = parsed.header, parsed.clues
    if header is None or not header.sop_class_uid:
        return "it names no SOP Class"
    if header.sop_class_uid == MEDIA_DIRECTORY_UID:
        return ""
    if not header.sop_instance_uid:
        return "it has no SOP Instance UID, so it cannot be told from other objects"
    name = sop_class_name(header.sop_class_uid)
    for needs, has, fault in (
        (name.endswith(" SR Storage"), clues.has_content, "a structured report without content"),
        ("Encapsulated" in name, clues.has_document, "an encapsulated document without it"),
        ("Image Storage" in name, clues.has_pixels, "an image without pixel data"),
    ):
        if needs and not has:
            return fault
    return _short_pixels(header, clues, found, syntax) if clues.has_pixels else ""


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
