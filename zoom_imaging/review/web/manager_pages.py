"""What a data manager does: follow cases, lock and unlock, give readings back, keep accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from zoom_imaging.errors import NotFoundError, ReviewError
from zoom_imaging.review.accounts import (
    account_named,
    accounts,
    create_account,
    reset_password,
    set_active,
)
from zoom_imaging.review.cases import case_differences, case_name, trial_of
from zoom_imaging.review.lock import (
    lock_case,
    lock_trial,
    reopen_reading,
    restart_case,
    unlock_case,
    unlock_trial,
)
from zoom_imaging.review.progress import LOCKABLE, Progress, case_lines
from zoom_imaging.review.signatures import Confirmation, valid
from zoom_imaging.review.tables import Account, CaseRow, Role
from zoom_imaging.review.web.guard import (
    Fields,
    Person,
    allowed,
    check_token,
    confirm,
    small_number,
)
from zoom_imaging.review.web.pages import go, page

router = APIRouter()


def _manager(request: Request) -> Person:
    return allowed(request, Role.DATA_MANAGER)


@router.get("/cases")
def cases_page(request: Request) -> Response:
    """Every subject and what is to be done next."""
    return _cases_page(request, _manager(request), "")


def _cases_page(request: Request, who: Person, problem: str) -> Response:
    with request.app.state.database.reading() as session:
        lines = case_lines(session)
        trial = trial_of(session)
        signatures = [(one.printed_name, one.meaning, one.at) for one in valid(session, "trial")]
        locked_at = trial.locked_at
    counts = Counter(line.progress for line in lines)
    return page(
        "cases.html",
        who,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        lines=lines,
        counts=[(state, counts[state]) for state in Progress if counts[state]],
        all_locked=bool(lines) and counts[Progress.LOCKED] == len(lines),
        locked_at=locked_at,
        signatures=signatures,
        problem=problem,
    )


@router.post("/trial/lock")
def lock_trial_form(request: Request, form: Fields) -> Response:
    """Lock the trial, signed."""
    return _on_trial(request, form, lock_trial)


@router.post("/trial/unlock")
def unlock_trial_form(request: Request, form: Fields) -> Response:
    """Unlock the trial, signed and with a reason."""
    reason = form.get("reason", "")
    return _on_trial(request, form, lambda s, a, given: unlock_trial(s, a, given, reason))


def _on_trial(
    request: Request, form: Fields, act: Callable[[Session, Account, Confirmation], None]
) -> Response:
    who = _manager(request)
    check_token(who, form.get("csrf", ""))
    try:
        given = confirm(request, who, form.get("password", ""))
        with request.app.state.database.writing() as session:
            act(session, account_named(session, who.account.name), given)
    except ReviewError as error:
        return _cases_page(request, who, f"{error.reason}.")
    return go("/cases")


@router.get("/cases/{number}")
def case_page(request: Request, number: str) -> Response:
    """One subject: her readings, where they differ, and what can be done."""
    return _case_page(request, _manager(request), number, "")


def _case_page(request: Request, who: Person, number: str, problem: str) -> Response:
    with request.app.state.database.reading() as session:
        case = _case(session, number)
        return page(
            "case.html",
            who,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            line=case_lines(session, case.id)[0],
            lockable=LOCKABLE,
            differences=case_differences(case),
            signatures=valid(session, case_name(case)),
            trial_locked=trial_of(session).locked_at is not None,
            problem=problem,
        )


@router.post("/cases/{number}/{act}")
def case_form(request: Request, number: str, act: str, form: Fields) -> Response:
    """Lock, unlock or restart a subject; give one of her readings back to its reader."""
    who = _manager(request)
    check_token(who, form.get("csrf", ""))
    reason, given = form.get("reason", ""), None
    try:
        if act in {"lock", "unlock"}:
            given = confirm(request, who, form.get("password", ""))
        with request.app.state.database.writing() as session:
            account, case = account_named(session, who.account.name), _case(session, number)
            match act:
                case "lock" if given:
                    lock_case(session, account, case, given)
                case "unlock" if given:
                    unlock_case(session, account, case, given, reason)
                case "restart":
                    restart_case(session, account, case, reason)
                case "reopen":
                    reopen_reading(session, account, case, form.get("code", ""), reason)
                case _:
                    raise NotFoundError("there is no such act on a subject")
    except NotFoundError:
        raise
    except ReviewError as error:
        return _case_page(request, who, number, f"{error.reason}.")
    return go(f"/cases/{number}")


def _case(session: Session, number: str) -> CaseRow:
    case = session.get(CaseRow, small_number(number))
    if case is None:
        raise NotFoundError("there is no such subject")
    return case


@router.get("/accounts")
def accounts_page(request: Request) -> Response:
    """All accounts, and the form for a new one."""
    return _accounts_page(request, _manager(request))


def _accounts_page(
    request: Request, who: Person, problem: str = "", shown: tuple[str, str] = ("", "")
) -> Response:
    with request.app.state.database.reading() as session:
        return page(
            "accounts.html",
            who,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            accounts=accounts(session),
            roles=list(Role),
            problem=problem,
            new_name=shown[0],
            new_password=shown[1],
        )


@router.post("/accounts")
def new_account(request: Request, form: Fields) -> Response:
    """Make an account; its temporary password is shown on this one page."""
    who = _manager(request)
    check_token(who, form.get("csrf", ""))
    name = form.get("name", "").strip().lower()
    try:
        role = Role(form.get("role", ""))
        with request.app.state.database.writing() as session:
            by = account_named(session, who.account.name)
            _, password = create_account(session, by, name, form.get("full_name", ""), role)
    except ValueError:
        return _accounts_page(request, who, "Choose a role.")
    except ReviewError as error:
        return _accounts_page(request, who, f"{error.reason}.")
    return _accounts_page(request, who, shown=(name, password))


@router.post("/accounts/{name}/{act}")
def account_form(request: Request, name: str, act: str, form: Fields) -> Response:
    """Close or reopen an account, or give it a new temporary password."""
    who = _manager(request)
    check_token(who, form.get("csrf", ""))
    reason, shown = form.get("reason", ""), ("", "")
    try:
        with request.app.state.database.writing() as session:
            by, account = account_named(session, who.account.name), account_named(session, name)
            match act:
                case "close" | "open":
                    set_active(session, by, account, act == "open", reason)
                case "reset":
                    shown = (name, reset_password(session, by, account, reason))
                case _:
                    raise NotFoundError("there is no such act on an account")
    except NotFoundError:
        raise
    except ReviewError as error:
        return _accounts_page(request, who, f"{error.reason}.")
    return _accounts_page(request, who, shown=shown)
