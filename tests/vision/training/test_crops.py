"""What is cut from a film is where the truth says, and says so when it cannot be judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoom_imaging.anatomy import TYPICAL_LEVELS, Level
from zoom_imaging.vision.training.command import cut_folder
from zoom_imaging.vision.training.crops import cut_films
from zoom_imaging.vision.training.shards import ShardReader, pack_patch, unpack_patches
from zoom_imaging.vision.training.truth import FilmTruth, Shown
from zoom_imaging.vision.uncertainty import ratios_of

from .conftest import plain_look, write_film

T4, T12 = (TYPICAL_LEVELS.index(level) for level in (Level.T4, Level.T12))


@pytest.fixture
def crops(cut: Path) -> dict[str, np.ndarray]:
    reader = ShardReader(cut / "delineator")
    return {k: np.array(v) for k, v in reader.take(range(reader.refresh())).items()}


def test_the_truth_leaves_out_what_has_no_name_and_keeps_grades(film: FilmTruth) -> None:
    assert [int(k) for k in film.level_index] == list(range(len(TYPICAL_LEVELS)))
    assert film.grade[T12] == 2
    assert film.grade[TYPICAL_LEVELS.index(Level.L1)] == 0
    assert not film.evaluable[T4]
    assert film.is_sacrum.sum() == 1
    assert not film.is_measured[0]


def test_crops_show_the_body_where_points_and_mask_are(crops: dict[str, np.ndarray]) -> None:
    body = crops["body"] > 0.5
    assert body.sum() >= 30
    assert (~body).any()
    grey = unpack_patches(crops["patch"][body])[:, 0]
    mask = np.unpackbits(crops["mask"][body], axis=-1) > 0
    inside = np.array([g[m].mean() for g, m in zip(grey, mask, strict=True)])
    around = np.array([g[~m].mean() for g, m in zip(grey, mask, strict=True)])
    assert (inside > around + 0.15).all()
    six = crops["six"][body]
    assert (six[:, [0, 3], 0] < six[:, [2, 5], 0]).all(), "the anterior side lies left"
    assert (six[:, :3, 1] < six[:, 3:, 1]).all()


def test_what_nobody_could_judge_is_not_asked_for(crops: dict[str, np.ndarray]) -> None:
    covered = (crops["level"] == T4) & (crops["body"] > 0.5)
    assert covered.any()
    assert not crops["seen"][covered].any()
    assert set(crops["grade"][(crops["level"] == T12) & (crops["body"] > 0.5)]) == {2}


def test_patches_of_the_locator_hold_the_centres(cut: Path) -> None:
    reader = ShardReader(cut / "locator")
    samples = reader.take(range(reader.refresh()))
    grey = unpack_patches(samples["patch"])[:, 0]
    seen = 0
    for patch, centres in zip(grey, samples["centres"], strict=True):
        inside = centres[((centres > 4) & (centres < 155)).all(1)]
        for x, y in inside.round().astype(int):
            seen += 1
            assert patch[y, x] > 0.6
    assert seen > 20


def test_the_namers_side_follows_the_mirror(cut: Path) -> None:
    reader = ShardReader(cut / "namer")
    samples = reader.take(range(reader.refresh()))
    assert set(np.unique(samples["faces_left"])) == {0.0, 1.0}
    assert samples["level"].max() <= 18


def test_a_shard_that_is_there_is_not_cut_again(cut: Path, tmp_path: Path) -> None:
    path = write_film(tmp_path / "0000001.npz")
    assert cut_films([path], plain_look, cut, "0000001") == 0


def test_only_new_films_are_cut(tmp_path: Path) -> None:
    films, out = tmp_path / "films", tmp_path / "out"
    films.mkdir()
    write_film(films / "0000001.npz")
    settled = (films / "0000001.npz").stat().st_mtime - 60
    import os

    os.utime(films / "0000001.npz", (settled, settled))
    assert cut_folder(films, out, plain_look, looks=1) > 10
    assert cut_folder(films, out, plain_look, looks=1) == 0


def test_one_byte_a_pixel_keeps_grey_and_validity() -> None:
    patch = np.stack([np.linspace(0, 1, 64).reshape(8, 8), np.eye(8)]).astype(np.float32)
    back = unpack_patches(pack_patch(patch)[None])[0]
    assert np.array_equal(back[1], patch[1])
    assert np.abs(back[0] - patch[0])[patch[1] > 0].max() < 0.003


def test_blur_moves_the_outline_to_the_border_that_the_picture_shows(film: FilmTruth) -> None:
    """Endplates move by the shift along the film, walls by the one across; ratios stay."""
    grey = np.zeros((4, 4), np.float32)
    shown = film.as_shown(Shown(grey, grey > 0, edge_shift_mm=(1.0, 0.25)))
    for k in np.nonzero(film.is_measured)[0]:
        grown = shown.six[k] - film.six[k]
        assert grown[:3, 1].mean() == pytest.approx(-2.0, abs=0.1)  # 1 mm is two pixels
        assert grown[3:, 1].mean() == pytest.approx(2.0, abs=0.1)
        assert np.abs(grown[[0, 2, 3, 5], 0]).mean() == pytest.approx(0.5, abs=0.1)
        assert ratios_of(shown.six[k]) == pytest.approx(ratios_of(film.six[k]), abs=0.005)
    assert np.isnan(shown.six[0]).all()


def test_a_sharp_picture_leaves_the_truth_as_it_is(film: FilmTruth) -> None:
    grey = np.zeros((4, 4), np.float32)
    assert film.as_shown(Shown(grey, grey > 0)) is film
