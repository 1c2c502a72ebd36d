"""`train`: go on from the model with films that a site outlined.

Exit 0: done, whether or not the tuned model was better; 1: the model is not there; 2: usage.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoom_imaging.commands.inputs import Exit

if TYPE_CHECKING:
    from zoom_imaging.vision.training.finetune import Tuned

_SHOWN = (
    ("dice", "Dice of the outline", 3),
    ("landmark_px", "Distance of the six points, median (crop pixels)", 2),
    ("ratio_points", "Height ratios, mean absolute error (points)", 2),
    ("bias_anterior", "Anterior ratio, bias (points)", 2),
    ("bias_middle", "Middle ratio, bias (points)", 2),
)


def command(
    *,
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="DICOM films with their outlines as JSON beside them; see docs/training.md.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", file_okay=False, help="Folder for the tuned bundle.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Bundle to go on from (default: the package's)."),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="At most so long.")] = 30.0,
    steps: Annotated[int, typer.Option(min=1, help="At most so many batches of 32.")] = 400,
    work: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Crops and checkpoints; kept, so that a run can go on."),
    ] = None,
) -> None:
    """Tune the outlining network on a site's own films; a share of patients judges the result."""
    from zoom_imaging.errors import ModelError, ZoomImagingError
    from zoom_imaging.vision.bundle import load_bundle
    from zoom_imaging.vision.training.finetune import Tuning, finetune
    from zoom_imaging.vision.training.labelled import labelled_films

    try:
        bundle = load_bundle(model)
        with tempfile.TemporaryDirectory() as scratch:
            tuned = finetune(
                labelled_films(data),
                bundle.folder,
                out,
                work or Path(scratch),
                Tuning(steps=steps, minutes=minutes),
            )
    except ZoomImagingError as error:
        typer.echo(f"Error: {error.reason}", err=True)
        code = Exit.NO_MODEL if isinstance(error, ModelError) else Exit.USAGE
        raise typer.Exit(code) from error
    _print(tuned, out)


def _print(tuned: Tuned, out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "before", "after", title=f"{tuned.people_apart} patients held apart")
    for name, title, digits in _SHOWN:
        before, after = tuned.before.get(name), tuned.after.get(name)
        table.add_row(title, *("–" if v is None else f"{v:.{digits}f}" for v in (before, after)))
    Console().print(table)
    learned = tuned.people - tuned.people_apart
    typer.echo(f"{tuned.films} films of {tuned.people} patients, {learned} of them to learn from.")
    if tuned.kept:
        typer.echo(f"Better: {out} holds the tuned model. Use it with --model {out}.")
    else:
        typer.echo(f"Not better on the patients held apart: {out} holds the model as it was.")
