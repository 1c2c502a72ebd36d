"""Half-open intervals, met exactly at their lower ends."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.anatomy import Grade, Shape
from zoom_imaging.morphometry.genant import (
    grade_from_losses,
    grade_probabilities,
    most_probable_grade,
    shape_from_losses,
)


@pytest.mark.parametrize(
    ("loss", "grade"),
    [
        (-0.1, "0"),
        (0.0, "0"),
        (0.1999999, "0"),
        (0.20, "1"),
        (1 - 0.8, "1"),
        ((25 - 20) / 25, "1"),
        (0.2499999, "1"),
        (0.25, "2"),
        (1 - 0.75, "2"),
        (0.3999999, "2"),
        (0.40, "3"),
        (1 - 0.6, "3"),
        (1.0, "3"),
    ],
)
def test_grade_at_every_threshold(rules, loss, grade):
    assert grade_from_losses((loss, 0.0, 0.0), rules) is Grade(grade)
    assert grade_from_losses((0.0, loss, 0.0), rules) is Grade(grade)
    assert grade_from_losses((0.0, 0.0, loss), rules) is Grade(grade)


@pytest.mark.parametrize(
    ("losses", "shape"),
    [
        ((0.19, 0.1, 0.1), Shape.NONE),
        ((0.30, 0.20, 0.00), Shape.WEDGE),
        ((0.30, 0.30, 0.00), Shape.WEDGE),
        ((0.10, 0.30, 0.19), Shape.BICONCAVE),
        ((0.30, 0.28, 0.20), Shape.CRUSH),
        ((0.30, 0.28, 1 - 0.8), Shape.CRUSH),
        ((0.00, 0.00, 0.45), Shape.CRUSH),
    ],
)
def test_shape_says_which_height_is_lost(rules, losses, shape):
    assert shape_from_losses(losses, rules) is shape


@given(st.tuples(*[st.floats(-0.5, 1.0)] * 3))
def test_shape_is_none_exactly_for_grade_0(losses):
    from zoom_imaging.charter import load_charter

    rules = load_charter().fracture
    graded = grade_from_losses(losses, rules)
    assert (shape_from_losses(losses, rules) is Shape.NONE) is (graded is Grade.NORMAL)
    assert graded.number == sum(max(losses) >= threshold - 1e-9 for threshold in (0.20, 0.25, 0.40))


def test_probabilities_by_hand(rules):
    """A loss on the threshold, spread 0.05: half below; 0.25 is one spread above."""
    p0, p1, p2, p3 = grade_probabilities(0.20, 0.05, rules)
    assert p0 == pytest.approx(0.5)
    assert p1 == pytest.approx(0.3413, abs=1e-4)
    assert p2 == pytest.approx(0.1586, abs=1e-4)
    assert p3 == pytest.approx(3.2e-5, abs=1e-6)


@pytest.mark.parametrize(("loss", "at"), [(0.1, 0), (1 - 0.8, 1), (0.3, 2), (0.4, 3)])
def test_without_spread_all_probability_is_on_one_grade(rules, loss, at):
    assert grade_probabilities(loss, 0.0, rules)[at] == 1.0


@given(loss=st.floats(-0.5, 1.0), spread=st.floats(0, 0.5))
def test_probabilities_are_probabilities(loss, spread):
    from zoom_imaging.charter import load_charter

    found = grade_probabilities(loss, spread, load_charter().fracture)
    assert math.isclose(sum(found), 1.0, abs_tol=1e-9)
    assert all(0.0 <= value <= 1.0 for value in found)


@pytest.mark.parametrize(
    ("p_grades", "grade"),
    [
        ((0.9, 0.1, 0.0, 0.0), "0"),
        ((0.1, 0.2, 0.6, 0.1), "2"),
        ((0.4, 0.4, 0.1, 0.1), "0"),
        ((0.0, 0.0, 0.0, 1.0), "3"),
    ],
)
def test_most_probable_grade_takes_the_lower_of_equals(p_grades, grade):
    assert most_probable_grade(p_grades) is Grade(grade)
