"""`review`: the reading room as a server, on the results of a run.

Exit 1: the results or the database cannot be used; 2: usage.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoom_imaging.commands.inputs import Exit

if TYPE_CHECKING:
    from zoom_imaging.review.cases import Imported

DEFAULT_PORT = 8055
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def command(
    *,
    results: Annotated[
        Path, typer.Option(metavar="DIR", help="Result folder of a run: its films are read.")
    ],
    db: Annotated[
        str,
        typer.Option(metavar="URL", help="SQLite file or URL (default: readings.sqlite3 in DIR)."),
    ] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = (
        DEFAULT_PORT
    ),
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="HOST", help="Name that browsers use, behind a proxy."),
    ] = None,
    https: Annotated[
        bool, typer.Option("--https", help="A proxy ends TLS before this server.")
    ] = False,
) -> None:
    """Open the reading room: blinded readings, adjudication, lock and audit trail."""
    from zoom_imaging.errors import ZoomImagingError
    from zoom_imaging.review.accounts import accounts
    from zoom_imaging.review.case import load_reading_list
    from zoom_imaging.review.cases import import_reading_list
    from zoom_imaging.review.database import DATABASE_NAME, Database
    from zoom_imaging.review.web.guard import Site
    from zoom_imaging.review.web.server import serve

    try:
        reading_list = load_reading_list(results)
        database = Database(db or results / DATABASE_NAME)
        with database.writing() as session:
            done = import_reading_list(session, reading_list)
        del reading_list  # of a large trial it is large, and the server runs for months
        with database.reading() as session:
            is_empty = not accounts(session)
        _tell(database.name, done, is_empty=is_empty)
        hosts = frozenset(one.lower() for one in (*_LOOPBACK, *(name or ()), host))
        serve(database, Site(hosts, https), host, port, typer.echo)
    except ZoomImagingError as error:
        typer.echo(f"Error: {error.reason}", err=True)
        raise typer.Exit(Exit.NO_MODEL) from error


def _tell(database: str, done: Imported, *, is_empty: bool) -> None:
    """What the import did, and what is to be done first."""
    typer.echo(f"Readings are kept in {database}")
    for word, subjects in (
        ("new", done.new),
        ("changed", done.changed),
        ("held, because their films changed while they are read", done.held),
        ("not in these results", done.absent),
    ):
        if subjects:
            typer.echo(f"{len(subjects)} subjects {word}")
    if is_empty:
        typer.echo(
            "There is no account yet. Make the first one in another terminal:\n"
            f"  python -m zoom_imaging readings first-account {database} NAME"
        )
