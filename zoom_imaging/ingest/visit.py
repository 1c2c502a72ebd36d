"""Which visit an examination belongs to, by the charter.

In this order: the name of the time point in the file; the window around the first zoledronic acid;
and only where no infusion date is known, the earliest and the latest examination of the subject, if
they are as far apart as the charter says. A single examination without infusion date and time point
has no visit: nobody can tell baseline from month 12 then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from zoom_imaging.anatomy import Visit
from zoom_imaging.charter import Charter, VisitRules

NO_DATE = "no valid date"


@dataclass(frozen=True)
class VisitOf:
    """The visit of one file; without one `reason` says why. `question` is for a person."""

    visit: Visit | None
    reason: str = ""
    question: str = ""
    conflicting: bool = False


def visit_of(
    acquired_on: date | None,
    date_source: str,
    time_points: Sequence[str],
    *,
    charter: Charter,
    zol1_date: date | None,
    dates_of_subject: Collection[date],
) -> VisitOf:
    """Assign one examination. `dates_of_subject` are all examination dates of its subject."""
    if acquired_on is None:
        return VisitOf(None, f"{NO_DATE}: {date_source}")
    by_date, why_not = _by_date(acquired_on, charter.visits, zol1_date, dates_of_subject)
    named = _by_name(time_points, charter)
    if named is None:
        question = ""
        if time_points and by_date is not None:
            question = "the time point is none of the charter's names: is the visit right?"
        return VisitOf(by_date, why_not, question)
    if by_date is not None and by_date is not named:
        sentence = f"the time point says {named}, the date {acquired_on} says {by_date}"
        return VisitOf(named, sentence, "time point and date contradict each other", True)
    return VisitOf(named)


def _by_name(time_points: Sequence[str], charter: Charter) -> Visit | None:
    names = charter.identity.time_points
    found = set()
    for text in time_points:
        plain = " ".join(text.lower().split())
        if plain in names.baseline:
            found.add(Visit.BASELINE)
        if plain in names.month12:
            found.add(Visit.MONTH12)
    return found.pop() if len(found) == 1 else None


def _by_date(
    day: date, rules: VisitRules, zol1_date: date | None, dates_of_subject: Collection[date]
) -> tuple[Visit | None, str]:
    if zol1_date is not None:
        return _by_window((day - zol1_date).days, rules)
    first, last = min(dates_of_subject, default=day), max(dates_of_subject, default=day)
    apart = (last - first).days
    if apart == 0:
        return None, (
            "no infusion date is known, and there is one examination day only: "
            "baseline and month 12 cannot be told apart"
        )
    shortest, longest = rules.earliest_latest_minimum_days, rules.earliest_latest_maximum_days
    if not shortest <= apart <= longest:
        return None, (
            f"no infusion date is known, and the examinations of this subject lie {apart} days "
            f"apart (baseline and month 12: {shortest} to {longest})"
        )
    if (day - first).days <= rules.month12_tolerance_days:
        return Visit.BASELINE, ""
    if (last - day).days <= rules.month12_tolerance_days:
        return Visit.MONTH12, ""
    return None, (
        f"no infusion date is known, and {day} is neither near the earliest ({first}) nor near the "
        f"latest examination ({last}) of this subject"
    )


def _by_window(day: int, rules: VisitRules) -> tuple[Visit | None, str]:
    if rules.baseline_first_day <= day <= rules.baseline_last_day:
        return Visit.BASELINE, ""
    first = rules.month12_target_day - rules.month12_tolerance_days
    last = rules.month12_target_day + rules.month12_tolerance_days
    if first <= day <= last:
        return Visit.MONTH12, ""
    return None, (
        f"day {day} from the first zoledronic acid lies in no visit window (baseline "
        f"{rules.baseline_first_day} to {rules.baseline_last_day}, month 12 {first} to {last})"
    )
