"""A reading from its first answer to its signature.

Nothing that a reader answered is ever overwritten unseen: a change names the version it was made
from, and fails when there is a newer one. What a signature stands for is sealed with it; a reading
that is opened again loses its signature, which stays in the record as withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.errors import (
    IncompleteReadingError,
    NotAllowedError,
    NotFoundError,
    StaleVersionError,
)
from zoom_imaging.review.accounts import actor_of, require
from zoom_imaging.review.answer import ReadingContent, Side, Stage, changed_fields
from zoom_imaging.review.audit import Action, Change, append
from zoom_imaging.review.cases import (
    case_differences,
    case_films,
    charter_of,
    keyed,
    trial_of,
)
from zoom_imaging.review.consensus import differences
from zoom_imaging.review.content import (
    adjudication_content,
    check_content,
    check_settled_only,
    first_content,
    revealed,
    spines_of,
)
from zoom_imaging.review.signatures import Confirmation, sign
from zoom_imaging.review.tables import (
    Account,
    CaseRow,
    Purpose,
    ReadingRow,
    ReadingState,
    Role,
    canonical,
)
from zoom_imaging.review.worklist import Offer, offers

MEANING = {
    Purpose.PRIMARY: "I read these films independently, and these are my answers.",
    Purpose.REPEAT: "I read these films independently, and these are my answers.",
    Purpose.ADJUDICATION: "I settled the differences between the readers.",
}


@dataclass(frozen=True)
class OpenedReading:
    """A reading with its case and its content."""

    row: ReadingRow
    case: CaseRow
    content: ReadingContent


def content_of(row: ReadingRow) -> ReadingContent:
    """The answers that a row holds."""
    return ReadingContent.model_validate_json(row.content)


def live_readings(session: Session, case: CaseRow, purpose: Purpose) -> list[ReadingRow]:
    """The readings of a case that count, by slot."""
    return list(
        session.scalars(
            select(ReadingRow)
            .where(ReadingRow.case_id == case.id)
            .where(ReadingRow.purpose == purpose.value)
            .where(ReadingRow.state != ReadingState.VOID)
            .order_by(ReadingRow.slot, ReadingRow.id)
        )
    )


def find(session: Session, account: Account, code: str) -> OpenedReading:
    """A person's own reading; NotFoundError for anything else, also for another's."""
    row = own_row(session, account, code)
    if row is None or row.state == ReadingState.VOID:
        raise NotFoundError(f"there is no reading {code} in this worklist")
    case = session.get_one(CaseRow, row.case_id)
    return OpenedReading(row, case, content_of(row))


def own_row(session: Session, account: Account, code: str) -> ReadingRow | None:
    """What this person has begun under this code, void or not; None for anything else."""
    return session.scalar(
        select(ReadingRow).where(ReadingRow.code == code, ReadingRow.account_id == account.id)
    )


def start(session: Session, account: Account, code: str) -> OpenedReading:
    """Begin what the worklist offers under this code; NotAllowedError if it is offered no more."""
    require(account, Role.READER, Role.ADJUDICATOR)
    offer = next((one for one in offers(session, account) if one.code == code), None)
    if offer is None:
        raise NotAllowedError(
            f"case {code} is not open to you",
            remedy="someone else may have begun it: go back to the worklist",
        )
    case = session.get_one(CaseRow, offer.case_id)
    baseline_side = _baseline_side(session, offer)
    content = _starting_content(session, case, offer, baseline_side)
    now = datetime.now(UTC)
    row = ReadingRow(
        code=offer.code,
        case_id=case.id,
        account_id=account.id,
        purpose=offer.purpose.value,
        slot=offer.slot,
        state=ReadingState.OPEN.value,
        version=1,
        baseline_side=baseline_side,
        content=canonical(content.model_dump(mode="json")),
        unaided=None,
        created_at=now,
        updated_at=now,
        signed_at=None,
    )
    session.add(row)
    append(
        session,
        actor_of(account),
        Action.READING_CREATE,
        name_of(row),
        changes=[
            Change("case", None, case.subject_id),
            Change("purpose", None, row.purpose),
            Change("slot", None, row.slot),
            Change("baseline_side", None, row.baseline_side),
            Change("content", None, content.model_dump(mode="json")),
        ],
        rows=[row],
    )
    return OpenedReading(row, case, content)


def name_of(row: ReadingRow) -> str:
    """How the audit trail calls a reading."""
    return f"reading:{row.code}"


def _baseline_side(session: Session, offer: Offer) -> str:
    trial = trial_of(session)
    if not charter_of(trial).reading.blind_visit_order:
        return Side.A.value
    return list(Side)[int(keyed(trial.seed, "order", offer.code), 16) % len(Side)].value


def _starting_content(
    session: Session, case: CaseRow, offer: Offer, baseline_side: str
) -> ReadingContent:
    if offer.purpose is Purpose.ADJUDICATION:
        first = live_readings(session, case, Purpose.PRIMARY)[0]
        spines = spines_of(content_of(first), first.baseline_side)
        return adjudication_content(spines, case_differences(case), baseline_side)
    rules = charter_of(trial_of(session)).reading
    return first_content(case_films(case), baseline_side, rules)


def save(
    session: Session, account: Account, code: str, version: int, content: ReadingContent
) -> OpenedReading:
    """Keep answers; StaleVersionError where they were made from another version."""
    opened = _open_for_change(session, account, code, version)
    row, case, before = opened.row, opened.case, opened.content
    check_content(content, before, case_films(case), row.baseline_side)
    if row.purpose == Purpose.ADJUDICATION:
        check_settled_only(content, before, case_differences(case), row.baseline_side)
    changes = [Change(*change) for change in changed_fields(before, content)]
    if changes:
        _keep(row, content)
        append(
            session,
            actor_of(account),
            Action.READING_SAVE,
            name_of(row),
            changes=changes,
            rows=[row],
        )
    return OpenedReading(row, case, content)


def reveal(session: Session, account: Account, code: str, version: int) -> OpenedReading:
    """Show the model's word after the unaided answers, which are kept beside what follows."""
    opened = _open_for_change(session, account, code, version)
    row, case, before = opened.row, opened.case, opened.content
    if charter_of(trial_of(session)).reading.model_suggestion != "after":
        raise NotAllowedError("the charter does not show the model's suggestion at this point")
    if before.stage is not Stage.UNAIDED:
        return opened
    _require_complete(before)
    content = revealed(before, case_films(case), row.baseline_side)
    row.unaided = row.content
    _keep(row, content)
    append(
        session,
        actor_of(account),
        Action.READING_REVEAL,
        name_of(row),
        changes=[Change("stage", before.stage.value, content.stage.value)],
        rows=[row],
    )
    return OpenedReading(row, case, content)


