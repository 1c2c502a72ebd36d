"""Small DICOM files and archives of every kind that the ingest room must tell apart."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.1999.55"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
CR = "1.2.840.10008.5.1.4.1.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
SC = "1.2.840.10008.5.1.4.1.1.7"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ABSENT = object()


def header(sop_class: str, **elements: object) -> Dataset:
    """A data set without content; keywords replace what it has, ABSENT removes it."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = f"{ROOT}.1"
    ds.StudyDate = ds.AcquisitionDate = ds.ContentDate = "20250110"
    ds.Modality = "OT"
    ds.Manufacturer = "INVENTED"
    ds.PatientName = "TESTONE^ALPHA"
    ds.PatientID = "T-001"
    ds.StudyInstanceUID = f"{ROOT}.2"
    ds.SeriesInstanceUID = f"{ROOT}.3"
    return change(ds, elements)


def change(ds: Dataset, elements: Mapping[str, object]) -> Dataset:
    for keyword, value in elements.items():
        if value is ABSENT:
            ds.pop(keyword, None)
        else:
            setattr(ds, keyword, value)
    return ds


def picture(ds: Dataset, rows: int = 8, columns: int = 6, bits: int = 16, samples: int = 1) -> None:
    ds.Rows, ds.Columns, ds.SamplesPerPixel = rows, columns, samples
    ds.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else "RGB"
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit, ds.PixelRepresentation = bits - 1, 0
    if samples > 1:
        ds.PlanarConfiguration = 0
    size = rows * columns * samples * bits // 8
    ds.PixelData = bytes(n % 251 for n in range(size + size % 2))
    ds["PixelData"].VR = "OW" if bits > 8 else "OB"


def film(**elements: object) -> Dataset:
    """A lateral radiograph of the whole spine."""
    ds = header(DX)
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition = "DX", "SPINE", "LL"
    ds.PatientOrientation, ds.SeriesDescription = ["P", "F"], "SPINE LATERAL"
    picture(ds)
    return change(ds, elements)


def hologic(**elements: object) -> Dataset:
    """A report picture with the private result text."""
    ds = header(SC)
    ds.Manufacturer, ds.BodyPartExamined = "HOLOGIC", "LSPINE"
    picture(ds, bits=8, samples=3)
    block = ds.private_block(0x0019, "HOLOGIC", create=True)
    block.add_new(0x00, "UN", b'<HologicHeader1>\r\nScanMode = "f Lumbar Spine";\r\n')
    return change(ds, elements)


def code(meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99TEST", meaning
    return Sequence([item])


def number(meaning: str, value: str) -> Dataset:
    measured = Dataset()
    measured.NumericValue = value
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "NUM"
    item.ConceptNameCodeSequence = code(meaning)
    item.MeasuredValueSequence = Sequence([measured])
    return item


def report(**elements: object) -> Dataset:
    """A structured report of a Lunar densitometer."""
    ds = header(ENHANCED_SR)
    ds.pop("AcquisitionDate")
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "SR", "GE Healthcare", "Lunar iDXA"
    ds.ValueType, ds.ConceptNameCodeSequence = "CONTAINER", code("DXA Report")
    ds.ContentSequence = Sequence([number("BMD", "0.900"), number("BMC", "12.1")])
    return change(ds, elements)


def dicom(
    ds: Dataset, syntax: UID = ExplicitVRLittleEndian, *, bare: bool = False, **meta: object
) -> bytes:
    """The bytes of a file; `bare` without preamble and meta header."""
    ds.preamble = None if bare else bytes(128)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID if "SOPClassUID" in ds else "1.2.3"
    if "SOPInstanceUID" in ds:
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    for keyword, value in meta.items():
        setattr(ds.file_meta, keyword, value)
    stream = io.BytesIO()
    if bare:
        del ds.file_meta
        ds.save_as(stream, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    else:
        ds.save_as(stream, enforce_file_format="SOPInstanceUID" in ds)
    return stream.getvalue()


def undefined_lengths(ds: Dataset) -> Dataset:
    """The same data set with delimiters instead of lengths of sequences and items."""
    for element in ds:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                undefined_lengths(item)
    return ds


def nested(depth: int, *, undefined: bool) -> bytes:
    """A report whose content lies `depth` levels deep: bytes, for pydicom cannot write it."""
    inner = b""
    for _ in range(depth):
        length = 0xFFFFFFFF if undefined else len(inner)
        end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) if undefined else b""
        item = struct.pack("<HHI", 0xFFFE, 0xE000, length) + inner + end
        length = 0xFFFFFFFF if undefined else len(item)
        end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if undefined else b""
        inner = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, length) + item + end
    return dicom(report(ContentSequence=ABSENT)) + inner


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """Bytes of a file with one value of the same length in place of another."""
    assert content.count(old) >= 1
    assert len(old) == len(new)
    return content.replace(old, new)


def archive(members: Mapping[str | zipfile.ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return stream.getvalue()


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
