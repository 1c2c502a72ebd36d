"""What lies behind a shutter, a collimator or a blank border is no picture."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.radiograph.read import read_radiographs


def one(content: bytes):
    (film,) = read_radiographs(content, "film.dcm")
    return film


RECTANGLE = {
    "LeftVerticalEdge": 11,
    "RightVerticalEdge": 80,
    "UpperHorizontalEdge": 21,
    "LowerHorizontalEdge": 100,
}


@pytest.mark.parametrize("kind", ["Shutter", "Collimator"])
def test_rectangular(phantom, kind):
    elements = {f"{kind}{name}": value for name, value in RECTANGLE.items()}
    film = one(phantom.film_bytes(**{f"{kind}Shape": "RECTANGULAR"}, **elements))
    inside = np.zeros(film.valid.shape, bool)
    inside[21:99, 11:79] = True  # the standard counts rows and columns from 1
    np.testing.assert_array_equal(film.valid, inside)
    assert (film.pixels[~inside] == 0).all()


def test_circular(phantom):
    film = one(
        phantom.film_bytes(
            ShutterShape="CIRCULAR", CenterOfCircularShutter=[60, 45], RadiusOfCircularShutter=30
        )
    )
    assert film.valid[59, 44]
    assert film.valid[59 - 29, 44]
    assert not film.valid[59 - 31, 44]
    assert not film.valid[0, 0]


def test_polygonal(phantom):
    film = one(
        phantom.film_bytes(
            ShutterShape="POLYGONAL",
            VerticesOfThePolygonalShutter=[10, 10, 10, 80, 110, 80, 110, 10],
        )
    )
    assert film.valid[60, 45]
    assert not film.valid[5, 45]
    assert not film.valid[60, 85]


@pytest.mark.parametrize(
    "elements",
    [
        {"ShutterShape": "RECTANGULAR"},
        {
            "ShutterShape": "CIRCULAR",
            "CenterOfCircularShutter": [60, 45],
            "RadiusOfCircularShutter": 1,
        },
        {"ShutterShape": "BITMAP"},
    ],
)
def test_a_shutter_that_cannot_be_is_named_and_left_open(phantom, elements):
    film = one(phantom.film_bytes(**elements))
    assert film.valid.all()
    assert any("ShutterShape" in text for text in film.warnings)


def test_a_constant_border_is_blank_and_noise_is_not(phantom):
    pixels = phantom.base_pixels()
    pixels[:7], pixels[-3:], pixels[:, :9] = 120, 120, 120
    film = one(phantom.film_bytes(pixels))
    inside = np.ones(pixels.shape, bool)
    inside[:7], inside[-3:], inside[:, :9] = False, False, False
    np.testing.assert_array_equal(film.valid, inside)


def test_statistics_do_not_see_what_the_shutter_hides(phantom):
    """A lead marker outside of the shutter would otherwise set the grey scale."""
    pixels = phantom.base_pixels() // 4
    bright = pixels.copy()
    bright[:15, ::2] = 4095
    edges = {
        "ShutterShape": "RECTANGULAR",
        "ShutterLeftVerticalEdge": 0,
        "ShutterRightVerticalEdge": 91,
        "ShutterUpperHorizontalEdge": 15,
        "ShutterLowerHorizontalEdge": 121,
    }
    no_window = {"WindowCenter": phantom.ABSENT, "WindowWidth": phantom.ABSENT}
    film = one(phantom.film_bytes(bright, **edges, **no_window))
    plain = one(phantom.film_bytes(pixels, **edges, **no_window))
    np.testing.assert_allclose(film.pixels[15:], plain.pixels[15:], atol=1e-6)
