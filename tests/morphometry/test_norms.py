"""The reference table has every graded level and the shape that the literature agrees on."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Level
from zoom_imaging.morphometry.norms import NORMS, STATUS, posterior_ratio, posterior_ratio_sd


def test_every_graded_level_and_its_neighbours_have_norms():
    assert {*GRADED_LEVELS, Level.T3, Level.L5} <= set(NORMS)
    assert STATUS == "assumed"


@pytest.mark.parametrize("level", [Level.T7, Level.T8, Level.T11, Level.T12, Level.L1])
def test_normally_wedged_levels_are_wedged_in_the_table(level):
    assert 0.90 <= NORMS[level].anterior_posterior <= 0.96


def test_lower_lumbar_bodies_are_taller_in_front():
    order = [Level.L1, Level.L2, Level.L3, Level.L4, Level.L5]
    ratios = [NORMS[level].anterior_posterior for level in order]
    assert ratios == sorted(ratios)
    assert ratios[3] > 1


@pytest.mark.parametrize("level", GRADED_LEVELS)
def test_values_are_plausible(level):
    norm = NORMS[level]
    assert 0.90 <= norm.middle_posterior <= 0.98
    assert 0.03 <= norm.anterior_posterior_sd <= 0.07
    assert 17 <= norm.posterior_mm <= 29


def test_ratio_to_a_neighbour_is_inverse_in_the_other_direction():
    there, back = posterior_ratio(Level.T8, Level.T9), posterior_ratio(Level.T9, Level.T8)
    assert there * back == pytest.approx(1)
    assert posterior_ratio_sd(Level.T8, Level.T9) == pytest.approx(0.045 * there)
