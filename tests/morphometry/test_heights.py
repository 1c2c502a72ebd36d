"""Distances are taken in millimetres first, whatever the shape of a pixel."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.anatomy import SixPoints, SpacingSource
from zoom_imaging.morphometry.heights import (
    Triple,
    endplate_width,
    height_ratios,
    heights_in_mm,
    paired_distances,
)
from zoom_imaging.radiograph.film import Scale

UPRIGHT = SixPoints((10, 10), (30, 10), (50, 10), (10, 50), (30, 46), (50, 60))
LYING = SixPoints((10, 10), (10, 30), (10, 50), (50, 10), (46, 30), (60, 50))
"""UPRIGHT turned by a quarter: heights run along the columns."""


def scale(row_mm, column_mm, source=SpacingSource.GEOMETRY):
    return Scale(source, row_mm, column_mm, "")


NO_SCALE = scale(None, None, SpacingSource.NONE)


@pytest.mark.parametrize(
    ("points", "film_scale", "expected"),
    [
        (UPRIGHT, scale(0.5, 0.5), (20.0, 18.0, 25.0)),
        (UPRIGHT, scale(0.5, 0.2), (20.0, 18.0, 25.0)),
        (LYING, scale(0.5, 0.2), (8.0, 7.2, 10.0)),
        (UPRIGHT, NO_SCALE, (40.0, 36.0, 50.0)),
        (UPRIGHT, None, (40.0, 36.0, 50.0)),
    ],
)
def test_paired_distances(points, film_scale, expected):
    assert paired_distances(points, film_scale) == pytest.approx(expected)


def test_oblique_body_with_anisotropic_pixels_by_hand():
    """From (0, 0) to (3, 4) pixels of 2 mm across and 0.75 mm down: sqrt(6^2 + 3^2) mm."""
    points = SixPoints((0, 0), (0, 0), (0, 0), (3, 4), (3, 4), (0, 8))
    found = paired_distances(points, scale(0.75, 2.0))
    assert found == pytest.approx((math.sqrt(45), math.sqrt(45), 6.0))
    assert height_ratios(found).anterior_posterior == pytest.approx(math.sqrt(45) / 6)


def test_without_a_scale_there_are_ratios_and_no_millimetres():
    assert heights_in_mm(UPRIGHT, NO_SCALE) is None
    assert heights_in_mm(UPRIGHT, None) is None
    assert height_ratios(paired_distances(UPRIGHT, NO_SCALE)).anterior_posterior == 0.8


def test_posterior_height_over_the_mean_of_the_neighbours():
    assert height_ratios(Triple(20, 18, 24), (20.0, 28.0)).posterior_neighbours == 1.0
    assert height_ratios(Triple(20, 18, 24), (20.0,)).posterior_neighbours == 1.2
    assert height_ratios(Triple(20, 18, 24)).posterior_neighbours is None


@pytest.mark.parametrize(
    "heights", [(20, 18, 0), (0, 18, 20), (20, math.nan, 20), (20, 20, math.inf)]
)
def test_what_is_no_body_has_no_ratio(heights):
    with pytest.raises(ValueError, match="finite and above zero"):
        height_ratios(Triple(*heights))


def test_endplate_width_is_the_mean_of_both_endplates():
    points = SixPoints((0, 0), (20, 0), (40, 0), (0, 40), (20, 40), (50, 40))
    assert endplate_width(points, scale(0.5, 0.2)) == pytest.approx((8 + 10) / 2)
    assert endplate_width(points, NO_SCALE) == pytest.approx(45)


@given(
    size=st.floats(0.05, 2.0),
    angle=st.floats(0, 2 * math.pi),
)
def test_ratios_do_not_depend_on_size_or_turn(size, angle):
    turned = SixPoints.from_array(
        [
            (
                column * math.cos(angle) - row * math.sin(angle),
                column * math.sin(angle) + row * math.cos(angle),
            )
            for column, row in UPRIGHT.to_array()
        ]
    )
    ratios = height_ratios(paired_distances(turned, scale(size, size)))
    assert ratios.anterior_posterior == pytest.approx(0.8)
    assert ratios.middle_posterior == pytest.approx(0.72)
