"""Cleaning one file as a task by itself, which any process of this machine can do."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from zoom_imaging.endpoints.write import writing
from zoom_imaging.errors import InputError, UnreadableError
from zoom_imaging.exchange.deidentify.dataset import Person
from zoom_imaging.exchange.deidentify.report import State
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.exchange.deidentify.written import Known, written
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.ingest.source import SourceReader
from zoom_imaging.provenance import sha256_of_bytes

_log = logging.getLogger("zoom_imaging.deidentify")


@dataclass(frozen=True)
class Task:
    """An input file by its place in the list, whose it is, and where its twin is written."""

    number: int
    source: SourceFile
    sha256: str
    known: Known
    person: Person
    target: Path


@dataclass(frozen=True)
class Rules:
    """What holds for all files of a job."""

    secret: Secret
    time_points: tuple[str, ...]
    films_without_text: bool


@dataclass(frozen=True)
class Cleaned:
    """What became of a file; the twin lies at the task's target where it was `written`."""

    state: State
    reason: str = ""
    sop_instance_uid: str = ""
    pixels: str = ""
    note: str = ""
    removed: tuple[tuple[str, int], ...] = ()
    changed: tuple[tuple[str, int], ...] = ()


def clean(task: Task, rules: Rules) -> Cleaned:
    """Write the twin of one file; only an OutputError is raised."""
    try:
        content = reader().read(task.source)
        if sha256_of_bytes(content) != task.sha256:
            raise UnreadableError("the file changed meanwhile", remedy="run again")
        done = written(
            content,
            task.known,
            task.person,
            rules.secret,
            time_points=rules.time_points,
            vouched=rules.films_without_text,
        )
    except InputError as error:
        return Cleaned(State.QUARANTINED, error.reason)
    except Exception as error:
        return Cleaned(State.FAILED, unexpected(error, f"while cleaning file {task.sha256}"))
    with writing(task.target):
        task.target.write_bytes(done.content)
    return Cleaned(
        State.WRITTEN,
        sop_instance_uid=done.sop_instance_uid,
        pixels=done.pixels.done.value,
        note=done.pixels.note,
        removed=tuple(sorted(done.counts.removed.items())),
        changed=tuple(sorted((+done.counts.changed).items())),
    )


@lru_cache(maxsize=1)
def reader() -> SourceReader:
    """One for each process, because it keeps the archive that it opened last."""
    return SourceReader()


def unexpected(error: Exception, when: str) -> str:
    """Log where an error came from and give the reason; its text may hold an identifier."""
    kind = type(error).__name__
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("unexpected %s %s\n%s", kind, when, where)
    return f"an unexpected error ({kind}); please report it"
