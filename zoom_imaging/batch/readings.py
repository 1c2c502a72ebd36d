"""The readers' verdicts in a run: which films they are about, and when they may not be used.

A verdict holds for the very films that were read. If one of them is gone, has other bytes, or a
further film of the subject has come that nobody read, the readers did not see what this run sees:
the verdict is left out, the subject stays provisional, and a query says what differs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from zoom_imaging.anatomy import Visit
from zoom_imaging.charter import Charter
from zoom_imaging.ingest.text import visible
from zoom_imaging.morphometry.reading import FilmReading
from zoom_imaging.query import Query, QueryKind
from zoom_imaging.review.verdict import SubjectVerdict


@dataclass(frozen=True)
class Readings:
    """Verdicts by subject id as the reading list wrote it; `source` is fit to be shown.

    `audit_head` seals the state of the database that the verdicts were taken from.
    """

    source: str
    verdicts: Mapping[str, SubjectVerdict]
    audit_head: str = ""

    def of(self, subject_id: str) -> SubjectVerdict | None:
        """The verdict about a subject, None without one."""
        return self.verdicts.get(visible(subject_id))

    def strangers(self, subject_ids: Collection[str]) -> tuple[str, ...]:
        """Subjects of the database that are not among these, by id."""
        known = {visible(subject_id) for subject_id in subject_ids}
        return tuple(sorted(subject for subject in self.verdicts if subject not in known))


@dataclass(frozen=True)
class RunFilm:
    """A film as this run read it, and the hash of its file."""

    visit: Visit
    sha256: str
    reading: FilmReading

    @property
    def name(self) -> str:
        """Visit, UID and frame, for sentences and to find the film again."""
        return _name(self.visit, self.reading)


def load_readings(database: str) -> Readings:
    """Verdicts from the SQLite file or SQLAlchemy URL; ConfigurationError if it cannot be read."""
    from zoom_imaging.review.verdicts import load_verdicts

    found = load_verdicts(database)
    return Readings(_without_password(database), found.verdicts, found.audit_head)


def differences(verdict: SubjectVerdict, films: Sequence[RunFilm]) -> tuple[str, ...]:
    """Every way in which the films of a run are not those that were read, as short sentences."""
    read = {_name(film.visit, film.reading): film.sha256 for film in verdict.films.values()}
    found = {film.name: film.sha256 for film in films}
    sentences = []
    for name in sorted({*read, *found}):
        if name not in found:
            sentences.append(f"{name} was read and is not among the films of this run")
        elif name not in read:
            sentences.append(f"{name} was not read")
        elif read[name] != found[name]:
            sentences.append(f"{name} has other bytes than when it was read")
    return tuple(sentences)


def as_read(
    verdict: SubjectVerdict, films: Sequence[RunFilm], charter: Charter
) -> Mapping[Visit, tuple[FilmReading, ...]]:
    """The readers' films in the order and at the paths of this run.

    `films` must be those of the verdict (`differences` is empty).
    """
    from zoom_imaging.review.film import read_films

    by_name = {
        _name(visit, reading): reading
        for visit, readings in read_films(verdict, charter).items()
        for reading in readings
    }
    return {
        visit: tuple(
            replace(by_name[film.name], path=film.reading.path)
            for film in films
            if film.visit is visit
        )
        for visit in Visit
    }


def stale_query(subject_id: str, differs: Sequence[str]) -> Query:
    """What a person must answer about readings that are not used."""
    return Query(
        kind=QueryKind.READING_STALE,
        subject_id=subject_id,
        question=(
            "the films are not those that the readers read, so their readings are not used and the "
            "endpoints are provisional: which films count, and who reads them?"
        ),
        values="; ".join(differs),
    )


def _name(visit: Visit, reading: FilmReading) -> str:
    frame = "" if reading.frame is None else f", frame {reading.frame}"
    return f"{visit.value} {reading.sop_instance_uid or reading.path}{frame}"


def _without_password(database: str) -> str:
    """run.json is read by many: a password in an address does not go into it."""
    if "://" not in database:
        return database
    from sqlalchemy.engine import make_url

    return make_url(database).render_as_string(hide_password=True)
