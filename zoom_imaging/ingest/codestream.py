"""What compressed pixel data really are, told from their first bytes and not from the header.

JPEG: ISO 10918-1, the start-of-frame marker; JPEG-LS: ISO 14495-1, SOF55; JPEG 2000: ISO 15444-1,
SIZ and CAP; RLE: DICOM PS3.5 annex G.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

ITEM = b"\xfe\xff\x00\xe0"
_J2K = b"\xff\x4f\xff\x51"
_JP2 = b"\x00\x00\x00\x0cjP  "
_STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True)
class Codestream:
    """A compressed frame: its kind, the transfer syntaxes that fit, and the picture it declares.

    `rows`, `columns`, `samples` and `precision` are 0 where the kind does not carry them (RLE).
    """

    kind: str
    syntaxes: tuple[UID, ...]
    rows: int = 0
    columns: int = 0
    samples: int = 0
    precision: int = 0
    is_complete: bool = True


_JPEG_FRAMES: dict[int, tuple[str, tuple[UID, ...]]] = {
    0xC0: ("JPEG baseline", (JPEGBaseline8Bit, JPEGExtended12Bit)),
    0xC1: ("JPEG extended", (JPEGExtended12Bit,)),
    0xC2: ("progressive JPEG", ()),
    0xC3: ("JPEG lossless", (JPEGLosslessSV1, JPEGLossless)),
    0xF7: ("JPEG-LS", (JPEGLSLossless, JPEGLSNearLossless)),
}


def identify(frame: bytes) -> Codestream | None:
    """What one compressed frame is; None if it is nothing known."""
    if frame.startswith(_JP2):
        at = frame.find(_J2K)
        return _jpeg_2000(frame[at:]) if at > 0 else None
    if frame.startswith(_J2K):
        return _jpeg_2000(frame)
    if frame.startswith(b"\xff\xd8"):
        return _jpeg(frame)
    return _rle(frame)


def _ends_with(frame: bytes, marker: bytes) -> bool:
    return frame.rstrip(b"\0").endswith(marker)


def _jpeg_2000(frame: bytes) -> Codestream | None:
    if len(frame) < 43:
        return None
    _, width, height, left, top = struct.unpack_from(">H4I", frame, 6)
    (samples,) = struct.unpack_from(">H", frame, 40)
    precision = (frame[42] & 0x7F) + 1
    after_siz = 4 + struct.unpack_from(">H", frame, 4)[0]
    high_throughput = frame[after_siz : after_siz + 2] == b"\xff\x50"
    return Codestream(
        kind="high-throughput JPEG 2000" if high_throughput else "JPEG 2000",
        syntaxes=(HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL)
        if high_throughput
        else (JPEG2000, JPEG2000Lossless),
        rows=height - top,
        columns=width - left,
        samples=samples,
        precision=precision,
        is_complete=_ends_with(frame, b"\xff\xd9"),
    )


def _jpeg(frame: bytes) -> Codestream | None:
    at = 2
    while at + 4 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _STANDALONE_MARKERS:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", frame, at + 2)
        if marker in _JPEG_FRAMES and at + 10 <= len(frame):
            kind, syntaxes = _JPEG_FRAMES[marker]
            precision, rows, columns, samples = struct.unpack_from(">BHHB", frame, at + 4)
            return Codestream(
                kind, syntaxes, rows, columns, samples, precision, _ends_with(frame, b"\xff\xd9")
            )
        at += 2 + length
    return None


def _rle(frame: bytes) -> Codestream | None:
    if len(frame) < 64:
        return None
    segments, *offsets = struct.unpack_from("<16I", frame)
    used = offsets[:segments]
    if not 1 <= segments <= 15 or used[0] != 64 or sorted(used) != used or used[-1] >= len(frame):
        return None
    return Codestream("RLE", (RLELossless,))
