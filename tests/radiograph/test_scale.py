"""Where millimetres come from, and that a contradiction never passes for a calibration."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoom_imaging.anatomy import SpacingSource
from zoom_imaging.radiograph.decimals import decimals, parse_decimal
from zoom_imaging.radiograph.scale import ScaleHeader, scale_of

FIDUCIAL, GEOMETRY = SpacingSource.FIDUCIAL, SpacingSource.GEOMETRY
OVER, RAW, NONE = (
    SpacingSource.IMAGER_OVER_MAGNIFICATION,
    SpacingSource.IMAGER_RAW,
    SpacingSource.NONE,
)

KEYWORDS = {
    "pixel": "PixelSpacing",
    "imager": "ImagerPixelSpacing",
    "scanned": "NominalScannedPixelSpacing",
    "magnification": "EstimatedRadiographicMagnificationFactor",
    "detector": "DistanceSourceToDetector",
    "patient": "DistanceSourceToPatient",
    "type": "PixelSpacingCalibrationType",
    "aspect": "PixelAspectRatio",
}


def scale(phantom, **texts: str):
    """The scale of a header that holds these texts and nothing else of scale."""
    ds = phantom.film()
    for keyword in KEYWORDS.values():
        if keyword in ds:
            delattr(ds, keyword)
    for name, text in texts.items():
        vr = {"type": "CS", "aspect": "IS"}.get(name, "DS")
        phantom.raw_element(ds, KEYWORDS[name], vr, text.encode())
    return scale_of(ScaleHeader.of(ds))


CASES = [
    # header, source, [row, column], words of the warnings
    ({"pixel": r"0.6\0.6", "type": "FIDUCIAL"}, FIDUCIAL, (0.6, 0.6), None),
    ({"pixel": r"0.6\0.6", "type": "GEOMETRY"}, GEOMETRY, (0.6, 0.6), None),
    ({"pixel": r"0.6\0.5", "type": "geometry "}, GEOMETRY, (0.6, 0.5), None),
    # calibrated Pixel Spacing is never divided again
    (
        {
            "pixel": r"0.6\0.6",
            "type": "GEOMETRY",
            "imager": r"0.672\0.672",
            "magnification": "1.12",
        },
        GEOMETRY,
        (0.6, 0.6),
        None,
    ),
    # called calibrated, but it is the detector's
    (
        {
            "pixel": r"0.672\0.672",
            "type": "GEOMETRY",
            "imager": r"0.672\0.672",
            "magnification": "1.12",
        },
        RAW,
        (0.672, 0.672),
        "called calibrated",
    ),
    ({"imager": r"0.684\0.684"}, RAW, (0.684, 0.684), None),
    ({"imager": r"0.684\0.684", "magnification": "1.14"}, OVER, (0.6, 0.6), None),
    ({"imager": r"0.684\0.57", "magnification": "1.14"}, OVER, (0.6, 0.5), None),
    (
        {
            "imager": r"0.684\0.684",
            "magnification": "1.14",
            "detector": "1800",
            "patient": "1578.947",
        },
        OVER,
        (0.6, 0.6),
        None,
    ),
    # distances stand in for a missing factor
    ({"imager": r"0.684\0.684", "detector": "1800", "patient": "1500"}, OVER, (0.57, 0.57), None),
    ({"imager": r"0.684\0.684", "detector": "1800"}, RAW, (0.684, 0.684), None),
    ({"imager": r"0.684\0.684", "detector": "0", "patient": "0"}, RAW, (0.684, 0.684), None),
    (
        {"imager": r"0.684\0.684", "detector": "1500", "patient": "1800"},
        RAW,
        (0.684, 0.684),
        "impossible",
    ),
    # impossible or contradicted factors
    ({"imager": r"0.684\0.684", "magnification": "0.877"}, RAW, (0.684, 0.684), "(0018,1114)"),
    ({"imager": r"0.684\0.684", "magnification": "0"}, RAW, (0.684, 0.684), "(0018,1114)"),
    ({"imager": r"0.684\0.684", "magnification": "-1.1"}, RAW, (0.684, 0.684), "(0018,1114)"),
    ({"imager": r"0.684\0.684", "magnification": "14"}, RAW, (0.684, 0.684), "(0018,1114)"),
    ({"imager": r"0.684\0.684", "magnification": "nan"}, RAW, (0.684, 0.684), "(0018,1114)"),
    (
        {
            "imager": r"0.684\0.684",
            "magnification": "1.40",
            "detector": "1800",
            "patient": "1578.947",
        },
        RAW,
        (0.684, 0.684),
        "contradicts the distances",
    ),
    # an uncalibrated Pixel Spacing
    ({"pixel": r"0.6\0.6"}, NONE, None, None),
    ({"pixel": r"0.684\0.684", "imager": r"0.684\0.684"}, RAW, (0.684, 0.684), None),
    (
        {"pixel": r"0.684\0.684", "imager": r"0.684\0.684", "magnification": "1.14"},
        OVER,
        (0.6, 0.6),
        None,
    ),
    (
        {"pixel": r"0.6\0.6", "imager": r"0.684\0.684", "magnification": "1.14"},
        OVER,
        (0.6, 0.6),
        None,
    ),
    ({"pixel": r"0.5\0.5", "imager": r"0.684\0.684"}, NONE, None, "differs from"),
    (
        {"pixel": r"1.368\1.368", "imager": r"0.684\0.684", "magnification": "1.14"},
        NONE,
        None,
        "differs",
    ),
    # values that cannot be
    ({"pixel": r"0\0", "type": "GEOMETRY"}, NONE, None, "(0028,0030)"),
    ({"pixel": r"-0.6\0.6", "type": "GEOMETRY"}, NONE, None, "(0028,0030)"),
    ({"pixel": r"nan\nan", "type": "GEOMETRY"}, NONE, None, "(0028,0030)"),
    ({"pixel": r"60\60", "type": "GEOMETRY"}, NONE, None, "(0028,0030)"),
    ({"pixel": "0.6", "type": "GEOMETRY"}, NONE, None, "1 values instead of 2"),
    ({"pixel": r"0.6\0.6", "type": "MAGIC"}, NONE, None, "'MAGIC' is not known"),
    (
        {"pixel": r"0\0", "type": "GEOMETRY", "imager": r"0.684\0.684"},
        RAW,
        (0.684, 0.684),
        "(0028,0030)",
    ),
    # as written in the field
    (
        {"pixel": r"0,60000\0,60000", "type": "GEOMETRY"},
        GEOMETRY,
        (0.6, 0.6),
        "Pixel Spacing (0028,0030)",
    ),
    ({"imager": r"0,684\0,684", "magnification": "1,14"}, OVER, (0.6, 0.6), "decimal comma"),
    ({"pixel": "0.6,0.6", "type": "GEOMETRY"}, NONE, None, "(0028,0030)"),
    (
        {"pixel": r"0.60000000000000008882\0.60000000000000008882", "type": "GEOMETRY"},
        GEOMETRY,
        (0.6, 0.6),
        None,
    ),
    ({"scanned": r"0.1\0.1"}, RAW, (0.1, 0.1), None),
    ({"aspect": r"2\1"}, NONE, None, "not square"),
    ({}, NONE, None, None),
]


@pytest.mark.parametrize(("texts", "source", "spacing", "words"), CASES)
def test_scale(phantom, texts, source, spacing, words):
    found, warnings = scale(phantom, **texts)
    assert found.source is source
    assert found.reason
    if spacing is None:
        assert found.as_list is None
    else:
        assert found.as_list == pytest.approx(spacing)
    if words is None:
        assert warnings == ()
    else:
        assert words in " ".join(warnings)


def test_the_missing_magnification_is_named(phantom):
    found, _ = scale(phantom, imager=r"0.684\0.684")
    assert "Magnification" in found.reason
    assert "missing" in found.reason


_texts = st.one_of(
    st.floats().map(str),
    st.floats(0.01, 3).map(lambda x: f"{x:.5f}".replace(".", ",")),
    st.text(alphabet="0123456789.,-+eE naN", max_size=20),
    st.just(""),
)


@settings(deadline=None)
@given(
    values=st.fixed_dictionaries(dict.fromkeys(("magnification", "detector", "patient"), _texts)),
    pair=st.tuples(_texts, _texts),
    imager=st.tuples(_texts, _texts),
)
def test_no_header_gives_an_impossible_scale(phantom, values, pair, imager):
    """Never 1.0 out of nothing, never above the detector's spacing, always finite and reasoned."""
    found, _ = scale(phantom, pixel="\\".join(pair), imager="\\".join(imager), **values)
    assert found.reason
    assert found.source not in {FIDUCIAL, GEOMETRY}
    if found.source is NONE:
        assert found.as_list is None
        return
    for value, text in zip(found.as_list, imager, strict=True):
        written, _ = parse_decimal(text.strip())
        assert math.isfinite(value)
        assert 0 < value <= written


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.6", 0.6),
        ("6e-1", 0.6),
        (".6", 0.6),
        ("+1.", 1.0),
        ("0,6", 0.6),
        ("1.234,5", None),
        ("1,234,5", None),
        ("0x10", None),
        ("1e999", None),
        ("Infinity", None),
        ("", None),
        ("1_000", None),
        ("٣", None),
    ],
)
def test_decimal_strings(text, number):
    assert parse_decimal(text)[0] == number


def test_numbers_are_read_in_every_vr(phantom):
    ds = phantom.film()
    assert decimals(ds, "Rows").values == (120.0,)
    assert decimals(ds, "ImagerPixelSpacing").values == (0.672, 0.672)
    assert not decimals(ds, "PixelSpacing").is_present
