"""Damage to a file: of its bytes, and of its elements, lengths, pixels and lookup tables.

Both kinds are drawn from one generator, so that a seed and a number give the same file again.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from hostile_samples import Sample, nested
from pydicom.filereader import data_element_generator

Rng = np.random.Generator
UNDEFINED = 0xFFFFFFFF
LENGTHS = (0, 1, 2, 3, 7, 0x7F, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, UNDEFINED)
VRS = (
    *(b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV").split(),
    *(b"TM UC UI UL UN UR US UT UV ZZ ?? \0\0").split(),
)
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SYNTAXES = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.100",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.5",
    "1.2.3",
    "",
)
TEXTS = (
    b"",
    b"NaN",
    b"-inf",
    b"1e400",
    b"1e-320",
    b"-1",
    b"0",
    b"9" * 40,
    b"0,5\\0,5",
    b"0.5\\",
    b"\\\\\\",
    b"1\\2\\3\\4\\5\\6\\7\\8\\9",
    b" \0",
    b"\xff\xfe\xff",
    b"\x1b$)C\xb1\xe8\x1b(B",
    b"\x1b[2J\x1b]0;x\x07",
    b"<script>alert(1)</script>",
    b'=HYPERLINK("http://x","y")',
    b"\xe2\x80\xae" + b"gpj.exe",
    b"A" * 70000,
    b"99999999",
    b"20250230",
    b"00000000",
    b"../../../etc/passwd",
    b"ISO 2022 IR 149\\ISO 2022 IR 87",
    b"ISO_IR 149",
    b"MONOCHROME1",
    b"PALETTE COLOR",
    b"YBR_FULL_422",
    b"INVERSE",
    b"POLYGONAL\\CIRCULAR\\RECTANGULAR",
)
NUMBERS = (0, 1, 2, 3, 7, 8, 12, 15, 16, 17, 32, 64, 127, 255, 256, 4095, 4096, 32767, 65535)
PIXEL_TAGS = {
    0x00280002: "samples",
    0x00280006: "planar",
    0x00280008: "frames",
    0x00280010: "rows",
    0x00280011: "columns",
    0x00280100: "allocated",
    0x00280101: "stored",
    0x00280102: "high bit",
    0x00280103: "signed",
}


@dataclass
class Piece:
    """One element as it lies in the file."""

    tag: int
    vr: bytes
    value: bytes
    undefined: bool = False
    length: int | None = None
    """Written instead of the true length."""


@dataclass
class Taken:
    """A file taken apart: what stands before the data set, and its elements."""

    head: bytes
    pieces: list[Piece]
    order: str = "<"
    implicit: bool = False
    deflated: bool = False
    done: list[str] = field(default_factory=list)

    def joined(self) -> bytes:
        """The file again."""
        body = b"".join(map(self._written, self.pieces))
        if self.deflated:
            squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            body = squeezer.compress(body) + squeezer.flush()
        return self.head + body

    def _written(self, piece: Piece) -> bytes:
        length = UNDEFINED if piece.undefined else len(piece.value)
        length = piece.length if piece.length is not None else length
        tag = struct.pack(f"{self.order}HH", piece.tag >> 16 & 0xFFFF, piece.tag & 0xFFFF)
        if self.implicit:
            return tag + struct.pack(f"{self.order}I", length & UNDEFINED) + piece.value
        if piece.vr in LONG_VRS:
            width = struct.pack(f"{self.order}HI", 0, length & UNDEFINED)
        else:
            width = struct.pack(f"{self.order}H", length & 0xFFFF)
        return tag + piece.vr + width + piece.value


def take_apart(content: bytes) -> Taken | None:
    """The elements of a valid file by pydicom's reader; None for what is no data set."""
    start, syntax = 0, "1.2.840.10008.1.2"
    if content[128:132] == b"DICM":
        start = 144 + struct.unpack("<I", content[140:144])[0]
        at = content.index(b"\x02\x00\x10\x00UI")
        length = struct.unpack("<H", content[at + 6 : at + 8])[0]
        syntax = content[at + 8 : at + 8 + length].strip(b"\0").decode()
    elif content[:2] != b"\x08\x00":
        return None
    body = content[start:]
    if deflated := syntax.endswith(".99"):
        body = zlib.decompress(body, -zlib.MAX_WBITS)
    implicit, little = syntax == "1.2.840.10008.1.2", syntax != "1.2.840.10008.1.2.2"
    order = "<" if little else ">"
    stream, pieces, at = io.BytesIO(body), [], 0
    for element in data_element_generator(stream, implicit, little):
        end = stream.tell()
        vr = b"UN" if implicit else body[at + 4 : at + 6]
        header = 8 if implicit or vr not in LONG_VRS else 12
        length = struct.unpack(f"{order}I", body[at + header - 4 : at + header])[0]
        undefined = header == 12 and length == UNDEFINED
        pieces.append(Piece(int(element.tag), vr, body[at + header : end], undefined))
        at = end
    return Taken(content[:start], pieces, order, implicit, deflated)


