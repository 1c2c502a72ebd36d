"""A densitometry report as the JSON object that other people's scripts read.

The keys are those of the contract (architecture, section 3). Strict JSON: a value that the report
does not have, or that is withheld, is null and its `reason` says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoom_imaging.commands.inputs import number

if TYPE_CHECKING:
    from zoom_imaging.commands.dxa import ReadReport
    from zoom_imaging.dxa.result import DxaResult, Scanner

_NOTHING_READ: dict[str, Any] = {
    "source": None,
    "scan_date": None,
    "scanner": {"manufacturer": "", "model": "", "serial": "", "software": ""},
    "scan_mode": "",
    "reference": "",
    "included_levels": [],
    "results": [],
    "warnings": [],
}


def report_object(read: ReadReport) -> dict[str, Any]:
    """One file."""
    content: dict[str, Any] = {
        "path": read.path,
        "sop_instance_uid": read.sop_instance_uid,
        "state": "refused" if read.report is None else "read",
        "reason": read.reason,
    }
    report = read.report
    if report is None:
        return content | _NOTHING_READ
    return content | {
        "source": report.source.value,
        "scan_date": report.scan_date.isoformat() if report.scan_date else None,
        "scanner": _scanner(report.scanner),
        "scan_mode": report.scan_mode,
        "reference": report.reference,
        "included_levels": [level.value for level in report.included_levels],
        "results": [_result(result) for result in report.results],
        "warnings": list(report.warnings),
    }


def _scanner(scanner: Scanner) -> dict[str, str]:
    return {
        "manufacturer": scanner.manufacturer,
        "model": scanner.model,
        "serial": scanner.serial,
        "software": scanner.software,
    }


def _result(result: DxaResult) -> dict[str, Any]:
    return {
        "site": result.site.value,
        "side": result.side.value,
        "region": result.region,
        "area_cm2": number(result.area_cm2, 4),
        "bmc_g": number(result.bmc_g, 4),
        "bmd_g_per_cm2": number(result.bmd_g_per_cm2, 6),
        "t_score": number(result.t_score, 3),
        "z_score": number(result.z_score, 3),
        "state": result.state.value,
        "reason": result.reason,
    }
