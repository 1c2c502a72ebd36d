"""Stored values of every frame, out of native or compressed pixel data.

Sizes are checked before memory is taken: what the header declares must agree with what the file
holds, and what a codestream declares must agree with the header. Pixel data that contradict the
transfer syntax are read as what they are, with a warning, or refused; never as noise.
"""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.uid import UID, JPEGBaseline8Bit

from zoom_imaging.errors import (
    NotRelevantError,
    UnreadableError,
    UnsupportedTransferSyntaxError,
)
from zoom_imaging.ingest.archive import DEFAULT_LIMITS
from zoom_imaging.ingest.codec import CodecError, CodecMissingError, decode_frame
from zoom_imaging.ingest.codestream import ITEM, Codestream, identify
from zoom_imaging.ingest.dataset import Source
from zoom_imaging.radiograph.decimals import header_text, header_texts
from zoom_imaging.radiograph.layout import Layout, read_layout

_AGAIN = "copy the file again from its source"
_PIXEL_DATA = 0x7FE00010


@dataclass(frozen=True)
class Stored:
    """Frames as unsigned containers: (frames, rows, columns), with samples last for colour.

    `layout` describes the values after decoding: a codec that has moved the bits to the bottom
    gives a lower `high_bit` than the header.
    """

    frames: NDArray[Any]
    layout: Layout
    warnings: tuple[str, ...]


def decode(source: Source) -> Stored:
    """Decode all frames.

    Raises UnreadableError for missing, cut or contradictory pixel data, NotRelevantError for an
    object without an image, UnsupportedTransferSyntaxError where no codec is there.
    """
    value = _pixel_value(source)
    layout = read_layout(source.dataset, source.path)
    notes: list[str] = []
    declared = source.transfer_syntax
    if value.startswith(ITEM):
        return _decode_encapsulated(value, layout, source, notes)
    if declared.is_transfer_syntax and declared.is_compressed and declared.is_encapsulated:
        if not 0 <= len(value) - layout.frame_bytes * layout.frames <= 1:
            raise UnreadableError(
                f"{source.path}: the transfer syntax is {declared.name} ({declared}), but the "
                "pixel data hold no fragments and have not the size of an uncompressed image",
                expected=f"fragments or {layout.frame_bytes * layout.frames} bytes",
                found=f"{len(value)} bytes",
                remedy=_AGAIN,
            )
        notes.append(
            f"the transfer syntax says {declared.name} ({declared}), but the pixel data are "
            "uncompressed and have exactly the declared size; read as uncompressed"
        )
    return _decode_native(value, layout, source, notes)


def _pixel_value(source: Source) -> bytes:
    dataset = source.dataset
    for keyword in ("FloatPixelData", "DoubleFloatPixelData"):
        if keyword in dataset:
            raise NotRelevantError(
                f"{source.path} holds computed values ({keyword}), not a radiograph"
            )
    element = dataset.get_item(_PIXEL_DATA) if _PIXEL_DATA in dataset else None
    value = element.value if element is not None else None
    if isinstance(value, bytes) and value:
        return value
    if header_texts(dataset, "Rows") or not header_text(dataset, "SOPClassUID"):
        raise UnreadableError(
            f"{source.path} holds no pixel data", expected="Pixel Data (7FE0,0010)", remedy=_AGAIN
        )
    name = UID(header_text(dataset, "SOPClassUID")).name
    raise NotRelevantError(f"{source.path} is no image", expected="a radiograph", found=name)


