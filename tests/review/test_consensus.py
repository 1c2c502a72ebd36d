"""What counts as a difference between readers, and whose word stands."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, GradeSource, Level, Shape, Visit
from zoom_imaging.charter import load_charter
from zoom_imaging.review.answer import Anatomy, NotEvaluableReason, SpineAnswers, VertebraAnswer
from zoom_imaging.review.consensus import Difference, differences, sources, together

from .small_trial import reading_of

FRACTURE = load_charter().fracture
POINTS = {one.level: one.six_points for one in reading_of("1", "x").vertebrae}
NONE, NORMAL, BORDERLINE = None, Grade.NORMAL, Grade.BORDERLINE
MILD, MODERATE, SEVERE = Grade.MILD, Grade.MODERATE, Grade.SEVERE
UNSURE, UNSEEN = Grade.INDETERMINATE, Grade.NOT_EVALUABLE


def spine(anatomy=Anatomy.TYPICAL, **said):
    """All normal, but for `said`: a grade or a whole answer by level."""
    vertebrae = {level: VertebraAnswer(grade=Grade.NORMAL) for level in anatomy.graded_levels}
    for level, word in said.items():
        one = word if isinstance(word, VertebraAnswer) else VertebraAnswer(grade=word)
        vertebrae[Level(level)] = one
    return SpineAnswers(anatomy=anatomy, vertebrae=vertebrae)


def found(first, second, rule="grade", fracture=FRACTURE):
    return differences([{Visit.BASELINE: first}, {Visit.BASELINE: second}], rule, fracture)


@pytest.mark.parametrize(
    ("one", "other", "by_grade", "by_fracture"),
    [
        (NORMAL, NORMAL, False, False),
        (NORMAL, MILD, True, True),
        (MILD, MODERATE, True, False),
        (MODERATE, SEVERE, True, False),
        (MILD, SEVERE, True, False),
        (SEVERE, NORMAL, True, True),
        (NORMAL, BORDERLINE, False, False),
        (BORDERLINE, MILD, True, True),
        (UNSURE, UNSURE, False, False),
        (UNSEEN, UNSEEN, False, False),
        (UNSURE, NORMAL, True, True),
        (UNSEEN, NORMAL, True, True),
        (UNSEEN, SEVERE, True, True),
        (UNSEEN, UNSURE, True, True),
        (NONE, NORMAL, True, True),
        (NONE, NONE, False, False),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_which_pairs_of_grades_go_to_the_adjudicator(one, other, by_grade, by_fracture, turned):
    """By counted grade, or across grade 1 only; whether it can be judged counts either way."""
    pair = (other, one) if turned else (one, other)
    for rule, expected in (("grade", by_grade), ("fracture", by_fracture)):
        got = found(spine(T8=pair[0]), spine(T8=pair[1]), rule)
        assert [(each.visit, each.level) for each in got] == (
            [(Visit.BASELINE, Level.T8)] if expected else []
        ), rule


@pytest.mark.parametrize(("counts_as", "differs"), [("0", (False, True)), ("1", (True, False))])
def test_a_borderline_vertebra_counts_as_the_charter_says(counts_as, differs):
    rules = FRACTURE.model_copy(update={"borderline_counts_as": counts_as})
    for grade, expected in zip((NORMAL, MILD), differs, strict=True):
        for rule in ("grade", "fracture"):
            got = found(spine(T8=BORDERLINE), spine(T8=grade), rule, rules)
            assert bool(got) is expected


def test_the_words_say_what_each_reader_said():
    (one,) = found(spine(L1=MODERATE), spine(L1=UNSEEN))
    assert one == Difference(Visit.BASELINE, Level.L1, "2 or not evaluable")


def test_reason_shape_note_and_outline_are_no_difference():
    """The endpoint is the grade."""
    first = VertebraAnswer(grade=UNSEEN, reason=NotEvaluableReason.OBSCURED, note="ribs")
    second = VertebraAnswer(grade=UNSEEN, reason=NotEvaluableReason.AT_SEAM)
    assert not found(spine(T8=first), spine(T8=second))
    wedge = VertebraAnswer(grade=MILD, shape=Shape.WEDGE)
    crush = VertebraAnswer(grade=MILD, shape=Shape.CRUSH)
    assert not found(spine(T8=wedge), spine(T8=crush))


@pytest.mark.parametrize("anatomy", [one for one in Anatomy if one is not Anatomy.TYPICAL])
def test_readers_who_count_vertebrae_otherwise_differ_everywhere(anatomy):
    """Then no name means the same vertebra."""
    got = found(spine(), spine(anatomy))
    assert [one.level for one in got] == list(GRADED_LEVELS)
    assert {one.why for one in got} == {f"anatomy: typical or {anatomy.value}"}
    assert not found(spine(anatomy), spine(anatomy))


def at(level, film="f1", dx=0.0, dy=0.0):
    points = {name: (x + dx, y + dy) for name, (x, y) in asdict(POINTS[level]).items()}
    return VertebraAnswer(film=film, grade=NORMAL, six_points=points)


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (at(Level.T8), False),
        (at(Level.T8, dx=7.9), False),
        (at(Level.T8, dy=8.1), True),
        (at(Level.T9), True),
        (at(Level.T7), True),
        (at(Level.T9, film="f2"), False),
        (VertebraAnswer(grade=NORMAL), False),
    ],
)
def test_one_name_on_two_bodies_is_a_difference(other, differs):
    """Centres farther apart than half a body of 16 px on the same film."""
    got = found(spine(T8=at(Level.T8)), spine(T8=other))
    assert [one.why for one in got] == (["not the same vertebra"] if differs else [])


def test_each_visit_is_compared_for_itself():
    one = {Visit.BASELINE: spine(), Visit.MONTH12: spine(T12=MODERATE)}
    other = {Visit.BASELINE: spine(L4=MILD), Visit.MONTH12: spine(T12=SEVERE)}
    got = differences([one, other], "grade", FRACTURE)
    assert [(each.visit, each.level) for each in got] == [
        (Visit.BASELINE, Level.L4),
        (Visit.MONTH12, Level.T12),
    ]
    assert differences([one, {Visit.BASELINE: spine()}], "grade", FRACTURE) == ()


def test_of_three_readers_one_who_differs_is_enough():
    readings = [{Visit.BASELINE: spine(T8=grade)} for grade in (NORMAL, NORMAL, MILD)]
    assert len(differences(readings, "grade", FRACTURE)) == 1
    assert not differences(readings[:1], "grade", FRACTURE)


@given(
    st.lists(st.sampled_from([None, *Grade]), min_size=13, max_size=13),
    st.sampled_from(["grade", "fracture"]),
)
def test_nobody_differs_from_herself_and_the_order_of_readers_is_nothing(grades, rule):
    said = dict(zip((level.value for level in GRADED_LEVELS), grades, strict=True))
    one, normal = spine(**said), spine()
    assert not found(one, one, rule)
    there = {each.level for each in found(one, normal, rule)}
    back = {each.level for each in found(normal, one, rule)}
    assert there == back
    assert there <= {each.level for each in found(one, normal, "grade")}


def test_the_adjudicators_word_stands_where_there_is_one():
    """And each level says who said it."""
    first, second = {Visit.BASELINE: spine(T8=MILD)}, {Visit.BASELINE: spine()}
    settled = {Visit.BASELINE: spine(T8=MODERATE)}
    assert together([first, second], None) is first
    assert together([first, second], settled) is settled
    open_places = differences([first, second], "grade", FRACTURE)
    by = sources(settled, open_places, adjudicated=True)[Visit.BASELINE]
    assert {level for level, who in by.items() if who is GradeSource.ADJUDICATOR} == {Level.T8}
    unsettled = sources(first, open_places, adjudicated=False)[Visit.BASELINE]
    assert set(unsettled.values()) == {GradeSource.READER}
