"""Hologic's private result text, written anew with what the reader takes from it and no more.

Scan mode, protocol, model, software, reference and the tables are copied by name; the day of the
scan, of the analysis and of earlier scans move; the scan's name, which is made of the date, becomes
a token. Name, id, birth date and whatever else the text says of the person is not copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pydicom.dataset import Dataset

from zoom_imaging.dxa.hologic_text import HologicText, PseudoFile, Table, hologic_texts, plain
from zoom_imaging.exchange.deidentify.days import Order, only_day, order_of, shifted_text
from zoom_imaging.exchange.deidentify.scrub import Scrubber
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.exchange.deidentify.vocabulary import RESULT_WORDS, known_words

GROUP = 0x0019
CREATOR_TAG = 0x00190010
FIRST_TEXT_TAG = 0x00191000
_TEXTS = ("ScanMode", "AnalProtocol")
_DEVICE = ("Model", "HologicSoftwareVer")
_MODE_WORDS = frozenset({"f", "fast", "array", "express", "high", "definition"})
_TITLES = re.compile(r"^(?:GraphTitle\d|TableTitle\d{1,3})$", re.I)
_COUNTS = re.compile(r"^(?:MAXROWS|MAXCOLS)\d{1,3}$", re.I)
_SCAN = re.compile(r"^(?P<day>.*?\d)\s+-\s+(?P<id>\S+)\s*$")
_NUMBER = re.compile(r"^[<>~]?\s*[-+\u2212]?\d*[.,]?\d*\s*%?\*?$|^[-*. ]*$")


def rewritten_texts(
    dataset: Dataset, scrubber: Scrubber, secret: Secret, known_days: frozenset[date]
) -> list[bytes]:
    """Each result text of a file, written anew (ASCII or UTF-8)."""
    found = hologic_texts(dataset, [])
    return [_written(text, scrubber, secret, known_days) for text in found]


def _written(
    text: HologicText, scrubber: Scrubber, secret: Secret, known_days: frozenset[date]
) -> bytes:
    order = order_of([*text.all("Scan"), *text.all("AnalDate")], known_days)
    lines = ["<HologicHeader1>", "</HologicHeader1>"]
    for number, file in enumerate(text.files):
        inside = list(_lines(file, scrubber, secret, order))
        if inside:
            lines += [f"<JavaScriptFile, filetype={number}>", *inside, "</JavaScriptFile>"]
    content = ("\r\n".join(lines) + "\r\n").encode("utf-8")
    return content + b" " * (len(content) % 2)


def _lines(file: PseudoFile, scrubber: Scrubber, secret: Secret, order: Order) -> Iterator[str]:
    for name, values in file.variables.items():
        for value in values:
            written = _variable(name, value, scrubber, secret, order)
            if written is not None:
                yield f'{_SPELLING.get(name, name)} = "{_quoted(written)}";'
    for number, table in sorted(file.tables.items()):
        for (row, column), cells in sorted(table.cells.items()):
            for cell in cells:
                written = _cell(table, row, cell, scrubber, order)
                yield f'ResultsTable{number}[{row:2d}][{column:2d}] = "{_quoted(written)}";'


_SPELLING = {name.lower(): name for name in (*_TEXTS, *_DEVICE, "Scan", "AnalDate")}
"""`parse_text` folds the names of variables; their readers do not care."""


def _variable(
    name: str, value: str, scrubber: Scrubber, secret: Secret, order: Order
) -> str | None:
    spelled = _SPELLING.get(name, name)
    shown = plain(value)
    written: str | None = None
    if spelled == "Scan":
        written = _scan(shown, scrubber, secret, order)
    elif spelled == "AnalDate":
        written = only_day(shifted_text(shown, scrubber.shift_days, order))
    elif spelled in _TEXTS:
        written = known_words(shown, _MODE_WORDS)
    elif spelled in _DEVICE:
        written = scrubber.device(shown)
    elif _TITLES.match(name):
        written = _title(value, scrubber)
    elif _COUNTS.match(name) and value.isdigit():
        written = value
    elif name.startswith("frax"):
        written = ""
    return written


def _scan(shown: str, scrubber: Scrubber, secret: Secret, order: Order) -> str:
    """Day and name of the scan; the name is made of the date, so a token takes its place."""
    match = _SCAN.match(shown)
    day = only_day(shifted_text(match["day"] if match else shown, scrubber.shift_days, order))
    return f"{day} - {secret.token('scan', match['id'])}" if match else day


def _title(value: str, scrubber: Scrubber) -> str:
    """A title's reference population is free text of the maker: kept without identifiers."""
    return scrubber.device(" ".join(value.replace("\\", " ").split()))


def _cell(table: Table, row: int, cell: str, scrubber: Scrubber, order: Order) -> str:
    shown = plain(cell)
    if _NUMBER.match(shown):
        return shown
    moved = shifted_text(shown, scrubber.shift_days, order)
    if moved != shown:
        return only_day(moved)
    if row == 0:
        return _heading(cell)
    return known_words(re.sub(r"[’'`]", "", shown), RESULT_WORDS)


def _heading(cell: str) -> str:
    """A heading with its unit; markup around the 2 of cm2 is not needed by any reader."""
    kept = known_words(
        re.sub(r"[\[\]]", lambda one: "(" if one[0] == "[" else ")", plain(cell)), RESULT_WORDS
    )
    return kept.replace("cm 2", "cm2").replace(" )", ")").replace("( ", "(")


def _quoted(text: str) -> str:
    return text.replace("\\", " ").replace('"', "'").replace("\r", " ").replace("\n", " ")
