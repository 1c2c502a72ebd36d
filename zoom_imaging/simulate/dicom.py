"""A simulated film as a DICOM Digital X-Ray image (DX, For Presentation), and its truth as JSON.

PS3.3 A.26. Identifiers are derived from given words, so that the same film has the same UIDs.
Nothing here names a real person, device or site.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import SixPoints
from zoom_imaging.provenance import uid_from
from zoom_imaging.simulate.acquisition import Acquisition, Facing
from zoom_imaging.simulate.simulator import SimulatedFilm

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

MAX_GREY = 4095


class Photometric(StrEnum):
    """Whether the smallest stored value is black (2) or white (1)."""

    MONOCHROME1 = "MONOCHROME1"
    MONOCHROME2 = "MONOCHROME2"


class Encoding(StrEnum):
    """Transfer syntax, by UID."""

    EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
    JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
    JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"


@dataclass(frozen=True)
class FilmScale:
    """What the header says about geometry; None where a header is silent. Millimetres."""

    imager_pixel_mm: float | None = None
    source_to_detector_mm: float | None = None
    source_to_patient_mm: float | None = None
    magnification: float | None = None


@dataclass(frozen=True)
class FilmHeader:
    """Values of one DX header; dates as YYYYMMDD, times as HHMMSS, empty where unknown."""

    patient_id: str
    study_date: str
    study_time: str = "100000"
    patient_name: str = ""
    patient_sex: str = "F"
    birth_date: str = ""
    study_uid: str = ""
    series_uid: str = ""
    instance_uid: str = ""
    accession: str = ""
    study_description: str = "Spine lateral"
    series_description: str = "Whole spine lateral"
    series_number: int = 1
    instance_number: int = 1
    manufacturer: str = "Simulated Films"
    model: str = "zoom_imaging simulate"
    institution: str = ""
    body_part: str = "SPINE"
    left_side_to_detector: bool = True
    facing: Facing = Facing.LEFT
    photometric: Photometric = Photometric.MONOCHROME2
    encoding: Encoding = Encoding.EXPLICIT_LITTLE
    scale: FilmScale = FilmScale()
    kvp: float = 85.0
    trial_subject_id: str = ""
    protocol_id: str = ""
    time_point_id: str = ""


def scale_of(film: SimulatedFilm) -> FilmScale:
    """The whole geometry of a simulated film, as a complete header gives it."""
    return FilmScale(
        imager_pixel_mm=film.pixel_mm,
        source_to_detector_mm=film.source_to_detector_mm,
        source_to_patient_mm=film.source_to_patient_mm,
        magnification=film.magnification,
    )


def header_for(
    film: SimulatedFilm, acquisition: Acquisition, patient_id: str, study_date: str, visit: str
) -> FilmHeader:
    """A complete header for a film: geometry, orientation and UIDs from patient and visit."""
    return FilmHeader(
        patient_id=patient_id,
        study_date=study_date,
        study_uid=uid_from("study", patient_id, visit),
        series_uid=uid_from("series", patient_id, visit, 1),
        instance_uid=uid_from("instance", patient_id, visit, 1, 1),
        left_side_to_detector=acquisition.detector_side > 0,
        facing=acquisition.facing,
        scale=scale_of(film),
        time_point_id=visit,
    )


def film_dataset(image: NDArray[np.uint16], header: FilmHeader) -> FileDataset:
    """A DX dataset of a 12-bit image (rows, columns) whose large values are bone (MONOCHROME2)."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    if image.dtype != np.uint16 or image.ndim != 2 or int(image.max()) > MAX_GREY:
        raise ValueError(f"a 12-bit uint16 image is needed, found {image.dtype} {image.shape}")
    meta = FileMetaDataset()
    instance = UID(
        header.instance_uid or uid_from("instance", header.patient_id, header.study_date)
    )
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.1.1")
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = instance
    _fill_patient_and_study(dataset, header)
    _fill_exposure(dataset, header)
    _fill_image(dataset, image, header)
    if header.encoding is Encoding.JPEG_2000_LOSSLESS:
        dataset.compress(
            header.encoding.value, encoding_plugin="pylibjpeg", generate_instance_uid=False
        )
    elif header.encoding is Encoding.JPEG_LOSSLESS_SV1:
        _compress_with_gdcm(dataset, header.encoding)
    return dataset


def write_film(path: Path, image: NDArray[np.uint16], header: FilmHeader) -> None:
    """Write a DX file; the same image and header give the same bytes."""
    dataset = film_dataset(image, header)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def _fill_patient_and_study(dataset: Dataset, header: FilmHeader) -> None:
    dataset.PatientID = header.patient_id
    dataset.PatientName = header.patient_name or header.patient_id
    dataset.PatientSex = header.patient_sex
    dataset.PatientBirthDate = header.birth_date
    dataset.StudyInstanceUID = header.study_uid or uid_from(
        "study", header.patient_id, header.study_date
    )
    dataset.SeriesInstanceUID = header.series_uid or uid_from(
        "series", header.patient_id, header.study_date, header.series_number
    )
    for name in ("StudyDate", "SeriesDate", "ContentDate", "AcquisitionDate"):
        setattr(dataset, name, header.study_date)
    for name in ("StudyTime", "SeriesTime", "ContentTime", "AcquisitionTime"):
        setattr(dataset, name, header.study_time)
    dataset.StudyID = "1"
    dataset.AccessionNumber = header.accession
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = header.study_description
    dataset.SeriesDescription = header.series_description
    dataset.SeriesNumber = header.series_number
    dataset.InstanceNumber = header.instance_number
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = header.manufacturer
    dataset.ManufacturerModelName = header.model
    if header.institution:
        dataset.InstitutionName = header.institution
    if header.trial_subject_id:
        dataset.ClinicalTrialSponsorName = ""
        dataset.ClinicalTrialProtocolID = header.protocol_id
        dataset.ClinicalTrialProtocolName = ""
        dataset.ClinicalTrialSiteID = ""
        dataset.ClinicalTrialSiteName = ""
        dataset.ClinicalTrialSubjectID = header.trial_subject_id
        dataset.ClinicalTrialTimePointID = header.time_point_id


