"""Dates moved by whole days: DICOM values, and dates inside of text in the form they have there.

Times of day and offsets from UTC stay as written. A value that is no date is never kept, because it
may be anything; it becomes one that no reader takes for a date, so that the file is refused for the
same reason as before.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from zoom_imaging.ingest.dates import is_blank

NO_DATE = "99999999"
"""What stands in the place of a value that is no date; month and day 99 do not exist."""

_DA = re.compile(r"(\d{4})([.-]?)(\d{2})\2(\d{2})")
_DT = re.compile(r"(\d{4})(\d{2})?(\d{2})?(\d{2}[\d.]*)?([+-]\d{4})?")
_TM = re.compile(r"\d{2}(:?\d{2}(:?\d{2}(\.\d{1,6})?)?)?")
_SHORT = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY_WORD = re.compile(rf"{_MONTH}|[ap]m|t|[년월일]", re.I)
_IN_TEXT = re.compile(
    r"(?<![\d.])(?:"
    r"(?P<iy>(?:18|19|20)\d{2})(?P<is>[-./]|\s?년\s?)(?P<im>\d{1,2})(?P<is2>[-./]|\s?월\s?)"
    r"(?P<id>\d{1,2})(?!\d)"
    r"|(?P<cy>(?:18|19|20)\d{2})(?P<cm>0\d|1[0-2])(?P<cd>[0-2]\d|3[01])(?=(?:\d{4,6})?(?!\d))"
    r"|(?P<na>\d{1,2})(?P<ns>[-/.])(?P<nb>\d{1,2})(?P=ns)(?P<ny>\d{4}|\d{2})(?!\d)"
    rf"|(?P<dd>\d{{1,2}})(?P<ds>[-. ]?)(?P<dm>{_MONTH})(?P<ds2>[-. ,]*)"
    r"(?P<dy>\d{4}|\d{2})(?!\d)"
    r")"
    rf"|\b(?P<tm>{_MONTH})(?P<ts>[. -]+)(?P<td>\d{{1,2}})(?P<ts2>,? +|-)(?P<ty>\d{{4}})(?!\d)",
    re.I,
)


class Order(StrEnum):
    """In which order a text writes the numbers of a date like 03/05/2025."""

    MONTH_FIRST = "month_first"
    DAY_FIRST = "day_first"


@dataclass(frozen=True)
class FoundDay:
    """A date in a text: where it stands, which day it is, and how to write another one there."""

    start: int
    end: int
    day: date
    write: Callable[[date], str]


def shifted_date(text: str, days: int) -> str:
    """A DA value moved by `days`, in its own form; blank stays blank."""
    match = _DA.fullmatch(text.strip())
    moved = _moved(int(match[1]), int(match[3]), int(match[4]), days) if match else None
    if match is not None and moved is not None:
        return f"{moved.year:04d}{match[2]}{moved.month:02d}{match[2]}{moved.day:02d}"
    return "" if is_blank(text) else NO_DATE


def shifted_time_stamp(text: str, days: int) -> str:
    """A DT value moved by `days`; a month or year alone moves by its middle."""
    match = _DT.fullmatch(text.strip())
    if match is None:
        return "" if is_blank(text) else NO_DATE
    month, day = int(match[2] or 7), int(match[3] or (15 if match[2] else 1))
    moved = _moved(int(match[1]), month, day, days)
    if moved is None:
        return "" if is_blank(text) else NO_DATE
    written = f"{moved.year:04d}"
    written += f"{moved.month:02d}" if match[2] else ""
    written += f"{moved.day:02d}" if match[3] else ""
    return written + (match[4] or "") + (match[5] or "")


def kept_time(text: str) -> str:
    """A TM value as it is, or nothing where it is none."""
    return text if _TM.fullmatch(text.strip()) else ""


def _moved(year: int, month: int, day: int, days: int) -> date | None:
    try:
        return date(year, month, day) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None


def days_in(text: str, order: Order = Order.MONTH_FIRST) -> Iterator[FoundDay]:
    """Every date of a text. `order` decides where a date of numbers can be read in two ways."""
    for match in _IN_TEXT.finditer(text):
        found = _found(match, order)
        if found is not None:
            yield found


def shifted_text(text: str, days: int, order: Order = Order.MONTH_FIRST) -> str:
    """The text with each date in it moved and written in the form that it had."""
    parts: list[str] = []
    at = 0
    for found in days_in(text, order):
        parts += [text[at : found.start], found.write(found.day + timedelta(days=days))]
        at = found.end
    return "".join([*parts, text[at:]])


def only_day(text: str) -> str:
    """Numbers, signs and names of months: what a day and a time are written with."""
    pieces = re.findall(r"[^\W\d_]+|[\W\d_]+", text)
    return "".join(
        piece for piece in pieces if not piece[0].isalpha() or _DAY_WORD.fullmatch(piece)
    ).strip()


def order_of(texts: Collection[str], known: Collection[date]) -> Order:
    """The order by which the texts' dates are `known` days; month first where nothing tells."""
    scores = {
        order: sum(found.day in known for text in texts for found in days_in(text, order))
        for order in Order
    }
    day_first = scores[Order.DAY_FIRST] > scores[Order.MONTH_FIRST]
    return Order.DAY_FIRST if day_first else Order.MONTH_FIRST