def sign_reading(
    session: Session, account: Account, code: str, version: int, given: Confirmation
) -> OpenedReading:
    """Sign a complete reading, the password given again; the case's differences follow."""
    opened = _open_for_change(session, account, code, version)
    row, case, content = opened.row, opened.case, opened.content
    rules = charter_of(trial_of(session)).reading
    if content.stage is Stage.UNAIDED and rules.model_suggestion == "after":
        raise IncompleteReadingError(
            "the model's suggestion was not looked at yet", remedy="show it, revise, then sign"
        )
    _require_complete(content)
    row.state, row.signed_at = ReadingState.SIGNED.value, datetime.now(UTC)
    row.version += 1
    signature = sign(
        session,
        account,
        given,
        target=name_of(row),
        meaning=MEANING[Purpose(row.purpose)],
        content=row.content,
    )
    session.flush()
    settle_differences(session, case)
    append(
        session,
        actor_of(account),
        Action.READING_SIGN,
        name_of(row),
        changes=[Change("state", ReadingState.OPEN.value, ReadingState.SIGNED.value)],
        rows=[row, signature, case],
        reason=signature.meaning,
    )
    return opened


def settle_differences(session: Session, case: CaseRow) -> None:
    """Compare the independent readings once all of them are signed; forget it before."""
    charter = charter_of(trial_of(session))
    primary = live_readings(session, case, Purpose.PRIMARY)
    signed = [row for row in primary if row.state == ReadingState.SIGNED]
    if len(signed) < charter.reading.readers:
        case.differences = None
        return
    spines = [spines_of(content_of(row), row.baseline_side) for row in signed]
    found = differences(spines, charter.reading.discordance, charter.fracture)
    case.differences = canonical([[one.visit, one.level, one.why] for one in found])


def _open_for_change(session: Session, account: Account, code: str, version: int) -> OpenedReading:
    opened = find(session, account, code)
    if opened.case.locked_at is not None or trial_of(session).locked_at is not None:
        raise NotAllowedError(f"case {code} is locked")
    if opened.row.state != ReadingState.OPEN:
        raise NotAllowedError(f"reading {code} is signed", remedy="ask the data manager to open it")
    if opened.case.pending_films is not None:
        raise NotAllowedError(
            f"the films of case {code} have changed", remedy="the data manager restarts the case"
        )
    if opened.row.version != version:
        raise StaleVersionError(
            f"reading {code} was saved elsewhere meanwhile",
            expected=f"version {opened.row.version}",
            found=f"version {version}",
        )
    return opened


def _keep(row: ReadingRow, content: ReadingContent) -> None:
    row.content = canonical(content.model_dump(mode="json"))
    row.version += 1
    row.updated_at = datetime.now(UTC)


def _require_complete(content: ReadingContent) -> None:
    problems = content.problems()
    if problems:
        side, level, problem = problems[0]
        raise IncompleteReadingError(
            f"{len(problems)} vertebrae are not completely answered",
            found=f"side {side}, {level}: {problem}",
        )
