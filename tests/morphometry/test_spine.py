"""Each level from the film that shows it best; contradictions are named."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, VertebraState
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.morphometry.spine import merge_films, merge_with_films


def film(uid, readings, refusal=""):
    """`readings`: level -> (state, grade, ratio_sd)."""
    return FilmReading(
        path=f"{uid}.dcm",
        sop_instance_uid=uid,
        scale=None,
        refusal=refusal,
        vertebrae=tuple(
            VertebraReading(
                level=level,
                state=state,
                reason="" if state is VertebraState.EVALUABLE else "why",
                grade=grade,
                ratio_sd=scatter,
                sop_instance_uid=uid,
            )
            for level, (state, grade, scatter) in readings.items()
        ),
    )


GOOD = (VertebraState.EVALUABLE, Grade.NORMAL, 0.02)
BLURRED = (VertebraState.EVALUABLE, Grade.NORMAL, 0.05)
FRACTURED = (VertebraState.EVALUABLE, Grade.MODERATE, 0.05)
CUT = (VertebraState.AT_IMAGE_BORDER, Grade.NOT_EVALUABLE, None)
ABSENT = (VertebraState.NOT_IMAGED, Grade.NOT_EVALUABLE, None)
POOR = (VertebraState.LOW_CONFIDENCE, Grade.NOT_EVALUABLE, 0.09)


@pytest.mark.parametrize(
    ("thoracic", "lumbar", "from_film", "state"),
    [
        (GOOD, ABSENT, "thoracic", VertebraState.EVALUABLE),
        (CUT, GOOD, "lumbar", VertebraState.EVALUABLE),
        (GOOD, BLURRED, "thoracic", VertebraState.EVALUABLE),
        (BLURRED, GOOD, "lumbar", VertebraState.EVALUABLE),
        (CUT, POOR, "lumbar", VertebraState.LOW_CONFIDENCE),
        (ABSENT, CUT, "lumbar", VertebraState.AT_IMAGE_BORDER),
        (GOOD, GOOD, "lumbar", VertebraState.EVALUABLE),
    ],
)
def test_the_better_evaluable_reading_is_taken(thoracic, lumbar, from_film, state):
    films = [film("thoracic", {Level.T12: thoracic}), film("lumbar", {Level.T12: lumbar})]
    for order in (films, films[::-1]):
        merged = {reading.level: reading for reading in merge_films(order)}
        assert merged[Level.T12].state is state
        assert merged[Level.T12].sop_instance_uid == from_film


def test_two_films_make_one_spine_of_thirteen_levels():
    upper = film("t", dict.fromkeys(GRADED_LEVELS[:9], GOOD))
    lower = film("l", dict.fromkeys(GRADED_LEVELS[8:], BLURRED))
    merged = merge_with_films([lower, upper])
    assert [item.reading.level for item in merged] == list(GRADED_LEVELS)
    assert [item.reading.sop_instance_uid for item in merged] == ["t"] * 9 + ["l"] * 4
    assert merged[0].film is upper
    assert merged[-1].film is lower


def test_films_that_contradict_each_other_about_a_fracture_are_named():
    films = [film("a", {Level.T12: GOOD}), film("b", {Level.T12: FRACTURED})]
    merged = {reading.level: reading for reading in merge_films(films)}
    assert merged[Level.T12].grade is Grade.NORMAL
    assert "grade 2 on b" in merged[Level.T12].reason


@pytest.mark.parametrize(
    ("films", "words"),
    [
        ([], "no lateral film"),
        ([film("a", {}, refusal="a.dcm: an AP view")], "an AP view"),
        ([film("a", {Level.T12: GOOD})], "no film of this visit shows it"),
    ],
)
def test_levels_without_a_film_say_why(films, words):
    reading = merge_films(films)[0]
    assert reading.state is VertebraState.NOT_IMAGED
    assert reading.grade is Grade.NOT_EVALUABLE
    assert words in reading.reason


def test_a_refused_film_gives_nothing_even_if_it_has_readings():
    merged = merge_films([film("a", {Level.T12: FRACTURED}, refusal="not lateral")])
    assert all(reading.state is VertebraState.NOT_IMAGED for reading in merged)
