"""A PostgreSQL server of its own in a temporary folder, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

_INSTALLED = Path("/usr/lib/postgresql")
_USERS = ("postgres", "nobody")
_OWNER = "zoom"
_LONGEST_SECONDS = 60
_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


@dataclass(frozen=True)
class Postgres:
    """A server that listens at a socket in `folder`."""

    folder: Path
    _numbers: Iterator[int]

    def url(self, name: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql+psycopg://{_OWNER}@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        import psycopg

        name = f"trial{next(self._numbers)}"
        where = f"host={self.folder} user={_OWNER} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)


def why_not() -> str:
    """Why there can be no server here; "" where there can."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed: zoom_imaging[postgres]"
    if _program("initdb") is None or _program("postgres") is None:
        return "initdb and postgres are not installed (Debian: postgresql)"
    if os.geteuid() == 0 and _other_user() is None:
        return f"PostgreSQL does not run as root, and there is no user {' or '.join(_USERS)}"
    return ""


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that has always ended afterwards; only where `why_not` has no reason."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has 107 bytes
    try:
        person = _other_user() if os.geteuid() == 0 else None
        if person is not None:
            os.chown(folder, person.pw_uid, person.pw_gid)
        data = folder / "data"
        make = [_program("initdb"), "-D", data, "-U", _OWNER, "--auth=trust", "--no-sync"]
        made = _popen([*make, "--encoding=UTF8", "--locale=C"], folder, person)
        assert made.wait(_LONGEST_SECONDS) == 0, (folder / "log").read_text()
        settings = [f"-c{one}" for one in (*_QUICK, "listen_addresses=", "max_connections=60")]
        process = _popen(
            [_program("postgres"), "-D", data, "-k", folder, *settings], folder, person
        )
        try:
            _wait(process, folder)
            yield Postgres(folder, count(1))
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                process.wait(_LONGEST_SECONDS)
            finally:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str | None:
    found = shutil.which(name)
    places = sorted(_INSTALLED.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return found or (str(places[-1]) if places else None)


def _other_user() -> pwd.struct_passwd | None:
    known = {person.pw_name: person for person in pwd.getpwall()}
    return next((known[name] for name in _USERS if name in known), None)


def _popen(
    command: Sequence[object], folder: Path, person: pwd.struct_passwd | None
) -> subprocess.Popen[bytes]:
    as_whom = (
        {}
        if person is None
        else {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
    )
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **as_whom,
        )


def _wait(process: subprocess.Popen[bytes], folder: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _LONGEST_SECONDS
    while True:
        try:
            psycopg.connect(f"host={folder} user={_OWNER} dbname=postgres").close()
        except psycopg.OperationalError:
            running = process.poll() is None and time.monotonic() < deadline
            assert running, (folder / "log").read_text()
            time.sleep(0.05)
        else:
            return
