"""Small files that declare or unfold into huge ones: refused, in little memory."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from ..ingest.specimen import archive, dicom, hologic, nested, put
from ..radiograph.phantom import compressed, film, to_bytes

MIB = 1 << 20


def zeros(size):
    return archive({"zeros.dcm": bytes(size)})


def doubled(content, times):
    """An archive inside an archive, each holding ten of the next."""
    for _ in range(times):
        content = archive({f"{number}.zip": content for number in range(10)})
    return content


@pytest.mark.parametrize(
    ("content", "allowed_mib"),
    [
        (zeros(600 * MIB), 100),
        (doubled(zeros(60 * MIB), 3), 200),
        (archive({f"{n:05d}": b"" for n in range(20000)}), 200),
    ],
    ids=["one large member", "a thousand nested", "many entries"],
)
def test_a_zip_bomb_costs_little_and_the_file_beside_it_is_catalogued(
    cost, tmp_path, content, allowed_mib
):
    put(tmp_path / "in" / "bomb.zip", content)
    put(tmp_path / "in" / "good.dcm", dicom(hologic()))
    said, mib = cost("catalogue", tmp_path / "in")
    assert mib < allowed_mib
    by_path = {path: (disposition, reason) for path, disposition, reason in said}
    assert by_path["good.dcm"][0] == "outside_visit_window"
    assert "bomb.zip" in by_path
    assert {disposition for disposition, _ in by_path.values()} <= {
        *("unreadable", "not_dicom", "not_relevant", "outside_visit_window"),
    }


def test_a_quine_like_nesting_ends(cost, tmp_path):
    """Archives nested deeper than is followed are refused by name."""
    content = zeros(10)
    for _ in range(30):
        content = archive({"next.zip": content})
    put(tmp_path / "in" / "deep.zip", content)
    said, mib = cost("catalogue", tmp_path / "in")
    assert mib < 100
    assert len(said) < 10
    assert any(disposition == "unreadable" for _, disposition, _ in said)


@pytest.mark.parametrize("door", ["measure", "dxa", "catalogue"])
def test_a_deflated_data_set_that_unfolds_to_a_gigabyte(cost, tmp_path, door):
    plain = to_bytes(film(), syntax=DeflatedExplicitVRLittleEndian, deflate=True)
    start = 144 + struct.unpack("<I", plain[140:144])[0]
    squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = squeezer.compress(zlib.decompress(plain[start:], -zlib.MAX_WBITS))
    body += b"".join(squeezer.compress(bytes(64 * MIB)) for _ in range(16)) + squeezer.flush()
    path = put(tmp_path / "in" / "film.dcm", plain[:start] + body)
    assert path.stat().st_size < 2 * MIB
    said, mib = cost(door, tmp_path / "in" if door == "catalogue" else path)
    assert mib < 600  # the file may unfold two hundredfold, and is held once or twice
    assert "inflate" in str(said) or "deflated" in str(said)


def codestream_of(syntax, side):
    """One frame of a blank picture of this many rows and columns."""
    blank = np.zeros((side, side), np.uint16)
    blank[::2] = 1
    from pydicom.encaps import generate_frames

    return next(generate_frames(compressed(film(blank), syntax).PixelData, number_of_frames=1))


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_codestream_that_declares_what_the_header_does_not(cost, tmp_path, syntax):
    """The header says 120 x 90, the codestream sixty thousand by sixty thousand."""
    frame = bytearray(codestream_of(syntax, 64))
    if syntax == JPEG2000Lossless:
        frame[8:16] = struct.pack(">II", 60000, 60000)
    else:
        at = frame.index(b"\xff\xf7") + 5
        frame[at : at + 4] = struct.pack(">HH", 60000, 60000)
    ds = film(Rows=120, Columns=90)
    ds.PixelData = encapsulate([bytes(frame)])
    ds["PixelData"].is_undefined_length = True
    content = to_bytes(ds, syntax=syntax)
    said, mib = cost("measure", put(tmp_path / "a" / "film.dcm", content))
    assert "contradicts the header" in said
    assert mib < 100
    # The catalogue compares the pixels of two files of one object, and must not decode either.
    put(tmp_path / "a" / "copy.dcm", to_bytes(film()))
    entries, mib = cost("catalogue", tmp_path / "a")
    assert {disposition for _, disposition, _ in entries} == {"conflicting"}
    assert mib < 100


def test_a_picture_that_unfolds_a_thousandfold(cost, tmp_path):
    """Header and codestream agree on 4,000 x 4,000 blank pixels in a few kilobytes."""
    ds = film(Rows=4000, Columns=4000)
    ds.PixelData = encapsulate([codestream_of(JPEG2000Lossless, 4000)])
    ds["PixelData"].is_undefined_length = True
    path = put(tmp_path / "film.dcm", to_bytes(ds, syntax=JPEG2000Lossless))
    assert path.stat().st_size < 64 << 10
    said, mib = cost("measure", path)
    assert "bomb" in said
    assert mib < 100


def test_run_lengths_that_declare_more_than_they_hold(cost, tmp_path):
    header = struct.pack("<16I", 2, 64, 66, *[0] * 13)
    ds = film(Rows=8000, Columns=8000)
    ds.PixelData = encapsulate([header + b"\x81\0" * 2])
    ds["PixelData"].is_undefined_length = True
    path = put(tmp_path / "film.dcm", to_bytes(ds, syntax=RLELossless))
    said, mib = cost("measure", path)
    assert said != "read"
    assert mib < 100


@pytest.mark.parametrize(
    "elements",
    [
        {"Rows": 65535, "Columns": 65535},
        {"NumberOfFrames": 2_000_000_000},
        {"BitsAllocated": 65528},
        {"SamplesPerPixel": 65535},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("door", ["measure", "catalogue"])
def test_declared_sizes_take_no_memory(cost, tmp_path, door, elements):
    path = put(tmp_path / "in" / "film.dcm", to_bytes(film(**elements)))
    said, mib = cost(door, tmp_path / "in" if door == "catalogue" else path)
    assert said != "read"
    assert mib < 100


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("depth", [100, 1000, 50_000])
def test_sequences_in_sequences_end_in_a_sentence(cost, tmp_path, depth, undefined):
    """However deep: a refusal, or at declared lengths a report without any value."""
    if undefined:
        start = struct.pack("<HH2sHI", 0x40, 0xA730, b"SQ", 0, 0xFFFFFFFF)
        start += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        end = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        content = nested(0, undefined=True) + start * depth + end * depth
    else:
        heads, length = [], 0
        for _ in range(depth):
            item = struct.pack("<HHI", 0xFFFE, 0xE000, length)
            heads.append(struct.pack("<HH2sHI", 0x40, 0xA730, b"SQ", 0, length + 8) + item)
            length += 20
        content = nested(0, undefined=False) + b"".join(reversed(heads))
    path = put(tmp_path / "in" / "deep.dcm", content)
    said, mib = cost("dxa", path)
    assert "nested" in said
    assert mib < 300
    said, mib = cost("measure", path)
    assert said != "read"
    assert mib < 300
    ((_, disposition, reason),), mib = cost("catalogue", tmp_path / "in")
    assert disposition in {"unreadable", "outside_visit_window", "not_relevant"}
    assert reason
    assert mib < 300


@pytest.mark.parametrize(
    "name",
    [
        *("../up.dcm", "/root.dcm", "C:\\drive.dcm", "..\\up.dcm", "a/../../up.dcm"),
        *("//host/share.dcm", "a/\x1b[2J.dcm", "a\nb.dcm"),
    ],
)
def test_no_member_name_writes_anything_anywhere(tmp_path, name):
    """The catalogue unpacks nothing to disk, and each member has a row of visible text."""
    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.build import build_catalogue

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        info = zipfile.ZipInfo("x")
        info.filename = name
        made.writestr(info, dicom(hologic()))
    put(tmp_path / "in" / "a.zip", stream.getvalue())
    before = sorted(tmp_path.rglob("*"))
    entries = build_catalogue([tmp_path / "in"], load_charter()).entries
    assert sorted(tmp_path.rglob("*")) == before
    member = next(entry for entry in entries if "!" in entry.source.path)
    assert member.source.path.isprintable()
    leads_out = ".." in name or name[0] == "/" or ":" in name
    assert (member.disposition.value == "unreadable") is leads_out
