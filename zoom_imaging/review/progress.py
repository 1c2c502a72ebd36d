"""Where each case stands, for the data manager: read, differing, settled, locked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.review.cases import CaseSummary, case_summaries, charter_of, trial_of
from zoom_imaging.review.tables import Account, Purpose, ReadingRow, ReadingState


class Progress(StrEnum):
    """What is to be done next with a case."""

    NO_FILMS = "no_films"
    HELD = "held"
    WAITING = "waiting"
    DIFFERS = "differs"
    SETTLED = "settled"
    LOCKED = "locked"


LOCKABLE = frozenset({Progress.NO_FILMS, Progress.SETTLED})


@dataclass(frozen=True)
class ReadingLine:
    """One reading without its answers."""

    code: str
    reader: str
    purpose: Purpose
    state: ReadingState
    updated_at: datetime
    signed_at: datetime | None


@dataclass(frozen=True)
class CaseLine:
    """One case with its readings that count; `signed` of `needed` independent ones are signed."""

    id: int
    subject_id: str
    progress: Progress
    flagged: tuple[str, ...]
    differences: int
    signed: int
    needed: int
    readings: tuple[ReadingLine, ...]
    locked_at: datetime | None


def case_lines(session: Session, only: int | None = None) -> list[CaseLine]:
    """Every case by subject, or one of them."""
    needed = charter_of(trial_of(session)).reading.readers
    readings = _readings(session)
    return [
        _line(case, readings.get(case.id, ()), needed)
        for case in sorted(case_summaries(session, only), key=lambda case: case.subject_id)
    ]


def _line(case: CaseSummary, own: Sequence[ReadingLine], needed: int) -> CaseLine:
    differing = json.loads(case.differences or "[]")

    def signed(purpose: Purpose) -> int:
        return sum(one.purpose is purpose and one.state is ReadingState.SIGNED for one in own)

    if case.locked_at is not None:
        progress = Progress.LOCKED
    elif case.is_held:
        progress = Progress.HELD
    elif not case.film_count:
        progress = Progress.NO_FILMS
    elif case.differences is None:
        progress = Progress.WAITING
    else:
        settled = not differing or signed(Purpose.ADJUDICATION)
        progress = Progress.SETTLED if settled else Progress.DIFFERS
    return CaseLine(
        id=case.id,
        subject_id=case.subject_id,
        progress=progress,
        flagged=tuple(json.loads(case.flagged)),
        differences=len(differing),
        signed=signed(Purpose.PRIMARY),
        needed=needed if case.film_count else 0,
        readings=tuple(own),
        locked_at=case.locked_at,
    )


def _readings(session: Session) -> Mapping[int, Sequence[ReadingLine]]:
    statement = (
        select(
            ReadingRow.case_id,
            ReadingRow.code,
            Account.name,
            ReadingRow.purpose,
            ReadingRow.state,
            ReadingRow.updated_at,
            ReadingRow.signed_at,
        )
        .join(Account, Account.id == ReadingRow.account_id)
        .where(ReadingRow.state != ReadingState.VOID)
        .order_by(ReadingRow.id)
    )
    found: dict[int, list[ReadingLine]] = {}
    for case_id, code, reader, purpose, state, updated_at, signed_at in session.execute(statement):
        line = ReadingLine(
            code, reader, Purpose(purpose), ReadingState(state), updated_at, signed_at
        )
        found.setdefault(case_id, []).append(line)
    return found
