"""Who may ask what: cookies, forms, hosts, sizes and headers of the reading room.

- The session cookie is HttpOnly and SameSite=Strict, and Secure behind TLS.
- Whatever changes something needs the session's secret, in the form or in a header, and must not
  come from another site.
- Pages may load nothing from elsewhere and run no inline script.
- Names of hosts are checked, so that another site's name cannot be pointed at this server.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import PlainTextResponse, Response

from zoom_imaging.errors import LoginRefusedError, NotAllowedError
from zoom_imaging.review.database import Database
from zoom_imaging.review.login import (
    Visitor,
    confirm_password,
    needs_refresh,
    refresh,
    visitor,
)
from zoom_imaging.review.signatures import Confirmation
from zoom_imaging.review.tables import Account, Role

_log = logging.getLogger(__name__)

COOKIE: Final = "zoom_review"
TOKEN_HEADER: Final = "X-CSRF-Token"
LARGEST_BODY_BYTES: Final = 4 << 20
_MOST_DIGITS: Final = 9
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Site:
    """How the server is reached: names that it answers to, and whether TLS lies before it."""

    hosts: frozenset[str]
    https: bool = False


class SessionOverError(LoginRefusedError):
    """Nobody is logged in with this browser, or no longer."""


@dataclass(frozen=True)
class Person:
    """Whoever made a request, with the secret for forms."""

    visit: Visitor
    token: str = field(repr=False)

    @property
    def account(self) -> Account:
        """The account that is logged in."""
        return self.visit.account

    @property
    def role(self) -> Role:
        """What she may do."""
        return Role(self.visit.account.role)


def person(request: Request) -> Person:
    """Who makes the request; SessionOverError if nobody is logged in."""
    database: Database = request.app.state.database
    token = request.cookies.get(COOKIE, "")
    with database.reading() as session:
        found = visitor(session, token)
        stale = found is not None and needs_refresh(session, token)
        if found is not None:
            session.expunge_all()
    if found is None:
        raise SessionOverError("nobody is logged in, or the session is over", remedy="log in again")
    if stale:
        with database.writing() as session:
            refresh(session, token)
    return Person(found, token)


def allowed(request: Request, *roles: Role) -> Person:
    """The person, if she has one of the roles and her own password; NotAllowedError otherwise."""
    who = person(request)
    if who.account.password_is_temporary:
        raise NotAllowedError("the temporary password must be changed first")
    if roles and who.role not in roles:
        raise NotAllowedError("this page is for another role")
    return who


def check_token(who: Person, given: str) -> None:
    """NotAllowedError unless the request carries the session's secret."""
    if not secrets.compare_digest(who.visit.csrf.encode(), given.encode()):
        raise NotAllowedError("the form is not from this session", remedy="load the page again")


async def form_fields(request: Request) -> dict[str, str]:
    """The text fields of a form; files are never taken."""
    form = await request.form(max_files=0, max_fields=40)
    return {key: value for key, value in form.items() if not isinstance(value, UploadFile)}


Fields = Annotated[dict[str, str], Depends(form_fields)]
"""The fields of a form, for a route's signature."""


def confirm(request: Request, who: Person, password: str) -> Confirmation:
    """The password once more, before a signature; LoginRefusedError for a wrong one."""
    database: Database = request.app.state.database
    return confirm_password(database, who.account, password, address_of(request))


def small_number(text: str) -> int:
    """A number that someone sent, 0 for anything that is none or too large to mean something."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Middleware: refuse foreign hosts, foreign origins and oversized bodies; add the headers."""
    try:
        response = _refusal(request) or await call_next(request)
    except Exception:
        _log.exception("a request failed")
        response = PlainTextResponse("The server met an unexpected error; nothing was lost.", 500)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refusal(request: Request) -> Response | None:
    site: Site = request.app.state.site
    host = request.headers.get("host", "")
    if _bare(host) not in site.hosts:
        return PlainTextResponse("This server does not answer to that name.", 400)
    if request.method not in _UNSAFE:
        return None
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return PlainTextResponse("A page of another site may not send this.", 403)
    size = request.headers.get("content-length", "")
    if not size.isdigit() or int(size) > LARGEST_BODY_BYTES:
        return PlainTextResponse("The request is too large, or does not say how large it is.", 413)
    return None


def _bare(host: str) -> str:
    """Without the port; IPv6 keeps its brackets."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
