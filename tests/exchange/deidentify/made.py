"""Files with a person in them, made for the tests, and what comes out of the real command."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset

from zoom_imaging.charter import load_charter
from zoom_imaging.exchange.deidentify.job import Outcome, Request, deidentify
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.simulate.report_header import file_bytes

SECRET = Secret(b"the tests' own key, of forty-two characters")
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MULTI_FRAME_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.2"
DIGITAL_XRAY = "1.2.840.10008.5.1.4.1.1.1.1"
NAME = "HWANGBO^MIRAE"
SUBJECT = "MR-40417"
BOX = (slice(4, 31), slice(4, 261))
"""Rows and columns in which `with_name` writes."""


def header(day: date, *, subject: str = SUBJECT, name: str = NAME, number: int = 1) -> Dataset:
    """A header with identifiers in the attributes that ordinary films have."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.Modality = DIGITAL_XRAY, "DX"
    made.SOPInstanceUID = f"1.2.826.0.1.9999.{day:%Y%m%d}.{number}"
    made.StudyInstanceUID = f"1.2.826.0.1.9999.{day:%Y%m%d}"
    made.SeriesInstanceUID = f"1.2.826.0.1.9999.{day:%Y%m%d}.0"
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(made, keyword, f"{day:%Y%m%d}")
    made.StudyTime = "101500"
    made.PatientName, made.PatientID = name, subject
    made.PatientBirthDate, made.PatientSex, made.PatientAge = "19550203", "F", "070Y"
    made.AccessionNumber, made.StudyID = "ACC-778812", "1"
    made.ReferringPhysicianName = "NAMGUNG^DOHYUN"
    made.InstitutionName = "Invented Hospital of Nowhere"
    made.Manufacturer, made.ManufacturerModelName = "MAKER", "MODEL 9"
    made.DeviceSerialNumber = "SN-55"
    made.StudyDescription = "Spine lateral of Ms Hwangbo"
    made.SeriesDescription = "Whole spine lateral"
    made.BodyPartExamined, made.ViewPosition = "SPINE", "LL"
    made.PatientOrientation = ["P", "F"]
    return made


def with_pixels(made: Dataset, pixels: np.ndarray) -> Dataset:
    """Frames, rows, columns and samples as the array has them; colour has a last axis of three."""
    colour = pixels.shape[-1] == 3
    frames = pixels.shape[0] if pixels.ndim == (4 if colour else 3) else 1
    rows, columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        made.PlanarConfiguration = 0
    if frames > 1:
        made.NumberOfFrames = frames
    made.Rows, made.Columns = rows, columns
    bits = pixels.dtype.itemsize * 8
    made.BitsAllocated = bits
    made.BitsStored = 8 if bits == 8 else 12
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, 0
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OB" if bits == 8 else "OW"
    return made


def bytes_of(made: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta = meta
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, made, enforce_file_format=True)
    return stream.getvalue()


def film(day: date, **more) -> Dataset:
    """A film without writing: smooth, so that no character is found in it."""
    made = header(day, **more)
    y, x = np.mgrid[:240, :160]
    made.BurnedInAnnotation = "NO"
    grey = 900 + 700 * np.cos((x - 80) / 60.0) + 200 * np.sin(y / 50.0)
    return with_pixels(made, grey.astype(np.uint16))


def with_name(
    shape: tuple[int, int], ground: int, ink: int, text: str = "HWANGBO MIRAE 1955-02-03"
):
    """A grey picture with a line of text in `BOX`."""
    page = Image.new("L", (shape[1], shape[0]), ground)
    ImageDraw.Draw(page).text((8, 7), text, fill=ink, font=ImageFont.load_default(18))
    return np.asarray(page)


def capture(day: date, pixels: np.ndarray, *, lateral: bool = False, **more) -> Dataset:
    """A screen capture, which says that text is burned in; `lateral`: of a film of the spine."""
    made = header(day, **more)
    several = pixels.ndim == 4 or (pixels.ndim == 3 and pixels.shape[-1] != 3)
    made.SOPClassUID = MULTI_FRAME_CAPTURE if several else CAPTURE
    made.Modality, made.ConversionType = "OT", "WSD"
    if not lateral:
        made.SeriesDescription, made.StudyDescription = "Report", "Bone densitometry"
        made.ViewPosition, made.BodyPartExamined = "", ""
    made.BurnedInAnnotation = "YES"
    return with_pixels(made, pixels)


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    out: Path

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in self.out.glob("S-*/**/*") if path.is_file())

    @property
    def datasets(self) -> list[Dataset]:
        return [pydicom.dcmread(path) for path in self.files]

    @property
    def reasons(self) -> list[str]:
        return [row.reason for row in self.outcome.rows]

    @property
    def report(self) -> dict:
        return json.loads((self.out / "deidentify.json").read_text())

    @property
    def everything(self) -> bytes:
        found = [path for path in self.out.rglob("*") if path.is_file()]
        names = "\n".join(str(path.relative_to(self.out)) for path in found)
        return names.encode() + b"".join(path.read_bytes() for path in found)


def cleaned(folder: Path, *made: Dataset, secret: Secret = SECRET, **more) -> Result:
    """De-identify data sets, written as files into a folder."""
    source, out = folder / "in", folder / "out"
    source.mkdir(exist_ok=True)
    for number, one in enumerate(made, start=1):
        whole = getattr(one, "file_meta", None) is not None
        (source / f"IM{number:04d}").write_bytes(file_bytes(one) if whole else bytes_of(one))
    outcome = deidentify(Request((source,), out, secret, load_charter(None), **more))
    return Result(outcome, out)


def command(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "zoom_imaging", "deidentify", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=300,
    )


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
