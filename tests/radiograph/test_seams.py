"""Seams are found where films were joined, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from zoom_imaging.radiograph.read import read_radiographs
from zoom_imaging.radiograph.seams import find_seams


def spine_like(rows=400, columns=240, seed=0):
    """Smooth anatomy with bodies and endplates across the middle, and detector noise."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[0:rows, 0:columns]
    soft = ndimage.gaussian_filter(rng.normal(size=(rows, columns)), 25) * 12
    bodies = (np.abs(column - columns / 2 - 15 * np.sin(row / 90)) < 28) & (row % 40 < 30)
    picture = 0.4 + 0.1 * soft + 0.2 * ndimage.gaussian_filter(bodies.astype(float), 1.2)
    return (picture + rng.normal(0, 0.008, picture.shape)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_anatomy_has_no_seam(seed):
    picture = spine_like(seed=seed)
    assert find_seams(picture, np.ones(picture.shape, bool)) == ()


@pytest.mark.parametrize("gain", [0.85, 0.93, 1.08, 1.2])
@pytest.mark.parametrize("row", [130, 251])
def test_a_step_of_exposure_is_a_seam(gain, row):
    picture = spine_like()
    picture[row:] *= gain
    assert find_seams(picture, np.ones(picture.shape, bool)) == (row,)


def test_two_seams():
    picture = spine_like(rows=600)
    picture[200:] += 0.06
    picture[410:] -= 0.09
    assert find_seams(picture, np.ones(picture.shape, bool)) == (200, 410)


def test_a_bright_table_edge_over_half_the_width_is_no_seam():
    picture = spine_like()
    picture[200:202, :120] += 0.3
    assert find_seams(picture, np.ones(picture.shape, bool)) == ()


def test_the_edge_of_the_collimator_is_no_seam():
    picture = spine_like()
    valid = np.ones(picture.shape, bool)
    picture[:60] = 0
    valid[:60] = False
    assert find_seams(picture, valid) == ()


def test_a_film_that_is_called_stitched_without_a_visible_seam_says_so(phantom):
    (film,) = read_radiographs(
        phantom.film_bytes(ImageType=["DERIVED", "PRIMARY", "", "STITCHED"]), "film.dcm"
    )
    assert film.seams == ()
    assert any("no seam was found" in text for text in film.warnings)


def test_validation_films_have_none(shared):
    """Computed from CT in one exposure: a seam in one of them would be a false one."""
    films = sorted((shared / "validation").glob("*/*.dcm"))
    assert films
    for path in films:
        (film,) = read_radiographs(path.read_bytes(), path.name)
        assert film.seams == (), path.name


def test_a_shift_without_a_change_of_exposure_is_a_seam():
    rng = np.random.default_rng(5)
    trabeculae = ndimage.gaussian_filter(rng.normal(size=(400, 240)), 4) * 1.5
    picture = (0.5 + trabeculae).astype(np.float32)
    picture[180:] = np.roll(picture[180:], 25, axis=1)
    assert find_seams(picture, np.ones(picture.shape, bool)) == (180,)


def test_a_line_of_burned_in_text_is_no_seam():
    """A name in white letters over the whole width begins and ends along two rows."""
    picture = spine_like()
    letters = np.random.default_rng(0).random(240) < 0.75
    for top in (100, 130):
        picture[top : top + 12, letters] = 1.5
        picture[top + 4 : top + 7, ::3] = 1.5
    assert find_seams(picture, np.ones(picture.shape, bool)) == ()


def test_a_seam_under_a_drawn_white_line():
    picture = spine_like()
    picture[180:] += 0.08
    picture[180] = 1.5
    (row,) = find_seams(picture, np.ones(picture.shape, bool))
    assert abs(row - 180) <= 1
