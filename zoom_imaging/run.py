"""`python -m zoom_imaging.run SOURCE... --out DIR`: the batch job, from files to endpoint tables.

Exit 0: every input is accounted for; 1: the run could not be done; 2: it was asked for wrongly;
3: finished, but some input met an unexpected error, which files.csv lists.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from zoom_imaging.errors import ConfigurationError, ZoomImagingError

EXIT_NOT_DONE = 1
EXIT_USAGE = 2
EXIT_WITH_FAILURES = 3

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Engine(StrEnum):
    """What runs the networks."""

    TORCH = "torch"
    OPENVINO = "openvino"


@app.command()
def main(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE", help="Folders, DICOM files, DICOMDIRs or zip archives."),
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")],
    charter: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rules of the trial (default: ZOOM).")
    ] = None,
    clinical: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Clinical table, one row a subject.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Worker processes (default: the cores, at most 8)."),
    ] = None,
    cluster: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Dask scheduler (tcp://host:8786), its file, or a queue (slurm, pbs, ...).",
        ),
    ] = "",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what earlier runs computed.")
    ] = False,
    readings: Annotated[
        str,
        typer.Option(
            metavar="DB",
            help="Readings of radiologists, an SQLite file or database URL, replace the model's.",
        ),
    ] = "",
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Model bundle (default: the package's).")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="What runs the networks.")] = Engine.TORCH,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")] = False,
) -> None:
    """Read a trial's DXA reports and spine radiographs into endpoint tables and a report."""
    from zoom_imaging.batch.progress import Voice

    voice = Voice(quiet=quiet)
    try:
        from zoom_imaging.batch.job import Request, run_job

        failed = run_job(
            Request(
                sources=tuple(sources),
                out=out,
                charter_path=charter,
                clinical_path=clinical,
                jobs=jobs,
                cluster=cluster,
                fresh=fresh,
                engine=engine.value,
                model=model,
                readings=readings,
            ),
            voice,
        )
    except ConfigurationError as error:
        voice.warn(f"Error: {error.reason}")
        raise typer.Exit(EXIT_USAGE) from error
    except ZoomImagingError as error:
        voice.warn(f"Error: {error.reason}")
        raise typer.Exit(EXIT_NOT_DONE) from error
    if failed:
        raise typer.Exit(EXIT_WITH_FAILURES)


if __name__ == "__main__":
    app(prog_name="python -m zoom_imaging.run")