def mutated(sample: Sample, rng: Rng) -> tuple[bytes, str]:
    """A damaged file and what was done to it."""
    content, done = sample.content, []
    taken = take_apart(content) if sample.kind != "archive" and rng.random() < 0.6 else None
    if taken is not None and taken.pieces:
        for _ in range(int(rng.choice([1, 1, 1, 2, 3, 5]))):
            change = STRUCTURAL[int(rng.integers(len(STRUCTURAL)))]
            taken.done.append(f"{change.__name__.strip('_')} {change(taken, rng)}".strip())
        content, done = taken.joined(), taken.done
        if rng.random() < 0.8:
            return content, ", ".join(done)
    data = bytearray(content)
    for _ in range(int(rng.choice([1, 1, 2, 3, 6]))):
        change_bytes = BYTEWISE[int(rng.integers(len(BYTEWISE)))]
        change_bytes(data, rng)
        done.append(change_bytes.__name__.strip("_"))
    return bytes(data), ", ".join(done)


def _place(data: bytearray, rng: Rng) -> int:
    """Any byte; half of the time one of the first two thousand, where the headers are."""
    near = min(len(data), 2000) if rng.random() < 0.5 else len(data)
    return int(rng.integers(0, max(near, 1)))


def _flip(data: bytearray, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 20))):
        if data:
            data[_place(data, rng)] ^= 1 << int(rng.integers(0, 8))


