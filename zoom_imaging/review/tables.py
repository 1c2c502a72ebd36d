"""Tables of the reading room.

Contents travel as canonical JSON text, moments as UTC text, so that a row has one digest on every
database and on every machine. Rows are never deleted: what no longer holds is void or withdrawn.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, String, Text, TypeDecorator, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from zoom_imaging.provenance import sha256_of_bytes


class Role(StrEnum):
    """What a person may do; nobody has two roles."""

    READER = "reader"
    ADJUDICATOR = "adjudicator"
    DATA_MANAGER = "data_manager"
    AUDITOR = "auditor"


class Purpose(StrEnum):
    """Why a reading is made."""

    PRIMARY = "primary"
    REPEAT = "repeat"
    ADJUDICATION = "adjudication"


class ReadingState(StrEnum):
    """Where a reading stands."""

    OPEN = "open"
    SIGNED = "signed"
    VOID = "void"


def canonical(content: object) -> str:
    """One JSON text for equal contents."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(content: object) -> str:
    """SHA-256 of the canonical JSON."""
    return sha256_of_bytes(canonical(content).encode())


class Moment(TypeDecorator[datetime]):
    """A moment in UTC to the microsecond, kept as sortable text."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """2026-11-28T15:40:00.123456Z."""
        return None if value is None else moment_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """With its time zone."""
        return None if value is None else datetime.fromisoformat(value)


def moment_text(moment: datetime) -> str:
    """A moment as the database and the audit trail write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Base(DeclarativeBase):
    """All tables; `audited` names the kind under which a row's states stand in the audit trail."""

    audited: ClassVar[str] = ""

    def record(self) -> dict[str, Any]:
        """Every column, as the audit trail's digest of the row takes it."""
        values = {column.key: getattr(self, column.key) for column in self.__table__.columns}
        return {
            key: moment_text(value) if isinstance(value, datetime) else value
            for key, value in values.items()
        }


class Trial(Base):
    """The one trial of a database: its rules, the model that suggests, its secret, its lock.

    `seed` makes codes of readings and the choice of hidden repeats unpredictable; it never leaves
    the database.
    """

    __tablename__ = "trial"
    audited = "trial"
    id: Mapped[int] = mapped_column(primary_key=True)
    seed: Mapped[str] = mapped_column(String(64))
    charter: Mapped[str] = mapped_column(Text)
    charter_sha256: Mapped[str] = mapped_column(String(64))
    model_name: Mapped[str] = mapped_column(String(128))
    model_version: Mapped[str] = mapped_column(String(64))
    model_sha256: Mapped[str] = mapped_column(String(64))
    locked_at: Mapped[datetime | None] = mapped_column(Moment)


class Account(Base):
    """A person. Accounts are closed, never deleted, so that a signature keeps its name."""

    __tablename__ = "account"
    audited = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    full_name: Mapped[str] = mapped_column(String(128))
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(256))
    password_is_temporary: Mapped[bool]
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(Moment)


class WebSession(Base):
    """A browser that is logged in; the cookie's token is kept as its hash only."""

    __tablename__ = "web_session"
    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)


class FailedLogin(Base):
    """A failed attempt, for slowing down whoever guesses."""

    __tablename__ = "failed_login"
    __table_args__ = (Index("failed_login_recent", "name", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)


class CaseRow(Base):
    """One subject. `films` is what is read; `pending_films` and their flags are what
    a later run found instead.

    `differences` lists where the independent readings differ, as [visit, level, why]; None until
    all of them are signed.
    """

    __tablename__ = "reading_case"
    audited = "case"
    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(256), unique=True)
    films: Mapped[str] = mapped_column(Text)
    film_count: Mapped[int]
    pending_films: Mapped[str | None] = mapped_column(Text)
    pending_flagged: Mapped[str | None] = mapped_column(Text)
    flagged: Mapped[str] = mapped_column(Text)
    differences: Mapped[str | None] = mapped_column(Text)
    locked_at: Mapped[datetime | None] = mapped_column(Moment)


_LIVE = text("state != 'void'")
_LIVE_PRIMARY = text("state != 'void' AND purpose = 'primary'")
_LIVE_ADJUDICATION = text("state != 'void' AND purpose = 'adjudication'")


class ReadingRow(Base):
    """One person's reading of one case. `slot` numbers the independent readings from 1.

    `version` rises with every change (optimistic lock). `baseline_side` says which side shows the
    baseline. `unaided` is what the reader had answered before the model's word was shown.
    """

    __tablename__ = "reading"
    audited = "reading"
    __table_args__ = (
        Index(
            "one_reading_a_person",
            "case_id",
            "account_id",
            "purpose",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(
            "one_reading_a_slot",
            "case_id",
            "slot",
            unique=True,
            sqlite_where=_LIVE_PRIMARY,
            postgresql_where=_LIVE_PRIMARY,
        ),
        Index(
            "one_adjudication_a_case",
            "case_id",
            unique=True,
            sqlite_where=_LIVE_ADJUDICATION,
            postgresql_where=_LIVE_ADJUDICATION,
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("reading_case.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    slot: Mapped[int]
    state: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    baseline_side: Mapped[str] = mapped_column(String(1))
    content: Mapped[str] = mapped_column(Text)
    unaided: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    signed_at: Mapped[datetime | None] = mapped_column(Moment)


class Signature(Base):
    """An electronic signature: who, when, meaning what, over which content (21 CFR 11.50)."""

    __tablename__ = "signature"
    audited = "signature"
    id: Mapped[int] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(String(300))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    printed_name: Mapped[str] = mapped_column(String(128))
    meaning: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(Moment)
    content_sha256: Mapped[str] = mapped_column(String(64))
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)


class AuditEntry(Base):
    """One link of the audit trail; see `audit.py`."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(32))
    object: Mapped[str] = mapped_column(String(300))
    change: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    software: Mapped[str] = mapped_column(String(64))
    model_sha256: Mapped[str] = mapped_column(String(64))
    states: Mapped[str] = mapped_column(Text)
    previous_sha256: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last link: writers take turns on this row, and a trail cut short no longer ends here."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
