"""The data set of a file, read by what its bytes are and not only by what its header claims.

Files in the field have no preamble, name another transfer syntax than they have, are cut short or
declare lengths beyond their end. The data set is read where that can be done with certainty, with a
warning that names the contradiction; a cut file is never read as far as it goes.
"""

from __future__ import annotations

import io
import warnings
import zlib
from dataclasses import dataclass

import pydicom.config
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import VR

from zoom_imaging.errors import NotDicomError, UnreadableError
from zoom_imaging.ingest.archive import DEFAULT_LIMITS
from zoom_imaging.ingest.faults import PARSER_ERRORS

LARGEST_INFLATED_BYTES = DEFAULT_LIMITS.member_bytes
"""A deflated data set that grows beyond this, or by a bomb's ratio, is refused before it does."""

_KNOWN_VRS = frozenset(vr.value.encode() for vr in VR if len(vr.value) == 2)
_UNDEFINED = 0xFFFFFFFF
_FIRST_GROUPS = range(0x0002, 0x0030)


@dataclass(frozen=True)
class Encoding:
    """How the elements of a data set are written."""

    implicit: bool
    little_endian: bool

    def __str__(self) -> str:
        vr = "implicit" if self.implicit else "explicit"
        return f"{vr} VR {'little' if self.little_endian else 'big'} endian"


@dataclass(frozen=True)
class Source:
    """A data set as read, the transfer syntax that the file names, and what did not agree."""

    path: str
    dataset: Dataset
    transfer_syntax: UID
    encoding: Encoding
    warnings: tuple[str, ...]


def open_source(content: bytes, path: str) -> Source:
    """Read a whole data set from the bytes of a file.

    Raises NotDicomError for what is no DICOM file, UnreadableError for what is cut or damaged.
    """
    start = _start_of_elements(content, path)
    meta, at = _read_meta(content, start, path)
    declared = UID(str(meta.get("TransferSyntaxUID", "")).strip(" \0"))
    notes: list[str] = []
    body = content[at:]
    if declared == DeflatedExplicitVRLittleEndian:
        body = _inflate(body, path, notes)
    if len(body) < 8:
        raise UnreadableError(
            f"{path} ends after its file meta information",
            expected="a data set",
            found=f"{len(body)} bytes",
            remedy="copy the file again from its source",
        )
    encoding = _encoding_of(body, path)
    _compare(declared, encoding, notes)
    dataset = _parse(body, encoding, path, notes)
    return Source(
        path=path,
        dataset=dataset,
        transfer_syntax=declared or _native_syntax(encoding),
        encoding=encoding,
        warnings=tuple(notes),
    )


def _native_syntax(encoding: Encoding) -> UID:
    if encoding.implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if encoding.little_endian else ExplicitVRBigEndian


def _start_of_elements(content: bytes, path: str) -> int:
    if content[128:132] == b"DICM":
        return 132
    if content[:4] == b"DICM":
        return 4
    if _plausible_encoding(content) is not None:
        return 0
    raise NotDicomError(
        f"{path} is no DICOM file",
        expected="the prefix DICM or a data set",
        found=f"{len(content)} bytes that are neither",
    )


def _plausible_encoding(body: bytes) -> Encoding | None:
    """Tell the encoding from the first element, None if it looks like none."""
    if len(body) < 8:
        return None
    little_endian = int.from_bytes(body[:2], "little") in _FIRST_GROUPS
    if not little_endian and int.from_bytes(body[:2], "big") not in _FIRST_GROUPS:
        return None
    if body[4:6] in _KNOWN_VRS:
        return Encoding(implicit=False, little_endian=little_endian)
    if not little_endian:
        return None
    length = int.from_bytes(body[4:8], "little")
    if length > len(body) - 8 and length != _UNDEFINED:
        return None
    return Encoding(implicit=True, little_endian=True)


def _read_meta(content: bytes, start: int, path: str) -> tuple[Dataset, int]:
    stream = io.BytesIO(content)
    stream.seek(start)
    try:
        with warnings.catch_warnings(), pydicom.config.disable_value_validation():
            warnings.simplefilter("ignore")
            meta = read_dataset(
                stream,
                is_implicit_VR=False,
                is_little_endian=True,
                stop_when=lambda tag, _vr, _length: tag.group != 2,
            )
            meta.get("TransferSyntaxUID")
    except PARSER_ERRORS as error:
        raise UnreadableError(
            f"{path}: the file meta information is damaged ({type(error).__name__})",
            remedy="copy the file again from its source",
        ) from error
    return meta, stream.tell()


