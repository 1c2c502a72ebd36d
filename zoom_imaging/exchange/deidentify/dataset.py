"""One data set without its person: every element by the profile, private text written anew.

Pixels are another module's work (`pixels`). What was done is counted by keyword, never by value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date

from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from zoom_imaging.dxa.lunar_xml import lunar_xml
from zoom_imaging.exchange.deidentify import elements, structured
from zoom_imaging.exchange.deidentify.days import kept_time, shifted_date, shifted_time_stamp
from zoom_imaging.exchange.deidentify.hologic import CREATOR_TAG, FIRST_TEXT_TAG, rewritten_texts
from zoom_imaging.exchange.deidentify.identifiers import is_standard_uid
from zoom_imaging.exchange.deidentify.lunar import rewritten_xml
from zoom_imaging.exchange.deidentify.profile import DEVICE, DUMMY_TEXT, METHODS, Action, action_of
from zoom_imaging.exchange.deidentify.scrub import Scrubber
from zoom_imaging.exchange.deidentify.secret import Secret
from zoom_imaging.exchange.deidentify.vocabulary import known_words
from zoom_imaging.ingest.dataset import Encoding, Source
from zoom_imaging.ingest.dates import parse_day

_CHARACTER_SET = 0x00080005
_COMMENTS = 0x00204000
_TEXT_VALUE = 0x0040A160
_SUBJECT_OF_TRIAL = 0x00120040
_CODE_VALUE, _CODE_MEANING = 0x00080100, 0x00080104
_SCAN_DAYS = (0x00080020, 0x00080021, 0x00080022, 0x00080023)


@dataclass(frozen=True)
class Person:
    """What a subject becomes: pseudonym, shift, and what must leave the text of the files."""

    pseudonym: str
    scrubber: Scrubber

    @property
    def shift_days(self) -> int:
        """By which each date moves."""
        return self.scrubber.shift_days


@dataclass
class Counts:
    """How often an attribute was removed or changed, by keyword; private ones as one."""

    removed: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Attribute:
    tag: int
    keyword: str
    vr: str
    action: Action


def _shifted(text: str, days: int) -> str:
    """A DA or DT value moved; a DT is longer, and may be a year or a month alone."""
    whole = len(text) in {8, 10} and parse_day(text) is not None
    return shifted_date(text, days) if whole else shifted_time_stamp(text, days)


class Cleaner:
    """Cleans the data set of one file in place."""

    def __init__(
        self,
        source: Source,
        person: Person,
        secret: Secret,
        time_points: Collection[str] = (),
    ) -> None:
        self._dataset = source.dataset
        self._encoding: Encoding = source.encoding
        self._person, self._secret = person, secret
        self._time_points = time_points
        self._terms = elements.raw_value(source.dataset, _CHARACTER_SET).strip(b" \0")
        self.counts = Counts()

    def clean(self) -> Counts:
        """Clean the data set; UnreadableError for text that cannot be taken apart."""
        dataset = self._dataset
        texts = rewritten_texts(dataset, self._person.scrubber, self._secret, self._scan_days())
        xml = lunar_xml(dataset)
        comments = rewritten_xml(xml, self._person.scrubber) if xml is not None else None
        self._items(dataset, self._terms)
        self._declare_utf_8(dataset)
        for number, content in enumerate(texts):
            elements.put_text(dataset, CREATOR_TAG, "HOLOGIC", self._encoding, "LO")
            tag = FIRST_TEXT_TAG + number
            elements.put_bytes(dataset, tag, "UN", content, self._encoding)
            self.counts.changed["Hologic result text"] += 1
        if comments is not None:
            elements.put_text(dataset, _COMMENTS, comments, self._encoding, "LT")
            self.counts.removed["ImageComments"] -= 1
            self.counts.changed["ImageComments"] += 1
        self._identify()
        self.counts.removed += Counter()  # drops what was counted back to nothing
        return self.counts

    def _declare_utf_8(self, dataset: Dataset) -> None:
        """Text is UTF-8 already: pydicom must write it as it is, not recode it."""
        elements.put_bytes(dataset, _CHARACTER_SET, "CS", elements.UTF_8, self._encoding)
        dataset.set_original_encoding(
            self._encoding.implicit, self._encoding.little_endian, convert_encodings("ISO_IR 192")
        )

    def _scan_days(self) -> frozenset[date]:
        found = (
            parse_day(text.strip(" \0"))
            for tag in _SCAN_DAYS
            if tag in self._dataset
            for text in elements.texts(self._dataset, tag, self._terms)
        )
        return frozenset(day for day in found if day is not None)

    def _items(self, dataset: Dataset, terms: bytes) -> None:
        own = elements.raw_value(dataset, _CHARACTER_SET).strip(b" \0") or terms
        if _TEXT_VALUE in dataset:
            self._text_item(dataset, own)
        if _CODE_MEANING in dataset:
            self._code(dataset, own)
        for tag in elements.tags_of(dataset):
            if tag in (_TEXT_VALUE, _CODE_VALUE, _CODE_MEANING):
                continue
            keyword, vr = elements.keyword_of(tag), elements.vr_of(dataset, tag)
            attribute = _Attribute(tag, keyword, vr, action_of(tag, keyword, vr))
            if tag == _CHARACTER_SET:
                self._declare_utf_8(dataset)
            elif (tag & 0xFFFF) == 0:
                del dataset[BaseTag(tag)]
            elif vr == "SQ":
                self._sequence(dataset, attribute, own)
            else:
                self._element(dataset, attribute, own)

    def _sequence(self, dataset: Dataset, attribute: _Attribute, terms: bytes) -> None:
        if attribute.action is Action.ITEMS:
            for item in elements.items(dataset, attribute.tag):
                self._items(item, terms)
        elif attribute.action is Action.EMPTY:
            dataset[BaseTag(attribute.tag)].value = []
            self.counts.changed[attribute.keyword] += 1
        else:
            self._remove(dataset, attribute)

    def _remove(self, dataset: Dataset, attribute: _Attribute) -> None:
        del dataset[BaseTag(attribute.tag)]
        self.counts.removed[attribute.keyword or "private or unknown attribute"] += 1

    def _element(self, dataset: Dataset, attribute: _Attribute, terms: bytes) -> None:
        tag, action = attribute.tag, attribute.action
        if action in {Action.REMOVE, Action.ITEMS}:
            self._remove(dataset, attribute)
            return
        if action is Action.KEEP and attribute.vr not in {"AS", "CS"}:
            return
        before = elements.texts(dataset, tag, terms)
        device = attribute.keyword in DEVICE
        after = [
            self._person.scrubber.device(text) if device else self._value(action, text)
            for text in before
        ]
        if after != before or not elements.raw_value(dataset, tag).isascii():
            joined = "\\".join(after) if any(after) else ""
            elements.put_text(dataset, tag, joined, self._encoding, attribute.vr)
            self.counts.changed[attribute.keyword] += after != before

    def _value(self, action: Action, text: str) -> str:
        """One value by an action; "" for one that empties."""
        scrubber, plain = self._person.scrubber, text.strip(" \0")
        write: dict[Action, Callable[[], str]] = {
            Action.DATE: lambda: _shifted(plain, scrubber.shift_days),
            Action.TIME: lambda: kept_time(plain),
            Action.UID: lambda: self._uid(plain),
            Action.SUBJECT_ID: lambda: self._secret.pseudonym(plain) if plain else "",
            Action.NAME: lambda: self._person.pseudonym,
            Action.TIME_POINT: lambda: self._time_point(plain),
            Action.WORDS: lambda: known_words(plain),
            Action.TEXT: lambda: scrubber.text(text),
            Action.KEEP: lambda: scrubber.text(text),
            Action.VERSION: lambda: scrubber.text(text, dates=False),
            Action.DUMMY: lambda: DUMMY_TEXT,
        }
        return write[action]() if action in write else ""

    def _uid(self, uid: str) -> str:
        return uid if is_standard_uid(uid) or not uid else self._secret.uid(uid)

    def _time_point(self, text: str) -> str:
        known = " ".join(text.lower().split()) in self._time_points
        return text if known else known_words(text)

    def _text_item(self, item: Dataset, terms: bytes) -> None:
        """A text item of a content tree, judged by its concept's name as it was."""
        meaning = ""
        names = elements.items(item, 0x0040A043) if 0x0040A043 in item else []
        if names:
            meaning = elements.text_of(names[0], "CodeMeaning", terms)
        before = "\\".join(elements.texts(item, _TEXT_VALUE, terms))
        after = structured.text_value(meaning, before, self._person.scrubber, self._secret)
        elements.put_text(item, _TEXT_VALUE, after, self._encoding, "UT")
        self.counts.changed["TextValue"] += after != before

    def _code(self, code: Dataset, terms: bytes) -> None:
        """A code; where its meaning was changed, its value would say the same and is a token."""
        before = "\\".join(elements.texts(code, _CODE_MEANING, terms))
        after = structured.meaning(before, self._person.scrubber)
        elements.put_text(code, _CODE_MEANING, after, self._encoding, "LO")
        if _CODE_VALUE in code:
            value = "\\".join(elements.texts(code, _CODE_VALUE, terms))
            kept = self._person.scrubber.text(value, dates=False)
            if after != before or kept != value:
                kept = "X" + self._secret.token("code", value)
            elements.put_text(code, _CODE_VALUE, kept, self._encoding, "SH")
        self.counts.changed["CodeMeaning"] += after != before

    def _identify(self) -> None:
        """Say that, and by which profile, the identity was removed."""
        from zoom_imaging import __version__

        dataset = self._dataset
        pseudonym = self._person.pseudonym
        for tag, vr in ((0x00100010, "PN"), (0x00100020, "LO")):
            if tag not in dataset or not elements.raw_value(dataset, tag).strip(b" \0"):
                elements.put_text(dataset, tag, pseudonym, self._encoding, vr)
        if _SUBJECT_OF_TRIAL in dataset:
            for tag in (0x00120010, 0x00120020):  # sponsor and protocol, which that module needs
                elements.put_text(dataset, tag, DUMMY_TEXT, self._encoding, "LO")
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = [
            f"zoom_imaging {__version__}",
            "PS3.15 Annex E basic profile with options",
        ]
        codes = []
        for value, meaning in METHODS:
            code = Dataset()
            code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
            codes.append(code)
        dataset.DeidentificationMethodCodeSequence = codes
        dataset.LongitudinalTemporalInformationModified = "MODIFIED"
