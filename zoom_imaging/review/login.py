"""Logging in and staying logged in: server-side sessions, limits for whoever guesses.

The browser holds a random token in a cookie; the database holds its hash. A session ends after half
an hour without a request and after twelve hours in any case. After five failures for a name, or
twenty from an address, within a quarter of an hour, nobody gets in by that name or from there until
the quarter has passed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from zoom_imaging.errors import LoginRefusedError
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.review.accounts import actor_of, matches
from zoom_imaging.review.audit import Action, Actor, append
from zoom_imaging.review.database import Database
from zoom_imaging.review.signatures import Confirmation, confirmed
from zoom_imaging.review.tables import Account, FailedLogin, WebSession

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
WINDOW: Final = timedelta(minutes=15)
FAILURES_FOR_A_NAME: Final = 5
FAILURES_FROM_AN_ADDRESS: Final = 20
_LONGEST_NAME: Final = 64
_SEEN_STEP: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class LoggedIn:
    """A fresh session: the token for the cookie, and whose it is."""

    token: str
    account: Account


@dataclass(frozen=True)
class Visitor:
    """Who makes a request, and the secret that its forms must carry."""

    account: Account
    csrf: str


def too_many(session: Session, name: str, address: str) -> bool:
    """True while this name or address has to wait."""
    since = datetime.now(UTC) - WINDOW

    def failures(*where: object) -> int:
        counted = select(func.count()).select_from(FailedLogin).where(FailedLogin.at > since)
        return session.scalar(counted.where(*where)) or 0  # type: ignore[arg-type]

    return (
        failures(FailedLogin.name == name[:_LONGEST_NAME]) >= FAILURES_FOR_A_NAME
        or failures(FailedLogin.address == address) >= FAILURES_FROM_AN_ADDRESS
    )


def log_in(database: Database, name: str, password: str, address: str) -> LoggedIn | None:
    """A session for the right password, None for a wrong one; both are in the audit trail.

    LoginRefusedError, before the password is looked at, after too many failures.
    """
    name = name[:_LONGEST_NAME]
    with database.reading() as session:
        account = session.scalar(select(Account).where(Account.name == name))
        _require_few_failures(session, name, address)
    right = matches(account, password)  # before the change: it takes long, and others wait
    with database.writing() as session:
        account = session.scalar(select(Account).where(Account.name == name))
        if not right or account is None or not account.active:
            _note_failure(session, Actor(_printable(name), "unknown"), name, address)
            return None
        return _opened(session, account)


def confirm_password(
    database: Database, account: Account, password: str, address: str
) -> Confirmation:
    """A person who is logged in gives her password again, before a signature.

    LoginRefusedError for a wrong one, which counts like that of a login and is noted.
    """
    with database.reading() as session:
        _require_few_failures(session, account.name, address)
    given = confirmed(account, password)
    if given is None:
        with database.writing() as session:
            _note_failure(session, actor_of(account), account.name, address)
        raise LoginRefusedError("the password is wrong: nothing was signed")
    return given


def _require_few_failures(session: Session, name: str, address: str) -> None:
    if too_many(session, name, address):
        raise LoginRefusedError(
            "too many failed attempts", remedy="wait a quarter of an hour and try again"
        )


def _opened(session: Session, account: Account) -> LoggedIn:
    now = datetime.now(UTC)
    session.execute(delete(FailedLogin).where(FailedLogin.name == account.name))
    session.execute(delete(WebSession).where(WebSession.created_at < now - LONGEST))
    token = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            token_sha256=hash_of_token(token),
            account_id=account.id,
            csrf=secrets.token_urlsafe(32),
            created_at=now,
            seen_at=now,
        )
    )
    append(session, actor_of(account), Action.LOGIN, f"account:{account.name}")
    return LoggedIn(token, account)


def visitor(session: Session, token: str) -> Visitor | None:
    """Who the token belongs to; None when it is unknown, idle for too long, too old or closed."""
    found = session.get(WebSession, hash_of_token(token)) if token else None
    now = datetime.now(UTC)
    if found is None or now - found.seen_at > IDLE or now - found.created_at > LONGEST:
        return None
    account = session.get(Account, found.account_id)
    return Visitor(account, found.csrf) if account is not None and account.active else None


def needs_refresh(session: Session, token: str) -> bool:
    """True when the session was last noted as in use more than a minute ago."""
    found = session.get(WebSession, hash_of_token(token))
    return found is not None and datetime.now(UTC) - found.seen_at > _SEEN_STEP


def refresh(session: Session, token: str) -> None:
    """Note that the session is in use."""
    found = session.get(WebSession, hash_of_token(token))
    if found is not None:
        found.seen_at = datetime.now(UTC)


def log_out(session: Session, token: str) -> None:
    """End one session."""
    found = session.get(WebSession, hash_of_token(token))
    if found is None:
        return
    account = session.get(Account, found.account_id)
    session.delete(found)
    if account is not None:
        append(session, actor_of(account), Action.LOGOUT, f"account:{account.name}")


def _note_failure(session: Session, actor: Actor, name: str, address: str) -> None:
    session.add(FailedLogin(name=name, address=address, at=datetime.now(UTC)))
    append(session, actor, Action.LOGIN_FAILED, "login")


def hash_of_token(token: str) -> str:
    """How the database keeps the token of a cookie."""
    return sha256_of_bytes(token.encode())


def _printable(name: str) -> str:
    """What someone typed as a name, harmless in a log."""
    return "".join(letter if letter.isprintable() else "?" for letter in name) or "(empty)"
