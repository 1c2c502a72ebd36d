"""Training films on disk, and folders that are no skeleton."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.simulate.meshes import load_trunk
from zoom_imaging.simulate.parametric import STYLES
from zoom_imaging.simulate.skeleton import Skeleton
from zoom_imaging.simulate.training import (
    prepare_skeletons,
    skeleton_for,
    write_training_film,
)


def test_a_training_film_holds_image_and_truth(skeleton: Skeleton, tmp_path: Path) -> None:
    path = tmp_path / "7.npz"
    write_training_film(path, 7, skeleton, pixel_mm=1.5)
    film = np.load(path)
    count = len(film["level"])
    assert film["attenuation"].dtype == np.float16
    assert film["six"].shape == (count, 6, 2)
    assert film["poly"].shape == (count, 96, 2)
    assert list(film["level"][[0, -1]]) == ["C7", "S1"]
    assert np.isnan(film["six"][[0, -1]]).all()
    assert np.isfinite(film["six"][1:-1]).all()
    assert np.isfinite(film["centre"]).all()
    assert (film["heights_mm"][1:-1] <= film["heights_own_normal_mm"][1:-1] + 1e-3).all()
    assert list(tmp_path.iterdir()) == [path]


def test_a_seed_always_takes_the_same_skeleton_and_all_kinds_are_used() -> None:
    paths = {
        name: Path(name)
        for name in ("bodyparts3d", "vhp_lumbar", "mixed_0", "parametric_0", "parametric_1")
    }
    taken = [skeleton_for(seed, paths) for seed in range(300)]
    assert taken == [skeleton_for(seed, paths) for seed in range(300)]
    assert set(taken) == set(paths)
    assert taken.count("bodyparts3d") > 110


def test_without_outside_data_only_parametric_spines_are_drawn() -> None:
    paths = {"parametric_0": Path("a"), "parametric_1": Path("b")}
    assert {skeleton_for(seed, paths) for seed in range(40)} == set(paths)


def test_a_folder_without_landmarks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"landmarks\.json"):
        load_trunk(tmp_path)


def test_prepared_skeletons_cannot_be_committed_by_accident(tmp_path: Path) -> None:
    cache = tmp_path / "skeletons"
    cache.mkdir()
    for style in range(STYLES):  # made already: building them takes minutes
        (cache / f"parametric_{style}.npz").touch()
    prepare_skeletons(cache, None)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    seen = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain"], check=True, capture_output=True
    )
    assert seen.stdout == b""
