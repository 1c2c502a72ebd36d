"""Every input file of the sources, each once: files of folders and members of archives.

Linked folders are not followed and told in a note; a link to a file is a file. A file that cannot
be opened is found all the same, so that it gets its row.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from zoom_imaging.errors import ConfigurationError, UnreadableError
from zoom_imaging.ingest.archive import (
    DEFAULT_LIMITS,
    Limits,
    Member,
    is_office_document,
    is_zip,
    list_members,
    read_member,
)
from zoom_imaging.ingest.catalogue import Disposition, FileKind, SourceFile
from zoom_imaging.ingest.dicomdir import MEDIA_DIRECTORY_UID, referenced_parts, resolve_below
from zoom_imaging.ingest.source import cause, open_archive, open_regular, open_source, peek
from zoom_imaging.ingest.text import path_text

__all__ = ["Discovery", "FoundFile", "discover", "open_source"]

_HEAD_BYTES = 4


@dataclass(frozen=True)
class FoundFile:
    """One input file; with a `kind` its row is settled here, without one its header is read."""

    source: SourceFile
    kind: FileKind | None = None
    disposition: Disposition | None = None
    reason: str = ""


@dataclass(frozen=True)
class Discovery:
    """What the sources hold, in the order of the paths, and what was passed by."""

    files: tuple[FoundFile, ...]
    notes: tuple[str, ...] = ()


def discover(sources: Sequence[Path], limits: Limits = DEFAULT_LIMITS) -> Discovery:
    """Find every file below the sources.

    With one source paths are relative to it; with several each begins with its source as given.
    Raises ConfigurationError for a source that does not exist.
    """
    walk = _Walk(limits)
    for source in sources:
        prefix = f"{path_text(source).rstrip('/') or '/'}/" if len(sources) > 1 else ""
        if not os.path.lexists(source):
            raise ConfigurationError(
                f"source {path_text(source)} does not exist",
                remedy="name folders, DICOM files, DICOMDIRs or zip archives",
            )
        if os.path.isdir(source):
            walk.folder(os.fspath(source), prefix)
        else:
            walk.single(Path(source), path_text(source) if prefix else path_text(Path(source).name))
    ordered = sorted(walk.files, key=lambda found: (found.source.path, found.source.location))
    return Discovery(_distinct(ordered), tuple(sorted(walk.notes)))


def _distinct(files: Sequence[FoundFile]) -> tuple[FoundFile, ...]:
    """Paths that are written alike (two members of one name) get a number."""
    taken = {found.source.path for found in files}
    seen: Counter[str] = Counter()
    result = []
    for found in files:
        path = found.source.path
        seen[path] += 1
        number = seen[path]
        if number > 1:
            while (candidate := f"{path}#{number}") in taken:
                number += 1
            taken.add(candidate)
            found = replace(found, source=replace(found.source, path=candidate))  # noqa: PLW2901
        result.append(found)
    return tuple(sorted(result, key=lambda one: one.source.path))


class _Walk:
    """One pass over all sources, so that no folder and no file is met twice."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._folders: set[tuple[int, int]] = set()
        self._locations: set[str] = set()
        self.files: list[FoundFile] = []
        self.notes: list[str] = []
        self._inflatable = 0
        self._members = 0

    def folder(self, top: str, prefix: str) -> None:
        """Every file below a folder, without recursion: a tree may be deeper than the stack."""
        waiting = [(top, prefix)]
        while waiting:
            folder, shown = waiting.pop()
            try:
                status = os.stat(folder)
                if (status.st_dev, status.st_ino) in self._folders:
                    continue
                self._folders.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                self._refuse(
                    SourceFile(shown or ".", folder),
                    f"the folder cannot be listed ({cause(error)}): nothing in it was read",
                )
                continue
            real = os.path.realpath(folder)
            for entry in entries:
                path = shown + path_text(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{path}/"))
                elif _is_linked_folder(entry):
                    self.notes.append(f"{path} is a link to a folder: it was not followed")
                else:
                    self._file(entry.path, path, os.path.join(real, entry.name))

    def single(self, source: Path, shown: str) -> None:
        """A file named by the user; of a DICOMDIR also the files that it lists."""
        folder = os.path.realpath(source.parent)
        self._file(os.fspath(source), shown, os.path.join(folder, source.name))
        base = shown[: len(shown) - len(path_text(source.name))]
        for found in _listed_files(source):
            below = os.path.relpath(found, source.parent)
            self._file(os.fspath(found), base + path_text(below), os.path.join(folder, below))

    def _file(self, location: str, shown: str, real: str) -> None:
        """A row for one file; `real` is where it lies, so that it is met once."""
        if real in self._locations:
            return
        self._locations.add(real)
        source = SourceFile(shown, location)
        try:
            size, head = peek(location, _HEAD_BYTES)
            source = SourceFile(shown, location, size_bytes=size)
            if is_zip(head):
                self._inflatable = self._limits.total_bytes(size)
                self._members = 0
                with open_regular(location) as stream:
                    self._archive(source, stream)
            else:
                self.files.append(FoundFile(source))
        except UnreadableError as error:
            self._refuse(source, error.reason)
        except OSError as error:
            self._refuse(source, f"the file cannot be read ({cause(error)})")

    def _archive(self, source: SourceFile, stream: BinaryIO) -> None:
        """A row for the archive and one for each member, archives inside it included."""
        count = 0
        disposition, reason = Disposition.NOT_RELEVANT, ""
        try:
            with open_archive(stream) as archive:
                if is_office_document(archive):
                    self._settle(source, Disposition.NOT_DICOM, "a document of an office program")
                    return
                for member in list_members(archive, source.size_bytes, self._limits):
                    count += 1
                    self._member(source, archive, member)
        except UnreadableError as error:
            disposition, reason = Disposition.UNREADABLE, error.reason
        reason = reason or (
            f"an archive holds no results itself; its {count} members have their own rows"
        )
        self._settle(source, disposition, reason, FileKind.ARCHIVE)

    def _member(self, archive_source: SourceFile, archive: zipfile.ZipFile, member: Member) -> None:
        outer = archive_source.member
        source = SourceFile(
            path=f"{archive_source.path}!{member.name}",
            location=archive_source.location,
            member=f"{outer}!{member.raw_name}" if outer else member.raw_name,
            size_bytes=member.size_bytes,
            member_indices=(*archive_source.member_indices, member.index),
        )
        self._inflatable -= 0 if member.problem else member.size_bytes
        self._members += 1
        if member.problem:
            self._refuse(source, member.problem)
        elif self._inflatable < 0 or self._members > self._limits.members:
            self._refuse(
                source,
                "its archive inflates to more than an archive of this size may hold; "
                "unpack it by hand",
            )
        else:
            try:
                if not is_zip(_head_of_member(archive, member.index)):
                    self.files.append(FoundFile(source))
                elif len(source.member_indices) >= self._limits.depth:
                    self._settle(
                        source,
                        Disposition.UNREADABLE,
                        f"archives lie inside each other more than {self._limits.depth} deep; "
                        "unpack them by hand",
                        FileKind.ARCHIVE,
                    )
                else:
                    content = read_member(archive, member.index, self._limits)
                    with io.BytesIO(content) as inner:
                        self._archive(source, inner)
            except UnreadableError as error:
                self._refuse(source, error.reason)

    def _refuse(self, source: SourceFile, reason: str) -> None:
        self._settle(source, Disposition.UNREADABLE, reason)

    def _settle(
        self,
        source: SourceFile,
        disposition: Disposition,
        reason: str,
        kind: FileKind = FileKind.NOT_DICOM,
    ) -> None:
        self.files.append(FoundFile(source, kind, disposition, reason))


def _is_linked_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:
        return False


def _head_of_member(archive: zipfile.ZipFile, index: int) -> bytes:
    try:
        with archive.open(archive.infolist()[index]) as stream:
            return stream.read(_HEAD_BYTES)
    except Exception as error:  # zipfile and zlib raise many kinds for damaged members
        raise UnreadableError(f"the archive member is damaged ({type(error).__name__})") from error


def _listed_files(source: Path) -> Iterator[Path]:
    """Files that a DICOMDIR lists below its own folder; none for any other file."""
    try:
        if MEDIA_DIRECTORY_UID.encode() not in peek(os.fspath(source), 1024)[1]:
            return
        references = referenced_parts(open_source(SourceFile(source.name, os.fspath(source))))
    except (OSError, UnreadableError):
        return
    for parts in references:
        found = resolve_below(source.parent, parts)
        if found is not None:
            yield found
