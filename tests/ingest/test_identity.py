"""Copies are copies in every transfer syntax; anything else under one UID is a contradiction."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.ingest.identity import Claimant, by_uid, copies
from zoom_imaging.provenance import sha256_of_bytes


@pytest.fixture
def claim(tmp_path, specimen):
    def make(name: str, content: bytes) -> Claimant:
        path = specimen.put(tmp_path / name, content)
        return Claimant(SourceFile(name, str(path)), sha256_of_bytes(content), "")

    return make


def smooth(specimen, **elements):
    """A film with a picture that every codec takes."""
    ds = specimen.film(**elements)
    specimen.picture(ds, 96, 80)
    ds.PixelData = (np.mgrid[0:96, 0:80].sum(axis=0) * 40).astype("<u2").tobytes()
    return ds


@pytest.mark.parametrize("make", ["film", "hologic", "report"])
@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_another_native_syntax_is_the_same_object(claim, specimen, make, syntax):
    base = claim("a", specimen.dicom(getattr(specimen, make)()))
    again = getattr(specimen, make)()
    if make == "film" and syntax == ExplicitVRBigEndian:  # pydicom writes pixels as they are
        again.PixelData = np.frombuffer(again.PixelData, "<u2").astype(">u2").tobytes()
    other = claim("b", specimen.dicom(again, syntax))
    assert copies([base, other])
    assert copies([other, base, base])


def test_delimiters_in_place_of_lengths_are_the_same_object(claim, specimen):
    base = claim("a", specimen.dicom(specimen.report()))
    other = claim("b", specimen.dicom(specimen.undefined_lengths(specimen.report())))
    assert base.sha256 != other.sha256
    assert copies([base, other])


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_a_lossless_codec_is_the_same_object(claim, specimen, syntax):
    ds = smooth(specimen)
    base = claim("a", specimen.dicom(ds))
    ds.compress(syntax, generate_instance_uid=False)
    packed = claim("b", specimen.dicom(ds, syntax))
    assert copies([base, packed])
    other = smooth(specimen)
    other.PixelData = bytes(2) + other.PixelData[2:-2] + b"\x07\x00"
    assert not copies([claim("c", specimen.dicom(other)), packed])


@pytest.mark.parametrize(
    ("make", "elements"),
    [
        ("film", {"PatientID": "T-002"}),
        ("film", {"PixelData": bytes(96)}),
        ("film", {"AcquisitionDate": "20250111"}),
        ("film", {"StudyID": "extra"}),
        ("report", {"ContentSequence": []}),
    ],
)
def test_other_content_is_no_copy(claim, specimen, make, elements):
    base = claim("a", specimen.dicom(getattr(specimen, make)()))
    other = claim("b", specimen.dicom(getattr(specimen, make)(**elements)))
    assert not copies([base, other])
    assert not copies([base, base, other])


def test_one_value_deep_in_a_report_is_other_content(claim, specimen):
    base = claim("a", specimen.dicom(specimen.report()))
    items = [specimen.number("BMD", "0.901"), specimen.number("BMC", "12.1")]
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        edited = claim("b", specimen.dicom(specimen.report(ContentSequence=items), syntax))
        assert not copies([base, edited])


def test_what_cannot_be_decoded_is_not_known_to_be_a_copy(claim, specimen):
    ds = smooth(specimen)
    base = claim("a", specimen.dicom(ds))
    ds.compress(JPEG2000Lossless, generate_instance_uid=False)
    broken = specimen.dicom(ds, JPEG2000Lossless).replace(b"\xff\x4f\xff\x51", b"\0\0\0\0")
    assert not copies([base, claim("b", broken)])


def test_files_are_grouped_by_uid():
    assert list(by_uid({0: "b", 3: "a", 5: "b", 7: "a", 9: "c"})) == [("a", (3, 7)), ("b", (0, 5))]
