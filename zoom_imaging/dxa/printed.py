"""Densitometry as a page prints it: lines of text from a PDF or from character recognition.

Columns are told by the words and units of their heading, never by position alone; a line whose
numbers do not fit the columns is told and used for nothing. Whatever is read here is in doubt by
itself: letters may be missed and signs lost, so a person must confirm it before it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from zoom_imaging.dxa.content import ReportContent
from zoom_imaging.dxa.naming import Scanned, printed_value, region_named, scan_named
from zoom_imaging.dxa.number import Printed, Quantity, parse
from zoom_imaging.dxa.result import Side, Site
from zoom_imaging.dxa.row import RegionRow

_CM2 = r"cm\s?[2²^?]*\s?"
"""Square centimetres, also as a recognition of characters sees the small 2."""

_HEADINGS: tuple[tuple[str, str, Quantity], ...] = (
    (rf"area(?:\s*[\[(]?{_CM2}[\])]?)?|[\[(]{_CM2}[\])]", "area", Quantity.AREA),
    (r"bmc(?:\s*[\[(]?g[\])]?)?|[\[(]g[\])]", "bmc", Quantity.BMC),
    (rf"bmd(?:\s*[\[(]?g\s*/\s*{_CM2}[\])]?)?|[\[(]g\s*/\s*{_CM2}[\])]", "bmd", Quantity.BMD),
    (r"t\s?-?\s?score|(?<!\w)t(?!\w)", "t_score", Quantity.SCORE),
    (r"z\s?-?\s?score|(?<!\w)z(?!\w)", "z_score", Quantity.SCORE),
    (
        r"(?:pr|ya|young[\s-]adult)\s*\(?%\)?|peak reference",
        "young_adult_percent",
        Quantity.PERCENT,
    ),
    (
        r"(?:am|age[\s-]matched)\s*\(?%\)?|age matched",
        "age_matched_percent",
        Quantity.PERCENT,
    ),
    (r"\(%\)|(?<![\w(])%(?!\w)", "", Quantity.PERCENT),
)
_HEADING = re.compile("|".join(f"(?P<h{k}>{words})" for k, (words, _, _) in enumerate(_HEADINGS)))
_REFERENCE = re.compile(r"\bt-?\s?score vs\.? (.+)|reference(?: population)?: *(.+)", re.I)
_LOOK_BACK = re.compile(r"^(?:trend|(?:results? )?history|previous|prior|change|scan date)\b", re.I)
_LONGEST_LINE = 400
_MOST_LINES = 4000


@dataclass(frozen=True)
class _Column:
    """What stands in one column; `name` is a field of `RegionRow`, "" for what is not kept."""

    name: str
    quantity: Quantity


def read_printed(lines: Iterable[str], scan: Scanned | None, doubt: str) -> ReportContent:
    """Every region that the lines print.

    `scan` is the one that the header names, until a line names another. `doubt` is the sentence
    that each row carries.
    """
    rows: list[RegionRow] = []
    warnings: list[str] = []
    columns: tuple[_Column, ...] = ()
    references: list[str] = []
    history = False
    for line in _clean(lines):
        found = _reference(line)
        if found:
            references.append(found)
            continue
        if _LOOK_BACK.match(line):
            history = True
        heading = () if history else _columns(line)
        if heading:
            columns = heading
            continue
        named = _scan_in(line)
        if named is not None:
            scan, history = named, False
            continue
        if not columns or scan is None or history:
            continue
        row = _row(line, columns, scan, warnings)
        if row is not None:
            rows.append(replace(row, doubt="; ".join(filter(None, (doubt, row.doubt)))))
    if warnings or any(row.bmd.problem and row.is_vertebra for row in rows):
        lost = "a line of the table cannot be read: it is not known which vertebrae the total holds"
        rows = [
            replace(row, doubt=f"{lost}; {row.doubt}") if row.is_lumbar_total else row
            for row in rows
        ]
    return ReportContent(
        rows=tuple(rows),
        reference=references[0] if len(set(references)) == 1 else "",
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _clean(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number >= _MOST_LINES:
            return
        text = " ".join(line[:_LONGEST_LINE].replace("|", " ").split())
        if text:
            yield text


def _reference(line: str) -> str:
    found = _REFERENCE.search(line)
    return (found[1] or found[2]).strip() if found else ""


def _columns(line: str) -> tuple[_Column, ...]:
    """The columns of a heading: BMD and at least one more; () for any other line."""
    if any(character.isdigit() for character in re.sub(r"cm\s?\^?[2²]|\(\d\)", "", line)):
        return ()
    columns: list[_Column] = []
    for match in _HEADING.finditer(line.lower()):
        _, name, quantity = _HEADINGS[int((match.lastgroup or "h0")[1:])]
        columns.append(_Column(name, quantity))
    names = [column.name for column in columns if column.name]
    if "bmd" not in names or len(columns) < 2 or len(set(names)) != len(names):
        return ()
    return tuple(columns)


def _scan_in(line: str) -> Scanned | None:
    """The scan that a title names: a short line without a number behind it."""
    text = line.split(":", 1)[-1].strip() if re.match(r"(?i)scan|exam|protocol", line) else line
    if len(text) > 60 or len(_numbers(text.split())) > 0:
        return None
    return scan_named(text)


def _numbers(words: Sequence[str]) -> list[Printed]:
    """The numbers, or marks for a missing one, that a line ends with."""
    found: list[Printed] = []
    for word in reversed(words):
        one = parse(word)
        if one.problem or not one.text:
            break
        found.append(one)
    return found[::-1]


def _row(
    line: str, columns: Sequence[_Column], scan: Scanned, warnings: list[str]
) -> RegionRow | None:
    words = line.split()
    numbers = _numbers(words)
    region = _region(scan, words[: len(words) - len(numbers)])
    if region is None and len(numbers) == len(columns):
        warnings.append(f"'{line}' names no region that is known: used for nothing")
        return None
    if region is None:
        return _unreadable(line, words, scan)
    if len(numbers) != len(columns):
        warnings.append(
            f"'{line}' has {len(numbers)} numbers under {len(columns)} columns: used for nothing"
        )
        return replace(region, bmd=Printed(text=line, problem=f"'{line}' does not fit its columns"))
    values = {
        column.name: printed_value(column.quantity, number.text, column.quantity.unit or None)
        for column, number in zip(columns, numbers, strict=True)
        if column.name
    }
    return replace(region, **values)  # type: ignore[arg-type]


def _unreadable(line: str, words: Sequence[str], scan: Scanned) -> RegionRow | None:
    """A line that begins with a region and goes on with what should be numbers: a withheld row."""
    for count in (3, 2, 1):
        region = region_named(scan, " ".join(words[:count]))
        rest = words[count:]
        if region is not None and sum(any(map(str.isdigit, word)) for word in rest) >= 2:
            return replace(region, bmd=Printed(text=line, problem=f"'{line}' cannot be read"))
    return None


def _region(scan: Scanned, label: Sequence[str]) -> RegionRow | None:
    """The region that the words name, or the longest end of them: a picture may stand before it."""
    ends = (" ".join(label[first:]) for first in range(len(label)))
    return next((row for end in ends if (row := region_named(scan, end)) is not None), None)


def scan_of_header(protocol: str, body_part: str, laterality: str) -> Scanned | None:
    """The scan that a header names: `AP Spine`, LSPINE, HIP with L."""
    found = scan_named(protocol) or scan_named(body_part.replace("LSPINE", "lumbar spine"))
    if found is None or found.side is not Side.NONE or found.site is Site.LUMBAR_SPINE:
        return found
    side = {"L": Side.LEFT, "R": Side.RIGHT}.get(laterality.strip().upper(), Side.NONE)
    return replace(found, side=side)
