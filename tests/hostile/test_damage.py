"""Damage that once ended in an error that nobody foresaw, or in the end of the process."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1

from zoom_imaging.errors import InputError, UnreadableError
from zoom_imaging.ingest import codec
from zoom_imaging.ingest.text import has_controls
from zoom_imaging.radiograph.read import read_radiographs

from ..radiograph.phantom import ABSENT, base_pixels, compressed, film, raw_element, to_bytes


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsStored", "HighBit", "SamplesPerPixel"])
@pytest.mark.parametrize("value", [b"", b"\x07", b"\x01\x02\x03", b"INVERSE\0\0"])
def test_a_number_whose_bytes_do_not_fit_it_is_told_by_name(keyword, value):
    """An odd number of bytes is no 16-bit number: the element is named, or not needed."""
    content = to_bytes(film())
    tag = struct.pack("<HH", *divmod(tag_for_keyword(keyword), 0x10000))
    at = content.index(tag + b"US\x02\x00") + 6
    content = content[:at] + struct.pack("<H", len(value)) + value + content[at + 4 :]
    said = "read"
    try:
        (radiograph,) = read_radiographs(content, "film.dcm")
        assert radiograph.pixels.shape == base_pixels().shape
    except InputError as refusal:
        said = refusal.reason
    if keyword in {"Rows", "Columns"}:
        assert keyword in said
    else:
        assert said == "read" or said.startswith("film.dcm")


def test_another_vr_that_the_bytes_do_not_fill():
    """Columns as a double of two bytes: refused by name, not an error of the parser."""
    content = to_bytes(film())
    columns = b"\x28\x00\x11\x00"
    assert content.count(columns + b"US") == 1
    with pytest.raises(UnreadableError, match="Columns"):
        read_radiographs(content.replace(columns + b"US", columns + b"FD"), "film.dcm")


@pytest.mark.parametrize("vr", [b"Oa", b"ZZ", b"MW"])
def test_a_table_under_a_vr_that_does_not_exist(vr):
    """The film is read by its table or refused by its name, whatever the VR says."""
    table = Dataset()
    table.add_new(0x00283002, "US", [4096, 0, 12])
    table.add_new(0x00283006, "OW", np.arange(4096).astype("<u2").tobytes())
    content = to_bytes(film(ModalityLUTSequence=[table], RescaleSlope=ABSENT))
    known = b"\x28\x00\x06\x30OW"
    assert content.count(known) == 1
    content = content.replace(known, known[:4] + vr)
    said = ""
    try:
        read_radiographs(content, "film.dcm")
    except InputError as refusal:
        said = refusal.reason
    assert said == "" or said.startswith("film.dcm")


@pytest.mark.parametrize(
    "keyword", ["PhotometricInterpretation", "Modality", "RescaleSlope", "WindowCenter"]
)
@pytest.mark.parametrize("value", ["\x1b[2J", "\x9b31m", "a\nb", "\u202egpj"])
def test_no_control_character_of_a_header_reaches_a_sentence(keyword, value):
    """A terminal that prints a reason or a warning is not told what to do by a file."""
    ds = film()
    raw_element(ds, keyword, "CS", b"X" + value.encode("utf-8"))
    try:
        said = [text for one in read_radiographs(to_bytes(ds), "f.dcm") for text in one.warnings]
    except InputError as refusal:
        said = [refusal.reason]
    assert not any(has_controls(text) for text in said)


def jpeg_film(frame, syntax):
    pixels = base_pixels() >> 4
    ds = film(pixels.astype(np.uint8), BitsAllocated=8, BitsStored=8, HighBit=7)
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return to_bytes(ds, syntax=syntax)


def jpeg_lossless(bits=8):
    """A frame with a sound header and nonsense behind it, at which GDCM ends its process."""
    rows, columns = base_pixels().shape
    start = b"\xff\xd8\xff\xc3" + struct.pack(">HBHHBBBB", 11, bits, rows, columns, 1, 1, 0x11, 0)
    return start + b"\xff\xda" + bytes(40) + b"\xff\xd9"


def test_a_codec_that_ends_its_process_does_not_end_ours():
    """GDCM calls std::terminate; that is a refusal with a sentence."""
    with pytest.raises(UnreadableError, match="cannot be decoded"):
        read_radiographs(jpeg_film(jpeg_lossless(), JPEGLosslessSV1), "film.dcm")


def test_the_end_of_the_other_process_is_told(monkeypatch):
    monkeypatch.setattr(codec, "_START", "import os; os.abort()")
    with pytest.raises(codec.CodecError, match="broke down"):
        codec.decode_apart(b"", JPEGLosslessSV1, {})


def test_a_codec_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(codec, "_START", "import time; time.sleep(600)")
    monkeypatch.setattr(codec, "LONGEST_SECONDS", 1)
    with pytest.raises(codec.CodecError, match="did not finish"):
        codec.decode_apart(b"", JPEGLosslessSV1, {})


@pytest.mark.parametrize("syntax", sorted(codec.SAFE_PLUGINS))
def test_no_frame_is_given_to_gdcm_where_another_codec_is_there(syntax):
    """Its way of failing is to end the process: no syntax in which another can read needs it."""
    from pydicom.pixels.decoders.base import get_decoder

    assert codec.SAFE_PLUGINS[syntax] != "gdcm"
    assert codec.SAFE_PLUGINS[syntax] in get_decoder(syntax).available_plugins


def test_a_frame_with_more_bits_than_the_header_says_is_not_masked(phantom_jpeg):
    """Bits Stored 3 of 8 in baseline JPEG ended the process in GDCM; masked, it would be noise."""
    (radiograph,) = read_radiographs(phantom_jpeg(), "film.dcm")
    assert radiograph.pixels.shape == base_pixels().shape
    with pytest.raises(UnreadableError, match="contradicts Bits Stored"):
        read_radiographs(phantom_jpeg(BitsStored=3, HighBit=2), "film.dcm")


@pytest.fixture
def phantom_jpeg():
    from io import BytesIO

    from PIL import Image

    def made(**elements):
        stream = BytesIO()
        Image.fromarray((base_pixels() >> 4).astype(np.uint8)).save(stream, "JPEG", quality=95)
        pixels = (base_pixels() >> 4).astype(np.uint8)
        eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7} | elements
        ds = film(pixels, **eight)
        frame = stream.getvalue()
        ds.PixelData = encapsulate([frame + b"\0" * (len(frame) % 2)])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        return to_bytes(ds, syntax=JPEGBaseline8Bit)

    return made


def test_codecs_print_nothing_while_copies_are_compared(tmp_path, capfd):
    """OpenJPEG writes to stdout, where results are; also when the catalogue decodes."""
    from zoom_imaging.charter import load_charter
    from zoom_imaging.ingest.build import build_catalogue

    (tmp_path / "plain.dcm").write_bytes(to_bytes(film()))
    ds = compressed(film())
    frame = bytearray(next(generate_frames(ds.PixelData, number_of_frames=1)))
    frame[60:200] = bytes(140)
    ds.PixelData = encapsulate([bytes(frame)])
    ds["PixelData"].is_undefined_length = True
    (tmp_path / "packed.dcm").write_bytes(to_bytes(ds, syntax=JPEG2000Lossless))
    entries = build_catalogue([tmp_path], load_charter()).entries
    assert {entry.disposition.value for entry in entries} == {"conflicting"}
    assert capfd.readouterr() == ("", "")
