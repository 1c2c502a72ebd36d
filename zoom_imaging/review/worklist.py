"""What is left for a person to read, under codes that say nothing about subject or visit.

Hidden repeats are offered like any other case: a share of the cases that a reader has signed, set
by the charter, comes again under another code, at the earliest when several others lie between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.charter import ReadingRules
from zoom_imaging.review.cases import (
    CaseSummary,
    case_summaries,
    charter_of,
    code_of,
    keyed,
    trial_of,
)
from zoom_imaging.review.tables import (
    Account,
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


@dataclass(frozen=True)
class _View:
    """What one person's worklist is made from, read once."""

    trial: Trial
    rules: ReadingRules
    account: Account
    cases: Mapping[int, CaseSummary]
    readings: Sequence[_Seen]

    @cached_property
    def own(self) -> list[_Seen]:
        """The person's readings that count."""
        return [one for one in self.readings if one.account_id == self.account.id and one.live]

    @cached_property
    def attempts(self) -> Counter[tuple[int, str]]:
        """How often the person has begun a case for a purpose before, and had it made void."""
        return Counter(
            (one.case_id, one.purpose)
            for one in self.readings
            if one.account_id == self.account.id and not one.live
        )

    def offer(self, case: CaseSummary, purpose: Purpose, slot: int = 0) -> Offer:
        """With a code of its own for each new attempt, after earlier ones were made void."""
        attempt = self.attempts[case.id, purpose.value]
        words = (case.subject_id, self.account.name, purpose.value, attempt)
        return Offer(code_of(self.trial.seed, *words), case.id, purpose, slot, case.is_flagged)


def tasks(session: Session, account: Account) -> list[Task]:
    """The whole worklist: begun, waiting, held by the data manager, signed.

    That the model flagged a case is the model's word: it is told where the charter lets readers see
    that before they answer.
    """
    view = _view(session, account)
    told = view.rules.model_suggestion == "before"

    def task(one: _Seen, state: str, at: datetime | None) -> Task:
        return Task(one.code, state, told and view.cases[one.case_id].is_flagged, at)

    begun = [one for one in view.own if one.state == ReadingState.OPEN]
    signed = [one for one in view.own if one.state == ReadingState.SIGNED]
    signed.sort(key=lambda one: one.signed_at or one.updated_at, reverse=True)
    can_go_on = {one.id for one in begun if view.cases[one.case_id].is_readable}
    return [
        *(task(one, "open", one.updated_at) for one in begun if one.id in can_go_on),
        *(Task(one.code, "waiting", told and one.flagged, None) for one in _offers(view)),
        *(task(one, "held", one.updated_at) for one in begun if one.id not in can_go_on),
        *(task(one, "signed", one.signed_at) for one in signed),
    ]


def codes_to_read(session: Session, account: Account) -> list[str]:
    """What can be read now: begun, then waiting."""
    return [one.code for one in tasks(session, account) if one.state in {"open", "waiting"}]


def next_task(session: Session, account: Account) -> str:
    """The code to read next; "" when nothing is left."""
    return next(iter(codes_to_read(session, account)), "")


def offers(session: Session, account: Account) -> list[Offer]:
    """What this person may begin, in the charter's order."""
    return _offers(_view(session, account))


def _view(session: Session, account: Account) -> _View:
    trial = trial_of(session)
    cases = {case.id: case for case in case_summaries(session)}
    return _View(trial, charter_of(trial).reading, account, cases, _readings(session))


def _offers(view: _View) -> list[Offer]:
    if view.trial.locked_at is not None:
        return []
    found: list[Offer] = []
    if view.account.role == Role.ADJUDICATOR:
        found = list(_adjudications(view))
    elif view.account.role == Role.READER:
        found = list(_primary(view))
        found += _repeats(view, others_wait=bool(found))
    first = view.rules.worklist == "flagged_first"
    return sorted(found, key=lambda one: (first and not one.flagged, one.code))


def _primary(view: _View) -> Iterator[Offer]:
    taken: dict[int, set[int]] = {}
    for one in view.readings:
        if one.live and one.purpose == Purpose.PRIMARY:
            taken.setdefault(one.case_id, set()).add(one.slot)
    own = {one.case_id for one in view.own}
    for case in view.cases.values():
        free = set(range(1, view.rules.readers + 1)) - taken.get(case.id, set())
        if case.is_readable and free and case.id not in own:
            yield view.offer(case, Purpose.PRIMARY, min(free))


def _repeats(view: _View, *, others_wait: bool) -> Iterator[Offer]:
    moments = sorted(one.signed_at for one in view.own if one.signed_at is not None)
    repeated = {one.case_id for one in view.own if one.purpose == Purpose.REPEAT}
    for one in view.own:
        case = view.cases[one.case_id]
        if one.purpose != Purpose.PRIMARY or one.signed_at is None or case.id in repeated:
            continue
        later = len(moments) - bisect_right(moments, one.signed_at)
        if not case.is_readable or (others_wait and later < REPEAT_DISTANCE):
            continue
        if _is_repeated(view, case):
            yield view.offer(case, Purpose.REPEAT)


def _adjudications(view: _View) -> Iterator[Offer]:
    settled = {
        one.case_id for one in view.readings if one.live and one.purpose == Purpose.ADJUDICATION
    }
    own = {one.case_id for one in view.own}
    for case in view.cases.values():
        differs = case.differences not in {None, "[]"}
        if case.is_readable and differs and case.id not in settled | own:
            yield view.offer(case, Purpose.ADJUDICATION)


def _is_repeated(view: _View, case: CaseSummary) -> bool:
    drawn = keyed(view.trial.seed, "repeat", case.subject_id, view.account.name)
    return int(drawn[:12], 16) / 16**12 < view.rules.repeat_share


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
