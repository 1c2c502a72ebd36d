"""One training film with its truth, as `scripts/simulate.py` writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import TYPICAL_LEVELS, Level


@dataclass(frozen=True)
class Shown:
    """A film as a detector shows it: grey values 0..1 (bone bright) and the valid mask.

    `edge_shift_mm` says how far blur moves the visible border of bone outwards, (along, across)
    the film; `manner` names the look in tables.
    """

    grey: NDArray[np.float32]
    valid: NDArray[np.bool_]
    edge_shift_mm: tuple[float, float] = (0.0, 0.0)
    manner: str = ""


Look = Callable[[NDArray[np.float32], np.random.Generator], Shown]
"""A detector: attenuation (rows, columns) and a generator of random numbers to a picture."""

PIXEL_MM = 0.5
"""Detector pixel of the training films."""


@dataclass(frozen=True)
class FilmTruth:
    """What is known of each of the n vertebrae of one film, from the top down.

    `centres` (n, 2) is the mean of the four corners; `six` (n, 6, 2) and the n outlines (k, 2) are
    (column, row) in pixels, NaN where a level has a centre only (C7, S1). `level_index` (n,) counts
    in `TYPICAL_LEVELS`; `grade` (n,) is 0-3; `evaluable` (n,) is False where the vertebra is cut or
    covered; `faces_left` says where the patient looks.
    """

    person: int
    centres: NDArray[np.float64]
    six: NDArray[np.float64]
    outline: tuple[NDArray[np.float64], ...]
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

    def as_shown(self, shown: Shown) -> FilmTruth:
        """Outlines and points where the picture shows them: each body grown about its centre."""
        along, across = (mm / PIXEL_MM for mm in shown.edge_shift_mm)
        if not along and not across:
            return self
        six, outline = self.six.copy(), list(self.outline)
        for k in np.nonzero(self.is_measured)[0]:
            grown = _growth(self.six[k], along, across)
            six[k] = self.centres[k] + (self.six[k] - self.centres[k]) @ grown.T
            outline[k] = self.centres[k] + (self.outline[k] - self.centres[k]) @ grown.T
        return replace(self, six=six, outline=tuple(outline))


def _growth(six: NDArray[np.float64], along: float, across: float) -> NDArray[np.float64]:
    """The linear map (2, 2) that moves endplates and walls out by the shift along their normals."""
    depth = six[[0, 3]].mean(0) - six[[2, 5]].mean(0)
    height = six[[0, 2]].mean(0) - six[[3, 5]].mean(0)
    axes = np.stack([depth, height], axis=1)
    factors = []
    for edge, span in ((height, depth), (depth, height)):
        normal = np.array([edge[1], -edge[0]]) / np.hypot(*edge)
        shift = np.hypot(normal[0] * across, normal[1] * along)
        factors.append(1 + 2 * shift / abs(float(normal @ span)))
    return np.asarray(axes @ np.diag(factors) @ np.linalg.inv(axes))


def read_film(path: Path) -> tuple[NDArray[np.float32], FilmTruth]:
    """Attenuation (rows, columns) and truth of one `.npz` film.

    Levels that the networks do not know (C1-C6) are left out.
    """
    names = [level.value for level in TYPICAL_LEVELS]
    with np.load(path, allow_pickle=False) as film:
        levels = [str(level) for level in film["level"]]
        keep = np.array([k for k, level in enumerate(levels) if level in names], dtype=int)
        keep = keep[np.argsort([names.index(levels[k]) for k in keep], kind="stable")]
        state = [str(value) for value in film["state"]] if "state" in film else []
        evaluable = [not state or state[k] == "evaluable" for k in keep]
        truth = FilmTruth(
            person=int(film["person_seed"]),
            centres=film["centre"][keep].astype(float),
            six=film["six"][keep].astype(float),
            outline=tuple(film["poly"][keep].astype(float)),
            level_index=np.array([names.index(levels[k]) for k in keep], dtype=np.int64),
            grade=np.array([_whole_grade(film["grade"][k]) for k in keep], dtype=np.int64),
            evaluable=np.array(evaluable, dtype=np.bool_),
            faces_left=str(film["facing"]) == "left",
        )
        return film["attenuation"].astype(np.float32), truth


def _whole_grade(value: object) -> int:
    """0-3; borderline counts as 0, and so does a level without a grade (it is not evaluable)."""
    try:
        number = float(str(value))
    except ValueError:
        return 0
    return int(number) if np.isfinite(number) else 0
