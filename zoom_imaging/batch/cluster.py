"""Many tasks over worker processes, so that no task can take another one with it.

Every worker runs one task at a time. A worker that dies (memory, a crash in a codec, a signal)
costs its tasks one try; they are then tried again one by one, with nothing beside them, so that the
task that kills its worker is found and its neighbours keep their results.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

from zoom_imaging.errors import ZoomImagingError

MAXIMUM_TRIES = 3
_WAIT_FOR_WORKERS_S = 60
_TASKS_AHEAD = 2  # a worker is never idle while the next task travels
_DIED = (
    "the worker process died each time it worked on this file, which may need more memory than "
    "there is or crash a decoder"
)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Crew:
    """Who does the work: `jobs` processes on this machine, or the workers of a scheduler."""

    jobs: int
    address: str = ""

    @property
    def threads_per_job(self) -> int:
        """Cores that each local worker may use for itself."""
        return max(1, available_cores() // max(1, self.jobs))


@dataclass(frozen=True)
class Done(Generic[T, R]):
    """A task and its result; `result` is None when `problem` says why there is none."""

    task: T
    result: R | None
    problem: str = ""


def available_cores() -> int:
    """Cores that this process may use, which a container may have limited."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_jobs() -> int:
    """As many workers as cores, but no more than four: each holds a model in memory."""
    return min(4, available_cores())


def spread(tasks: Sequence[T], function: Callable[[T], R], crew: Crew) -> Iterator[Done[T, R]]:
    """Yield every task exactly once, in the order in which they finish.

    A few tasks are under way at a time, so that neither arguments nor results pile up. A task whose
    worker died `MAXIMUM_TRIES` times is yielded with a problem, as is one whose function raised
    something else than a ZoomImagingError, which is raised here. ZoomImagingError if no worker can
    be had.
    """
    if not tasks:
        return
    with _client(crew, len(tasks)) as (client, workers):
        suspects: list[T] = []
        for task, future in _under_way(client, tasks, function, workers * _TASKS_AHEAD):
            done: Done[T, R] | None = _finish(task, future)
            if done is None and crew.address:
                # Another's scheduler has its own count of tries, and may have other work.
                yield Done(task, None, _DIED)
            elif done is None:
                suspects.append(task)
            else:
                yield done
        for task in suspects:
            yield _alone(client, task, function)


def _alone(client: Any, task: T, function: Callable[[T], R]) -> Done[T, R]:
    for _ in range(MAXIMUM_TRIES - 1):
        future = client.submit(function, task, pure=False)
        done: Done[T, R] | None = _finish(task, future)
        if done is not None:
            return done
    return Done(task, None, f"{_DIED} ({MAXIMUM_TRIES} tries)")


def _under_way(
    client: Any, tasks: Sequence[T], function: Callable[[T], R], window: int
) -> Iterator[tuple[T, Any]]:
    waiting = iter(tasks)
    flying: dict[Any, T] = {}
    queue = _distributed().as_completed(loop=client.loop)

    def launch() -> None:
        for task in waiting:
            future = client.submit(function, task, pure=False)
            flying[future.key] = task
            queue.add(future)
            return

    for _ in range(window):
        launch()
    for future in queue:
        yield flying.pop(future.key), future
        future.release()
        launch()


def _finish(task: T, future: Any) -> Done[T, R] | None:
    """The result of a future, or None when its worker died."""
    try:
        return Done(task, future.result())
    except _distributed().scheduler.KilledWorker:
        return None
    except ZoomImagingError:
        raise
    except (CancelledError, OSError) as error:
        raise ZoomImagingError(
            f"the connection to the scheduler was lost ({type(error).__name__})",
            remedy="run again: what was computed is kept",
        ) from error
    except Exception as error:
        return Done(task, None, f"unexpected {type(error).__name__}: {error}")


def _distributed() -> Any:
    import distributed

    module: ModuleType = distributed
    return module


@contextmanager
def _client(crew: Crew, task_count: int) -> Iterator[tuple[Any, int]]:
    import dask

    # Before its settings are changed: its import fills in the defaults beside them.
    distributed = _distributed()
    quiet = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": 0.95,
        "distributed.nanny.pre-spawn-environ": dict.fromkeys(
            ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), crew.threads_per_job
        ),
    }
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if crew.address:
        with _connected(crew.address) as client:
            yield client, max(1, len(client.nthreads()))
        return
    workers = max(1, min(crew.jobs, task_count))
    with (
        tempfile.TemporaryDirectory(prefix="zoom_imaging-", ignore_cleanup_errors=True) as scratch,
        dask.config.set(quiet),
        _local_cluster(distributed, workers, scratch) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client, workers


def _local_cluster(distributed: Any, workers: int, scratch: str) -> Any:
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        # None would still take port 8787, and a second run on this machine would find it taken.
        dashboard_address="127.0.0.1:0",
        local_directory=scratch,
        silence_logs=logging.CRITICAL,
    )


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        client = _distributed().Client(address, timeout=_WAIT_FOR_WORKERS_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ZoomImagingError(
            f"no Dask scheduler answers at {address} ({type(error).__name__})",
            remedy="check --cluster, e.g. tcp://host:8786, or leave it out",
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_WAIT_FOR_WORKERS_S)
        except TimeoutError as error:
            raise ZoomImagingError(
                f"the scheduler at {address} has no workers", remedy="start workers, then run again"
            ) from error
        yield client
