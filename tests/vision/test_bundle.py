"""Weights that were changed by one byte are refused; a missing bundle says what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from zoom_imaging.errors import ModelIntegrityError, ModelMissingError
from zoom_imaging.vision.bundle import NETWORKS, default_bundle_dir, load_bundle


@pytest.fixture
def copy(untrained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untrained, tmp_path / "bundle"))


def test_the_released_bundle_is_whole_and_small() -> None:
    bundle = load_bundle()
    assert bundle.folder == default_bundle_dir()
    assert bundle.version
    assert all((bundle.folder / f"models/{name}.pt").stat().st_size < 8e6 for name in NETWORKS)


@pytest.mark.parametrize(
    "relative", ["models/delineator.pt", "configs/inference.json", "configs/calibration.json"]
)
def test_one_changed_byte_is_refused(copy: Path, relative: str) -> None:
    path = copy / relative
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelIntegrityError, match=r"SHA-256 .*never use weights") as refusal:
        load_bundle(copy)
    assert path.name in str(refusal.value)


def test_weights_that_are_not_named_are_refused(copy: Path) -> None:
    path = copy / "configs" / "metadata.json"
    metadata = json.loads(path.read_text())
    del metadata["sha256"]["models/namer.pt"]
    path.write_text(json.dumps(metadata))
    with pytest.raises(ModelIntegrityError, match=r"namer\.pt"):
        load_bundle(copy)


@pytest.mark.parametrize("relative", ["models/locator.pt", "configs/metadata.json"])
def test_a_missing_file_is_named(copy: Path, relative: str) -> None:
    (copy / relative).unlink()
    with pytest.raises(ModelMissingError, match=Path(relative).name):
        load_bundle(copy)


@pytest.mark.parametrize("content", ["{", "[]"])
def test_damaged_metadata_is_refused(copy: Path, content: str) -> None:
    (copy / "configs" / "metadata.json").write_text(content)
    with pytest.raises(ModelIntegrityError, match=r"metadata\.json"):
        load_bundle(copy)


def test_the_hash_of_the_bundle_changes_with_any_file(copy: Path, untrained: Path) -> None:
    from zoom_imaging.vision.bundle import Calibration
    from zoom_imaging.vision.training.release import release_calibration

    before = load_bundle(copy)
    assert before.sha256 == load_bundle(untrained).sha256
    release_calibration(copy, Calibration(grade_temperature=1.5))
    after = load_bundle(copy)
    assert after.calibration.grade_temperature == 1.5
    assert after.sha256 != before.sha256
