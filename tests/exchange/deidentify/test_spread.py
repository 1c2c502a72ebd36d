"""A de-identification over several processes: the same output, and a bad file harms no other."""

from __future__ import annotations

import os
import signal
import zipfile
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zoom_imaging.__main__ import app
from zoom_imaging.batch.cluster import Crew, Team
from zoom_imaging.endpoints.lock import hold
from zoom_imaging.errors import OutputFolderBusyError
from zoom_imaging.exchange.deidentify import gathering, second_pass
from zoom_imaging.exchange.deidentify.cleaning import Rules, Task, clean
from zoom_imaging.exchange.deidentify.report import State
from zoom_imaging.tasks import one_by_one

from .made import SECRET, bytes_of, cleaned, command, film

DAYS = [date(2025, 1, day) for day in range(10, 15)]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def over_processes(tasks, function):
    """As the command does it, with two workers."""
    with Team(Crew(jobs=2)) as team:
        yield from team.spread(tasks, function)


def test_output_is_the_same_whatever_the_number_of_processes(tmp_path):
    """Files, reports, their order, and the map; names that collide are numbered the same way."""
    source = tmp_path / "in"
    for folder in ("a", "b"):
        (source / folder).mkdir(parents=True)
        for number, day in enumerate(DAYS):
            made = film(day, subject=f"MR-{number:05d}", number=number)
            (source / folder / f"Hwangbo {number}.dcm").write_bytes(bytes_of(made))
    (source / "damaged").write_bytes(bytes_of(film(DAYS[0]))[:900])
    with zipfile.ZipFile(source / "more.zip", "w") as archive:
        archive.writestr("deep/IM3", bytes_of(film(DAYS[1], number=9)))
    (tmp_path / "key").write_bytes(SECRET.key)
    for jobs in (1, 2):
        out = ("--out", f"out{jobs}", "--map", f"map{jobs}", "--jobs", jobs)
        done = command("in", "--key", "key", *out, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    one, two = (tree(tmp_path / f"out{jobs}") for jobs in (1, 2))
    assert sum(name.startswith("S-") for name in one) == 11
    assert one == two
    assert (tmp_path / "map1").read_bytes() == (tmp_path / "map2").read_bytes()


def test_one_job_starts_no_process(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "key").write_bytes(SECRET.key)
    for number, day in enumerate(DAYS[:2]):
        (tmp_path / "in" / f"IM{number}").write_bytes(bytes_of(film(day)))
    monkeypatch.setattr("zoom_imaging.batch.workers.workers_of", None)
    arguments = ["in", "--out", "out", "--key", "key"]
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["deidentify", *arguments, "--jobs", "1"]).exit_code == 0
    assert CliRunner().invoke(app, ["deidentify", *arguments, "--jobs", "2"]).exit_code == 1


def test_a_file_that_kills_its_worker_is_failed_and_costs_no_other_file(tmp_path, capfd):
    def deadly(task, function):
        if isinstance(task, Task) and task.source.path == "IM0002":
            os.kill(os.getpid(), signal.SIGKILL)
        return function(task)

    def with_a_deadly_file(tasks, function):
        return over_processes(tasks, partial(deadly, function=function))

    made = [film(day, number=n) for n, day in enumerate(DAYS)]
    result = cleaned(tmp_path, *made, spread=with_a_deadly_file)
    states = [row.state for row in result.outcome.rows]
    assert states == [State.WRITTEN, State.FAILED, *[State.WRITTEN] * 3]
    assert "worker process died" in result.reasons[1]
    assert len(result.files) == 4
    said = "".join(capfd.readouterr()).encode() + result.everything
    assert SECRET.key not in said
    assert SECRET.key.hex().encode() not in said


def test_an_output_that_kills_whoever_reads_it_again_is_taken_away(tmp_path, monkeypatch):
    """What was not searched is not given out; the rest of its pack is searched all the same."""
    monkeypatch.setattr(second_pass, "FILES_AT_ONCE", 3)

    def deadly(task, function):
        if isinstance(task, tuple) and any(output.path.endswith("IM0002") for output in task):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(task)

    def with_a_deadly_output(tasks, function):
        return over_processes(tasks, partial(deadly, function=function))

    made = [film(day, number=n) for n, day in enumerate(DAYS)]
    result = cleaned(tmp_path, *made, spread=with_a_deadly_output)
    states = [row.state for row in result.outcome.rows]
    assert states == [State.WRITTEN, State.FAILED, *[State.WRITTEN] * 3]
    assert "second pass" in result.reasons[1]
    assert [path.name for path in result.files] == ["IM0001", "IM0003", "IM0004", "IM0005"]


