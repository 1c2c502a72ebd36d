"""One subject's names and ids, found in text in every spelling and taken out of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from zoom_imaging.exchange.deidentify.days import Order, shifted_text
from zoom_imaging.exchange.deidentify.vocabulary import RESULT_WORDS, WORDS

SHORTEST_PART = 3
"""Letters of a part of a name that is looked for by itself."""

SHORTEST_ID = 4
SEPARATORS = r"[\s,^=._\-]*"
"""What may stand between the parts of a name."""


def folded(text: str) -> str:
    """Text in one form: width, composition and case make no difference."""
    return unicodedata.normalize("NFKC", text).casefold()


def name_parts(name: str) -> tuple[str, ...]:
    """The parts of a person's name that say something by themselves, folded, each once.

    Three letters at least; two of a script without case, in which a name is short.
    """
    words = re.split(r"[\s,^=._\-\\/()]+", folded(name))
    return tuple(dict.fromkeys(word for word in words if _tells(word)))


def _tells(word: str) -> bool:
    letters = sum(character.isalpha() for character in word)
    return letters >= (SHORTEST_PART if word.isascii() else 2)


def name_spellings(name: str) -> Iterator[tuple[str, ...]]:
    """Sequences of parts that are a whole name: of each group (`=`), as written and turned."""
    for group in folded(name).split("="):
        words = tuple(filter(None, re.split(r"[\s,^._\-\\/()]+", group)))
        if len(words) > 1:
            yield words
            yield words[::-1]
            yield words[:2]
            yield words[1::-1]


def whole_word(part: str) -> str:
    """A pattern for a word that is not a piece of a longer one."""
    if not part.isascii():
        return re.escape(part)
    return rf"(?<![a-z0-9]){re.escape(part)}(?![a-z0-9])"


def spelled(words: Collection[str]) -> str:
    """A pattern for the parts of a name one after the other, whatever stands between."""
    return rf"(?<![^\W\d_]){SEPARATORS.join(re.escape(word) for word in words)}(?![^\W\d_])"


@dataclass(frozen=True)
class Scrubber:
    """Takes the names and ids of a subject out of text and moves the dates in it."""

    names: frozenset[str]
    ids: frozenset[str]
    shift_days: int

    @cached_property
    def _whole(self) -> re.Pattern[str] | None:
        """Whole names, as one spells them, and ids."""
        found = {spelled(words) for name in self.names for words in name_spellings(name)}
        ids = {whole_word(folded(one)) for one in self.ids if len(one) >= SHORTEST_ID}
        return _any_of([*_longest_first(ids), *_longest_first(found)])

    @cached_property
    def _parts(self) -> re.Pattern[str] | None:
        parts = {whole_word(part) for name in self.names for part in telling_parts(name)}
        return _any_of(_longest_first(parts))

    def text(self, text: str, order: Order = Order.MONTH_FIRST, *, dates: bool = True) -> str:
        """The text without names, parts of names and ids, its dates moved."""
        plain = shifted_text(text, self.shift_days, order) if dates else text
        return _without(self._parts, _without(self._whole, plain))

    def device(self, text: str) -> str:
        """A device's own text: a word that it shares with a name is the device's."""
        return _without(self._whole, text)


def _longest_first(patterns: Collection[str]) -> list[str]:
    """In an order that is the same in every process."""
    return sorted(patterns, key=lambda one: (len(one), one), reverse=True)


def _any_of(patterns: Collection[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(patterns), re.I) if patterns else None


def _without(pattern: re.Pattern[str] | None, text: str) -> str:
    if pattern is None or not pattern.search(folded(text)):
        return text
    return " ".join(pattern.sub(" ", unicodedata.normalize("NFKC", text)).split())


def telling_parts(name: str) -> Iterator[str]:
    """The parts of a name that are no words of every report: a Ms White, a Ms Neck."""
    known = WORDS | RESULT_WORDS
    return (part for part in name_parts(name) if part not in known)
