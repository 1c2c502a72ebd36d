"""Many tasks over worker processes, so that no task can take another one with it.

Every worker runs one task at a time. A worker that dies (memory, a crash in a codec, a signal, a
task without an end) costs its tasks one try; they are then tried again one by one, with nothing
beside them, so that the task that kills its worker is found and its neighbours keep their results.
"""

from __future__ import annotations

import faulthandler
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self, TypeVar

from zoom_imaging.errors import ZoomImagingError
from zoom_imaging.tasks import Done, unexpected

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


def available_cores() -> int:
    """Cores that this process may use, which a container may have limited."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_jobs() -> int:
    """As many workers as cores, but no more than eight: each holds a model in memory."""
    return min(8, available_cores())


class Team:
    """The workers of one run: started for its first task, ended at the end of the `with` block."""

    def __init__(self, crew: Crew, say: Callable[[str], None] = lambda sentence: None) -> None:
        """`say` is told where the dashboard of the workers is."""
        self.crew = crew
        self._say = say
        self._open = ExitStack()
        self._workers: Workers | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._workers = None
        self._open.close()

    def spread(
        self,
        tasks: Iterable[T],
        function: Callable[[T], R],
        *,
        light: Callable[[T], bool] = lambda task: False,
    ) -> Iterator[Done[T, R]]:
        """Yield every task exactly once, in the order in which they finish.

        A few tasks are under way at a time, so that neither arguments nor results pile up. A task
        whose worker died `MAXIMUM_TRIES` times is yielded with a problem, as is one whose function
        raised something else than a ZoomImagingError, which is raised here. Tasks of a sequence
        that are `light`, because they take milliseconds, travel in packs; whatever befalls a pack
        befalls none of its tasks. ZoomImagingError if no worker can be had.
        """
        coming = iter(tasks)
        first = next(coming, None)
        if first is None:
            return
        workers = self._hired()
        work = partial(_work, function=function, longest_s=LONGEST_TASK_S * workers.one_at_a_time)
        many = sum(map(light, tasks)) if isinstance(tasks, Sequence) else 0
        size = max(1, min(LARGEST_PACK, many // (workers.count * _PACKS_A_WORKER)))
        suspects: list[T] = []
        for pack, future in _under_way(workers, _packs(chain([first], coming), light, size), work):
            done: list[Done[T, R]] | None = _finish(pack, future, workers)
            if done is None:
                suspects += pack
            else:
                yield from done
        for task in suspects:
            yield _alone(workers, task, work)

    def _hired(self) -> Workers:
        if self._workers is None:
            from zoom_imaging.batch.workers import workers_of

            self._workers = self._open.enter_context(workers_of(self.crew))
            if self._workers.dashboard:
                self._say(f"Dashboard of the workers: {self._workers.dashboard}")
        return self._workers


def _packs(tasks: Iterable[T], light: Callable[[T], bool], size: int) -> Iterator[tuple[T, ...]]:
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
        return [Done(task, None, unexpected(error)) for task in pack]
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
            answers.append((None, unexpected(error)))
        finally:
            if longest_s:
                faulthandler.cancel_dump_traceback_later()
    return answers


@lru_cache(maxsize=1)
def _nowhere() -> int:
    """Open for as long as the process lives: the watchdog writes to it last of all."""
    return os.open(os.devnull, os.O_WRONLY)
