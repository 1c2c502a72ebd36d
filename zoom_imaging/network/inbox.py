"""A folder that objects arrive in: each whole or not at all, and never one in place of another.

A file is named by its SOP Instance UID. It has no name before all of it is on the disk (Linux), or
a hidden name that ends in `.part` where the file system cannot do that. What comes twice is kept
once; what comes under the same UID with another content is kept beside, and the run reports both as
conflicting.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock

from zoom_imaging.errors import OutputError, UnreadableError
from zoom_imaging.ingest.catalogue import Header, SourceFile
from zoom_imaging.ingest.header import parse_stream
from zoom_imaging.ingest.identity import Claimant, copies
from zoom_imaging.ingest.source import open_regular

_UID = re.compile(r"[0-9][0-9.]{0,63}")
_PART_NAME = ".incoming-{}.part"
_STALE_SECONDS = 3600
"""Writing one object takes seconds: a part of this age was left by a killed process."""
_ORDINARY_MODE = 0o666  # less the umask, like any new file


class Keeping(StrEnum):
    """What became of an object that was put into the inbox."""

    NEW = "new"
    HELD = "held"
    """The same data set was here before, and is kept as it was."""
    CONFLICTING = "conflicting"
    """Another content was here under the same UID: both are kept."""


@dataclass(frozen=True)
class Kept:
    """Where an object lies now."""

    keeping: Keeping
    path: Path
    size_bytes: int


def safe_name(sop_instance_uid: str) -> str:
    """A file name for a UID; one that is no UID could leave the folder, so its hash stands in."""
    if _UID.fullmatch(sop_instance_uid):
        return sop_instance_uid
    digest = hashlib.sha256(sop_instance_uid.encode("utf-8", "surrogateescape")).hexdigest()
    return f"no-uid-{digest[:32]}"


class Inbox:
    """The folder. OutputError if it cannot be made or written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._unnamed = _can_name_later(folder)
            self._remove_stale()
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be written ({error.strerror or type(error).__name__})",
                remedy="name another folder",
            ) from error

    def keep(self, sop_instance_uid: str, content: bytes) -> Kept:
        """Put a whole file here. OSError, as it comes from the disk, leaves nothing behind."""
        name = safe_name(sop_instance_uid)
        path = self.folder / f"{name}.dcm"
        if _holds(path, content):
            return Kept(Keeping.HELD, path, len(content))
        with self._written(content) as part:
            if self._publish(part, path):
                return Kept(Keeping.NEW, path, len(content))
            if _same_data_set(path, part):
                return Kept(Keeping.HELD, path, path.stat().st_size)
            beside = self.folder / f"{name}.{hashlib.sha256(content).hexdigest()[:16]}.dcm"
            self._publish(part, beside)
        return Kept(Keeping.CONFLICTING, beside, len(content))

    def find(self, sop_instance_uid: str) -> tuple[Path, Header] | None:
        """The whole file of a UID; None where there is none, or it is damaged."""
        path = self.folder / f"{safe_name(sop_instance_uid)}.dcm"
        try:
            with open_regular(os.fspath(path)) as stream:
                parsed = parse_stream(stream, os.fstat(stream.fileno()).st_size)
        except (OSError, UnreadableError):
            return None
        header = parsed.header
        if parsed.problem is not None or header is None:
            return None
        return (path, header) if header.sop_instance_uid == sop_instance_uid else None

    @contextmanager
    def _written(self, content: bytes) -> Iterator[str]:
        """A path to the content, all of it on the disk; it is gone afterwards."""
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        named = ""
        if self._unnamed:
            descriptor = os.open(self.folder, flags | os.O_TMPFILE, _ORDINARY_MODE)
        else:
            named = os.fspath(self.folder / _PART_NAME.format(secrets.token_hex(8)))
            descriptor = os.open(named, flags | os.O_CREAT | os.O_EXCL, _ORDINARY_MODE)
        try:
            with open(descriptor, "wb", closefd=False) as stream:
                stream.write(content)
            os.fsync(descriptor)
            yield named or f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
            if named:
                with suppress(FileNotFoundError):
                    os.unlink(named)

    def _publish(self, part: str, path: Path) -> bool:
        """Give the content its name; False if something has that name already."""
        try:
            if self._unnamed:
                _name_descriptor(part, path)
            else:
                self._name_file(part, path)
        except FileExistsError:
            return False
        _flush_folder(self.folder)
        return True

    def _name_file(self, part: str, path: Path) -> None:
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            with self._lock:
                if os.path.lexists(path):
                    raise FileExistsError(path) from None
                os.rename(part, path)

    def _remove_stale(self) -> None:
        for part in self.folder.glob(_PART_NAME.format("*")):
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _STALE_SECONDS:
                    part.unlink()


def _can_name_later(folder: Path) -> bool:
    """Whether a file can be written without a name and then be named (Linux `O_TMPFILE`)."""
    probe = folder / _PART_NAME.format(secrets.token_hex(8))
    if not hasattr(os, "O_TMPFILE"):
        probe.touch()
        probe.unlink()
        return False
    try:
        descriptor = os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, _ORDINARY_MODE)
    except OSError:
        # Not supported here, or not writable: making a named file tells which.
        probe.touch()
        probe.unlink()
        return False
    try:
        _name_descriptor(f"/proc/self/fd/{descriptor}", probe)
        probe.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _name_descriptor(part: str, path: Path) -> None:
    # Only with a folder's descriptor does os.link follow the link in /proc to the file itself.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.link(part, path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _flush_folder(folder: Path) -> None:
    """The name outlives a power cut, too, where folders can be flushed."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _same_data_set(path: Path, part: str) -> bool:
    """Whether both are one data set, perhaps in another transfer syntax or with other lengths."""
    claimants = []
    for number, location in enumerate((os.fspath(path), part)):
        # The hash only tells files apart whose bytes differ, which is known here.
        claimants.append(Claimant(SourceFile(location, location), str(number), ""))
    return copies(claimants)
