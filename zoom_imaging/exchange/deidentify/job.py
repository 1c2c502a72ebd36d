"""A whole de-identification: gather, clean, write, search again, report.

Nothing is put into the output folder before the second pass has read every file of it.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from zoom_imaging import __version__
from zoom_imaging.charter import Charter
from zoom_imaging.endpoints.lock import hold
from zoom_imaging.endpoints.write import recover, result_set, writing
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.exchange.deidentify import words
from zoom_imaging.exchange.deidentify.cleaning import Cleaned, Rules, Task, clean, reader
from zoom_imaging.exchange.deidentify.clinical import rewritten_table
from zoom_imaging.exchange.deidentify.dataset import Person
from zoom_imaging.exchange.deidentify.gathering import (
    NOTHING,
    Gathered,
    InputFile,
    gather_all,
    settled,
)
from zoom_imaging.exchange.deidentify.leaks import Leak, Search
from zoom_imaging.exchange.deidentify.place import Places
from zoom_imaging.exchange.deidentify.profile import EDITION, METHODS
from zoom_imaging.exchange.deidentify.report import (
    REPORT_CSV,
    REPORT_JSON,
    Row,
    State,
    report_csv,
    report_json,
    secret_map,
)
from zoom_imaging.exchange.deidentify.scrub import Scrubber
from zoom_imaging.exchange.deidentify.second_pass import Output, search_again
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.exchange.deidentify.written import Known
from zoom_imaging.ingest.clinical import ClinicalTable
from zoom_imaging.ingest.discover import discover
from zoom_imaging.ingest.text import path_text
from zoom_imaging.tasks import Spread, one_by_one

CLINICAL_NAME = "clinical.csv"
_LOOSE = ".cleaned"
_log = logging.getLogger("zoom_imaging.deidentify")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Request:
    """What is asked for. `clinical` goes to `clinical_out`, or into `out`.

    `spread` does the work file by file; the output is the same whichever way it does it.
    """

    sources: tuple[Path, ...]
    out: Path
    secret: Secret
    charter: Charter
    clinical: ClinicalTable | None = None
    clinical_out: Path | None = None
    map_out: Path | None = None
    films_without_text: bool = False
    spread: Spread = one_by_one


@dataclass(frozen=True)
class Outcome:
    """A row for each input file, and each leak with the output file that had it."""

    rows: tuple[Row, ...]
    leaks: tuple[tuple[str, Leak], ...]
    notes: tuple[str, ...]

    def count(self, state: State) -> int:
        """How many input files ended in a state."""
        return sum(row.state is state for row in self.rows)


def deidentify(request: Request, progress: Progress | None = None) -> Outcome:
    """De-identify the sources into a folder.

    ConfigurationError for sources and output that lie in each other or an output folder that is
    something else's; OutputError where it cannot be written, or another process writes there.
    """
    _require_own_folder(request)
    found = discover(request.sources)
    gathered = gather_all(found.files, request.charter, request.clinical)
    _require_distinct(request, gathered)
    with hold(request.out, _log.warning):
        recover(request.out)
        rows, leaks = _written(request, gathered, progress)
    if request.map_out is not None:
        _write_map(request, rows, gathered)
    return Outcome(tuple(rows), tuple(leaks), found.notes)


def _written(
    request: Request, gathered: Gathered, progress: Progress | None
) -> tuple[list[Row], list[tuple[str, Leak]]]:
    search = Search(gathered.everyone)
    earlier = _earlier_parts(request.out)
    with result_set(request.out) as staging:
        rows = _clean_all(request, gathered, staging, progress)
        leaks = _second_pass(request, rows, gathered, staging)
        rows = [
            _without_identifiers(*one, search) for one in zip(rows, gathered.files, strict=True)
        ]
        _write_tables(request, rows, search, staging)
        parts = {entry.name for entry in staging.iterdir()}
    for name in earlier - parts:
        shutil.rmtree(request.out / name, ignore_errors=True)
    return rows, leaks


def _require_own_folder(request: Request) -> None:
    out = os.path.realpath(request.out)
    for source in request.sources:
        real = os.path.realpath(source)
        if os.path.commonpath([out, real]) in {out, real}:
            raise ConfigurationError(
                f"{path_text(request.out)} and the source {path_text(source)} lie in each other",
                remedy="choose an --out outside of the sources",
            )
    if not request.out.is_dir():
        return
    names = {name for name in os.listdir(request.out) if not name.startswith(".")}
    if names and REPORT_JSON not in names:
        raise ConfigurationError(
            f"{path_text(request.out)} holds other files",
            expected="a new or empty folder, or an earlier output of deidentify",
            remedy="choose another --out",
        )


def _earlier_parts(out: Path) -> set[str]:
    """The subjects' folders of an earlier output; their pseudonyms may be of another key."""
    return {entry.name for entry in out.glob("S-*") if entry.is_dir()} if out.is_dir() else set()


def _require_distinct(request: Request, gathered: Gathered) -> None:
    """Two subjects of one pseudonym would become one person."""
    pseudonyms = {request.secret.pseudonym(one) for one in gathered.of_subject}
    if len(pseudonyms) != len(gathered.of_subject):
        raise ConfigurationError(
            "two subjects have the same pseudonym under this key", remedy="use another key"
        )


