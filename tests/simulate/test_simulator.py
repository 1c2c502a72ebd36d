"""Whole films: determinism, truth, geometry, visits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage.draw import polygon

from zoom_imaging.anatomy import Grade, Level, Shape, VertebraState
from zoom_imaging.simulate.acquisition import (
    WHOLE_SPINE,
    Acquisition,
    Facing,
    Field,
    geometry_for,
    random_acquisition,
)
from zoom_imaging.simulate.attenuation import layers
from zoom_imaging.simulate.fracture import make_fracture
from zoom_imaging.simulate.person import Person, random_person
from zoom_imaging.simulate.posture import pose
from zoom_imaging.simulate.simulator import Exposure, expose, simulate_film
from zoom_imaging.simulate.skeleton import Skeleton

PIXEL_MM = 1.0
PLAIN = Acquisition(seed=1, pixel_mm=PIXEL_MM, field=WHOLE_SPINE)


@pytest.fixture(scope="module")
def person() -> Person:
    return random_person(21, variety=0.6)


@pytest.fixture(scope="module")
def exposure(skeleton: Skeleton, person: Person) -> Exposure:
    return expose(skeleton, person, PLAIN)


def test_the_same_seed_gives_the_same_bytes(skeleton: Skeleton, person: Person) -> None:
    acquisition = random_acquisition(4, pixel_mm=1.5)
    films = [
        simulate_film(skeleton, person, acquisition, np.random.default_rng(9)) for _ in range(2)
    ]
    assert films[0].image.dtype == np.uint16
    assert films[0].image.max() <= 4095
    assert films[0].image.tobytes() == films[1].image.tobytes()
    assert films[0].truth[5].six_px is not None
    assert np.array_equal(films[0].truth[5].six_px, films[1].truth[5].six_px)


def test_every_level_has_truth_and_lies_in_order(exposure: Exposure) -> None:
    levels = [one.level for one in exposure.truth]
    assert levels == [level for level in Level if level not in {Level.T13, Level.L6}]
    rows = [one.centre_px[1] for one in exposure.truth]
    assert all(np.diff(rows) > 5)


def test_outlines_hold_their_centres_and_their_landmarks(exposure: Exposure) -> None:
    for one in exposure.truth[1:-1]:
        assert one.outline_px is not None
        assert one.six_px is not None
        filled = np.zeros(exposure.attenuation.shape, dtype=bool)
        filled[polygon(one.outline_px[:, 1], one.outline_px[:, 0], filled.shape)] = True
        column, row = np.round(one.centre_px).astype(int)
        assert filled[row, column], one.level
        apart = np.linalg.norm(one.outline_px[:, None] - one.six_px[None], axis=2).min(axis=0)
        assert apart.max() < 1.5 / PIXEL_MM, one.level


def test_truth_lies_on_the_bone_of_the_image(skeleton: Skeleton, person: Person) -> None:
    posed = pose(skeleton, person, PLAIN.position)
    spine = layers(posed, geometry_for(posed, PLAIN), PLAIN).spine
    for one in expose(skeleton, person, PLAIN).truth[4:-2]:
        assert one.six_px is not None
        sup_ant, _, sup_post, inf_ant, _, inf_post = one.six_px
        ahead = (sup_ant - sup_post + inf_ant - inf_post) / 2
        ahead /= np.linalg.norm(ahead)
        wall = (sup_ant + inf_ant) / 2
        inside, outside = (np.round(wall + step * ahead).astype(int) for step in (-6.0, 5.0))
        assert spine[inside[1], inside[0]] > 0.05, one.level
        assert spine[outside[1], outside[0]] < 0.3 * spine[inside[1], inside[0]], one.level


def test_image_heights_are_object_heights_times_magnification(exposure: Exposure) -> None:
    zoom = PLAIN.magnification
    for one in exposure.truth[1:-1]:
        assert one.six_px is not None
        assert one.heights_mm is not None
        image_mm = np.linalg.norm(one.six_px[:3] - one.six_px[3:], axis=1) * PIXEL_MM
        assert image_mm / zoom == pytest.approx(one.heights_mm, rel=0.04)


def test_two_visits_without_fracture_have_the_same_heights(
    skeleton: Skeleton, person: Person
) -> None:
    first = expose(skeleton, person, random_acquisition(1, 2.0)).truth
    second = expose(skeleton, person, random_acquisition(2, 2.0)).truth
    for before, after in zip(first[1:-1], second[1:-1], strict=True):
        assert before.heights_mm is not None
        assert after.heights_mm is not None
        assert np.allclose(before.heights_mm, after.heights_mm, atol=1e-9)
        assert after.grade is Grade.NORMAL


def test_a_new_fracture_changes_its_own_level_only(skeleton: Skeleton, person: Person) -> None:
    new = make_fracture(Shape.WEDGE, 0.32, np.random.default_rng(0))
    before = expose(skeleton, person, PLAIN).truth
    after = expose(skeleton, person.with_fractures({Level.T8: new}), PLAIN).truth
    for old, now in zip(before[1:-1], after[1:-1], strict=True):
        assert old.heights_mm is not None
        assert now.heights_mm is not None
        assert now.own_heights_mm == pytest.approx(old.heights_mm)
        if now.level is Level.T8:
            assert now.heights_mm[0] / old.heights_mm[0] == pytest.approx(0.68, abs=0.015)
            assert (now.grade, now.shape) == (Grade.MODERATE, Shape.WEDGE)
        else:
            assert now.heights_mm == pytest.approx(old.heights_mm)
            assert (now.grade, now.shape) == (Grade.NORMAL, Shape.NONE)


def test_facing_decides_on_which_side_the_front_is(skeleton: Skeleton, person: Person) -> None:
    for facing, sign in ((Facing.LEFT, 1), (Facing.RIGHT, -1)):
        acquisition = replace(PLAIN, facing=facing, pixel_mm=3.0)
        for one in expose(skeleton, person, acquisition).truth[1:-1]:
            assert one.six_px is not None
            assert sign * (one.six_px[2, 0] - one.six_px[0, 0]) > 0


def test_what_the_field_leaves_out_is_not_imaged(skeleton: Skeleton, person: Person) -> None:
    lumbar = Field(Level.T11, Level.L5, -3.0, 20.0, 60.0, 60.0)
    truth = expose(skeleton, person, replace(PLAIN, field=lumbar)).truth
    states = {one.level: one.state for one in truth}
    assert states[Level.T6] is VertebraState.NOT_IMAGED
    assert states[Level.T11] is VertebraState.AT_IMAGE_BORDER
    assert states[Level.L2] is VertebraState.EVALUABLE
