"""Header of a simulated densitometry file: patient, study, series, scanner, and its file meta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoom_imaging.provenance import uid_from
from zoom_imaging.simulate.densitometry import Densitometry

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"


@dataclass(frozen=True)
class ObjectKind:
    """What tells one kind of file from another: class, modality, series, number in the series."""

    sop_class: str
    modality: str
    series: int
    description: str
    number: int = 1


def report_dataset(
    exam: Densitometry,
    kind: ObjectKind,
    *,
    character_set: str = "ISO_IR 192",
    syntax: str = EXPLICIT_LITTLE,
) -> FileDataset:
    """A dataset without content. UIDs follow from exam and kind."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    words = (exam.patient_id, exam.scanned.isoformat(), exam.scanner.serial)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(kind.sop_class)
    meta.MediaStorageSOPInstanceUID = UID(uid_from("dxa", *words, kind.series, kind.number))
    meta.TransferSyntaxUID = UID(syntax)
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    if character_set:
        dataset.SpecificCharacterSet = character_set
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = UID(uid_from("dxa study", *words))
    dataset.SeriesInstanceUID = UID(uid_from("dxa series", *words, kind.series))
    day, clock = f"{exam.scanned:%Y%m%d}", f"{exam.scanned:%H%M%S}"
    for name in ("StudyDate", "SeriesDate", "ContentDate"):
        setattr(dataset, name, day)
    for name in ("StudyTime", "SeriesTime"):
        setattr(dataset, name, clock)
    dataset.ContentTime = f"{exam.analysed:%H%M%S}"
    if kind.modality != "SR":
        dataset.AcquisitionDate, dataset.AcquisitionTime = day, clock
    dataset.Modality = kind.modality
    dataset.SeriesDescription = kind.description
    dataset.StudyDescription = "Bone densitometry"
    dataset.StudyID = "1"
    dataset.SeriesNumber = kind.series
    dataset.InstanceNumber = kind.number
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.PatientName = exam.patient_name
    dataset.PatientID = exam.patient_id
    dataset.PatientBirthDate = f"{exam.birth_date:%Y%m%d}"
    dataset.PatientSex = exam.sex
    dataset.Manufacturer = exam.scanner.manufacturer
    dataset.ManufacturerModelName = exam.scanner.model
    dataset.DeviceSerialNumber = exam.scanner.serial
    dataset.SoftwareVersions = exam.scanner.software
    return dataset


def put_pixels(dataset: Dataset, pixels: bytes, rows: int, columns: int, samples: int) -> None:
    """Set an 8-bit image: grey with one sample, RGB with three."""
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    if samples == 3:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
    dataset["PixelData"].VR = "OB"


def file_bytes(dataset: Dataset) -> bytes:
    """The data set as the content of a DICOM file."""
    from io import BytesIO

    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
