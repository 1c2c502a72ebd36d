"""A result set is whole: the earlier one or the new one, never a mixture and never cut."""

from __future__ import annotations

import errno
import json
import os

import pytest

from zoom_imaging.endpoints import write
from zoom_imaging.endpoints.column import Column, Kind
from zoom_imaging.errors import OutputError

COLUMNS = (
    Column("subject_id", "Subject", Kind.TEXT, "d", "s", required=True),
    Column("pct", "Change", Kind.DECIMAL, "d", "s", decimals=2),
    Column("count", "Count", Kind.INTEGER, "d", "s"),
    Column("sure", "Sure", Kind.FLAG, "d", "s"),
)


def put(folder, text, parts=("a.csv", "b.csv")):
    with write.result_set(folder) as staging:
        for part in parts:
            (staging / part).write_text(text)
        (staging / "report").mkdir()
        (staging / "report" / "index.html").write_text(text)


def seen(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def whole(text):
    return {"a.csv": text, "b.csv": text, "report/index.html": text}


def test_csv_is_utf8_with_lf_and_guards_text_but_not_numbers(tmp_path):
    path = tmp_path / "t.csv"
    rows = [
        {"subject_id": "=1+1", "pct": -4.805, "count": 2, "sure": True},
        {"subject_id": '김 "x", y', "pct": None, "count": None, "sure": None},
    ]
    write.write_csv(path, COLUMNS, rows)
    assert path.read_bytes().decode("utf-8") == (
        "subject_id,pct,count,sure\n'=1+1,-4.80,2,Y\n" + '"김 ""x"", y",,,\n'
    )


@pytest.mark.parametrize(
    ("column", "value"), [(0, 7.0), (1, "7"), (2, "x"), (3, "Y"), (0, True), (3, 1.0)]
)
def test_a_value_of_the_wrong_kind_is_refused(column, value):
    with pytest.raises(ValueError, match=COLUMNS[column].name):
        write.format_cell(COLUMNS[column], value)


def test_a_new_set_replaces_the_old_one_and_leaves_other_files_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    put(tmp_path, "one")
    put(tmp_path, "two")
    assert seen(tmp_path) == {**whole("two"), "mine.txt": "keep"}


def test_an_error_while_writing_leaves_the_old_set(tmp_path):
    put(tmp_path, "one")

    def fail():
        with write.result_set(tmp_path) as staging:
            (staging / "a.csv").write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen(tmp_path) == whole("one")


def test_a_full_disk_is_told_with_path_and_cause_and_leaves_the_old_set(tmp_path, monkeypatch):
    put(tmp_path, "one")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"staging.* cannot be written: no space left"):
        put(tmp_path, "two")
    monkeypatch.undo()
    assert seen(tmp_path) == whole("one")
    put(tmp_path, "two")
    assert seen(tmp_path) == whole("two")


@pytest.mark.parametrize("killed_at", range(6))
def test_a_run_killed_while_renaming_is_completed_by_the_next(tmp_path, monkeypatch, killed_at):
    put(tmp_path, "one")
    steps = iter(range(100))
    replace, rename = os.replace, type(tmp_path).rename

    def dying(step):
        def call(*arguments):
            if next(steps) == killed_at:
                raise SystemExit
            return step(*arguments)

        return call

    monkeypatch.setattr(os, "replace", dying(replace))
    monkeypatch.setattr(type(tmp_path), "rename", dying(rename))
    try:
        put(tmp_path, "two")
    except SystemExit:
        monkeypatch.undo()
        assert write.recover(tmp_path)
    monkeypatch.undo()
    assert seen(tmp_path) == whole("two")
    assert not write.recover(tmp_path)


@pytest.mark.parametrize("note", [None, "", '{"parts": ', "[]"])
def test_a_staged_set_that_was_not_complete_is_dropped(tmp_path, note):
    put(tmp_path, "one")
    staging = tmp_path / write.STAGING_NAME
    staging.mkdir()
    (staging / "a.csv").write_text("half")
    if note is not None:
        (staging / write.NOTE_NAME).write_text(note)
    assert not write.recover(tmp_path)
    assert seen(tmp_path) == whole("one")


def test_json_is_strict(tmp_path):
    write.write_json_lines(tmp_path / "x.jsonl", [{"a": 1.5}, {"b": "김"}])
    lines = (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"a": 1.5}, {"b": "김"}]
    with pytest.raises(ValueError, match="JSON"):
        write.write_json(tmp_path / "x.json", {"a": float("nan")})
