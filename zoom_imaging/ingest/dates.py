"""The day of an examination as the file writes it, never shifted by a time zone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from zoom_imaging.ingest.text import visible

_DATE = re.compile(r"(\d{4})([.-]?)(\d{2})\2(\d{2})")
_DATE_TIME = re.compile(r"(\d{8})(\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?)?([+-]\d{4})?")


def parse_day(text: str) -> date | None:
    """A DA value (YYYYMMDD, before 1993 YYYY.MM.DD; PS3.5 6.2) or ISO day; None if it is no day."""
    match = _DATE.fullmatch(text)
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None


def parse_day_of_time_stamp(text: str) -> date | None:
    """The day of a DT value as written; the offset from UTC (`&ZZXX`) changes nothing."""
    match = _DATE_TIME.fullmatch(text)
    return parse_day(match[1]) if match else None


def is_blank(text: str) -> bool:
    """True for what stands where no date is known: blanks, zeros and separators only."""
    return not text.strip(" \0.-0")


def day_of_examination(candidates: Sequence[tuple[str, str]]) -> tuple[date | None, str]:
    """The first candidate (name of the attribute, text) that is not blank, and where it stood.

    The order is that of the charter's rule: acquisition, else content, else study date. A text that
    is no date gives None with a sentence; a later candidate does not stand in for it, because then
    nobody would know which day was meant.
    """
    for name, text in candidates:
        if is_blank(text):
            continue
        found = parse_day_of_time_stamp(text) if name.endswith("DateTime") else parse_day(text)
        if found is None:
            return None, f"{name} '{visible(text)}' is no valid date (expected YYYYMMDD)"
        return found, name
    return None, "the file has neither acquisition, content nor study date"
