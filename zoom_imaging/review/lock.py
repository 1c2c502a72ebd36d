"""The data manager's acts on readings: lock, unlock, open again, start again; each with a reason.

A locked subject's readings cannot change; a locked trial's subjects cannot be unlocked. Locks are
signed, over the content of everything they close.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.errors import NotAllowedError, NotFoundError, ReviewError
from zoom_imaging.review.accounts import actor_of, require
from zoom_imaging.review.audit import Action, Change, append
from zoom_imaging.review.case import load_films
from zoom_imaging.review.cases import case_name, trial_of
from zoom_imaging.review.progress import LOCKABLE, Progress, case_lines
from zoom_imaging.review.readings import live_readings, name_of, settle_differences
from zoom_imaging.review.signatures import Confirmation, sign, valid, withdraw
from zoom_imaging.review.tables import (
    Account,
    Base,
    CaseRow,
    Purpose,
    ReadingRow,
    ReadingState,
    Role,
    Trial,
    canonical,
    moment_text,
)

CASE_MEANING = "The readings of this subject are complete. I lock them."
TRIAL_MEANING = "All subjects are locked. I lock the trial's readings."


def lock_case(session: Session, account: Account, case: CaseRow, given: Confirmation) -> None:
    """Close a subject whose readings agree or are settled, or who has no films."""
    require(account, Role.DATA_MANAGER)
    _require_open_trial(session)
    line = case_lines(session, case.id)[0]
    if line.progress not in LOCKABLE:
        raise NotAllowedError(
            f"subject {case.subject_id} cannot be locked",
            expected="all readings signed and all differences settled",
            found=line.progress.value.replace("_", " "),
        )
    _lock(
        session,
        account,
        given,
        row=case,
        target=case_name(case),
        action=Action.CASE_LOCK,
        meaning=CASE_MEANING,
        content=closed_content(session, case),
    )


def unlock_case(
    session: Session, account: Account, case: CaseRow, given: Confirmation, reason: str
) -> None:
    """Open a locked subject again; the readings stay signed."""
    require(account, Role.DATA_MANAGER)
    _require_open_trial(session)
    if case.locked_at is None:
        raise NotAllowedError(f"subject {case.subject_id} is not locked")
    _unlock(
        session,
        account,
        given,
        row=case,
        target=case_name(case),
        action=Action.CASE_UNLOCK,
        what="this subject",
        reason=reason,
    )


def lock_trial(session: Session, account: Account, given: Confirmation) -> None:
    """Close the trial once every subject is locked."""
    require(account, Role.DATA_MANAGER)
    _require_open_trial(session)
    lines = case_lines(session)
    waiting = [line.subject_id for line in lines if line.progress is not Progress.LOCKED]
    if waiting or not lines:
        shown = ", ".join(waiting[:5]) + (" ..." if len(waiting) > 5 else "")
        raise NotAllowedError(
            "the trial cannot be locked",
            expected="every subject locked",
            found=f"{len(waiting)} that are not: {shown}" if lines else "no subject",
        )
    trial = trial_of(session)
    seals = [
        [
            line.subject_id,
            *(one.content_sha256 for one in valid(session, f"case:{line.subject_id}")),
        ]
        for line in lines
    ]
    _lock(
        session,
        account,
        given,
        row=trial,
        target="trial",
        action=Action.TRIAL_LOCK,
        meaning=TRIAL_MEANING,
        content=canonical(seals),
    )


def unlock_trial(session: Session, account: Account, given: Confirmation, reason: str) -> None:
    """Open a locked trial again; its subjects stay locked."""
    require(account, Role.DATA_MANAGER)
    trial = trial_of(session)
    if trial.locked_at is None:
        raise NotAllowedError("the trial is not locked")
    _unlock(
        session,
        account,
        given,
        row=trial,
        target="trial",
        action=Action.TRIAL_UNLOCK,
        what="the trial",
        reason=reason,
    )


def reopen_reading(
    session: Session, account: Account, case: CaseRow, code: str, reason: str
) -> None:
    """Give a signed reading back to its reader; an adjudication that rests on it becomes void."""
    require(account, Role.DATA_MANAGER)
    _require_open_trial(session)
    row = session.scalar(
        select(ReadingRow).where(ReadingRow.code == code, ReadingRow.case_id == case.id)
    )
    if row is None:
        raise NotFoundError(f"subject {case.subject_id} has no reading {code}")
    if case.locked_at is not None or row.state != ReadingState.SIGNED:
        state = "its subject is locked" if case.locked_at is not None else f"it is {row.state}"
        raise NotAllowedError(f"reading {code} cannot be opened again", found=state)
    reason = _reason(reason)
    changed: list[Base] = [row, case, *withdraw(session, name_of(row))]
    row.state, row.signed_at = ReadingState.OPEN.value, None
    row.version += 1
    if row.purpose == Purpose.PRIMARY:
        for settled in live_readings(session, case, Purpose.ADJUDICATION):
            _void(session, account, settled, reason)
    session.flush()
    settle_differences(session, case)
    append(
        session,
        actor_of(account),
        Action.READING_REOPEN,
        name_of(row),
        changes=[Change("state", ReadingState.SIGNED.value, ReadingState.OPEN.value)],
        rows=changed,
        reason=reason,
    )


def restart_case(session: Session, account: Account, case: CaseRow, reason: str) -> None:
    """Take the films that a later run found; what was read on the earlier ones becomes void."""
    require(account, Role.DATA_MANAGER)
    _require_open_trial(session)
    if case.pending_films is None or case.locked_at is not None:
        raise NotAllowedError(f"subject {case.subject_id} has no other films to take")
    reason = _reason(reason)
    for purpose in Purpose:
        for row in live_readings(session, case, purpose):
            _void(session, account, row, reason)
    old, new = load_films(case.films), load_films(case.pending_films)
    case.films, case.pending_films = case.pending_films, None
    case.flagged, case.pending_flagged = case.pending_flagged or case.flagged, None
    case.film_count, case.differences = len(new), None
    append(
        session,
        actor_of(account),
        Action.CASE_RESTART,
        case_name(case),
        changes=[Change("films", [one.sha256 for one in old], [one.sha256 for one in new])],
        rows=[case],
        reason=reason,
    )


def closed_content(session: Session, case: CaseRow) -> str:
    """What a subject's lock is signed over: its films and every signed reading."""
    readings = [
        [row.code, row.purpose, row.content]
        for purpose in Purpose
        for row in live_readings(session, case, purpose)
        if row.state == ReadingState.SIGNED
    ]
    return canonical([case.subject_id, case.films, readings])


