from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, SpacingSource, VertebraState
from zoom_imaging.change.record import ChangeKind, VertebraChange
from zoom_imaging.errors import NotRelevantError
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.report.palette import STROKES
from zoom_imaging.report.picture import draw_overlay, film_figure, pair_figure


def colours(path):
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def size(path):
    with Image.open(path) as image:
        return image.size


def close_to(picture, colour, tolerance=24):
    wanted = np.round(np.array(to_rgb(colour)) * 255)
    return (np.abs(picture - wanted).max(axis=2) <= tolerance).sum()


def chunks(content):
    at, names = 8, []
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        names.append(content[at + 4 : at + 8].decode())
        at += 12 + length
    return names


def test_same_film_and_reading_give_the_same_bytes_and_carry_no_metadata(build, tmp_path):
    for name in ("a.png", "b.png"):
        draw_overlay(build.radiograph(), build.reading(), tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("a.png", "b.png"))
    assert first == second
    assert set(chunks(first)) == {"IHDR", "IDAT", "IEND"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_a_picture_does_not_depend_on_the_users_matplotlib_settings(build, tmp_path):
    import matplotlib

    draw_overlay(build.radiograph(), build.reading(), tmp_path / "a.png")
    changed = {"lines.linewidth": 9, "font.size": 30, "text.usetex": True, "figure.dpi": 37}
    with matplotlib.rc_context(changed):
        draw_overlay(build.radiograph(), build.reading(), tmp_path / "b.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("row_mm", "column_mm", "proportion"),
    [(0.5, 0.5, 600 / 260), (0.5, 0.25, 1200 / 260), (0.2, 0.4, 300 / 260)],
)
def test_proportions_follow_the_spacing(build, tmp_path, row_mm, column_mm, proportion):
    scale = Scale(SpacingSource.FIDUCIAL, row_mm, column_mm, "")
    film = build.radiograph(scale)
    draw_overlay(film, replace(build.reading(), scale=scale), tmp_path / "a.png")
    width, height = size(tmp_path / "a.png")
    legend = height - width * proportion
    assert 30 <= legend <= 250
    assert legend == pytest.approx(round(legend / 40) * 40, abs=2)


def test_large_films_are_reduced(build, tmp_path):
    pixels = np.random.default_rng(1).random((5200, 1700), dtype=np.float32)
    draw_overlay(
        build.radiograph(pixels=pixels), build.reading(levels=(Level.L1,)), tmp_path / "a.png"
    )
    width, height = size(tmp_path / "a.png")
    assert max(width, height) <= 2400 + 5 * 40


@pytest.mark.parametrize("grade", [Grade.MILD, Grade.MODERATE, Grade.SEVERE])
def test_a_grade_is_seen_in_its_colour(build, tmp_path, grade):
    for name, grades in (("with.png", {Level.T9: grade}), ("without.png", {})):
        picture = film_figure(build.radiograph(), build.reading(graded=grades))
        (tmp_path / name).write_bytes(picture)
    seen = [
        close_to(colours(tmp_path / n), STROKES[grade].colour) for n in ("with.png", "without.png")
    ]
    # The legend has a stroke of it in every picture.
    assert seen[0] > seen[1] + 500


@pytest.mark.parametrize("state", [s for s in VertebraState if s is not VertebraState.EVALUABLE])
def test_what_is_not_evaluable_never_shows_a_grade(build, state):
    shown = build.vertebra(Level.T9, state=state)
    pictures = {
        film_figure(
            build.radiograph(),
            replace(build.reading(), vertebrae=(replace(shown, grade=grade),)),
        )
        for grade in (Grade.SEVERE, Grade.NOT_EVALUABLE)
    }
    assert len(pictures) == 1


def test_labels_stand_beside_the_bodies(build, tmp_path):
    grades = dict.fromkeys(GRADED_LEVELS, Grade.MODERATE)
    draw_overlay(build.radiograph(), build.reading(graded=grades), tmp_path / "a.png")
    picture = colours(tmp_path / "a.png")
    zoom = picture.shape[1] / build.columns
    for at in range(len(GRADED_LEVELS)):
        top, left = build.corner(at)
        rows = slice(round((top + 5) * zoom), round((top + build.body_height - 6) * zoom))
        columns = slice(round((left + 5) * zoom), round((left + build.body_depth - 6) * zoom))
        inside = picture[rows, columns]
        assert np.ptp(inside, axis=2).max() == 0, GRADED_LEVELS[at]


def test_an_outline_lies_on_its_vertebra(build, tmp_path):
    reading = replace(build.reading(), vertebrae=(build.vertebra(Level.T8, Grade.SEVERE),))
    draw_overlay(build.radiograph(), reading, tmp_path / "a.png")
    picture = colours(tmp_path / "a.png")
    zoom = picture.shape[1] / build.columns
    top, left = build.corner(GRADED_LEVELS.index(Level.T8))
    middle = round((left + build.body_depth / 4 + 0.5) * zoom - 0.5)
    column = picture[:, middle : middle + 1]
    wanted = np.round(np.array(to_rgb(STROKES[Grade.SEVERE].colour)) * 255)
    hits = np.flatnonzero(np.abs(column[:, 0] - wanted).max(axis=1) <= 24)
    upper = (top + 0.5) * zoom - 0.5
    lower = (top + build.body_height - 1 + 0.5) * zoom - 0.5
    assert np.abs(hits[:, None] - np.array([upper, lower])).min(axis=1)[:6].max() < 3
    assert np.abs(hits - upper).min() <= 1
    assert np.abs(hits - lower).min() <= 1


def test_a_changed_level_is_marked_at_month_12_only(build, tmp_path):
    readings = (build.reading("a"), build.reading("b", {Level.L1: Grade.MODERATE}))
    for name, kind in (("new.png", ChangeKind.NEW), ("none.png", ChangeKind.NONE)):
        change = VertebraChange(Level.L1, Grade.NORMAL, Grade.MODERATE, kind, "")
        picture = pair_figure(
            build.radiograph,
            build.radiograph,
            readings,
            headings=("Baseline", "Month 12"),
            changes=(change,),
        )
        (tmp_path / name).write_bytes(picture)
    new, none = (colours(tmp_path / name) for name in ("new.png", "none.png"))
    different = np.abs(new - none).max(axis=2) > 0
    half = different.shape[1] // 2
    assert different[:, half:].sum() > 500
    assert not different[:, : half - 11].any()


def test_films_without_a_common_level_make_no_pair(build):
    readings = (build.reading(levels=(Level.T5,)), build.reading(levels=(Level.L2,)))

    def not_opened():
        raise AssertionError("the film was opened")

    with pytest.raises(NotRelevantError, match="no level"):
        pair_figure(not_opened, not_opened, readings, headings=("", ""))


@pytest.mark.parametrize(
    "reading_changes",
    [
        {"refusal": "no spine was found: $x_{1$ 한글 \x00", "vertebrae": ()},
        {"vertebrae": ()},
        {"scale": None},
    ],
    ids=["refused", "empty", "no scale"],
)
def test_every_reading_can_be_drawn(build, tmp_path, reading_changes):
    film = build.radiograph(Scale(SpacingSource.NONE, None, None, "none"))
    reading = replace(build.reading(), **reading_changes)
    draw_overlay(film, reading, tmp_path / "a.png")
    picture = film_figure(film, reading, heading="Baseline $\\frac{ 한글")
    (tmp_path / "b.png").write_bytes(picture)
    assert size(tmp_path / "b.png")[0] > 100


def test_a_reading_far_beyond_the_film_stays_a_picture_of_sensible_size(build, tmp_path):
    far = replace(
        build.vertebra(Level.L1), polygon=((0, 0), (90000, 3), (90000, 6)), six_points=None
    )
    reading = replace(build.reading(), vertebrae=(far,))
    (tmp_path / "a.png").write_bytes(film_figure(build.radiograph(), reading))
    assert max(size(tmp_path / "a.png")) < 3000
