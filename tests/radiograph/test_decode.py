"""Compressed pixel data, contradictions between syntax and pixels, and declared sizes."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    MPEG2MPML,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from zoom_imaging.errors import UnreadableError, UnsupportedTransferSyntaxError
from zoom_imaging.radiograph.read import read_radiographs


def grey_of(content: bytes):
    (film,) = read_radiographs(content, "film.dcm")
    return film


@pytest.mark.parametrize(
    ("syntax", "signed"),
    [
        (JPEG2000Lossless, False),
        (JPEG2000Lossless, True),
        (JPEGLSLossless, False),
        (RLELossless, False),
        (RLELossless, True),
    ],
)
def test_lossless_syntaxes_give_the_stored_values(phantom, syntax, signed):
    pixels = phantom.base_pixels()
    ds = phantom.film()
    if signed:
        ds.PixelData = (pixels.astype(int) - 2048).astype("<i2").tobytes()
        ds.PixelRepresentation, ds.WindowCenter = 1, "0"
    film = grey_of(phantom.to_bytes(phantom.compressed(ds, syntax), syntax=syntax))
    np.testing.assert_allclose(film.pixels, phantom.expected_grey(pixels), atol=1e-4)
    assert film.warnings == ()


def jpeg(pixels: np.ndarray) -> bytes:
    import io

    from PIL import Image

    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=95)
    return target.getvalue()


def eight_bit(phantom, frame: bytes):
    ds = phantom.film(
        BitsAllocated=8, BitsStored=8, HighBit=7, WindowCenter="128", WindowWidth="256"
    )
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return ds


@pytest.mark.parametrize(
    ("syntax", "warns"),
    [(JPEGBaseline8Bit, False), (JPEGExtended12Bit, False), (JPEGLosslessSV1, True)],
)
def test_baseline_jpeg_under_several_names(phantom, syntax, warns):
    pixels = (phantom.base_pixels() >> 4).astype("u1")
    film = grey_of(phantom.to_bytes(eight_bit(phantom, jpeg(pixels)), syntax=syntax))
    np.testing.assert_allclose(film.pixels, pixels / 255, atol=0.08)
    assert abs(film.pixels - pixels / 255).mean() < 0.01
    assert bool(film.warnings) is warns


def test_twelve_bit_extended_jpeg_is_read_as_dcmtk_reads_it(shared, capfd):
    """Mean and range are those of dcmdjpeg's output for this file."""
    content = (shared / "cases" / "jpeg-extended-12-bit" / "film.dcm").read_bytes()
    film = grey_of(content)
    assert float(film.pixels.mean()) == pytest.approx(2275.473 / 4095, abs=2e-4)
    assert (float(film.pixels.min()), float(film.pixels.max())) == (0.0, 1.0)
    assert capfd.readouterr().out == ""


def test_fragments_that_no_codec_knows(phantom):
    ds = eight_bit(phantom, b"\x00\x00\x01\xb3" + bytes(200))
    with pytest.raises(UnsupportedTransferSyntaxError, match="MPEG2"):
        read_radiographs(phantom.to_bytes(ds, syntax=MPEG2MPML), "film.dcm")


def native_as(syntax):
    return lambda phantom: phantom.to_bytes(phantom.film(), syntax=syntax)


def j2k_as(syntax):
    return lambda phantom: phantom.to_bytes(phantom.compressed(phantom.film()), syntax=syntax)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (native_as(JPEGLosslessSV1), "the pixel data are uncompressed"),
        (native_as(JPEG2000), "the pixel data are uncompressed"),
        (native_as(RLELossless), "the pixel data are uncompressed"),
        (j2k_as(ExplicitVRLittleEndian), "the pixel data are JPEG 2000"),
        (j2k_as(JPEGLosslessSV1), "the pixel data are JPEG 2000"),
        (j2k_as(RLELossless), "the pixel data are JPEG 2000"),
    ],
)
def test_a_syntax_that_lies_is_read_through_and_named(phantom, make, named):
    film = grey_of(make(phantom))
    np.testing.assert_allclose(film.pixels, phantom.expected_grey(phantom.base_pixels()), atol=1e-4)
    assert any(named in text for text in film.warnings)


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({"Rows": 65535, "Columns": 65535}, "too large"),
        ({"Rows": 121}, "cut short"),
        ({"Columns": 91}, "cut short"),
        ({"Rows": 60}, "contradict the declared size"),
        ({"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, "contradict the declared size"),
        ({"NumberOfFrames": 2}, "cut short"),
        ({"NumberOfFrames": 100000}, "too large"),
        ({"Rows": 0}, "no area"),
        ({"HighBit": 3}, "Bits Stored and High Bit"),
        ({"BitsStored": 20}, "Bits Stored and High Bit"),
    ],
)
def test_declared_sizes_are_checked_against_the_file(phantom, elements, named):
    with pytest.raises(UnreadableError, match=named):
        read_radiographs(phantom.film_bytes(**elements), "film.dcm")


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({"Rows": 8000, "Columns": 8000}, "contradicts the header"),
        ({"NumberOfFrames": 3}, "Number of Frames|damaged"),
    ],
)
def test_a_codestream_that_contradicts_the_header(phantom, elements, named):
    ds = phantom.compressed(phantom.film())
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    with pytest.raises(UnreadableError, match=named):
        read_radiographs(phantom.to_bytes(ds, syntax=JPEG2000Lossless), "film.dcm")


def test_a_high_bit_that_no_value_reaches_is_refused(phantom):
    """Twelve bits said to stand at the top of sixteen, while they lie at the bottom."""
    with pytest.raises(UnreadableError, match="Bits Stored 12 and High Bit 15"):
        read_radiographs(phantom.film_bytes(HighBit=15), "film.dcm")


def test_a_codestream_cut_inside_a_whole_file(phantom):
    ds = phantom.compressed(phantom.film())
    from pydicom.encaps import generate_frames

    (frame,) = generate_frames(ds.PixelData, number_of_frames=1)
    ds.PixelData = encapsulate([frame[: len(frame) // 2]])
    ds["PixelData"].is_undefined_length = True
    with pytest.raises(UnreadableError, match="cut short"):
        read_radiographs(phantom.to_bytes(ds, syntax=JPEG2000Lossless), "film.dcm")


def test_a_deflated_bomb_is_refused_before_it_fills_the_memory(phantom, monkeypatch):
    from zoom_imaging.ingest import dataset

    monkeypatch.setattr(dataset, "LARGEST_INFLATED_BYTES", 4096)
    content = phantom.to_bytes(phantom.film(), syntax="1.2.840.10008.1.2.1.99", deflate=True)
    with pytest.raises(UnreadableError, match="too large"):
        read_radiographs(content, "film.dcm")
