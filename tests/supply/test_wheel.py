"""The wheel: the same bytes from the same source, everything in it that a run needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling is not installed")

SOURCE = ("zoom_imaging", "charters", "models", "pyproject.toml", "README.md", "LICENSE")


def wheel_of(root: Path, folder: Path, modified: float) -> Path:
    """Build from a copy of the source at another place, its files of another time and mode."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in SOURCE:
        if (root / name).is_dir():
            shutil.copytree(
                root / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(root / name, source / name)
    for path in source.rglob("*"):
        os.utime(path, (modified, modified))
        path.chmod(0o700 if path.is_dir() else 0o600)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        cwd=source,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (made,) = (folder / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    return wheel_of(root, tmp_path_factory.mktemp("first"), 1_600_000_000)


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    """As pip lays it into site-packages."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_same_source_gives_the_same_bytes(root, wheel, tmp_path):
    """Wherever and whenever it is built; SOURCE_DATE_EPOCH is the time of the commit."""
    again = wheel_of(root, tmp_path, 1_650_000_000)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_every_file_of_the_package_is_in_it(root, unpacked):
    """Charters, weights, pages, viewer, migrations of the database; and no file twice or more."""
    pairs = [("zoom_imaging", "zoom_imaging"), ("charters", "zoom_imaging/_charters")]
    pairs.append(("models", "zoom_imaging/_models"))
    expected = {
        f"{inside}/{path.relative_to(root / outside).as_posix()}"
        for outside, inside in pairs
        for path in (root / outside).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {
        path.relative_to(unpacked).as_posix()
        for path in (unpacked / "zoom_imaging").rglob("*")
        if path.is_file()
    }
    assert found == expected
    for needed in (
        "_charters/zoom.toml",
        "_models/spine_lateral/models/delineator.pt",
        "report/templates/index.html",
        "review/web/templates/case.html",
        "review/web/static/viewer.js",
        "review/web/static/viewer.licenses.txt",
        "review/migrations/script.py.mako",
        "py.typed",
    ):
        assert f"zoom_imaging/{needed}" in found
    assert any(name.startswith("zoom_imaging/review/migrations/versions/") for name in found)


def from_wheel(unpacked: Path, folder: Path, *arguments: str) -> str:
    """Run Python with the unpacked wheel and nothing of the checkout."""
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["zoom_imaging", "zoom_imaging.run"])
def test_its_commands_start(unpacked, tmp_path, module):
    assert "--help" in from_wheel(unpacked, tmp_path, "-m", module, "--help")


@pytest.mark.model
def test_it_finds_its_own_charter_model_and_pages(unpacked, tmp_path):
    """Not those of a checkout that lies about; the model's hashes are checked on the way."""
    said = from_wheel(
        unpacked,
        tmp_path,
        "-c",
        "from zoom_imaging.charter import default_charter_path, load_charter\n"
        "from zoom_imaging.vision.bundle import load_bundle\n"
        "from zoom_imaging.review.database import Database\n"
        "print(load_charter().trial.name, default_charter_path(), load_bundle().folder)\n"
        "Database('readings.sqlite3').close()\n",
    )
    assert said.split() == [
        "ZOOM",
        str(unpacked / "zoom_imaging" / "_charters" / "zoom.toml"),
        str(unpacked / "zoom_imaging" / "_models" / "spine_lateral"),
    ]
    assert (tmp_path / "readings.sqlite3").is_file()
