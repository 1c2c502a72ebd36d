"""The canvas: square pixels of half a millimetre, and points that find their way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zoom_imaging.vision.canvas import make_canvas

from .conftest import make_film


@pytest.mark.parametrize(
    ("row_mm", "column_mm"), [(0.14, 0.14), (0.5, 0.5), (0.2, 0.3), (1.0, 1.0), (0.6, 0.6)]
)
def test_a_mark_lies_where_the_points_say(row_mm: float, column_mm: float) -> None:
    pixels = np.zeros((400, 300), np.float32)
    pixels[200:220, 120:140] = 1.0
    canvas = make_canvas(make_film(pixels), row_mm, column_mm)
    rows, columns = np.nonzero(canvas.pixels > 0.5)
    middle = canvas.to_film(np.array([columns.mean(), rows.mean()]))
    assert middle == pytest.approx([129.5, 209.5], abs=1.2)
    assert 0.4 <= canvas.mm <= 0.66
    assert canvas.to_canvas(canvas.to_film(np.array([7.0, 9.0]))) == pytest.approx([7.0, 9.0])


def test_height_is_the_films_height_in_mm() -> None:
    canvas = make_canvas(make_film(np.zeros((900, 400), np.float32)), 0.15, 0.15)
    assert canvas.height_mm == pytest.approx(900 * 0.15, rel=0.01)


def test_padding_takes_no_part() -> None:
    film = make_film(np.full((200, 200), 0.4, np.float32))
    pixels, valid = film.pixels.copy(), film.valid.copy()
    pixels[:, 150:], valid[:, 150:] = 1.0, False
    canvas = make_canvas(replace(film, pixels=pixels, valid=valid), 0.125, 0.125)
    assert canvas.pixels[canvas.valid] == pytest.approx(0.4)
    assert not canvas.pixels[~canvas.valid].any()
