"""What auditors and data managers look at: the audit trail, and how the reading goes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response, StreamingResponse

from zoom_imaging.ingest.text import text_cell
from zoom_imaging.review.accounts import account_named, actor_of
from zoom_imaging.review.audit import Action, append, entries, faults, head_of
from zoom_imaging.review.monitoring import monitoring
from zoom_imaging.review.tables import AuditEntry, Role, moment_text
from zoom_imaging.review.web.guard import Fields, Person, allowed, check_token, small_number
from zoom_imaging.review.web.pages import page

router = APIRouter()

_PER_PAGE = 100
_COLUMNS = (
    "seq",
    "at",
    "actor",
    "role",
    "action",
    "object",
    "field",
    "old",
    "new",
    "reason",
    "software",
    "model_sha256",
    "sha256",
)


def _auditor(request: Request) -> Person:
    return allowed(request, Role.AUDITOR, Role.DATA_MANAGER)


@router.get("/monitoring")
def monitoring_page(request: Request) -> Response:
    """Progress, readers, and agreement between and within readers."""
    who = _auditor(request)
    with request.app.state.database.reading() as session:
        found = monitoring(session)
    return page("monitoring.html", who, found=found)


@router.get("/audit")
def audit_page(request: Request) -> Response:
    """The trail, newest first, a hundred entries at a time; and whether it is whole."""
    who = _auditor(request)
    before = small_number(request.query_params.get("before", ""))
    with request.app.state.database.reading() as session:
        seq, sha256 = head_of(session)
        last = min(before - 1, seq) if before else seq
        found = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.seq <= last)
            .order_by(AuditEntry.seq.desc())
            .limit(_PER_PAGE)
        ).all()
        shown = [(entry, json.loads(entry.change)) for entry in found]
    return page(
        "audit.html",
        who,
        entries=shown,
        head_seq=seq,
        head_sha256=sha256,
        older=found[-1].seq if found and found[-1].seq > 1 else 0,
    )


@router.post("/audit/verify")
def verify_page(request: Request, form: Fields) -> Response:
    """Check the whole chain and every row now."""
    who = _auditor(request)
    check_token(who, form.get("csrf", ""))
    with request.app.state.database.reading() as session:
        found = list(faults(session))
        seq, sha256 = head_of(session)
    return page("verify.html", who, faults=found, head_seq=seq, head_sha256=sha256)


@router.post("/audit.csv")
def audit_csv(request: Request, form: Fields) -> Response:
    """The whole trail as a table, one line a changed field; that it was exported is noted."""
    who = _auditor(request)
    check_token(who, form.get("csrf", ""))
    database = request.app.state.database
    with database.writing() as session:
        actor = actor_of(account_named(session, who.account.name))
        append(session, actor, Action.EXPORT, "audit")

    def lines() -> Iterator[str]:
        yield _csv_line(_COLUMNS)
        with database.reading() as session:
            for entry in entries(session):
                for change in json.loads(entry.change) or [["", None, None]]:
                    yield _csv_line(_cells(entry, change))

    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


def _cells(entry: AuditEntry, change: list[object]) -> list[str]:
    field, old, new = change
    return [
        str(entry.seq),
        moment_text(entry.at),
        entry.actor,
        entry.role,
        entry.action,
        entry.object,
        str(field),
        "" if old is None else json.dumps(old),
        "" if new is None else json.dumps(new),
        entry.reason,
        entry.software,
        entry.model_sha256,
        entry.sha256,
    ]


def _csv_line(cells: list[str] | tuple[str, ...]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([text_cell(cell) for cell in cells])
    return stream.getvalue()
