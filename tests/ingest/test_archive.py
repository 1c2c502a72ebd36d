"""Members of archives: named rightly, judged before they are inflated, read within limits."""

from __future__ import annotations

import io
import stat
import struct
import zipfile

import pytest

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.archive import Limits, list_members, member_name, read_member


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def members(content: bytes, limits: Limits | None = None):
    with opened(content) as archive:
        return list(list_members(archive, len(content), limits or Limits()))


def info(name: str, **attributes: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


@pytest.mark.parametrize(
    "name",
    [
        "../up.dcm",
        "a/../../up.dcm",
        "/etc/x.dcm",
        "C:\\x.dcm",
        "c:x.dcm",
        "a\\..\\..\\x.dcm",
        "\\\\host\\x",
    ],
)
def test_a_path_that_leads_out_is_not_unpacked(specimen, name):
    content = specimen.archive({"good.dcm": b"1", name: b"2"})
    good, bad = members(content)
    assert not good.problem
    assert "leads out" in bad.problem
    with opened(content) as archive, pytest.raises(UnreadableError, match="leads out"):
        read_member(archive, 1)


@pytest.mark.parametrize("name", ["a/b.dcm", "a\\b.dcm", "..x/b", "a..b", "./a", "한글"])
def test_a_path_that_only_looks_odd_is_read(specimen, name):
    content = specimen.archive({name: b"1"})
    (member,) = members(content)
    assert not member.problem
    with opened(content) as archive:
        assert read_member(archive, 0) == b"1"


def test_links_and_pipes_are_not_read(specimen):
    link = info("link", create_system=3, external_attr=(stat.S_IFLNK | 0o777) << 16)
    pipe = info("pipe", create_system=3, external_attr=(stat.S_IFIFO | 0o777) << 16)
    found = members(specimen.archive({link: b"/etc/passwd", pipe: b""}))
    assert "symbolic link" in found[0].problem
    assert "no regular file" in found[1].problem


def test_an_encrypted_member_says_so(specimen):
    content = bytearray(specimen.archive({"a.dcm": b"secret"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in members(bytes(content))[0].problem


def test_an_unknown_compression_says_so(specimen):
    content = bytearray(specimen.archive({"a.dcm": b"1" * 50}))
    at = content.index(b"PK\x01\x02") + 10
    content[at : at + 2] = struct.pack("<H", 9)
    assert "compression method 9" in members(bytes(content))[0].problem


def test_a_member_that_inflates_too_far_is_refused_and_the_others_are_read(specimen):
    content = specimen.archive({"bomb": bytes(20 << 20), "good": b"good"})
    bomb, good = members(content)
    assert "bomb" in bomb.problem
    assert not good.problem
    with opened(content) as archive:
        assert read_member(archive, 1) == b"good"


def test_a_declared_size_that_is_a_lie_is_found(specimen):
    content = bytearray(specimen.archive({"a": b"x" * 5000}))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.index(signature) + offset
        content[at : at + 4] = struct.pack("<I", 100)
    with opened(bytes(content)) as archive, pytest.raises(UnreadableError, match="damaged"):
        read_member(archive, 0)


def test_damaged_bytes_are_found(specimen):
    content = bytearray(specimen.archive({"a": bytes(range(256)) * 20}))
    content[60] ^= 0xFF
    with opened(bytes(content)) as archive, pytest.raises(UnreadableError, match="damaged"):
        read_member(archive, 0)


def test_too_many_members_are_refused(specimen):
    content = specimen.archive({str(n): b"" for n in range(11)})
    with pytest.raises(UnreadableError, match="at most 10, found 11"):
        members(content, Limits(members=10))


def test_overlapping_members_are_refused(specimen):
    content = specimen.archive({"a": bytes(range(256)) * 9})
    with opened(content) as archive, pytest.raises(UnreadableError, match="overlap"):
        list(list_members(archive, 10))


@pytest.mark.parametrize(
    ("stored", "flag", "shown"),
    [
        ("검사/기저.dcm".encode("cp949"), 0, "검사/기저.dcm"),
        ("검사/기저.dcm".encode(), 0, "검사/기저.dcm"),
        ("검사/기저.dcm".encode(), 0x800, "검사/기저.dcm"),
        (b"plain.dcm", 0, "plain.dcm"),
        (b"\xff\xfe.dcm", 0, "\\xff\\xfe.dcm"),
        (b"a\nb", 0, "a\\x0ab"),
    ],
)
def test_names_in_the_encodings_that_occur(stored, flag, shown):
    made = zipfile.ZipInfo(stored.decode("utf-8" if flag else "cp437"))
    made.flag_bits = flag
    assert member_name(made) == shown


def test_folders_are_no_members(specimen):
    assert [one.name for one in members(specimen.archive({"a/": b"", "a/b": b"1"}))] == ["a/b"]
