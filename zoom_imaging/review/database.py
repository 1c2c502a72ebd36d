"""The database of the reading room: SQLite by default, PostgreSQL by URL.

Every change happens in `writing()`. Writers take turns, on SQLite by its write lock and on
PostgreSQL by the row of the audit trail's head, so that whatever a writer reads first is still true
when it commits. A commit is on the disk before the answer is given.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.review.tables import AuditHead

DATABASE_NAME = "readings.sqlite3"
_MIGRATIONS = Path(__file__).parent / "migrations"
_WAIT_SECONDS = 30
_MIGRATION_LOCK = 0x7A6F6F6D


def database_url(database: str | Path) -> URL:
    """A URL as it is, anything else as the path of an SQLite file."""
    text = str(database)
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).absolute()))
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ConfigurationError(
            f"database {text} is no URL", expected="sqlite:///FILE or postgresql+psycopg://..."
        ) from error
    if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigurationError(
            f"database {url.render_as_string()} is of an unknown kind",
            expected="sqlite or postgresql",
            found=url.get_backend_name(),
        )
    return url


class Database:
    """One database, brought to the newest schema when it is opened."""

    def __init__(self, database: str | Path, *, create: bool = True) -> None:
        """ConfigurationError where it cannot be reached; without `create`, also if it is new."""
        self.url = database_url(database)
        is_file = self.url.get_backend_name() == "sqlite"
        # SQLite lets whoever asks at the right moment go first: others could wait for ever.
        self._turn: AbstractContextManager[object] = threading.Lock() if is_file else nullcontext()
        if is_file and not create and not Path(self.url.database or "").is_file():
            raise ConfigurationError(
                f"database {self.url.database} does not exist",
                remedy="name the file that `review` wrote, or its URL",
            )
        try:
            self._engine = _engine(self.url)
            with self._engine.execution_options(writing=True).begin() as connection:
                _migrate(connection)
        except (SQLAlchemyError, ImportError, OSError) as error:
            cause = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise ConfigurationError(
                f"database {self.name} cannot be used ({cause})",
                remedy="check the path or URL, its permissions, and that the server runs",
            ) from error

    @property
    def name(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view; nothing that happens in it is kept."""
        engine = self._engine
        if self.url.get_backend_name() != "sqlite":  # whose transactions are snapshots anyway
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with Session(engine, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One change, alone, kept as a whole when the block ends well."""
        engine = self._engine.execution_options(writing=True)
        with self._turn, Session(engine, expire_on_commit=False) as session, session.begin():
            session.execute(select(AuditHead).with_for_update()).one()
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def _engine(url: URL) -> Engine:
    # What a statement holds (subjects, answers) does not belong into the text of an error.
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url, pool_pre_ping=True, isolation_level="READ COMMITTED", hide_parameters=True
        )
    engine = create_engine(url, connect_args={"timeout": _WAIT_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # Transactions are begun by `_begin_sqlite`: the driver's own would start too late.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":  # of two servers that start, one waits
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
