"""One film and its vertebrae, measured: what `measure` prints and what a visit is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from zoom_imaging.anatomy import (
    Grade,
    GradeSource,
    Level,
    Point,
    Shape,
    SixPoints,
    VertebraState,
)
from zoom_imaging.radiograph.film import Scale


@dataclass(frozen=True)
class Heights:
    """Anterior, middle and posterior height of a vertebral body, in mm of the plane of the scale.

    Without a scale the three are None in tables, but the ratios hold: see `Ratios`.
    """

    anterior_mm: float
    middle_mm: float
    posterior_mm: float


@dataclass(frozen=True)
class Ratios:
    """Ha/Hp, Hm/Hp, and Hp over the mean Hp of the evaluable neighbours (None without any)."""

    anterior_posterior: float
    middle_posterior: float
    posterior_neighbours: float | None


@dataclass(frozen=True)
class VertebraReading:
    """One vertebra of one film: state, heights, ratios, grade and where they come from.

    `heights` is None without a scale; `ratios` is None only when the vertebra is not delineated.
    `losses` are anterior, middle and posterior losses against the reference height of the charter.
    """

    level: Level
    state: VertebraState
    reason: str
    six_points: SixPoints | None = None
    polygon: tuple[Point, ...] = ()
    sd_px: tuple[float, ...] = ()
    heights: Heights | None = None
    ratios: Ratios | None = None
    ratio_sd: float | None = None
    losses: tuple[float, float, float] | None = None
    grade: Grade = Grade.NOT_EVALUABLE
    shape: Shape = Shape.NONE
    p_grades: tuple[float, float, float, float] | None = None
    grade_source: GradeSource = GradeSource.MODEL
    sop_instance_uid: str = ""


@dataclass(frozen=True)
class FilmReading:
    """One radiograph after measuring; `refusal` is "" or the sentence why nothing could be read.

    `transitional` names T13 or L6 where the film shows one: levels below it are counted
    differently.
    """

    path: str
    sop_instance_uid: str
    scale: Scale | None
    vertebrae: tuple[VertebraReading, ...]
    refusal: str = ""
    view: str = ""
    frame: int | None = None
    warnings: tuple[str, ...] = ()
    transitional: tuple[Level, ...] = ()