def _inflate(body: bytes, path: str, notes: list[str]) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    at_most = min(LARGEST_INFLATED_BYTES, DEFAULT_LIMITS.inflated_at_most(len(body)))
    try:
        inflated = inflater.decompress(body, at_most)
    except zlib.error as error:
        if _plausible_encoding(body) is not None:
            notes.append("the transfer syntax says deflated, but the data set is not")
            return body
        raise UnreadableError(
            f"{path}: the deflated data set is damaged ({error})",
            remedy="copy the file again from its source",
        ) from error
    if inflater.unconsumed_tail:
        raise UnreadableError(
            f"{path}: the deflated data set is too large",
            expected=f"at most {at_most} bytes from {len(body)}",
            found="more",
        )
    if not inflater.eof:
        raise UnreadableError(
            f"{path}: the deflated data set is cut short",
            remedy="copy the file again from its source",
        )
    return inflated


def _encoding_of(body: bytes, path: str) -> Encoding:
    encoding = _plausible_encoding(body)
    if encoding is None:
        raise UnreadableError(
            f"{path}: the data set is damaged",
            expected="an element of group 0008",
            found=f"the bytes {body[:8].hex(' ')}",
            remedy="copy the file again from its source",
        )
    return encoding


def _compare(declared: UID, found: Encoding, notes: list[str]) -> None:
    if not declared:
        notes.append(f"the file names no transfer syntax; its data set is {found}")
        return
    if declared == ImplicitVRLittleEndian:
        expected = Encoding(implicit=True, little_endian=True)
    else:
        expected = Encoding(implicit=False, little_endian=declared != ExplicitVRBigEndian)
    if expected != found:
        notes.append(
            f"the transfer syntax {declared.name} ({declared}) says {expected}, "
            f"but the data set is {found}"
        )


def _parse(body: bytes, encoding: Encoding, path: str, notes: list[str]) -> Dataset:
    stream = io.BytesIO(body)
    with warnings.catch_warnings(record=True) as caught, pydicom.config.disable_value_validation():
        warnings.simplefilter("always")
        try:
            dataset = read_dataset(stream, encoding.implicit, encoding.little_endian)
            _check_complete(dataset, len(body), path)
        except UnreadableError:
            raise
        except PARSER_ERRORS as error:
            what = "nested too deeply" if isinstance(error, RecursionError) else "damaged or cut"
            raise UnreadableError(
                f"{path}: the data set is {what} ({type(error).__name__})",
                remedy="copy the file again from its source",
            ) from error
    for warning in caught:
        text = str(warning.message)
        if "end of file" in text.lower() or "EOF" in text:
            raise _cut(path, text.removesuffix(" in file <no filename>"))
    notes.extend(
        text
        for text in dict.fromkeys(str(warning.message) for warning in caught)
        if "VR" not in text  # the encoding is compared above
    )
    return dataset


def _cut(path: str, found: str) -> UnreadableError:
    return UnreadableError(
        f"{path} is cut short",
        expected="a whole data set",
        found=found,
        remedy="copy the file again from its source",
    )


def _check_complete(dataset: Dataset, body_bytes: int, path: str) -> None:
    """Every element has as many bytes as it declares, and nothing stands half at the end."""
    end = 0
    for tag in dataset.keys():  # noqa: SIM118 - iterating a Dataset would convert its elements
        element = dataset.get_item(tag, keep_deferred=True)
        if not isinstance(element, RawDataElement):
            end = body_bytes
            continue
        held = len(element.value) if isinstance(element.value, bytes) else 0
        if element.length == _UNDEFINED:
            end = body_bytes
            continue
        if element.length > held:
            raise _cut(path, f"element {element.tag} declares {element.length} bytes, has {held}")
        end = max(end, element.value_tell + element.length)
    if 0 < body_bytes - end < 8:
        raise _cut(path, f"{body_bytes - end} bytes of another element at the end")
