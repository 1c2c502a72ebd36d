"""Tables of a Hologic text as rows of regions: columns by their headers, never by position.

Only table 1 is the current scan. Other tables are earlier scans or FRAX and never become results of
this scan; the totals of earlier scans are kept as history.
"""

from __future__ import annotations

import re
from dataclasses import replace

from zoom_imaging.dxa.hologic_text import PseudoFile, Table, plain
from zoom_imaging.dxa.naming import Gathered, Scanned, region_named
from zoom_imaging.dxa.row import RegionRow

CURRENT_TABLE = 1
_LOOK_BACK = re.compile(r"histor|previous|prior|trend|comparison|frax|fracture risk", re.I)
_MEASURES: dict[str, tuple[str, bool]] = {
    "area": ("area", True),
    "bmc": ("bmc", True),
    "bmd": ("bmd", True),
    "tscore": ("t_score", False),
    "zscore": ("z_score", False),
    "pr": ("pya", False),
    "am": ("pam", False),
}
"""Header's name, measure, and whether what follows it in brackets is a unit."""

_UNIT_BEGINS = re.compile(r"[\[(,]")
_HEADER_ROW = 0
_REGION_HEADERS = {"region", "regions", "roi"}


def current_rows(file: PseudoFile, scan: Scanned, warnings: list[str]) -> list[RegionRow]:
    """The rows of the current scan in one pseudo-file; none if it has no such table."""
    table = file.tables.get(CURRENT_TABLE)
    if table is None:
        return []
    title = file.first(f"TableTitle{CURRENT_TABLE}")
    if _LOOK_BACK.search(title):
        warnings.append(f"the first table is '{title}': not read as the current scan")
        return []
    columns = _columns(table)
    if not any(measure == "bmd" for measure, _ in columns.values()):
        warnings.append("the first table has no column BMD")
        return []
    labels = _label_column(table)
    if labels is None:
        warnings.append("the first table has no column Region")
        return []
    rows: list[RegionRow] = []
    for number in table.rows:
        if number != _HEADER_ROW:
            name = _region(table, number, labels, scan, warnings)
            if name is not None:
                rows.append(_gather(table, number, columns).fill(name))
    fault = _missing_rows(file, table)
    if fault and any(row.label.lower() == "total" or len(row.levels) > 1 for row in rows):
        warnings.append(fault)  # the total is there, and its sum tells whether a row is missing
    elif fault:
        rows = [replace(row, doubt=row.doubt or fault) for row in rows]
    return rows


def history_rows(file: PseudoFile, scan: Scanned, scan_text: str) -> list[RegionRow]:
    """Totals of earlier scans from the tables after the first, of the scans that are not this one.

    `scan_text` is the day of this scan as the same text writes it.
    """
    found: list[RegionRow] = []
    for number, table in sorted(file.tables.items()):
        columns = _columns(table)
        days = [column for column in table.columns(_HEADER_ROW) if _is_day(table, column)]
        measured = {measure for measure, _ in columns.values()}
        if number == CURRENT_TABLE or "bmd" not in measured or not days:
            continue
        for row in table.rows:
            day = " | ".join(map(plain, table.values(row, days[0])))
            empty = region_named(scan, "Total")
            if row == _HEADER_ROW or empty is None or not day or day == scan_text:
                continue
            gathered = _gather(table, row, columns)
            if gathered.values:
                found.append(replace(gathered.fill(empty), history=f"earlier scan of {day}"))
    return found


def _columns(table: Table) -> dict[int, tuple[str, str | None]]:
    """Measure and unit of each column that the header names."""
    found: dict[int, tuple[str, str | None]] = {}
    for column in table.columns(_HEADER_ROW):
        known = _measure(table, column)
        if known is not None:
            found[column] = known
    return found


def _measure(table: Table, column: int) -> tuple[str, str | None] | None:
    values = table.values(_HEADER_ROW, column)
    if len(values) != 1:
        return None
    name, *unit = _UNIT_BEGINS.split(plain(values[0]), maxsplit=1)
    known = _MEASURES.get(re.sub(r"[^a-z]", "", name.lower()))
    if known is None:
        return None
    measure, has_unit = known
    shown = unit[0].strip("[]() ") if unit and has_unit else ""
    return measure, shown or None


def _label_column(table: Table) -> int | None:
    named = [
        column
        for column in table.columns(_HEADER_ROW)
        for value in table.values(_HEADER_ROW, column)
        if plain(value).lower() in _REGION_HEADERS
    ]
    return named[0] if len(named) == 1 else None


def _is_day(table: Table, column: int) -> bool:
    return any("date" in plain(value).lower() for value in table.values(_HEADER_ROW, column))


def _region(
    table: Table, number: int, labels: int, scan: Scanned, warnings: list[str]
) -> RegionRow | None:
    """The empty row of the region that a row's label names; None, with a word, if it names none."""
    names = [plain(value) for value in table.values(number, labels)]
    region = region_named(scan, names[0]) if len(names) == 1 else None
    if region is None and any(map(plain, _cells(table, number))):
        shown = " | ".join(names) or "without a name"
        warnings.append(f"used for nothing: row '{shown}', which is no region of {scan.name}")
    return region


def _cells(table: Table, number: int) -> list[str]:
    return [value for column in table.columns(number) for value in table.values(number, column)]


def _gather(table: Table, number: int, columns: dict[int, tuple[str, str | None]]) -> Gathered:
    gathered = Gathered()
    for column, (measure, unit) in columns.items():
        for value in table.values(number, column):
            gathered.add(measure, plain(value), unit)
    return gathered


def _missing_rows(file: PseudoFile, table: Table) -> str:
    """Sentence if the text announces more rows than it has, as one that was cut does."""
    told = file.first(f"MAXROWS{CURRENT_TABLE}")
    last = max(table.rows, default=0)
    if not told.isdigit() or int(told) <= last + 1:
        return ""
    return f"the results announce {told} rows, the last one found is row {last + 1}"
