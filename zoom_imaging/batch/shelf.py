"""Records of a run that are too many for memory: on disk in the order they came, one at a time.

The file has no name and goes with the process. It holds nothing but what this process wrote, so
that it may be pickled.
"""

from __future__ import annotations

import pickle
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar, overload

from zoom_imaging.endpoints.write import writing

T = TypeVar("T")


class Shelf(Sequence[T]):
    """A sequence that grows at its end. A record that is taken out is a new, equal one each time.

    Used in a `with` block, at whose end its file is gone.
    """

    def __init__(self, folder: Path) -> None:
        """The file lies in `folder`, on the disk of the results; OutputError where it cannot."""
        self._folder = folder
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._starts = array("Q", [0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def put(self, record: T) -> int:
        """Add a record and give its place; OutputError where it cannot be written."""
        content = pickle.dumps(record, pickle.HIGHEST_PROTOCOL)
        with writing(self._folder):
            self._file.seek(self._starts[-1])
            self._file.write(content)
            self._file.flush()
        self._starts.append(self._starts[-1] + len(content))
        return len(self) - 1

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        start = self._starts[at]
        self._file.seek(start)
        record: T = pickle.loads(self._file.read(self._starts[at + 1] - start))
        return record


class ShelfMap(Mapping[str, T]):
    """Records of a shelf by name."""

    def __init__(self, shelf: Shelf[T]) -> None:
        self._shelf = shelf
        self._places: dict[str, int] = {}

    def put(self, name: str, record: T) -> None:
        """Add a record, in place of an earlier one of that name."""
        self._places[name] = self._shelf.put(record)

    def __getitem__(self, name: str) -> T:
        return self._shelf[self._places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
