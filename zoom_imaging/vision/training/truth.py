"""One training film with its truth, as `scripts/simulate.py` writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import TYPICAL_LEVELS, Level

Look = Callable[
    [NDArray[np.float32], np.random.Generator], tuple[NDArray[np.float32], NDArray[np.bool_]]
]
"""A detector: attenuation and a generator to grey values 0..1 (bone bright) and a valid mask."""

PIXEL_MM = 0.5
"""Detector pixel of the training films."""


@dataclass(frozen=True)
class FilmTruth:
    """Attenuation of one film and what is known of each of its n vertebrae, from the top down.

    `centres` (n, 2) is the mean of the four corners; `six` (n, 6, 2) and `outline` (n, k, 2) are
    (column, row) in pixels, NaN where a level has a centre only (C7, S1). `level_index` (n,) counts
    in `TYPICAL_LEVELS`; `grade` (n,) is 0-3; `evaluable` (n,) is False where the vertebra is cut or
    covered; `faces_left` says where the patient looks.
    """

    person: int
    attenuation: NDArray[np.float32]
    centres: NDArray[np.float64]
    six: NDArray[np.float64]
    outline: NDArray[np.float64]
    level_index: NDArray[np.int64]
    grade: NDArray[np.int64]
    evaluable: NDArray[np.bool_]
    faces_left: bool

    @property
    def is_sacrum(self) -> NDArray[np.bool_]:
        """True for S1 (n,)."""
        return np.asarray(self.level_index == TYPICAL_LEVELS.index(Level.S1))

    @property
    def is_measured(self) -> NDArray[np.bool_]:
        """True where outline and six points are known (n,)."""
        return np.asarray(np.isfinite(self.six).all((1, 2)))


def read_truth(path: Path) -> FilmTruth:
    """Read one `.npz` film; levels that the networks do not know (C1-C6) are left out."""
    names = [level.value for level in TYPICAL_LEVELS]
    with np.load(path, allow_pickle=False) as film:
        levels = [str(level) for level in film["level"]]
        keep = np.array([k for k, level in enumerate(levels) if level in names], dtype=int)
        keep = keep[np.argsort([names.index(levels[k]) for k in keep], kind="stable")]
        state = [str(value) for value in film["state"]] if "state" in film else []
        evaluable = [not state or state[k] == "evaluable" for k in keep]
        return FilmTruth(
            person=int(film["person_seed"]),
            attenuation=film["attenuation"].astype(np.float32),
            centres=film["centre"][keep].astype(float),
            six=film["six"][keep].astype(float),
            outline=film["poly"][keep].astype(float),
            level_index=np.array([names.index(levels[k]) for k in keep], dtype=np.int64),
            grade=np.array([_whole_grade(film["grade"][k]) for k in keep], dtype=np.int64),
            evaluable=np.array(evaluable, dtype=np.bool_),
            faces_left=str(film["facing"]) == "left",
        )


def _whole_grade(value: object) -> int:
    """0-3; borderline counts as 0, and so does a level without a grade (it is not evaluable)."""
    try:
        number = float(str(value))
    except ValueError:
        return 0
    return int(number) if np.isfinite(number) else 0
