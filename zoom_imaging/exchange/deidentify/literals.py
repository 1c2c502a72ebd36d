"""Many strings looked for in a text at once: how many there are makes no difference to the time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from zoom_imaging.exchange.deidentify.scrub import SEPARATORS, name_spellings, spelled

_BETWEEN = re.compile(SEPARATORS)


class Literals:
    """A set of strings, found wherever a text holds one of them."""

    def __init__(self, strings: Iterable[str]) -> None:
        """Empty strings are passed over."""
        self._strings = frozenset(filter(None, strings))
        self._head = min(map(len, self._strings), default=0)
        self._lengths: dict[str, set[int]] = {}
        for one in self._strings:
            self._lengths.setdefault(one[: self._head], set()).add(len(one))

    def places(self, text: str) -> Iterator[tuple[int, str]]:
        """Each string that stands in the text, and where it starts; they may overlap."""
        if not self._strings:
            return
        lengths, head = self._lengths, self._head
        for start in range(len(text) - head + 1):
            for length in lengths.get(text[start : start + head], ()):
                if (found := text[start : start + length]) in self._strings:
                    yield start, found


class Names:
    """Whole names of persons, found whatever stands between their parts."""

    def __init__(self, names: Iterable[str]) -> None:
        """Names as DICOM writes them; one of a single part is no whole name."""
        self._spelled: dict[str, set[tuple[str, ...]]] = {}
        for name in names:
            for words in name_spellings(name):
                self._spelled.setdefault("".join(words), set()).add(words)
        self._joined = Literals(self._spelled)

    def places(self, text: str) -> Iterator[int]:
        """Where a name starts in a folded text."""
        for found in {found for _, found in self._joined.places(_BETWEEN.sub("", text))}:
            for words in self._spelled[found]:
                yield from (match.start() for match in re.finditer(spelled(words), text))