def _lock(
    session: Session,
    account: Account,
    given: Confirmation,
    *,
    row: CaseRow | Trial,
    target: str,
    action: Action,
    meaning: str,
    content: str,
) -> None:
    signature = sign(session, account, given, target=target, meaning=meaning, content=content)
    row.locked_at = datetime.now(UTC)
    append(
        session,
        actor_of(account),
        action,
        target,
        changes=[Change("locked_at", None, moment_text(row.locked_at))],
        rows=[row, signature],
        reason=meaning,
    )


def _unlock(
    session: Session,
    account: Account,
    given: Confirmation,
    *,
    row: CaseRow | Trial,
    target: str,
    action: Action,
    what: str,
    reason: str,
) -> None:
    """Take a lock away; its signatures are withdrawn and stay in the record."""
    assert row.locked_at is not None
    reason = _reason(reason)
    change = Change("locked_at", moment_text(row.locked_at), None)
    withdrawn = withdraw(session, target)
    meaning = f"I unlock {what}: {reason}"[:200]
    signature = sign(
        session, account, given, target=f"{target}:unlock", meaning=meaning, content=reason
    )
    row.locked_at = None
    append(
        session,
        actor_of(account),
        action,
        target,
        changes=[change],
        rows=[row, signature, *withdrawn],
        reason=reason,
    )


def _void(session: Session, account: Account, row: ReadingRow, reason: str) -> None:
    withdrawn: Iterable[Base] = withdraw(session, name_of(row))
    change = Change("state", row.state, ReadingState.VOID.value)
    row.state = ReadingState.VOID.value
    append(
        session,
        actor_of(account),
        Action.READING_VOID,
        name_of(row),
        changes=[change],
        rows=[row, *withdrawn],
        reason=reason,
    )


def _require_open_trial(session: Session) -> None:
    if trial_of(session).locked_at is not None:
        raise NotAllowedError("the trial is locked", remedy="unlock the trial first")


def _reason(text: str) -> str:
    if not text.strip():
        raise ReviewError("give a reason: it goes into the audit trail")
    return text.strip()[:500]
