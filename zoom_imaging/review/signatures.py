"""Electronic signatures: printed name, moment, meaning, and the content that they stand for.

21 CFR 11.50 and 11.200: the password is given again for each signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.errors import LoginRefusedError
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.review.accounts import matches
from zoom_imaging.review.tables import Account, Signature


def sign(
    session: Session, account: Account, password: str, *, target: str, meaning: str, content: str
) -> Signature:
    """Sign `content` of the object `target`; LoginRefusedError for a wrong password."""
    if not matches(account, password):
        raise LoginRefusedError("the password is wrong: nothing was signed")
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
