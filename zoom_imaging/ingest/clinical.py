"""The trial's clinical table: treatment, dates of infusion and bone markers, one row a subject.

A CSV file in UTF-8 (a byte order mark is allowed), with commas, ISO dates and decimal points. Ids
are text. Anything else is refused with the line, the column and what was expected: a table that is
read wrongly would move subjects between arms without a word.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from zoom_imaging.anatomy import Arm
from zoom_imaging.charter import Charter
from zoom_imaging.errors import ClinicalTableError
from zoom_imaging.ingest.source import cause
from zoom_imaging.ingest.text import has_controls, path_text, visible
from zoom_imaging.ingest.treatment import actual_arm, treatment_questions
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.query import Query, QueryKind

REQUIRED_COLUMNS = ("subject_id", "arm")
MARKERS = ("ctx", "p1np")
MARKER_VISITS = ("baseline", "m6", "m12")
_MARKER_COLUMNS = tuple(f"{marker}_{visit}" for marker in MARKERS for visit in MARKER_VISITS)
_KNOWN_COLUMNS = (
    *REQUIRED_COLUMNS,
    "denosumab_years",
    "zol1_date",
    "zol2_date",
    "second_dose",
    *_MARKER_COLUMNS,
)
_ARMS = {"": None, "once": Arm.ONCE, "twice": Arm.TWICE}
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DECIMAL = re.compile(r"\d+(\.\d+)?")
_LARGEST_BYTES = 64 << 20
_SAVE_AS = "save it as CSV UTF-8 with commas"


@dataclass(frozen=True)
class ClinicalRow:
    """One subject. Blank cells are None or empty text; a missing marker is never filled in.

    CTX in ng/mL and P1NP in ng/mL as the laboratory gave them, at baseline (where the trial has
    it), 6 and 12 months after the first zoledronic acid. `line` is where the row stands.
    """

    subject_id: str
    arm_planned: Arm | None
    denosumab_years: float | None = None
    zol1_date: date | None = None
    zol2_date: date | None = None
    second_dose: str = ""
    ctx_baseline: float | None = None
    ctx_m6: float | None = None
    ctx_m12: float | None = None
    p1np_baseline: float | None = None
    p1np_m6: float | None = None
    p1np_m12: float | None = None
    extra: tuple[tuple[str, str], ...] = ()
    line: int = 0

    @property
    def arm_actual(self) -> Arm | None:
        """The treatment that was given, None where the table does not settle it (see treatment)."""
        return actual_arm(self.arm_planned, self.zol2_date, self.second_dose)

    def questions(self, charter: Charter) -> tuple[Query, ...]:
        """What is contradictory or undefined about the treatment of this subject."""
        asked = treatment_questions(
            planned=self.arm_planned,
            denosumab_years=self.denosumab_years,
            zol1_date=self.zol1_date,
            zol2_date=self.zol2_date,
            second_dose=self.second_dose,
            limit_years=charter.arms.denosumab_years_limit,
        )
        return tuple(
            Query(QueryKind.TREATMENT, self.subject_id, question, values)
            for question, values in asked
        )


@dataclass(frozen=True)
class ClinicalTable:
    """The whole table, in the order of its lines, and what was set aside (`notes`)."""

    path: str
    location: str
    sha256: str
    size_bytes: int
    rows: tuple[ClinicalRow, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def by_subject(self) -> Mapping[str, ClinicalRow]:
        """The rows by subject id, matched exactly."""
        return {row.subject_id: row for row in self.rows}

    def row(self, subject_id: str) -> ClinicalRow | None:
        """The row of a subject, None without one."""
        return self.by_subject.get(subject_id)


def read_clinical_table(path: Path) -> ClinicalTable:
    """Read and check the clinical CSV; ClinicalTableError names file, line, column and remedy."""
    shown = path_text(path)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ClinicalTableError(f"{shown} is too large for a clinical table")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise ClinicalTableError(
            f"{shown} cannot be read ({cause(error)})", remedy="check --clinical"
        ) from error
    rows, notes = _Reader(shown).read(_decoded(content, shown))
    return ClinicalTable(
        path=shown,
        location=str(path),
        sha256=sha256_of_bytes(content),
        size_bytes=len(content),
        rows=rows,
        notes=notes,
    )


def _decoded(content: bytes, shown: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ClinicalTableError(
            f"{shown} line 1", expected="UTF-8 text", found="UTF-16", remedy=_SAVE_AS
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = before[before.rfind(b"\n") + 1 :].count(b",") + 1
        raise ClinicalTableError(
            f"{shown} line {line}, column {column}",
            expected="UTF-8 text",
            found=f"byte 0x{content[error.start]:02X} (another encoding, such as CP949)",
            remedy=_SAVE_AS,
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ClinicalTableError(
            f"{shown} line {line}", expected="text", found="a NUL character", remedy=_SAVE_AS
        )
    return text


class _Reader:
    """Reads one table; keeps the name of the file and the line for its messages."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._line = 1

    def read(self, text: str) -> tuple[tuple[ClinicalRow, ...], tuple[str, ...]]:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        columns: list[str] = []
        rows: dict[str, ClinicalRow] = {}
        while True:
            self._line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise self._fault(
                    None, "a table with commas and double quotes", str(error)
                ) from error
            if cells is None:
                break
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not columns:
                columns = self._columns(cells)
                continue
            row = self._row(columns, cells)
            earlier = rows.get(row.subject_id)
            if earlier is not None:
                raise self._fault(
                    "subject_id",
                    "each subject once",
                    f"'{visible(row.subject_id)}' again (first in line {earlier.line})",
                )
            rows[row.subject_id] = row
        if not columns:
            raise self._fault(
                None, f"a header with {', '.join(REQUIRED_COLUMNS)}", "an empty table"
            )
        unknown = [name for name in columns if name not in _KNOWN_COLUMNS]
        notes = [f"column '{visible(name)}' of {self._shown} is kept aside" for name in unknown]
        return tuple(rows.values()), tuple(notes)

    def _columns(self, cells: list[str]) -> list[str]:
        names = [cell.lower() for cell in cells]
        for sign, name in ((";", "semicolons"), ("\t", "tabs")):
            if len(names) == 1 and sign in names[0]:
                raise self._fault(None, "columns separated by commas", name)
        while names and not names[-1]:
            names.pop()
        for name in names:
            if not name or names.count(name) > 1:
                found = f"column '{visible(name)}' twice" if name else "a column without a name"
                raise self._fault(None, "each column once", found)
        for name in REQUIRED_COLUMNS:
            if name not in names:
                found = ", ".join(visible(cell) for cell in names)
                raise self._fault(name, f"a column {name} in the header", found)
        return names

    def _row(self, columns: list[str], cells: list[str]) -> ClinicalRow:
        while len(cells) > len(columns) and not cells[-1]:
            cells.pop()
        if len(cells) != len(columns):
            raise self._fault(
                None, f"{len(columns)} columns as in the header", f"{len(cells)} (a decimal comma?)"
            )
        value = dict(zip(columns, cells, strict=True))
        subject_id = value["subject_id"]
        if not subject_id or has_controls(subject_id):
            raise self._fault("subject_id", "an id", f"'{visible(subject_id)}'")
        arm = value["arm"].lower()
        if arm not in _ARMS:
            raise self._fault("arm", "once, twice or an empty cell", f"'{visible(value['arm'])}'")
        return ClinicalRow(
            subject_id=subject_id,
            arm_planned=_ARMS[arm],
            denosumab_years=self._number(value, "denosumab_years"),
            zol1_date=self._date(value, "zol1_date"),
            zol2_date=self._date(value, "zol2_date"),
            second_dose=visible(value.get("second_dose", "")),
            **{name: self._number(value, name) for name in _MARKER_COLUMNS},
            extra=tuple(
                (name, visible(value[name])) for name in columns if name not in _KNOWN_COLUMNS
            ),
            line=self._line,
        )

    def _number(self, value: Mapping[str, str], column: str) -> float | None:
        cell = value.get(column, "")
        if not cell:
            return None
        if not _DECIMAL.fullmatch(cell) or not math.isfinite(float(cell)):
            raise self._fault(
                column, "a number with a decimal point, or an empty cell", f"'{visible(cell)}'"
            )
        return float(cell)

    def _date(self, value: Mapping[str, str], column: str) -> date | None:
        cell = value.get(column, "")
        if not cell:
            return None
        try:
            if _ISO_DATE.fullmatch(cell):
                return date.fromisoformat(cell)
        except ValueError:
            pass
        raise self._fault(column, "a date as YYYY-MM-DD, or an empty cell", f"'{visible(cell)}'")

    def _fault(self, column: str | None, expected: str, found: str) -> ClinicalTableError:
        place = f"{self._shown} line {self._line}" + (f", column {column}" if column else "")
        return ClinicalTableError(place, expected=expected, found=found, remedy=_SAVE_AS)
