"""`python -m zoom_imaging`: commands for one file, and the radiologists' reading room."""

from __future__ import annotations

import typer

from zoom_imaging.commands import (
    deidentify,
    doctor,
    dxa,
    fetch,
    measure,
    readings,
    receive,
    review,
    send,
    train,
)

app = typer.Typer(
    name="zoom_imaging",
    help="Read densitometry reports and lateral spine radiographs from DICOM files.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("measure")(measure.command)
app.command("dxa")(dxa.command)
app.command("train")(train.command)
app.command("review")(review.command)
app.add_typer(readings.app, name="readings")
app.command("receive")(receive.command)
app.command("fetch")(fetch.command)
app.command("send")(send.command)
app.command("deidentify")(deidentify.command)
app.command("doctor")(doctor.command)

if __name__ == "__main__":
    app(prog_name="python -m zoom_imaging")