def _found(match: re.Match[str], order: Order) -> FoundDay | None:
    kind = next(name for name in ("iy", "cy", "na", "dd", "tm") if match[name] is not None)
    day, write = _READERS[kind](match, order)
    return None if day is None else FoundDay(match.start(), match.end(), day, write)


_Read = tuple[date | None, Callable[[date], str]]


def _iso(match: re.Match[str], _order: Order) -> _Read:
    def write(day: date) -> str:
        return (
            f"{day.year:04d}{match['is']}{_like(match['im'], day.month)}{match['is2']}"
            f"{_like(match['id'], day.day)}"
        )

    return _day(match["iy"], match["im"], match["id"]), write


def _compact(match: re.Match[str], _order: Order) -> _Read:
    return _day(match["cy"], match["cm"], match["cd"]), lambda day: f"{day:%Y%m%d}"


def _numeric(match: re.Match[str], order: Order) -> _Read:
    readings = {
        Order.MONTH_FIRST: _day(match["ny"], match["na"], match["nb"]),
        Order.DAY_FIRST: _day(match["ny"], match["nb"], match["na"]),
    }
    other = Order.DAY_FIRST if order is Order.MONTH_FIRST else Order.MONTH_FIRST
    used = order if readings[order] is not None else other

    def write(day: date) -> str:
        numbers = (day.month, day.day) if used is Order.MONTH_FIRST else (day.day, day.month)
        sign = match["ns"]
        return (
            f"{_like(match['na'], numbers[0])}{sign}{_like(match['nb'], numbers[1])}{sign}"
            f"{_year(match['ny'], day)}"
        )

    return readings[used], write


def _named(match: re.Match[str], _order: Order) -> _Read:
    def write(day: date) -> str:
        return (
            f"{_like(match['dd'], day.day)}{match['ds']}{_month_like(match['dm'], day)}"
            f"{match['ds2']}{_year(match['dy'], day)}"
        )

    return _day(match["dy"], str(_month(match["dm"])), match["dd"]), write


def _turned(match: re.Match[str], _order: Order) -> _Read:
    def write(day: date) -> str:
        return (
            f"{_month_like(match['tm'], day)}{match['ts']}{_like(match['td'], day.day)}"
            f"{match['ts2']}{day.year:04d}"
        )

    return _day(match["ty"], str(_month(match["tm"])), match["td"]), write


_READERS: dict[str, Callable[[re.Match[str], Order], _Read]] = {
    "iy": _iso,
    "cy": _compact,
    "na": _numeric,
    "dd": _named,
    "tm": _turned,
}


def _day(year: str, month: str, day: str) -> date | None:
    number = int(year) + (2000 if len(year) == 2 else 0)
    return _moved(number, int(month), int(day), 0)


def _month(name: str) -> int:
    return _SHORT.index(name.lower()[:3]) + 1


def _like(sample: str, number: int) -> str:
    """A number as long as the sample says that numbers are written there."""
    return f"{number:02d}" if len(sample) == 2 else str(number)


def _year(sample: str, day: date) -> str:
    return f"{day.year % 100:02d}" if len(sample) == 2 else f"{day.year:04d}"


def _month_like(sample: str, day: date) -> str:
    full = sample.lower() != "may" and len(sample) > 4
    name = calendar.month_name[day.month] if full else calendar.month_abbr[day.month]
    if sample.lower() in {"may", "june", "july"} and len(sample) > 3:
        name = calendar.month_name[day.month]
    return name.upper() if sample.isupper() else name.lower() if sample.islower() else name
