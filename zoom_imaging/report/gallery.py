"""The pictures of one subject: which films are shown together, drawn once and kept while unchanged.

The name of a picture is a digest of the films' bytes, of the readings and of how pictures look, so
that a picture that is already there is the right one. A film that cannot be opened again gives a
sentence in place of its picture.
"""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from zoom_imaging.anatomy import Grade, Visit
from zoom_imaging.change.record import VertebraChange
from zoom_imaging.endpoints.results import SubjectResults
from zoom_imaging.errors import InputError, UnreadableError
from zoom_imaging.ingest.catalogue import CatalogueEntry, SourceFile
from zoom_imaging.ingest.text import visible
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
class Picture:
    """One picture of the page; `file_name` is empty and `problem` a sentence if there is none."""

    films: tuple[Film, ...]
    file_name: str
    columns: int
    rows: int
    alt: str
    note: str
    problem: str = ""


@dataclass(frozen=True)
class Gallery:
    """Where pictures go, where earlier ones may lie, and how films are opened."""

    folder: Path
    earlier: Path | None
    entries: Mapping[str, CatalogueEntry]
    load: FilmLoader

    def pictures(self, subject: SubjectResults) -> tuple[Picture, ...]:
        """Every film of the subject once: as a pair where both visits show the same levels."""
        films = {visit: self._films(subject, visit) for visit in Visit}
        pictures: list[Picture] = []
        singles: list[Film] = []
        pairs, alone = _match(films[Visit.BASELINE], films[Visit.MONTH12])
        for baseline, month12 in pairs:
            picture = self._pair(baseline, month12, subject.changes)
            if picture.problem:
                singles += [baseline, month12]
            else:
                pictures.append(picture)
        pictures += [self._single(film, subject.changes) for film in (*singles, *alone)]
        return tuple(pictures)

    def _films(self, subject: SubjectResults, visit: Visit) -> list[Film]:
        films = []
        for reading, source in zip(subject.films[visit], subject.film_sources[visit], strict=True):
            entry = self.entries.get(source.path)
            acquired_on = entry.header.acquired_on if entry and entry.header else None
            films.append(
                Film(
                    visit,
                    reading,
                    source,
                    entry.sha256 if entry else "",
                    acquired_on.isoformat() if acquired_on else "",
                )
            )
        return films

    def _pair(self, baseline: Film, month12: Film, changes: tuple[VertebraChange, ...]) -> Picture:
        framed = frame_pair(baseline.reading, month12.reading)
        assert framed is not None  # `_match` pairs only films that share an outlined level
        films = (baseline, month12)

        def draw(path: Path) -> None:
            pair_figure(
                lambda: self._open(baseline),
                lambda: self._open(month12),
                (baseline.reading, month12.reading),
                path,
                headings=(baseline.heading, month12.heading),
                changes=changes,
            )

        return self._picture(films, changes, framed[2], draw)

    def _single(self, film: Film, changes: tuple[VertebraChange, ...]) -> Picture:
        marked = changes if film.visit is Visit.MONTH12 else ()

        def draw(path: Path) -> None:
            film_figure(self._open(film), film.reading, path, heading=film.heading, changes=marked)

        return self._picture((film,), marked, "", draw)

    def _picture(
        self,
        films: tuple[Film, ...],
        changes: tuple[VertebraChange, ...],
        note: str,
        draw: Callable[[Path], None],
    ) -> Picture:
        name = _picture_name(films, changes)
        path = self.folder / name
        picture = Picture(films, name, 0, 0, _alt(films, changes), note)
        try:
            if not path.exists():
                kept = self.earlier / name if self.earlier is not None else None
                if kept is not None and kept.is_file():
                    self.folder.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(kept, path)
                else:
                    with warnings.catch_warnings():
                        # What matters in them is in the records of the reading.
                        warnings.simplefilter("ignore")
                        draw(path)
        except InputError as error:
            return replace(picture, file_name="", problem=visible(error.reason))
        except OSError:  # the report's own folder: the run must know
            raise
        except Exception as error:
            return replace(
                picture,
                file_name="",
                problem=visible(
                    f"unexpected error while drawing ({type(error).__name__}: {error})"
                ),
            )
        columns, rows = _size(path)
        return replace(picture, columns=columns, rows=rows)

    def _open(self, film: Film) -> Radiograph:
        for radiograph in self.load(film.source, film.sha256):
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


def _match(baseline: list[Film], month12: list[Film]) -> tuple[list[tuple[Film, Film]], list[Film]]:
    """Pairs of films that share most levels, and the films that are left, baseline first."""
    shared = sorted(
        (
            (-len(_outlined(first) & _outlined(second)), at, to)
            for at, first in enumerate(baseline)
            for to, second in enumerate(month12)
        )
    )
    used: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for count, at, to in shared:
        if count < 0 and at not in used[0] and to not in used[1]:
            pairs.append((at, to))
            used[0].add(at)
            used[1].add(to)
    alone = [film for at, film in enumerate(baseline) if at not in used[0]]
    alone += [film for to, film in enumerate(month12) if to not in used[1]]
    return [(baseline[at], month12[to]) for at, to in sorted(pairs)], alone


def _outlined(film: Film) -> set[str]:
    return {
        vertebra.level.value
        for vertebra in film.reading.vertebrae
        if outline_of(vertebra) is not None
    }


def _picture_name(films: tuple[Film, ...], changes: tuple[VertebraChange, ...]) -> str:
    seen = [PICTURE_STYLE, *_drawing_versions()]
    for film in films:
        seen += [film.sha256, film.heading, repr(film.reading)]
    seen.append(repr(sorted((change.level.value, change.kind.value) for change in changes)))
    digest = hashlib.sha256("\x1f".join(seen).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:_NAME_LENGTH]}.png"


@lru_cache(maxsize=1)
def _drawing_versions() -> tuple[str, ...]:
    return tuple(f"{name} {metadata.version(name)}" for name in _DRAWING_PACKAGES)


def _size(path: Path) -> tuple[int, int]:
    """Columns and rows from the header of a PNG."""
    with path.open("rb") as stream:
        head = stream.read(24)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _alt(films: tuple[Film, ...], changes: tuple[VertebraChange, ...]) -> str:
    """What the picture shows, for those who do not see it."""
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
        if change.kind in CHANGE_MARKS and change.level.value in _outlined(films[-1])
    ]
    if marked:
        sentences.append(f"Marked as changed: {', '.join(marked)}.")
    return " ".join(sentences)