def test_a_leak_is_found_by_the_process_that_searches(tmp_path, monkeypatch):
    monkeypatch.setattr(second_pass, "FILES_AT_ONCE", 2)

    def careless(task, function):
        result = function(task)
        if isinstance(task, Task) and task.source.path != "IM0003":
            content = task.target.read_bytes()
            task.target.write_bytes(content[:20] + b"HWANGBO^MIRAE" + content[33:])
        return result

    def carelessly(tasks, function):
        return over_processes(tasks, partial(careless, function=function))

    made = [film(day, number=n) for n, day in enumerate(DAYS)]
    result = cleaned(tmp_path, *made, spread=carelessly)
    assert [path.name for path in result.files] == ["IM0003"]
    assert [output[-6:] for output, _ in result.outcome.leaks] == [
        f"IM000{number}" for number in (1, 2, 4, 5)
    ]
    assert b"HWANGBO" not in result.everything


def test_output_that_cannot_be_searched_is_taken_away(tmp_path, monkeypatch):
    def failing(self, content, name, own):
        raise KeyError("HWANGBO^MIRAE")

    monkeypatch.setattr("zoom_imaging.exchange.deidentify.leaks.Search.file", failing)
    result = cleaned(tmp_path, film(DAYS[0]))
    assert [row.state for row in result.outcome.rows] == [State.FAILED]
    assert result.files == []
    assert b"HWANGBO" not in result.everything


def test_a_file_that_changes_after_its_identifiers_were_gathered_is_not_cleaned(tmp_path):
    """The new one may hold a name that nobody would look for."""

    def too_late(tasks, function):
        (tmp_path / "in" / "IM0001").write_bytes(bytes_of(film(DAYS[2], name="GREENLEAF^OTTOLINE")))
        return one_by_one(tasks, function)

    result = cleaned(tmp_path, film(DAYS[0]), film(DAYS[1]), spread=too_late)
    assert [row.state for row in result.outcome.rows] == [State.QUARANTINED, State.WRITTEN]
    assert "changed" in result.reasons[0]


def test_a_file_that_goes_before_it_is_gathered_stops_no_other(tmp_path, monkeypatch):
    real = gathering.scan

    def then_gone(sources, **options):
        scanned = real(sources, **options)
        (tmp_path / "in" / "IM0001").unlink()
        return scanned

    monkeypatch.setattr(gathering, "scan", then_gone)
    result = cleaned(tmp_path, film(DAYS[0], subject="MR-00001"), film(DAYS[1]))
    assert [row.state for row in result.outcome.rows] == [State.QUARANTINED, State.WRITTEN]


def test_a_file_whose_identifiers_cannot_be_gathered_is_not_cleaned(tmp_path, monkeypatch):
    real = gathering.gather

    def failing(dataset):
        if dataset.StudyDate == f"{DAYS[0]:%Y%m%d}":
            raise KeyError("HWANGBO^MIRAE")
        return real(dataset)

    monkeypatch.setattr(gathering, "gather", failing)
    result = cleaned(tmp_path, film(DAYS[0]), film(DAYS[1]))
    assert [row.state for row in result.outcome.rows] == [State.FAILED, State.WRITTEN]
    assert b"HWANGBO" not in result.everything


def test_unexpected_error_is_logged_with_its_place_and_without_its_text(
    tmp_path, monkeypatch, caplog
):
    """The text of an error may be a name, or the key."""

    def failing(content, *more, **options):
        raise ValueError(SECRET.key.decode())

    monkeypatch.setattr("zoom_imaging.exchange.deidentify.cleaning.written", failing)
    result = cleaned(tmp_path, film(DAYS[0]))
    assert [row.state for row in result.outcome.rows] == [State.FAILED]
    assert "in failing" in caplog.text
    assert SECRET.key.decode() not in caplog.text
    assert SECRET.key not in result.everything


def test_task_shows_no_key():
    """Whatever a scheduler or a debugger prints of it."""
    rules = Rules(SECRET, (), films_without_text=False)
    shown = repr(partial(clean, rules=rules))
    assert "clean" in shown
    assert SECRET.key.decode() not in shown


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_number_of_jobs_that_is_none_is_refused(tmp_path, jobs):
    done = command("in", "--out", "out", "--key", "key", "--jobs", jobs, cwd=tmp_path)
    assert done.returncode == 2
    assert "--jobs" in done.stderr


def test_a_second_call_into_the_same_folder_is_refused(tmp_path):
    """It would take away what the first has written."""
    with hold(tmp_path / "out", print), pytest.raises(OutputFolderBusyError, match="held by"):
        cleaned(tmp_path, film(DAYS[0]))
