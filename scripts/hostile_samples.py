"""Valid files of every kind that the product takes in: what the mutation runs damage.

Films in every transfer syntax that is read and with every element that shapes their grey values,
densitometry reports of every maker, a directory, a report of our own and archives. All are made
here; the picture is a shipped simulated film, made small so that thousands are read in minutes.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

SHIPPED_FILM = Path(__file__).resolve().parents[1] / "data/sample_dicom/ZOOM-001/baseline/IM0001"
ROWS, COLUMNS = 320, 136
ENCODERS = {
    JPEG2000Lossless: "pylibjpeg",
    JPEGLSLossless: "pyjpegls",
    RLELossless: "pydicom",
}


@dataclass(frozen=True)
class Sample:
    """One valid file; `kind` is film, report, directory or archive."""

    name: str
    kind: str
    content: bytes


def samples() -> list[Sample]:
    """Every kind in several styles, always the same bytes."""
    films = list(film_samples())
    reports = list(report_samples())
    return [*films, *reports, *_collections(films, reports)]


def small_picture() -> NDArray[np.uint16]:
    """The shipped film, thinned out to (ROWS, COLUMNS)."""
    pixels = dcmread(SHIPPED_FILM).pixel_array
    rows = np.linspace(0, pixels.shape[0] - 1, ROWS).astype(int)
    columns = np.linspace(0, pixels.shape[1] - 1, COLUMNS).astype(int)
    return np.ascontiguousarray(pixels[np.ix_(rows, columns)]).astype(np.uint16)


def plain_film() -> Dataset:
    """The header of the shipped film over the small picture."""
    dataset = dcmread(SHIPPED_FILM)
    pixels = small_picture()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    spacing = float(dataset.ImagerPixelSpacing[0]) * dataset.Rows / ROWS
    dataset.ImagerPixelSpacing = [f"{spacing:.4f}"] * 2
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset["PixelData"].is_undefined_length = False
    return dataset


def file_bytes(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """A file in one of the syntaxes that change the data set and not the pixels."""
    dataset = deepcopy(dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        swapped = np.frombuffer(dataset.PixelData, "<u2").astype(">u2")
        dataset.PixelData = swapped.tobytes()
    body, head = DicomIO(io.BytesIO()), io.BytesIO()
    body.is_implicit_VR = syntax == ImplicitVRLittleEndian
    body.is_little_endian = syntax != ExplicitVRBigEndian
    elements = Dataset({tag: dataset[tag] for tag in dataset.keys()})  # noqa: SIM118
    write_dataset(body, elements)
    written = body.parent.getvalue()
    if syntax == DeflatedExplicitVRLittleEndian:
        squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        written = squeezer.compress(written) + squeezer.flush()
    write_file_meta_info(head, dataset.file_meta)
    return bytes(128) + b"DICM" + head.getvalue() + written


def film_samples() -> Iterator[Sample]:
    """Radiographs: transfer syntaxes, then headers."""
    plain = plain_film()
    for syntax in (
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ):
        yield Sample(f"film {syntax.name}", "film", file_bytes(plain, syntax))
    whole = file_bytes(plain, ImplicitVRLittleEndian)
    yield Sample("film without meta header", "film", whole[whole.index(b"\x08\x00\x05\x00") :])
    for syntax, plugin in ENCODERS.items():
        packed = deepcopy(plain)
        packed.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
        yield Sample(f"film {syntax.name}", "film", _saved(packed))
    yield Sample("film JPEG lossless", "film", _saved(_with_gdcm(plain, JPEGLosslessSV1)))
    yield Sample("film JPEG baseline", "film", _saved(_with_gdcm(_eight_bit(plain), None)))
    for name, change in HEADERS.items():
        dataset = deepcopy(plain)
        change(dataset)
        yield Sample(f"film {name}", "film", file_bytes(dataset))


def _saved(dataset: Dataset) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _eight_bit(dataset: Dataset) -> Dataset:
    changed = deepcopy(dataset)
    changed.PixelData = (small_picture() >> 4).astype("u1").tobytes()
    changed.BitsAllocated = changed.BitsStored = 8
    changed.HighBit = 7
    changed.WindowCenter, changed.WindowWidth = "128", "256"
    changed["PixelData"].VR = "OB"
    return changed


def _with_gdcm(dataset: Dataset, syntax: UID | None) -> Dataset:
    """JPEG lossless, or baseline where `syntax` is None: pydicom has no encoder for them."""
    import tempfile

    import gdcm

    kinds = gdcm.TransferSyntax
    wanted = kinds.JPEGLosslessProcess14_1 if syntax else kinds.JPEGBaselineProcess1
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.dcm", Path(folder) / "packed.dcm"
        plain.write_bytes(_saved(dataset))
        reader = gdcm.ImageReader()
        reader.SetFileName(str(plain))
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(kinds(wanted))
        if not reader.Read():
            raise RuntimeError("gdcm cannot read the film")
        change.SetInput(reader.GetImage())
        if not change.Change():
            raise RuntimeError("gdcm cannot compress the film")
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(packed))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        if not writer.Write():
            raise RuntimeError("gdcm cannot write the film")
        changed = deepcopy(dataset)
        changed.PixelData = dcmread(packed).PixelData
    changed["PixelData"].is_undefined_length = True
    changed["PixelData"].VR = "OB"
    changed.file_meta.TransferSyntaxUID = syntax or JPEGBaseline8Bit
    return changed


def _lut(entries: NDArray[np.uint16], first: int) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, 16]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = entries.astype("<u2").tobytes()
    item["LUTData"].VR = "OW"
    return item


def _voi_lut(dataset: Dataset) -> None:
    del dataset.WindowCenter, dataset.WindowWidth
    dataset.VOILUTSequence = [_lut(np.arange(4096, dtype=np.uint16) * 16, 0)]


def _modality_lut(dataset: Dataset) -> None:
    del dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType
    item = _lut(np.arange(4096, dtype=np.uint16)[::-1].copy(), 0)
    item.ModalityLUTType = "US"
    dataset.ModalityLUTSequence = [item]


def _frames(dataset: Dataset) -> None:
    dataset.NumberOfFrames = 2
    dataset.PixelData = dataset.PixelData * 2


def _colour(dataset: Dataset) -> None:
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.PhotometricInterpretation = "RGB"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    grey = (small_picture() >> 4).astype("u1")
    dataset.PixelData = np.repeat(grey[..., None], 3, axis=2).tobytes()
    dataset["PixelData"].VR = "OB"


def _palette(dataset: Dataset) -> None:
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTable"
        setattr(dataset, f"{keyword}Descriptor", [4096, 0, 16])
        dataset[f"{keyword}Descriptor"].VR = "US"
        setattr(dataset, f"{keyword}Data", (np.arange(4096) * 16).astype("<u2").tobytes())


def _shutter_and_overlay(dataset: Dataset) -> None:
    dataset.ShutterShape = ["RECTANGULAR", "POLYGONAL"]
    dataset.ShutterLeftVerticalEdge, dataset.ShutterRightVerticalEdge = 3, COLUMNS - 3
    dataset.ShutterUpperHorizontalEdge, dataset.ShutterLowerHorizontalEdge = 3, ROWS - 3
    dataset.VerticesOfThePolygonalShutter = [5, 5, 5, 120, 310, 120, 310, 5]
    dataset.PixelPaddingValue = 0
    dataset["PixelPaddingValue"].VR = "US"
    dataset.add_new(0x60000010, "US", ROWS)
    dataset.add_new(0x60000011, "US", COLUMNS)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", bytes(ROWS * COLUMNS // 8))


def _computed(dataset: Dataset) -> None:
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(
        "1.2.840.10008.5.1.4.1.1.1"
    )
    dataset.Modality = "CR"
    dataset.PhotometricInterpretation, dataset.PresentationLUTShape = "MONOCHROME1", "INVERSE"


def _private(dataset: Dataset) -> None:
    block = dataset.private_block(0x0029, "INVENTED PRIVATE", create=True)
    inner = Dataset()
    inner.PatientID = "HIDDEN"
    block.add_new(0x10, "SQ", [inner, deepcopy(inner)])
    block.add_new(0x11, "UN", b"bytes of a maker " * 3)


HEADERS = {
    "VOI LUT": _voi_lut,
    "modality LUT": _modality_lut,
    "two frames": _frames,
    "RGB": _colour,
    "palette": _palette,
    "shutter and overlay": _shutter_and_overlay,
    "CR inverse": _computed,
    "private sequence": _private,
}


def report_samples() -> Iterator[Sample]:
    """Densitometry in every format, with and without the page's picture, and our own reports."""
    from fuzz_dxa import samples as densitometry

    for one in densitometry():
        yield Sample(one.name, "report", one.content)
    from datetime import date

    from zoom_imaging.simulate.densitometry import IDXA, exam_of
    from zoom_imaging.simulate.hologic_report import hologic_report
    from zoom_imaging.simulate.lunar_image import lunar_image
    from zoom_imaging.simulate.report_header import file_bytes as saved

    lumbar = (0.742, 0.821, 0.903, 0.992)
    exam = exam_of("P-1", date(2025, 3, 5), lumbar)
    yield Sample("hologic picture", "report", saved(hologic_report(exam)))
    lunar = exam_of("P-1", date(2025, 3, 5), lumbar, scanner=IDXA)
    yield Sample("lunar picture", "report", saved(lunar_image(lunar)))