def _fill_exposure(dataset: Dataset, header: FilmHeader) -> None:
    dataset.BodyPartExamined = header.body_part
    dataset.KVP = header.kvp
    dataset.DetectorType = "DIRECT"
    dataset.PositionerType = "NONE"
    dataset.ViewPosition = "LL" if header.left_side_to_detector else "RL"
    dataset.ImageLaterality = "U"
    # Row direction, then column direction: where the columns and the rows run to.
    dataset.PatientOrientation = ["P" if header.facing is Facing.LEFT else "A", "F"]
    code, meaning = (
        ("399173006", "left lateral")
        if header.left_side_to_detector
        else ("399198007", "right lateral")
    )
    dataset.ViewCodeSequence = [_code(code, meaning)]
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.AnatomicRegionSequence = [_code("421060004", "Spine")]
    dataset.AcquisitionContextSequence = []
    scale = header.scale
    if scale.imager_pixel_mm is not None:
        dataset.ImagerPixelSpacing = [_decimal(scale.imager_pixel_mm)] * 2
    if scale.source_to_detector_mm is not None:
        dataset.DistanceSourceToDetector = _decimal(scale.source_to_detector_mm)
    if scale.source_to_patient_mm is not None:
        dataset.DistanceSourceToPatient = _decimal(scale.source_to_patient_mm)
    if scale.magnification is not None:
        dataset.EstimatedRadiographicMagnificationFactor = _decimal(scale.magnification)


def _code(value: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "SCT"
    item.CodeMeaning = meaning
    return item


def _decimal(number: float) -> str:
    return f"{number:.6g}"


def _fill_image(dataset: Dataset, image: NDArray[np.uint16], header: FilmHeader) -> None:
    inverse = header.photometric is Photometric.MONOCHROME1
    stored = (MAX_GREY - image).astype("<u2") if inverse else image.astype("<u2")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = header.photometric.value
    dataset.Rows, dataset.Columns = image.shape
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if inverse else -1
    dataset.RescaleIntercept = "0"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    dataset.WindowCenter = "2048"
    dataset.WindowWidth = "4096"
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "NO"
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW"


def _compress_with_gdcm(dataset: FileDataset, encoding: Encoding) -> None:
    """JPEG lossless, first-order prediction: pydicom has no encoder for it."""
    import tempfile

    import gdcm
    from pydicom import dcmread
    from pydicom.uid import UID

    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.dcm", Path(folder) / "packed.dcm"
        dataset.save_as(plain, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(plain))
        if not reader.Read():
            raise RuntimeError(f"gdcm cannot read back the film that it should compress: {plain}")
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise RuntimeError(f"gdcm cannot encode {encoding.name}")
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(packed))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        if not writer.Write():
            raise RuntimeError(f"gdcm cannot write {encoding.name}")
        encoded = dcmread(packed).PixelData
    dataset.PixelData = encoded
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = UID(encoding.value)


def truth_record(film: SimulatedFilm) -> dict[str, Any]:
    """What is true of a film, ready for JSON; millimetres and pixels are named."""
    vertebrae: dict[str, Any] = {}
    for one in film.truth:
        record: dict[str, Any] = {
            "centre_px": _rounded(one.centre_px),
            "state": one.state.value,
            "grade": one.grade.value,
            "shape": one.shape.value,
        }
        if one.six_px is not None and one.outline_px is not None and one.heights_mm is not None:
            assert one.own_heights_mm is not None
            assert one.loss is not None
            record |= {
                "points_px": SixPoints.from_array(one.six_px).to_json(),
                "polygon_px": _rounded(one.outline_px),
                "heights_mm": _rounded(one.heights_mm),
                "own_heights_mm": _rounded(one.own_heights_mm),
                "loss": [round(float(value), 4) for value in one.loss],
            }
        vertebrae[one.level.value] = record
    return {
        "rows": int(film.image.shape[0]),
        "columns": int(film.image.shape[1]),
        "imager_pixel_spacing_mm": film.pixel_mm,
        "source_to_detector_mm": round(film.source_to_detector_mm, 2),
        "source_to_patient_mm": round(film.source_to_patient_mm, 2),
        "magnification": round(film.magnification, 5),
        "vertebrae": vertebrae,
    }


def _rounded(values: NDArray[np.float64]) -> Any:
    return np.round(values, 3).tolist()
