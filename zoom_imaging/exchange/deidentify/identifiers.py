"""What may tell who a file is about: names, ids, dates, UIDs, places, as its own bytes hold them.

Gathered before anything is cleaned, from header, sequences, private text, XML and content trees.
They are what the cleaning takes out of text, and what the second pass must not find again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date

from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset

from zoom_imaging.dxa.hologic_text import plain
from zoom_imaging.exchange.deidentify.days import days_in
from zoom_imaging.exchange.deidentify.elements import (
    every,
    items,
    keyword_of,
    raw_value,
    texts,
    vr_of,
)
from zoom_imaging.exchange.deidentify.profile import DEVICE, Action, action_of
from zoom_imaging.exchange.deidentify.vocabulary import known_words
from zoom_imaging.ingest.dates import parse_day
from zoom_imaging.ingest.text import header_text, visible

STANDARD_ROOT = "1.2.840.10008."
_ID_WORDS = re.compile(r"(IDs?|Number|ID[A-Z]\w*)$|Identifier")
_PLACE_WORDS = re.compile(r"Institution|Address|Telephone|Telecom|Email")
_NAME_KEY = re.compile(r"name|physician|operator|technologist|doctor|patient$", re.I)
_NO_NAME_KEY = re.compile(r"file|protocol|model|mode|scan|region|site|institution|software", re.I)
_ID_KEY = re.compile(r"(?:^|_|patient|scan|subject)_?id$|ssn|mrn|accession|identifier|chart", re.I)
_PLACE_KEY = re.compile(r"institution|hospital|address|phone", re.I)
_DATE_KEY = re.compile(r"dob|birth|date|^scan$", re.I)
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)\s*=\s*(?:\"([^\"\n]*)\"|'([^'\n]*)')")
_TAGGED = re.compile(r"<\s*(\w+)[^<>]*>([^<>]*)</\s*\1\s*>")
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)')")
_PATIENT_IDS = frozenset({"PatientID", "ClinicalTrialSubjectID", "OtherPatientIDs"})
_HOLOGIC = b"<HologicHeader1>"
_CONCEPT_NAME, _CODE_MEANING = 0x0040A043, 0x00080104
_LONGEST_VALUE = 256


@dataclass(frozen=True)
class Identifiers:
    """What a file, or all files of a subject, say of the person."""

    names: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    days: frozenset[date] = frozenset()
    uids: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def __or__(self, other: Identifiers) -> Identifiers:
        return united((self, other))


def united(many: Iterable[Identifiers]) -> Identifiers:
    """What all of them say."""
    every = tuple(many)
    return Identifiers(
        *(
            frozenset().union(*(getattr(one, field.name) for one in every))
            for field in fields(Identifiers)
        )
    )


class _Found:
    """Gathers without order and without blanks."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.ids: set[str] = set()
        self.days: set[date] = set()
        self.uids: set[str] = set()
        self.places: set[str] = set()
        self.patient_ids: set[str] = set()

    def name(self, text: str) -> None:
        if text.strip(" ^=\0"):
            self.names.add(text.strip(" \0"))

    def id(self, text: str) -> None:
        if text.strip(" \0"):
            self.ids.add(text.strip(" \0"))

    def day(self, text: str) -> None:
        day = parse_day(text.strip(" \0")[:10]) or parse_day(text.strip(" \0")[:8])
        if day is not None:
            self.days.add(day)

    def days_of(self, text: str) -> None:
        self.days.update(found.day for found in days_in(text))

    def by_key(self, key: str, value: str) -> None:
        """A value by what its name says that it is."""
        value = " ".join(value.split())
        if not value or len(value) > _LONGEST_VALUE:
            return
        if _PLACE_KEY.search(key):
            self.places.add(value)
        elif _ID_KEY.search(key):
            self.id(value)
        elif _NAME_KEY.search(key) and not _NO_NAME_KEY.search(key):
            self.name(value)

    def done(self) -> Identifiers:
        return Identifiers(
            frozenset(self.names),
            frozenset(self.ids),
            frozenset(self.days),
            frozenset(self.uids),
            frozenset(self.places),
        )


def is_standard_uid(uid: str) -> bool:
    """A UID that names a class, a syntax or another thing of the standard, never an object."""
    return uid in UID_dictionary or uid.startswith(STANDARD_ROOT)


