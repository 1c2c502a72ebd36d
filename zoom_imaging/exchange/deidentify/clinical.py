"""The clinical table of the de-identified trial: ids as pseudonyms, dates moved, nothing unknown.

The columns that the trial's analysis reads are kept; any other column is left out, because nobody
knows what stands in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from zoom_imaging.exchange.deidentify.identifiers import Identifiers
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.ingest.clinical import MARKER_VISITS, MARKERS, ClinicalRow, ClinicalTable
from zoom_imaging.ingest.treatment import SecondDose, second_dose_of

COLUMNS = (
    "subject_id",
    "arm",
    "denosumab_years",
    "zol1_date",
    "zol2_date",
    "second_dose",
    *(f"{marker}_{visit}" for marker in MARKERS for visit in MARKER_VISITS),
)


def identifiers_of(table: ClinicalTable) -> dict[str, Identifiers]:
    """What the table says of each subject that must not come out again."""
    return {
        row.subject_id: Identifiers(
            ids=frozenset({row.subject_id}),
            days=frozenset(day for day in (row.zol1_date, row.zol2_date) if day is not None),
        )
        for row in table.rows
    }


def rewritten_table(table: ClinicalTable, secret: Secret) -> str:
    """The table anew, in the order of the pseudonyms, which says nothing about the old order."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(list(_cells(row, secret)) for row in table.rows))
    return stream.getvalue()


def _cells(row: ClinicalRow, secret: Secret) -> Iterator[str]:
    from datetime import timedelta

    shift = timedelta(days=secret.shift_days(row.subject_id))
    dose = second_dose_of(row.second_dose)
    yield secret.pseudonym(row.subject_id)
    yield "" if row.arm_planned is None else row.arm_planned.value
    yield _number(row.denosumab_years)
    for day in (row.zol1_date, row.zol2_date):
        yield "" if day is None else (day + shift).isoformat()
    # Free text that is none of the agreed words stays a question, without its words.
    yield "other" if dose is SecondDose.OTHER else dose.value
    for marker in MARKERS:
        for visit in MARKER_VISITS:
            yield _number(getattr(row, f"{marker}_{visit}"))


def _number(value: float | None) -> str:
    return "" if value is None else repr(value).removesuffix(".0")
