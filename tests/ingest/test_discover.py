"""Every file of the sources once, and nothing that is no file of the sources."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.ingest import source as source_module
from zoom_imaging.ingest.archive import Limits
from zoom_imaging.ingest.catalogue import Disposition, FileKind
from zoom_imaging.ingest.discover import discover
from zoom_imaging.ingest.source import open_source


def paths(*sources: Path) -> list[str]:
    return [found.source.path for found in discover(sources).files]


def test_a_folder_is_walked_to_its_end_in_order(tmp_path, specimen):
    for name in ("b.dcm", "a/z.dcm", "a/deep/er/x", ".hidden", "A"):
        specimen.put(tmp_path / name, b"1")
    assert paths(tmp_path) == [".hidden", "A", "a/deep/er/x", "a/z.dcm", "b.dcm"]


def test_several_sources_name_themselves_and_share_no_file(tmp_path, specimen, monkeypatch):
    specimen.put(tmp_path / "one/x", b"1")
    specimen.put(tmp_path / "two/x", b"1")
    specimen.put(tmp_path / "two/sub/y", b"1")
    monkeypatch.chdir(tmp_path)
    assert paths(Path("one"), Path("two")) == ["one/x", "two/sub/y", "two/x"]
    assert paths(Path("two/sub"), Path("two")) == ["two/sub/y", "two/x"]
    assert paths(Path("two/x"), Path("two"), Path("two")) == ["two/sub/y", "two/x"]


def test_a_single_file_goes_by_its_name(tmp_path, specimen):
    assert paths(specimen.put(tmp_path / "sub/x.dcm", b"1")) == ["x.dcm"]


def test_a_source_that_does_not_exist_is_a_wrong_request(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist"):
        discover([tmp_path / "nothing"])


def test_links(tmp_path, specimen):
    specimen.put(tmp_path / "real/base.dcm", b"1")
    (tmp_path / "real/up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "real")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "file").symlink_to(tmp_path / "real/base.dcm")
    found = discover([tmp_path])
    rows = {one.source.path: one for one in found.files}
    assert set(rows) == {"real/base.dcm", "self", "dangling", "file"}
    for name in ("self", "dangling"):
        assert rows[name].disposition is Disposition.UNREADABLE
        assert "link leads nowhere" in rows[name].reason
    assert len(found.notes) == 2
    assert all("not followed" in note for note in found.notes)


def test_what_is_no_regular_file_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (found,) = discover([tmp_path]).files
    assert (found.disposition, found.reason) == (Disposition.UNREADABLE, "it is no regular file")


def test_a_file_or_folder_without_permission_gets_its_row(tmp_path, specimen, monkeypatch):
    specimen.put(tmp_path / "closed/x", b"1")
    specimen.put(tmp_path / "locked", b"1")
    real_open, real_scan = os.open, os.scandir

    def refuse_open(path, *rest, **named):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *rest, **named)

    def refuse_scan(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real_scan(path)

    monkeypatch.setattr(source_module.os, "open", refuse_open)
    monkeypatch.setattr(os, "scandir", refuse_scan)
    found = {one.source.path: one for one in discover([tmp_path]).files}
    assert set(found) == {"closed/", "locked"}
    for one in found.values():
        assert one.disposition is Disposition.UNREADABLE
        assert "Permission denied" in one.reason


def test_names_stay_distinct_and_open_their_file_again(tmp_path, specimen):
    composed, decomposed = "환자", unicodedata.normalize("NFD", "환자")
    specimen.put(tmp_path / composed / "x", b"composed")
    specimen.put(tmp_path / decomposed / "x", b"decomposed")
    os.makedirs(os.fsencode(tmp_path) + b"/\xb0\xa1")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb0\xa1/x")).write_bytes(b"bytes")
    specimen.put(tmp_path / "new\nline", b"control")
    found = discover([tmp_path]).files
    content = {one.source.path: open_source(one.source) for one in found}
    assert content == {
        f"{composed}/x": b"composed",
        f"{decomposed}/x": b"decomposed",
        "\\xb0\\xa1/x": b"bytes",
        "new\\x0aline": b"control",
    }


def test_archives_are_told_by_content_and_read_to_their_depth(tmp_path, specimen):
    inner = specimen.archive({"m12/IM1": b"twelve"})
    outer = specimen.archive({"base.dcm": b"base", "inner.bin": inner, "x.zip": b"no archive"})
    specimen.put(tmp_path / "export.dat", outer)
    specimen.put(tmp_path / "cut.zip", outer[: len(outer) // 2])
    specimen.put(tmp_path / "named.zip", b"no archive")
    found = {one.source.path: one for one in discover([tmp_path]).files}
    assert list(found) == [
        "cut.zip",
        "export.dat",
        "export.dat!base.dcm",
        "export.dat!inner.bin",
        "export.dat!inner.bin!m12/IM1",
        "export.dat!x.zip",
        "named.zip",
    ]
    assert found["cut.zip"].disposition is Disposition.UNREADABLE
    for name in ("export.dat", "export.dat!inner.bin"):
        assert found[name].kind is FileKind.ARCHIVE
        assert found[name].disposition is Disposition.NOT_RELEVANT
        assert "have their own rows" in found[name].reason
    assert open_source(found["export.dat!inner.bin!m12/IM1"].source) == b"twelve"
    assert found["export.dat!inner.bin!m12/IM1"].source.member == "inner.bin!m12/IM1"


def test_archives_inside_each_other_end(tmp_path, specimen):
    content = specimen.archive({"x": b"1"})
    for _ in range(6):
        content = specimen.archive({"in.zip": content})
    specimen.put(tmp_path / "a.zip", content)
    found = discover([tmp_path]).files
    assert found[-1].disposition is Disposition.UNREADABLE
    assert "more than 4 deep" in found[-1].reason


def test_an_archive_may_not_inflate_without_end(tmp_path, specimen):
    inner = specimen.archive({f"{n}": bytes(1000) for n in range(5)})
    specimen.put(tmp_path / "a.zip", specimen.archive({f"{n}.zip": inner for n in range(5)}))
    limits = Limits(archive_free_bytes=12_000, ratio=0.1)
    found = discover([tmp_path], limits).files
    read = [one for one in found if one.disposition is None]
    refused = [one for one in found if one.disposition is Disposition.UNREADABLE]
    assert 0 < len(read) <= 12
    assert all("than an archive of this size may hold" in one.reason for one in refused)
    assert refused


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_two_rows(tmp_path, specimen):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("x", b"first")
        made.writestr("x", b"second")
    found = {one.source.path: one for one in discover([tmp_path]).files}
    assert list(found) == ["a.zip", "a.zip!x", "a.zip!x#2"]
    assert open_source(found["a.zip!x"].source) == b"first"
    assert open_source(found["a.zip!x#2"].source) == b"second"


def test_an_office_document_is_no_archive_of_files(tmp_path, specimen):
    content = specimen.archive({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"})
    specimen.put(tmp_path / "letter.docx", content)
    (found,) = discover([tmp_path]).files
    assert found.disposition is Disposition.NOT_DICOM
