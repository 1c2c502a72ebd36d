"""Normal values by level, and people that do not depend on chance twice."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Level
from zoom_imaging.simulate.person import random_person
from zoom_imaging.simulate.proportions import CHAIN, NORMAL


def test_normal_heights_grow_downwards_and_wedge_where_the_spine_bends() -> None:
    posterior = [NORMAL[level].posterior_height_mm for level in CHAIN]
    assert all(np.diff(posterior[: CHAIN.index(Level.L2) + 1]) > 0)
    assert NORMAL[Level.T12].anterior_ratio < 1
    assert NORMAL[Level.L1].anterior_ratio < 1
    assert NORMAL[Level.L3].anterior_ratio == pytest.approx(1.02, abs=0.03)
    assert NORMAL[Level.L5].anterior_ratio > 1.1
    for level in GRADED_LEVELS:
        normal = NORMAL[level]
        assert 0.85 < normal.anterior_ratio < 1.12
        # Endplates are hollow: the middle is lower than the mean of the walls.
        walls = (normal.anterior_height_mm + normal.posterior_height_mm) / 2
        assert normal.middle_height_mm < walls


def test_people_vary_around_the_normal_values() -> None:
    people = [random_person(seed, variety=0.6) for seed in range(150)]
    for level in GRADED_LEVELS:
        ratio = np.array(
            [one.shapes[level].anterior_mm / one.shapes[level].posterior_mm for one in people]
        )
        assert np.mean(ratio) == pytest.approx(NORMAL[level].anterior_ratio, abs=0.03)
        assert 0.025 < np.std(ratio) < 0.07


def test_the_same_seed_is_the_same_person() -> None:
    assert random_person(11, 0.3) == random_person(11, 0.3)
    assert random_person(11) != random_person(12)


def test_follow_up_keeps_everything_but_the_fractures() -> None:
    person = random_person(3, prevalence=0.5)
    assert person.fractures
    before = person.with_fractures({})
    assert before.shapes == person.shapes
    assert before.posture == person.posture
    assert not before.fractures
