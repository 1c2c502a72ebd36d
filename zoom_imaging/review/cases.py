"""Cases in the database: taken from a run's reading list, brought up to date by later runs.

Once a case is being read, its films are fixed. A later run that finds other films for a subject
does not change them under a reader's hands: the case is held until a data manager restarts it.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.anatomy import Level, Visit
from zoom_imaging.charter import Charter
from zoom_imaging.errors import ConfigurationError, NotFoundError
from zoom_imaging.ingest.text import visible
from zoom_imaging.review.audit import PROGRAM, Action, Change, append
from zoom_imaging.review.case import Case, CaseFilm, ReadingList, dump_films, load_films
from zoom_imaging.review.consensus import Difference
from zoom_imaging.review.tables import (
    CaseRow,
    ReadingRow,
    ReadingState,
    Trial,
    canonical,
)

_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 8


@dataclass(frozen=True)
class CaseSummary:
    """A case without its films, which are long; `flagged` and `differences` as the row has them."""

    id: int
    subject_id: str
    film_count: int
    flagged: str
    differences: str | None
    locked_at: datetime | None
    is_held: bool

    @property
    def is_readable(self) -> bool:
        """Whether anybody may read it now."""
        return bool(self.film_count) and self.locked_at is None and not self.is_held

    @property
    def is_flagged(self) -> bool:
        """Whether the model asks for a reader's eye."""
        return self.flagged != "[]"


