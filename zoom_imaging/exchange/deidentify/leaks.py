"""The second pass: a written file is read again and searched for every identifier of the input.

Searched are the decoded text of every element (meta header, sequences and private ones included),
the raw bytes in several character sets, and the name of the file. Names and ids of every subject
are looked for in every file; dates, whose shifted twins are other subjects' dates now and then, in
the files of their own subject. What is found is told by its kind, never by its value.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache

import pydicom
import pydicom.config
from pydicom.dataset import Dataset

from zoom_imaging.exchange.deidentify.elements import every, keyword_of, raw_value, texts, vr_of
from zoom_imaging.exchange.deidentify.identifiers import Identifiers
from zoom_imaging.exchange.deidentify.literals import Literals, Names
from zoom_imaging.exchange.deidentify.profile import DEVICE
from zoom_imaging.exchange.deidentify.scrub import (
    SHORTEST_ID,
    folded,
    name_parts,
    name_spellings,
    telling_parts,
)

_OWN_TAGS = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})
_NUMBER_VRS = frozenset({"DS", "IS"})
_BINARY_NUMBER_VRS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_UID = re.compile(r"(?<![\d.])[0-2](?:\.\d+){3,}(?![\d.])")
_MADE_UID = re.compile(rb"2\.25\.\d{20,39}")
_ENCODINGS = ("utf-8", "euc_kr", "shift_jis", "gb18030", "latin-1", "utf-16-le", "utf-16-be")
_LONG_ENOUGH_BYTES = 8
_LONGEST_NUMBER_ID = 5


class Kind(StrEnum):
    """What was found."""

    NAME = "a person's name"
    ID = "an id or number"
    DATE = "a date"
    UID = "a UID"
    PLACE = "an institution or address"


@dataclass(frozen=True)
class Leak:
    """A kind of identifier, and where it stands."""

    kind: Kind
    where: str


@dataclass(frozen=True)
class Search:
    """Looks for the identifiers of all subjects; `own` are those of the file's subject."""

    everyone: Identifiers

    @cached_property
    def _whole(self) -> Names:
        return Names(self.everyone.names)

    @cached_property
    def _device(self) -> Names:
        """A maker may share a word with a name: only names of several parts are looked for."""
        return Names(name for name in self.everyone.names if len(name_parts(name)) > 1)

    @cached_property
    def _kinds(self) -> Mapping[Kind, frozenset[str]]:
        """Parts of names, ids and places, folded."""
        names, places = self.everyone.names, self.everyone.places
        return {
            Kind.NAME: frozenset(part for name in names for part in telling_parts(name)),
            Kind.ID: frozenset(map(folded, searched_ids(self.everyone.ids))),
            Kind.PLACE: frozenset(folded(one) for one in places if len(one) >= SHORTEST_ID),
        }

    @cached_property
    def _literals(self) -> Literals:
        return Literals(one for some in self._kinds.values() for one in some)

    def text(self, text: str, own: Identifiers, *, numbers: bool = False) -> Iterator[Kind]:
        """The kinds of identifiers in a text, each once; `numbers` for the value of a number."""
        plain = folded(text)
        found = {Kind.UID for uid in _UID.findall(plain) if uid in self.everyone.uids}
        found.update(self._words(plain, numbers=numbers))
        if not numbers:
            found.update(Kind.NAME for at in self._whole.places(plain) if not _in_uid(plain, at))
            if _holds_day(_MADE.sub(" ", plain), own.days):
                found.add(Kind.DATE)
        yield from (kind for kind in Kind if kind in found)

    def _words(self, plain: str, *, numbers: bool) -> Iterator[Kind]:
        """What single words of a folded text are; in a number, ids that are more than digits."""
        wanted = (Kind.ID,) if numbers else tuple(self._kinds)
        for at, word in self._literals.places(plain):
            if (numbers and word.isdigit()) or _in_uid(plain, at):
                continue
            for kind in wanted:
                whole = kind is Kind.PLACE or _is_whole(plain, at, word)
                if whole and word in self._kinds[kind]:
                    yield kind

    def device(self, text: str) -> Iterator[Kind]:
        """The kinds of identifiers in a value of the device's identity."""
        if any(True for _ in self._device.places(folded(text))):
            yield Kind.NAME

    def file(self, content: bytes, name: str, own: Identifiers) -> list[Leak]:
        """Every leak of a written DICOM file, by its content and its name."""
        found = [Leak(kind, "the name of the file") for kind in self.text(name, own)]
        with warnings.catch_warnings(), pydicom.config.disable_value_validation():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(io.BytesIO(content), force=True)
            bulk = b""
            for part, where in ((dataset.file_meta, "meta header"), (dataset, "")):
                found += self._elements(part, where, own)
            if "PixelData" in dataset:
                bulk = raw_value(dataset, 0x7FE00010)
        at = content.rfind(bulk) if bulk else len(content)
        header = content[:at] + content[at + len(bulk) :]
        found += [Leak(kind, "raw bytes") for kind in self._raw(header, own, bulk)]
        return list(dict.fromkeys(found))

    def _elements(self, dataset: Dataset, where: str, own: Identifiers) -> Iterator[Leak]:
        terms = raw_value(dataset, 0x00080005).strip(b" \0")
        for holder, tag in every(dataset):
            if tag in _OWN_TAGS or tag >> 16 == 0x7FE0:
                continue
            keyword, vr = keyword_of(tag), vr_of(holder, tag)
            if vr in _BINARY_NUMBER_VRS:
                continue  # no text; the raw bytes are searched as well
            shown = where or keyword or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
            for text in _read(holder, tag, vr, terms):
                kinds = (
                    self.device(text)
                    if keyword in DEVICE
                    else self.text(text, own, numbers=vr in _NUMBER_VRS)
                )
                yield from (Leak(kind, shown) for kind in kinds)

    def _raw(self, header: bytes, own: Identifiers, bulk: bytes) -> Iterator[Kind]:
        """Bytes, so that nothing hides in what the parser passes over."""
        low = _MADE_UID.sub(b" ", header).lower()
        for kind, needles in _needles(own).items():
            if any(_has(low, needle) for needle in needles) or (
                bulk
                and any(needle in bulk for needle in needles if len(needle) >= _LONG_ENOUGH_BYTES)
            ):
                yield kind


