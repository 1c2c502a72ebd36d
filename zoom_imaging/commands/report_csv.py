"""Densitometry reports as CSV: one line a region, and one for a file that was refused."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from zoom_imaging.commands.report_json import report_object

if TYPE_CHECKING:
    from zoom_imaging.commands.dxa import ReadReport

COLUMNS = (
    "path",
    "sop_instance_uid",
    "source",
    "scan_date",
    "scanner_manufacturer",
    "scanner_model",
    "scanner_serial",
    "scan_mode",
    "reference",
    "included_levels",
    "site",
    "side",
    "region",
    "area_cm2",
    "bmc_g",
    "bmd_g_per_cm2",
    "t_score",
    "z_score",
    "state",
    "reason",
)


class CsvReports:
    """Writes the header once, then the lines of each file."""

    def __init__(self, results: TextIO) -> None:
        self._writer = csv.DictWriter(results, COLUMNS, lineterminator="\n", extrasaction="ignore")
        self._writer.writeheader()

    def write(self, read: ReadReport) -> None:
        """All lines of one file."""
        self._writer.writerows(_lines(read))


def _lines(read: ReadReport) -> Iterator[dict[str, object]]:
    content = report_object(read)
    about = {
        **content,
        "included_levels": " ".join(content["included_levels"]),
        **{f"scanner_{key}": value for key, value in content["scanner"].items()},
    }
    if read.report is None:
        yield about
    for result in content["results"]:
        yield about | result
