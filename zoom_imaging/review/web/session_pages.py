"""Logging in and out, and the own password."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from zoom_imaging.errors import LoginRefusedError, ReviewError
from zoom_imaging.review.accounts import account_named, change_password
from zoom_imaging.review.login import hash_of_token, log_in, log_out
from zoom_imaging.review.web.guard import (
    COOKIE,
    Fields,
    Person,
    address_of,
    check_token,
    person,
)
from zoom_imaging.review.web.pages import go, page, safe_target

router = APIRouter()


@router.get("/login")
def login_page(request: Request) -> Response:
    """The form; `next` is where to go afterwards."""
    target = safe_target(request.query_params.get("next", "/"))
    return page("login.html", None, target=target, name="", problem="")


@router.post("/login")
def login(request: Request, form: Fields) -> Response:
    """Open a session, or say that name or password is wrong (never which)."""
    name, target = form.get("name", ""), safe_target(form.get("next", "/"))
    problem, status = "The name or the password is wrong.", HTTPStatus.FORBIDDEN
    opened = None
    try:
        opened = log_in(
            request.app.state.database, name, form.get("password", ""), address_of(request)
        )
    except LoginRefusedError as error:
        problem, status = f"{error.reason}.".capitalize(), HTTPStatus.TOO_MANY_REQUESTS
    if opened is None:
        return page(
            "login.html", None, status=status, target=target, name=name[:64], problem=problem
        )
    response = go("/password" if opened.account.password_is_temporary else target)
    response.set_cookie(
        COOKIE,
        opened.token,
        httponly=True,
        samesite="strict",
        secure=request.app.state.site.https,
        path="/",
    )
    return response


@router.post("/logout")
def logout(request: Request, form: Fields) -> Response:
    """End this session."""
    who = person(request)
    check_token(who, form.get("csrf", ""))
    with request.app.state.database.writing() as session:
        log_out(session, who.token)
    response = go("/login")
    response.delete_cookie(COOKIE, path="/")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.get("/password")
def password_page(request: Request) -> Response:
    """The form for a new password."""
    return _password_page(person(request), "")


@router.post("/password")
def password(request: Request, form: Fields) -> Response:
    """Change the own password."""
    who = person(request)
    check_token(who, form.get("csrf", ""))
    if form.get("new") != form.get("again"):
        return _password_page(who, "The two new passwords differ.")
    try:
        with request.app.state.database.writing() as session:
            account = account_named(session, who.account.name)
            change_password(
                session,
                account,
                form.get("old", ""),
                form.get("new", ""),
                keep=hash_of_token(who.token),
            )
    except ReviewError as error:
        return _password_page(who, f"{error.reason}.")
    return go("/")


def _password_page(who: Person, problem: str) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return page("password.html", who, status=status, problem=problem)
