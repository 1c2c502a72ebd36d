"""Spinal Deformity Index: the sum of Genant grades T4-L4, 0-39, and only when all 13 are there.

A level that is not evaluable makes the index None; the sum over the others stands beside it with
their number and must not be taken for the index (domain rules, section 4). A reader's 0.5 counts as
the charter says (`borderline_counts_as`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, VertebraState
from zoom_imaging.charter import FractureRules
from zoom_imaging.morphometry.reading import VertebraReading


@dataclass(frozen=True)
class DeformityIndex:
    """`value` is None when a level is missing; `partial_sum` is over `levels_evaluable` levels."""

    value: int | None
    partial_sum: int
    levels_evaluable: int
    missing: tuple[Level, ...]


def is_graded(reading: VertebraReading) -> bool:
    """True when the vertebra is evaluable and has a grade that is a number."""
    return reading.state is VertebraState.EVALUABLE and reading.grade.is_numeric


def counted_grade(grade: Grade, rules: FractureRules) -> int:
    """The grade as endpoints count it: 0-3, a 0.5 as the charter says; ValueError for no number."""
    if grade is Grade.BORDERLINE:
        return int(rules.borderline_counts_as)
    return int(grade.number)


def spinal_deformity_index(
    readings: Iterable[VertebraReading], rules: FractureRules
) -> DeformityIndex:
    """Over the 13 levels of one visit; levels that are not among the readings are missing."""
    grades = {
        reading.level: counted_grade(reading.grade, rules)
        for reading in readings
        if reading.level in GRADED_LEVELS and is_graded(reading)
    }
    missing = tuple(level for level in GRADED_LEVELS if level not in grades)
    total = sum(grades.values())
    return DeformityIndex(
        value=None if missing else total,
        partial_sum=total,
        levels_evaluable=len(grades),
        missing=missing,
    )
