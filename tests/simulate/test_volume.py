"""A CT becomes a film on which its vertebrae lie where the truth says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zoom_imaging.anatomy import Level
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.simulate.acquisition import Facing, random_acquisition
from zoom_imaging.simulate.training import training_exposure, write_training_film
from zoom_imaging.simulate.volume import Volume, load_volume, project_volume
from zoom_imaging.vision.training.crops import cut_films
from zoom_imaging.vision.training.truth import Shown, read_film

BODIES = {Level.T11: 130.0, Level.T12: 100.0, Level.L1: 70.0, Level.L2: 40.0}
SPACING = (2.0, 2.0, 3.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A water box of 200 x 160 x 180 mm with four blocks of bone before a straight canal."""
    import SimpleITK as sitk  # noqa: N813

    z, y, x = np.meshgrid(
        np.arange(60) * 3.0, np.arange(100) * 2.0, np.arange(120) * 2.0, indexing="ij"
    )
    hounsfield = np.where((np.abs(x - 120) < 100) & (np.abs(y - 100) < 80), 0.0, -1000.0)
    for middle in BODIES.values():
        bone = (np.abs(x - 120) < 20) & (np.abs(y - 110) < 14) & (np.abs(z - middle) < 11)
        hounsfield[bone] = 500.0
    image = sitk.GetImageFromArray(hounsfield.astype(np.int16))
    image.SetSpacing(SPACING)
    place = tmp_path_factory.mktemp("ct")
    sitk.WriteImage(image, str(place / "ct.nii.gz"))
    levels = {
        "body_z_span_mm": {level.value: [z - 11, z + 11] for level, z in BODIES.items()},
        "canal_centre_xyz_mm": [[120.0, 130.0, 0.0], [120.0, 130.0, 177.0]],
    }
    (place / "levels.json").write_text(json.dumps(levels))
    return place


@pytest.fixture(scope="module")
def volume(folder: Path) -> Volume:
    return load_volume(folder)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("facing", list(Facing))
def test_the_bodies_are_where_the_truth_says(volume: Volume, seed: int, facing: Facing) -> None:
    acquisition = replace(random_acquisition(seed, 0.8), facing=facing)
    image, geometry, truth = project_volume(volume, acquisition)
    assert image.shape == (geometry.rows, geometry.columns)
    assert [one.level for one in truth] == sorted(BODIES, key=lambda level: level.ordinal)
    for one in truth:
        column, row = one.centre_px.round().astype(int)
        assert 0 < row < geometry.rows
        inside = image[row - 4 : row + 5, column - 4 : column + 5].mean()
        reach = round(16 * geometry.magnification / 0.8)
        for step in (-reach, reach):
            between = row + step
            if 4 < between < geometry.rows - 5:
                beside = image[between - 1 : between + 2, column - 4 : column + 5].mean()
                assert inside > beside + 0.1


def test_a_seed_gives_the_same_film_again_and_another_a_different_one(volume: Volume) -> None:
    first = training_exposure(5, volume, 1.0)
    assert np.array_equal(first.attenuation, training_exposure(5, volume, 1.0).attenuation)
    other = training_exposure(6, volume, 1.0)
    assert first.attenuation.shape != other.attenuation.shape


def test_a_ct_teaches_places_and_names_but_no_outlines(volume: Volume, tmp_path: Path) -> None:
    path = tmp_path / "0500000.npz"
    write_training_film(path, 500_000, volume, 0.5)
    attenuation, truth = read_film(path)
    assert not truth.is_measured.any()
    assert len(truth.centres) == len(BODIES)

    def look(image: np.ndarray, rng: np.random.Generator) -> Shown:
        grey = (image / image.max()).astype(np.float32)
        return Shown(grey, np.ones(image.shape, np.bool_))

    cut_films([path], look, tmp_path / "cut", "0500000", looks=6)
    named = np.load(tmp_path / "cut" / "namer" / "0500000.shard" / "level.npy")
    assert len(named) > 5
    bodies = tmp_path / "cut" / "delineator" / "0500000.shard" / "body.npy"
    assert not np.load(bodies).any()
    assert attenuation.max() > 1.0


@pytest.mark.parametrize("missing", ["ct.nii.gz", "levels.json"])
def test_a_folder_that_is_no_ct_is_refused(folder: Path, tmp_path: Path, missing: str) -> None:
    for path in folder.iterdir():
        if path.name != missing:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ConfigurationError, match=missing):
        load_volume(tmp_path)
