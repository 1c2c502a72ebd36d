"""The report of a de-identification: every input file once, and what was removed, never a value.

`deidentify.csv` has a row a file, `deidentify.json` also the counts by attribute. Neither holds a
path, name or id of the input: a file is known by its place in the list and its SHA-256. The map
from inputs to outputs is another file, which is secret.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

REPORT_JSON = "deidentify.json"
REPORT_CSV = "deidentify.csv"
COLUMNS = ("number", "input", "sha256", "state", "output", "pixels", "removed", "changed", "reason")


class State(StrEnum):
    """What became of an input file."""

    WRITTEN = "written"
    QUARANTINED = "quarantined"
    """A DICOM object that cannot be cleaned for certain."""

    LEFT_OUT = "left_out"
    """No object of a subject: a DICOMDIR, an archive, a text file."""

    LEAKED = "leaked"
    """The second pass found an identifier in what was written: the output was taken away."""

    FAILED = "failed"
    """An unexpected error; please report it."""


@dataclass(frozen=True)
class Row:
    """One input file. `path` is for the secret map alone."""

    path: str
    shown: str
    sha256: str
    state: State
    output: str = ""
    pixels: str = ""
    removed: tuple[tuple[str, int], ...] = ()
    changed: tuple[tuple[str, int], ...] = ()
    reason: str = ""
    note: str = ""


def report_csv(rows: Sequence[Row]) -> str:
    """One line a file."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows, start=1):
        removed, changed = (sum(count for _, count in one) for one in (row.removed, row.changed))
        writer.writerow(
            [
                number,
                row.shown,
                row.sha256,
                row.state.value,
                row.output,
                row.pixels,
                removed,
                changed,
                row.reason or row.note,
            ]
        )
    return stream.getvalue()


def report_json(rows: Sequence[Row], about: dict[str, Any]) -> str:
    """The same with the counts by attribute, and totals."""
    removed: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    for row in rows:
        removed.update(dict(row.removed))
        changed.update(dict(row.changed))
    content = {
        **about,
        "states": {
            state.value: count for state in State if (count := sum(r.state is state for r in rows))
        },
        "removed": dict(sorted(removed.items())),
        "changed": dict(sorted(changed.items())),
        "files": [
            {
                "number": number,
                "input": row.shown,
                "sha256": row.sha256,
                "state": row.state.value,
                "output": row.output,
                "pixels": row.pixels,
                "removed": dict(row.removed),
                "changed": dict(row.changed),
                "reason": row.reason,
                "note": row.note,
            }
            for number, row in enumerate(rows, start=1)
        ],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def secret_map(rows: Sequence[Row], shifts: dict[str, int], pseudonyms: dict[str, str]) -> str:
    """Which subject and file became which: to be kept where the key is."""
    content = {
        "subjects": [
            {"subject_id": subject, "pseudonym": pseudonyms[subject], "shift_days": shifts[subject]}
            for subject in sorted(shifts)
        ],
        "files": [
            {"input": row.path, "state": row.state.value, "output": row.output} for row in rows
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"
