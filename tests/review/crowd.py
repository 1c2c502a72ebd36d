"""Many readers and many subjects, made quickly: no film on disk, passwords that cost nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from argon2 import PasswordHasher

from zoom_imaging.anatomy import Grade, Level, Visit
from zoom_imaging.batch.cache import charter_sha256
from zoom_imaging.charter import Charter
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.provenance import sha256_of_bytes, uid_from
from zoom_imaging.review import accounts
from zoom_imaging.review.accounts import create_account, create_first_account, hash_of
from zoom_imaging.review.answer import ReadingContent, VertebraAnswer
from zoom_imaging.review.case import Case, CaseFilm, ReadingList
from zoom_imaging.review.cases import import_reading_list
from zoom_imaging.review.database import Database
from zoom_imaging.review.login import confirm_password
from zoom_imaging.review.readings import save, sign_reading, start
from zoom_imaging.review.tables import Role
from zoom_imaging.review.worklist import next_task

from .conftest import PASSWORD, account, set_known_password
from .small_trial import charter_with, reading_of

READERS = tuple(f"reader{number:02d}" for number in range(1, 11))
OTHERS = {"judge": Role.ADJUDICATOR, "auditor": Role.AUDITOR}


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Argon2 at its least cost: a hash made here is also cheap to check anywhere else."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with mock.patch.object(accounts, "_hasher", return_value=hasher):
        yield


def admit(
    database: Database, reading_list: ReadingList, readers: tuple[str, ...] = READERS
) -> None:
    """Import the trial, make a data manager, readers, an adjudicator and an auditor."""
    with cheap_passwords(), database.writing() as session:
        import_reading_list(session, reading_list)
        manager = create_first_account(session, "manager", "Mara Manager", PASSWORD)
        hashed = hash_of(PASSWORD)
        for name, role in (dict.fromkeys(readers, Role.READER) | OTHERS).items():
            made, _ = create_account(session, manager, name, name.title(), role)
            set_known_password(session, made, hashed)


def paper_trial(count: int, charter: Charter | None = None) -> ReadingList:
    """A reading list of films that do not exist, two a subject: for what never opens a film."""
    rules = charter or charter_with(repeat_share=0.0)
    cases = tuple(
        Case(subject_id, tuple(_paper_film(subject_id, visit) for visit in Visit))
        for subject_id in (f"PAPER-{number:05d}" for number in range(count))
    )
    return ReadingList(
        cases, rules, charter_sha256(rules), "spine_lateral", "0", "0" * 64, "made for a test"
    )


def _paper_film(subject_id: str, visit: Visit) -> CaseFilm:
    path = f"{subject_id}/{visit.value}.dcm"
    reading = reading_of(uid_from(subject_id, visit), path)
    return CaseFilm(visit, SourceFile(path, path, "", 1), sha256_of_bytes(path.encode()), reading)


def complete(content: ReadingContent, word: str) -> ReadingContent:
    """Every vertebra normal, each with a note that names `word`, side and level."""
    sides = {}
    for side, spine in content.sides.items():
        answers = {
            level: spine.answer(level).model_copy(
                update={"grade": Grade.NORMAL, "note": f"{word} {side} {level}"}
            )
            for level in spine.anatomy.graded_levels
        }
        sides[side] = spine.model_copy(update={"vertebrae": {**spine.vertebrae, **answers}})
    return content.model_copy(update={"sides": sides})


def with_note(content: ReadingContent, level: Level, note: str) -> ReadingContent:
    """Another note at one level of the first side."""
    side = next(iter(content.sides))
    spine = content.sides[side]
    answer: VertebraAnswer = spine.answer(level).model_copy(update={"note": note})
    changed = spine.model_copy(update={"vertebrae": {**spine.vertebrae, level: answer}})
    return content.model_copy(update={"sides": {**content.sides, side: changed}})


def note_at(content: ReadingContent, level: Level) -> str:
    """The note at one level of the first side."""
    return next(iter(content.sides.values())).answer(level).note


def read_next(database: Database, name: str) -> str:
    """Begin, save and sign what comes next, each as a change of its own; "" when nothing waits."""
    with database.writing() as session:
        person = account(session, name)
        code = next_task(session, person)
        if not code:
            return ""
        opened = start(session, person, code)
    with database.writing() as session:
        content = complete(opened.content, f"{name} {code}")
        saved = save(session, account(session, name), code, opened.row.version, content)
    given = confirm_password(database, person, PASSWORD, "here")
    with database.writing() as session:
        sign_reading(session, account(session, name), code, saved.row.version, given)
    return code
