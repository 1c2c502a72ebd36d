"""The private result text of Hologic's reports: found in the file, taken apart into assignments.

It is text of group 0019 whatever block, creator and VR it has, and begins with `<HologicHeader1>`.
It is not XML: a short header, then pseudo-files of JavaScript assignments, with HTML inside of the
values. Nothing is executed; only assignments of plain values are read.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from zoom_imaging.dxa.element import character_set, clean_lines, stored_bytes

_GROUP = 0x0019
_BEGINNING = b"<HologicHeader1>"
_BEFORE_IT = b"\xef\xbb\xbf \r\n\t\0"
_PSEUDO_FILE = re.compile(r"<JavaScriptFile\b[^>]*", re.I)
_ASSIGNMENT = re.compile(
    r"""([A-Za-z_]\w*)\s*((?:\[\s*\d+\s*\]\s*)*)=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^;"']*);"""
)
_INDEX = re.compile(r"\d+")
_TAG = re.compile(r"<[^<>]*>")
_LONGEST = 4_000_000
_LARGEST_INDEX = 500

Cell = tuple[int, int]


@dataclass
class Table:
    """One table of results. A cell that is assigned twice keeps both values."""

    cells: dict[Cell, list[str]] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[int, ...]:
        """The numbers of the rows that have cells."""
        return tuple(sorted({row for row, _ in self.cells}))

    def values(self, row: int, column: int) -> list[str]:
        """Every different value of a cell, in the order of the text."""
        return list(dict.fromkeys(self.cells.get((row, column), [])))

    def columns(self, row: int) -> tuple[int, ...]:
        """The numbers of the columns of a row."""
        return tuple(sorted(column for number, column in self.cells if number == row))


@dataclass
class PseudoFile:
    """One `<JavaScriptFile ...>`: plain variables by name, tables by number."""

    variables: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[int, Table] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """The value of a variable without HTML, "" if it is not assigned."""
        found = self.variables.get(name.lower(), [])
        return plain(found[0]) if found else ""


@dataclass(frozen=True)
class HologicText:
    """The pseudo-files of one text, in its order."""

    files: tuple[PseudoFile, ...]

    def all(self, name: str) -> tuple[str, ...]:
        """Every different value that a variable has anywhere, without HTML and blanks."""
        found = (
            plain(value) for one in self.files for value in one.variables.get(name.lower(), [])
        )
        return tuple(dict.fromkeys(value for value in found if value))

    def one(self, name: str) -> str:
        """The value of a variable; several different ones are all given."""
        return " | ".join(self.all(name))


def plain(value: str) -> str:
    """A value without HTML tags and entities, blanks made single."""
    return " ".join(html.unescape(_TAG.sub("", value)).split())


def hologic_texts(dataset: Dataset, warnings: list[str]) -> tuple[HologicText, ...]:
    """Every result text of a file, each once; equal copies count as one."""
    terms = character_set(dataset)
    stored: list[bytes] = []
    for tag in sorted(dataset.keys()):
        if tag.group != _GROUP:
            continue
        value = stored_bytes(dataset, int(tag)).lstrip(_BEFORE_IT)
        if value.startswith(_BEGINNING) and value.rstrip(b" \0") not in stored:
            stored.append(value.rstrip(b" \0"))
    return tuple(parse_text(clean_lines(value, terms, warnings), warnings) for value in stored)


def parse_text(lines: list[str], warnings: list[str]) -> HologicText:
    """Take a text apart; a line that is no assignment is left out."""
    if sum(map(len, lines)) > _LONGEST:
        warnings.append(
            f"the result text is longer than {_LONGEST} characters: its end is not read"
        )
    files = [PseudoFile()]
    read = 0
    for line in lines:
        read += len(line)
        if read > _LONGEST:
            break
        if _PSEUDO_FILE.match(line):
            files.append(PseudoFile())
        elif not line.startswith("//"):
            for name, indices, value in _assignments(line):
                _put(files[-1], name, indices, value)
    return HologicText(tuple(files))


def _assignments(line: str) -> Iterator[tuple[str, list[int], str]]:
    whole = line if line.endswith(";") else line + ";"
    for match in _ASSIGNMENT.finditer(whole):
        value = match[3].strip()
        if value[:1] in {'"', "'"}:
            value = re.sub(r"\\([\"'])", r"\1", value[1:-1])
        yield match[1], [int(number) for number in _INDEX.findall(match[2])], value


def _put(into: PseudoFile, name: str, indices: list[int], value: str) -> None:
    table = re.fullmatch(r"ResultsTable(\d{1,3})", name, re.I)
    if table is None or len(indices) != 2:
        if not indices:
            into.variables.setdefault(name.lower(), []).append(value)
        return
    if max(indices) <= _LARGEST_INDEX:
        cells = into.tables.setdefault(int(table[1]), Table()).cells
        cells.setdefault((indices[0], indices[1]), []).append(value)
