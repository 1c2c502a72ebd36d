"""A drawn film with its truth, in the format of `scripts/simulate.py`: quick, and exactly known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zoom_imaging.simulate.acquisition import random_acquisition
from zoom_imaging.simulate.dicom import header_for, truth_record
from zoom_imaging.simulate.dicom import write_film as write_dicom
from zoom_imaging.simulate.simulator import SimulatedFilm
from zoom_imaging.vision.training.crops import cut_films
from zoom_imaging.vision.training.truth import FilmTruth, Shown, read_film

LEVELS = ["C6", "C7", *[f"T{k}" for k in range(1, 13)], "L1", "L2", "L3", "L4", "L5", "S1"]


def write_film(path: Path, person: int = 1, facing: str = "left") -> Path:
    """Twenty bright boxes down a film of 760 x 240 pixels; T12 is a grade 2 wedge, T4 covered."""
    n = len(LEVELS)
    rows = 30 + 36.0 * np.arange(n)
    centre = np.stack([120 + 10 * np.sin(rows / 120), rows], axis=1)
    box = np.array([[-15, -12], [0, -11], [15, -12], [-15, 12], [0, 11], [15, 12]], float)
    if facing == "right":
        box[:, 0] *= -1
    six = centre[:, None] + box
    six[LEVELS.index("T12"), [0, 3], 1] += [4, -4]
    unknown = [LEVELS.index(level) for level in ("C6", "C7", "S1")]
    six[unknown] = np.nan
    poly = six[:, [0, 1, 2, 5, 4, 3]]
    attenuation = np.zeros((760, 240), np.float16)
    for column, row in centre.round().astype(int):
        attenuation[row - 12 : row + 13, column - 15 : column + 16] = 1.0
    grade = ["2" if level == "T12" else "0.5" if level == "L1" else "0" for level in LEVELS]
    state = ["obscured" if level == "T4" else "evaluable" for level in LEVELS]
    np.savez(
        path,
        attenuation=attenuation,
        pixel_mm=0.5,
        level=LEVELS,
        centre=centre,
        six=six,
        poly=poly,
        grade=grade,
        state=state,
        person_seed=person,
        facing=facing,
        magnification=1.15,
    )
    return path


def plain_look(attenuation: np.ndarray, rng: np.random.Generator) -> Shown:
    grey = 0.2 + 0.6 * attenuation + 0.02 * rng.random(attenuation.shape, dtype=np.float32)
    return Shown(grey.astype(np.float32), np.ones(attenuation.shape, np.bool_))


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> FilmTruth:
    return read_film(write_film(tmp_path_factory.mktemp("film") / "0000001.npz"))[1]


@pytest.fixture(scope="session")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards of two films."""
    folder = tmp_path_factory.mktemp("cut")
    paths = [
        write_film(folder / f"000000{k}.npz", k, facing)
        for k, facing in ((1, "left"), (2, "right"))
    ]
    cut_films(paths, plain_look, folder / "patches", "0000001", looks=1)
    return folder / "patches"


def write_labelled(path: Path, film: SimulatedFilm, patient_id: str = "P1") -> None:
    """A DICOM film with its truth as JSON beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = header_for(film, random_acquisition(1), patient_id, "20240101", "baseline")
    write_dicom(path, film.image, header)
    path.with_suffix(".json").write_text(json.dumps(truth_record(film)), encoding="utf-8")
