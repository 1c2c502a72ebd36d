"""Tasks about files on workers that others set up: the same program and files, or no result."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol, TypeVar

from zoom_imaging.batch.cache import program_sha256
from zoom_imaging.batch.cluster import Team
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.ingest.text import visible
from zoom_imaging.tasks import Done, R


class Sourced(Protocol):
    """A task about a file."""

    @property
    def source(self) -> SourceFile:
        """Where the file lies."""
        ...


S = TypeVar("S", bound=Sourced)


def spread_over_files(
    team: Team,
    tasks: Iterable[S],
    function: Callable[[S], R],
    /,
    *,
    light: Callable[[S], bool] = lambda task: False,
) -> Iterator[Done[S, R]]:
    """`Team.spread` for tasks about files that lie at absolute paths.

    ConfigurationError if a worker that is no process of this run has another program or does not
    see the folder of a file.
    """
    if team.crew.address:
        function = partial(_run, function=function, program=program_sha256())
    return team.spread(tasks, function, light=light)


def _run(task: S, function: Callable[[S], R], program: str) -> R:
    if program_sha256() != program:
        raise ConfigurationError(
            f"a worker on {socket.gethostname()} has another version of zoom_imaging, of Python or "
            "of a package that makes numbers than this run",
            remedy="install the same on every worker and restart them",
        )
    folder = os.path.dirname(task.source.location)
    if not os.path.isdir(folder):
        raise ConfigurationError(
            f"a worker on {socket.gethostname()} does not see the folder {visible(folder)}",
            remedy="mount the sources under the same path on every worker",
        )
    return function(task)
