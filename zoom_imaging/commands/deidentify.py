"""`deidentify`: DICOM files without a person's identity, so that they may leave the site.

Exit 0: every input file was written or refused with a reason; 1: the second pass found an
identifier (the file was taken away), or nothing could be written; 2: usage; 3: an unexpected error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoom_imaging.commands.inputs import Exit, results_only

if TYPE_CHECKING:
    from zoom_imaging.exchange.deidentify.job import Outcome, Request
    from zoom_imaging.tasks import Spread

_NOT_DONE = 1
_SHOWN_AT_MOST = 20


def command(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SOURCE...", help="Folders, DICOM files or zip archives."),
    ] = None,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for the files.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Secret key, at least 32 bytes. Keep it."),
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make the key file first; never over another.")
    ] = False,
    clinical: Annotated[
        Path | None,
        typer.Option("--clinical", metavar="FILE", help="Clinical CSV to rewrite as well."),
    ] = None,
    clinical_out: Annotated[
        Path | None,
        typer.Option("--clinical-out", metavar="FILE", help="Default: DIR/clinical.csv."),
    ] = None,
    map_out: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Write who became whom. Secret, like the key."),
    ] = None,
    films_without_text: Annotated[
        bool,
        typer.Option(
            "--films-without-text",
            help="You have checked: films that do not say so hold no burned-in text.",
        ),
    ] = False,
    charter_path: Annotated[
        Path | None, typer.Option("--charter", metavar="FILE", help="Default: ZOOM.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Worker processes (default: the cores, at most 8)."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")] = False,
) -> None:
    """Write DICOM files without names, ids and dates of a person (PS3.15 Annex E)."""
    from dataclasses import replace

    from zoom_imaging.errors import ConfigurationError, ZoomImagingError
    from zoom_imaging.exchange.deidentify.job import Request, deidentify

    with results_only() as results:
        try:
            request = _request(
                Request,
                (tuple(sources or ()), out, key, clinical, clinical_out, map_out, charter_path),
                new_key=new_key,
                films_without_text=films_without_text,
            )
            if request is None:
                return
            with _spread(jobs) as spread:
                outcome = deidentify(replace(request, spread=spread))
        except ConfigurationError as error:
            typer.echo(f"Error: {error.reason}", err=True)
            raise typer.Exit(Exit.USAGE) from error
        except ZoomImagingError as error:
            typer.echo(f"Error: {error.reason}", err=True)
            raise typer.Exit(_NOT_DONE) from error
        if not quiet:
            results.write(_summary(outcome))
    raise typer.Exit(_told(outcome))


_Paths = tuple[
    tuple[Path, ...],
    Path | None,
    Path | None,
    Path | None,
    Path | None,
    Path | None,
    Path | None,
]


def _request(
    kind: type[Request], paths: _Paths, *, new_key: bool, films_without_text: bool
) -> Request | None:
    """The request of the options; None where only a key was asked for."""
    from zoom_imaging.charter import load_charter
    from zoom_imaging.errors import ConfigurationError
    from zoom_imaging.exchange.deidentify.secret import make_key, read_key
    from zoom_imaging.ingest.clinical import read_clinical_table

    sources, out, key, clinical, clinical_out, map_out, charter_path = paths
    if key is None:
        raise ConfigurationError("no key", remedy="name one with --key, or add --new-key")
    if new_key:
        make_key(key)
        if not sources and out is None:
            return None
    secret, warning = read_key(key)
    if warning:
        typer.echo(f"Warning: {warning}", err=True)
    if not sources or out is None:
        raise ConfigurationError("nothing to do", remedy="name the sources, and a folder by --out")
    if clinical_out is not None and clinical is None:
        raise ConfigurationError("--clinical-out without --clinical")
    return kind(
        sources=sources,
        out=out,
        secret=secret,
        charter=load_charter(charter_path),
        clinical=read_clinical_table(clinical) if clinical is not None else None,
        clinical_out=clinical_out,
        map_out=map_out,
        films_without_text=films_without_text,
    )


@contextmanager
def _spread(jobs: int | None) -> Iterator[Spread]:
    """Over so many processes; in this one where that is one."""
    from zoom_imaging.batch.cluster import Crew, Team, default_jobs
    from zoom_imaging.tasks import one_by_one

    crew = Crew(jobs or default_jobs())
    if crew.jobs == 1:
        yield one_by_one
        return
    with Team(crew) as team:
        yield team.spread


def _summary(outcome: Outcome) -> str:
    from zoom_imaging.exchange.deidentify.report import REPORT_CSV, State

    counts = [
        f"{count} {state.value.replace('_', ' ')}"
        for state in State
        if (count := outcome.count(state))
    ]
    files = f"{len(outcome.rows)} files" if len(outcome.rows) != 1 else "1 file"
    return f"{files}: {', '.join(counts) or 'none'}. {REPORT_CSV} says which, and why.\n"


def _told(outcome: Outcome) -> int:
    from zoom_imaging.exchange.deidentify.report import State

    for output, leak in outcome.leaks[:_SHOWN_AT_MOST]:
        typer.echo(f"Error: {output} held {leak.kind} ({leak.where}): taken away", err=True)
    more = len(outcome.leaks) - _SHOWN_AT_MOST
    if more > 0:
        typer.echo(f"Error: and {more} more", err=True)
    if outcome.leaks:
        return _NOT_DONE
    return Exit.UNEXPECTED if outcome.count(State.FAILED) else Exit.OK
