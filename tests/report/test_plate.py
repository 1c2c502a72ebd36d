from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoom_imaging.report.plate import OUTSIDE_FILM, Plate, Window, make_plate


def test_reducing_averages_areas(build):
    fine = np.indices((400, 400)).sum(axis=0) % 2
    fine[:, 200:] = 1
    film = build.radiograph(pixels=fine.astype(np.float32))
    plate = make_plate(film, Window.whole(film), 100, 100)
    left, right = plate.grey[:, :48], plate.grey[:, 52:]
    # A checkerboard is an even grey, neither dropped nor striped.
    assert np.ptp(left.astype(int)) <= 2
    assert right.min() > left.max()


def test_outside_the_film_is_flat_and_the_film_keeps_its_place(build):
    pixels = np.zeros((100, 100), dtype=np.float32)
    pixels[40:60, 40:60] = 1.0
    film = build.radiograph(pixels=pixels)
    plate = make_plate(film, Window(-50.5, -50.5, 200, 200), 400, 400)
    assert (plate.grey[:99] == OUTSIDE_FILM).all()
    assert (plate.grey[:, 301:] == OUTSIDE_FILM).all()
    corner = plate.place(((39.5, 39.5),))[0] + 0.5
    bright = np.argwhere(plate.grey > 200).min(axis=0)[::-1]
    assert corner == pytest.approx((180, 180))
    assert np.abs(bright - corner).max() <= 2


@pytest.mark.parametrize("value", [0.0, 1.0, 0.3])
def test_an_even_film_is_no_error(build, value):
    film = build.radiograph(pixels=np.full((50, 60), value, dtype=np.float32))
    assert np.ptp(make_plate(film, Window.whole(film), 60, 50).grey) == 0


def test_contrast_is_judged_inside_the_valid_part(build):
    pixels = np.tile(np.linspace(0.4, 0.6, 100, dtype=np.float32), (100, 1))
    pixels[:, :30] = 50.0
    valid = np.ones_like(pixels, dtype=bool)
    valid[:, :30] = False
    film = build.radiograph(pixels=pixels, valid=valid)
    grey = make_plate(film, Window.whole(film), 100, 100).grey[:, 30:]
    assert np.ptp(grey.astype(int)) > 150


@given(
    st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)),
    st.tuples(st.floats(1, 5000), st.floats(1, 5000)),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
@settings(max_examples=60, deadline=None)
def test_the_edges_of_a_window_are_the_edges_of_its_picture(corner, size, shape):
    plate = Plate(np.zeros(shape, dtype=np.uint8), Window(*corner, *size))
    placed = plate.place((corner, (corner[0] + size[0], corner[1] + size[1])))
    assert placed[0] == pytest.approx((-0.5, -0.5), abs=1e-3)
    assert placed[1] == pytest.approx((shape[1] - 0.5, shape[0] - 0.5), abs=1e-3)
