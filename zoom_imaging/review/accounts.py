"""Accounts of the reading room: made by a data manager, closed and never deleted."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from zoom_imaging.errors import NotAllowedError, NotFoundError, ReviewError
from zoom_imaging.review.audit import PROGRAM, Action, Actor, Change, append
from zoom_imaging.review.tables import Account, Role, WebSession

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 256
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,63}")


def actor_of(account: Account) -> Actor:
    """The account as the audit trail names it."""
    return Actor(account.name, account.role)


def require(account: Account, *roles: Role) -> None:
    """NotAllowedError unless the account has one of the roles."""
    if Role(account.role) not in roles:
        wanted = " or ".join(role.value.replace("_", " ") for role in roles)
        raise NotAllowedError(f"this needs the role {wanted}", found=account.role.replace("_", " "))


def create_first_account(session: Session, name: str, full_name: str, password: str) -> Account:
    """The first data manager of an empty database; NotAllowedError once there is any account."""
    if session.scalar(select(func.count()).select_from(Account)):
        raise NotAllowedError(
            "the database has accounts already", remedy="a data manager makes further ones"
        )
    return _create(
        session,
        PROGRAM,
        name,
        full_name,
        role=Role.DATA_MANAGER,
        password=password,
        temporary=False,
    )


def create_account(
    session: Session, by: Account, name: str, full_name: str, role: Role
) -> tuple[Account, str]:
    """A new account and its temporary password, which is shown once and must be changed."""
    require(by, Role.DATA_MANAGER)
    password = temporary_password()
    account = _create(
        session, actor_of(by), name, full_name, role=role, password=password, temporary=True
    )
    return account, password


def _create(
    session: Session,
    by: Actor,
    name: str,
    full_name: str,
    *,
    role: Role,
    password: str,
    temporary: bool,
) -> Account:
    if not _NAME.fullmatch(name):
        raise ReviewError(
            f"the account name {name!r} cannot be used",
            expected="2 to 64 small letters, digits, dot, hyphen or underscore",
        )
    if not 1 <= len(full_name.strip()) <= 128 or not full_name.isprintable():
        raise ReviewError("the full name is missing or too long", expected="1 to 128 characters")
    if session.scalar(select(Account).where(Account.name == name)) is not None:
        raise ReviewError(f"there is an account {name} already", remedy="choose another name")
    account = Account(
        name=name,
        full_name=full_name.strip(),
        role=role.value,
        password_hash=hash_of(password),
        password_is_temporary=temporary,
        active=True,
        created_at=datetime.now(UTC),
    )
    session.add(account)
    session.flush()
    changes = [Change("full_name", None, account.full_name), Change("role", None, account.role)]
    append(session, by, Action.ACCOUNT_CREATE, f"account:{name}", changes=changes, rows=[account])
    return account


def accounts(session: Session) -> Sequence[Account]:
    """All accounts by name."""
    return session.scalars(select(Account).order_by(Account.name)).all()


def account_named(session: Session, name: str) -> Account:
    """The account of this name; NotFoundError without one."""
    account = session.scalar(select(Account).where(Account.name == name))
    if account is None:
        raise NotFoundError(f"there is no account {name}")
    return account


def set_active(session: Session, by: Account, account: Account, active: bool, reason: str) -> None:
    """Close or reopen an account; its browsers are logged out. The last data manager stays."""
    require(by, Role.DATA_MANAGER)
    if not reason.strip():
        raise ReviewError("say why the account is closed or reopened")
    if not active and account.id == by.id:
        raise NotAllowedError("nobody closes the own account", remedy="ask another data manager")
    change = Change("active", account.active, active)
    account.active = active
    end_sessions(session, account)
    append(
        session,
        actor_of(by),
        Action.ACCOUNT_CHANGE,
        f"account:{account.name}",
        changes=[change],
        rows=[account],
        reason=reason.strip(),
    )


def reset_password(session: Session, by: Account, account: Account, reason: str) -> str:
    """A new temporary password for someone who lost hers; shown once."""
    require(by, Role.DATA_MANAGER)
    if not reason.strip():
        raise ReviewError("say why the password is replaced")
    password = temporary_password()
    _set_password(session, actor_of(by), account, password, temporary=True, reason=reason.strip())
    end_sessions(session, account)
    return password


def change_password(
    session: Session, account: Account, old: str, new: str, *, keep: str = ""
) -> None:
    """A person's own new password; the old one is asked for.

    Her other browsers are logged out; `keep` is the token (hashed) of the one that she uses.
    """
    if not matches(account, old):
        raise ReviewError("the old password is wrong")
    if matches(account, new):
        raise ReviewError("the new password is the old one", remedy="choose another")
    _set_password(session, actor_of(account), account, new, temporary=False, reason="")
    end_sessions(session, account, keep=keep)


def _set_password(
    session: Session, by: Actor, account: Account, password: str, *, temporary: bool, reason: str
) -> None:
    account.password_hash = hash_of(password)
    account.password_is_temporary = temporary
    append(
        session,
        by,
        Action.ACCOUNT_CHANGE,
        f"account:{account.name}",
        changes=[Change("password", "(not shown)", "(not shown)")],
        rows=[account],
        reason=reason,
    )


def end_sessions(session: Session, account: Account, *, keep: str = "") -> None:
    """Log every browser of the account out, but for the one whose hashed token is to be kept."""
    for one in session.scalars(select(WebSession).where(WebSession.account_id == account.id)):
        if one.token_sha256 != keep:
            session.delete(one)


def temporary_password() -> str:
    """Something that can be read out over the telephone."""
    return "-".join(secrets.token_hex(3) for _ in range(3))


def hash_of(password: str) -> str:
    """Argon2id; ReviewError for a password that is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise ReviewError(
            "the password cannot be used",
            expected=f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
            found=f"{len(password)}",
        )
    return _hasher().hash(password)


def matches(account: Account | None, password: str) -> bool:
    """Whether the password is the account's; takes as long where there is no such account."""
    from argon2.exceptions import VerificationError

    known = account.password_hash if account is not None else _nobodys_hash()
    try:
        _hasher().verify(known, password[:LONGEST_PASSWORD])
    except VerificationError:
        return False
    return account is not None and account.active


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))
