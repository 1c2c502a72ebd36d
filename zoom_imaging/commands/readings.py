"""`readings`: what is done with the readings of a database, without the server.

Exit 0: done, and nothing was wrong; 1: `verify` found something, or the database cannot be used.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zoom_imaging.review.database import Database

PASSWORD_VARIABLE = "ZOOM_REVIEW_PASSWORD"

app = typer.Typer(
    help="Readings of a database: accounts, verification, exports, agreement.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_Database = Annotated[str, typer.Argument(metavar="DB", help="SQLite file or URL.")]
_Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")]


@app.command("first-account")
def first_account(
    db: _Database,
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    full_name: Annotated[str, typer.Option(help="As signatures print it.")] = "",
) -> None:
    """Make the first data manager of a new database; works once.

    The password is asked for, or taken from the variable ZOOM_REVIEW_PASSWORD.
    """
    from zoom_imaging.review.accounts import create_first_account

    password = os.environ.get(PASSWORD_VARIABLE) or _ask_twice()
    with _opened(db, create=True) as database, database.writing() as session:
        create_first_account(session, name, full_name or name, password)
    typer.echo(f"{name} is the data manager. Further accounts are made in the reading room.")


@app.command("verify")
def verify(
    db: _Database,
    head: Annotated[str, typer.Option(help="A seal that was noted earlier.")] = "",
) -> None:
    """Check the whole audit trail and every row against it; say where anything was changed."""
    from zoom_imaging.review.audit import faults, head_of

    with _opened(db) as database, database.reading() as session:
        found = list(faults(session, head))
        seq, sha256 = head_of(session)
    for fault in found:
        typer.echo(f"{fault.where}: {fault.what}")
    typer.echo(f"{seq} entries, {len(found)} faults. Seal of the last entry: {sha256}")
    raise typer.Exit(1 if found else 0)


@app.command("agreement")
def show_agreement(db: _Database) -> None:
    """Print how well readers agree, between and within, overall, by level, pair and month."""
    from rich.console import Console
    from rich.table import Table

    from zoom_imaging.review.agreement import agreement
    from zoom_imaging.review.monitoring import graded_pairs

    with _opened(db) as database, database.reading() as session:
        found = agreement(graded_pairs(session))
    table = Table(
        "", "by", "", "graded", "left out", "exact", "linear", "quadratic", ">= 1", ">= 2"
    )
    for one in found:
        estimates = (one.exact, one.linear, one.quadratic, one.mild_or_worse, one.moderate_or_worse)
        values = ["–" if each.value is None else f"{each.value:.2f}" for each in estimates]
        table.add_row(one.kind, one.by, one.group, str(one.graded), str(one.excluded), *values)
    Console().print(table)


@app.command("export-sr")
def export_sr(db: _Database, out: _Out) -> None:
    """Write one DICOM SR (TID 1500) for each film that readers have read."""
    from zoom_imaging.endpoints.write import writing
    from zoom_imaging.exchange.film_reports import reports_of_verdict, write_film_reports
    from zoom_imaging.exchange.radiograph_report import ModelName
    from zoom_imaging.review.cases import trial_of
    from zoom_imaging.review.verdicts import verdicts

    with _opened(db) as database:
        with database.reading() as session:
            found = verdicts(session)
            trial = trial_of(session)
            model = ModelName(trial.model_name, trial.model_version)
        reports = [one for verdict in found.values() for one in reports_of_verdict(verdict, model)]
        with writing(out):
            problems = write_film_reports(reports, out)
        _note_export(database, "sr", out)
    for problem in problems:
        typer.echo(problem, err=True)
    typer.echo(f"{len(reports) - len(problems)} structured reports in {out}")
    raise typer.Exit(1 if problems else 0)


@app.command("export-training-set")
def export_training_set(db: _Database, out: _Out) -> None:
    """Write locked readings as a training set: films without patients, the readers' outlines.

    `python -m zoom_imaging train --data DIR` tunes the model on it.
    """
    from zoom_imaging.exchange.training_set import write_training_set
    from zoom_imaging.review.cases import charter_of, trial_of
    from zoom_imaging.review.verdicts import verdicts

    with _opened(db) as database:
        with database.reading() as session:
            found = verdicts(session)
            charter = charter_of(trial_of(session))
        written = write_training_set(found.values(), out, charter)
        _note_export(database, "training set", out)
    for film in written.skipped:
        typer.echo(f"{film.subject_id} {film.visit or ''} {film.film}: {film.reason}", err=True)
    typer.echo(f"{len(written.written)} films in {out}; {len(written.skipped)} left out")


def _note_export(database: Database, what: str, out: Path) -> None:
    from zoom_imaging.review.audit import Action, Actor, Change, append

    actor = Actor(getpass.getuser(), "command line")
    with database.writing() as session:
        change = Change("folder", None, str(out.absolute()))
        append(session, actor, Action.EXPORT, what, changes=[change])


@contextmanager
def _opened(db: str, *, create: bool = False) -> Iterator[Database]:
    """The database; what goes wrong is one sentence and exit 1."""
    from zoom_imaging.errors import ZoomImagingError
    from zoom_imaging.review.database import Database

    try:
        database = Database(db, create=create)
        try:
            yield database
        finally:
            database.close()
    except ZoomImagingError as error:
        typer.echo(f"Error: {error.reason}", err=True)
        raise typer.Exit(1) from error


def _ask_twice() -> str:
    password = getpass.getpass("Password (at least 12 characters): ")
    if getpass.getpass("Again: ") != password:
        typer.echo("Error: the two passwords differ", err=True)
        raise typer.Exit(1)
    return password