def _clean_all(
    request: Request, gathered: Gathered, staging: Path, progress: Progress | None
) -> list[Row]:
    """The row of every file; its twin lies in its place."""
    rows = [settled(file) for file in gathered.files]
    loose = staging.absolute() / _LOOSE
    with writing(loose):
        loose.mkdir()
    tasks = [
        _task(request.secret, number, file, gathered, loose)
        for number, (file, row) in enumerate(zip(gathered.files, rows, strict=True))
        if row.state is State.WRITTEN
    ]
    names = request.charter.identity.time_points
    time_points = (*names.baseline, *names.month12)
    rules = Rules(request.secret, time_points, request.films_without_text)
    answers: dict[int, tuple[Task, Cleaned]] = {}
    try:
        for done in request.spread(tasks, partial(clean, rules=rules)):
            cleaned = done.result or Cleaned(State.FAILED, done.problem)
            answers[done.task.number] = done.task, cleaned
            if progress is not None:
                progress(len(answers), len(tasks))
    finally:
        reader().close()
    places = Places(request.secret)
    for number in sorted(answers):
        rows[number] = _placed(rows[number], *answers[number], places, staging)
    with writing(loose):
        shutil.rmtree(loose)
    return rows


def _task(secret: Secret, number: int, file: InputFile, gathered: Gathered, folder: Path) -> Task:
    scanned, own = file.scanned, gathered.of_subject[file.subject_id]
    assert scanned is not None  # else its row is settled
    assert scanned.parsed.header is not None
    assert scanned.classified is not None
    return Task(
        number,
        # A worker may have another working directory.
        replace(file.source, location=os.path.abspath(file.source.location)),
        scanned.sha256,
        Known(scanned.parsed.header, scanned.parsed.clues, scanned.classified.kind),
        Person(
            secret.pseudonym(file.subject_id),
            Scrubber(own.names, own.ids, secret.shift_days(file.subject_id)),
        ),
        folder / str(number),
    )


def _placed(row: Row, task: Task, cleaned: Cleaned, places: Places, staging: Path) -> Row:
    """The row of a cleaned file, whose twin is brought to its place."""
    output = ""
    if cleaned.state is State.WRITTEN:
        output = places.of(row.path, task.person.pseudonym, cleaned.sop_instance_uid)
        target = staging / output
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(task.target, target)
    return replace(
        row,
        state=cleaned.state,
        reason=cleaned.reason,
        output=output,
        pixels=cleaned.pixels,
        note=cleaned.note,
        removed=cleaned.removed,
        changed=cleaned.changed,
    )


def _without_identifiers(row: Row, file: InputFile, search: Search) -> Row:
    if any(search.text(row.reason, file.identifiers)):
        return replace(row, reason="refused; the reason names an identifier of the file")
    return row


def _second_pass(
    request: Request, rows: list[Row], gathered: Gathered, staging: Path
) -> list[tuple[str, Leak]]:
    """Read every written file again; take away what holds an identifier, and say so in its row."""
    outputs = [
        Output(number, row.output, gathered.of_subject[file.subject_id])
        for number, (file, row) in enumerate(zip(gathered.files, rows, strict=True))
        if row.state is State.WRITTEN
    ]
    verdicts = search_again(outputs, staging, gathered.everyone, request.spread)
    leaks: list[tuple[str, Leak]] = []
    for verdict in sorted(verdicts, key=lambda one: one.output.number):
        if not verdict.reason:
            continue
        path, number = verdict.output.path, verdict.output.number
        (staging / path).unlink()
        _remove_empty((staging / path).parent, staging)
        leaks += [(path, leak) for leak in verdict.leaks]
        state = State.LEAKED if verdict.leaks else State.FAILED
        rows[number] = replace(rows[number], state=state, output="", reason=verdict.reason)
    return leaks


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _write_tables(request: Request, rows: Sequence[Row], search: Search, staging: Path) -> None:
    about = {
        "tool": f"zoom_imaging {__version__}",
        "profile": f"DICOM PS3.15 {EDITION} Annex E",
        "methods": dict(METHODS),
        "character_recognition": words.can_recognise(),
    }
    tables = {REPORT_CSV: report_csv(rows), REPORT_JSON: report_json(rows, about)}
    if request.clinical is not None and request.clinical_out is None:
        tables[CLINICAL_NAME] = rewritten_table(request.clinical, request.secret)
    for name, text in tables.items():
        if any(search.text(text, NOTHING)):
            raise ConfigurationError(
                f"{name} would hold an identifier of the input: nothing was written",
                remedy="please report it",
            )
        with writing(staging / name):
            (staging / name).write_text(text, encoding="utf-8")
    if request.clinical is not None and request.clinical_out is not None:
        target = request.clinical_out
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(rewritten_table(request.clinical, request.secret), encoding="utf-8")


def _write_map(request: Request, rows: Sequence[Row], gathered: Gathered) -> None:
    """The secret map, for its owner's eyes alone."""
    assert request.map_out is not None
    subjects = sorted(gathered.of_subject)
    text = secret_map(
        rows,
        {one: request.secret.shift_days(one) for one in subjects},
        {one: request.secret.pseudonym(one) for one in subjects},
    )
    with writing(request.map_out):
        descriptor = os.open(request.map_out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
