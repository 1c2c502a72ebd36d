"""A task that kills its worker costs nobody else a result."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from zoom_imaging.batch.cluster import MAXIMUM_TRIES, Crew, Done, Team
from zoom_imaging.errors import ConfigurationError, ModelMissingError, ZoomImagingError


def spread(tasks, function, crew, **options):
    """By workers that are there for these tasks alone."""
    with Team(crew) as team:
        yield from team.spread(tasks, function, **options)


def test_nothing_to_do_starts_nothing(monkeypatch):
    monkeypatch.setattr("zoom_imaging.batch.workers.workers_of", None)
    assert list(spread([], abs, Crew(jobs=2))) == []


def test_the_same_workers_do_what_comes_later_and_their_number_need_not_be_known():
    def work(number: int) -> tuple[int, int]:
        return number, os.getpid()

    with Team(Crew(jobs=2)) as team:
        first = [one.result for one in team.spread([1, 2, 3, 4], work)]
        later = [one.result for one in team.spread(iter(range(50)), work)]
    assert sorted(number for number, _ in later) == list(range(50))
    assert len({pid for _, pid in first + later}) == 2


def test_nobody_else_on_this_machine_can_give_work_to_the_workers():
    """Whoever could would run programs in the name of the person who started the run."""
    from distributed import Client

    with Team(Crew(jobs=1)) as team:
        assert [one.result for one in team.spread([-1], abs)] == [1]
        address = team._workers.client.scheduler.address
        place = address.removeprefix("tls://")
        with pytest.raises(OSError):  # noqa: PT011 - what Dask raises without an answer in time
            Client(f"tcp://{place}", timeout=2, set_as_default=False)
        host, port = place.split(":")
        stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((host, int(port)), timeout=10) as raw,
            stranger.wrap_socket(raw) as secured,
            pytest.raises(ssl.SSLError, match="cert"),
        ):
            secured.recv(1)


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


def test_a_killer_in_a_pack_of_light_tasks_costs_its_neighbours_nothing(tmp_path: Path):
    notes = str(tmp_path)

    def work(number: int) -> int:
        with open(os.path.join(notes, f"{number}-{os.getpid()}"), "a", encoding="utf-8"):
            pass
        if number == 33:
            os.kill(os.getpid(), signal.SIGSEGV)
        if number == 34:
            raise ValueError("odd file")
        return -number

    tasks = list(range(100))
    done = list(spread(tasks, work, Crew(jobs=2), light=lambda number: number % 10 > 0))
    assert sorted(one.task for one in done) == tasks
    results = {one.task: one for one in done}
    assert results.pop(33).problem.endswith(f"({MAXIMUM_TRIES} tries)")
    assert len(list(tmp_path.glob("33-*"))) == MAXIMUM_TRIES
    assert results.pop(34).problem == "unexpected ValueError: odd file"
    assert all(one == Done(task, -task) for task, one in results.items())


def test_a_task_without_an_end_is_ended_and_named(monkeypatch):
    monkeypatch.setattr("zoom_imaging.batch.cluster.LONGEST_TASK_S", 1)

    def work(number: int) -> int:
        if number == 2:
            # A C function that holds the interpreter: nothing in Python could stop it.
            re.fullmatch("(a*)*b", "a" * 64)
        return number

    results = {done.task: done for done in spread([1, 2, 3], work, Crew(jobs=2))}
    assert results[2].result is None
    assert "take more than" in results[2].problem
    assert [results[one].result for one in (1, 3)] == [1, 3]


def test_a_refusal_of_this_package_ends_the_run():
    def work(number: int) -> int:
        raise ModelMissingError("no model")

    with pytest.raises(ModelMissingError, match="no model"):
        list(spread([1], work, Crew(jobs=1)))


def test_no_scheduler_at_the_address(monkeypatch):
    monkeypatch.setattr("zoom_imaging.batch.workers._WAIT_FOR_WORKERS_S", 0.5)
    with pytest.raises(
        ZoomImagingError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"
    ):
        list(spread([1], abs, Crew(jobs=1, address="tcp://127.0.0.1:9")))


@pytest.fixture
def elsewhere(tmp_path):
    """A scheduler with one worker that someone else has started."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster


