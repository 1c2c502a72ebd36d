"""One column of a table: name, label, type, unit, codes and definition, said once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What stands in a column."""

    TEXT = "text"
    CODE = "code"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLAG = "flag"


@dataclass(frozen=True)
class Column:
    """One column as the data dictionary defines it.

    `codes` are the only values of a `Kind.CODE` column besides an empty cell. `decimals` is how
    many places a number is written with. `required` columns are never empty. `assumed` marks a
    value that rests on a charter value which the trial has not confirmed.
    """

    name: str
    label: str
    kind: Kind
    definition: str
    source: str
    unit: str = ""
    decimals: int = 0
    codes: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    assumed: bool = False

    def __post_init__(self) -> None:
        if len(self.label) > 40:
            raise ValueError(f"column {self.name}: the label is longer than 40 characters")
        if bool(self.codes) != (self.kind is Kind.CODE):
            raise ValueError(f"column {self.name}: codes and kind {self.kind.value} disagree")


@dataclass(frozen=True)
class Table:
    """One table of the result folder; `key` names the columns that identify a row."""

    file_name: str
    one_row_for: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the order of the file."""
        return tuple(column.name for column in self.columns)
