"""Small objects of the kinds that a trial sends, with invented people."""

from __future__ import annotations

import io

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

ROOT = "1.2.826.0.1.3680043.10.1999.77"
CR = "1.2.840.10008.5.1.4.1.1.1"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
SC = "1.2.840.10008.5.1.4.1.1.7"
CT = "1.2.840.10008.5.1.4.1.1.2"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
SR = "1.2.840.10008.5.1.4.1.1.88.34"
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
)
NAME = "SECRET^PERSON"


def uid(number: int) -> str:
    return f"{ROOT}.{number}"


def thing(
    number: int,
    sop_class: str = DX,
    *,
    patient: str = "ZOOM-001",
    study: int = 900,
    series: int = 800,
    day: str = "20250110",
    modality: str = "DX",
    kilobytes: int = 2,
) -> Dataset:
    """An object; its number makes its SOP Instance UID."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid(number)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(study), uid(series)
    ds.PatientID, ds.PatientName = patient, NAME
    ds.PatientBirthDate = ds.PatientSex = ds.AccessionNumber = ds.StudyID = ""
    ds.StudyDate, ds.StudyTime, ds.Modality = day, "101500", modality
    ds.ReferringPhysicianName = ""
    ds.SeriesNumber, ds.InstanceNumber = 1, number % 1000
    if sop_class == PDF:
        ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
        ds.EncapsulatedDocument = b"%PDF-1.4 of nobody\n "
    elif sop_class == SR:
        ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
        ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
        ds.ConceptNameCodeSequence = Sequence([Dataset()])
        name = ds.ConceptNameCodeSequence[0]
        name.CodeValue, name.CodingSchemeDesignator = "126000", "DCM"
        name.CodeMeaning = "Imaging Measurement Report"
        item = Dataset()
        item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
        item.ConceptNameCodeSequence = Sequence([Dataset()])
        name = item.ConceptNameCodeSequence[0]
        name.CodeValue, name.CodingSchemeDesignator = "121106", "DCM"
        name.CodeMeaning, item.TextValue = "Comment", "none"
        ds.ContentSequence = Sequence([item])
    else:
        ds.BodyPartExamined, ds.ViewPosition = "SPINE", "LL"
        ds.PatientOrientation, ds.SeriesDescription = ["P", "F"], "SPINE LATERAL"
        picture(ds, kilobytes)
    return ds


def picture(ds: Dataset, kilobytes: int) -> None:
    ds.Rows, ds.Columns, ds.SamplesPerPixel = kilobytes, 512, 1
    ds.PhotometricInterpretation, ds.PixelRepresentation = "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelData = bytes(n % 251 for n in range(1024)) * kilobytes
    ds["PixelData"].VR = "OW"


def dicom(ds: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """The bytes of a file. Compressed pixels are stand-ins: nothing here decodes them."""
    if syntax.is_encapsulated and "PixelData" in ds:
        ds.PixelData = encapsulate([b"\xff\x4f\xff\x51" + bytes(range(200)) * 40 + b"\xff\xd9"])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    stream = io.BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def body(content: bytes) -> bytes:
    """The data set of a file as it is encoded, without preamble and meta header."""
    length = int.from_bytes(content[140:144], "little")
    return content[144 + length :]


def with_uid(content: bytes, old: str, new: str) -> bytes:
    """Put a value that is no UID in place of one of the same length."""
    assert len(old) == len(new)
    assert content.count(old.encode()) == 2
    return content.replace(old.encode(), new.encode())