_MADE = re.compile(r"2\.25\.\d{20,39}")


def searched_ids(ids: Iterable[str]) -> list[str]:
    """The ids that are long enough to be told from any other number."""
    return [one for one in ids if len(one) >= SHORTEST_ID and any(map(str.isalnum, one))]


def _read(holder: Dataset, tag: int, vr: str, terms: bytes) -> list[str]:
    """The texts of an element; bytes of no known kind as two of the character sets have them."""
    if vr in {"OB", "OW", "UN"}:
        raw = raw_value(holder, tag)
        return [raw.decode(codec, "replace") for codec in ("utf-8", "euc_kr")]
    return texts(holder, tag, terms)


def _is_whole(text: str, at: int, word: str) -> bool:
    """As `scrub.whole_word`: it is no piece of a longer word; one of another script may be."""
    around = text[at - 1 : at] + text[at + len(word) : at + len(word) + 1]
    return not (word.isascii() and any(one.isascii() and one.isalnum() for one in around))


def _in_uid(text: str, at: int) -> bool:
    return any(match.start() <= at < match.end() for match in _MADE.finditer(text))


def _has(content: bytes, needle: bytes) -> bool:
    """Whether bytes hold a needle that is not a piece of a longer word or number."""
    at = content.find(needle)
    while at >= 0:
        before, after = content[at - 1 : at], content[at + len(needle) : at + len(needle) + 1]
        if not (before.isalnum() or after.isalnum()):
            return True
        at = content.find(needle, at + 1)
    return False


def _needles(own: Identifiers) -> Mapping[Kind, frozenset[bytes]]:
    """What is looked for in raw bytes: whole spellings in each character set, lower case."""
    names: set[bytes] = set()
    for name in own.names:
        for words in name_spellings(name):
            for between in ("^", " ", ", ", ",", "", "_"):
                names |= _encoded(between.join(words))
    ids = {code for one in searched_ids(own.ids) for code in _encoded(folded(one))}
    ids = {one for one in ids if not one.isdigit() or len(one) > _LONGEST_NUMBER_ID}
    days = {f"{day:%Y%m%d}".encode() for day in own.days}
    uids = {uid.encode("ascii", "replace") for uid in own.uids if len(uid) >= _LONG_ENOUGH_BYTES}
    return {
        Kind.NAME: frozenset(one for one in names if len(one) >= 4),
        Kind.ID: frozenset(ids),
        Kind.DATE: frozenset(days),
        Kind.UID: frozenset(uids),
    }


def _encoded(text: str) -> set[bytes]:
    found = set()
    for codec in _ENCODINGS:
        try:
            found.add(text.encode(codec))
        except UnicodeEncodeError:
            continue
    return found


_NUMBERS = re.compile(
    r"\d{8,}|\d{1,4}([-./])\d{1,2}\1\d{1,4}|[a-z]{3,9}\.? ?\d{1,2},? \d{4}"
    r"|\d{1,2}[-. ]?[a-z]{3,9}[-. ,]*\d{4}|\d{4}\s?년\s?\d{1,2}\s?월\s?\d{1,2}"
)


def _holds_day(text: str, days: frozenset[date]) -> bool:
    """Whether a text has one of these days in any form."""
    return any(
        spelling in match[0] for match in _NUMBERS.finditer(text) for spelling in _spellings(days)
    )


@lru_cache(maxsize=1024)
def _spellings(days: frozenset[date]) -> tuple[str, ...]:
    """Days in the forms that reports and headers write, folded."""
    return tuple({form for day in days for form in _forms(day)})


def _forms(day: date) -> Iterator[str]:
    yield f"{day:%Y%m%d}"
    for sign in "-./":
        yield f"{day:%Y{sign}%m{sign}%d}"
        yield f"{day:%m{sign}%d{sign}%Y}"
        yield f"{day:%d{sign}%m{sign}%Y}"
        yield f"{day.month}{sign}{day.day}{sign}{day.year}"
        yield f"{day.day}{sign}{day.month}{sign}{day.year}"
    for month in (f"{day:%b}".lower(), f"{day:%B}".lower()):
        for number in {f"{day.day:02d}", str(day.day)}:
            yield from (f"{number}{sign}{month}{sign}{day.year}" for sign in ("-", " ", ".", ""))
            yield f"{month} {number}, {day.year}"
            yield f"{month} {number} {day.year}"
    yield f"{day.year}년 {day.month}월 {day.day}"
    yield f"{day.year}년{day.month}월{day.day}"
