"""The films of two visits, level by level: same names, same scale, then the change.

Grades are those of the films merged for each visit. Heights are compared on the two films that show
most levels in common, because a percentage needs one scale (domain rules, sections 4 and 6):

- both films calibrated and the anatomy agrees within the charter's limit: millimetres as measured,
  the 4 mm rule runs;
- both calibrated and the anatomy disagrees: a query; heights are brought to one scale by the
  anatomy and the 4 mm rule does not run, because one of the two calibrations is wrong;
- not calibrated at both visits: heights are brought to one scale by the anatomy; only the
  percentage counts;
- too few common levels to tell the scale: the percentage is shown where both films have millimetres
  and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from zoom_imaging.anatomy import GRADED_LEVELS, GradeSource, Level, SpacingSource
from zoom_imaging.change.profile import (
    LevelProfile,
    ScaleRatio,
    better_shift,
    film_profile,
    scale_ratio,
)
from zoom_imaging.change.record import ChangeKind, VertebraChange
from zoom_imaging.change.vertebra import HeightPair, vertebra_change
from zoom_imaging.charter import Charter, FractureRules
from zoom_imaging.morphometry.grade import TRANSITIONAL_LEVELS
from zoom_imaging.morphometry.heights import Triple, is_measurable, paired_distances
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.morphometry.spine import MergedVertebra, merge_with_films
from zoom_imaging.query import Query, QueryKind


@dataclass(frozen=True)
class FilmComparison:
    """T4-L4 compared, in order, and what a person must answer about it."""

    changes: tuple[VertebraChange, ...]
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True)
class _FilmPair:
    """One film of each visit: what they have in common and how their heights are compared."""

    baseline: FilmReading
    month12: FilmReading
    before: dict[Level, LevelProfile]
    after: dict[Level, LevelProfile]
    ratio: ScaleRatio
    factor: float
    in_mm: bool
    comparable: bool
    remark: str
    shift: int

    def has(self, level: Level) -> bool:
        return level in self.before and level in self.after

    @property
    def preference(self) -> tuple[bool, bool, int, str, str]:
        return (
            not self.comparable,
            not self.in_mm,
            -self.ratio.levels,
            self.baseline.sop_instance_uid,
            self.month12.sop_instance_uid,
        )

    def heights(self, before: Triple, after: Triple) -> HeightPair:
        scaled = Triple(*(height * self.factor for height in after))
        return HeightPair(before, scaled, self.in_mm, self.comparable, self.remark)


def compare_films(
    baseline: Sequence[FilmReading],
    month12: Sequence[FilmReading],
    charter: Charter,
    *,
    subject_id: str = "",
) -> FilmComparison:
    """Compare T4-L4; 13 changes whatever the films show. `subject_id` goes into the queries."""
    rules = charter.fracture
    pairs = tuple(
        _film_pair(before, after, rules)
        for before in baseline
        if not before.refusal
        for after in month12
        if not after.refusal
    )
    merged = tuple(zip(merge_with_films(baseline), merge_with_films(month12), strict=True))
    numbering = _numbering_queries(baseline, month12, pairs, subject_id)
    uncertain = _uncertain_films(baseline, month12, pairs)
    changes: list[VertebraChange] = []
    used: list[_FilmPair] = []
    for level, (before, after) in zip(GRADED_LEVELS, merged, strict=True):
        heights, pair = _heights(level, before, after, pairs)
        if pair is not None and pair not in used:
            used.append(pair)
        change = vertebra_change(
            before.reading,
            after.reading,
            pair is not None and pair.in_mm,
            rules,
            flag_probability=charter.model.flag_probability,
            heights=heights,
        )
        if any(film is before.film or film is after.film for film in uncertain):
            change = _level_uncertain(change)
        changes.append(change)
    queries = [*numbering]
    queries += [query for pair in used for query in _scale_query(pair, rules, subject_id)]
    queries += [
        _improved_query(change, subject_id)
        for change in changes
        if change.kind is ChangeKind.IMPROVED
    ]
    return FilmComparison(tuple(changes), tuple(queries))


def _film_pair(before: FilmReading, after: FilmReading, rules: FractureRules) -> _FilmPair:
    first, second = film_profile(before, rules), film_profile(after, rules)
    ratio = scale_ratio(first, second)
    has_mm = _has_mm(before) and _has_mm(after)
    calibrated = _source(before).is_calibrated and _source(after).is_calibrated
    anatomy = ratio.along_spine
    # Along the spine the heights decide where they can; the widths alone may differ on a slot film.
    difference = ratio.heights if ratio.heights is not None else ratio.widths
    factor, in_mm, comparable, remark = 1.0, calibrated, True, ""
    if not calibrated:
        remark = f"the 4 mm rule is not applied: {_why_not_calibrated(before, after)}"
    elif difference is not None and abs(difference - 1) > rules.scale_difference_warning_pct / 100:
        in_mm = False
        remark = (
            "the 4 mm rule is not applied: both films are calibrated, yet the same levels differ "
            f"by {100 * abs(difference - 1):.1f} %"
        )
    if not in_mm:
        comparable = anatomy is not None
        factor = anatomy if anatomy is not None else 1.0
        remark += (
            f"; heights of month 12 times {factor:.3f}, the scale that the other levels show"
            if comparable
            else "; too few common levels, or levels that contradict each other, to tell the scale"
        )
    return _FilmPair(
        before,
        after,
        first,
        second,
        ratio,
        factor,
        in_mm,
        comparable,
        remark,
        better_shift(first, second, same_millimetres=has_mm),
    )


def _source(film: FilmReading) -> SpacingSource:
    return film.scale.source if film.scale is not None else SpacingSource.NONE


def _has_mm(film: FilmReading) -> bool:
    return film.scale is not None and film.scale.as_list is not None


def _why_not_calibrated(before: FilmReading, after: FilmReading) -> str:
    visits: dict[str, list[str]] = {}
    for visit, film in (("baseline", before), ("month 12", after)):
        source = _source(film)
        if source is SpacingSource.IMAGER_RAW:
            what = "the scale is that of the detector, no magnification is known"
        else:
            what = "there is no scale"
        if not source.is_calibrated:
            visits.setdefault(f"{what} ({source.value})", []).append(visit)
    return ", ".join(f"{what} at {' and '.join(which)}" for what, which in visits.items())


def _heights(
    level: Level, before: MergedVertebra, after: MergedVertebra, pairs: Sequence[_FilmPair]
) -> tuple[HeightPair | None, _FilmPair | None]:
    candidates = [pair for pair in pairs if pair.has(level)]
    if candidates:
        best = min(candidates, key=lambda pair: pair.preference)
        if not best.comparable and not (_has_mm(best.baseline) and _has_mm(best.month12)):
            return None, best
        return best.heights(best.before[level].heights, best.after[level].heights), best
    # Not evaluable at one visit: heights that are shown are compared, and decide nothing.
    for pair in pairs:
        if pair.baseline is before.film and pair.month12 is after.film:
            first = _shown(before.reading, pair.baseline)
            second = _shown(after.reading, pair.month12)
            if first is not None and second is not None:
                return pair.heights(first, second), None
    return None, None


def _shown(reading: VertebraReading, film: FilmReading) -> Triple | None:
    if reading.six_points is None or reading.heights is None:
        return None
    heights = paired_distances(reading.six_points, film.scale)
    return heights if is_measurable(heights) else None


def _uncertain_films(
    baseline: Sequence[FilmReading], month12: Sequence[FilmReading], pairs: Sequence[_FilmPair]
) -> list[FilmReading]:
    if Level.T13 in _transitional(baseline) ^ _transitional(month12):
        return [*baseline, *month12]
    # Readers saw both visits: what their names look like is a query and never voids their word.
    return [
        film
        for pair in pairs
        if pair.shift and not (_named_by_readers(pair.baseline) and _named_by_readers(pair.month12))
        for film in (pair.baseline, pair.month12)
    ]


def _named_by_readers(film: FilmReading) -> bool:
    return any(reading.grade_source is not GradeSource.MODEL for reading in film.vertebrae)


def _transitional(films: Sequence[FilmReading]) -> frozenset[Level]:
    return frozenset(level for film in films for level in film.transitional)


def _level_uncertain(change: VertebraChange) -> VertebraChange:
    """The grades stay as read, each with its own film; what cannot be told is the change."""
    reason = "level_uncertain: the two visits do not seem to number the vertebrae alike"
    if change.kind is ChangeKind.NOT_EVALUABLE:
        reason = f"{change.reason}; {reason}"
    return replace(
        change,
        kind=ChangeKind.NOT_EVALUABLE,
        reason=reason,
        morphometric=None,
        confirmed=None,
        p_incident=None,
        flagged=False,
    )


def _numbering_queries(
    baseline: Sequence[FilmReading],
    month12: Sequence[FilmReading],
    pairs: Sequence[_FilmPair],
    subject_id: str,
) -> list[Query]:
    queries = [
        Query(
            kind=QueryKind.NUMBERING,
            subject_id=subject_id,
            question=(
                "the vertebrae look as if month 12 numbered them one level "
                f"{'lower' if pair.shift > 0 else 'higher'} than baseline: which one is right?"
            ),
            values=f"{_name(pair.baseline)} | {_name(pair.month12)}",
        )
        for pair in pairs
        if pair.shift
    ]
    before, after = _transitional(baseline), _transitional(month12)
    shown = any(not film.refusal for film in baseline) and any(not film.refusal for film in month12)
    queries += [
        Query(
            kind=QueryKind.NUMBERING,
            subject_id=subject_id,
            question=f"{level.value} is there at one visit only: how is this spine numbered?",
            values=f"seen at {'baseline' if level in before else 'month 12'}",
            level=level,
        )
        for level in TRANSITIONAL_LEVELS
        if shown and level in before ^ after
    ]
    return queries


def _scale_query(pair: _FilmPair, rules: FractureRules, subject_id: str) -> list[Query]:
    widths = pair.ratio.widths
    if widths is None or not (_has_mm(pair.baseline) and _has_mm(pair.month12)):
        return []
    if abs(widths - 1) <= rules.scale_difference_warning_pct / 100:
        return []
    return [
        Query(
            kind=QueryKind.SCALE_DIFFERS,
            subject_id=subject_id,
            question=(
                "endplates of the same levels differ in width between the visits by more than "
                f"{rules.scale_difference_warning_pct:g} %: which scale is right?"
            ),
            values=(
                f"baseline / month 12 = {widths:.3f} over {pair.ratio.levels} levels; "
                f"{_name(pair.baseline)} {_source(pair.baseline).value} | "
                f"{_name(pair.month12)} {_source(pair.month12).value}"
            ),
        )
    ]


def _improved_query(change: VertebraChange, subject_id: str) -> Query:
    return Query(
        kind=QueryKind.GRADE_IMPROVED,
        subject_id=subject_id,
        question="the grade is lower at month 12 than at baseline: which reading is right?",
        values=f"baseline {change.grade_baseline.value}, month 12 {change.grade_month12.value}",
        level=change.level,
    )


def _name(film: FilmReading) -> str:
    return film.sop_instance_uid or film.path
