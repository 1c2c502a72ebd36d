"""Written text leaves a film before a blinded reader sees it; anatomy and side markers stay."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from zoom_imaging.radiograph.read import read_radiographs
from zoom_imaging.review.web.lettering import without_text


def film(rows=400, columns=300):
    """A smooth film with an overexposed patch that fades out, as bright bone does."""
    row, column = np.mgrid[0:rows, 0:columns]
    hill = 1.6 * np.exp(-((row - 250) ** 2 + (column - 150) ** 2) / 3000)
    return np.clip(0.35 + 0.1 * np.sin(row / 40) + hill, 0.05, 1).astype(np.float32)


def written(pixels, text, *, at=(20, 20), size=14, value=1.0):
    """The film with `text` in it, and where its letters are."""
    sheet = Image.new("L", pixels.shape[::-1])
    ImageDraw.Draw(sheet).text(at, text, fill=255, font=ImageFont.load_default(size))
    letters = np.asarray(sheet) > 127
    return np.where(letters, np.float32(value), pixels), letters


@pytest.mark.parametrize("text", ["HIDDEN PATIENT", "ZOOM-901 2031-03-04", "denosumab twice"])
@pytest.mark.parametrize("size", [12, 16, 24])
@pytest.mark.parametrize("value", [1.0, 0.0])
def test_a_line_of_text_is_blanked_and_the_rest_of_the_film_is_not(text, size, value):
    """White or black, small or large; what is left of it cannot be read."""
    clean = film()
    shown, letters = written(clean, text, size=size, value=value)
    blanked = without_text(shown)
    left = (blanked == np.float32(value)) & letters if value else (blanked != 0.0) & letters
    assert left.sum() <= 0.2 * letters.sum()
    far = np.ones(clean.shape, bool)
    far[: 20 + 2 * size] = False
    np.testing.assert_array_equal(blanked[far], shown[far])


@pytest.mark.parametrize("marker", ["L", "R", "LL"])
def test_a_side_marker_stays(marker):
    """Readers need it, and it says nothing about the patient."""
    shown, _ = written(film(), marker, size=20)
    np.testing.assert_array_equal(without_text(shown), shown)


def test_films_without_text_are_untouched(sample):
    """Overexposed end plates, metal, noise and field borders are no letters."""
    seen = 0
    for path in sorted(sample.glob("ZOOM-*/*/IM000*")):
        (shown,) = read_radiographs(path.read_bytes(), path.name)
        np.testing.assert_array_equal(without_text(shown.pixels), shown.pixels, path.name)
        seen += 1
    assert seen > 20
