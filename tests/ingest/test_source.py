"""The bytes of a catalogued file, again, within limits, and nothing written to disk."""

from __future__ import annotations

import os

import pytest

from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest import source as module
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.ingest.discover import discover
from zoom_imaging.ingest.source import SourceReader, open_source


def test_members_of_members_are_read_in_any_order(tmp_path, specimen):
    inner = specimen.archive({"a": b"inner a", "b": b"inner b"})
    specimen.put(tmp_path / "x.zip", specimen.archive({"c": b"outer c", "in.zip": inner}))
    specimen.put(tmp_path / "plain", b"plain")
    before = sorted(os.listdir(tmp_path))
    sources = [one.source for one in discover([tmp_path]).files if one.disposition is None]
    with SourceReader() as reader:
        for order in (sources, sources[::-1], sources * 2):
            for one in order:
                assert (
                    reader.read(one)
                    == one.path.split("!", 1)[-1]
                    .replace("in.zip!", "inner ")
                    .replace("c", "outer c")
                    .encode()
                )
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("kind", ["gone", "folder", "pipe"])
def test_what_cannot_be_read_says_why(tmp_path, kind):
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(UnreadableError):
        open_source(SourceFile(kind, str(path)))


def test_a_file_that_is_too_large_is_not_taken_into_memory(tmp_path, specimen, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_FILE_BYTES", 3)
    path = specimen.put(tmp_path / "x", b"1234")
    with pytest.raises(UnreadableError, match="at most 3 bytes, found 4"):
        open_source(SourceFile("x", str(path)))


def test_an_archive_that_changed_since_says_so(tmp_path, specimen):
    path = specimen.put(tmp_path / "x.zip", specimen.archive({"a": b"1"}))
    source = SourceFile("x.zip!b", str(path), "b", 1, (1,))
    with pytest.raises(UnreadableError, match="changed"):
        open_source(source)
