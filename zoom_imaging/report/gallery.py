"""The pictures of a report: which films are shown together, drawn once and kept while unchanged.

A film that cannot be opened again gives a sentence in place of its picture.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zoom_imaging.anatomy import Visit
from zoom_imaging.endpoints.results import SubjectResults
from zoom_imaging.ingest.catalogue import CatalogueEntry
from zoom_imaging.ingest.text import visible
from zoom_imaging.report.drawing import Drawing, Film, FilmLoader, drawn, load_film, outlined
from zoom_imaging.tasks import Spread, one_by_one


@dataclass(frozen=True)
class Picture:
    """One picture of a page; `file_name` is empty and `problem` a sentence if there is none."""

    films: tuple[Film, ...]
    file_name: str
    columns: int
    rows: int
    alt: str
    note: str
    problem: str = ""


class Gallery:
    """Pictures in a folder; those that lie in an earlier one are taken from there."""

    def __init__(
        self, folder: Path, earlier: Path | None, entries: Mapping[str, CatalogueEntry]
    ) -> None:
        """`entries` are the catalogue's, by path."""
        self._folder = folder
        self._earlier = earlier
        self._entries = entries
        self._problems: dict[str, str] = {}

    def draw(
        self,
        subjects: Iterable[SubjectResults],
        *,
        spread: Spread = one_by_one,
        load: FilmLoader = load_film,
    ) -> None:
        """Draw what is missing. OSError as the file system raises it for the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            known = len(self._problems)
            for done in spread(self._missing(subjects), partial(drawn, load=load)):
                name = done.task.file_name
                if isinstance(done.result, bytes):
                    (self._folder / name).write_bytes(done.result)
                else:
                    self._problems[name] = visible(done.result or done.problem)
            if len(self._problems) == known:
                return
            # Once more: the films of a pair that could not be drawn are drawn alone.

    def pictures(self, subject: SubjectResults) -> tuple[Picture, ...]:
        """Those of a subject's page, after they were drawn: every film of hers once."""
        return tuple(self._picture(drawing) for drawing in self._drawings(subject))

    def _missing(self, subjects: Iterable[SubjectResults]) -> Iterator[Drawing]:
        for subject in subjects:
            for drawing in self._drawings(subject):
                name = drawing.file_name
                if name not in self._problems and not self._kept(name):
                    yield drawing

    def _kept(self, name: str) -> bool:
        path = self._folder / name
        if not path.exists():
            earlier = self._earlier / name if self._earlier is not None else None
            if earlier is None or not earlier.is_file():
                return False
            shutil.copyfile(earlier, path)
        return True

    def _drawings(self, subject: SubjectResults) -> Iterator[Drawing]:
        """Every film of the subject once: as a pair where both visits show the same levels."""
        films = {visit: self._films(subject, visit) for visit in Visit}
        pairs, alone = _match(films[Visit.BASELINE], films[Visit.MONTH12])
        singles: list[Film] = []
        for pair in pairs:
            drawing = Drawing(pair, subject.changes)
            if drawing.file_name in self._problems:
                singles += pair
            else:
                yield drawing
        for film in (*singles, *alone):
            yield Drawing((film,), subject.changes if film.visit is Visit.MONTH12 else ())

    def _films(self, subject: SubjectResults, visit: Visit) -> list[Film]:
        films = []
        for reading, source in zip(subject.films[visit], subject.film_sources[visit], strict=True):
            entry = self._entries.get(source.path)
            acquired_on = entry.header.acquired_on if entry and entry.header else None
            films.append(
                Film(
                    visit,
                    reading,
                    source.absolute(),
                    entry.sha256 if entry else "",
                    acquired_on.isoformat() if acquired_on else "",
                )
            )
        return films

    def _picture(self, drawing: Drawing) -> Picture:
        name = drawing.file_name
        if problem := self._problems.get(name, ""):
            return Picture(drawing.films, "", 0, 0, drawing.alt, drawing.note, problem)
        columns, rows = _size(self._folder / name)
        return Picture(drawing.films, name, columns, rows, drawing.alt, drawing.note)


def _match(baseline: list[Film], month12: list[Film]) -> tuple[list[tuple[Film, Film]], list[Film]]:
    """Pairs of films that share most levels, and the films that are left, baseline first."""
    shared = sorted(
        (
            (-len(outlined(first) & outlined(second)), at, to)
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


def _size(path: Path) -> tuple[int, int]:
    """Columns and rows from the header of a PNG."""
    with path.open("rb") as stream:
        head = stream.read(24)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
