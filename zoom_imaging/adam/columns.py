"""The records of one dataset, kept variable by variable: as dicts they would fill the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from zoom_imaging.adam.records import Record, Value
from zoom_imaging.adam.variable import Dataset


class Columns(Sequence[Record]):
    """Grows at its end; a record that is taken out is made anew each time."""

    def __init__(self, dataset: Dataset) -> None:
        self._values: dict[str, list[Value]] = {name: [] for name in dataset.names}
        self._texts: dict[str, str] = {}

    def add(self, record: Record) -> None:
        """`record` has exactly the variables of the dataset."""
        for name, column in self._values.items():
            value = record[name]
            # Few texts, each of them many times.
            column.append(self._texts.setdefault(value, value) if type(value) is str else value)

    def column(self, name: str) -> Sequence[Value]:
        """The values of one variable."""
        return self._values[name]

    def __len__(self) -> int:
        return len(next(iter(self._values.values())))

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> list[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | list[Record]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        return {name: column[place] for name, column in self._values.items()}

    def __iter__(self) -> Iterator[Record]:
        names = tuple(self._values)
        for values in zip(*self._values.values(), strict=True):
            yield dict(zip(names, values, strict=True))
