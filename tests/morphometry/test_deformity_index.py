"""The index needs all thirteen levels."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, VertebraState
from zoom_imaging.morphometry.deformity_index import spinal_deformity_index
from zoom_imaging.morphometry.reading import VertebraReading


def readings(**grades):
    return [
        VertebraReading(
            level=level,
            state=VertebraState.EVALUABLE,
            reason="",
            grade=Grade(grades.get(level.value, "0")),
        )
        for level in GRADED_LEVELS
    ]


@pytest.mark.parametrize(
    ("grades", "value"),
    [
        ({}, 0),
        ({"T8": "1", "T12": "3", "L1": "2"}, 6),
        ({level.value: "3" for level in GRADED_LEVELS}, 39),
        ({"T8": "0.5", "T12": "2"}, 2),
    ],
)
def test_sum_of_grades(rules, grades, value):
    index = spinal_deformity_index(readings(**grades), rules)
    assert (index.value, index.partial_sum, index.levels_evaluable) == (value, value, 13)
    assert index.missing == ()


def test_a_borderline_grade_counts_as_the_charter_says(rules):
    as_mild = rules.model_copy(update={"borderline_counts_as": "1"})
    assert spinal_deformity_index(readings(T8="0.5", T12="2"), as_mild).value == 3


@pytest.mark.parametrize("grade", ["indeterminate", "not_evaluable"])
def test_one_missing_level_makes_it_null_and_leaves_the_partial_sum(rules, grade):
    index = spinal_deformity_index(readings(T8=grade, T12="3"), rules)
    assert index.value is None
    assert (index.partial_sum, index.levels_evaluable) == (3, 12)
    assert index.missing == (Level.T8,)


def test_a_state_that_is_not_evaluable_outweighs_a_grade(rules):
    given = readings(T8="2")
    spoiled = [
        VertebraReading(Level.T8, VertebraState.OBSCURED, "arm", grade=Grade.MODERATE)
        if reading.level is Level.T8
        else reading
        for reading in given
    ]
    assert spinal_deformity_index(spoiled, rules).value is None
    assert spinal_deformity_index([], rules).levels_evaluable == 0


def test_other_levels_do_not_count(rules):
    extra = VertebraReading(Level.L5, VertebraState.EVALUABLE, "", grade=Grade.SEVERE)
    assert spinal_deformity_index([*readings(), extra], rules).value == 0
