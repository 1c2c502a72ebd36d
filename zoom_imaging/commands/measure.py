"""`measure`: read lateral spine films one by one, or a pair, without trial logic.

With `--json` stdout holds strict JSON only, one object a line and input file (a frame of a
multi-frame file has a line of its own). A file that cannot be read is a line with its reason.
Exit 0: every file was read or refused with a reason; 1: the model is not there; 2: usage; 3: an
unexpected error, whose traceback went to stderr.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from zoom_imaging.commands.inputs import (
    Exit,
    bytes_of,
    dump,
    input_files,
    results_only,
    sop_instance_uid,
    unexpected,
)

if TYPE_CHECKING:
    from zoom_imaging.batch.film import FilmReader
    from zoom_imaging.change.match import FilmComparison
    from zoom_imaging.charter import Charter
    from zoom_imaging.morphometry.reading import FilmReading
    from zoom_imaging.radiograph.film import Radiograph


@dataclass(frozen=True)
class Measured:
    """One frame of one input file: what was read, or the reason why not."""

    path: str
    sop_instance_uid: str = ""
    reading: FilmReading | None = None
    radiograph: Radiograph | None = None
    reason: str = ""
    frame: int | None = None
    exit_code: Exit = Exit.OK

    @property
    def is_read(self) -> bool:
        """True where the film was read."""
        return self.reading is not None and not self.reason


@dataclass
class Workplace:
    """The charter, and the model once a film needs it."""

    charter: Charter
    assume_lateral: bool = False
    model: Path | None = None
    _reader: FilmReader | None = field(default=None)

    def reader(self) -> FilmReader:
        """The model; ModelError if it is not there."""
        if self._reader is None:
            from zoom_imaging.vision.read import SpineReader

            self._reader = SpineReader.load(self.model)
        return self._reader


def command(
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGE...", help="DICOM files, or folders of them."),
    ] = None,
    *,
    pair: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--pair", metavar="BASELINE FOLLOW_UP", help="Compare two films."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    overlay: Annotated[
        Path | None,
        typer.Option("--overlay", metavar="DIR", help="Write a picture of each film to DIR."),
    ] = None,
    charter_path: Annotated[
        Path | None, typer.Option("--charter", metavar="FILE", help="Default: ZOOM.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Model bundle (default: the package's).")
    ] = None,
    assume_lateral: Annotated[
        bool,
        typer.Option(
            "--assume-lateral",
            help="Take films whose header does not tell the view for lateral: you have looked.",
        ),
    ] = False,
) -> None:
    """Measure vertebral heights and grade fractures on lateral spine films."""
    from zoom_imaging.charter import load_charter
    from zoom_imaging.errors import ConfigurationError

    if bool(images) == (pair is not None):
        raise typer.BadParameter("name either IMAGE... or --pair BASELINE FOLLOW_UP")
    try:
        workplace = Workplace(load_charter(charter_path), assume_lateral, model)
    except ConfigurationError as error:
        typer.echo(error.reason, err=True)
        raise typer.Exit(Exit.USAGE) from error
    with results_only() as results:
        if pair is not None:
            code = _measure_pair(pair, workplace, overlay, results, as_json=as_json)
        else:
            code = _measure_each(images or [], workplace, overlay, results, as_json=as_json)
    raise typer.Exit(code)


def _measure_each(
    images: Sequence[Path],
    workplace: Workplace,
    overlay: Path | None,
    results: TextIO,
    *,
    as_json: bool,
) -> int:
    from zoom_imaging.commands.pictures import Pictures
    from zoom_imaging.commands.reading_json import reading_object
    from zoom_imaging.commands.reading_table import print_reading

    code = Exit.OK
    pictures = Pictures(overlay)
    for path in input_files(images):
        for measured in measure_file(path, workplace):
            shown = pictures.draw(measured)
            if as_json:
                results.write(dump(reading_object(shown)) + "\n")
                results.flush()
            else:
                print_reading(shown, results)
            code = max(code, shown.exit_code)
    return code


def _measure_pair(
    pair: tuple[Path, Path],
    workplace: Workplace,
    overlay: Path | None,
    results: TextIO,
    *,
    as_json: bool,
) -> int:
    from zoom_imaging.commands.pictures import Pictures
    from zoom_imaging.commands.reading_json import pair_object
    from zoom_imaging.commands.reading_table import print_changes, print_reading
    from zoom_imaging.ingest.text import path_text

    pictures = Pictures(overlay)
    baseline, follow_up = (
        [pictures.draw(measured) for measured in measure_file(path, workplace)] for path in pair
    )
    code = max(measured.exit_code for measured in (*baseline, *follow_up))
    comparison, fault = None, ""
    try:
        comparison = _compare(baseline, follow_up, workplace)
    except Exception as error:
        fault = unexpected(" and ".join(map(path_text, pair)), error)
        code = Exit.UNEXPECTED
    if as_json:
        results.write(dump(pair_object(baseline, follow_up, comparison, fault)) + "\n")
    else:
        for measured in (*baseline, *follow_up):
            print_reading(measured, results)
        print_changes(comparison, results)
    return code


def _compare(
    baseline: Sequence[Measured], follow_up: Sequence[Measured], workplace: Workplace
) -> FilmComparison | None:
    """The change of every level, None unless both visits have a film that was read."""
    before, after = _readings(baseline), _readings(follow_up)
    if not before or not after:
        return None
    from zoom_imaging.change.match import compare_films

    return compare_films(before, after, workplace.charter)


def _readings(films: Sequence[Measured]) -> list[FilmReading]:
    return [film.reading for film in films if film.is_read and film.reading is not None]


def measure_file(path: Path, workplace: Workplace) -> list[Measured]:
    """Read one file; never raises for what the file is or holds."""
    from zoom_imaging.errors import InputError
    from zoom_imaging.ingest.text import path_text
    from zoom_imaging.radiograph.read import read_radiographs

    shown = path_text(path)
    content = b""
    try:
        content = bytes_of(path)
        radiographs = read_radiographs(content, shown)
    except InputError as refusal:
        return [Measured(shown, sop_instance_uid(content), reason=refusal.reason)]
    except Exception as error:
        reason = unexpected(shown, error)
        return [
            Measured(shown, sop_instance_uid(content), reason=reason, exit_code=Exit.UNEXPECTED)
        ]
    return [_measure_frame(radiograph, workplace) for radiograph in radiographs]


def _measure_frame(radiograph: Radiograph, workplace: Workplace) -> Measured:
    from zoom_imaging.batch.film import measure_radiograph, require_lateral
    from zoom_imaging.errors import InputError, ModelError

    if workplace.assume_lateral:
        radiograph = _as_lateral(radiograph)
    frame = Measured(
        radiograph.path,
        radiograph.sop_instance_uid,
        radiograph=radiograph,
        frame=radiograph.frame,
    )
    try:
        require_lateral(radiograph)
        reading = measure_radiograph(radiograph, workplace.reader(), workplace.charter)
    except InputError as refusal:
        return replace(frame, reason=refusal.reason)
    except ModelError as error:
        typer.echo(error.reason, err=True)
        return replace(frame, reason=error.reason, exit_code=Exit.NO_MODEL)
    except Exception as error:
        reason = unexpected(radiograph.path, error)
        return replace(frame, reason=reason, exit_code=Exit.UNEXPECTED)
    return replace(frame, reading=reading, reason=reading.refusal)


def _as_lateral(radiograph: Radiograph) -> Radiograph:
    """A film of unknown view, taken for lateral on the user's word, with a warning."""
    from zoom_imaging.anatomy import View

    if radiograph.view is not View.UNKNOWN:
        return radiograph
    warning = f"taken for lateral as asked; {radiograph.view_reason}"
    return replace(radiograph, view=View.LATERAL, warnings=(*radiograph.warnings, warning))
