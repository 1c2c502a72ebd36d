"""The audit trail: append-only, each entry sealed with the hash of the one before it.

An entry says who did what to which object, when (UTC, computer-made), from which old to which new
values and why, with which software and model (21 CFR 11.10(e)). It also carries the digest of every
row that it left changed, so that a row that was changed behind the program's back is found as well
as an entry that was. Whoever can rewrite the whole database can rewrite the whole chain: note the
head somewhere else (`readings verify` prints it, exports carry it) and compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import String, select, type_coerce
from sqlalchemy.orm import Session

from zoom_imaging import __version__
from zoom_imaging.review.tables import (
    Account,
    AuditEntry,
    AuditHead,
    Base,
    CaseRow,
    Moment,
    ReadingRow,
    Signature,
    Trial,
    canonical,
    digest,
)

BEGINNING = "0" * 64
"""Stands for the hash before the first entry."""

AUDITED: tuple[type[Base], ...] = (Trial, Account, CaseRow, ReadingRow, Signature)


class Action(StrEnum):
    """What can happen."""

    TRIAL_IMPORT = "trial.import"
    TRIAL_LOCK = "trial.lock"
    TRIAL_UNLOCK = "trial.unlock"
    CASE_IMPORT = "case.import"
    CASE_FILMS_CHANGED = "case.films_changed"
    CASE_RESTART = "case.restart"
    CASE_LOCK = "case.lock"
    CASE_UNLOCK = "case.unlock"
    READING_CREATE = "reading.create"
    READING_SAVE = "reading.save"
    READING_REVEAL = "reading.reveal"
    READING_SIGN = "reading.sign"
    READING_REOPEN = "reading.reopen"
    READING_VOID = "reading.void"
    ACCOUNT_CREATE = "account.create"
    ACCOUNT_CHANGE = "account.change"
    LOGIN = "login"
    LOGIN_FAILED = "login.failed"
    LOGOUT = "logout"
    EXPORT = "export"


@dataclass(frozen=True)
class Actor:
    """Who acts: the account's name and role, or the program itself."""

    name: str
    role: str


PROGRAM = Actor("zoom_imaging", "program")


@dataclass(frozen=True)
class Change:
    """One field that changed."""

    field: str
    old: object
    new: object


@dataclass(frozen=True)
class Fault:
    """One place where the trail or a row is not what it was."""

    where: str
    what: str


def row_key(row: Base) -> str:
    """How a row is called in the states of the trail: `reading:17`."""
    return f"{row.audited}:{row.id}"  # type: ignore[attr-defined]


def append(
    session: Session,
    actor: Actor,
    action: Action,
    target: str,
    *,
    changes: Iterable[Change] = (),
    rows: Iterable[Base] = (),
    reason: str = "",
) -> AuditEntry:
    """Add an entry within the transaction of the change itself; `rows` are those that changed."""
    session.flush()
    head = session.execute(select(AuditHead)).scalar_one()
    entry = AuditEntry(
        seq=head.seq + 1,
        at=datetime.now(UTC),
        actor=actor.name,
        role=actor.role,
        action=action.value,
        object=target,
        change=canonical([[one.field, one.old, one.new] for one in changes]),
        reason=reason,
        software=__version__,
        model_sha256=session.execute(select(Trial.model_sha256)).scalar() or "",
        states=canonical({row_key(row): digest(row.record()) for row in rows}),
        previous_sha256=head.sha256,
        sha256="",
    )
    entry.sha256 = entry_sha256(entry)
    head.seq, head.sha256 = entry.seq, entry.sha256
    session.add(entry)
    session.flush()
    return entry


def entry_sha256(entry: AuditEntry) -> str:
    """The seal of an entry: over all of it and over the seal of the one before."""
    return _seal(entry.record())


def _seal(record: Mapping[str, Any]) -> str:
    return digest({key: value for key, value in record.items() if key != "sha256"})


