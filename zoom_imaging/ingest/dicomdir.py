"""A DICOMDIR: the table of contents of an exchange medium (PS3.10, chapter 8)."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.text import visible

MEDIA_DIRECTORY_UID = "1.2.840.10008.1.3.10"
_NAMED_AT_MOST = 5


def referenced_parts(content: bytes) -> tuple[tuple[str, ...], ...]:
    """The path components of each file that a DICOMDIR lists, in its order, each once.

    Raises UnreadableError if the directory records cannot be read.
    """
    import pydicom

    found: dict[tuple[str, ...], None] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            records = pydicom.dcmread(io.BytesIO(content), force=True).get(
                "DirectoryRecordSequence", []
            )
            for record in records or []:
                value = record.get("ReferencedFileID")
                if not value:
                    continue
                parts = [value] if isinstance(value, str) else list(value)
                found[tuple(part for text in parts for part in str(text).split("\\"))] = None
    except Exception as error:  # pydicom raises many kinds for damaged records
        raise UnreadableError(
            f"the records of the DICOMDIR cannot be read ({type(error).__name__})"
        ) from error
    return tuple(found)


def climbs_out(parts: tuple[str, ...]) -> bool:
    """Whether a reference leaves the folder of its DICOMDIR."""
    joined = [piece for part in parts for piece in part.replace("\\", "/").split("/")]
    return not joined or ".." in joined or joined[0] == "" or joined[0].endswith(":")


def resolve_below(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """The file that a reference means, also in lower case as some systems write it; else None."""
    if climbs_out(parts):
        return None
    here = folder
    for part in parts:
        exact = here / part
        if not os.path.lexists(exact):
            try:
                names = sorted(os.listdir(here))
            except OSError:
                return None
            exact = next((here / n for n in names if n.casefold() == part.casefold()), exact)
        here = exact
    try:
        inside = here.resolve().is_relative_to(folder.resolve())
    except OSError:
        return None
    return here if inside and here.is_file() else None


def sentence(references: Iterable[tuple[str, ...]], beside: Iterable[str]) -> str:
    """What a DICOMDIR's row says: how many files it lists, and which of them are not there.

    `beside` are the paths, relative to the folder of the DICOMDIR, that were found there.
    """
    present = {path.casefold() for path in beside}
    listed = tuple(references)
    outside = [_shown(parts) for parts in listed if climbs_out(parts)]
    missing = [
        _shown(parts)
        for parts in listed
        if not climbs_out(parts) and str(PurePosixPath(*parts)).casefold() not in present
    ]
    text = (
        f"a DICOMDIR is a table of contents; the {len(listed)} files it lists have their own rows"
    )
    if missing:
        text += f"; {len(missing)} of them are not there: {_some(missing)}"
    if outside:
        text += f"; {len(outside)} references lead out of its folder: {_some(outside)}"
    return text


def _shown(parts: tuple[str, ...]) -> str:
    return visible("/".join(parts))


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
