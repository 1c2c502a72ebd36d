"""A spine of normal proportions as the model would find it, and ways to change it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from zoom_imaging.anatomy import Level, SixPoints, SpacingSource, VertebraState, View
from zoom_imaging.charter import load_charter
from zoom_imaging.morphometry.grade import read_vertebrae
from zoom_imaging.morphometry.norms import NORMS
from zoom_imaging.radiograph.film import Radiograph, Scale
from zoom_imaging.vision.finding import VertebraFinding

LEVELS = tuple(NORMS)
DEPTH_MM = 30.0
GAP_MM = 8.0


def box(top_mm, heights_mm, row_mm, column_mm):
    """Six points of a body whose superior endplate is flat."""
    bottoms = [(top_mm + height) / row_mm for height in heights_mm]
    columns = [(20 + offset) / column_mm for offset in (0.0, DEPTH_MM / 2, DEPTH_MM)]
    top = top_mm / row_mm
    return SixPoints(
        *((column, top) for column in columns),
        *((column, bottom) for column, bottom in zip(columns, bottoms, strict=True)),
    )


@dataclass
class Spine:
    """`losses` are fractions of Ha, Hm, Hp; `changes` replace fields of a finding."""

    levels: tuple[Level, ...] = LEVELS
    losses: dict[Level, tuple[float, float, float]] = field(default_factory=dict)
    changes: dict[Level, dict[str, object]] = field(default_factory=dict)
    shape: dict[Level, tuple[float, float]] = field(default_factory=dict)
    row_mm: float | None = 0.5
    column_mm: float | None = 0.5
    seams: tuple[int, ...] = ()

    def findings(self):
        row_mm, column_mm = self.row_mm or 0.5, self.column_mm or 0.5
        top, found = 20.0, []
        for level in self.levels:
            norm = NORMS[level]
            ratios = self.shape.get(level, (norm.anterior_posterior, norm.middle_posterior))
            full = [norm.posterior_mm * ratio for ratio in (*ratios, 1.0)]
            heights = [
                height * (1 - loss)
                for height, loss in zip(full, self.losses.get(level, (0, 0, 0)), strict=True)
            ]
            points = box(top, heights, row_mm, column_mm)
            finding = VertebraFinding(
                level=level,
                level_probability=0.99,
                state=VertebraState.EVALUABLE,
                reason="",
                centre=(40.0, top),
                six_points=points,
                six_points_sd_px=(1.0,) * 6,
                polygon=(),
                ratio_sd=0.02,
                p_grades=None,
            )
            found.append(replace(finding, **self.changes.get(level, {})))
            top += max(full) + GAP_MM
        return tuple(found)

    def radiograph(self):
        source = SpacingSource.NONE if self.row_mm is None else SpacingSource.GEOMETRY
        shape = (int(900 / (self.row_mm or 0.5)), int(100 / (self.column_mm or 0.5)))
        return Radiograph(
            path="film.dcm",
            sop_instance_uid="1.2.3",
            pixels=np.zeros(shape, np.float32),
            valid=np.ones(shape, bool),
            scale=Scale(source, self.row_mm, self.column_mm, ""),
            view=View.LATERAL,
            view_reason="",
            acquired_on=None,
            seams=self.seams,
        )

    def read(self, rules=None, **limits):
        charter = load_charter()
        trusted = charter.model.model_copy(update={"maximum_ratio_sd": 0.06, **limits})
        readings = read_vertebrae(
            self.findings(), self.radiograph(), rules or charter.fracture, trusted
        )
        return {reading.level: reading for reading in readings}


@pytest.fixture
def spine():
    return Spine


@pytest.fixture(scope="session")
def rules():
    return load_charter().fracture
