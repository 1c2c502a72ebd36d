"""Where independent readings of one case differ, and what they say together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, GradeSource, Level, SixPoints, Visit
from zoom_imaging.charter import FractureRules
from zoom_imaging.morphometry.deformity_index import counted_grade
from zoom_imaging.morphometry.heights import endplate_width, paired_distances
from zoom_imaging.review.answer import SpineAnswers, VertebraAnswer

Spines = Mapping[Visit, SpineAnswers]


@dataclass(frozen=True)
class Difference:
    """One vertebra at one visit on which readings differ, and how."""

    visit: Visit
    level: Level
    why: str


def differences(
    readings: Sequence[Spines], rule: str, fracture: FractureRules
) -> tuple[Difference, ...]:
    """Every vertebra that an adjudicator must settle, by the charter's rule.

    `rule` is "grade" (any difference of the grade as it counts) or "fracture" (grade 1 or more
    against less); whether a vertebra can be judged, which body carries a name, and how many
    vertebrae there are always count.
    """
    found: dict[tuple[Visit, Level], Difference] = {}
    for first, second in itertools.combinations(readings, 2):
        for visit in Visit:
            if visit in first and visit in second:
                for one in _of_visit(visit, first[visit], second[visit], rule, fracture):
                    found.setdefault((visit, one.level), one)
    return tuple(
        found[visit, level] for visit in Visit for level in GRADED_LEVELS if (visit, level) in found
    )


def _of_visit(
    visit: Visit, first: SpineAnswers, second: SpineAnswers, rule: str, fracture: FractureRules
) -> Iterator[Difference]:
    if first.anatomy is not second.anatomy:
        why = f"anatomy: {first.anatomy.value} or {second.anatomy.value}"
        yield from (Difference(visit, level, why) for level in GRADED_LEVELS)
        return
    for level in first.anatomy.graded_levels:
        why = _difference(first.answer(level), second.answer(level), rule, fracture)
        if why:
            yield Difference(visit, level, why)


def _difference(
    first: VertebraAnswer, second: VertebraAnswer, rule: str, fracture: FractureRules
) -> str:
    grades = (first.grade, second.grade)
    if _counts_as(first.grade, rule, fracture) != _counts_as(second.grade, rule, fracture):
        return " or ".join(_word(grade) for grade in grades)
    return "not the same vertebra" if _different_bodies(first, second) else ""


def _counts_as(grade: Grade | None, rule: str, fracture: FractureRules) -> str:
    if grade is None or not grade.is_numeric:
        return _word(grade)
    counted = counted_grade(grade, fracture)
    return str(counted >= 1) if rule == "fracture" else f"{counted:g}"


def _word(grade: Grade | None) -> str:
    return "no answer" if grade is None else grade.value.replace("_", " ")


def _different_bodies(first: VertebraAnswer, second: VertebraAnswer) -> bool:
    """Points on the same film whose centres lie farther apart than half a body."""
    one, other = first.points, second.points
    if one is None or other is None or first.film != second.film:
        return False
    (x1, y1), (x2, y2) = one.to_array().mean(axis=0), other.to_array().mean(axis=0)
    return math.hypot(x1 - x2, y1 - y2) > _size(one) / 2


def _size(points: SixPoints) -> float:
    """The smaller of width and posterior height: neighbours lie farther apart than this."""
    return min(endplate_width(points, None), paired_distances(points, None).posterior)


def together(readings: Sequence[Spines], adjudication: Spines | None) -> Spines:
    """The answers that stand: the adjudicator's where there is one, else the first reader's.

    An adjudication repeats what readers agreed on, so it stands as a whole.
    """
    return adjudication if adjudication is not None else readings[0]


def sources(
    spines: Spines, settled: Sequence[Difference], *, adjudicated: bool
) -> Mapping[Visit, Mapping[Level, GradeSource]]:
    """Who gave the answer of each level."""
    places = {(one.visit, one.level) for one in settled} if adjudicated else set()
    return {
        visit: {
            level: GradeSource.ADJUDICATOR if (visit, level) in places else GradeSource.READER
            for level in GRADED_LEVELS
        }
        for visit in spines
    }
