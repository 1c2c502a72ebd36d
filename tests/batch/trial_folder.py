"""A small trial on disk: Hologic reports as DICOM files, and a clinical table, made by the test."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

AREAS = (12.40, 13.10, 14.20, 15.30)
BASELINE, MONTH12 = date(2025, 3, 10), date(2026, 3, 12)
CLINICAL_COLUMNS = (
    *("subject_id", "arm", "denosumab_years", "zol1_date", "zol2_date", "second_dose"),
    *("ctx_m6", "ctx_m12", "p1np_m6", "p1np_m12"),
)
HEADERS = ("Region", "Area[cm<sup>2</sup>]", "BMC[(g)]", "BMD[g/cm<sup>2</sup>]", "T-score")


def hologic_text(bmd: float, day: date) -> str:
    """Result text of L1-L4 with about this BMD everywhere."""
    rows = [
        (f"L{n}", f"{area:.2f}", f"{area * bmd:.2f}", f"{bmd:.3f}", "-1.8")
        for n, area in enumerate(AREAS, 1)
    ]
    area, bmc = sum(float(row[1]) for row in rows), sum(float(row[2]) for row in rows)
    rows.append(("Total", f"{area:.2f}", f"{bmc:.2f}", f"{bmc / area:.3f}", "-1.9"))
    cells = "".join(
        f'ResultsTable1[{r:2d}][{c:2d}] = "{cell}";\r\n'
        for r, row in enumerate((HEADERS, *rows))
        for c, cell in enumerate(row)
    )
    when = f"{day:%B} {day.day}, {day.year}"
    return (
        "<HologicHeader1>\r\n<GeneralData>\r\n<ScanID>A1</ScanID>\r\n</GeneralData>\r\n"
        "</HologicHeader1>\r\n"
        '<JavaScriptFile, filetype=2, filename="ScanInfo.js">\r\n'
        f'Scan = "{when} - A{day:%m%d%y}0A";\r\nScanMode = "f Lumbar Spine";\r\n'
        f'AnalDate = "{when} 10:31";\r\nAnalProtocol = "Spine";\r\n'
        'Model = "Horizon W (S/N 300000M)";\r\nHologicSoftwareVer = "13.6.1.4";\r\n'
        '</JavaScriptFile>\r\n<JavaScriptFile, filetype=3, filename="Results.js">\r\n'
        f"MAXROWS1 = {len(rows) + 1};\r\nMAXCOLS1 = {len(HEADERS)};\r\n"
        f'TableTitle1 = "Results Summary:";\r\n{cells}</JavaScriptFile>\r\n'
        '<JavaScriptFile, filetype=5, filename="Graph.js">\r\n'
        'GraphTitle2 = "T-score vs. White Female. Source:Hologic";\r\n</JavaScriptFile>\r\n'
    )


def write_report(
    path: Path, subject_id: str, day: date, bmd: float, *, uid: str = "", padding: int = 0
) -> Path:
    """A Hologic secondary capture; the same arguments give the same bytes."""
    text = hologic_text(bmd, day).encode()
    text += b" " * (len(text) % 2 + padding)
    ds = pydicom.Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = SecondaryCaptureImageStorage
    ds.SOPInstanceUID = uid or generate_uid(entropy_srcs=[subject_id, str(day), str(bmd)])
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study", subject_id, str(day)])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series", subject_id, str(day)])
    for name in ("StudyDate", "AcquisitionDate", "ContentDate"):
        setattr(ds, name, f"{day:%Y%m%d}")
    ds.StudyTime = ds.ContentTime = "101500"
    ds.Modality = "OT"
    ds.ConversionType = "WSD"
    ds.Manufacturer = "HOLOGIC"
    ds.ManufacturerModelName = "Horizon W"
    ds.DeviceSerialNumber = "300000M"
    ds.SoftwareVersions = "13.6.1.4"
    ds.BodyPartExamined = "LSPINE"
    ds.PatientName = "TEST^ANNA"
    ds.PatientID = subject_id
    ds.PatientBirthDate = "19550203"
    ds.PatientSex = "F"
    ds.add_new(0x00190010, "LO", "HOLOGIC")
    ds.add_new(0x00191000, "UN", text)
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows = ds.Columns = 8
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelRepresentation = 0
    ds.PixelData = bytes(64)
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def write_pair(folder: Path, subject_id: str, before: float, after: float) -> tuple[Path, Path]:
    """Both visits of a subject, as `base.dcm` and `m12.dcm`."""
    return (
        write_report(folder / "base.dcm", subject_id, BASELINE, before),
        write_report(folder / "m12.dcm", subject_id, MONTH12, after),
    )


def write_clinical(path: Path, *subject_ids: str, arm: str = "once") -> Path:
    """One row a subject, first zoledronic acid ten days after the baseline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CLINICAL_COLUMNS)
        for subject_id in subject_ids:
            writer.writerow([subject_id, arm, "1.9", "2025-03-20", "", "", "0.31", "0.34", "", ""])
    return path


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    """A table of a result folder."""
    with (folder / table).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def row(folder: Path, table: str, **where: str) -> dict[str, str]:
    """The only row with these cells."""
    found = [
        one for one in rows(folder, table) if all(one[name] == cell for name, cell in where.items())
    ]
    assert len(found) == 1, (table, where, found)
    return found[0]
