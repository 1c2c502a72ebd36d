"""One picture of the report as a task of its own: which films it shows, its name, its bytes.

The name is a digest of the films' bytes, of the readings and of how pictures look, so that a
picture that is already there is the right one.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import metadata

from zoom_imaging.anatomy import Grade, Visit
from zoom_imaging.change.record import VertebraChange
from zoom_imaging.errors import InputError, UnreadableError
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.morphometry.reading import FilmReading
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.report.framing import frame_pair, outline_of
from zoom_imaging.report.palette import (
    CHANGE_MARKS,
    VISIT_WORDS,
    short_grade,
    shown_grade,
)
from zoom_imaging.report.picture import PICTURE_STYLE, film_figure, pair_figure

FilmLoader = Callable[[SourceFile, str], tuple[Radiograph, ...]]
"""The films of a file that must have this SHA-256 ("" = not known); raises InputError."""

_DRAWING_PACKAGES = ("matplotlib", "numpy", "pillow", "scikit-image")
_NAME_LENGTH = 24


@dataclass(frozen=True)
class Film:
    """One film of a subject with its reading, its place and the hash it was read with."""

    visit: Visit
    reading: FilmReading
    source: SourceFile
    sha256: str
    day: str

    @property
    def heading(self) -> str:
        """Visit and day, as they stand above the picture."""
        return f"{VISIT_WORDS[self.visit]} · {self.day or 'date unknown'}"


@dataclass(frozen=True)
class Drawing:
    """One film of a subject, or the films of both visits side by side, and what changed."""

    films: tuple[Film, ...]
    changes: tuple[VertebraChange, ...]

    @property
    def source(self) -> SourceFile:
        """The file of the first film."""
        return self.films[0].source

    @cached_property
    def file_name(self) -> str:
        """Equal for equal pictures."""
        seen = [PICTURE_STYLE, *_drawing_versions()]
        for film in self.films:
            seen += [film.sha256, film.heading, repr(film.reading)]
        seen.append(
            repr(sorted((change.level.value, change.kind.value) for change in self.changes))
        )
        digest = hashlib.sha256("\x1f".join(seen).encode("utf-8", "surrogatepass")).hexdigest()
        return f"{digest[:_NAME_LENGTH]}.png"

    @property
    def note(self) -> str:
        """What must be known of the scale of a pair; "" if there is nothing."""
        if len(self.films) == 1:
            return ""
        framed = frame_pair(*(film.reading for film in self.films))
        return framed[2] if framed else ""

    @property
    def alt(self) -> str:
        """What the picture shows, for those who do not see it."""
        return _alt(self.films, self.changes)


def drawn(drawing: Drawing, load: FilmLoader) -> bytes | str:
    """The picture as PNG, or the sentence why there is none. A pure task: it reads the films."""
    try:
        with warnings.catch_warnings():
            # What matters in them is in the records of the reading.
            warnings.simplefilter("ignore")
            if len(drawing.films) == 1:
                (film,) = drawing.films
                return film_figure(
                    _open(film, load), film.reading, heading=film.heading, changes=drawing.changes
                )
            baseline, month12 = drawing.films
            return pair_figure(
                lambda: _open(baseline, load),
                lambda: _open(month12, load),
                (baseline.reading, month12.reading),
                headings=(baseline.heading, month12.heading),
                changes=drawing.changes,
            )
    except InputError as error:
        return error.reason
    except Exception as error:
        return f"unexpected error while drawing ({type(error).__name__}: {error})"


def _open(film: Film, load: FilmLoader) -> Radiograph:
    for radiograph in load(film.source, film.sha256):
        if radiograph.frame == film.reading.frame:
            return radiograph
    raise UnreadableError(f"{film.source.path} no longer holds the frame that was read")


def load_film(source: SourceFile, sha256: str) -> tuple[Radiograph, ...]:
    """Open a catalogued film again; InputError says why not, also if it is no longer the same."""
    from zoom_imaging.ingest.source import open_source
    from zoom_imaging.radiograph.read import read_radiographs

    content = open_source(source)
    if sha256 and sha256_of_bytes(content) != sha256:
        raise UnreadableError(
            f"{source.path} is no longer the file that was read", remedy="run again"
        )
    return read_radiographs(content, source.path)


def outlined(film: Film) -> set[str]:
    """Names of the levels of which the reading has an outline."""
    return {
        vertebra.level.value
        for vertebra in film.reading.vertebrae
        if outline_of(vertebra) is not None
    }


@lru_cache(maxsize=1)
def _drawing_versions() -> tuple[str, ...]:
    return tuple(f"{name} {metadata.version(name)}" for name in _DRAWING_PACKAGES)


def _alt(films: tuple[Film, ...], changes: tuple[VertebraChange, ...]) -> str:
    sentences = []
    for film in films:
        place = f"Lateral spine film, {film.heading}"
        if film.reading.refusal:
            sentences.append(f"{place}: not read.")
            continue
        graded: dict[str, list[str]] = {}
        for vertebra in film.reading.vertebrae:
            if outline_of(vertebra) is None:
                continue
            grade = shown_grade(vertebra)
            words = (
                "not evaluable"
                if grade is Grade.NOT_EVALUABLE
                else f"grade {short_grade(grade, vertebra.shape)}"
            )
            graded.setdefault(words, []).append(vertebra.level.value)
        listed = "; ".join(f"{words}: {', '.join(levels)}" for words, levels in graded.items())
        sentences.append(f"{place}: {listed or 'no vertebra outlined'}.")
    marked = [
        f"{change.level.value} {CHANGE_MARKS[change.kind].lower()}"
        for change in changes
        if change.kind in CHANGE_MARKS and change.level.value in outlined(films[-1])
    ]
    if marked:
        sentences.append(f"Marked as changed: {', '.join(marked)}.")
    return " ".join(sentences)
