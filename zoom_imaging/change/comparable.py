"""Whether two densitometry exams may be compared: scanner, mode, analysis, reference, levels.

A comparable pair has the same scanner serial, scan mode, analysis version, included levels and
reference population. Every difference is a question. A different scanner without a record of
cross-calibration gives no change: conversions between makers are for groups, never for one patient
(domain rules, section 7). What is not stated at one visit counts as a difference; what is stated at
neither is remarked.
"""

from __future__ import annotations

from dataclasses import dataclass

from zoom_imaging.charter import CrossCalibration, DxaRules
from zoom_imaging.dxa.result import DxaReport, Scanner
from zoom_imaging.query import Query, QueryKind


@dataclass(frozen=True)
class Comparability:
    """`blocked` is why there is no change, or "". The records convert one visit's BMD."""

    queries: tuple[Query, ...] = ()
    blocked: str = ""
    remarks: tuple[str, ...] = ()
    convert_baseline: CrossCalibration | None = None
    convert_month12: CrossCalibration | None = None

    @property
    def converted(self) -> bool:
        """True when one of the two values was brought to the other scanner."""
        return self.convert_baseline is not None or self.convert_month12 is not None


def compare_exams(
    baseline: DxaReport,
    month12: DxaReport,
    rules: DxaRules,
    *,
    site: str,
    subject_id: str,
    levels: tuple[str, str] = ("", ""),
) -> Comparability:
    """Compare how two exams were made; `levels` are the labels of the included vertebrae."""
    pairs = {
        "scanner serial": (baseline.scanner.serial, month12.scanner.serial),
        "scan mode": (baseline.scan_mode, month12.scan_mode),
        "analysis version": (baseline.analysis_version, month12.analysis_version),
        "reference": (baseline.reference, month12.reference),
        "included levels": levels,
    }
    differences = {
        name: values for name, values in pairs.items() if _plain(values[0]) != _plain(values[1])
    }
    remarks = []
    if not _plain(baseline.scanner.serial) and not _plain(month12.scanner.serial):
        remarks.append("the reports do not name the scanner's serial number")
    another = _is_another_scanner(baseline.scanner, month12.scanner)
    if another and "scanner serial" not in differences:
        differences["scanner"] = (_scanner(baseline.scanner), _scanner(month12.scanner))
    blocked, first, second = "", None, None
    if another:
        first = _record(rules, baseline.scanner, month12.scanner)
        second = _record(rules, month12.scanner, baseline.scanner) if first is None else None
        used = first or second
        if used is None:
            blocked = (
                f"another scanner at month 12 ({_scanner(baseline.scanner)}, then "
                f"{_scanner(month12.scanner)}) and no cross-calibration record in the charter"
            )
        else:
            visit = "baseline" if first is not None else "month 12"
            remarks.append(f"{visit} converted by cross-calibration: {used.record}")
    queries = []
    if differences:
        remarks.append(f"differs between the visits: {', '.join(differences)}")
        queries.append(
            Query(
                kind=QueryKind.DXA_NOT_COMPARABLE,
                subject_id=subject_id,
                question=(
                    f"{site.replace('_', ' ')}: the visits differ in {', '.join(differences)}: "
                    "may they be compared?"
                ),
                values="; ".join(
                    f"{name}: {before or 'not stated'} | {after or 'not stated'}"
                    for name, (before, after) in differences.items()
                ),
            )
        )
    return Comparability(tuple(queries), blocked, tuple(remarks), first, second)


def convert(value: float, record: CrossCalibration | None) -> float:
    """BMD in g/cm2 on the other scanner; unchanged without a record."""
    return value if record is None else record.slope * value + record.intercept_g_per_cm2


def _record(rules: DxaRules, source: Scanner, target: Scanner) -> CrossCalibration | None:
    for record in rules.cross_calibrations:
        if _plain(record.from_serial) == _plain(source.serial) and _plain(
            record.to_serial
        ) == _plain(target.serial):
            return record
    return None


def _is_another_scanner(first: Scanner, second: Scanner) -> bool:
    """True when the reports show two scanners; a serial that is missing shows nothing."""
    for one, other in (
        (_plain(first.serial), _plain(second.serial)),
        (_plain(first.model), _plain(second.model)),
        (_maker(first), _maker(second)),
    ):
        if one and other:
            return one != other
    return False


def _maker(scanner: Scanner) -> str:
    words = _plain(scanner.manufacturer).split()
    return words[0] if words else ""


def _scanner(scanner: Scanner) -> str:
    name = " ".join(filter(None, (scanner.manufacturer, scanner.model)))
    return f"{name} {scanner.serial}".strip() if scanner.serial else name or "not stated"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
