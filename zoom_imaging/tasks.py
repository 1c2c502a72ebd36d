"""Many tasks about files and their results: who does them is the caller's choice.

Packages that have much to compute take a `Spread`. `one_by_one` is the plain one; a run hands in
its worker processes (`batch.elsewhere.by`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from zoom_imaging.ingest.catalogue import SourceFile

T = TypeVar("T")
R = TypeVar("R")


class Sourced(Protocol):
    """A task about a file."""

    @property
    def source(self) -> SourceFile:
        """Where the file lies."""
        ...


S = TypeVar("S", bound=Sourced)


@dataclass(frozen=True)
class Done(Generic[T, R]):
    """A task and its result; `result` is None when `problem` says why there is none."""

    task: T
    result: R | None
    problem: str = ""


class Spread(Protocol):
    """Does tasks in whatever order; tasks, function and results must be fit to be pickled."""

    def __call__(self, tasks: Iterable[S], function: Callable[[S], R]) -> Iterator[Done[S, R]]:
        """Yield every task exactly once, as it is done."""
        ...


def one_by_one(tasks: Iterable[S], function: Callable[[S], R]) -> Iterator[Done[S, R]]:
    """In this process and in their order; what `function` raises is a problem of its task alone."""
    for task in tasks:
        try:
            done = Done[S, R](task, function(task))
        except Exception as error:
            done = Done(task, None, unexpected(error))
        yield done


def unexpected(error: Exception) -> str:
    """What is said of a task that raised."""
    return f"unexpected {type(error).__name__}: {error}"
