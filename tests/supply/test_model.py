"""Weights that are not the released ones are used by no command, and `doctor` says so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from zoom_imaging.vision.bundle import load_bundle

pytestmark = pytest.mark.model


@pytest.fixture
def tampered(root, tmp_path):
    """A copy of the package whose delineator differs in one bit."""
    for name in ("zoom_imaging", "charters", "models"):
        shutil.copytree(
            root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "docs")
        )
    weights = tmp_path / "models" / "spine_lateral" / "models" / "delineator.pt"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    return tmp_path


def python(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-P", "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_doctor_names_the_file_with_both_hashes(tampered):
    done = python(tampered, "zoom_imaging", "doctor", "--json")
    (check,) = [one for one in json.loads(done.stdout)["checks"] if one["group"] == "model"]
    assert done.returncode == 1
    assert check["state"] == "missing"
    assert "delineator.pt is not the file that the bundle was released with" in check["detail"]
    assert "expected SHA-256" in check["detail"]


def test_a_run_with_films_is_refused_before_any_is_read(tampered, sample):
    done = python(
        tampered,
        "zoom_imaging.run",
        str(sample / "ZOOM-001"),
        *("--clinical", str(sample / "clinical.csv"), "--out", str(tampered / "out")),
    )
    assert done.returncode == 1
    assert "delineator.pt is not the file that the bundle was released with" in done.stderr
    assert not (tampered / "out" / "endpoints.csv").exists()


def test_doctor_gives_the_hash_by_which_a_run_names_its_model(root):
    done = python(root, "zoom_imaging", "doctor", "--json")
    (check,) = [one for one in json.loads(done.stdout)["checks"] if one["group"] == "model"]
    assert check["detail"].endswith(f"SHA-256 {load_bundle().sha256}")
