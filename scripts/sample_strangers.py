"""Files that every real delivery contains and no trial asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoom_imaging.provenance import uid_from

CUT_TO_BYTES = 60_000


def write_strangers(out: Path) -> None:
    """A truncated film, a text file and a CT slice of somebody else."""
    folder = out / "unsorted"
    folder.mkdir()
    whole = (out / "ZOOM-001" / "baseline" / "IM0001").read_bytes()
    (folder / "IM0001_broken").write_bytes(whole[:CUT_TO_BYTES])
    (folder / "notes.txt").write_text(
        "Delivery of 2025-06-30: films of ZOOM-001 to ZOOM-012.\n", encoding="utf-8"
    )
    _write_ct(folder / "CT0001")


def _write_ct(path: Path) -> None:
    """One axial slice: a disc of soft tissue with a brighter spine."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    rows, columns = np.mgrid[:128, :128]
    grey = np.where(np.hypot(rows - 64, 0.7 * (columns - 64)) < 42, 1040, 24)
    grey[np.hypot(rows - 88, columns - 64) < 9] = 1400
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid_from("sample stranger", "CT")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = uid_from("sample stranger", "study")
    dataset.SeriesInstanceUID = uid_from("sample stranger", "series")
    dataset.StudyDate = dataset.AcquisitionDate = "20240401"
    dataset.Modality = "CT"
    dataset.Manufacturer = "Simulated Films"
    dataset.PatientID = "ZOOM-001"
    dataset.PatientName = "SIMULATED^ZOOM001"
    dataset.BodyPartExamined = "ABDOMEN"
    dataset.ImagePositionPatient = [-64, -64, 0]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [3, 3]
    dataset.SliceThickness = 5
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = grey.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope = -1024, 1
    dataset.PixelData = grey.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path, enforce_file_format=True)
