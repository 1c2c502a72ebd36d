"""Where each case stands, for the data manager: read, differing, settled, locked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.review.cases import charter_of, trial_of
from zoom_imaging.review.tables import Account, CaseRow, Purpose, ReadingRow, ReadingState


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
    columns = (
        CaseRow.id,
        CaseRow.subject_id,
        CaseRow.film_count,
        CaseRow.flagged,
        CaseRow.differences,
        CaseRow.locked_at,
        CaseRow.pending_films.is_not(None),
    )
    statement = select(*columns).order_by(CaseRow.subject_id)
    if only is not None:
        statement = statement.where(CaseRow.id == only)
    lines = []
    for key, subject_id, films, flagged, differences, locked_at, held in session.execute(statement):
        own = readings.get(key, ())
        differing = json.loads(differences or "[]")
        signed = sum(
            one.purpose is Purpose.PRIMARY and one.state is ReadingState.SIGNED for one in own
        )
        settled = any(
            one.purpose is Purpose.ADJUDICATION and one.state is ReadingState.SIGNED for one in own
        )
        if locked_at is not None:
            progress = Progress.LOCKED
        elif held:
            progress = Progress.HELD
        elif not films:
            progress = Progress.NO_FILMS
        elif differences is None:
            progress = Progress.WAITING
        else:
            progress = Progress.DIFFERS if differing and not settled else Progress.SETTLED
        lines.append(
            CaseLine(
                id=key,
                subject_id=subject_id,
                progress=progress,
                flagged=tuple(json.loads(flagged)),
                differences=len(differing),
                signed=signed,
                needed=needed if films else 0,
                readings=tuple(own),
                locked_at=locked_at,
            )
        )
    return lines


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
