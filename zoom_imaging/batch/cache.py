"""What was computed from which bytes, so that a second run redoes only what changed.

An entry is named by the hash of everything that decides its content: the input's bytes, the program
and its packages, the charter and, for films, the model. Clocks and paths play no part. All entries
lie in one SQLite file: at 100,000 studies a file each takes four times the space and half a minute
to remove (docs/performance.md).
"""

from __future__ import annotations

import shutil
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from zoom_imaging.batch.study import Outcome, Study
from zoom_imaging.charter import Charter
from zoom_imaging.endpoints.write import writing
from zoom_imaging.errors import OutputError
from zoom_imaging.ingest.catalogue import Disposition, FileKind
from zoom_imaging.provenance import package_versions, sha256_of_bytes

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

CACHE_NAME = ".cache"
STORE_NAME = "outcomes.sqlite"

_ASKED_AT_ONCE = 500  # SQLite takes 999 parameters in its oldest builds
_KEPT_BACK = 200
_KEPT_BACK_S = 1.0  # a run that is killed loses the work of about this long


class Cache:
    """Outcomes in `folder`/.cache; a damaged entry counts as absent, a damaged file as empty.

    Used in a `with` block, at whose end everything that was put is on the disk.
    """

    def __init__(self, folder: Path, charter: Charter, model_sha256: str, engine: str) -> None:
        """Entries hold for this charter and this model only."""
        self.folder = folder / CACHE_NAME
        rules = (charter_sha256(charter), program_sha256())
        self._salts: Mapping[FileKind, tuple[str, ...]] = {
            FileKind.DXA_REPORT: rules,
            FileKind.SPINE_RADIOGRAPH: (*rules, model_sha256, engine),
        }
        self._engine: Engine | None = None
        self._table = _table()
        self._back: dict[str, bytes] = {}
        self._written = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None or not issubclass(kind, OutputError):
                self.flush()
        finally:
            self._close()

    def known(self, studies: Sequence[Study]) -> Iterator[tuple[Study, Outcome | None]]:
        """Each study with its remembered outcome, or None where it must be computed."""
        for start in range(0, len(studies), _ASKED_AT_ONCE):
            asked = studies[start : start + _ASKED_AT_ONCE]
            found = self._bodies([self._key(study) for study in asked])
            for study in asked:
                body = found.get(self._key(study))
                yield study, _outcome(body, study) if body is not None else None

    def get(self, study: Study) -> Outcome | None:
        """The remembered outcome for these bytes, or None where it must be computed."""
        ((_, outcome),) = self.known([study])
        return outcome

    def put(self, study: Study, body: bytes) -> None:
        """Remember an outcome as `study.run` gave it; OutputError where it cannot be written.

        Within a second or so it is on the disk, with its neighbours.
        """
        self._back[self._key(study)] = body
        late = time.monotonic() - self._written > _KEPT_BACK_S
        if late or len(self._back) >= _KEPT_BACK:
            self.flush()

    def flush(self) -> None:
        """Write what was put; OutputError where that is not possible, and it is forgotten."""
        if not self._back:
            return
        rows = [
            {"key": key, "digest": sha256_of_bytes(body), "body": zlib.compress(body, 1)}
            for key, body in self._back.items()
        ]
        self._back.clear()
        self._written = time.monotonic()
        for last in (False, True):
            try:
                with self._connected(make=True) as connection:
                    insert = self._table.insert().prefix_with("OR REPLACE")
                    connection.execute(insert, rows)
                return
            except _DamagedError:
                self._close()
                self.clear()
                if last:
                    raise OutputError(f"{self.folder / STORE_NAME} cannot be written") from None

    def clear(self) -> None:
        """Forget everything; OutputError where it cannot be removed."""
        self._close()
        with writing(self.folder):
            if self.folder.exists():
                shutil.rmtree(self.folder)

    def _key(self, study: Study) -> str:
        parts = (study.kind.value, study.sha256, *self._salts[study.kind])
        return sha256_of_bytes("\x1f".join(parts).encode("utf-8"))

    def _bodies(self, keys: Sequence[str]) -> dict[str, bytes]:
        from sqlalchemy import select

        if not (self.folder / STORE_NAME).is_file():
            return {}
        try:
            with self._connected() as connection:
                table = self._table
                rows = connection.execute(select(table).where(table.c.key.in_(set(keys)))).all()
        except OutputError:
            return {}
        except _DamagedError:
            with suppress(OutputError):
                self.clear()
            return {}
        found = {}
        for key, digest, packed in rows:
            try:
                body = zlib.decompress(packed)
            except (zlib.error, TypeError):
                continue
            if digest == sha256_of_bytes(body):
                found[key] = body
        return found

    @contextmanager
    def _connected(self, make: bool = False) -> Iterator[Connection]:
        """A transaction; _DamagedError where the file is no sound database."""
        from sqlalchemy import URL, create_engine
        from sqlalchemy.exc import DBAPIError

        path = self.folder / STORE_NAME
        try:
            if self._engine is None:
                if make:
                    with writing(path):
                        self.folder.mkdir(parents=True, exist_ok=True)
                self._engine = create_engine(URL.create("sqlite", database=str(path.absolute())))
                if make:
                    self._table.metadata.create_all(self._engine)
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            code = getattr(error.orig, "sqlite_errorname", "")
            if code.startswith(_MACHINE):
                raise OutputError(
                    f"{path} cannot be written: {error.orig}",
                    remedy="free some space or check permissions, and run again",
                ) from error
            raise _DamagedError from error

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


class _DamagedError(Exception):
    """The store is no sound database: what it held must be computed again."""


_MACHINE = (
    *("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM"),
    *("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_NOMEM"),
)
"""Errors that are about the machine and tell nothing about the content of the store."""


def _outcome(body: bytes, study: Study) -> Outcome | None:
    try:
        return Outcome.from_json(body).at(study.source.path)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _table() -> Table:
    from sqlalchemy import Column, LargeBinary, MetaData, String, Table

    return Table(
        "outcomes",
        MetaData(),
        Column("key", String(64), primary_key=True),
        Column("digest", String(64), nullable=False),
        Column("body", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


def worth_keeping(outcome: Outcome) -> bool:
    """Whether the outcome holds for these bytes for good.

    An unexpected error may have been the machine's, and a file that was gone or changed when its
    turn came may come back: both are tried again in the next run.
    """
    return outcome.disposition is not Disposition.FAILED and not outcome.passing


def charter_sha256(charter: Charter) -> str:
    """Hash of the charter's values, whatever its file looks like."""
    return sha256_of_bytes(charter.model_dump_json().encode("utf-8"))


@lru_cache(maxsize=1)
def program_sha256() -> str:
    """Hash of this program's source and of the versions of the packages that make numbers."""
    package = Path(__file__).resolve().parents[1]
    lines = [f"{name}={version}" for name, version in sorted(package_versions().items())]
    lines += [
        f"{path.relative_to(package).as_posix()} {sha256_of_bytes(path.read_bytes())}"
        for path in sorted(package.rglob("*.py"))
    ]
    return sha256_of_bytes("\n".join(lines).encode("utf-8"))
