"""One picture, stored in every way that the field has: the same grey values come out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from zoom_imaging.anatomy import View
from zoom_imaging.errors import NotDicomError, NotRelevantError, UnreadableError
from zoom_imaging.radiograph.read import read_radiographs


def one(content: bytes):
    """The only frame of a file."""
    (film,) = read_radiographs(content, "film.dcm")
    return film


def test_a_plain_film_gives_its_own_values(phantom):
    film = one(phantom.film_bytes())
    np.testing.assert_allclose(film.pixels, phantom.expected_grey(phantom.base_pixels()), atol=1e-4)
    assert film.pixels.dtype == np.float32
    assert film.valid.all()
    assert film.frame is None
    assert film.view is View.LATERAL
    assert film.acquired_on.isoformat() == "2025-01-10"
    assert film.sop_instance_uid == "1.2.826.0.1.3680043.10.1999.77.1"
    assert film.warnings == ()
    assert film.seams == ()


def lut_item(first: int, entries: np.ndarray, bits: int, vr: str = "OW") -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries) % 65536, first, bits])
    if vr == "US":
        item.add_new(0x00283006, "US", [int(entry) for entry in entries])
    else:
        item.add_new(0x00283006, "OW", entries.astype("<u2").tobytes())
    return item


def mono1(ds, p):
    ds.PixelData = (4095 - p).astype("<u2").tobytes()
    ds.PhotometricInterpretation = "MONOCHROME1"
    ds.PresentationLUTShape = "INVERSE"
    ds.WindowCenter = "2048"


def mono1_without_shape(ds, p):
    mono1(ds, p)
    del ds.PresentationLUTShape


def inverse_shape_only(ds, p):
    mono1(ds, p)
    ds.PhotometricInterpretation = "MONOCHROME2"


def mono1_negative_window(ds, p):
    """Inverted with a modality that runs through negative values."""
    mono1(ds, p)
    ds.RescaleIntercept = "-2048"
    ds.WindowCenter = "0"


def fractional_slope(ds, p):
    ds.RescaleSlope, ds.WindowCenter, ds.WindowWidth = "0.01", "20.48", "40.96"


def tiny_slope(ds, p):
    ds.RescaleSlope, ds.WindowCenter, ds.WindowWidth = "0.0001", "0.2048", "0.4096"


def negative_slope(ds, p):
    ds.PixelData = (4095 - p).astype("<u2").tobytes()
    ds.RescaleSlope, ds.RescaleIntercept = "-1", "4095"


def high_bit_15(ds, p):
    junk = np.random.default_rng(1).integers(0, 16, p.shape).astype(np.uint16)
    ds.PixelData = ((p << 4) | junk).astype("<u2").tobytes()
    ds.HighBit = 15


def dirty(ds, p):
    """An embedded overlay and junk above the stored bits."""
    junk = np.random.default_rng(2).integers(0, 16, p.shape).astype(np.uint16)
    ds.PixelData = (p | (junk << 12)).astype("<u2").tobytes()


def signed(ds, p):
    """Twelve bits with sign; the sign is not extended into the unused bits."""
    ds.PixelData = ((p.astype(int) - 2048) & 0xFFF).astype("<u2").tobytes()
    ds.PixelRepresentation = 1
    ds.WindowCenter = "0"


def signed_with_intercept(ds, p):
    signed(ds, p)
    ds.RescaleIntercept, ds.WindowCenter = "2048", "2048"


def modality_lut(ds, p, vr="OW"):
    """Twelve bits an entry, and it reverses the stored values."""
    ds.PixelData = (4095 - p).astype("<u2").tobytes()
    item = lut_item(0, np.arange(4096)[::-1], 12, vr)
    item.ModalityLUTType = "US"
    ds.ModalityLUTSequence = Sequence([item])
    del ds.RescaleSlope, ds.RescaleIntercept


def modality_lut_us(ds, p):
    modality_lut(ds, p, "US")


def voi_lut_65536(ds, p):
    """65,536 entries are coded as 0."""
    table = np.minimum(np.arange(65536) * 65535 // 4095, 65535)
    ds.VOILUTSequence = Sequence([lut_item(0, table, 16)])
    del ds.WindowCenter, ds.WindowWidth


def voi_lut_first_mapped(ds, p):
    """A table that begins at a negative value, behind a negative intercept."""
    ds.RescaleIntercept = "-1000"
    ds.VOILUTSequence = Sequence([lut_item(-1000 & 0xFFFF, np.arange(4096), 12)])
    del ds.WindowCenter, ds.WindowWidth


def linear_exact(ds, p):
    ds.VOILUTFunction, ds.WindowCenter, ds.WindowWidth = "LINEAR_EXACT", "2047.5", "4095"


def second_window_is_valid(ds, p):
    ds.WindowCenter, ds.WindowWidth = ["100", "2048"], ["0", "4096"]


def eight_bits(ds, p):
    ds.PixelData = (p >> 4).astype("u1").tobytes()
    ds["PixelData"].VR = "OB"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.WindowCenter, ds.WindowWidth = "128", "256"


def rgb(ds, p, planar=0):
    grey = (p >> 4).astype("u1")
    stacked = np.stack([grey] * 3, axis=0 if planar else -1)
    ds.PixelData = stacked.tobytes()
    ds["PixelData"].VR = "OB"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", planar
    for keyword in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept"):
        delattr(ds, keyword)
    del ds.PresentationLUTShape


def rgb_planes(ds, p):
    rgb(ds, p, planar=1)


def palette(ds, p, bits=16):
    """Shuffled indices: the picture is in the palette alone."""
    order = np.random.default_rng(3).permutation(256)
    grey = (p >> 4).astype(int)
    ds.PixelData = order[grey].astype("u1").tobytes()
    ds["PixelData"].VR = "OB"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.PhotometricInterpretation = "PALETTE COLOR"
    table = np.empty(256, dtype=int)
    table[order] = np.arange(256) * (257 if bits == 16 else 1)
    data = table.astype("<u2" if bits == 16 else "u1").tobytes()
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, bits])
        setattr(ds, f"{colour}PaletteColorLookupTableData", data)
        ds[f"{colour}PaletteColorLookupTableDescriptor"].VR = "US"
    del ds.PresentationLUTShape


def palette_of_bytes(ds, p):
    palette(ds, p, bits=8)


@pytest.mark.parametrize(
    ("change", "tolerance"),
    [
        (mono1, 1e-4),
        (mono1_without_shape, 1e-4),
        (inverse_shape_only, 1e-4),
        (mono1_negative_window, 1e-4),
        (fractional_slope, 1e-4),
        (tiny_slope, 1e-3),
        (negative_slope, 1e-4),
        (high_bit_15, 1e-4),
        (dirty, 1e-4),
        (signed, 1e-4),
        (signed_with_intercept, 1e-4),
        (modality_lut, 1e-4),
        (modality_lut_us, 1e-4),
        (voi_lut_65536, 1e-4),
        (voi_lut_first_mapped, 1e-4),
        (linear_exact, 1e-4),
        (second_window_is_valid, 1e-4),
        (eight_bits, 0.005),
        (rgb, 0.005),
        (rgb_planes, 0.005),
        (palette, 0.005),
        (palette_of_bytes, 0.005),
    ],
)
def test_the_same_picture_however_it_is_stored(phantom, change, tolerance):
    pixels = phantom.base_pixels()
    content = phantom.to_bytes(phantom.film(edit=lambda ds: change(ds, pixels)))
    film = one(content)
    np.testing.assert_allclose(film.pixels, phantom.expected_grey(pixels), atol=tolerance)
    assert film.valid.all()


@pytest.mark.parametrize(
    ("centre", "width"), [("1800", "3500"), ("2600", "1500"), ("2048", "4096")]
)
def test_inversion_is_the_last_step(phantom, centre, width):
    """An off-centre window on MONOCHROME1 is the mirror of the mirrored window on MONOCHROME2."""
    pixels = phantom.base_pixels()
    inverted = one(
        phantom.film_bytes(
            4095 - pixels,
            PhotometricInterpretation="MONOCHROME1",
            PresentationLUTShape="INVERSE",
            WindowCenter=centre,
            WindowWidth=width,
        )
    )
    mirrored = one(
        phantom.film_bytes(pixels, WindowCenter=str(4096 - int(centre)), WindowWidth=width)
    )
    np.testing.assert_allclose(inverted.pixels, mirrored.pixels, atol=1e-3)


def test_a_contradiction_about_inversion_is_named(phantom):
    film = one(phantom.film_bytes(PresentationLUTShape="INVERSE"))
    assert any("contradicts Presentation LUT Shape" in text for text in film.warnings)


@pytest.mark.parametrize("function", ["SIGMOID", "LINEAR_EXACT", "LINEAR"])
def test_window_functions_of_the_standard(phantom, function):
    pixels = phantom.base_pixels()
    film = one(
        phantom.film_bytes(pixels, VOILUTFunction=function, WindowCenter="2000", WindowWidth="3000")
    )
    x = pixels.astype(float)
    expected = {
        "SIGMOID": 1 / (1 + np.exp(-4 * (x - 2000) / 3000)),
        "LINEAR_EXACT": np.clip((x - 2000) / 3000 + 0.5, 0, 1),
        "LINEAR": np.clip((x - 1999.5) / 2999 + 0.5, 0, 1),
    }[function]
    np.testing.assert_allclose(film.pixels, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({"WindowWidth": "0"}, "Window Width (0028,1051) 0 is not above 0"),
        ({"WindowWidth": "-5"}, "Window Width (0028,1051) -5 is not above 0"),
        ({"WindowCenter": "60000", "WindowWidth": "2"}, "leaves no picture"),
    ],
)
def test_an_unusable_window_is_named_and_the_picture_still_seen(phantom, elements, named):
    film = one(phantom.film_bytes(**elements))
    assert any(named in text for text in film.warnings)
    low, high = np.percentile(film.pixels, [1, 99])
    assert low < 0.05
    assert high > 0.95
    assert np.isfinite(film.pixels).all()


def test_without_a_window_grey_values_span_the_picture(phantom):
    pixels = phantom.base_pixels()
    film = one(phantom.film_bytes(pixels, WindowCenter=phantom.ABSENT, WindowWidth=phantom.ABSENT))
    low, high = np.percentile(pixels, [0.5, 99.5])
    expected = np.clip((pixels - low) / (high - low), 0, 1)
    np.testing.assert_allclose(film.pixels, expected, atol=1e-4)


@pytest.mark.parametrize("slope", [b"0", b"0.0", b"nan", b"inf", b"-", b"1.2.3"])
def test_a_slope_that_is_none_is_refused_by_name(phantom, slope):
    ds = phantom.film()
    phantom.raw_element(ds, "RescaleSlope", "DS", slope)
    with pytest.raises(UnreadableError, match=r"Rescale Slope \(0028,1053\)"):
        read_radiographs(phantom.to_bytes(ds), "film.dcm")


@pytest.mark.parametrize("fault", ["short", "no entries", "bits"])
def test_a_modality_lut_that_contradicts_itself_is_refused(phantom, fault):
    def edit(ds):
        modality_lut(ds, phantom.base_pixels())
        item = ds.ModalityLUTSequence[0]
        if fault == "short":
            item[0x00283006].value = b"\0\0" * 100
        elif fault == "no entries":
            del item[0x00283006]
        else:
            item.LUTDescriptor = [4096, 0, 40]

    with pytest.raises(UnreadableError, match="Modality LUT"):
        read_radiographs(phantom.to_bytes(phantom.film(edit=edit)), "film.dcm")


class TestPadding:
    """Padding rules no grey value and is no picture."""

    def padded(self, phantom, value, **elements):
        inner = phantom.base_pixels()
        outer = np.full((inner.shape[0] + 30, inner.shape[1] + 40), value, dtype=np.uint16)
        outer[10:-20, 25:-15] = inner
        return one(phantom.film_bytes(outer, **elements)), inner, np.s_[10:-20, 25:-15]

    @pytest.mark.parametrize(
        ("value", "elements"),
        [
            (32767, {"PixelPaddingValue": 32767, "BitsStored": 15, "HighBit": 14}),
            (4095, {"PixelPaddingValue": 4095}),
            (0, {"PixelPaddingValue": 0}),
            (65535, {"PixelPaddingValue": 65535}),
            (63536, {"PixelPaddingValue": 63536}),
            (4000, {"PixelPaddingValue": 4090, "PixelPaddingRangeLimit": 3990}),
            (30000, {"BitsStored": 15, "HighBit": 14}),
            (0, {}),
        ],
    )
    @pytest.mark.parametrize("window", [True, False])
    def test_padding_is_left_out_of_every_statistic(self, phantom, value, elements, window):
        if not window:
            elements = {**elements, "WindowCenter": phantom.ABSENT, "WindowWidth": phantom.ABSENT}
        film, inner, where = self.padded(phantom, value, **elements)
        plain = one(
            phantom.film_bytes(
                inner,
                **(
                    {}
                    if window
                    else {"WindowCenter": phantom.ABSENT, "WindowWidth": phantom.ABSENT}
                ),
            )
        )
        np.testing.assert_allclose(film.pixels[where], plain.pixels, atol=0.01)
        assert film.valid[where].mean() > 0.99
        outside = film.valid.copy()
        outside[where] = False
        assert not outside.any()

    def test_a_saturated_spot_that_equals_the_padding_value_stays_picture(self, phantom):
        pixels = phantom.base_pixels()
        pixels[50:52, 40:42] = 4095
        film = one(phantom.film_bytes(pixels, PixelPaddingValue=4095))
        assert film.valid.all()
        assert film.pixels[50, 40] == pytest.approx(1.0)

    def test_a_stitched_film_padded_in_steps(self, phantom):
        pixels = phantom.base_pixels()
        pixels[:60, :20] = 4095
        pixels[60:, -20:] = 4095
        film = one(phantom.film_bytes(pixels, PixelPaddingValue=4095))
        assert not film.valid[:60, :20].any()
        assert not film.valid[60:, -20:].any()
        assert film.valid[:60, 20:].all()

    def test_padding_only_is_refused(self, phantom):
        pixels = np.full((100, 80), 17, dtype=np.uint16)
        with pytest.raises(UnreadableError, match="empty"):
            read_radiographs(phantom.film_bytes(pixels, PixelPaddingValue=17), "film.dcm")


def test_one_value_is_no_picture(phantom):
    with pytest.raises(UnreadableError, match="the picture is empty"):
        read_radiographs(phantom.film_bytes(np.full((100, 80), 9, np.uint16)), "film.dcm")


def test_real_colour_is_refused_by_its_photometric_interpretation(phantom):
    def edit(ds):
        rgb(ds, phantom.base_pixels())
        ds.PixelData = np.random.default_rng(0).integers(0, 255, 120 * 90 * 3, "u1").tobytes()

    with pytest.raises(NotRelevantError, match="photometric interpretation RGB"):
        read_radiographs(phantom.to_bytes(phantom.film(edit=edit)), "film.dcm")


def test_every_frame_is_a_film_of_its_own(phantom):
    pixels = np.stack([phantom.base_pixels(), phantom.base_pixels()[::-1]])
    films = read_radiographs(phantom.film_bytes(pixels), "film.dcm")
    assert [film.frame for film in films] == [0, 1]
    for film, frame in zip(films, pixels, strict=True):
        np.testing.assert_allclose(film.pixels, phantom.expected_grey(frame), atol=1e-4)


@pytest.mark.parametrize(
    ("how", "warning"),
    [
        ({}, None),
        ({"syntax": ImplicitVRLittleEndian, "implicit": True}, None),
        ({"syntax": ImplicitVRLittleEndian}, "says implicit VR"),
        ({"implicit": True}, "but the data set is implicit VR"),
        ({"syntax": "1.2.840.10008.1.2.1.99", "deflate": True}, None),
        ({"syntax": "1.2.840.10008.1.2.1.99"}, "deflated"),
        ({"meta": False, "implicit": True}, "no transfer syntax"),
        ({"meta": False}, "no transfer syntax"),
    ],
)
def test_the_data_set_is_read_by_what_it_is(phantom, how, warning):
    film = one(phantom.to_bytes(phantom.film(), **how))
    np.testing.assert_allclose(film.pixels, phantom.expected_grey(phantom.base_pixels()), atol=1e-4)
    if warning is None:
        assert film.warnings == ()
    else:
        assert any(warning in text for text in film.warnings)


def test_big_endian(phantom):
    pixels = phantom.base_pixels()
    ds = phantom.film()
    ds.PixelData = pixels.astype(">u2").tobytes()
    film = one(phantom.to_bytes(ds, syntax=ExplicitVRBigEndian, little_endian=False))
    np.testing.assert_allclose(film.pixels, phantom.expected_grey(pixels), atol=1e-4)


def test_elements_behind_a_nested_private_sequence_of_unknown_length_are_read(phantom):
    """VR UN with undefined length holds implicit VR items (PS3.5 6.2.2)."""
    import struct

    def item(tag, body):
        head = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        return head + tag + body + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)

    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    leaf = struct.pack("<HHI", 0x0009, 0x1011, 4) + b"leaf"
    inner = struct.pack("<HHI", 0x0009, 0x1010, 0xFFFFFFFF) + item(b"", leaf) + end
    outer = struct.pack("<HH2sHI", 0x0009, 0x1001, b"UN", 0, 0xFFFFFFFF) + item(b"", inner) + end
    content = phantom.film_bytes()
    at = content.index(struct.pack("<HH2s", 0x0010, 0x0020, b"LO"))
    film = one(content[:at] + outer + content[at:])
    np.testing.assert_allclose(film.pixels, phantom.expected_grey(phantom.base_pixels()), atol=1e-4)


@pytest.mark.parametrize(
    ("modality", "error"), [("CT", NotRelevantError), ("MR", NotRelevantError)]
)
def test_other_modalities_are_not_relevant(phantom, modality, error):
    with pytest.raises(error, match=f"modality {modality}"):
        read_radiographs(phantom.film_bytes(Modality=modality), "film.dcm")


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"%PDF-1.7" + b"x" * 400, b"DIC" * 100, b"\x08\x00" * 3]
)
def test_what_is_no_dicom_file(content):
    with pytest.raises(NotDicomError):
        read_radiographs(content, "notes.dcm")


@settings(deadline=None)
@given(share=st.floats(0.02, 0.999), compress=st.booleans())
def test_a_cut_film_is_never_read(phantom, share, compress):
    ds = phantom.film()
    syntax = "1.2.840.10008.1.2.1"
    if compress:
        ds, syntax = phantom.compressed(ds), "1.2.840.10008.1.2.4.90"
    content = phantom.to_bytes(ds, syntax=syntax)
    with pytest.raises((UnreadableError, NotDicomError, NotRelevantError)) as refused:
        read_radiographs(content[: int(share * len(content))], "film.dcm")
    assert "film.dcm" in refused.value.reason


def test_an_element_that_declares_more_than_the_file_holds(phantom):
    import struct

    content = bytearray(phantom.film_bytes())
    at = content.index(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OW"))
    content[at + 8 : at + 12] = struct.pack("<I", 0xFFFFFFF0)
    with pytest.raises(UnreadableError, match="declares 4294967280 bytes"):
        read_radiographs(bytes(content), "film.dcm")


def test_a_film_without_pixels_is_unreadable_and_a_document_is_not_relevant(phantom):
    with pytest.raises(UnreadableError, match="no pixel data"):
        read_radiographs(phantom.film_bytes(PixelData=phantom.ABSENT), "film.dcm")
    document = dict.fromkeys(("PixelData", "Rows", "Columns"), phantom.ABSENT)
    with pytest.raises(NotRelevantError):
        read_radiographs(phantom.film_bytes(Modality="SR", **document), "report.dcm")
