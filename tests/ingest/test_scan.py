"""The first pass gives one answer a file, the same however it is shared out."""

from __future__ import annotations

import hashlib
import os

import pytest
from pydantic import TypeAdapter

from zoom_imaging.ingest import scan as module
from zoom_imaging.ingest.catalogue import Disposition, SourceFile
from zoom_imaging.ingest.clues import ParsedFile
from zoom_imaging.ingest.discover import discover
from zoom_imaging.ingest.scan import scan


@pytest.fixture
def sources(tmp_path, specimen) -> list[SourceFile]:
    content = {
        "film": specimen.dicom(specimen.film()),
        "report": specimen.dicom(specimen.report()),
        "text": b"hello",
        "cut": specimen.dicom(specimen.film())[:-1],
    }
    for n in range(6):
        for name, value in content.items():
            specimen.put(tmp_path / f"{name}{n}", value)
    specimen.put(tmp_path / "z.zip", specimen.archive(content))
    return [one.source for one in discover([tmp_path]).files]


def test_several_processes_give_the_answers_of_one_in_the_same_order(sources, monkeypatch):
    monkeypatch.setattr(module, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(module, "_CHUNK_FILES", 3)
    steps = []
    shared = scan(sources, jobs=2, progress=lambda done, of: steps.append((done, of)))
    assert shared == scan(sources)
    assert [step[0] for step in steps] == sorted(step[0] for step in steps)
    assert steps[-1] == (len(sources), len(sources))


def test_every_file_is_hashed(sources):
    for source, found in zip(sources, scan(sources), strict=True):
        if not source.member_indices:
            with open(source.location, "rb") as stream:
                assert found.sha256 == hashlib.sha256(stream.read()).hexdigest()


def test_known_bytes_are_hashed_and_not_parsed_again(sources, monkeypatch):
    cache: dict = {}
    first = scan(sources, cache=cache)
    assert set(cache) == {(one.sha256, one.size_bytes) for one in first}

    def fail(*_):
        raise AssertionError("parsed again")

    monkeypatch.setattr(module, "parse", fail)
    assert scan(sources, cache=cache) == first


def test_a_file_of_the_same_size_and_time_with_other_bytes_is_read_anew(tmp_path, specimen):
    cache: dict = {}
    path = specimen.put(tmp_path / "x", specimen.dicom(specimen.film(PatientID="T-001")))
    source = SourceFile("x", str(path))
    stamp = os.stat(path)
    scan([source], cache=cache)
    specimen.put(path, specimen.dicom(specimen.film(PatientID="T-002")))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert os.stat(path).st_size == stamp.st_size
    (found,) = scan([source], cache=cache)
    assert found.parsed.header.subject_id == "T-002"


def test_what_was_parsed_can_be_kept_as_json(sources):
    keeper = TypeAdapter(ParsedFile)
    for found in scan(sources):
        assert keeper.validate_json(keeper.dump_json(found.parsed)) == found.parsed


def test_a_large_file_is_streamed_to_the_same_answer(sources, monkeypatch):
    whole = scan(sources)
    monkeypatch.setattr(module, "_IN_MEMORY_BYTES", 10)
    assert scan(sources) == whole


def test_a_file_that_vanished_is_unreadable(tmp_path):
    (found,) = scan([SourceFile("gone", str(tmp_path / "gone"))])
    assert found.parsed.problem is Disposition.UNREADABLE
    assert "No such file" in found.parsed.reason


def test_an_error_of_our_own_costs_one_file(sources, monkeypatch):
    real = module.parse

    def stumble(content, limits):
        if content == b"hello":
            raise ZeroDivisionError
        return real(content, limits)

    monkeypatch.setattr(module, "parse", stumble)
    found = scan(sources)
    failed = [one for one in found if one.parsed.problem is Disposition.FAILED]
    assert len(failed) == 7
    assert all("ZeroDivisionError" in one.parsed.reason and one.sha256 for one in failed)


def test_a_file_that_kills_its_process_is_failed_and_the_others_are_read(sources, monkeypatch):
    real = module.parse
    parent = os.getpid()

    def die(content, limits):
        if content == b"hello" and os.getpid() != parent:
            os._exit(9)
        return real(content, limits)

    monkeypatch.setattr(module, "parse", die)  # reaches the workers because they are forked
    monkeypatch.setattr(module, "_start_method", lambda: "fork")
    monkeypatch.setattr(module, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(module, "_CHUNK_FILES", 5)
    found = scan(sources[:12], jobs=2)
    for source, one in zip(sources[:12], found, strict=True):
        died = source.path.startswith("text")
        assert (one.parsed.problem is Disposition.FAILED) == died
        if died:
            assert "died" in one.parsed.reason