def _collections(films: list[Sample], reports: list[Sample]) -> Iterator[Sample]:
    yield Sample("DICOMDIR", "directory", dicomdir(films[0].content))
    inner = zipped({"deep/IM1": films[0].content, "r.dcm": reports[0].content})
    members = {"a/IM0001": films[0].content, "a/b.dcm": reports[0].content, "in.zip": inner}
    yield Sample("zip", "archive", zipped(members))
    yield Sample("zip stored", "archive", zipped(members, zipfile.ZIP_STORED))
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("IM0001")
        info.size = len(films[0].content)
        archive.addfile(info, io.BytesIO(films[0].content))
    yield Sample("tar", "archive", stream.getvalue())
    yield Sample("zlib stream", "archive", zlib.compress(films[0].content))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members, always the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def dicomdir(film: bytes) -> bytes:
    """A directory of one patient with one film."""
    dataset = dcmread(io.BytesIO(film), stop_before_pixels=True)
    records = []
    for kind in ("PATIENT", "STUDY", "SERIES", "IMAGE"):
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = 0
        record.RecordInUseFlag = 0xFFFF
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
        record.DirectoryRecordType = kind
        records.append(record)
    records[0].PatientID = dataset.PatientID
    records[3].ReferencedFileID = ["A", "IM0001"]
    records[3].ReferencedSOPClassUIDInFile = dataset.SOPClassUID
    records[3].ReferencedSOPInstanceUIDInFile = dataset.SOPInstanceUID
    made = Dataset()
    made.file_meta = deepcopy(dataset.file_meta)
    made.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.1.3.10")
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.FileSetID = "ZOOM"
    made.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    made.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    made.FileSetConsistencyFlag = 0
    made.DirectoryRecordSequence = records
    return _saved(made)


def nested(depth: int, *, undefined: bool, tag: tuple[int, int] = (0x0040, 0xA730)) -> bytes:
    """The bytes of a sequence that holds `depth` levels of itself."""
    if undefined:
        start = struct.pack("<HH2sHI", *tag, b"SQ", 0, 0xFFFFFFFF)
        start += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        end = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        return start * depth + end * depth
    heads: list[bytes] = []
    length = 0
    for _ in range(depth):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, length)
        heads.append(struct.pack("<HH2sHI", *tag, b"SQ", 0, length + 8) + item)
        length += 20
    return b"".join(reversed(heads))


def bomb(member_bytes: int) -> bytes:
    """A zip whose one member is `member_bytes` zeros."""
    return zipped({"bomb.dcm": bytes(member_bytes)})
