"""Many tasks over worker processes, so that no task can take another one with it.

Every worker runs one task at a time. A worker that dies (memory, a crash in a codec, a signal, a
task without an end) costs its tasks one try; they are then tried again one by one, with nothing
beside them, so that the task that kills its worker is found and its neighbours keep their results.
"""

from __future__ import annotations

import faulthandler
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import lru_cache, partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from zoom_imaging.errors import ZoomImagingError

if TYPE_CHECKING:
    from zoom_imaging.batch.workers import Workers

MAXIMUM_TRIES = 3
LONGEST_TASK_S = 900
"""A worker that works longer on one task is taken for hanging, and ends itself."""
LARGEST_PACK = 25
_TASKS_AHEAD = 2  # a worker is never idle while the next task travels
_PACKS_A_WORKER = 4  # so that all workers finish at about the same time
_LOOK_FOR_WORKERS_S = 10.0
_WITHOUT_WORKERS_S = 300.0
_DIED = (
    "the worker process died each time it worked on this file, which may need more memory than "
    f"there is, crash a decoder or take more than {LONGEST_TASK_S // 60} minutes"
)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Crew:
    """Who does the work: `jobs` processes on this machine, or a cluster.

    `address` is that of a scheduler (`tcp://host:8786`), the scheduler file of one (`*.json`), or
    the name of a queueing system that starts `jobs` jobs (`slurm`); see `workers.py`.
    """

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


def spread(
    tasks: Sequence[T],
    function: Callable[[T], R],
    crew: Crew,
    *,
    light: Callable[[T], bool] = lambda task: False,
    say: Callable[[str], None] = lambda sentence: None,
) -> Iterator[Done[T, R]]:
    """Yield every task exactly once, in the order in which they finish.

    A few tasks are under way at a time, so that neither arguments nor results pile up. A task whose
    worker died `MAXIMUM_TRIES` times is yielded with a problem, as is one whose function raised
    something else than a ZoomImagingError, which is raised here. Tasks that are `light`, because
    they take milliseconds, travel in packs; whatever befalls a pack befalls none of its tasks.
    `say` is told where the cluster's dashboard is. ZoomImagingError if no worker can be had.
    """
    if not tasks:
        return
    from zoom_imaging.batch.workers import workers_of

    with workers_of(crew, len(tasks)) as workers:
        if workers.dashboard:
            say(f"Dashboard of the workers: {workers.dashboard}")
        work = partial(_work, function=function, longest_s=LONGEST_TASK_S * workers.one_at_a_time)
        suspects: list[T] = []
        packs = _packs(tasks, light, workers.count)
        for pack, future in _under_way(workers, packs, work):
            done: list[Done[T, R]] | None = _finish(pack, future, workers)
            if done is None:
                suspects += pack
            else:
                yield from done
        for task in suspects:
            yield _alone(workers, task, work)


def _packs(tasks: Sequence[T], light: Callable[[T], bool], workers: int) -> Iterator[tuple[T, ...]]:
    many = sum(map(light, tasks)) // (workers * _PACKS_A_WORKER)
    size = max(1, min(LARGEST_PACK, many))
    pack: list[T] = []
    for task in tasks:
        if not light(task):
            yield (task,)
            continue
        pack.append(task)
        if len(pack) == size:
            yield tuple(pack)
            pack.clear()
    if pack:
        yield tuple(pack)


def _alone(workers: Workers, task: T, work: Callable[[tuple[T, ...]], Any]) -> Done[T, R]:
    for _ in range(workers.tries - 1):
        for pack, future in _under_way(workers, iter([(task,)]), work):
            done: list[Done[T, R]] | None = _finish(pack, future, workers)
            if done is not None:
                return done[0]
    return Done(task, None, f"{_DIED} ({MAXIMUM_TRIES} tries)")


def _under_way(
    workers: Workers, packs: Iterator[tuple[T, ...]], work: Callable[[tuple[T, ...]], Any]
) -> Iterator[tuple[tuple[T, ...], Any]]:
    flying: dict[Any, tuple[T, ...]] = {}
    landed: SimpleQueue[Any] = SimpleQueue()

    def launch() -> None:
        while len(flying) < workers.count * _TASKS_AHEAD and (pack := next(packs, None)):
            future = workers.client.submit(work, pack, pure=False)
            flying[future.key] = pack
            future.add_done_callback(landed.put)

    looked = time.monotonic()
    launch()
    while flying:
        future = _await(lambda seconds: landed.get(timeout=seconds), workers)
        pack = flying.pop(future.key)
        if time.monotonic() - looked > _LOOK_FOR_WORKERS_S:
            workers.recount()
            looked = time.monotonic()
        launch()
        yield pack, future
        future.release()


def _await(get: Callable[[float], Any], workers: Workers) -> Any:
    """What `get` gives within its seconds; ZoomImagingError if no worker is left to give it."""
    lonely_s = 0.0
    while True:
        try:
            return get(_LOOK_FOR_WORKERS_S)
        except (Empty, TimeoutError):
            lonely_s = 0.0 if workers.recount() else lonely_s + _LOOK_FOR_WORKERS_S
        if lonely_s >= _WITHOUT_WORKERS_S:
            raise ZoomImagingError(
                f"the scheduler has had no worker for {lonely_s:.0f} seconds",
                remedy="start workers and run again: what was computed is kept",
            )


def _finish(pack: tuple[T, ...], future: Any, workers: Workers) -> list[Done[T, R]] | None:
    """The results of a pack, or None when its worker died."""
    from distributed.scheduler import KilledWorker

    try:
        # The worker that has the result may go before it is fetched: another one makes it again.
        # `_work` lets no TimeoutError of a task out, so one here means that nothing came yet.
        answers: list[tuple[R | None, str]] = _await(future.result, workers)
    except KilledWorker:
        return None
    except ZoomImagingError:
        raise
    except (CancelledError, OSError) as error:
        raise ZoomImagingError(
            f"the connection to the scheduler was lost ({type(error).__name__})",
            remedy="run again: what was computed is kept",
        ) from error
    except Exception as error:
        return [Done(task, None, _unexpected(error)) for task in pack]
    return [Done(task, *answer) for task, answer in zip(pack, answers, strict=True)]


def _work(
    pack: tuple[T, ...], function: Callable[[T], R], longest_s: float
) -> list[tuple[R | None, str]]:
    """In the worker: each task by itself, within its time."""
    answers: list[tuple[R | None, str]] = []
    for task in pack:
        if longest_s:
            # From a thread of its own that needs no interpreter: a decoder may hold that for ever.
            faulthandler.dump_traceback_later(longest_s, exit=True, file=_nowhere())
        try:
            answers.append((function(task), ""))
        except ZoomImagingError:
            raise
        except Exception as error:
            answers.append((None, _unexpected(error)))
        finally:
            if longest_s:
                faulthandler.cancel_dump_traceback_later()
    return answers


def _unexpected(error: Exception) -> str:
    return f"unexpected {type(error).__name__}: {error}"


@lru_cache(maxsize=1)
def _nowhere() -> int:
    """Open for as long as the process lives: the watchdog writes to it last of all."""
    return os.open(os.devnull, os.O_WRONLY)
