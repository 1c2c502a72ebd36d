"""How a page of the reading room is made: its frame, its words, and how refusals are shown."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from zoom_imaging.errors import (
    IncompleteReadingError,
    InputError,
    LoginRefusedError,
    NotAllowedError,
    NotFoundError,
    RoomBusyError,
    StaleVersionError,
    ZoomImagingError,
)
from zoom_imaging.html import template_environment
from zoom_imaging.review.tables import Role
from zoom_imaging.review.web.guard import Person, SessionOverError

if TYPE_CHECKING:
    from jinja2 import Environment

_STATUS: tuple[tuple[type[ZoomImagingError], HTTPStatus], ...] = (
    (SessionOverError, HTTPStatus.UNAUTHORIZED),
    (LoginRefusedError, HTTPStatus.FORBIDDEN),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (StaleVersionError, HTTPStatus.CONFLICT),
    (IncompleteReadingError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InputError, HTTPStatus.GONE),
    (RoomBusyError, HTTPStatus.SERVICE_UNAVAILABLE),
)
_LINKS: dict[Role, tuple[tuple[str, str], ...]] = {
    Role.READER: (("/", "Worklist"),),
    Role.ADJUDICATOR: (("/", "Worklist"),),
    Role.DATA_MANAGER: (
        ("/cases", "Cases"),
        ("/monitoring", "Monitoring"),
        ("/accounts", "Accounts"),
        ("/audit", "Audit trail"),
    ),
    Role.AUDITOR: (("/monitoring", "Monitoring"), ("/audit", "Audit trail")),
}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = template_environment(Path(__file__).parent / "templates")
    made.filters.update(moment=_moment, words=_words)
    return made


def page(
    template: str,
    who: Person | None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **content: Any,
) -> HTMLResponse:
    """A whole page in the frame of the room; `who` is None before the login."""
    frame = {
        "who": who.account if who else None,
        "csrf": who.visit.csrf if who else "",
        "links": _LINKS[who.role] if who else (),
    }
    text = _environment().get_template(template).render(frame | content)
    return HTMLResponse(text, status)


def go(where: str) -> RedirectResponse:
    """After a form: look at `where`."""
    return RedirectResponse(where, HTTPStatus.SEE_OTHER)


def refusal(request: Request, error: ZoomImagingError) -> Response:
    """A refusal with its sentence: JSON for the viewer, a page for people."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), HTTPStatus(400))
    if request.url.path.startswith(("/api/", "/films/")):
        return JSONResponse({"reason": error.reason}, status)
    if isinstance(error, SessionOverError):
        target = request.url.path if request.method == "GET" else "/"
        return go(f"/login?next={target}" if target != "/" else "/login")
    return page("refusal.html", None, status=status, reason=error.reason)


def safe_target(target: str) -> str:
    """A path of this site to go to after the login, else the start."""
    plain = target.replace("/", "").replace("-", "").replace("_", "")
    is_ours = target.startswith("/") and not target.startswith("//") and plain.isalnum()
    return target if is_ours and target.isascii() else "/"


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M:%S UTC")


def _words(value: Any) -> str:
    return str(getattr(value, "value", value)).replace("_", " ")
