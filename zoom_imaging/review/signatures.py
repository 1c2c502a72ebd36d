"""Electronic signatures: printed name, moment, meaning, and the content that they stand for.

21 CFR 11.50 and 11.200: the password is given again for each signature. It is looked at before the
change, which then only asks whether the account is still the one that it was looked at for: the
hash takes a tenth of a second, and whoever changes the database waits for whoever does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.errors import LoginRefusedError
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.review.accounts import matches
from zoom_imaging.review.tables import Account, Signature


@dataclass(frozen=True)
class Confirmation:
    """That a person gave her password again. Made by `confirmed` alone."""

    account_id: int
    password_hash: str = field(repr=False)

    def holds(self, account: Account) -> bool:
        """Whether the account is that person's, open, and has the same password."""
        same = (account.id, account.password_hash) == (self.account_id, self.password_hash)
        return same and account.active


def confirmed(account: Account, password: str) -> Confirmation | None:
    """None for a wrong password. It takes long: not to be called inside of a change."""
    if not matches(account, password):
        return None
    return Confirmation(account.id, account.password_hash)


def sign(
    session: Session,
    account: Account,
    given: Confirmation,
    *,
    target: str,
    meaning: str,
    content: str,
) -> Signature:
    """Sign `content` of the object `target`.

    LoginRefusedError where the password was changed or the account closed since it was `given`.
    """
    session.refresh(account)
    if not given.holds(account):
        raise LoginRefusedError(
            "the password was changed, or the account closed, meanwhile: nothing was signed",
            remedy="log in again",
        )
    signature = Signature(
        object=target,
        account_id=account.id,
        printed_name=account.full_name,
        meaning=meaning,
        at=datetime.now(UTC),
        content_sha256=sha256_of_bytes(content.encode()),
        withdrawn_at=None,
    )
    session.add(signature)
    return signature


def withdraw(session: Session, target: str) -> Sequence[Signature]:
    """Withdraw what stands under an object; the record keeps them."""
    standing = valid(session, target)
    for signature in standing:
        signature.withdrawn_at = datetime.now(UTC)
    return standing


def valid(session: Session, target: str) -> Sequence[Signature]:
    """The signatures that stand under an object."""
    return session.scalars(
        select(Signature)
        .where(Signature.object == target, Signature.withdrawn_at.is_(None))
        .order_by(Signature.id)
    ).all()
