"""Answers of readers become readings of films, word for word, measured from their own points."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Grade,
    GradeSource,
    Level,
    Shape,
    SpacingSource,
    VertebraState,
    Visit,
)
from zoom_imaging.change.match import compare_films
from zoom_imaging.change.record import ChangeKind
from zoom_imaging.charter import load_charter
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.morphometry.spine import merge_films
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.review.answer import (
    AbqSign,
    Anatomy,
    NonFractureCause,
    NotEvaluableReason,
    VertebraAnswer,
)
from zoom_imaging.review.film import read_films

from ..endpoints.conftest import film, vertebra
from .made import case_films, verdict_of

CHARTER = load_charter()
BEFORE, AFTER = Visit.BASELINE, Visit.MONTH12
T8, T12, L1 = Level.T8, Level.T12, Level.L1
WEDGED = {T12: (0.35, Grade.MODERATE)}


def source(reading):
    return SourceFile(reading.path, f"/data/{reading.path}")


def read(said=None, *, baseline=None, month12=None, **more):
    films = case_films(baseline or [film("1.1", {})], month12 or [film("1.2", WEDGED)], source)
    return read_films(verdict_of(films, said, **more), CHARTER)


def level_of(films, visit, level):
    return next(one for one in merge_films(films[visit]) if one.level is level)


REASONS = {
    NotEvaluableReason.NOT_IMAGED: VertebraState.NOT_IMAGED,
    NotEvaluableReason.AT_IMAGE_BORDER: VertebraState.AT_IMAGE_BORDER,
    NotEvaluableReason.AT_SEAM: VertebraState.AT_SEAM,
    NotEvaluableReason.OBSCURED: VertebraState.OBSCURED,
    NotEvaluableReason.IMPLANT_OR_CEMENT: VertebraState.IMPLANT_OR_CEMENT,
    NotEvaluableReason.LEVEL_UNCERTAIN: VertebraState.LEVEL_UNCERTAIN,
    NotEvaluableReason.OBLIQUE_PROJECTION: VertebraState.READER_NOT_EVALUABLE,
    NotEvaluableReason.POOR_QUALITY: VertebraState.READER_NOT_EVALUABLE,
    NotEvaluableReason.OTHER: VertebraState.READER_NOT_EVALUABLE,
}


@pytest.mark.parametrize("why", NotEvaluableReason)
def test_not_evaluable_has_the_state_of_its_reason_and_no_grade(why):
    said = {"grade": Grade.NOT_EVALUABLE, "reason": why, "shape": Shape.NONE, "note": "a brace"}
    films = read({(AFTER, T12): said}, by={(AFTER, T12): GradeSource.ADJUDICATOR})
    found = level_of(films, AFTER, T12)
    assert (found.state, found.grade) == (REASONS[why], Grade.NOT_EVALUABLE)
    assert found.reason.endswith("said by the adjudicator: a brace")
    assert found.grade_source is GradeSource.ADJUDICATOR
    if found.state is VertebraState.READER_NOT_EVALUABLE and why is not NotEvaluableReason.OTHER:
        assert found.reason.startswith(why.value.replace("_", " "))


@pytest.mark.parametrize(
    ("said", "grade", "shape", "reason"),
    [
        ({"grade": Grade.SEVERE, "shape": Shape.CRUSH}, Grade.SEVERE, Shape.CRUSH, ""),
        ({"grade": Grade.BORDERLINE, "shape": Shape.WEDGE}, Grade.BORDERLINE, Shape.WEDGE, ""),
        (
            {"grade": Grade.INDETERMINATE, "shape": Shape.NONE, "note": " overlaid "},
            Grade.INDETERMINATE,
            Shape.NONE,
            "overlaid",
        ),
        (
            {
                "grade": Grade.NORMAL,
                "shape": Shape.NONE,
                "cause": NonFractureCause.CUPIDS_BOW,
                "note": "old",
            },
            Grade.NORMAL,
            Shape.NONE,
            "cause other than fracture: Cupid's bow; old",
        ),
        (
            {"signs": (AbqSign.CORTICAL_BUCKLING,)},
            Grade.MODERATE,
            Shape.WEDGE,
            "cortical buckling",
        ),
    ],
)
def test_grade_and_shape_are_the_readers_whatever_the_heights_say(said, grade, shape, reason):
    found = level_of(read({(AFTER, T12): said}), AFTER, T12)
    assert found.state is VertebraState.EVALUABLE
    assert (found.grade, found.shape, found.reason) == (grade, shape, reason)
    assert found.p_grades is None
    assert found.grade_source is GradeSource.READER
    assert found.losses is not None
    assert found.losses[0] > 0.3
    assert found.heights is not None
    assert found.sop_instance_uid == "1.2"


def test_heights_ratios_and_losses_are_those_of_the_moved_points():
    moved = asdict(vertebra(T8, 0.5).six_points)
    said = {"grade": Grade.SEVERE, "shape": Shape.WEDGE, "six_points": moved, "moved": True}
    found = level_of(read({(AFTER, T8): said}), AFTER, T8)
    assert found.heights is not None
    assert found.heights.anterior_mm == pytest.approx(15)
    assert found.ratios is not None
    assert found.ratios.anterior_posterior == pytest.approx(0.5)
    assert found.ratios.posterior_neighbours == pytest.approx(1)
    assert found.losses is not None
    assert found.losses[0] == pytest.approx(0.5, abs=0.06)
    assert (found.ratio_sd, found.sd_px) == (None, ())


@pytest.mark.parametrize(
    ("name", "moved", "shift", "scatter"),
    [(T8, False, 0.0, 0.01), (T8, False, 0.004, 0.01), (T8, True, 0.0, None), (T8, False, 5, None)],
)
def test_scatter_is_known_only_of_the_models_own_points(name, moved, shift, scatter):
    points = {
        key: (column + shift, row)
        for key, (column, row) in asdict(vertebra(name).six_points).items()
    }
    said = {"six_points": points, "moved": moved}
    assert level_of(read({(AFTER, name): said}), AFTER, name).ratio_sd == scatter


def test_a_renamed_vertebra_keeps_the_scatter_of_its_outline():
    """The reader calls T9 what the model called T8, and no longer has a T8."""
    other = replace(vertebra(T8), ratio_sd=0.033)
    model = film("1.2", {})
    model = replace(
        model, vertebrae=tuple(other if one.level is T8 else one for one in model.vertebrae)
    )
    films = read({(AFTER, Level.T9): {"six_points": asdict(other.six_points)}}, month12=[model])
    assert level_of(films, AFTER, Level.T9).ratio_sd == 0.033


def test_points_that_enclose_nothing_are_not_measured_and_the_grade_stands():
    flat = dict.fromkeys(asdict(vertebra(T8).six_points), (0.0, 5.0))
    found = level_of(read({(AFTER, T8): {"six_points": flat, "moved": True}}), AFTER, T8)
    assert (found.grade, found.heights, found.six_points) == (Grade.NORMAL, None, None)


def test_a_film_without_millimetres_has_ratios_and_no_heights():
    bare = replace(film("1.2", WEDGED), scale=Scale(SpacingSource.NONE, None, None, "none"))
    found = level_of(read(month12=[bare]), AFTER, T12)
    assert found.heights is None
    assert found.ratios is not None
    assert found.ratios.anterior_posterior == pytest.approx(0.65)


def test_each_level_stands_on_the_film_of_its_answer_only():
    thorax = film("1.2", {}, GRADED_LEVELS[:9])
    lumbar = film("1.3", {}, GRADED_LEVELS[7:])
    none = VertebraAnswer(grade=Grade.NOT_EVALUABLE, reason=NotEvaluableReason.POOR_QUALITY)
    films = read({(AFTER, Level.L4): none}, month12=[thorax, lumbar])
    first, second = films[AFTER]
    assert [one.level for one in first.vertebrae] == [*GRADED_LEVELS[:9], Level.L4]
    assert [one.level for one in second.vertebrae] == list(GRADED_LEVELS[9:12])
    merged = merge_films(films[AFTER])
    assert [one.level for one in merged] == list(GRADED_LEVELS)
    assert merged[-1].reason == "poor quality, said by the reader"


def test_a_level_without_points_counts_for_its_visit():
    said = VertebraAnswer(grade=Grade.MILD, shape=Shape.WEDGE)
    found = level_of(read({(AFTER, T8): said}), AFTER, T8)
    assert (found.grade, found.six_points, found.sop_instance_uid) == (Grade.MILD, None, "1.2")


def test_what_nobody_answered_is_not_evaluable():
    found = level_of(read({(AFTER, T8): VertebraAnswer()}), AFTER, T8)
    assert (found.state, found.grade) == (
        VertebraState.READER_NOT_EVALUABLE,
        Grade.NOT_EVALUABLE,
    )


def test_a_refusal_of_the_model_ends_where_readers_read_the_film():
    dark = replace(film("1.2", {}, ()), refusal="too dark", warnings=("odd",))
    said = {(AFTER, level): VertebraAnswer(grade=Grade.NORMAL) for level in GRADED_LEVELS}
    (found,) = read(said, month12=[dark])[AFTER]
    assert (found.refusal, found.warnings) == ("", ("odd",))
    assert all(one.grade is Grade.NORMAL for one in found.vertebrae)


@pytest.mark.parametrize(
    ("anatomy", "absent", "transitional"),
    [
        (Anatomy.ELEVEN_THORACIC, T12, ()),
        (Anatomy.THIRTEEN_THORACIC, None, (Level.T13,)),
        (Anatomy.SIX_LUMBAR, None, (Level.L6,)),
        (Anatomy.FOUR_LUMBAR, None, ()),
    ],
)
def test_transitional_anatomy_is_said(anatomy, absent, transitional):
    films = read(anatomy=anatomy)
    assert films[AFTER][0].transitional == transitional
    assert len(films[AFTER][0].vertebrae) == len(GRADED_LEVELS)
    missing = [one for one in merge_films(films[AFTER]) if not one.grade.is_numeric]
    assert [one.level for one in missing] == ([absent] if absent else [])
    if absent:
        assert missing[0].state is VertebraState.NOT_IMAGED
        assert missing[0].reason == "no T12: eleven thoracic vertebrae, said by the reader"


def test_a_visit_without_films_stays_empty():
    films = read_films(verdict_of(case_films([film("1.1", {})], [], source)), CHARTER)
    assert films[AFTER] == ()
    assert len(films[BEFORE]) == 1


def test_a_film_that_the_visit_does_not_have_is_refused():
    said = {(AFTER, T8): {"film": "f0"}}
    with pytest.raises(ConfigurationError, match=r"T8 at month12.*expected f1, found f0"):
        read(said)


@pytest.mark.parametrize(
    ("before", "after", "kind", "confirmed", "flagged"),
    [
        ((0.0, "0"), (0.35, "2"), ChangeKind.NEW, True, True),
        ((0.0, "0"), (0.05, "1"), ChangeKind.NEW, False, True),
        ((0.0, "0"), (0.35, "0"), ChangeKind.NONE, False, True),
        ((0.21, "1"), (0.42, "3"), ChangeKind.WORSENING, True, True),
        ((0.42, "3"), (0.42, "3"), ChangeKind.CEILING, False, False),
        ((0.35, "2"), (0.35, "1"), ChangeKind.IMPROVED, False, True),
        ((0.0, "0.5"), (0.05, "1"), ChangeKind.NONE, False, False),
        ((0.0, "0.5"), (0.35, "1"), ChangeKind.NEW, True, True),
        ((0.0, "indeterminate"), (0.35, "2"), ChangeKind.NOT_EVALUABLE, None, False),
        ((0.0, "0"), (0.0, "0"), ChangeKind.NONE, False, False),
    ],
)
def test_a_step_by_readers_follows_the_charters_rule(before, after, kind, confirmed, flagged):
    def said(grade):
        fractured = Grade(grade).is_numeric and Grade(grade).number >= 1
        return {"grade": Grade(grade), "shape": Shape.WEDGE if fractured else Shape.NONE}

    films = read(
        {(BEFORE, T12): said(before[1]), (AFTER, T12): said(after[1])},
        baseline=[film("1.1", {T12: (before[0], Grade.NORMAL)})],
        month12=[film("1.2", {T12: (after[0], Grade.NORMAL)})],
    )
    found = compare_films(films[BEFORE], films[AFTER], CHARTER).changes
    change = next(one for one in found if one.level is T12)
    assert (change.kind, change.confirmed, change.flagged) == (kind, confirmed, flagged)
    assert change.p_incident is None
