"""Films, readings and densitometry reports that tests of two visits are made of."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date

import pytest

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Grade,
    GradeSource,
    Level,
    SixPoints,
    SpacingSource,
    VertebraState,
)
from zoom_imaging.charter import load_charter
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, ResultState, Scanner, Site
from zoom_imaging.morphometry.heights import height_ratios, heights_in_mm, paired_distances
from zoom_imaging.morphometry.norms import NORMS
from zoom_imaging.morphometry.reading import FilmReading, Heights, VertebraReading
from zoom_imaging.radiograph.film import Scale

P_GRADES = {
    "0": (0.97, 0.02, 0.01, 0.0),
    "0.5": (0.7, 0.2, 0.1, 0.0),
    "1": (0.1, 0.6, 0.3, 0.0),
    "2": (0.01, 0.14, 0.8, 0.05),
    "3": (0.0, 0.0, 0.1, 0.9),
}


def reading(level, grade="0", heights=(24.0, 23.0, 25.0), state=VertebraState.EVALUABLE, **more):
    """One reading with heights in mm."""
    numeric = grade in P_GRADES
    return VertebraReading(
        level=Level(level),
        state=state,
        reason="" if state is VertebraState.EVALUABLE else "why",
        heights=Heights(*heights) if heights else None,
        grade=Grade(grade),
        p_grades=P_GRADES[grade] if numeric else None,
        **{"ratio_sd": 0.02, **more},
    )


@dataclass
class Film:
    """A film of a person. `scale` magnifies the image, `mm` is what its header says a pixel is.

    `called` gives a vertebra another name; `losses` lowers Ha, Hm, Hp; `grades` are the readings'.
    """

    uid: str = "1.1"
    levels: tuple[Level, ...] = GRADED_LEVELS
    source: SpacingSource = SpacingSource.GEOMETRY
    mm: float | None = 0.5
    across: float = 1.0
    scale: float = 1.0
    person: int = 0
    noise: float = 0.0
    losses: dict[Level, tuple[float, float, float]] = field(default_factory=dict)
    grades: dict[Level, str] = field(default_factory=dict)
    states: dict[Level, VertebraState] = field(default_factory=dict)
    called: dict[Level, Level] = field(default_factory=dict)
    transitional: tuple[Level, ...] = ()
    refusal: str = ""
    by: GradeSource = GradeSource.MODEL

    def build(self):
        own = random.Random(self.person)
        shapes = {level: [own.gauss(0, 0.04) for _ in range(4)] for level in NORMS}
        blur = random.Random(self.uid)
        film_scale = Scale(self.source, self.mm, self.mm, "")
        pixel = self.mm or 0.5
        readings = []
        for level in self.levels:
            norm, shape = NORMS[level], shapes[level]
            posterior = norm.posterior_mm * (1 + shape[2])
            full = (
                posterior * (norm.anterior_posterior + shape[0]),
                posterior * (norm.middle_posterior + shape[1]),
                posterior,
            )
            heights = [
                height * (1 - loss) * self.scale / pixel * (1 + blur.gauss(0, self.noise))
                for height, loss in zip(full, self.losses.get(level, (0, 0, 0)), strict=True)
            ]
            width = (20 + 0.8 * level.ordinal) * (1 + shape[3]) * self.scale * self.across / pixel
            top = 40.0 * level.ordinal / pixel
            columns = (100.0, 100 + width / 2, 100 + width)
            points = SixPoints(
                *((column, top) for column in columns),
                *((column, top + h) for column, h in zip(columns, heights, strict=True)),
            )
            state = self.states.get(level, VertebraState.EVALUABLE)
            graded = state is VertebraState.EVALUABLE
            grade = self.grades.get(level, "0")
            readings.append(
                VertebraReading(
                    level=self.called.get(level, level),
                    state=state,
                    reason="" if graded else "why",
                    six_points=points,
                    heights=heights_in_mm(points, film_scale),
                    ratios=height_ratios(paired_distances(points, film_scale)),
                    ratio_sd=0.02,
                    grade=Grade(grade) if graded else Grade.NOT_EVALUABLE,
                    p_grades=P_GRADES[grade] if graded else None,
                    grade_source=self.by,
                    sop_instance_uid=self.uid,
                )
            )
        return FilmReading(
            path=f"{self.uid}.dcm",
            sop_instance_uid=self.uid,
            scale=film_scale,
            vertebrae=tuple(readings),
            refusal=self.refusal,
            transitional=self.transitional,
        )


@dataclass
class Dxa:
    """A lumbar report. `levels` maps a level to (area, BMC, T-score); the total follows.

    That total is not rounded, so that the number to expect is the same whether it is taken as
    printed or computed; `total` prints another one.
    """

    levels: dict[str, tuple[float | None, float | None, float | None]] = field(
        default_factory=lambda: {
            "L1": (12.0, 10.2, -1.5),
            "L2": (13.0, 11.7, -1.4),
            "L3": (14.0, 12.88, -1.3),
            "L4": (15.0, 14.1, -1.2),
        }
    )
    label: str = "L1-L4"
    total: float | None = None
    total_t: float | None = -1.4
    factor: float = 1.0
    serial: str = "300000M"
    model: str = "Horizon W"
    manufacturer: str = "HOLOGIC"
    scan_mode: str = "f Lumbar Spine"
    analysis_version: str = "13.6"
    reference: str = "White Female"
    included: tuple[str, ...] | None = None
    states: dict[str, ResultState] = field(default_factory=dict)
    rows: tuple[DxaResult, ...] = ()
    path: str = "dxa.dcm"

    def build(self):
        rows = []
        area_sum = bmc_sum = 0.0
        for level, (area, bmc, t_score) in self.levels.items():
            scaled = None if bmc is None else bmc * self.factor
            bmd = None if area is None or scaled is None else round(scaled / area, 3)
            if area is not None and scaled is not None:
                area_sum, bmc_sum = area_sum + area, bmc_sum + scaled
            rows.append(self._row(level, area, scaled, bmd, t_score))
        total = self.total
        if total is None and area_sum:
            total = bmc_sum / area_sum
        if total is not None:
            rows.append(
                self._row(self.label, area_sum or None, bmc_sum or None, total, self.total_t)
            )
        return DxaReport(
            path=self.path,
            sop_instance_uid="2.1",
            source=DxaSource.HOLOGIC_TEXT,
            scan_date=date(2025, 3, 1),
            scanner=Scanner(self.manufacturer, self.model, self.serial, "13.6"),
            scan_mode=self.scan_mode,
            analysis_version=self.analysis_version,
            reference=self.reference,
            included_levels=tuple(Level(lv) for lv in (self.included or self.levels)),
            results=(*rows, *self.rows),
        )

    def _row(self, region, area, bmc, bmd, t_score):
        state = self.states.get(region, self.states.get("all", ResultState.ACCEPTED))
        return DxaResult(
            site=Site.LUMBAR_SPINE,
            region=region,
            area_cm2=area,
            bmc_g=bmc,
            bmd_g_per_cm2=bmd,
            t_score=t_score,
            state=state,
            reason="" if state is ResultState.ACCEPTED else "read by OCR",
        )


@pytest.fixture
def film():
    return Film


@pytest.fixture
def dxa():
    return Dxa


@pytest.fixture
def read():
    return reading


@pytest.fixture(scope="session")
def charter():
    return load_charter()


@pytest.fixture(scope="session")
def rules(charter):
    return charter.fracture
