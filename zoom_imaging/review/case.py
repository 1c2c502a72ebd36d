"""The reading list: what a run hands to the readers, one case a subject, films with the model's
word.

`reading_list.json` in the result folder is the whole interface between a run and the reading room:
where each film lies, which bytes it had, and what the model says of it. Nothing in it tells
treatment or arm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from zoom_imaging.anatomy import Level, Visit
from zoom_imaging.charter import Charter
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.morphometry.reading import FilmReading

if TYPE_CHECKING:
    from pydantic import TypeAdapter

READING_LIST_NAME = "reading_list.json"


@dataclass(frozen=True)
class CaseFilm:
    """One film of a case: its visit, its file with the hash that was read, the model's reading."""

    visit: Visit
    source: SourceFile
    sha256: str
    reading: FilmReading

    @property
    def identity(self) -> tuple[str, int, str]:
        """What makes it this film: UID, frame and bytes, wherever the file lies now."""
        return self.reading.sop_instance_uid, self.reading.frame or 0, self.sha256


@dataclass(frozen=True)
class Case:
    """One subject as the readers get her: films of both visits, and the levels that were flagged.

    `flagged` are (visit-independent) levels at which the model asks for a reader's eye.
    """

    subject_id: str
    films: tuple[CaseFilm, ...]
    flagged: tuple[Level, ...] = ()

    def films_of(self, visit: Visit) -> tuple[CaseFilm, ...]:
        """The films of one visit, in the order of the run."""
        return tuple(film for film in self.films if film.visit is visit)


@dataclass(frozen=True)
class ReadingList:
    """Every subject of a run, and which software, model and charter made the suggestions."""

    cases: tuple[Case, ...]
    charter: Charter
    charter_sha256: str
    model_name: str
    model_version: str
    model_sha256: str
    software: str


def reading_list_text(head: ReadingList, cases: Iterable[Case]) -> Iterator[str]:
    """Pieces of `reading_list.json`: everything in `head` but its cases, and one case a line.

    Plain ASCII, so that paths of undecodable bytes come back.
    """
    content = _adapter().dump_python(replace(head, cases=()), mode="json")
    del content["cases"]
    yield f'{json.dumps(content)[:-1]}, "cases": ['
    for number, case in enumerate(cases):
        dumped = _case_adapter().dump_python(case, mode="json")
        yield f"{',' if number else ''}\n{json.dumps(dumped)}"
    yield "\n]}\n"


def load_reading_list(results: Path) -> ReadingList:
    """Read the list of a result folder; ConfigurationError says what is missing or wrong."""
    path = results / READING_LIST_NAME
    try:
        # Not validate_json: a path may hold bytes that are no text (lone surrogates).
        return _adapter().validate_python(json.loads(path.read_bytes()))
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error.strerror})",
            expected="the result folder of a run",
            found=str(results),
            remedy="run python -m zoom_imaging.run first",
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{path} is not a reading list of this version ({type(error).__name__})",
            remedy="run python -m zoom_imaging.run again",
        ) from error


def dump_films(films: Sequence[CaseFilm]) -> str:
    """Films as canonical JSON: equal films give equal text."""
    content = _films_adapter().dump_python(tuple(films), mode="json")
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def load_films(text: str) -> tuple[CaseFilm, ...]:
    """Films from `dump_films`."""
    return _films_adapter().validate_python(json.loads(text))


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[ReadingList]:
    from pydantic import TypeAdapter

    return TypeAdapter(ReadingList)


@lru_cache(maxsize=1)
def _case_adapter() -> TypeAdapter[Case]:
    from pydantic import TypeAdapter

    return TypeAdapter(Case)


@lru_cache(maxsize=1)
def _films_adapter() -> TypeAdapter[tuple[CaseFilm, ...]]:
    from pydantic import TypeAdapter

    return TypeAdapter(tuple[CaseFilm, ...])
