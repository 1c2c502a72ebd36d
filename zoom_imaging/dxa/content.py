"""What the reader of one format found in one file, before rules between rows are applied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from zoom_imaging.dxa.result import Scanner
from zoom_imaging.dxa.row import RegionRow

_UNKNOWN = Scanner()


@dataclass(frozen=True)
class ReportContent:
    """Rows as printed, and what the report says about its scan. Empty or None: it does not say.

    `scan_date` is the day that the content itself states, not the header's. Times are as written,
    without a time zone.
    """

    rows: tuple[RegionRow, ...] = ()
    scan_date: date | None = None
    analysed_at: datetime | None = None
    scan_id: str = ""
    scan_mode: str = ""
    analysis_version: str = ""
    reference: str = ""
    scanner: Scanner = _UNKNOWN
    warnings: tuple[str, ...] = ()
