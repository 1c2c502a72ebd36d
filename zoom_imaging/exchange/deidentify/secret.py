"""The secret key, and what is made from it: pseudonyms, UIDs, tokens and the shift of dates.

Everything is HMAC-SHA-256 of a purpose and a value: the same key and input give the same output in
every run and process, and without the key nothing leads back.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from zoom_imaging.errors import DeidentificationKeyError
from zoom_imaging.ingest.source import cause
from zoom_imaging.ingest.text import path_text

SHORTEST_KEY_BYTES = 32
_FEWEST_DIFFERENT_BYTES = 8
_LONGEST_KEY_BYTES = 1 << 16
_ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels, so that a pseudonym never holds a name by chance."""

_PSEUDONYM_CHARACTERS = 8
NEAREST_SHIFT_DAYS = 7305
FARTHEST_SHIFT_DAYS = 10957
"""Dates move back 20 to 30 years: no date of a trial falls on another date of the same subject."""


@dataclass(frozen=True)
class Secret:
    """A key. It is never shown."""

    key: bytes = field(repr=False)

    def _digest(self, purpose: str, value: str) -> bytes:
        message = f"zoom_imaging deidentify 1\0{purpose}\0{value}".encode()
        return hmac.new(self.key, message, hashlib.sha256).digest()

    def pseudonym(self, subject_id: str) -> str:
        """`S-` and eight characters for an id as `ingest` takes it (no outer blanks)."""
        number = int.from_bytes(self._digest("subject", subject_id), "big")
        characters = []
        for _ in range(_PSEUDONYM_CHARACTERS):
            number, place = divmod(number, len(_ALPHABET))
            characters.append(_ALPHABET[place])
        return "S-" + "".join(characters)

    def shift_days(self, subject_id: str) -> int:
        """Whole days, negative, by which every date of a subject moves."""
        number = int.from_bytes(self._digest("shift", subject_id)[:8], "big")
        return -(NEAREST_SHIFT_DAYS + number % (FARTHEST_SHIFT_DAYS - NEAREST_SHIFT_DAYS + 1))

    def uid(self, uid: str) -> str:
        """A UID under 2.25 (PS3.5 B.2) in the form of a version 8 UUID."""
        raw = bytearray(self._digest("uid", uid)[:16])
        raw[6] = (raw[6] & 0x0F) | 0x80
        raw[8] = (raw[8] & 0x3F) | 0x80
        return f"2.25.{int.from_bytes(raw, 'big')}"

    def token(self, purpose: str, value: str) -> str:
        """Ten characters that stand for a value which must stay distinct, such as a scan's name."""
        return self._digest(purpose, value).hex()[:10].upper()


def read_key(path: Path) -> tuple[Secret, str]:
    """The key of a file, without blanks at its ends, and a warning where others may read it.

    DeidentificationKeyError for a file that cannot be read or holds too little.
    """
    shown = path_text(path)
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            content = stream.read(_LONGEST_KEY_BYTES + 1).strip()
    except (OSError, ValueError) as error:
        raise DeidentificationKeyError(
            f"the key file {shown} cannot be read ({cause(error)})",
            remedy="name it with --key, or make one with --new-key",
        ) from error
    if not SHORTEST_KEY_BYTES <= len(content) <= _LONGEST_KEY_BYTES:
        raise DeidentificationKeyError(
            f"the key in {shown} has the wrong length",
            expected=f"{SHORTEST_KEY_BYTES} to {_LONGEST_KEY_BYTES} bytes",
            found=str(len(content)),
            remedy="make one with --new-key",
        )
    if len(set(content)) < _FEWEST_DIFFERENT_BYTES:
        raise DeidentificationKeyError(
            f"the key in {shown} can be guessed: it has {len(set(content))} different bytes",
            remedy="make one with --new-key",
        )
    others = mode & (stat.S_IRGRP | stat.S_IROTH)
    warning = f"others may read the key file {shown}: chmod 600 it" if others else ""
    return Secret(content), warning


def make_key(path: Path) -> None:
    """Write a new random key that only its owner may read; never over an existing file."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(SHORTEST_KEY_BYTES) + "\n")
    except FileExistsError as error:
        raise DeidentificationKeyError(
            f"{path_text(path)} is there already: a key is never replaced",
            remedy="name a new file, or leave out --new-key to use this one",
        ) from error
    except OSError as error:
        raise DeidentificationKeyError(
            f"the key file {path_text(path)} cannot be written ({cause(error)})"
        ) from error
