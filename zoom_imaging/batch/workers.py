"""Where workers come from: processes of this machine, a scheduler, or a queueing system.

| `--cluster`          | workers                                                            |
|----------------------|--------------------------------------------------------------------|
| (none)               | `--jobs` processes here, ended with the run                        |
| `tcp://host:8786`    | those of a scheduler: `dask scheduler`, `dask ssh`, Kubernetes     |
| `scheduler.json`     | the same, found through the scheduler's file                       |
| `slurm`, `pbs`, ...  | `--jobs` jobs of a queueing system, set up as in dask-jobqueue's   |
|                      | own configuration file, ended with the run                         |
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from zoom_imaging.batch.cluster import MAXIMUM_TRIES, Crew
from zoom_imaging.errors import ConfigurationError, ZoomImagingError

QUEUES: Mapping[str, str] = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}
"""Queueing systems by the word that `--cluster` takes; the class of dask-jobqueue."""

_WAIT_FOR_WORKERS_S = 60
_WAIT_FOR_QUEUE_S = 24 * 3600
_QUEUE_FAILURES = 3  # jobs end with their time limit: that a worker goes is nothing special there


@dataclass
class Workers:
    """A connection to workers, of which there may be more later: `count` is their threads.

    `tries` counts those of a task that may have killed a worker. `one_at_a_time`: no worker runs
    two tasks at once, so that it may be ended because of one.
    """

    client: Any
    count: int
    tries: int = MAXIMUM_TRIES
    one_at_a_time: bool = True
    dashboard: str = ""

    def recount(self) -> int:
        """Threads of the workers that are there now; ZoomImagingError without a scheduler.

        Those that come later are used; that some go is not held against the rest.
        """
        try:
            found: int = sum(self.client.nthreads().values())
        except (OSError, TimeoutError) as error:
            raise ZoomImagingError(
                f"the connection to the scheduler was lost ({type(error).__name__})",
                remedy="run again: what was computed is kept",
            ) from error
        self.count = max(self.count, found)
        return found


@contextmanager
def workers_of(crew: Crew) -> Iterator[Workers]:
    """Workers for a run; ZoomImagingError where none can be had."""
    # Before its settings are changed: its import fills in the defaults beside them.
    import distributed

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if not crew.address:
        with _local(distributed, crew) as workers:
            yield workers
    elif crew.address.lower() in QUEUES:
        with _queued(distributed, crew) as workers:
            yield workers
    else:
        with _connected(distributed, crew.address) as workers:
            yield workers


@contextmanager
def _local(distributed: Any, crew: Crew) -> Iterator[Workers]:
    import dask

    settings = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": 0.95,
        "distributed.nanny.pre-spawn-environ": dict.fromkeys(
            ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1
        ),
    }
    with (
        tempfile.TemporaryDirectory(prefix="zoom_imaging-", ignore_cleanup_errors=True) as scratch,
        dask.config.set(settings),
        _processes(distributed, crew.jobs, scratch) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield Workers(client, crew.jobs, dashboard=_dashboard(client))


def _processes(distributed: Any, count: int, scratch: str) -> Any:
    """Workers of this machine; tried again, because one that dies as it starts spoils them all."""
    tries = 0
    while True:
        try:
            return distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="tls://127.0.0.1",
                # Whoever reaches the port runs programs in our name: others on this machine, too.
                security=distributed.Security.temporary(),
                # None would still take port 8787, and a second run here would find it taken.
                dashboard_address="127.0.0.1:0",
                local_directory=scratch,
                silence_logs=logging.CRITICAL,
            )
        except (RuntimeError, OSError, TimeoutError) as error:
            tries += 1
            if tries == MAXIMUM_TRIES:
                raise ZoomImagingError(
                    f"{count} worker processes cannot be started ({error})",
                    remedy="give --jobs fewer, or look whether memory or processes are limited",
                ) from error


@contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Workers]:
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    if address.startswith("tls://"):
        _require_certificates(distributed)
    try:
        client = distributed.Client(**where, timeout=_WAIT_FOR_WORKERS_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ZoomImagingError(
            f"no Dask scheduler answers at {address} ({type(error).__name__})",
            remedy="check --cluster, e.g. tcp://host:8786, or leave it out",
        ) from error
    with client:
        threads = _threads(client, _WAIT_FOR_WORKERS_S, f"the scheduler at {address}")
        yield Workers(
            client,
            sum(threads.values()),
            # Another's scheduler has tried `allowed-failures` times already.
            tries=2,
            one_at_a_time=all(count == 1 for count in threads.values()),
            dashboard=_dashboard(client),
        )


def _require_certificates(distributed: Any) -> None:
    """Dask would stand still for minutes without them."""
    try:
        arguments = distributed.Security().get_connection_args("client")
        problem = "" if arguments["ssl_context"] else "names none"
    except OSError as error:
        problem = f"names some that cannot be used ({error.strerror or error})"
    if problem:
        raise ConfigurationError(
            f"--cluster tls:// needs certificates, and Dask's configuration {problem}",
            remedy="set distributed.comm.tls: ca-file, client.cert and client.key",
        )


@contextmanager
def _queued(distributed: Any, crew: Crew) -> Iterator[Workers]:
    name = crew.address.lower()
    try:
        import dask_jobqueue
    except ImportError as error:
        raise ConfigurationError(
            f"--cluster {name} needs dask-jobqueue",
            remedy="pip install 'zoom_imaging[cluster]'",
        ) from error
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": _QUEUE_FAILURES}):
        try:
            cluster = getattr(dask_jobqueue, QUEUES[name])()
        except (ValueError, TypeError, OSError, RuntimeError) as error:
            raise ConfigurationError(
                f"--cluster {name}: {error}",
                remedy=f"describe one job in jobqueue.{name} of Dask's configuration "
                "(cores: 1, processes: 1, memory, walltime)",
            ) from error
        with cluster, distributed.Client(cluster, set_as_default=False) as client:
            # Not `scale`: a job that ends with its time limit has a successor.
            cluster.adapt(minimum_jobs=crew.jobs, maximum_jobs=crew.jobs)
            threads = _threads(client, _WAIT_FOR_QUEUE_S, f"the queue {name}")
            yield Workers(
                client,
                crew.jobs * max(threads.values()),
                tries=2,
                one_at_a_time=all(count == 1 for count in threads.values()),
                dashboard=_dashboard(client),
            )


def _threads(client: Any, patience_s: float, whose: str) -> Mapping[str, int]:
    try:
        client.wait_for_workers(1, timeout=patience_s)
    except TimeoutError as error:
        raise ZoomImagingError(
            f"{whose} has no workers", remedy="start workers, then run again"
        ) from error
    found: Mapping[str, int] = client.nthreads()
    return found


def _dashboard(client: Any) -> str:
    """Where a browser sees the workers; empty without bokeh, which draws it."""
    from importlib.util import find_spec

    return str(client.dashboard_link or "") if find_spec("bokeh") else ""
