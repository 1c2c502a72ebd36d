"""How tasks are spread over processes: whoever calls the job decides it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Spread(Protocol):
    """Gives every task once, in any order, with its result, or with None and why there is none.

    A ZoomImagingError of the function is raised. Tasks and results may travel between processes.
    """

    def __call__(
        self, tasks: Sequence[T], function: Callable[[T], R], /
    ) -> Iterator[tuple[T, R | None, str]]:
        """Call the function with each task."""


def one_after_another(
    tasks: Sequence[T], function: Callable[[T], R], /
) -> Iterator[tuple[T, R | None, str]]:
    """In this process, in the order given."""
    for task in tasks:
        yield task, function(task), ""