def _overwrite(data: bytearray, rng: Rng) -> None:
    at, length = _place(data, rng), int(rng.integers(1, 64))
    data[at : at + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()


def _cut(data: bytearray, rng: Rng) -> None:
    del data[_place(data, rng) :]


def _remove(data: bytearray, rng: Rng) -> None:
    at = _place(data, rng)
    del data[at : at + int(rng.integers(1, 400))]


def _insert(data: bytearray, rng: Rng) -> None:
    at, length = _place(data, rng), int(rng.integers(1, 40))
    data[at:at] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()


def _double(data: bytearray, rng: Rng) -> None:
    at, length = _place(data, rng), int(rng.choice([8, 64, 1024, 20000]))
    data[at:at] = data[at : at + length] * int(rng.integers(1, 4))


def _length(data: bytearray, rng: Rng) -> None:
    """Four bytes somewhere become a length that is a trap; after an item tag if there is one."""
    at = data.find(b"\xfe\xff\x00\xe0", _place(data, rng))
    at = at + 4 if at >= 0 and rng.random() < 0.7 else _place(data, rng)
    data[at : at + 4] = struct.pack("<I", int(rng.choice(LENGTHS)))


def _zeros(data: bytearray, rng: Rng) -> None:
    at, length = _place(data, rng), int(rng.integers(1, 5000))
    data[at : at + length] = bytes(length)


def _text(data: bytearray, rng: Rng) -> None:
    """A few printable bytes become others: lengths stay, values change."""
    values = np.frombuffer(bytes(data), np.uint8)
    places = np.flatnonzero((values >= 32) & (values < 127))
    for at in rng.choice(places, min(len(places), 6)) if len(places) else ():
        data[int(at)] = int(rng.integers(32, 127))


BYTEWISE = (_flip, _overwrite, _cut, _remove, _insert, _double, _length, _zeros, _text)


def _some(taken: Taken, rng: Rng) -> Piece:
    return taken.pieces[int(rng.integers(len(taken.pieces)))]


def _named(piece: Piece) -> str:
    return f"{piece.tag >> 16:04x},{piece.tag & 0xFFFF:04x}"


def _number(taken: Taken, value: int) -> bytes:
    return struct.pack(f"{taken.order}H", value & 0xFFFF)


def _other_vr(taken: Taken, rng: Rng) -> str:
    piece = _some(taken, rng)
    piece.vr = VRS[int(rng.integers(len(VRS)))]
    return f"{_named(piece)} {piece.vr!r}"


def _wrong_length(taken: Taken, rng: Rng) -> str:
    piece = _some(taken, rng)
    near = [len(piece.value) + step for step in (-2, -1, 1, 2, 8)]
    piece.length = max(int(rng.choice([*LENGTHS, *near])), 0)
    return f"{_named(piece)} {piece.length}"


def _undefined_length(taken: Taken, rng: Rng) -> str:
    piece = _some(taken, rng)
    piece.length, piece.vr = UNDEFINED, b"UN" if rng.random() < 0.5 else b"SQ"
    if rng.random() < 0.5:
        piece.value += struct.pack(f"{taken.order}HHI", 0xFFFE, 0xE0DD, 0)
    return _named(piece)


def _value(taken: Taken, rng: Rng) -> str:
    piece = _some(taken, rng)
    if piece.vr in {b"US", b"SS"} and rng.random() < 0.8:
        count = int(rng.choice([0, 1, 2, 3, 4]))
        piece.value = b"".join(_number(taken, int(n)) for n in rng.choice(NUMBERS, count))
    else:
        text = TEXTS[int(rng.integers(len(TEXTS)))]
        piece.value = text[: 0xFFFE if piece.vr not in LONG_VRS else None]
    return f"{_named(piece)} {piece.value[:16]!r}"


def _move(taken: Taken, rng: Rng) -> str:
    piece = _some(taken, rng)
    if rng.random() < 0.5:
        taken.pieces.remove(piece)
    taken.pieces.insert(int(rng.integers(len(taken.pieces) + 1)), piece)
    return _named(piece)


def _drop(taken: Taken, rng: Rng) -> str:
    piece = _some(taken, rng)
    if len(taken.pieces) > 1:
        taken.pieces.remove(piece)
    return _named(piece)


def _other_tag(taken: Taken, rng: Rng) -> str:
    piece, other = _some(taken, rng), _some(taken, rng)
    shown = f"{_named(piece)} {_named(other)}"
    piece.tag = other.tag if rng.random() < 0.7 else int(rng.integers(0, 2**32))
    return shown


def _pixel_module(taken: Taken, rng: Rng) -> str:
    """Declared sizes and depths of the image, one to three of them."""
    shown = []
    for piece in taken.pieces:
        if piece.tag in PIXEL_TAGS and rng.random() < 0.3:
            value = int(rng.choice(NUMBERS))
            is_text = piece.vr == b"IS" or PIXEL_TAGS[piece.tag] == "frames"
            piece.value = str(value).encode() if is_text else _number(taken, value)
            shown.append(f"{PIXEL_TAGS[piece.tag]} {value}")
    if rng.random() < 0.3:
        frames = Piece(0x00280008, b"IS", str(int(rng.choice([0, 2, 99, 2**31 - 1]))).encode())
        taken.pieces.insert(len(taken.pieces) - 1, frames)
        shown.append(f"frames {frames.value!r}")
    return "/".join(shown)


def _lut(taken: Taken, rng: Rng) -> str:
    """A lookup table with an odd descriptor, in place of one that is there or new."""
    tag = int(rng.choice([0x00283000, 0x00283010]))
    entries = int(rng.choice([0, 1, 256, 4096, 65535]))
    bits = int(rng.choice([0, 1, 8, 12, 16, 17, 255]))
    first = int(rng.choice([0, 1, 2048, 32768, 65535]))
    data = rng.integers(0, 256, int(rng.choice([0, 1, 2, 512, 8192])), dtype=np.uint8).tobytes()
    inner = Taken(b"", [], taken.order, taken.implicit)
    described = b"".join(_number(taken, n) for n in (entries, first, bits))
    inner.pieces.append(Piece(0x00283002, bytes(rng.choice([b"US", b"SS", b"UN"])), described))
    inner.pieces.append(Piece(0x00283006, bytes(rng.choice([b"US", b"OW", b"UN"])), data))
    if rng.random() < 0.2:
        inner.pieces.pop(int(rng.integers(2)))
    body = inner.joined()
    item = struct.pack(f"{taken.order}HHI", 0xFFFE, 0xE000, len(body)) + body
    taken.pieces = [piece for piece in taken.pieces if piece.tag != tag]
    where = sum(piece.tag < tag for piece in taken.pieces)
    taken.pieces.insert(where, Piece(tag, b"SQ", item))
    return f"{tag:08x} {entries}/{first}/{bits}"


def _palette(taken: Taken, rng: Rng) -> str:
    for tag in range(0x00281101, 0x00281104):
        where = sum(piece.tag < tag for piece in taken.pieces)
        values = [int(n) for n in rng.choice(NUMBERS, int(rng.choice([2, 3, 3, 4])))]
        taken.pieces.insert(where, Piece(tag, b"US", b"".join(_number(taken, n) for n in values)))
    return ""


def _syntax(taken: Taken, rng: Rng) -> str:
    """The file names another transfer syntax than it has."""
    if taken.head[128:132] != b"DICM":
        return ""
    at = taken.head.index(b"\x02\x00\x10\x00UI")
    length = struct.unpack("<H", taken.head[at + 6 : at + 8])[0]
    chosen = SYNTAXES[int(rng.integers(len(SYNTAXES)))]
    value = chosen.encode() + b"\0" * (len(chosen) % 2)
    written = struct.pack("<H", len(value)) + value
    taken.head = taken.head[: at + 6] + written + taken.head[at + 8 + length :]
    return chosen


def _fragments(taken: Taken, rng: Rng) -> str:
    """Offset table, fragment lengths, delimiters and the head of the codestream."""
    pixels = next((piece for piece in taken.pieces if piece.tag == 0x7FE00010), None)
    if pixels is None:
        return ""
    data = bytearray(pixels.value)
    if not pixels.undefined:
        if rng.random() < 0.5:
            pixels.value = pixels.value[: int(rng.integers(0, len(data) + 1))]
            return "fewer pixels"
        data[:0] = struct.pack("<HHIHHI", 0xFFFE, 0xE000, 0, 0xFFFE, 0xE000, len(data))
        pixels.undefined, pixels.vr = True, b"OB"
    kind = int(rng.integers(0, 6))
    if kind == 0:
        data[4:8] = struct.pack("<I", int(rng.choice([*LENGTHS, 4, 8, 400])))
    elif kind == 1:
        _length(data, rng)
    elif kind == 2:
        del data[-8:]
    elif kind == 3:
        data[8:8] = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * int(rng.integers(1, 50))
    else:
        for _ in range(int(rng.integers(1, 8))):
            if len(data) > 20:
                data[16 + int(rng.integers(0, min(len(data) - 16, 240)))] = int(rng.integers(256))
    pixels.value = bytes(data)
    return str(kind)


def _deep(taken: Taken, rng: Rng) -> str:
    """A sequence that holds itself, up to thousands of levels."""
    depth = int(rng.choice([1, 5, 63, 66, 300, 1200, 5000]))
    known = bool(rng.random() < 0.5)
    tag = (0x0040, 0xA730) if known else (0x0029, 0x1010)
    undefined = bool(rng.random() < 0.5)
    value = nested(depth, undefined=undefined, tag=tag)
    if undefined:
        value, at = value[12:], sum(piece.tag < tag[0] << 16 | tag[1] for piece in taken.pieces)
    else:
        value, at = value[12:], sum(piece.tag < tag[0] << 16 | tag[1] for piece in taken.pieces)
    vr = b"UN" if rng.random() < 0.3 else b"SQ"
    piece = Piece(tag[0] << 16 | tag[1], vr, value, undefined)
    if rng.random() < 0.3:
        piece.length = int(rng.choice(LENGTHS))
    taken.pieces.insert(at, piece)
    return f"{depth} {'undefined' if undefined else 'declared'} {vr!r}"


def _private(taken: Taken, rng: Rng) -> str:
    """Private elements with and without a creator, and one that claims the block of another."""
    group = int(rng.choice([0x0009, 0x0019, 0x0023, 0x0029, 0x7FDF]))
    where = sum(piece.tag < group << 16 for piece in taken.pieces)
    made = [Piece(group << 16 | 0x10, b"LO", bytes(rng.choice([b"HOLOGIC ", b"GEMS", b"\0\0"])))]
    if rng.random() < 0.5:
        made = made * 2 if rng.random() < 0.5 else []
    value = TEXTS[int(rng.integers(len(TEXTS)))]
    made.append(Piece(group << 16 | 0x1000, b"UN", value))
    taken.pieces[where:where] = made
    return f"{group:04x}"


def _known_as_un(taken: Taken, rng: Rng) -> str:
    sequences = [piece for piece in taken.pieces if piece.vr == b"SQ"]
    for piece in sequences:
        piece.vr = b"UN"
    return str(len(sequences))


def _inside(taken: Taken, rng: Rng) -> str:
    """Damage inside the value of one sequence, whose own length stays right."""
    sequences = [piece for piece in taken.pieces if piece.vr == b"SQ" and piece.value]
    if not sequences:
        return ""
    piece = sequences[int(rng.integers(len(sequences)))]
    data = bytearray(piece.value)
    change = BYTEWISE[int(rng.integers(len(BYTEWISE)))]
    change(data, rng)
    piece.value = bytes(data)
    return f"{_named(piece)} {change.__name__.strip('_')}"


def _shutter(taken: Taken, rng: Rng) -> str:
    where = sum(piece.tag < 0x00181600 for piece in taken.pieces)
    shape = bytes(rng.choice([b"POLYGONAL", b"CIRCULAR", b"RECTANGULAR", b"BITMAP"]))
    values = [str(int(n)).encode() for n in rng.integers(-5000, 70000, 6)]
    taken.pieces[where:where] = [
        Piece(0x00181600, b"CS", shape),
        Piece(0x00181602, b"IS", values[0]),
        Piece(0x00181604, b"IS", values[1]),
        Piece(0x00181610, b"IS", b"\\".join(values[:2])),
        Piece(0x00181612, b"IS", values[2]),
        Piece(0x00181620, b"IS", b"\\".join(values)),
    ]
    return shape.decode()


def _overlay(taken: Taken, rng: Rng) -> str:
    where = sum(piece.tag < 0x60000010 for piece in taken.pieces)
    numbers = [_number(taken, int(n)) for n in rng.choice(NUMBERS, 5)]
    taken.pieces[where:where] = [
        Piece(0x60000010, b"US", numbers[0]),
        Piece(0x60000011, b"US", numbers[1]),
        Piece(0x60000050, b"SS", numbers[2] * 2),
        Piece(0x60000100, b"US", numbers[3]),
        Piece(0x60000102, b"US", numbers[4]),
    ]
    return ""


STRUCTURAL: tuple[Callable[[Taken, Rng], str], ...] = (
    _other_vr,
    _wrong_length,
    _undefined_length,
    _value,
    _value,
    _value,
    _move,
    _drop,
    _other_tag,
    _pixel_module,
    _pixel_module,
    _lut,
    _palette,
    _syntax,
    _fragments,
    _fragments,
    _deep,
    _private,
    _known_as_un,
    _inside,
    _inside,
    _shutter,
    _overlay,
)
