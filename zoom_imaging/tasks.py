"""Many tasks and their results: who does them is the caller's choice.

Packages that have much to compute take a `Spread`. `one_by_one` is the plain one; commands hand in
worker processes (`batch.cluster`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from zoom_imaging.errors import ZoomImagingError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Done(Generic[T, R]):
    """A task and its result; `result` is None when `problem` says why there is none."""

    task: T
    result: R | None
    problem: str = ""


class Spread(Protocol):
    """Does tasks in whatever order; tasks, function and results must be fit to be pickled.

    A ZoomImagingError of the function is raised; anything else is a problem of its task alone.
    """

    def __call__(self, tasks: Iterable[T], function: Callable[[T], R], /) -> Iterator[Done[T, R]]:
        """Yield every task exactly once, as it is done."""
        ...


def one_by_one(tasks: Iterable[T], function: Callable[[T], R], /) -> Iterator[Done[T, R]]:
    """In this process and in their order."""
    for task in tasks:
        try:
            done = Done[T, R](task, function(task))
        except ZoomImagingError:
            raise
        except Exception as error:
            done = Done(task, None, unexpected(error))
        yield done


def unexpected(error: Exception) -> str:
    """What is said of a task that raised."""
    return f"unexpected {type(error).__name__}: {error}"
