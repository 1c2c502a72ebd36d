"""Copies and contradictions: files that claim to be one object (one SOP Instance UID).

Same data set, also in another transfer syntax: the first by path is used, the others are
duplicates. Anything else under one UID is conflicting, and none is used: nobody can tell which is
right.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.ingest.source import SourceReader

_NOT_COMPARED = {0x7FE00010, 0xFFFCFFFC}
_Value = bytes | str | tuple["_Content", ...]
_Content = tuple[tuple[int, _Value], ...]


@dataclass(frozen=True)
class Claimant:
    """A sound file that claims a SOP Instance UID."""

    source: SourceFile
    sha256: str
    transfer_syntax_uid: str


def copies(claimants: Sequence[Claimant]) -> bool:
    """Whether all files of one UID are the same data set."""
    by_hash = {claimant.sha256: claimant for claimant in claimants}
    if len(by_hash) == 1:
        return True
    distinct = list(by_hash.values())
    with warnings.catch_warnings(), SourceReader() as reader:
        warnings.simplefilter("ignore")
        try:
            first = _read(reader, distinct[0])
            return all(_same(first, _read(reader, other)) for other in distinct[1:])
        except Exception:  # what cannot be compared is not known to be the same
            return False


def _read(reader: SourceReader, claimant: Claimant) -> Any:
    import pydicom

    content = reader.read(claimant.source)
    if not content:
        raise UnreadableError("the file is empty now")
    return pydicom.dcmread(io.BytesIO(content), force=True)


def _same(one: Any, other: Any) -> bool:
    little = one.original_encoding[1] and other.original_encoding[1]
    if dict(_content(one, bool(little))) != dict(_content(other, bool(little))):
        return False
    if ("PixelData" in one) != ("PixelData" in other):
        return False
    return "PixelData" not in one or _same_pixels(one, other, bool(little))


def _content(dataset: Any, raw: bool) -> Iterator[tuple[int, _Value]]:
    """Tag and value of each element but pixels; as stored (`raw`) where both store alike."""
    for tag in sorted(dataset.keys()):
        if tag in _NOT_COMPARED or tag.element == 0:
            continue
        stored = dataset.get_item(tag)
        # For an empty element pydicom has b"" in explicit VR, but None or "" in implicit VR.
        value = b"" if stored.value is None or stored.value == "" else stored.value
        if raw and isinstance(value, bytes) and stored.VR not in {"SQ", None}:
            yield int(tag), value.rstrip(b" \0")
            continue
        element = dataset[tag]
        if element.VR == "SQ":
            yield int(tag), tuple(tuple(_content(item, raw)) for item in element.value)
        elif raw and isinstance(value, bytes):
            yield int(tag), value.rstrip(b" \0")
        elif isinstance(element.value, bytes):
            yield int(tag), element.value.rstrip(b" \0")
        else:
            yield int(tag), str(element.value).strip(" \0")


def _same_pixels(one: Any, other: Any, little: bool) -> bool:
    syntaxes = {_syntax(one), _syntax(other)}
    if len(syntaxes) == 1 or (little and all(not syntax.is_compressed for syntax in syntaxes)):
        return bool(one.PixelData.rstrip(b"\0") == other.PixelData.rstrip(b"\0"))
    import numpy as np

    from zoom_imaging.ingest.pixels import decoded

    return bool(np.array_equal(decoded(one), decoded(other)))


def _syntax(dataset: Any) -> Any:
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    declared = dataset.file_meta.get("TransferSyntaxUID") if dataset.file_meta else None
    if declared is not None:
        return declared
    return ImplicitVRLittleEndian if dataset.original_encoding[0] else ExplicitVRLittleEndian


def by_uid(uids: Mapping[int, str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Positions of the files that share a UID, for each UID that several files claim."""
    groups: dict[str, list[int]] = {}
    for position, uid in uids.items():
        groups.setdefault(uid, []).append(position)
    for uid, positions in sorted(groups.items()):
        if len(positions) > 1:
            yield uid, tuple(sorted(positions))
