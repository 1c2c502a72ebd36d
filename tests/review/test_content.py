"""What a reading starts from, what the reveal adds, and what an adjudication may touch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, Visit
from zoom_imaging.errors import ReviewError
from zoom_imaging.review.answer import (
    Anatomy,
    ReadingContent,
    Side,
    SpineAnswers,
    Stage,
    VertebraAnswer,
)
from zoom_imaging.review.consensus import Difference
from zoom_imaging.review.content import (
    adjudication_content,
    check_settled_only,
    first_content,
    model_vertebrae,
    revealed,
    spines_of,
    suggested_spine,
    visits_of_sides,
)

from .small_trial import charter_with, small_trial


@pytest.fixture
def films(tmp_path):
    """The fractured subject's two films by their keys."""
    case = small_trial(tmp_path).reading_list.cases[0]
    return {f"f{at}": film for at, film in enumerate(case.films, start=1)}


def rules(suggestion):
    return charter_with(model_suggestion=suggestion).reading


@pytest.mark.parametrize("side", ["A", "B"])
def test_sides_show_the_visits_that_the_database_says(side):
    visits = visits_of_sides(side)
    assert visits[Side(side)] is Visit.BASELINE
    assert set(visits.values()) == set(Visit)
    content = ReadingContent(sides={Side.A: SpineAnswers(comment="a"), Side.B: SpineAnswers()})
    assert spines_of(content, side)[visits[Side.A]].comment == "a"


@pytest.mark.parametrize(
    ("suggestion", "levels", "stage"),
    [("before", 13, Stage.AIDED), ("after", 0, Stage.UNAIDED), ("never", 0, Stage.UNAIDED)],
)
def test_a_reading_starts_with_the_models_points_or_with_nothing(films, suggestion, levels, stage):
    """And in any case without an answer."""
    content = first_content(films, "A", rules(suggestion))
    assert content.stage is stage
    for spine in content.sides.values():
        assert len(spine.vertebrae) == levels
        assert all(one.grade is None and one.six_points for one in spine.vertebrae.values())


def test_a_visit_without_films_has_no_side(films):
    late = {key: film for key, film in films.items() if film.visit is Visit.MONTH12}
    assert set(first_content(late, "A", rules("before")).sides) == {Side.B}
    assert set(first_content(late, "B", rules("before")).sides) == {Side.A}


@pytest.mark.parametrize(
    ("level", "anatomy"),
    [
        (Level.T13, Anatomy.THIRTEEN_THORACIC),
        (Level.L6, Anatomy.SIX_LUMBAR),
        (None, Anatomy.TYPICAL),
    ],
)
def test_the_models_count_of_vertebrae_is_suggested(films, level, anatomy):
    extra = (level,) if level else ()
    film = films["f1"]
    odd = replace(film, reading=replace(film.reading, transitional=extra))
    assert suggested_spine({"f1": odd}).anatomy is anatomy


def test_each_level_comes_from_the_film_that_shows_it_best(films):
    """With a grade before without, then the smaller scatter."""
    film = films["f1"]

    def with_t8(**changes):
        return replace(
            film,
            reading=replace(
                film.reading,
                vertebrae=tuple(
                    replace(one, **changes) if one.level is Level.T8 else one
                    for one in film.reading.vertebrae
                ),
            ),
        )

    worse = with_t8(ratio_sd=0.05)
    ungraded = with_t8(grade=Grade.NOT_EVALUABLE, ratio_sd=0.001)
    assert model_vertebrae({"f1": worse, "f2": film})[Level.T8][0] == "f2"
    assert model_vertebrae({"f1": film, "f2": worse})[Level.T8][0] == "f1"
    assert model_vertebrae({"f1": ungraded, "f2": worse})[Level.T8][0] == "f2"


def test_the_reveal_adds_points_only_where_the_reader_set_none(films):
    """Her grades and her points stay as they are."""
    points = dict.fromkeys(
        ("sup_ant", "sup_mid", "sup_post", "inf_ant", "inf_mid", "inf_post"), (1.0, 2.0)
    )
    own = VertebraAnswer(film="f1", grade=Grade.MILD, six_points=points, moved=True)
    spine = SpineAnswers(vertebrae={Level.T8: own, Level.T9: VertebraAnswer(grade=Grade.SEVERE)})
    before = ReadingContent(sides={Side.A: spine, Side.B: SpineAnswers()}, stage=Stage.UNAIDED)
    after = revealed(before, films, "A")
    assert after.stage is Stage.AIDED
    assert after.sides[Side.A].answer(Level.T8) == own
    assert after.sides[Side.A].answer(Level.T9).grade is Grade.SEVERE
    assert after.sides[Side.A].answer(Level.T9).six_points
    assert after.sides[Side.A].answer(Level.T10).grade is None
    assert len(after.sides[Side.B].vertebrae) == len(GRADED_LEVELS)


def readers(anatomy=Anatomy.TYPICAL):
    vertebrae = {
        level: VertebraAnswer(grade=Grade.NORMAL, note="n") for level in anatomy.graded_levels
    }
    spine = SpineAnswers(anatomy=anatomy, vertebrae=vertebrae, comment="private")
    return dict.fromkeys(Visit, spine)


@pytest.mark.parametrize("baseline_side", ["A", "B"])
def test_an_adjudication_starts_from_what_is_agreed(baseline_side):
    """What differs has no answer, and the first reader's comment is not the adjudicator's."""
    places = (Difference(Visit.MONTH12, Level.T8, "0 or 1"),)
    content = adjudication_content(readers(), places, baseline_side)
    spines = spines_of(content, baseline_side)
    assert spines[Visit.MONTH12].answer(Level.T8) == VertebraAnswer()
    assert spines[Visit.BASELINE].answer(Level.T8).grade is Grade.NORMAL
    assert not any(spine.comment for spine in spines.values())
    assert [problem[1] for problem in content.problems()] == [Level.T8]
    changed = spines[Visit.MONTH12].vertebrae | {Level.T8: VertebraAnswer(grade=Grade.NORMAL)}
    side = Side.B if baseline_side == "A" else Side.A
    settled = ReadingContent(
        sides=content.sides | {side: SpineAnswers(vertebrae=changed, comment="mine")}
    )
    check_settled_only(settled, content, places, baseline_side)
    with pytest.raises(ReviewError, match="agree on this vertebra"):
        check_settled_only(settled, content, (), baseline_side)


def test_the_anatomy_is_the_adjudicators_where_the_readers_differ_in_it():
    """Then everything of that visit is open, and nothing of the other."""
    places = tuple(Difference(Visit.BASELINE, level, "anatomy") for level in GRADED_LEVELS)
    before = adjudication_content(readers(), places, "A")
    other = readers(Anatomy.SIX_LUMBAR)[Visit.BASELINE]
    free = ReadingContent(sides=before.sides | {Side.A: other})
    check_settled_only(free, before, places, "A")
    with pytest.raises(ReviewError, match="agree on the anatomy"):
        check_settled_only(
            ReadingContent(sides=before.sides | {Side.B: other}), before, places, "A"
        )
