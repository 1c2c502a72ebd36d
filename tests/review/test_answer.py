"""The form of an answer: what can be said, and what changed."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, Shape
from zoom_imaging.review.answer import (
    AbqSign,
    Anatomy,
    NonFractureCause,
    NotEvaluableReason,
    ReadingContent,
    Side,
    SpineAnswers,
    VertebraAnswer,
    changed_fields,
)

NUMBERS = st.floats(-1000, 1000)
ANSWERS = st.builds(
    VertebraAnswer,
    film=st.just("f1"),
    grade=st.none() | st.sampled_from(Grade),
    reason=st.none() | st.sampled_from(NotEvaluableReason),
    note=st.text(max_size=40),
    shape=st.sampled_from(Shape),
    signs=st.lists(st.sampled_from(AbqSign)).map(tuple),
    cause=st.none() | st.sampled_from(NonFractureCause),
    polygon=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4).map(tuple),
    moved=st.booleans(),
)
CONTENTS = st.builds(
    ReadingContent,
    sides=st.dictionaries(
        st.sampled_from(Side),
        st.builds(
            SpineAnswers,
            vertebrae=st.dictionaries(st.sampled_from(GRADED_LEVELS), ANSWERS, max_size=3),
            comment=st.text(max_size=20),
        ),
    ),
)


@given(CONTENTS)
def test_what_was_answered_comes_back_from_the_database_as_it_was(content):
    text = json.dumps(content.model_dump(mode="json"))
    assert ReadingContent.model_validate_json(text) == content


@given(CONTENTS, CONTENTS)
def test_the_trail_names_every_field_that_changed_and_no_other(before, after):
    """With the old and the new value; equal contents change nothing."""
    changes = {name: (old, new) for name, old, new in changed_fields(before, after)}
    assert not list(changed_fields(after, after))
    assert all(old != new for old, new in changes.values())
    back = {name: (new, old) for name, old, new in changed_fields(after, before)}
    assert changes == back
    if before.sides.keys() == after.sides.keys() and not changes:
        for side, spine in after.sides.items():
            for level in GRADED_LEVELS:
                assert spine.answer(level) == before.sides[side].answer(level)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"grade": "0"}, ""),
        ({"grade": "0.5", "cause": "scheuermann"}, ""),
        ({"grade": "0.5", "shape": "wedge"}, ""),
        ({"grade": "indeterminate"}, ""),
        ({"grade": "3", "shape": "crush", "signs": ["cortical_buckling"]}, ""),
        ({"grade": "not_evaluable", "reason": "obscured"}, ""),
        ({"grade": "not_evaluable", "reason": "other", "note": "arm"}, ""),
        ({}, "no answer yet"),
        ({"grade": "1"}, "say which shape"),
        ({"grade": "not_evaluable"}, "say why"),
        ({"grade": "not_evaluable", "reason": "other", "note": "  "}, "write which"),
        ({"grade": "indeterminate", "reason": "obscured"}, "and yet a grade"),
        ({"grade": "1", "shape": "wedge", "cause": "congenital"}, "other than fracture"),
        ({"grade": "0", "shape": "crush"}, "no shape"),
    ],
)
def test_what_is_missing_or_contradictory_is_said_in_words(said, problem):
    found = VertebraAnswer.model_validate(said).problem()
    assert (problem in found) if problem else found == ""


@pytest.mark.parametrize(
    "said",
    [
        {"grade": "4"},
        {"grade": 0},
        {"colour": "red"},
        {"film": "x" * 33},
        {"note": "x" * 501},
        {"film": "f1", "polygon": [[0, math.nan]]},
        {"film": "f1", "polygon": [[0, math.inf]]},
        {"film": "f1", "polygon": [[100_001, 0]]},
        {"polygon": [[0, 0]]},
        {"film": "f1", "six_points": {"sup_ant": [0, 0]}},
        {"film": "f1", "six_points": {}},
    ],
)
def test_what_is_no_answer_is_refused(said):
    with pytest.raises(ValidationError):
        VertebraAnswer.model_validate(said)


@pytest.mark.parametrize(
    ("anatomy", "graded", "has", "lacks"),
    [
        (Anatomy.TYPICAL, 13, Level.L5, Level.T13),
        (Anatomy.ELEVEN_THORACIC, 12, Level.T11, Level.T12),
        (Anatomy.THIRTEEN_THORACIC, 13, Level.T13, Level.L6),
        (Anatomy.FOUR_LUMBAR, 13, Level.L4, Level.L5),
        (Anatomy.SIX_LUMBAR, 13, Level.L6, Level.T13),
    ],
)
def test_a_spine_has_the_vertebrae_that_its_anatomy_says(anatomy, graded, has, lacks):
    """Each of T4-L4 that exists needs an answer, no other."""
    spine = SpineAnswers(anatomy=anatomy, vertebrae={has: VertebraAnswer()})
    assert len(list(spine.problems())) == graded
    with pytest.raises(ValidationError, match="does not exist"):
        SpineAnswers(anatomy=anatomy, vertebrae={lacks: VertebraAnswer()})
