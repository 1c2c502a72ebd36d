"""A task that kills its worker costs nobody else a result."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from zoom_imaging.batch.cluster import MAXIMUM_TRIES, Crew, Done, default_jobs, spread
from zoom_imaging.errors import ModelMissingError, ZoomImagingError


def test_nothing_to_do_starts_nothing(monkeypatch):
    monkeypatch.setattr("zoom_imaging.batch.cluster._client", None)
    assert list(spread([], abs, Crew(jobs=2))) == []


def test_one_task_kills_its_worker_one_raises_and_eight_finish(tmp_path: Path):
    notes = str(tmp_path)

    def work(number: int) -> int:
        with open(os.path.join(notes, f"{number}-{os.getpid()}"), "a", encoding="utf-8"):
            pass
        if number == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 6:
            raise ValueError("odd file")
        return number * number

    results = {done.task: done for done in spread(list(range(10)), work, Crew(jobs=2))}

    assert sorted(results) == list(range(10))
    died = results.pop(4)
    assert died.result is None
    assert "worker process died" in died.problem
    assert str(MAXIMUM_TRIES) in died.problem
    assert len(list(tmp_path.glob("4-*"))) == MAXIMUM_TRIES
    raised = results.pop(6)
    assert raised.result is None
    assert raised.problem == "unexpected ValueError: odd file"
    assert all(done == Done(task, task * task) for task, done in results.items())


def test_a_refusal_of_this_package_ends_the_run():
    def work(number: int) -> int:
        raise ModelMissingError("no model")

    with pytest.raises(ModelMissingError, match="no model"):
        list(spread([1], work, Crew(jobs=1)))


def test_no_scheduler_at_the_address(monkeypatch):
    monkeypatch.setattr("zoom_imaging.batch.cluster._WAIT_FOR_WORKERS_S", 0.5)
    with pytest.raises(
        ZoomImagingError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"
    ):
        list(spread([1], abs, Crew(jobs=1, address="tcp://127.0.0.1:9")))


@pytest.mark.parametrize("jobs", [1, 2, 64])
def test_threads_of_all_workers_fit_the_machine(jobs):
    crew = Crew(jobs=jobs)
    assert crew.threads_per_job >= 1
    assert default_jobs() >= 1


def test_workers_of_another_scheduler_are_used_and_left_alone():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        crew = Crew(jobs=1, address=cluster.scheduler_address)
        for _ in range(2):
            done = list(spread([1, 2, 3], lambda number: number + 1, crew))
            assert sorted(one.result for one in done) == [2, 3, 4]
