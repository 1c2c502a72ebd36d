"""Days and times as reports print them: read in one way only, or not at all."""

from __future__ import annotations

import re
from datetime import date, datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def certain_date(text: str) -> date | None:
    """A day that reads in one way only: `14-Jan-2019`, `2019-01-14`, `20190114`; else None."""
    plain = text.strip()
    named = re.match(r"^(\d{1,2})[-. ]([A-Za-z]{3})[A-Za-z]*[-. ,]+(\d{4})\b", plain)
    turned = re.match(r"^([A-Za-z]{3})[A-Za-z]* (\d{1,2}),? (\d{4})\b", plain)
    numbers = re.match(r"^(\d{4})[-./]?(\d{2})[-./]?(\d{2})(?:[ T].*|\d{6}.*)?$", plain)
    if named:
        year, month, day = int(named[3]), _month(named[2]), int(named[1])
    elif turned:
        year, month, day = int(turned[3]), _month(turned[1]), int(turned[2])
    elif numbers:
        year, month, day = int(numbers[1]), int(numbers[2]), int(numbers[3])
    else:
        return None
    return _date(year, month, day)


def american_date(text: str) -> date | None:
    """A day as Lunar's XML writes it, month/day/year; also one that can be read in one way only."""
    match = re.match(r"^\s*(\d{1,2})/(\d{1,2})/(\d{4})(?:\s.*)?$", text)
    if match:
        return _date(int(match[3]), int(match[1]), int(match[2]))
    return certain_date(text)


def clock_time(text: str) -> datetime | None:
    """A certain day with its time, None where either lacks."""
    day = certain_date(text)
    match = re.search(r"(?:^|[ T])(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?\s*$", text)
    if day is None or match is None:
        return None
    hour = int(match[1])
    if match[4]:
        hour = hour % 12 + 12 * (match[4].lower() == "pm")
    try:
        return datetime(day.year, day.month, day.day, hour, int(match[2]), int(match[3] or 0))
    except ValueError:
        return None


def _month(name: str) -> int:
    return _MONTHS.index(name.lower()) + 1 if name.lower() in _MONTHS else 0


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
