"""Burned-in text: blanked in every frame and colour, or the picture is not given out.

The case `deid-second-frame-and-rgb` of the bank of cases is among them.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from zoom_imaging.exchange.deidentify.report import State
from zoom_imaging.simulate.densitometry import exam_of
from zoom_imaging.simulate.hologic_report import Part, hologic_report

from .made import BOX, capture, cleaned, film, with_name, with_pixels

DAY = date(2025, 3, 10)


def flat(picture: np.ndarray) -> bool:
    """One colour in the whole box."""
    part = picture[BOX]
    return bool((part == part[0, 0]).all())


@pytest.mark.parametrize("lateral", [False, True], ids=["page", "film"])
@pytest.mark.parametrize(("ground", "ink"), [(0, 255), (255, 0), (120, 230)])
def test_name_in_the_second_frame_is_blanked(tmp_path, recognition, ground, ink, lateral):
    first = np.full((120, 320), ground, np.uint8)
    frames = np.stack([first, with_name((120, 320), ground, ink)])
    assert not flat(frames[1])
    result = cleaned(tmp_path, capture(DAY, frames, lateral=lateral))
    found = result.datasets[0]
    assert found.BurnedInAnnotation == "NO"
    assert found.NumberOfFrames == 2
    assert all(flat(frame) for frame in found.pixel_array)


@pytest.mark.parametrize("lateral", [False, True], ids=["page", "film"])
@pytest.mark.parametrize("ink", [(255, 255, 255), (250, 220, 30), (220, 40, 40)])
def test_name_in_a_colour_picture_is_blanked_on_its_rows(tmp_path, recognition, ink, lateral):
    """In all three channels, and where it stands: not on another axis."""
    mask = with_name((120, 320), 0, 255)[..., np.newaxis] / 255.0
    ground = np.array([20, 30, 60])
    pixels = (ground * (1 - mask) + np.array(ink) * mask).astype(np.uint8)
    pixels[70:110, 100:220] = (90, 160, 90)
    result = cleaned(tmp_path, capture(DAY, pixels, lateral=lateral))
    found = result.datasets[0]
    assert flat(found.pixel_array)
    assert (found.pixel_array[75:105, 105:215] == (90, 160, 90)).all()
    assert found.BurnedInAnnotation == "NO"


def test_text_over_a_scan_is_blanked_as_well(tmp_path, recognition):
    """Not on an even ground: only character recognition tells it from the scan."""
    y, x = np.mgrid[:300, :320]
    scan = (90 + 50 * np.cos(x / 45.0) * np.sin(y / 60.0)).astype(np.uint8)
    ink = with_name((300, 320), 0, 255) > 128
    pixels = np.where(ink, 255, scan).astype(np.uint8)
    result = cleaned(tmp_path, capture(DAY, pixels))
    if result.files:
        assert not (result.datasets[0].pixel_array[BOX] > 200).any()
    else:
        assert result.outcome.rows[0].state is State.QUARANTINED


def test_report_page_loses_its_text_and_keeps_its_scan(tmp_path, recognition):
    from zoom_imaging.exchange.deidentify.words import words_in

    dataset = hologic_report(exam_of("QK-7731", DAY, (0.9, 0.95, 1.0, 1.0)), part=Part.SPINE)
    before = dataset.pixel_array
    found = cleaned(tmp_path, dataset).datasets[0]
    after = found.pixel_array
    assert found.BurnedInAnnotation == "NO"
    assert (after[:88] == 255).all()
    assert len(words_in(before)) > 20
    assert not [word for word in words_in(after) if word.characters > 1]
    unchanged = (after[92:372, 24:214] == before[92:372, 24:214]).all(axis=2)
    assert unchanged.mean() > 0.9


def test_capture_whose_header_claims_no_text_is_looked_at_all_the_same(tmp_path, recognition):
    made = capture(DAY, with_name((120, 320), 0, 255))
    made.BurnedInAnnotation = "NO"
    assert flat(cleaned(tmp_path, made).datasets[0].pixel_array)


def test_capture_that_says_text_and_shows_none_is_quarantined(tmp_path, recognition):
    result = cleaned(tmp_path, capture(DAY, np.full((120, 320), 7, np.uint8)))
    assert result.outcome.rows[0].state is State.QUARANTINED
    assert "none was found" in result.reasons[0]
    assert result.files == []


def test_capture_without_recognition_is_quarantined(tmp_path, no_recognition):
    result = cleaned(tmp_path, capture(DAY, with_name((120, 320), 0, 255)))
    assert result.outcome.rows[0].state is State.QUARANTINED
    assert "tesseract" in result.reasons[0]
    assert result.files == []


def test_report_without_recognition_keeps_its_numbers_and_loses_its_picture(
    tmp_path, no_recognition
):
    dataset = hologic_report(exam_of("QK-7731", DAY, (0.9, 0.95, 1.0, 1.0)), part=Part.SPINE)
    result = cleaned(tmp_path, dataset)
    assert not result.datasets[0].pixel_array.any()
    assert result.outcome.rows[0].pixels == "all_blanked"


def test_film_that_does_not_say_so_is_quarantined_without_recognition(tmp_path, no_recognition):
    made = film(DAY)
    del made.BurnedInAnnotation
    result = cleaned(tmp_path, made)
    assert result.outcome.rows[0].state is State.QUARANTINED
    assert "--films-without-text" in result.reasons[0]


def test_film_that_the_user_vouches_for_passes_unchanged(tmp_path, no_recognition):
    made = film(DAY)
    del made.BurnedInAnnotation
    result = cleaned(tmp_path, made, films_without_text=True)
    assert result.datasets[0].PixelData == made.PixelData
    assert "said by the user" in result.outcome.rows[0].note


def test_film_that_was_looked_at_passes_unchanged(tmp_path, recognition):
    made = film(DAY)
    del made.BurnedInAnnotation
    found = cleaned(tmp_path, made).datasets[0]
    assert found.PixelData == made.PixelData
    assert "BurnedInAnnotation" not in found


def written_film(top: int, text: str = "HWANGBO MIRAE") -> np.ndarray:
    y, x = np.mgrid[:900, :600]
    grey = 900 + 500 * np.cos((x - 300) / 220.0) + 150 * np.sin(y / 190.0)
    ink = with_name((60, 400), 0, 255, text) > 128
    grey[top : top + 60, 20:420][ink] = 4095
    return grey.astype(np.uint16)


def test_name_at_the_border_of_a_film_is_blanked_and_the_rest_untouched(tmp_path, recognition):
    made = film(DAY)
    del made.BurnedInAnnotation
    pixels = written_film(20)
    found = cleaned(tmp_path, with_pixels(made, pixels)).datasets[0]
    assert found.BurnedInAnnotation == "NO"
    assert not (found.pixel_array[:110] == 4095).any()
    assert (found.pixel_array[140:] == pixels[140:]).all()


def test_name_in_the_middle_of_a_film_quarantines_it(tmp_path, recognition):
    """Blanking there would change what is measured."""
    made = film(DAY)
    del made.BurnedInAnnotation
    result = cleaned(tmp_path, with_pixels(made, written_film(420)))
    assert result.outcome.rows[0].state is State.QUARANTINED
    assert "middle of a film" in result.reasons[0]
    assert result.files == []


def test_overlay_among_the_bits_of_the_pixels_quarantines_the_film(tmp_path):
    made = film(DAY)
    made.add_new(0x60000010, "US", 240)
    made.add_new(0x60000011, "US", 160)
    made.add_new(0x60000100, "US", 16)
    made.add_new(0x60000102, "US", 12)
    result = cleaned(tmp_path, made)
    assert result.outcome.rows[0].state is State.QUARANTINED
    assert "overlay" in result.reasons[0]