def _decode_native(value: bytes, layout: Layout, source: Source, notes: list[str]) -> Stored:
    expected = layout.frame_bytes * layout.frames
    if layout.photometric == "YBR_FULL_422":
        raise NotRelevantError(
            f"{source.path}: a colour picture ({layout.photometric}), not a radiograph"
        )
    if len(value) < expected:
        raise UnreadableError(
            f"{source.path}: the pixel data are cut short",
            expected=f"{expected} bytes for {layout.frames} x {layout.rows} x {layout.columns}",
            found=f"{len(value)} bytes",
            remedy=_AGAIN,
        )
    surplus = len(value) - expected
    row_bytes = layout.frame_bytes // layout.rows
    if surplus > 1 and surplus >= row_bytes:
        raise UnreadableError(
            f"{source.path}: the pixel data contradict the declared size",
            expected=f"{expected} bytes for {layout.frames} x {layout.rows} x {layout.columns}",
            found=f"{len(value)} bytes",
            remedy="correct Rows, Columns, Bits Allocated or Number of Frames at the source",
        )
    if surplus > 1:
        notes.append(f"{surplus} bytes behind the pixels were left out")
    kind = layout.container.newbyteorder("<" if source.encoding.little_endian else ">")
    flat = np.frombuffer(value, dtype=kind, count=expected // kind.itemsize)
    if not source.encoding.little_endian and layout.bits_allocated == 8:
        flat = _swap_bytes_of_words(source, value, expected, flat)
    shape: tuple[int, ...] = (layout.frames, layout.rows, layout.columns)
    if layout.samples > 1 and layout.planar == 1:
        planes = flat.reshape(layout.frames, layout.samples, layout.rows, layout.columns)
        frames = np.moveaxis(planes, 1, -1)
    elif layout.samples > 1:
        frames = flat.reshape(*shape, layout.samples)
    else:
        frames = flat.reshape(shape)
    return Stored(frames.astype(layout.container), layout, tuple(notes))


def _swap_bytes_of_words(
    source: Source, value: bytes, expected: int, flat: NDArray[Any]
) -> NDArray[Any]:
    """8-bit pixels that are written as big endian 16-bit words (VR OW) lie in swapped pairs."""
    element = source.dataset.get_item(_PIXEL_DATA)
    if element is None or element.VR != "OW" or len(value) % 2:
        return flat
    return np.frombuffer(value, dtype="u2").byteswap().view("u1")[:expected]


def _decode_encapsulated(value: bytes, layout: Layout, source: Source, notes: list[str]) -> Stored:
    frames = _compressed_frames(value, layout, source)
    codestreams = [_check_codestream(frame, layout, source) for frame in frames]
    if objection := DEFAULT_LIMITS.objection(layout.frame_bytes * layout.frames, len(value)):
        raise UnreadableError(
            f"{source.path}: the compressed pixel data are refused: {objection}", remedy=_AGAIN
        )
    syntax = _agreed_syntax(codestreams, source, notes)
    found = codestreams[0]
    if found.precision > layout.bits_allocated:
        raise UnreadableError(
            f"{source.path}: the {found.kind} frame has more bits than the header allocates",
            expected=f"at most {layout.bits_allocated}",
            found=f"{found.precision}",
        )
    decoded = np.stack([_decode_frame(frame, syntax, layout, source, notes) for frame in frames])
    if found.precision > layout.bits_stored and not layout.signed:
        largest = int(decoded.max())
        if largest >> (layout.high_bit + 1):
            raise UnreadableError(
                f"{source.path}: the {found.kind} frame contradicts Bits Stored",
                expected=f"values of {layout.bits_stored} bits",
                found=f"{largest}",
                remedy="correct Bits Stored and High Bit at the source",
            )
    if decoded.itemsize * 8 != layout.bits_allocated:
        layout = replace(layout, bits_allocated=decoded.itemsize * 8)
    if found.precision and found.precision <= layout.bits_stored:
        layout = replace(
            layout, high_bit=layout.bits_stored - 1 if layout.signed else found.precision - 1
        )
        layout = replace(layout, bits_stored=layout.high_bit + 1)
    if layout.samples > 1:
        layout = replace(layout, photometric="RGB", planar=0)
    return Stored(decoded.view(f"u{decoded.itemsize}"), layout, tuple(notes))


def _compressed_frames(value: bytes, layout: Layout, source: Source) -> list[bytes]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frames = list(generate_frames(value, number_of_frames=layout.frames))
    except (ValueError, EOFError, IndexError, OSError, struct.error) as error:
        raise UnreadableError(
            f"{source.path}: the fragments of the pixel data are damaged ({error})", remedy=_AGAIN
        ) from error
    if len(frames) != layout.frames:
        raise UnreadableError(
            f"{source.path}: the pixel data contradict Number of Frames",
            expected=f"{layout.frames} frames",
            found=f"{len(frames)}",
            remedy=_AGAIN,
        )
    return frames


def _check_codestream(frame: bytes, layout: Layout, source: Source) -> Codestream:
    found = identify(frame)
    if found is None:
        raise UnsupportedTransferSyntaxError(
            f"{source.path}: the compressed pixel data are of no known kind, the transfer syntax "
            f"is {source.transfer_syntax.name} ({source.transfer_syntax})",
            remedy="store the image uncompressed or as JPEG 2000",
        )
    if not found.is_complete:
        raise UnreadableError(
            f"{source.path}: the {found.kind} pixel data are cut short",
            expected="an end marker",
            found="none",
            remedy=_AGAIN,
        )
    declared = (layout.rows, layout.columns, layout.samples)
    held = (found.rows, found.columns, found.samples)
    if any(held) and held != declared:
        raise UnreadableError(
            f"{source.path}: the {found.kind} frame contradicts the header",
            expected="{} x {} pixels with {} samples".format(*declared),
            found="{} x {} with {}".format(*held),
        )
    return found


def _agreed_syntax(codestreams: list[Codestream], source: Source, notes: list[str]) -> UID:
    declared = source.transfer_syntax
    found = codestreams[0]
    if any(each.kind != found.kind for each in codestreams):
        raise UnreadableError(f"{source.path}: the frames are compressed in different ways")
    if not found.syntaxes:
        raise UnsupportedTransferSyntaxError(
            f"{source.path}: {found.kind} pixel data cannot be read, the transfer syntax is "
            f"{declared.name} ({declared})",
            remedy="store the image uncompressed or as JPEG 2000",
        )
    if declared in found.syntaxes:
        return JPEGBaseline8Bit if found.kind == "JPEG baseline" else declared
    notes.append(
        f"the transfer syntax says {declared.name} ({declared}), but the pixel data are "
        f"{found.kind}; read as {found.syntaxes[0].name}"
    )
    return found.syntaxes[0]


def _decode_frame(
    frame: bytes, syntax: UID, layout: Layout, source: Source, notes: list[str]
) -> NDArray[Any]:
    options: dict[str, Any] = {
        "rows": layout.rows,
        "columns": layout.columns,
        "number_of_frames": 1,
        "samples_per_pixel": layout.samples,
        "bits_allocated": layout.bits_allocated,
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.signed),
        "photometric_interpretation": layout.photometric,
        "planar_configuration": layout.planar,
        "pixel_keyword": "PixelData",
        "correct_unused_bits": False,
    }
    try:
        pixels, said = decode_frame(frame, syntax, options)
    except CodecMissingError as error:
        raise UnsupportedTransferSyntaxError(
            f"{source.path}: the transfer syntax {syntax.name} ({syntax}) is not decoded ({error})",
            remedy="store the image uncompressed or as JPEG 2000",
        ) from error
    except CodecError as error:
        raise UnreadableError(
            f"{source.path}: the {syntax.name} pixel data ({syntax}) cannot be decoded ({error})",
            remedy=_AGAIN,
        ) from error
    notes.extend(said)
    return pixels
