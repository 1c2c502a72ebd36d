"""The records of one dataset, kept variable by variable: as dicts they would fill the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zoom_imaging.adam.records import Record, Value
from zoom_imaging.adam.variable import Dataset


class Columns:
    """Grows at its end; going through it makes each record anew."""

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

    def __iter__(self) -> Iterator[Record]:
        names = tuple(self._values)
        for values in zip(*self._values.values(), strict=True):
            yield dict(zip(names, values, strict=True))
