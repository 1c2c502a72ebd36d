from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Level, SpacingSource
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.report.framing import frame_pair, frame_spine


def picture_row(framing, film_row):
    window = framing.window
    return (film_row - window.top) * framing.rows / window.height


def middle_row(build, level):
    return build.corner(GRADED_LEVELS.index(level))[0] + (build.body_height - 1) / 2


def test_a_pair_has_one_scale_in_mm_and_levels_at_one_height(build):
    coarse = Scale(SpacingSource.GEOMETRY, 1.0, 1.0, "")
    fine = Scale(SpacingSource.IMAGER_OVER_MAGNIFICATION, 0.5, 0.5, "")
    first, second, note = frame_pair(build.reading(scale=coarse), build.reading(scale=fine))
    assert first.px_per_mm == pytest.approx(second.px_per_mm)
    assert "same scale in mm." in note
    assert first.rows == second.rows
    centre = np.mean([middle_row(build, level) for level in GRADED_LEVELS])
    assert picture_row(first, centre) == pytest.approx(picture_row(second, centre), abs=1.5)


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (Scale(SpacingSource.IMAGER_RAW, 0.5, 0.5, ""), "not calibrated"),
        (Scale(SpacingSource.NONE, None, None, ""), "no scale"),
        (None, "no scale"),
    ],
)
def test_a_pair_without_a_common_scale_says_so(build, scale, words):
    first, second, note = frame_pair(build.reading(), build.reading(scale=scale))
    assert words in note
    assert first.rows == pytest.approx(second.rows, abs=1)


def test_levels_on_one_film_only_keep_their_place_in_the_picture(build):
    upper = build.reading(levels=GRADED_LEVELS[:9])
    lower = build.reading(levels=GRADED_LEVELS[5:])
    first, second, _ = frame_pair(upper, lower)
    for level in GRADED_LEVELS[5:9]:
        row = middle_row(build, level)
        assert picture_row(first, row) == pytest.approx(picture_row(second, row), abs=1.5)
    for level, framing in ((Level.T4, first), (Level.L4, second)):
        assert 0 < picture_row(framing, middle_row(build, level)) < framing.rows


def test_nothing_outlined_gives_no_frame(build):
    assert frame_spine(build.reading(levels=())) is None
    assert frame_pair(build.reading(levels=()), build.reading()) is None


@pytest.mark.parametrize("mirrored", [False, True])
def test_labels_go_behind_the_spine(build, mirrored):
    from dataclasses import replace

    from zoom_imaging.anatomy import SixPoints

    body = build.vertebra(Level.L1)
    points = body.six_points.to_array()
    order = [2, 1, 0, 5, 4, 3] if mirrored else [0, 1, 2, 3, 4, 5]
    body = replace(body, six_points=SixPoints.from_array(points[order]))
    framing = frame_spine(replace(build.reading(), vertebrae=(body,)))
    assert framing.labels_right is not mirrored
