"""From the database to what the readers decided: one verdict for each subject that was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from zoom_imaging.anatomy import GradeSource
from zoom_imaging.review.audit import head_of
from zoom_imaging.review.cases import case_differences, case_films, case_name, charter_of, trial_of
from zoom_imaging.review.consensus import sources, together
from zoom_imaging.review.content import spines_of
from zoom_imaging.review.database import Database
from zoom_imaging.review.progress import Progress, case_lines
from zoom_imaging.review.readings import content_of, live_readings, name_of
from zoom_imaging.review.signatures import valid
from zoom_imaging.review.tables import CaseRow, Purpose, ReadingRow, ReadingState
from zoom_imaging.review.verdict import Observer, Standing, SubjectVerdict


@dataclass(frozen=True)
class Snapshot:
    """Verdicts by subject, and the seal of the last audit entry at the same moment."""

    verdicts: Mapping[str, SubjectVerdict]
    audit_head: str


def load_verdicts(database: str | Path) -> Snapshot:
    """The verdicts of subjects with a signed reading or a lock, and the state they are taken from.

    All is read in one transaction: what is signed meanwhile is in neither of them.
    ConfigurationError where the database cannot be read.
    """
    opened = Database(database, create=False)
    try:
        with opened.reading() as session:
            return Snapshot(verdicts(session), head_of(session)[1])
    finally:
        opened.close()


def verdicts(session: Session) -> dict[str, SubjectVerdict]:
    """Verdicts by subject, of an open database."""
    needed = charter_of(trial_of(session)).reading.readers
    found = {}
    for line in case_lines(session):
        case = session.get_one(CaseRow, line.id)
        verdict = _verdict(session, case, line.progress, needed)
        if verdict is not None:
            found[line.subject_id] = verdict
    return found


def _verdict(
    session: Session, case: CaseRow, progress: Progress, needed: int
) -> SubjectVerdict | None:
    primary = sorted(
        (row for row in live_readings(session, case, Purpose.PRIMARY) if _is_signed(row)),
        key=lambda row: (row.signed_at, row.id),
    )
    settled = [row for row in live_readings(session, case, Purpose.ADJUDICATION) if _is_signed(row)]
    final = progress is Progress.LOCKED
    if not primary and not final:
        return None
    spines = [spines_of(content_of(row), row.baseline_side) for row in primary]
    differing = case_differences(case) if len(primary) >= needed else ()
    adjudication = spines_of(content_of(settled[0]), settled[0].baseline_side) if settled else None
    agreed = together(spines, adjudication) if spines else {}
    observers = [
        *(_observers(session, name_of(row), GradeSource.READER) for row in primary),
        *(_observers(session, name_of(row), GradeSource.ADJUDICATOR) for row in settled),
    ]
    if not primary:
        observers = [_observers(session, case_name(case), GradeSource.READER)]
    return SubjectVerdict(
        subject_id=case.subject_id,
        standing=Standing.FINAL if final else Standing.READ_ONCE,
        spines=agreed,
        films=case_films(case),
        sources=sources(agreed, differing, adjudicated=bool(settled)),
        observers=tuple(one for some in observers for one in some),
        differences=len(differing),
    )


def _is_signed(row: ReadingRow) -> bool:
    return row.state == ReadingState.SIGNED


def _observers(session: Session, target: str, source: GradeSource) -> list[Observer]:
    return [
        Observer(one.printed_name, source, one.meaning, one.at) for one in valid(session, target)
    ]
