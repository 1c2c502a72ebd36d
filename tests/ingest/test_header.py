"""One file's header, whatever its framing; what is no DICOM is said to be none."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from datetime import date
from pathlib import Path

import pydicom.data
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from zoom_imaging.ingest.archive import Limits
from zoom_imaging.ingest.catalogue import Disposition
from zoom_imaging.ingest.classify import classify
from zoom_imaging.ingest.header import parse


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_every_transfer_syntax_gives_the_same_header(specimen, syntax):
    found = parse(specimen.dicom(specimen.film(), syntax))
    assert found.problem is None
    assert found.header.transfer_syntax_uid == syntax
    assert found.header.sop_instance_uid == f"{specimen.ROOT}.1"
    assert found.header.subject_id == "T-001"
    assert found.header.acquired_on == date(2025, 1, 10)
    assert (found.header.rows, found.header.columns) == (8, 6)
    assert found.clues.has_pixels


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_no_preamble_and_no_meta_header(specimen, syntax):
    found = parse(specimen.dicom(specimen.film(), syntax, bare=True))
    assert found.problem is None
    assert found.header.transfer_syntax_uid == syntax
    assert "told from the bytes" in found.warnings[0]


def test_a_meta_header_without_preamble(specimen):
    assert parse(specimen.dicom(specimen.film())[132:]).problem is None


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
    ],
)
def test_a_wrongly_declared_syntax_is_read_as_written_and_told(specimen, written, declared):
    content = specimen.dicom(specimen.film(), written)
    meta = specimen.dicom(specimen.film(), declared)
    start = content.index(b"\x08\x00\x05\x00")
    lying = meta[: meta.index(b"\x08\x00\x05\x00")] + content[start:]
    found = parse(lying)
    assert found.problem is None
    assert found.header.subject_id == "T-001"
    assert "is not how the file is written" in found.warnings[0]


TEXT = b"\x08\x00\x05\x00 export of spine films, see binder 7\n" * 8


@pytest.mark.parametrize(
    ("content", "disposition", "word"),
    [
        (b"", Disposition.UNREADABLE, "empty"),
        (bytes(100), Disposition.UNREADABLE, "cut"),
        (bytes(128) + b"DI", Disposition.UNREADABLE, "cut"),
        (bytes(128) + b"DICM", Disposition.UNREADABLE, "nothing follows"),
        (bytes(128) + b"DICM" + b"\xff" * 200, Disposition.UNREADABLE, "damaged"),
        (TEXT, Disposition.NOT_DICOM, ""),
        (b"\x08\x00\x16\x00UI\x04\x001.2\0 and so on, a letter", Disposition.NOT_DICOM, ""),
        (b"subject_id,arm\n", Disposition.NOT_DICOM, "text"),
        (b"\x00\x05\x16\x07" + bytes(200), Disposition.NOT_DICOM, "AppleDouble"),
        (b"\x1f\x8b\x08" + bytes(200), Disposition.NOT_DICOM, "gzip"),
        (b"%PDF-1.7" + bytes(200), Disposition.NOT_DICOM, "PDF"),
        (bytes(range(256)), Disposition.NOT_DICOM, "neither"),
    ],
)
def test_what_is_no_dicom_file(content, disposition, word):
    found = parse(content)
    assert found.problem is disposition
    assert word in found.reason


@pytest.mark.parametrize(
    ("missing", "word"),
    [
        ("PixelData", "without pixel data"),
        ("ContentSequence", "without content"),
        ("SOPInstanceUID", "no SOP Instance UID"),
    ],
)
def test_a_file_that_lacks_what_makes_it_is_unreadable(specimen, missing, word):
    ds = specimen.report() if missing == "ContentSequence" else specimen.film()
    delattr(ds, missing)
    found = parse(specimen.dicom(ds))
    assert found.problem is Disposition.UNREADABLE
    assert word in found.reason
    assert found.header.subject_id == "T-001"  # so that the subject's row can say why


def test_declared_sizes_cost_no_memory(specimen):
    rows = specimen.replaced(
        specimen.dicom(specimen.film()),
        struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 8),
        struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 65535),
    )
    length = specimen.replaced(
        specimen.dicom(specimen.film()),
        struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 96),
        struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 0xFFFFFFF0),
    )
    tracemalloc.start()
    found = [parse(rows), parse(length)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [one.problem for one in found] == [Disposition.UNREADABLE] * 2
    assert "need 786420 bytes of pixel data, the file has 96" in found[0].reason
    assert peak < 5e6


def test_a_deflated_bomb_is_refused_before_it_unfolds(specimen):
    content = specimen.dicom(specimen.film(), DeflatedExplicitVRLittleEndian)
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    meta = content[: 132 + 12 + struct.unpack("<I", content[140:144])[0]]
    bomb = meta + engine.compress(bytes(40_000_000)) + engine.flush()
    found = parse(bomb, Limits(member_bytes=1 << 20))
    assert found.problem is Disposition.UNREADABLE
    assert "deflated" in found.reason
    assert parse(bomb).problem is Disposition.UNREADABLE  # by its ratio


def test_a_cut_deflated_data_set_is_unreadable(specimen):
    content = specimen.dicom(specimen.film(), DeflatedExplicitVRLittleEndian)
    assert "cut" in parse(content[:-9]).reason


@pytest.mark.parametrize(
    ("stored", "subject"),
    [(b"007   ", "007"), (b"  0012", "0012"), (b"007\0\0\0", "007"), (b"7     ", "7")],
)
def test_padding_is_no_part_of_an_id_and_zeros_are(specimen, stored, subject):
    content = specimen.dicom(specimen.film(PatientID="ABCDEF"))
    assert parse(specimen.replaced(content, b"ABCDEF", stored)).header.subject_id == subject


def test_no_control_character_of_a_header_reaches_a_record(specimen):
    content = specimen.dicom(specimen.film(PatientName="A0000000B", Manufacturer="INVENTED"))
    content = specimen.replaced(content, b"A0000000B", b"A\x1b[31m\r\nB")
    content = specimen.replaced(content, b"INVENTED", b"INV\x07N\x00ED")
    header = parse(content).header
    assert header.manufacturer == "INV\\x07N\\x00ED"
    assert header.patient_name.isprintable()


def test_private_text_longer_than_what_is_kept_is_still_seen(specimen):
    ds = specimen.hologic()
    ds[0x0019, 0x1000].value += b" " * 70_000
    assert parse(specimen.dicom(ds)).clues.hologic_text


def test_pydicoms_own_files_give_one_answer_each():
    folder = Path(pydicom.data.__file__).parent
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    answers = [parse(path.read_bytes()) for path in files]
    assert sum(answer.problem is None for answer in answers) > 100
    for path, answer in zip(files, answers, strict=True):
        assert answer.problem in {None, Disposition.UNREADABLE, Disposition.NOT_DICOM}, path
        assert bool(answer.reason) == (answer.problem is not None)
        if answer.header is not None:
            classify(answer.header, answer.clues)
            for value in vars(answer.header).values():
                assert not isinstance(value, str) or value.isprintable() or "\ufffd" in value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_flipped_bytes_never_raise(specimen, data):
    name = data.draw(st.sampled_from(["film", "report", "hologic"]))
    content = bytearray(specimen.dicom(getattr(specimen, name)()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    found = parse(bytes(content))
    if found.header is not None:
        classify(found.header, found.clues)


@given(st.binary(max_size=400))
def test_no_bytes_raise(content):
    parse(content)
    parse(bytes(128) + b"DICM" + content)
    parse(b"\x08\x00\x05\x00" + content)