def gather(dataset: Dataset) -> Identifiers:
    """Every identifier of a data set."""
    found = _Found()
    terms = raw_value(dataset, 0x00080005).strip(b" \0")
    kept = {
        text.strip(" \0")
        for one, tag in every(dataset)
        if keyword_of(tag) in DEVICE
        for text in texts(one, tag, terms)
    }
    for holder, tag in every(dataset):
        _take(found, holder, tag, terms)
    found.ids -= {one for one in kept | found.ids if _is_common(one)} - found.patient_ids
    found.ids -= kept - found.patient_ids
    found.places -= {one for one in kept | found.places if known_words(one) == one}
    return found.done()


def _is_common(number: str) -> bool:
    """A word of everybody's instead of a number: `SPINE LAT` as the id of a procedure."""
    return known_words(number) == number or not any(map(str.isdigit, number))


def _take(found: _Found, holder: Dataset, tag: int, terms: bytes) -> None:
    vr, keyword = vr_of(holder, tag), keyword_of(tag)
    if tag >> 16 == 0x7FE0:
        return
    if vr == "PN":
        for text in texts(holder, tag, terms):
            found.name(text)
    elif vr == "UI":
        for uid in texts(holder, tag, terms):
            plain_uid = uid.strip(" \0")
            if plain_uid and not is_standard_uid(plain_uid):
                found.uids.add(plain_uid)
    elif vr in {"DA", "DT"}:
        for text in texts(holder, tag, terms):
            found.day(text)
    elif vr in {"LT", "ST", "UT"} or tag >> 16 & 1 or vr == "UN":
        _take_text(found, holder, tag, terms)
    elif vr in {"AE", "CS", "LO", "SH", "UC", "UR", "IS"} and keyword not in DEVICE:
        for text in texts(holder, tag, terms):
            _take_value(found, keyword, tag, vr, text)


def _take_value(found: _Found, keyword: str, tag: int, vr: str, text: str) -> None:
    if "Date" in keyword:
        found.day(text)
    removed = action_of(tag, keyword, vr) in {
        Action.REMOVE,
        Action.EMPTY,
        Action.DUMMY,
        Action.SUBJECT_ID,
    }
    if removed and _PLACE_WORDS.search(keyword):
        if text.strip():
            found.places.add(text.strip(" \0"))
    elif removed and vr in {"LO", "SH", "UC"} and _ID_WORDS.search(keyword):
        found.id(text)
        if keyword in _PATIENT_IDS:
            found.patient_ids.add(text.strip(" \0"))
    if vr in {"LO", "SH", "UC"} and len(text) > 6:
        found.days_of(text)


def _take_text(found: _Found, holder: Dataset, tag: int, terms: bytes) -> None:
    """Long and private text: assignments, XML and dates in it; a person named by a content item."""
    raw = raw_value(holder, tag)
    if not _is_text(raw):
        return
    text = _decoded(raw, terms)
    found.days_of(text)
    for pattern in (_ASSIGNED, _TAGGED, _ATTRIBUTE):
        for match in pattern.finditer(text):
            key = "institution" if match[1] == "Name" and _HOLOGIC in raw[:64] else match[1]
            found.by_key(key, plain(match[match.lastindex or 2] or ""))
    if keyword_of(tag) == "TextValue":
        meaning = _meaning(holder, terms)
        for text in texts(holder, tag, terms):
            found.by_key(re.sub(r"\W+", "_", meaning), text)


def _decoded(raw: bytes, terms: bytes) -> str:
    lines = raw.replace(b"\0", b" ").splitlines()
    return "\n".join(visible(header_text(line, terms, [], what="a text")) for line in lines)


def _is_text(raw: bytes) -> bool:
    """Whether bytes may be text; binary values are removed and hold nothing to look for."""
    head = raw[:4096]
    odd = sum(byte < 32 and byte not in b"\0\t\r\n\x0c\x1b" for byte in head)
    return bool(head) and odd * 20 <= len(head) and head.count(0) * 4 <= len(head)


def _meaning(item: Dataset, terms: bytes) -> str:
    """The name of a content item."""
    for code in items(item, _CONCEPT_NAME) if _CONCEPT_NAME in item else ():
        if _CODE_MEANING in code:
            return " ".join(texts(code, _CODE_MEANING, terms))
    return ""
