"""The bytes of a catalogued file, from disk or out of an archive, in memory and within limits."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from typing import BinaryIO, Self

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.archive import BROKEN, DEFAULT_LIMITS, Limits, read_member
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.ingest.text import visible

_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
LARGEST_FILE_BYTES = 4 << 30
"""A larger file is not taken into memory; no report and no radiograph is that large."""


def open_source(source: SourceFile, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """All bytes of one file or archive member; UnreadableError says why not."""
    with SourceReader(limits) as reader:
        return reader.read(source)


def open_regular(location: str) -> BinaryIO:
    """Open a regular file for reading; UnreadableError for anything else."""
    descriptor, _ = _open(location)
    return os.fdopen(descriptor, "rb")


def read_whole(location: str, at_most: int) -> bytes | None:
    """All bytes of a regular file, None if it is larger; UnreadableError for anything else."""
    descriptor, size = _open(location)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        return None if size > at_most else stream.read()


def peek(location: str, count: int) -> tuple[int, bytes]:
    """Size and first bytes of a regular file; UnreadableError for anything else."""
    descriptor, size = _open(location)
    try:
        return size, os.read(descriptor, count)
    finally:
        os.close(descriptor)


def _open(location: str) -> tuple[int, int]:
    """A descriptor of a regular file, and its size.

    A named pipe or device would block or never end, so the kind is looked at first and again after
    opening, without waiting.
    """
    try:
        if not stat.S_ISREG(os.stat(location).st_mode):
            raise UnreadableError("it is no regular file")
        descriptor = os.open(location, os.O_RDONLY | _WITHOUT_WAITING)
    except (OSError, ValueError) as error:
        what = "link leads nowhere" if os.path.islink(location) else "file cannot be opened"
        raise UnreadableError(f"the {what} ({cause(error)})") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise UnreadableError("it is no regular file")
    return descriptor, status.st_size


def cause(error: BaseException) -> str:
    """What the operating system says, without the path."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return visible(text)


class SourceReader:
    """Reads many sources; keeps the archive that it opened last, because members come in runs."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._opened: list[tuple[tuple[str, tuple[int, ...]], zipfile.ZipFile, BinaryIO]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the archives that are still open."""
        self._close_from(0)

    def read(self, source: SourceFile) -> bytes:
        """All bytes of the file or member; UnreadableError says why not."""
        if source.member_indices:
            archive = self._archive(source.location, source.member_indices[:-1])
            return read_member(archive, source.member_indices[-1], self._limits)
        with open_regular(source.location) as stream:
            try:
                size = os.fstat(stream.fileno()).st_size
                if size > LARGEST_FILE_BYTES:
                    raise UnreadableError(
                        "the file is too large",
                        expected=f"at most {LARGEST_FILE_BYTES} bytes",
                        found=str(size),
                    )
                return stream.read()
            except OSError as error:
                raise UnreadableError(f"the file cannot be read ({cause(error)})") from error

    def _archive(self, location: str, inner: tuple[int, ...]) -> zipfile.ZipFile:
        """The archive at `location`, or the one inside it at these positions."""
        depth = len(inner)
        key = (location, inner)
        if len(self._opened) > depth and self._opened[depth][0] == key:
            return self._opened[depth][1]
        stream: BinaryIO
        if inner:
            parent = self._archive(location, inner[:-1])
            stream = io.BytesIO(read_member(parent, inner[-1], self._limits))
        else:
            stream = open_regular(location)
        self._close_from(depth)
        archive = open_archive(stream)
        self._opened.append((key, archive, stream))
        return archive

    def _close_from(self, depth: int) -> None:
        for _, archive, stream in self._opened[depth:]:
            archive.close()
            stream.close()
        del self._opened[depth:]


def open_archive(stream: BinaryIO) -> zipfile.ZipFile:
    """A zip archive over an open stream, which is closed if it is none."""
    try:
        return zipfile.ZipFile(stream)
    except BROKEN as error:
        stream.close()
        raise UnreadableError(
            f"the archive is damaged or cut ({visible(str(error))})", remedy="copy it again"
        ) from error
