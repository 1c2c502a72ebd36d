"""One run holds a result folder; a second one is told who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from zoom_imaging.endpoints.write import writing
from zoom_imaging.errors import OutputError, OutputFolderBusyError

LOCK_NAME = ".lock"
HOLDER_NAME = ".lock.json"


@contextmanager
def hold(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold `folder` for one run, making it if need be.

    The operating system lets go of the lock when a process dies, so a killed run blocks nobody; the
    note of who held it stays behind and `say` is told that it is taken over. OutputFolderBusyError
    names process and host of the run that works there now; OutputError if the folder cannot be made
    or cannot be locked.
    """
    from filelock import FileLock, Timeout

    lock_path, holder_path = folder / LOCK_NAME, folder / HOLDER_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_path, timeout=0)
        lock.acquire()
    except Timeout:
        raise OutputFolderBusyError(
            f"result folder {folder} is held by another run ({_describe(holder_path)})",
            remedy="wait until it has finished, or choose another --out",
        ) from None
    except (OSError, NotImplementedError) as error:
        raise OutputError(
            f"result folder {folder} cannot be made and locked ({_cause(error)})",
            remedy="choose a folder that may be written, on a file system with locks",
        ) from error
    try:
        if holder_path.exists():
            say(
                f"Taking over {folder}: its last run did not end properly "
                f"({_describe(holder_path)})."
            )
        _note_holder(holder_path)
        yield
    finally:
        # The lock file itself stays: deleting it would let two runs lock two different files.
        try:
            holder_path.unlink(missing_ok=True)
        finally:
            lock.release()


def _note_holder(path: Path) -> None:
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    with writing(path):
        path.write_text(json.dumps(holder) + "\n", encoding="utf-8")


def _describe(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"process {holder['pid']} on host {holder['host']}, started {holder['started']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "process and host unknown: it is only just starting, or it left no note"


def _cause(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"
