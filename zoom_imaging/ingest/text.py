"""Text of file names and headers, made fit for a table: valid UTF-8 without control characters.

A header's text may be in another character set than it declares, or in one that no standard has.
That never costs the file: the text is repaired by a rule that the warning names, or shows
replacement characters.
"""

from __future__ import annotations

import os
import re
import unicodedata
import warnings as python_warnings

from pydicom.charset import decode_bytes, python_encoding

_DEFAULT = "iso8859"
_UNDEFINED_TERMS = {
    "ISOIR149": "euc_kr",
    "ISO2022IR149": "euc_kr",
    "KSC5601": "euc_kr",
    "KSC56011987": "euc_kr",
    "KSX1001": "euc_kr",
    "EUCKR": "euc_kr",
    "CP949": "cp949",
    "MS949": "cp949",
    "UHC": "cp949",
    "UTF8": "utf8",
    "ISO10646": "utf8",
    "GBK": "gb18030",
    "GB2312": "gb18030",
    "GB18030": "gb18030",
    "LATIN1": "latin_1",
    "ISO88591": "latin_1",
}
"""Terms that devices write and PS3.3 C.12.1.1.2 does not have, without blanks and signs."""

_ESCAPE_SEQUENCE = re.compile(rb"\x1b[\x20-\x2f]+[\x30-\x7e]")
_EAST_ASIAN_PAIRS = re.compile(rb"(?:[\xa1-\xfe][\x40-\xfe]){2,}")
_LATIN = {"latin_1", "iso8859_1", "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_9"}
_HIDDEN = {"\u2028", "\u2029", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
"""Line separators and direction overrides: invisible, and able to disguise a name."""


def visible(text: str) -> str:
    r"""The same text with control characters as `\xNN` and lone surrogates as their byte."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(character) == "Cc":
        return f"\\x{code:02x}"
    if character in _HIDDEN or 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    return character


def has_controls(text: str) -> bool:
    """Whether `visible` would write some character in another way."""
    return visible(text) != text


def path_text(path: str | os.PathLike[str]) -> str:
    r"""A path of the file system as table text; undecodable bytes as `\xNN`."""
    return visible(os.fsencode(path).decode("utf-8", "surrogateescape"))


def without_padding(value: bytes) -> bytes:
    """A header value without the blanks and NULs around it."""
    return value.strip(b" \0")


def header_text(value: bytes | None, terms: bytes, warnings: list[str], *, what: str) -> str:
    """Decode a text value by the file's Specific Character Set (`terms`, as stored).

    Control characters are kept here, so that an id can still be judged; see `visible`. Text that
    its character set cannot decode is read as UTF-8 or Korean EUC where it is one of them without
    an error; else undecodable bytes show as replacement characters. Both add to `warnings`.
    """
    raw = without_padding(value or b"")
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    encodings, undefined = _encodings(terms)
    if undefined:
        warnings.append(f"the character set '{visible(undefined)}' is not defined by DICOM")
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        text = decode_bytes(raw, encodings or [_DEFAULT], {ord("^"), ord("=")})
    if encodings and _is_sound(text) and not _is_outside_ascii(text, encodings[0]):
        if _looks_east_asian(raw, encodings):
            warnings.append(f"{what} may be in another character set than declared: not shown")
            return "".join(c if c.isascii() else "\ufffd" for c in text)
        return text.strip(" \0")
    return _repaired(raw, warnings, what)


def _encodings(terms: bytes) -> tuple[list[str], str]:
    """Python's names of the declared character sets, and the terms that are not defined."""
    found: list[str] = []
    undefined: list[str] = []
    for part in terms.decode("ascii", "replace").split("\\"):
        term = part.strip(" \0")
        known = python_encoding.get(term) or python_encoding.get(term.replace("_", " ", 1))
        if known and term in python_encoding:
            found.append(known)
            continue
        undefined.append(term)
        guess = _UNDEFINED_TERMS.get(re.sub(r"[^A-Z0-9]", "", term.upper())) or known
        if guess:
            found.append(guess)
    return found, "\\".join(undefined)


def _is_sound(text: str) -> bool:
    return not any(
        character == "\ufffd" or (unicodedata.category(character) == "Cc" and character != "\0")
        for character in text
    )


def _is_outside_ascii(text: str, first_encoding: str) -> bool:
    """Whether bytes beyond ASCII stand where only ASCII (no first term) is declared."""
    return first_encoding == _DEFAULT and any("\x80" <= character <= "\xff" for character in text)


def _looks_east_asian(raw: bytes, encodings: list[str]) -> bool:
    """True for runs of byte pairs that are Chinese or Korean but declared to be Latin."""
    if not encodings or not set(encodings) <= _LATIN:
        return False
    pairs = _EAST_ASIAN_PAIRS.findall(raw)
    for codec in ("gbk", "euc_kr"):
        try:
            raw.decode(codec)
        except UnicodeDecodeError:
            continue
        return bool(pairs) and all(not run.isascii() for run in pairs)
    return False


def _repaired(raw: bytes, warnings: list[str], what: str) -> str:
    plain = _ESCAPE_SEQUENCE.sub(b"", raw)
    if plain.isascii():
        if plain != raw:
            warnings.append(f"escape sequences were taken out of {what}")
        return plain.decode("ascii")
    for codec, name in (("utf-8", "UTF-8"), ("euc_kr", "Korean (EUC-KR)")):
        try:
            text = plain.decode(codec)
        except UnicodeDecodeError:
            continue
        if _is_sound(text):
            warnings.append(f"{what} is not in the declared character set: read as {name}")
            return text
    warnings.append(f"{what} is not in the declared character set: shown with replacements")
    return plain.decode("ascii", "replace")


FORMULA_STARTS: tuple[str, ...] = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet take text for a formula."""


def text_cell(text: str) -> str:
    """Text for a CSV cell: visible, and with an apostrophe where it would be a formula."""
    guard = "'" if text.startswith(FORMULA_STARTS) else ""
    return guard + visible(text)
