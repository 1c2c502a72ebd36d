"""What readers and adjudicators see: the worklist, a case, its films, and the signature."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, Response

from zoom_imaging.errors import NotFoundError, ReviewError, StaleVersionError
from zoom_imaging.review.accounts import account_named
from zoom_imaging.review.answer import ReadingContent, Side
from zoom_imaging.review.readings import (
    MEANING,
    find,
    own_row,
    reveal,
    save,
    sign_reading,
    start,
)
from zoom_imaging.review.tables import Purpose, ReadingState, Role, moment_text
from zoom_imaging.review.web.guard import (
    TOKEN_HEADER,
    Fields,
    Person,
    allowed,
    check_token,
    confirm,
    small_number,
)
from zoom_imaging.review.web.pages import go, page
from zoom_imaging.review.web.room import case_data, films_by_code, side_titles
from zoom_imaging.review.worklist import next_task, tasks

router = APIRouter()

_STATES = ("open", "waiting", "signed")
_KEEP_FILM = "private, max-age=1800, immutable"


def _reader(request: Request) -> Person:
    return allowed(request, Role.READER, Role.ADJUDICATOR)


@router.get("/")
def worklist(request: Request) -> Response:
    """What is begun, waits and is signed; others are sent to their own first page."""
    who = allowed(request)
    if who.role is Role.DATA_MANAGER:
        return go("/cases")
    if who.role is Role.AUDITOR:
        return go("/monitoring")
    with request.app.state.database.reading() as session:
        found = tasks(session, who.account)
    return page(
        "worklist.html",
        who,
        tasks=found,
        counts={state: sum(one.state == state for one in found) for state in _STATES},
    )


@router.post("/next")
def next_case(request: Request, form: Fields) -> Response:
    """Begin or go on with whatever comes first; back to the worklist when nothing is left."""
    who = _reader(request)
    check_token(who, form.get("csrf", ""))
    with request.app.state.database.writing() as session:
        code = next_task(session, who.account)
        if code and own_row(session, who.account, code) is None:
            start(session, who.account, code)
    return go(f"/read/{code}" if code else "/")


@router.post("/read/{code}/start")
def begin(request: Request, code: str, form: Fields) -> Response:
    """Begin one case of the worklist."""
    who = _reader(request)
    check_token(who, form.get("csrf", ""))
    with request.app.state.database.writing() as session:
        if own_row(session, who.account, code) is None:
            start(session, who.account, code)
    return go(f"/read/{code}")


@router.get("/read/{code}")
def reading_page(request: Request, code: str) -> Response:
    """The films with their answers."""
    who = _reader(request)
    with request.app.state.database.reading() as session:
        opened = find(session, who.account, code)
        data = case_data(session, who, opened, request.app.state.shelf)
    # Inside a script element only "<" could end it; everything else is JSON.
    block = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return page("read.html", who, code=code, block=block)


@router.get("/films/{code}/{key}")
def film(request: Request, code: str, key: str) -> Response:
    """Grey values of one film, for whoever reads the case or may begin it next."""
    who = _reader(request)
    with request.app.state.database.reading() as session:
        films = films_by_code(session, who.account, code)
    if films is None or key not in films:
        raise NotFoundError("there is no such film in this worklist")
    grey = request.app.state.shelf.grey(films[key])
    return Response(
        grey, media_type="application/octet-stream", headers={"Cache-Control": _KEEP_FILM}
    )


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: int


class _Save(_Change):
    content: ReadingContent


@router.put("/api/readings/{code}")
def save_answers(request: Request, code: str, body: _Save) -> Response:
    """Keep the answers; 409 with what is kept now where another tab was quicker."""
    who = _reader(request)
    check_token(who, request.headers.get(TOKEN_HEADER, ""))
    database = request.app.state.database
    try:
        with database.writing() as session:
            opened = save(session, who.account, code, body.version, body.content)
    except StaleVersionError as error:
        with database.reading() as session:
            current = find(session, who.account, code)
        answer = {
            "reason": error.reason,
            "version": current.row.version,
            "content": current.content.model_dump(mode="json"),
        }
        return JSONResponse(answer, HTTPStatus.CONFLICT)
    return JSONResponse(
        {
            "version": opened.row.version,
            "saved_at": moment_text(opened.row.updated_at),
            "problems": [list(problem) for problem in opened.content.problems()],
        }
    )


@router.post("/api/readings/{code}/reveal")
def reveal_suggestion(request: Request, code: str, body: _Change) -> Response:
    """Show the model's word after the unaided answers."""
    who = _reader(request)
    check_token(who, request.headers.get(TOKEN_HEADER, ""))
    with request.app.state.database.writing() as session:
        opened = reveal(session, who.account, code, body.version)
    with request.app.state.database.reading() as session:
        data = case_data(session, who, opened, request.app.state.shelf)
    return JSONResponse(data)


@router.get("/read/{code}/sign")
def signature_page(request: Request, code: str) -> Response:
    """The form for the signature, or the signature that is there."""
    who = _reader(request)
    return _signature_page(request, who, code, "")


@router.post("/read/{code}/sign")
def signature(request: Request, code: str, form: Fields) -> Response:
    """Sign with the password again, then offer the next case."""
    who = _reader(request)
    check_token(who, form.get("csrf", ""))
    version = small_number(form.get("version", ""))
    try:
        given = confirm(request, who, form.get("password", ""))
        with request.app.state.database.writing() as session:
            account = account_named(session, who.account.name)
            sign_reading(session, account, code, version, given)
    except NotFoundError:
        raise
    except ReviewError as error:
        return _signature_page(request, who, code, f"{error.reason}.")
    return _signature_page(request, who, code, "")


def _signature_page(request: Request, who: Person, code: str, problem: str) -> Response:
    with request.app.state.database.reading() as session:
        opened = find(session, who.account, code)
        titles = side_titles(session, opened.row.baseline_side)
    return page(
        "sign.html",
        who,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        code=opened.row.code,
        version=opened.row.version,
        signed=opened.row.state == ReadingState.SIGNED,
        signed_at=opened.row.signed_at,
        meaning=MEANING[Purpose(opened.row.purpose)],
        answers=_summary(opened.content, titles),
        unanswered=len(opened.content.problems()),
        problem=problem,
    )


def _summary(
    content: ReadingContent, titles: Mapping[Side, str]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is signed, side by side: every graded level with its answer in words."""
    return [
        (
            titles[side],
            [
                (level.value, _words_of(spine.answer(level).grade, spine.answer(level).shape))
                for level in spine.anatomy.graded_levels
            ],
        )
        for side, spine in content.sides.items()
    ]


def _words_of(grade: object, shape: object) -> str:
    words = "–" if grade is None else str(grade).replace("_", " ")
    return words if str(shape) == "none" else f"{words} {shape}"
