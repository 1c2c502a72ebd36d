"""Zip archives: their members, named and judged before anything is inflated.

Nothing of an archive is ever written to disk. Names that climb out of the archive, links,
encrypted members and members that would inflate beyond the limits are refused one by one with a
reason; the other members of the same archive are read.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.text import visible

ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OFFICE_MEMBERS = {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"}
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_UTF8_FLAG = 0x800
_PIECE_BYTES = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)
"""What zipfile raises for archives that are cut, damaged or of a kind that it does not know."""


@dataclass(frozen=True)
class Limits:
    """How far an archive or a deflated data set may inflate.

    A member beyond `member_bytes`, or one that is larger than `ratio_free_bytes` and inflates by
    more than `ratio`, is refused, and so is what would bring an archive with all archives inside it
    beyond `total_bytes`. `depth` is how many archives may lie inside each other; `members` how many
    files one may list.
    """

    member_bytes: int = 512 << 20
    ratio: float = 200.0
    ratio_free_bytes: int = 16 << 20
    archive_bytes: int = 64 << 30
    archive_free_bytes: int = 512 << 20
    members: int = 200_000
    depth: int = 4

    def total_bytes(self, stored: int) -> int:
        """What an archive of `stored` bytes may inflate to, all members together."""
        return min(self.archive_bytes, max(self.archive_free_bytes, int(self.ratio * stored)))

    def inflated_at_most(self, stored: int) -> int:
        """What `stored` bytes may inflate to without an objection."""
        by_ratio = max(self.ratio_free_bytes, int(self.ratio * stored))
        return min(self.member_bytes, by_ratio)

    def objection(self, inflated: int, stored: int) -> str:
        """Why something of these sizes is not inflated; empty if it may be."""
        if inflated > self.member_bytes:
            return f"it inflates to {inflated} bytes (at most {self.member_bytes} are read)"
        if inflated > self.ratio_free_bytes and inflated > self.ratio * max(stored, 1):
            return f"it inflates from {stored} to {inflated} bytes, as an archive bomb does"
        return ""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Member:
    """One file of an archive; `problem` is why it is not read, empty if it may be."""

    index: int
    name: str
    raw_name: str
    size_bytes: int
    problem: str = ""


def is_zip(head: bytes) -> bool:
    """Whether a file is a zip archive, by its first bytes."""
    return head.startswith(ZIP_SIGNATURES)


def is_office_document(archive: zipfile.ZipFile) -> bool:
    """Whether the archive is one document of an office program or a Java program."""
    return any(info.filename in _OFFICE_MEMBERS for info in archive.infolist()[:3])


def list_members(
    archive: zipfile.ZipFile, size_bytes: int, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Member]:
    """Every file of the archive in the order of its directory; folders are left out.

    Raises UnreadableError for an archive whose directory is a trap.
    """
    infos = archive.infolist()
    if len(infos) > limits.members:
        raise UnreadableError(
            "the archive lists too many members",
            expected=f"at most {limits.members}",
            found=str(len(infos)),
        )
    if sum(info.compress_size for info in infos) > size_bytes:
        raise UnreadableError("the members of the archive overlap, as those of a bomb do")
    for index, info in enumerate(infos):
        if info.is_dir() and info.file_size == 0:
            continue
        problem = _objection(info, limits)
        yield Member(index, member_name(info), info.orig_filename, info.file_size, problem)


def member_name(info: zipfile.ZipInfo) -> str:
    r"""The name for tables: UTF-8 where flagged or valid, else CP949, else bytes as `\xNN`.

    Korean Windows writes CP949 without saying so, and zipfile takes it for CP437.
    """
    name = info.orig_filename
    if not info.flag_bits & _UTF8_FLAG and not name.isascii():
        raw = name.encode("cp437")
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            try:
                name = raw.decode("cp949")
            except UnicodeDecodeError:
                name = raw.decode("ascii", "surrogateescape")
    return visible(name)


def _objection(info: zipfile.ZipInfo, limits: Limits) -> str:
    mode = info.external_attr >> 16
    parts = info.orig_filename.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or _DRIVE.match(parts[0]):
        return "its path leads out of the archive, so it is not unpacked"
    if stat.S_ISLNK(mode):
        return "it is a symbolic link, which is not followed inside an archive"
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "it is no regular file"
    if info.flag_bits & 0x41:
        return "it is encrypted; unpack the archive with its password first"
    if info.compress_type not in _METHODS:
        return (
            f"its compression method {info.compress_type} is not read; pack the archive again "
            "as an ordinary zip"
        )
    refused = limits.objection(info.file_size, info.compress_size)
    return f"{refused}; unpack it by hand if it is wanted" if refused else ""


def read_member(archive: zipfile.ZipFile, index: int, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Inflate one member in memory; UnreadableError if it is damaged or beyond the limits."""
    try:
        info = archive.infolist()[index]
    except IndexError as error:
        raise UnreadableError("the archive changed since it was listed") from error
    if problem := _objection(info, limits):
        raise UnreadableError(f"member {member_name(info)}: {problem}")
    pieces: list[bytes] = []
    left = info.file_size
    try:
        with archive.open(info) as stream:
            while piece := stream.read(_PIECE_BYTES):
                pieces.append(piece)
                left -= len(piece)
    except BROKEN as error:
        raise UnreadableError(f"the archive member is damaged ({visible(str(error))})") from error
    if left != 0:
        raise UnreadableError(
            "the archive member is cut",
            expected=f"{info.file_size} bytes",
            found=f"{info.file_size - left}",
        )
    return b"".join(pieces)
