"""The one door of this room: the bytes of a file in, one `Radiograph` a frame out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pydicom.config
from pydicom.dataset import Dataset
from pydicom.uid import UID

from zoom_imaging.anatomy import View
from zoom_imaging.errors import InputError, NotRelevantError, UnreadableError
from zoom_imaging.ingest.dataset import Source, open_source
from zoom_imaging.ingest.header import ParsedFile, parse
from zoom_imaging.ingest.text import visible
from zoom_imaging.radiograph.colour import grey_from_colour, is_colour
from zoom_imaging.radiograph.decimals import header_text
from zoom_imaging.radiograph.decode import Stored, decode
from zoom_imaging.radiograph.field import blank_border, open_field
from zoom_imaging.radiograph.film import Radiograph, Scale
from zoom_imaging.radiograph.grey import Mask, outside, padding, render, unpack
from zoom_imaging.radiograph.scale import ScaleHeader, scale_of
from zoom_imaging.radiograph.seams import find_seams, says_stitched
from zoom_imaging.radiograph.view import read_view

_OTHER_MODALITIES = frozenset(
    {"CT", "MR", "PT", "NM", "US", "MG", "ECG", "SR", "PR", "KO", "SEG", "DOC", "PX", "IO", "OP"}
)
_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True)
class _Header:
    """What all frames of a file share."""

    path: str
    sop_instance_uid: str
    scale: Scale
    acquired_on: date | None
    warnings: tuple[str, ...]


def read_radiographs(content: bytes, path: str) -> tuple[Radiograph, ...]:
    """Every frame of a file as a radiograph; `frame` is its index where there are several.

    Raises NotDicomError, UnreadableError, UnsupportedTransferSyntaxError or NotRelevantError, each
    with a sentence. The view is told, not judged: see `batch.film`.
    """
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        # What is wrong with a header is told in our own words where it matters.
        warnings.simplefilter("ignore")
        try:
            return tuple(_films(content, path))
        except InputError as refusal:  # a library's message may quote bytes of the file
            raise type(refusal)(visible(refusal.reason)) from refusal
        except MemoryError as error:
            raise UnreadableError(
                f"{path}: the image does not fit into memory", remedy="use a larger machine"
            ) from error


def _films(content: bytes, path: str) -> Iterator[Radiograph]:
    source = open_source(content, path)
    _check_kind(source)
    stored = decode(source)
    parsed = parse(content)
    header = _header(source, parsed)
    view, view_reason = read_view(parsed)
    notes = header.warnings + stored.warnings
    for index in range(stored.layout.frames):
        film = _film(stored, index, header, source.dataset)
        yield replace(
            film,
            view=view,
            view_reason=view_reason,
            warnings=tuple(dict.fromkeys(map(visible, notes + film.warnings))),
        )


def _check_kind(source: Source) -> None:
    dataset = source.dataset
    modality = header_text(dataset, "Modality").upper()
    if "DirectoryRecordSequence" in dataset or (header_text(dataset, "SOPClassUID") == _DIRECTORY):
        raise NotRelevantError(f"{source.path} is a DICOMDIR", remedy="name the images themselves")
    if modality in _OTHER_MODALITIES:
        name = UID(header_text(dataset, "SOPClassUID") or "1").name
        raise NotRelevantError(
            f"{source.path} is no radiograph",
            expected="a projection radiograph (DX, CR, RG, SC)",
            found=f"modality {modality}, {name}",
        )


def _header(source: Source, parsed: ParsedFile) -> _Header:
    dataset = source.dataset
    scale, scale_notes = scale_of(ScaleHeader.of(dataset))
    return _Header(
        path=source.path,
        sop_instance_uid=header_text(dataset, "SOPInstanceUID"),
        scale=scale,
        acquired_on=parsed.header.acquired_on if parsed.header else None,
        warnings=source.warnings + scale_notes,
    )


def _film(stored: Stored, index: int, header: _Header, dataset: Dataset) -> Radiograph:
    layout = stored.layout
    raw = stored.frames[index]
    values = unpack(raw, layout, header.path)
    field, notes = open_field(dataset, layout.rows, layout.columns)
    if is_colour(layout):
        pixels, note = grey_from_colour(values, dataset, layout, header.path)
        notes += (note,)
        levels = np.rint(pixels * 65535).astype(np.int32)
        padded: Mask = np.zeros(levels.shape, dtype=bool)
        blank = blank_border(levels, field)
    else:
        padded, padding_notes = padding(raw, values, layout, dataset)
        blank = blank_border(values, field & ~padded)
        grey = render(values, field & ~padded & ~blank, dataset, layout, header.path)
        pixels = grey.pixels
        notes += padding_notes + grey.warnings
    hidden = outside(padded) | ~field
    valid = ~(hidden | blank)
    if not valid.any() or float(np.ptp(pixels[valid])) == 0.0:
        raise UnreadableError(
            f"{header.path}: the picture is empty",
            expected="grey values that differ",
            found="one value or padding only",
        )
    pixels = np.where(hidden, np.float32(0), pixels)
    seams = find_seams(pixels, valid)
    if not seams and says_stitched(dataset):
        notes += ("the header calls the film stitched, but no seam was found",)
    return Radiograph(
        path=header.path,
        sop_instance_uid=header.sop_instance_uid,
        pixels=np.ascontiguousarray(pixels, dtype=np.float32),
        valid=valid,
        scale=header.scale,
        view=View.UNKNOWN,
        view_reason="",
        acquired_on=header.acquired_on,
        seams=seams,
        frame=index if layout.frames > 1 else None,
        warnings=notes,
    )
