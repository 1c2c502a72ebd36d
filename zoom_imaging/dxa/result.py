"""One densitometry report as read from one file: what was measured, where, and its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from zoom_imaging.anatomy import Level


class DxaSource(StrEnum):
    """Which format the numbers were read from."""

    HOLOGIC_TEXT = "hologic_text"
    LUNAR_SR = "lunar_sr"
    LUNAR_XML = "lunar_xml"
    GENERIC_SR = "generic_sr"
    PDF = "pdf"
    OCR = "ocr"


class ResultState(StrEnum):
    """Whether a value may be used."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    SUPERSEDED = "superseded"
    HISTORY = "history"
    WITHHELD = "withheld"


class Site(StrEnum):
    """The scanned site."""

    LUMBAR_SPINE = "lumbar_spine"
    TOTAL_HIP = "total_hip"
    FEMORAL_NECK = "femoral_neck"
    TROCHANTER = "trochanter"
    INTERTROCHANTER = "intertrochanter"
    WARDS = "wards"
    FEMUR_SHAFT = "femur_shaft"
    FOREARM = "forearm"
    WHOLE_BODY = "whole_body"
    LATERAL_SPINE = "lateral_spine"

    @property
    def is_hip(self) -> bool:
        """A region of a hip scan."""
        return self in _HIP_SITES


_HIP_SITES = frozenset(
    {
        Site.TOTAL_HIP,
        Site.FEMORAL_NECK,
        Site.TROCHANTER,
        Site.INTERTROCHANTER,
        Site.WARDS,
        Site.FEMUR_SHAFT,
    }
)


class Side(StrEnum):
    """The side of a hip or forearm; MEAN is a report's own mean of both."""

    LEFT = "left"
    RIGHT = "right"
    MEAN = "mean"
    NONE = ""


@dataclass(frozen=True)
class Scanner:
    """The densitometer; empty text where the file does not say."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    software: str = ""


@dataclass(frozen=True)
class DxaResult:
    """One region of one scan. Values are None where the report has none; `reason` says why.

    `region` is "L1" ... "L4", the total named by its levels ("L1-L4", "L1-L2,L4"), or the report's
    region name for other sites. T- and Z-scores are as printed, never recomputed.
    """

    site: Site
    region: str
    area_cm2: float | None = None
    bmc_g: float | None = None
    bmd_g_per_cm2: float | None = None
    t_score: float | None = None
    z_score: float | None = None
    side: Side = Side.NONE
    state: ResultState = ResultState.ACCEPTED
    reason: str = ""

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """Everything measured, to compare results with each other."""
        return (
            self.area_cm2,
            self.bmc_g,
            self.bmd_g_per_cm2,
            self.t_score,
            self.z_score,
        )


@dataclass(frozen=True)
class DxaReport:
    """Everything that one file says about densitometry.

    `subject_id` is the header's. `scan_date` is the day of the scan as written; `analysed_at` the
    time of this analysis, by which several analyses of one scan are ordered; `scan_id` joins them.
    `included_levels` are the vertebrae behind the lumbar total.
    """

    path: str
    sop_instance_uid: str
    source: DxaSource
    scan_date: date | None
    scanner: Scanner
    scan_mode: str
    analysis_version: str
    reference: str
    included_levels: tuple[Level, ...]
    results: tuple[DxaResult, ...]
    subject_id: str = ""
    analysed_at: datetime | None = None
    scan_id: str = ""
    warnings: tuple[str, ...] = field(default=())
