"""One database: how it is named, opened, and that writers take turns."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.review.audit import PROGRAM, Action, append, faults, head_of
from zoom_imaging.review.database import Database, database_url
from zoom_imaging.review.tables import Base


@pytest.mark.parametrize(
    ("given", "backend"),
    [
        ("readings.sqlite3", "sqlite"),
        ("sqlite:////tmp/x.db", "sqlite"),
        ("postgresql://me:pw@host/trial", "postgresql"),
        ("postgresql+psycopg://host/trial", "postgresql"),
    ],
)
def test_a_path_or_an_address_names_a_database(given, backend):
    url = database_url(given)
    assert url.get_backend_name() == backend
    if backend == "postgresql":
        assert url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize("given", ["mysql://host/x", "oracle://x", "://", "what://ever"])
def test_another_kind_of_database_is_refused_in_words(given):
    with pytest.raises(ConfigurationError, match="database"):
        database_url(given)


def test_the_password_of_a_database_is_in_no_message():
    with pytest.raises(ConfigurationError) as caught:
        Database("postgresql://me:verysecret@127.0.0.1:1/x")
    assert "verysecret" not in str(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        database_url("mysql://me:verysecret@host/x")
    assert "verysecret" not in str(caught.value)


def folder(path):
    path.mkdir()


def nonsense(path):
    path.write_bytes(b"this is no database, but long enough to be looked at" * 40)


@pytest.mark.parametrize("make", [folder, nonsense])
def test_what_is_no_database_is_a_sentence(tmp_path, make):
    path = tmp_path / "x.sqlite3"
    make(path)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Database(path)


def test_a_database_is_made_only_where_it_was_asked_for(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist"):
        Database(tmp_path / "x.sqlite3", create=False)
    assert not list(tmp_path.iterdir())


def test_the_migration_makes_what_the_program_uses(tmp_path):
    """No table, column or index of the program is missing in the database, and none is more."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    database = Database(tmp_path / "a b%.sqlite3")
    with database.reading() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []
    database.close()


def test_a_reading_view_keeps_nothing(database):
    with database.reading() as session:
        append(session, PROGRAM, Action.EXPORT, "audit")
        inside = head_of(session)
    with database.reading() as session:
        assert head_of(session)[0] == inside[0] - 1


def test_writers_take_turns(database):
    """Many at once: every entry follows from the one before, none is lost."""
    with database.reading() as session:
        before = head_of(session)[0]
    failures = []

    def write():
        try:
            for _ in range(10):
                with database.writing() as session:
                    append(session, PROGRAM, Action.EXPORT, "audit")
        except Exception as error:  # a thread's error is the test's
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert not failures
        assert head_of(session)[0] == before + 40
        assert list(faults(session)) == []


def test_an_error_of_the_database_does_not_repeat_what_was_in_it():
    """Its message may go to a log: no subject, no answer."""
    database = Database("sqlite:///:memory:")
    insert = text("INSERT INTO audit_head VALUES (:id, :seq, :sha256)")
    with pytest.raises(IntegrityError) as caught, database.writing() as session:
        session.execute(insert, {"id": 1, "seq": 1, "sha256": "ZOOM-901"})
    assert "ZOOM-901" not in str(caught.value)
    database.close()


def test_a_commit_is_on_the_disk_before_the_answer(database):
    """Power may fail: write-ahead log, full synchronisation."""
    with database.reading() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA synchronous")).scalar() == 2
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
