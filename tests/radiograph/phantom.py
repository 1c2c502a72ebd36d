"""DICOM films made of a known pattern, so that every grey value can be predicted."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
)

ROWS, COLUMNS = 120, 90
TOP = 4095
ABSENT = object()


def base_pixels(rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """12-bit picture: a slow ramp, shifted blocks, a little fixed texture; no constant border."""
    row, column = np.mgrid[0:rows, 0:columns]
    ramp = 300 + 22 * row + 9 * column
    blocks = 220 * (((row + 4 * (column // 15)) // 15 + column // 15) % 2)
    texture = np.random.default_rng(7).integers(-20, 21, (rows, columns))
    return np.clip(ramp + blocks + texture, 0, TOP).astype(np.uint16)


def expected_grey(pixels: np.ndarray) -> np.ndarray:
    """What the full window (centre 2048, width 4096) makes of 12-bit values."""
    return (pixels.astype(float) / TOP).astype(np.float32)


def film(
    pixels: np.ndarray | None = None,
    edit: Callable[[Dataset], None] | None = None,
    **elements: object,
) -> Dataset:
    """A lateral DX film; `elements` by keyword replace or (ABSENT) remove what it has."""
    pixels = base_pixels() if pixels is None else pixels
    ds = Dataset()
    ds.SOPClassUID = DigitalXRayImageStorageForPresentation
    ds.SOPInstanceUID = "1.2.826.0.1.3680043.10.1999.77.1"
    ds.StudyInstanceUID = "1.2.826.0.1.3680043.10.1999.77.2"
    ds.SeriesInstanceUID = "1.2.826.0.1.3680043.10.1999.77.3"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.Modality = "DX"
    ds.Manufacturer = "INVENTED"
    ds.SeriesDescription = "SPINE LATERAL"
    ds.BodyPartExamined = "SPINE"
    ds.ViewPosition = "LL"
    ds.PatientOrientation = ["P", "F"]
    ds.PatientID = "T-001"
    ds.AcquisitionDate = "20250110"
    ds.StudyDate = "20250109"
    ds.ImagerPixelSpacing = [0.672, 0.672]
    ds.EstimatedRadiographicMagnificationFactor = "1.12"
    ds.DistanceSourceToDetector = "1800"
    ds.DistanceSourceToPatient = "1607.1"
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape[-2:] if pixels.ndim < 4 else pixels.shape[1:3]
    if pixels.ndim == 3:
        ds.NumberOfFrames = len(pixels)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11
    ds.PixelRepresentation = 0
    ds.WindowCenter, ds.WindowWidth = "2048", "4096"
    ds.RescaleIntercept, ds.RescaleSlope = "0", "1"
    ds.PresentationLUTShape = "IDENTITY"
    ds.PixelData = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<")).tobytes()
    ds["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        if value is ABSENT:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    if edit is not None:
        edit(ds)
    return ds


def to_bytes(
    ds: Dataset,
    *,
    syntax: str = ExplicitVRLittleEndian,
    implicit: bool = False,
    little_endian: bool = True,
    meta: bool = True,
    deflate: bool = False,
) -> bytes:
    """A file whose meta header names `syntax`, whatever the data set really is."""
    body = io.BytesIO()
    from pydicom.filebase import DicomIO

    stream = DicomIO(body)
    stream.is_implicit_VR, stream.is_little_endian = implicit, little_endian
    write_dataset(stream, ds)
    content = body.getvalue()
    if deflate:
        squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content = squeezer.compress(content) + squeezer.flush()
    if not meta:
        return content
    head = FileMetaDataset()
    head.MediaStorageSOPClassUID = ds.SOPClassUID
    head.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    head.TransferSyntaxUID = syntax
    head_body = io.BytesIO()
    head_stream = DicomIO(head_body)
    head_stream.is_implicit_VR, head_stream.is_little_endian = False, True
    write_dataset(head_stream, head)
    group = head_body.getvalue()
    length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(group))
    return b"\0" * 128 + b"DICM" + length + group + content


def film_bytes(pixels: np.ndarray | None = None, **elements: object) -> bytes:
    """A plain film as a file."""
    return to_bytes(film(pixels, **elements))


def raw_element(ds: Dataset, keyword: str, vr: str, value: bytes) -> None:
    """Put bytes into a data set that no strict writer would accept."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag(tag_for_keyword(keyword))
    value += b" " * (len(value) % 2)
    ds._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)


def compressed(ds: Dataset, syntax: str = JPEG2000Lossless) -> Dataset:
    """The same film with its pixel data compressed by pydicom's encoder."""
    from pydicom.pixels.encoders.base import get_encoder

    encoder = get_encoder(syntax)
    frames = [
        encoder.encode(
            ds.PixelData,
            rows=ds.Rows,
            columns=ds.Columns,
            number_of_frames=1,
            samples_per_pixel=ds.SamplesPerPixel,
            bits_allocated=ds.BitsAllocated,
            bits_stored=ds.BitsStored,
            pixel_representation=ds.PixelRepresentation,
            photometric_interpretation=ds.PhotometricInterpretation,
        )
    ]
    ds.PixelData = encapsulate(frames)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return ds
