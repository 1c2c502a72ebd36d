"""Cut anywhere, a file is never taken for a whole one."""

from __future__ import annotations

import io

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.catalogue import Disposition
from zoom_imaging.ingest.header import parse
from zoom_imaging.ingest.structure import require_sound_sequences


@pytest.fixture(
    scope="module",
    params=["film", "compressed", "hologic", "report", "delimited", "implicit", "big"],
)
def whole(request, specimen) -> bytes:
    compressed = specimen.film(PixelData=encapsulate([b"\xff\x4f" + bytes(64)]))
    compressed["PixelData"].VR = "OB"
    compressed["PixelData"].is_undefined_length = True
    make = {
        "film": lambda: specimen.dicom(specimen.film()),
        "compressed": lambda: specimen.dicom(compressed, JPEG2000Lossless),
        "hologic": lambda: specimen.dicom(specimen.hologic()),
        "report": lambda: specimen.dicom(specimen.report()),
        "delimited": lambda: specimen.dicom(specimen.undefined_lengths(specimen.report())),
        "implicit": lambda: specimen.dicom(specimen.report(), ImplicitVRLittleEndian),
        "big": lambda: specimen.dicom(specimen.report(), ExplicitVRBigEndian),
    }
    return make[request.param]()


def test_a_whole_file_is_sound(whole):
    assert parse(whole).problem is None


def test_a_file_cut_at_any_byte_is_unreadable(whole):
    for length in range(len(whole)):
        found = parse(whole[:length])
        assert found.problem is Disposition.UNREADABLE, (length, found)
        assert found.reason


def test_the_sentence_says_how_many_bytes_there_should_be(specimen):
    content = specimen.dicom(specimen.film())
    assert f"at least {len(content)} bytes, the file has {len(content) - 5}" in (
        parse(content[:-5]).reason
    )


@pytest.mark.parametrize("padding", [bytes(1), bytes(7), bytes(512), b"\xfc\xff\xfc\xff"])
def test_padding_behind_the_pixels_does_not_cost_the_film(specimen, padding):
    assert parse(specimen.dicom(specimen.film()) + padding).problem is None


def test_zeros_behind_a_report_do_not_cost_it(specimen):
    for count in (1, 6, 8, 300, 515):
        assert parse(specimen.dicom(specimen.report()) + bytes(count)).problem is None


def test_anything_else_behind_a_report_does(specimen):
    content = specimen.dicom(specimen.report()) + b"something else was appended"
    assert parse(content).problem is Disposition.UNREADABLE


def test_sequences_nested_600_deep_are_refused(specimen):
    found = parse(specimen.nested(600, undefined=True))
    assert found.problem is Disposition.UNREADABLE
    assert "deep" in found.reason


def _elements(content: bytes):
    return list(pydicom.dcmread(io.BytesIO(content)).values())


def test_sound_sequences_pass(specimen):
    for ds in (specimen.report(), specimen.undefined_lengths(specimen.report())):
        require_sound_sequences(_elements(specimen.dicom(ds)))


def test_sequences_of_declared_length_nested_too_deeply_are_refused(specimen):
    content = specimen.nested(100, undefined=False)
    assert parse(content).problem is None  # only bytes, until somebody asks
    with pytest.raises(UnreadableError, match="nested too deeply"):
        require_sound_sequences(_elements(content))


def test_a_length_inside_a_sequence_that_is_too_long_is_refused(specimen):
    content = specimen.dicom(specimen.report(ContentSequence=[specimen.number("BMD", "0.9001")]))
    lying = specimen.replaced(content, b"DS\x06\x000.9001", b"DS\x08\x000.9001")
    with pytest.raises(UnreadableError, match="damaged inside a sequence"):
        require_sound_sequences(_elements(lying))