def entries(session: Session) -> Iterator[AuditEntry]:
    """The whole trail in order."""
    yield from session.scalars(
        select(AuditEntry).order_by(AuditEntry.seq).execution_options(yield_per=1000)
    )


def head_of(session: Session) -> tuple[int, str]:
    """Number and seal of the last entry: what to note outside the database.

    (0, "") where the mark of the end was tampered with; `faults` says so.
    """
    heads = session.scalars(select(AuditHead)).all()
    return (heads[0].seq, heads[0].sha256) if len(heads) == 1 else (0, "")


def faults(session: Session, noted_head: str = "") -> Iterator[Fault]:
    """Everything that is not as the trail says, entry by entry and row by row.

    `noted_head` is a seal that was noted earlier: it must still be in the chain.
    """
    previous, seq = BEGINNING, 0
    last: dict[str, str] = {}
    noted_seen = not noted_head
    for entry in _stored(session, AuditEntry, AuditEntry.seq):
        number, seal = entry["seq"], entry["sha256"]
        where = f"audit entry {number} ({entry['action']} of {entry['object']}, {entry['actor']})"
        if number != seq + 1:
            missing = f"{seq + 1}" if number == seq + 2 else f"{seq + 1} to {number - 1}"
            yield Fault(where, f"entry {missing} before it is missing")
        elif entry["previous_sha256"] != previous:
            yield Fault(where, "it does not follow from the entry before it: one was replaced")
        if _seal(entry) != seal:
            yield Fault(where, "its content was changed after it was written")
        noted_seen = noted_seen or seal == noted_head
        previous, seq = seal, number
        last |= _states(entry["states"])
    yield from _head_faults(session, seq, previous)
    if not noted_seen:
        yield Fault("the trail", f"the noted seal {noted_head} is not in it: it was rewritten")
    yield from _row_faults(session, last)


def _stored(session: Session, kind: type[Base], order: Any) -> Iterator[dict[str, Any]]:
    """Rows as they lie in the database: a moment is the text that it is, whether or not it is one.

    What was written is compared with what is there, and not with what can be made of it.
    """
    columns = [
        type_coerce(column, String) if isinstance(column.type, Moment) else column
        for column in kind.__table__.columns
    ]
    rows = session.execute(select(*columns).order_by(order).execution_options(yield_per=1000))
    keys = [column.key for column in kind.__table__.columns]
    for row in rows:
        yield dict(zip(keys, row, strict=True))


def _states(text: str) -> Mapping[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _head_faults(session: Session, seq: int, sha256: str) -> Iterator[Fault]:
    head_seq, head_sha256 = head_of(session)
    if not head_sha256:
        yield Fault("the end of the trail", "its mark is missing, or there are several")
    elif head_seq > seq:
        yield Fault("the end of the trail", f"entries {seq + 1} to {head_seq} are missing")
    elif (head_seq, head_sha256) != (seq, sha256):
        yield Fault("the end of the trail", "it is not the entry that was written last")


def _row_faults(session: Session, last: dict[str, str]) -> Iterator[Fault]:
    unseen = dict(last)
    for kind in AUDITED:
        for row in _stored(session, kind, kind.__table__.columns["id"]):
            key = f"{kind.audited}:{row['id']}"
            noted = unseen.pop(key, None)
            if noted is None:
                yield Fault(key, "the row is there, but no audit entry made it")
            elif noted != digest(row):
                yield Fault(key, f"the row was changed without an audit entry{_name(kind, row)}")
    for key in unseen:
        yield Fault(key, "the row is missing: it was deleted without an audit entry")


_NAMES: Mapping[type[Base], tuple[str, str]] = {
    Account: ("account", "name"),
    CaseRow: ("subject", "subject_id"),
    ReadingRow: ("reading", "code"),
    Signature: ("signature of", "printed_name"),
}


def _name(kind: type[Base], row: Mapping[str, Any]) -> str:
    if kind not in _NAMES:
        return ""
    word, column = _NAMES[kind]
    return f" ({word} {row[column]})"