def test_workers_of_another_scheduler_are_used_and_left_alone(elsewhere, tmp_path):
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": elsewhere.scheduler_address}))
    for address in (elsewhere.scheduler_address, str(file)):
        done = list(spread([1, 2, 3], lambda number: number + 1, Crew(jobs=1, address=address)))
        assert sorted(one.result for one in done) == [2, 3, 4]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_traffic_with_a_scheduler_is_encrypted_where_dask_is_set_up_so(tmp_path):
    """Certificates come from Dask's own configuration; without them nobody gets in."""
    import dask
    from distributed import LocalCluster
    from distributed.security import Security

    key, cert = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=zoom"]
    subprocess.run(["openssl", *made, "-keyout", key, "-out", cert], check=True)
    roles = ("client", "scheduler", "worker")
    tls = {"ca-file": cert, "client.cert": cert, "client.key": key}
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        security=Security(
            tls_ca_file=cert,
            require_encryption=True,
            **{f"tls_{role}_cert": cert for role in roles},
            **{f"tls_{role}_key": key for role in roles},
        ),
        host="tls://127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        crew = Crew(jobs=1, address=cluster.scheduler_address)
        assert crew.address.startswith("tls://")
        with dask.config.set({f"distributed.comm.tls.{name}": path for name, path in tls.items()}):
            assert [one.result for one in spread([-2], abs, crew)] == [2]
        for odd in ({}, tls | {"client.key": f"{tmp_path}/nowhere.pem"}):
            settings = {f"distributed.comm.tls.{name}": path for name, path in odd.items()}
            with dask.config.set(settings), pytest.raises(ConfigurationError, match="certificates"):
                list(spread([-2], abs, crew))


def test_a_killer_on_workers_of_another_scheduler_costs_nobody_else_a_result(elsewhere):
    def work(number: int) -> int:
        if number == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    crew = Crew(jobs=1, address=elsewhere.scheduler_address)
    done = {one.task: one for one in spread(list(range(12)), work, crew, light=bool)}
    assert "worker process died" in done.pop(4).problem
    assert {task: one.result for task, one in done.items()} == {task: task for task in done}


def test_a_scheduler_that_has_lost_its_workers_ends_the_run(elsewhere, monkeypatch):
    monkeypatch.setattr("zoom_imaging.batch.cluster._LOOK_FOR_WORKERS_S", 0.2)
    monkeypatch.setattr("zoom_imaging.batch.cluster._WITHOUT_WORKERS_S", 0.4)
    crew = Crew(jobs=1, address=elsewhere.scheduler_address)
    results = spread(list(range(100)), abs, crew)
    assert next(results).result in range(100)
    elsewhere.scale(0)
    with pytest.raises(ZoomImagingError, match="has had no worker"):
        list(results)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_jobs_of_a_queueing_system_do_the_work_and_end_with_the_run(monkeypatch):
    """dask-jobqueue's own stand-in for a queue runs each job as a process of this machine."""
    pytest.importorskip("dask_jobqueue")
    import dask
    import dask_jobqueue
    import psutil
    from dask_jobqueue.local import LocalCluster

    monkeypatch.setattr(dask_jobqueue, "SLURMCluster", LocalCluster)
    job = {"cores": 1, "processes": 1, "memory": "1GB", "log-directory": None}
    job |= {"scheduler-options": {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}}
    with dask.config.set({f"jobqueue.local.{key}": value for key, value in job.items()}):
        crew = Crew(jobs=2, address="slurm")
        done = list(spread(list(range(8)), lambda number: (number, os.getpid()), crew))
    assert sorted(one.result[0] for one in done) == list(range(8))
    workers = {one.result[1] for one in done}
    assert os.getpid() not in workers
    psutil.wait_procs([psutil.Process(pid) for pid in workers if psutil.pid_exists(pid)], 20)
    assert not [pid for pid in workers if psutil.pid_exists(pid)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_queue_without_a_description_of_its_jobs_is_a_wrong_request():
    pytest.importorskip("dask_jobqueue")
    with pytest.raises(ConfigurationError, match=r"jobqueue\.slurm"):
        list(spread([1], abs, Crew(jobs=1, address="slurm")))


def test_the_dashboard_is_named_where_there_is_one(monkeypatch):
    said = []
    monkeypatch.setattr(
        "zoom_imaging.batch.workers._dashboard", lambda client: client.dashboard_link
    )
    with Team(Crew(jobs=1), said.append) as team:
        for _ in range(2):
            assert [one.result for one in team.spread([-1], abs)] == [1]
    (line,) = said
    assert re.fullmatch(r"Dashboard of the workers: http://127\.0\.0\.1:\d+/status", line)
