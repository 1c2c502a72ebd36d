"""Reports as they are read from simulated files, and the data sets that they were read from."""

from __future__ import annotations

import io
from datetime import date

from pydicom import dcmread
from pydicom.dataset import Dataset

from zoom_imaging.dxa.read import read_report
from zoom_imaging.dxa.result import DxaReport, Side
from zoom_imaging.simulate.densitometry import IDXA, exam_of
from zoom_imaging.simulate.hologic_report import Part, hologic_report
from zoom_imaging.simulate.lunar_report import lunar_report
from zoom_imaging.simulate.report_header import file_bytes

DAY = date(2025, 3, 5)
BOTH = (Side.LEFT, Side.RIGHT)


def read_back(dataset: Dataset, path: str = "a.dcm") -> DxaReport:
    return read_report(file_bytes(dataset), path)


def hologic(lumbar, included, part=Part.SPINE) -> tuple[DxaReport, Dataset]:
    earlier = exam_of("P-1", date(2023, 2, 1), (1.1, 1.1, 1.1, 1.1))
    exam = exam_of("P-1", DAY, lumbar, included=included, sides=BOTH, earlier=[earlier])
    dataset = hologic_report(exam, part=part)
    return read_back(dataset), dcmread(io.BytesIO(file_bytes(dataset)))


def lunar(lumbar) -> tuple[DxaReport, Dataset]:
    dataset = lunar_report(exam_of("P-2", DAY, lumbar, scanner=IDXA, sides=BOTH))
    return read_back(dataset), dcmread(io.BytesIO(file_bytes(dataset)))
