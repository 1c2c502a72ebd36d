"""The second pass over all written files: which of them hold an identifier of the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from zoom_imaging.exchange.deidentify.cleaning import unexpected
from zoom_imaging.exchange.deidentify.identifiers import Identifiers
from zoom_imaging.exchange.deidentify.leaks import Leak, Search
from zoom_imaging.tasks import Spread

FILES_AT_ONCE = 100
"""With each such pack travel the identifiers of all subjects."""


@dataclass(frozen=True)
class Output:
    """A written file by the number of its input, its path below the folder, and whose it is."""

    number: int
    path: str
    own: Identifiers


@dataclass(frozen=True)
class Verdict:
    """The leaks of a file, or the problem for which it could not be searched."""

    output: Output
    leaks: tuple[Leak, ...] = ()
    problem: str = ""

    @property
    def reason(self) -> str:
        """Why the file is taken away; "" where it may stay."""
        if self.leaks:
            kinds = "; ".join(f"{leak.kind} in {leak.where}" for leak in self.leaks)
            return f"the second pass found {kinds}: the output was taken away"
        if self.problem:
            return f"the second pass failed, and the output was taken away: {self.problem}"
        return ""


def search_again(
    outputs: Sequence[Output], folder: Path, everyone: Identifiers, spread: Spread
) -> Iterator[Verdict]:
    """Read every file again and search it; in any order."""
    packs = [
        tuple(outputs[start : start + FILES_AT_ONCE])
        for start in range(0, len(outputs), FILES_AT_ONCE)
    ]
    search = partial(_searched, folder=folder.absolute(), everyone=everyone)
    apart: list[tuple[Output, ...]] = []
    for done in spread(packs, search):
        if done.result is None:  # one of its files ends the process that reads it: which one?
            apart += [(output,) for output in done.task]
        else:
            yield from done.result
    for done in spread(apart, search):
        yield from done.result or (Verdict(done.task[0], problem=done.problem),)


def _searched(
    outputs: tuple[Output, ...], folder: Path, everyone: Identifiers
) -> tuple[Verdict, ...]:
    return tuple(_verdict(output, folder, everyone) for output in outputs)


def _verdict(output: Output, folder: Path, everyone: Identifiers) -> Verdict:
    try:
        content = (folder / output.path).read_bytes()
        return Verdict(output, tuple(_search(everyone).file(content, output.path, output.own)))
    except Exception as error:  # what cannot be searched is not given out
        return Verdict(output, problem=unexpected(error, "in the second pass"))


@lru_cache(maxsize=1)
def _search(everyone: Identifiers) -> Search:
    """Made once in each process, for all packs."""
    return Search(everyone)
