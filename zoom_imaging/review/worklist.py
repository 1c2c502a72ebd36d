"""What is left for a person to read, under codes that say nothing about subject or visit.

Hidden repeats are offered like any other case: a share of the cases that a reader has signed, set
by the charter, comes again under another code, at the earliest when several others lie between.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.charter import ReadingRules
from zoom_imaging.review.cases import charter_of, code_of, keyed, trial_of
from zoom_imaging.review.tables import (
    Account,
    CaseRow,
    Purpose,
    ReadingRow,
    ReadingState,
    Role,
    Trial,
)

REPEAT_DISTANCE = 5
"""Readings that a reader signs between a case and its repeat, as long as there are others."""


@dataclass(frozen=True)
class Offer:
    """A reading that this person may begin."""

    code: str
    case_id: int
    purpose: Purpose
    slot: int
    flagged: bool


@dataclass(frozen=True)
class Task:
    """One line of a worklist: what waits, what is begun and what is signed."""

    code: str
    state: str
    flagged: bool
    touched_at: datetime | None


@dataclass(frozen=True)
class _Case:
    """What the worklist needs to know of a case, without its films."""

    id: int
    subject_id: str
    film_count: int
    flagged: str
    differences: str | None
    locked_at: datetime | None
    is_held: bool

    @property
    def is_readable(self) -> bool:
        return bool(self.film_count) and self.locked_at is None and not self.is_held

    @property
    def is_flagged(self) -> bool:
        return bool(json.loads(self.flagged))


@dataclass(frozen=True)
class _Seen:
    """What the worklist needs to know of a reading, without its answers."""

    id: int
    code: str
    case_id: int
    account_id: int
    purpose: str
    slot: int
    state: str
    updated_at: datetime
    signed_at: datetime | None

    @property
    def live(self) -> bool:
        return self.state != ReadingState.VOID


def tasks(session: Session, account: Account) -> list[Task]:
    """The whole worklist: begun, then waiting, then signed."""
    flagged = {case.id: case.is_flagged for case in _cases(session)}
    own = [one for one in _readings(session) if one.account_id == account.id and one.live]
    begun = [one for one in own if one.state == ReadingState.OPEN]
    signed = [one for one in own if one.state == ReadingState.SIGNED]
    return [
        *(Task(one.code, "open", flagged[one.case_id], one.updated_at) for one in begun),
        *(Task(one.code, "waiting", one.flagged, None) for one in offers(session, account)),
        *(
            Task(one.code, "signed", flagged[one.case_id], one.signed_at)
            for one in sorted(signed, key=lambda one: one.signed_at or one.updated_at, reverse=True)
        ),
    ]


def next_task(session: Session, account: Account, after: str = "") -> str:
    """The code to read next: what is begun first, then what waits; "" when nothing is left."""
    waiting = [
        one.code
        for one in tasks(session, account)
        if one.state in {"open", "waiting"} and one.code != after
    ]
    return waiting[0] if waiting else ""


def offers(session: Session, account: Account) -> list[Offer]:
    """What this person may begin, in the charter's order."""
    trial = trial_of(session)
    if trial.locked_at is not None:
        return []
    rules = charter_of(trial).reading
    if account.role == Role.ADJUDICATOR:
        found = list(_adjudications(session, account, trial))
    elif account.role == Role.READER:
        found = list(_primary(session, account, trial, rules))
        found += _repeats(session, account, trial, rules, others_wait=bool(found))
    else:
        return []
    first = rules.worklist == "flagged_first"
    return sorted(found, key=lambda one: (first and not one.flagged, one.code))


def _primary(
    session: Session, account: Account, trial: Trial, rules: ReadingRules
) -> Iterator[Offer]:
    readings = _readings(session)
    taken: dict[int, set[int]] = {}
    own = {one.case_id for one in readings if one.account_id == account.id and one.live}
    for one in readings:
        if one.live and one.purpose == Purpose.PRIMARY:
            taken.setdefault(one.case_id, set()).add(one.slot)
    attempts = _attempts(readings, account, Purpose.PRIMARY)
    for case in _cases(session):
        free = set(range(1, rules.readers + 1)) - taken.get(case.id, set())
        if case.is_readable and free and case.id not in own:
            yield _offer(
                trial, account, case, Purpose.PRIMARY, slot=min(free), attempt=attempts[case.id]
            )


def _repeats(
    session: Session,
    account: Account,
    trial: Trial,
    rules: ReadingRules,
    *,
    others_wait: bool,
) -> Iterator[Offer]:
    own = [one for one in _readings(session) if one.account_id == account.id and one.live]
    signed = [one for one in own if one.signed_at is not None]
    repeated = {one.case_id for one in own if one.purpose == Purpose.REPEAT}
    first = {one.case_id: one for one in signed if one.purpose == Purpose.PRIMARY}
    attempts = _attempts(_readings(session), account, Purpose.REPEAT)
    for case in _cases(session):
        before = first.get(case.id)
        if before is None or before.signed_at is None or case.id in repeated:
            continue
        moment = before.signed_at
        later = sum(one.signed_at is not None and one.signed_at > moment for one in signed)
        if not case.is_readable or (others_wait and later < REPEAT_DISTANCE):
            continue
        if _is_repeated(trial, account, case, rules.repeat_share):
            yield _offer(trial, account, case, Purpose.REPEAT, attempt=attempts[case.id])


def _adjudications(session: Session, account: Account, trial: Trial) -> Iterator[Offer]:
    readings = _readings(session)
    settled = {one.case_id for one in readings if one.live and one.purpose == Purpose.ADJUDICATION}
    own = {one.case_id for one in readings if one.account_id == account.id and one.live}
    attempts = _attempts(readings, account, Purpose.ADJUDICATION)
    for case in _cases(session):
        differs = case.differences not in {None, "[]"}
        if case.is_readable and differs and case.id not in settled | own:
            yield _offer(trial, account, case, Purpose.ADJUDICATION, attempt=attempts[case.id])


def _is_repeated(trial: Trial, account: Account, case: _Case, share: float) -> bool:
    drawn = int(keyed(trial.seed, "repeat", case.subject_id, account.name)[:12], 16) / 16**12
    return drawn < share


def _offer(
    trial: Trial, account: Account, case: _Case, purpose: Purpose, *, slot: int = 0, attempt: int
) -> Offer:
    code = code_of(trial.seed, case.subject_id, account.name, purpose.value, attempt)
    return Offer(code, case.id, purpose, slot, case.is_flagged)


def _attempts(readings: Sequence[_Seen], account: Account, purpose: Purpose) -> Counter[int]:
    """How often this person has begun each case before and had it made void."""
    return Counter(
        one.case_id
        for one in readings
        if one.account_id == account.id and one.purpose == purpose and not one.live
    )


def _cases(session: Session) -> list[_Case]:
    columns = (
        CaseRow.id,
        CaseRow.subject_id,
        CaseRow.film_count,
        CaseRow.flagged,
        CaseRow.differences,
        CaseRow.locked_at,
        CaseRow.pending_films.is_not(None),
    )
    return [_Case(*row) for row in session.execute(select(*columns).order_by(CaseRow.id))]


def _readings(session: Session) -> list[_Seen]:
    columns = (
        ReadingRow.id,
        ReadingRow.code,
        ReadingRow.case_id,
        ReadingRow.account_id,
        ReadingRow.purpose,
        ReadingRow.slot,
        ReadingRow.state,
        ReadingRow.updated_at,
        ReadingRow.signed_at,
    )
    return [_Seen(*row) for row in session.execute(select(*columns).order_by(ReadingRow.id))]