@dataclass(frozen=True)
class Imported:
    """What an import did: subjects that are new, whose films changed, and that the run lacks."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    held: tuple[str, ...]
    absent: tuple[str, ...]


def trial_of(session: Session) -> Trial:
    """The trial of this database; ConfigurationError before the first import."""
    trial = session.get(Trial, 1)
    if trial is None:
        raise ConfigurationError(
            "the database holds no trial", remedy="start `review` with the --results of a run"
        )
    return trial


def charter_of(trial: Trial) -> Charter:
    """The rules by which the readings are made."""
    return _parsed(trial.charter)


@lru_cache(maxsize=4)
def _parsed(charter: str) -> Charter:
    return Charter.model_validate_json(charter)


def case_summaries(session: Session, only: int | None = None) -> list[CaseSummary]:
    """Every case in the order of import, or one of them."""
    columns = (
        CaseRow.id,
        CaseRow.subject_id,
        CaseRow.film_count,
        CaseRow.flagged,
        CaseRow.differences,
        CaseRow.locked_at,
        CaseRow.pending_films.is_not(None),
    )
    statement = select(*columns).order_by(CaseRow.id)
    if only is not None:
        statement = statement.where(CaseRow.id == only)
    return [CaseSummary(*row) for row in session.execute(statement)]


def import_reading_list(session: Session, found: ReadingList) -> Imported:
    """Take over what is new. ConfigurationError if the rules of reading changed under readings."""
    trial = _import_trial(session, found)
    rows = {row.subject_id: row for row in session.scalars(select(CaseRow))}
    busy = set(
        session.scalars(select(ReadingRow.case_id).where(ReadingRow.state != ReadingState.VOID))
    )
    new, changed, held = [], [], []
    for one in found.cases:
        case = replace(one, subject_id=_storable(one.subject_id))
        row = rows.pop(case.subject_id, None)
        if row is None:
            _import_case(session, case, trial.seed)
            new.append(case.subject_id)
            continue
        fixed = row.id in busy or row.locked_at is not None
        outcome = _update_case(session, row, case, trial.seed, fixed=fixed)
        if outcome is Action.CASE_FILMS_CHANGED:
            held.append(case.subject_id)
        elif outcome is Action.CASE_IMPORT:
            changed.append(case.subject_id)
    return Imported(tuple(new), tuple(changed), tuple(held), tuple(sorted(rows)))


def _storable(subject_id: str) -> str:
    """No database keeps half a letter: such an id is written as the tables write it."""
    try:
        subject_id.encode()
    except UnicodeEncodeError:
        return visible(subject_id)
    return subject_id


def _import_trial(session: Session, found: ReadingList) -> Trial:
    charter = canonical(found.charter.model_dump(mode="json"))
    trial = session.get(Trial, 1)
    wanted = {
        "charter": charter,
        "charter_sha256": found.charter_sha256,
        "model_name": found.model_name,
        "model_version": found.model_version,
        "model_sha256": found.model_sha256,
    }
    if trial is None:
        trial = Trial(id=1, seed=secrets.token_hex(32), locked_at=None, **wanted)
        session.add(trial)
        changes = [Change(key, None, value) for key, value in wanted.items()]
    else:
        _same_rules(session, charter_of(trial), found.charter)
        changes = [
            Change(key, getattr(trial, key), value)
            for key, value in wanted.items()
            if getattr(trial, key) != value
        ]
        for change in changes:
            setattr(trial, change.field, change.new)
    if changes:
        append(session, PROGRAM, Action.TRIAL_IMPORT, "trial", changes=changes, rows=[trial])
    return trial


def _same_rules(session: Session, before: Charter, after: Charter) -> None:
    same = before.reading == after.reading and before.fracture == after.fracture
    if not same and session.scalars(select(ReadingRow.id).limit(1)).first() is not None:
        raise ConfigurationError(
            "the charter's rules of reading or of fractures are not those of the readings made",
            remedy="run with the charter of the readings, or start a new database",
        )


def _import_case(session: Session, case: Case, seed: str) -> None:
    row = CaseRow(
        subject_id=case.subject_id,
        films=dump_films(_shuffled(case.films, seed)),
        film_count=len(case.films),
        pending_films=None,
        pending_flagged=None,
        flagged=_flagged(case),
        differences=None,
        locked_at=None,
    )
    session.add(row)
    append(
        session,
        PROGRAM,
        Action.CASE_IMPORT,
        case_name(row),
        changes=[Change("films", None, [film.sha256 for film in case.films])],
        rows=[row],
    )


def _update_case(
    session: Session, row: CaseRow, case: Case, seed: str, *, fixed: bool
) -> Action | None:
    """What was done to a case that is known: nothing (None), replaced, or held."""
    had = load_films(row.films)
    same = sorted(film.identity for film in had) == sorted(film.identity for film in case.films)
    if fixed:
        wanted = None if same else dump_films(_shuffled(case.films, seed))
        films = row.films if not same else dump_films(_moved(had, case.films))
        if (wanted, films) == (row.pending_films, row.films):
            return None
        action = Action.CASE_IMPORT if same else Action.CASE_FILMS_CHANGED
    else:
        wanted, films = None, dump_films(_shuffled(case.films, seed))
        if (None, films, _flagged(case)) == (row.pending_films, row.films, row.flagged):
            return None
        row.flagged, row.film_count = _flagged(case), len(case.films)
        action = Action.CASE_IMPORT
    row.pending_films, row.films = wanted, films
    row.pending_flagged = None if wanted is None else _flagged(case)
    old, new = ([film.sha256 for film in films] for films in (had, case.films))
    append(
        session,
        PROGRAM,
        action,
        case_name(row),
        changes=[Change("films", old, new)],
        rows=[row],
    )
    return action


def _moved(had: Sequence[CaseFilm], found: Sequence[CaseFilm]) -> list[CaseFilm]:
    """The films as they are, with the place where their files lie now."""
    places = {film.identity: film.source for film in found}
    return [replace(film, source=places[film.identity]) for film in had]


def _flagged(case: Case) -> str:
    return canonical([level.value for level in case.flagged])


def _shuffled(films: Sequence[CaseFilm], seed: str) -> list[CaseFilm]:
    """In an order that says nothing about visits: keys of films are numbered by it."""
    return sorted(films, key=lambda film: keyed(seed, "film", *film.identity))


def keyed(seed: str, *words: object) -> str:
    """A digest that nobody can foresee without the trial's secret."""
    message = "\x1f".join(map(str, words)).encode("utf-8", "surrogateescape")
    return hmac.digest(bytes.fromhex(seed), message, "sha256").hex()


@lru_cache(maxsize=1 << 17)
def code_of(seed: str, *words: object) -> str:
    """An opaque code of eight letters and digits."""
    number = int(keyed(seed, "code", *words), 16)
    letters = []
    for _ in range(_CODE_LENGTH):
        number, at = divmod(number, len(_CODE_ALPHABET))
        letters.append(_CODE_ALPHABET[at])
    return "".join(letters)


def case_name(row: CaseRow) -> str:
    """How the audit trail calls a case."""
    return f"case:{row.subject_id}"


def case_films(row: CaseRow) -> Mapping[str, CaseFilm]:
    """The films by the key that answers name: f1, f2, ..."""
    return {f"f{at}": film for at, film in enumerate(load_films(row.films), start=1)}


def case_differences(row: CaseRow) -> tuple[Difference, ...]:
    """Where the independent readings differ; empty while some are missing."""
    return tuple(
        Difference(Visit(visit), Level(level), why)
        for visit, level, why in json.loads(row.differences or "[]")
    )


def case_of_subject(session: Session, subject_id: str) -> CaseRow:
    """The case of a subject; NotFoundError without one."""
    row = session.scalar(select(CaseRow).where(CaseRow.subject_id == subject_id))
    if row is None:
        raise NotFoundError(f"there is no case of subject {subject_id}")
    return row
