"""One variable and one dataset as the metadata describe them, said once for every format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """What a variable holds; dates are numeric days in XPT and ISO text elsewhere."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"


class Origin(StrEnum):
    """Where values come from (Define-XML 2.1, Origin Type)."""

    ASSIGNED = "Assigned"
    COLLECTED = "Collected"
    DERIVED = "Derived"


@dataclass(frozen=True)
class Variable:
    """One variable; `codes` are (value, decode) pairs where only these may occur.

    Names have 8 characters and labels 40 at most, text 200 (XPT version 5). `method` says in words
    how a value is made or where it comes from. `decimals` are significant digits
    after the point in Define-XML; values themselves are not rounded.
    """

    name: str
    label: str
    kind: Kind
    origin: Origin
    method: str
    length: int = 8
    codes: tuple[tuple[str, str], ...] = ()
    decimals: int = 0
    required: bool = False

    def __post_init__(self) -> None:
        if len(self.name) > 8 or len(self.label) > 40 or self.length > 200:
            raise ValueError(f"{self.name}: name, label or length is beyond XPT version 5")

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The values of `codes`."""
        return frozenset(code for code, _ in self.codes)


@dataclass(frozen=True)
class Dataset:
    """One dataset; `keys` identify a record and order the file."""

    name: str
    label: str
    structure: str
    class_name: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Variable names in the order of the file."""
        return tuple(variable.name for variable in self.variables)
