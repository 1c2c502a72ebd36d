"""The application: database, pages, guard and static files put together."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from zoom_imaging.errors import NotFoundError, ReviewError, RoomBusyError, ZoomImagingError
from zoom_imaging.review.database import Database
from zoom_imaging.review.web import auditor_pages, manager_pages, reader_pages, session_pages
from zoom_imaging.review.web.guard import Site, guard
from zoom_imaging.review.web.pages import page, refusal
from zoom_imaging.review.web.pixels import FilmShelf

STATIC: Final = Path(__file__).parent / "static"


class _Static(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def create_app(database: Database, site: Site) -> FastAPI:
    """The reading room on a database; nothing is served that needs no session but the login."""
    app = FastAPI(
        title="zoom_imaging reading room", docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.database = database
    app.state.site = site
    app.state.shelf = FilmShelf()
    app.middleware("http")(guard)
    for pages in (session_pages, reader_pages, manager_pages, auditor_pages):
        app.include_router(pages.router)
    app.mount("/static", _Static(directory=STATIC), name="static")
    app.add_exception_handler(ZoomImagingError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _busy)
    for unkeepable in (DataError, OverflowError):
        app.add_exception_handler(unkeepable, _unkeepable)
    return app


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ZoomImagingError)
    return refusal(request, error)


def _unkeepable(request: Request, _: Exception) -> Response:
    """A NUL letter or a number beyond every row: the database refuses it, and so does the room."""
    if request.method == "GET":
        return refusal(request, NotFoundError("there is nothing at this address"))
    return refusal(request, ReviewError("the request holds what no database can hold"))


def _busy(request: Request, _: Exception) -> Response:
    reason = "the database cannot be reached just now: nothing was lost"
    return refusal(request, RoomBusyError(reason, remedy="try again"))


def _malformed(_: Request, error: Exception) -> Response:
    """What the viewer sent is not of the agreed form: where, without repeating it."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    reason = f"the request is not of the agreed form: {where}: {first['msg']}"
    return JSONResponse({"reason": reason}, HTTPStatus.UNPROCESSABLE_ENTITY)


def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return page("refusal.html", None, status=status, reason=status.description or status.phrase)
