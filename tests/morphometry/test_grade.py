"""A film becomes 13 readings: measured, or with the reason why not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Grade,
    GradeSource,
    Level,
    Shape,
    SixPoints,
    VertebraState,
)
from zoom_imaging.charter import load_charter
from zoom_imaging.morphometry.grade import read_vertebrae, transitional_levels
from zoom_imaging.morphometry.norms import NORMS

TRUSTED = load_charter().model


def test_a_normal_spine_has_thirteen_grades_of_zero(spine, rules):
    film = spine()
    readings = read_vertebrae(film.findings(), film.radiograph(), rules, TRUSTED)
    assert [reading.level for reading in readings] == list(GRADED_LEVELS)
    for reading in readings:
        assert reading.state is VertebraState.EVALUABLE
        assert (reading.grade, reading.shape) == (Grade.NORMAL, Shape.NONE)
        assert reading.losses == pytest.approx((0, 0, 0), abs=0.03)
        assert reading.p_grades is not None
        assert reading.p_grades[0] > 0.99
        assert reading.grade_source is GradeSource.MODEL
        assert reading.sop_instance_uid == "1.2.3"
        assert reading.reason == ""


def test_heights_and_ratios_are_those_of_the_points(spine):
    reading = spine().read()[Level.L1]
    norm = NORMS[Level.L1]
    assert reading.heights is not None
    assert reading.heights.posterior_mm == pytest.approx(norm.posterior_mm)
    assert reading.heights.anterior_mm == pytest.approx(norm.posterior_mm * 0.95)
    assert reading.ratios is not None
    assert reading.ratios.anterior_posterior == pytest.approx(0.95)
    neighbours = (NORMS[Level.T12].posterior_mm + NORMS[Level.L2].posterior_mm) / 2
    assert reading.ratios.posterior_neighbours == pytest.approx(norm.posterior_mm / neighbours)


@pytest.mark.parametrize(
    ("level", "losses", "grade", "shape"),
    [
        (Level.T8, (0.10, 0.10, 0.00), "0", Shape.NONE),
        (Level.T8, (0.22, 0.10, 0.00), "1", Shape.WEDGE),
        (Level.T12, (0.32, 0.15, 0.02), "2", Shape.WEDGE),
        (Level.L3, (0.05, 0.45, 0.04), "3", Shape.BICONCAVE),
        (Level.L3, (0.18, 0.45, 0.12), "3", Shape.BICONCAVE),
        (Level.L1, (0.35, 0.33, 0.25), "2", Shape.CRUSH),
        (Level.T4, (0.45, 0.30, 0.00), "3", Shape.WEDGE),
        (Level.L4, (0.10, 0.28, 0.00), "2", Shape.BICONCAVE),
    ],
)
def test_a_fracture_has_its_grade_and_shape_and_its_neighbours_none(
    spine, level, losses, grade, shape
):
    readings = spine(losses={level: losses}).read()
    assert (readings[level].grade, readings[level].shape) == (Grade(grade), shape)
    others = [reading for other, reading in readings.items() if other is not level]
    assert {reading.grade for reading in others} == {Grade.NORMAL}


@pytest.mark.parametrize(
    ("level", "grade"), [(Level.T8, "0"), (Level.T12, "0"), (Level.L3, "1"), (Level.L4, "1")]
)
def test_the_same_wedge_is_normal_where_bodies_are_wedged(spine, level, grade):
    """Ha/Hp 0.79: a loss of 14 % at T8 and 15 % at T12, of 22 % at L3 and 24 % at L4."""
    film = spine(shape={level: (0.79, NORMS[level].middle_posterior)})
    assert film.read()[level].grade is Grade(grade)


@pytest.mark.parametrize(("row_mm", "column_mm"), [(0.14, 0.14), (0.5, 0.2), (0.2, 0.5)])
def test_pixels_of_any_shape_give_the_same_grade(spine, row_mm, column_mm):
    losses = {Level.T12: (0.32, 0.15, 0.02)}
    reading = spine(losses=losses, row_mm=row_mm, column_mm=column_mm).read()[Level.T12]
    assert reading.grade is Grade.MODERATE
    assert reading.losses == pytest.approx((0.32, 0.15, 0.02), abs=0.02)


def test_without_a_scale_there_are_ratios_and_grades_but_no_millimetres(spine):
    readings = spine(losses={Level.T12: (0.32, 0.15, 0.02)}, row_mm=None, column_mm=None).read()
    assert readings[Level.T12].grade is Grade.MODERATE
    assert readings[Level.T12].ratios is not None
    assert all(reading.heights is None for reading in readings.values())


@pytest.mark.parametrize(
    "state",
    [
        state
        for state in VertebraState
        if state not in {VertebraState.EVALUABLE, VertebraState.READER_NOT_EVALUABLE}
    ],
)
def test_what_the_model_does_not_trust_has_no_grade(spine, state):
    film = spine(changes={Level.T9: {"state": state, "reason": "why"}})
    reading = film.read()[Level.T9]
    assert (reading.state, reading.reason) == (state, "why")
    assert reading.grade is Grade.NOT_EVALUABLE
    assert reading.p_grades is None
    assert reading.losses is None
    assert reading.shape is Shape.NONE
    assert reading.heights is not None, "what was measured is still shown"


def test_a_vertebra_that_is_not_evaluable_is_no_neighbour(spine):
    film = spine(
        changes={
            Level.T9: {"state": VertebraState.OBSCURED, "reason": "arm"},
            Level.T11: {"state": VertebraState.OBSCURED, "reason": "arm"},
        },
        losses={Level.T9: (0.5, 0.5, 0.5), Level.T11: (0.5, 0.5, 0.5)},
    )
    reading = film.read()[Level.T10]
    assert reading.grade is Grade.NORMAL
    assert reading.ratios is not None
    assert reading.ratios.posterior_neighbours is None


@pytest.mark.parametrize(
    ("scatter", "state"),
    [
        (0.06, VertebraState.EVALUABLE),
        (0.0601, VertebraState.LOW_CONFIDENCE),
        (math.nan, VertebraState.LOW_CONFIDENCE),
        (None, VertebraState.EVALUABLE),
    ],
)
def test_ratios_that_scatter_beyond_the_charter_are_not_trusted(spine, scatter, state):
    reading = spine(changes={Level.T9: {"ratio_sd": scatter}}).read()[Level.T9]
    assert reading.state is state
    assert reading.grade.is_numeric is (state is VertebraState.EVALUABLE)
    assert bool(reading.reason) is (state is not VertebraState.EVALUABLE)


@pytest.mark.parametrize(
    ("present", "missing", "words"),
    [
        (tuple(NORMS)[5:], Level.T5, "above T6"),
        (tuple(NORMS)[:10], Level.L2, "below T10"),
        (tuple(lv for lv in NORMS if lv is not Level.T10), Level.T10, "between its neighbours"),
    ],
)
def test_a_level_that_was_not_found_says_where_it_is_missing(spine, present, missing, words):
    readings = spine(levels=present).read()
    assert len(readings) == 13
    reading = readings[missing]
    assert reading.state is VertebraState.NOT_IMAGED
    assert reading.grade is Grade.NOT_EVALUABLE
    assert words in reading.reason


def test_an_empty_film_has_thirteen_levels_not_imaged(spine, rules):
    readings = read_vertebrae((), spine().radiograph(), rules, TRUSTED)
    assert len(readings) == 13
    assert {reading.state for reading in readings} == {VertebraState.NOT_IMAGED}
    assert {reading.reason for reading in readings} == {"no vertebra was found on the film"}


def test_two_vertebrae_of_one_name_are_both_uncertain(spine, rules):
    film = spine()
    twice = [
        replace(finding, level=Level.T9) if finding.level is Level.T10 else finding
        for finding in film.findings()
    ]
    readings = {
        reading.level: reading
        for reading in read_vertebrae(twice, film.radiograph(), rules, TRUSTED)
    }
    assert readings[Level.T9].state is VertebraState.LEVEL_UNCERTAIN
    assert readings[Level.T9].grade is Grade.NOT_EVALUABLE
    assert "2 vertebrae" in readings[Level.T9].reason
    assert readings[Level.T10].state is VertebraState.NOT_IMAGED


def test_a_seam_through_the_body_and_one_beside_it(spine):
    finding = next(found for found in spine().findings() if found.level is Level.T9)
    row = int(finding.six_points.sup_ant[1])
    readings = spine(seams=(row + 10,)).read()
    assert readings[Level.T9].state is VertebraState.AT_SEAM
    assert f"row {row + 10}" in readings[Level.T9].reason
    assert readings[Level.T8].state is VertebraState.EVALUABLE
    beside = spine(seams=(row - 8,)).read()
    assert {reading.state for reading in beside.values()} == {VertebraState.EVALUABLE}


@pytest.mark.parametrize("shift", [-1000.0, 1e6])
def test_a_body_beyond_the_edge_is_at_the_border(spine, shift):
    finding = next(found for found in spine().findings() if found.level is Level.T9)
    moved = SixPoints.from_array(finding.six_points.to_array() + np.array([shift, 0.0]))
    reading = spine(changes={Level.T9: {"six_points": moved}}).read()[Level.T9]
    assert reading.state is VertebraState.AT_IMAGE_BORDER
    assert reading.grade is Grade.NOT_EVALUABLE


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (None, "no six points"),
        (SixPoints(*[(30.0, 30.0)] * 6), "do not enclose"),
        (SixPoints(*[(30.0, math.nan)] * 6), "do not enclose"),
        (SixPoints(*[(30.0, 30.0)] * 3, *[(30.0, math.inf)] * 3), "do not enclose"),
    ],
)
def test_points_that_are_no_body_are_never_shown_as_numbers(spine, points, words):
    reading = spine(changes={Level.T9: {"six_points": points}}).read()[Level.T9]
    assert reading.state is VertebraState.LOW_CONFIDENCE
    assert words in reading.reason
    assert (reading.heights, reading.ratios, reading.six_points) == (None, None, None)
    assert reading.grade is Grade.NOT_EVALUABLE


def test_one_vertebra_alone_cannot_be_graded(spine):
    reading = spine(levels=(Level.T9,)).read()[Level.T9]
    assert reading.state is VertebraState.LOW_CONFIDENCE
    assert "neighbour" in reading.reason
    assert reading.heights is not None


def test_levels_outside_t4_l4_serve_as_neighbours(spine):
    reading = spine(levels=(Level.T3, Level.T4)).read()[Level.T4]
    assert reading.grade is Grade.NORMAL
    assert reading.ratios is not None
    assert reading.ratios.posterior_neighbours == pytest.approx(17.8 / 17.1)


def test_the_models_probabilities_stand_beside_the_grade_of_the_heights(spine):
    p_grades = (0.7, 0.2, 0.1, 0.0)
    reading = spine(changes={Level.T9: {"p_grades": p_grades}}).read()[Level.T9]
    assert reading.p_grades == p_grades
    assert reading.grade is Grade.NORMAL
    assert reading.reason == ""


def test_model_and_heights_that_disagree_about_a_fracture_say_so(spine):
    p_grades = (0.1, 0.2, 0.7, 0.0)
    reading = spine(changes={Level.T9: {"p_grades": p_grades}}).read()[Level.T9]
    assert reading.grade is Grade.NORMAL
    assert "grade 0" in reading.reason
    assert "grade 2" in reading.reason


def test_probabilities_from_the_heights_spread_with_the_scatter(spine):
    losses = {Level.T9: (0.19, 0.0, 0.0)}
    sharp = spine(losses=losses, changes={Level.T9: {"ratio_sd": 0.005}}).read()[Level.T9]
    blurred = spine(losses=losses, changes={Level.T9: {"ratio_sd": 0.06}}).read()[Level.T9]
    assert sharp.grade is blurred.grade is Grade.NORMAL
    assert sharp.p_grades[0] > blurred.p_grades[0] > 0.5
    assert blurred.p_grades[3] > sharp.p_grades[3]


def test_transitional_levels_are_told(spine):
    findings = spine().findings()
    assert transitional_levels(findings) == ()
    extra = replace(findings[0], level=Level.L6)
    assert transitional_levels((*findings, extra)) == (Level.L6,)


def test_a_name_below_the_charter_s_limit_is_uncertain_and_has_no_grade(spine):
    readings = spine().read(minimum_level_probability=0.995)
    for reading in readings.values():
        assert reading.state is VertebraState.LEVEL_UNCERTAIN
        assert reading.grade is Grade.NOT_EVALUABLE
        assert "less than the charter's" in reading.reason
        assert reading.heights is not None
    assert spine().read(minimum_level_probability=0.95)[Level.L1].grade is Grade.NORMAL
