"""The words that every room shares: levels, landmarks, grades, states, visits and scale.

Nothing here computes a measurement. Each enumeration is closed, so that "not evaluable" is always a
member of its own and can never be confused with 0, NaN or "normal".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
"""(column, row) of a pixel centre, 0-based, in the stored image."""


class Level(StrEnum):
    """Vertebral levels from C7 to S1 in cranio-caudal order, with transitional T13 and L6."""

    C7 = "C7"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"
    T6 = "T6"
    T7 = "T7"
    T8 = "T8"
    T9 = "T9"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
    T13 = "T13"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"
    L5 = "L5"
    L6 = "L6"
    S1 = "S1"

    @property
    def ordinal(self) -> int:
        """Position from the top (C7 = 0)."""
        return list(Level).index(self)


TYPICAL_LEVELS: tuple[Level, ...] = tuple(
    level for level in Level if level not in {Level.T13, Level.L6}
)
"""C7-S1 as most people have them: twelve thoracic and five lumbar vertebrae."""

GRADED_LEVELS: tuple[Level, ...] = TYPICAL_LEVELS[
    TYPICAL_LEVELS.index(Level.T4) : TYPICAL_LEVELS.index(Level.L4) + 1
]
"""T4-L4, the 13 levels of the semiquantitative reading (Genant 1993, J Bone Miner Res 8:1137)."""

LUMBAR_DXA_LEVELS: tuple[Level, ...] = (Level.L1, Level.L2, Level.L3, Level.L4)
"""The levels of a lumbar spine densitometry (ISCD official positions)."""


def neighbours(level: Level) -> tuple[Level | None, Level | None]:
    """The typical level above and the one below, None at the ends or for transitional levels."""
    if level not in TYPICAL_LEVELS:
        return None, None
    at = TYPICAL_LEVELS.index(level)
    above = TYPICAL_LEVELS[at - 1] if at > 0 else None
    below = TYPICAL_LEVELS[at + 1] if at + 1 < len(TYPICAL_LEVELS) else None
    return above, below


LANDMARKS: tuple[str, ...] = (
    "sup_ant",
    "sup_mid",
    "sup_post",
    "inf_ant",
    "inf_mid",
    "inf_post",
)
"""The order of the six points in every array of shape (6, 2)."""


@dataclass(frozen=True)
class SixPoints:
    """Superior and inferior endplate at the anterior, middle and posterior border, in pixels.

    The corners are where the endplate meets the wall, without osteophytes and without the uncinate
    process; the middle points lie on the endplate half-way along the chord between its corners; for
    a double endplate contour they lie on the mid-line (Genant 1993; domain rules, section 3).
    """

    sup_ant: Point
    sup_mid: Point
    sup_post: Point
    inf_ant: Point
    inf_mid: Point
    inf_post: Point

    @classmethod
    def from_array(cls, points: NDArray[np.floating] | Sequence[Sequence[float]]) -> SixPoints:
        """Build from shape (6, 2), rows in the order of `LANDMARKS`, columns (column, row)."""
        array = np.asarray(points, dtype=float)
        if array.shape != (6, 2):
            raise ValueError(f"six points: expected shape (6, 2), found {array.shape}")
        return cls(*((float(column), float(row)) for column, row in array))

    def to_array(self) -> NDArray[np.float64]:
        """Shape (6, 2) in the order of `LANDMARKS`."""
        return np.array([getattr(self, name) for name in LANDMARKS], dtype=float)

    def to_json(self) -> dict[str, list[float]]:
        """`{"sup_ant": [column, row], ...}`, rounded to a hundredth of a pixel."""
        return {name: [round(value, 2) for value in getattr(self, name)] for name in LANDMARKS}


class Grade(StrEnum):
    """Genant's semiquantitative grade of one vertebra, and the two states that are no grade."""

    NORMAL = "0"
    BORDERLINE = "0.5"
    MILD = "1"
    MODERATE = "2"
    SEVERE = "3"
    INDETERMINATE = "indeterminate"
    NOT_EVALUABLE = "not_evaluable"

    @property
    def is_numeric(self) -> bool:
        """False for `INDETERMINATE` and `NOT_EVALUABLE`."""
        return self not in {Grade.INDETERMINATE, Grade.NOT_EVALUABLE}

    @property
    def number(self) -> float:
        """The grade as a number; ValueError for a state that is no grade."""
        if not self.is_numeric:
            raise ValueError(f"{self.value} is not a number: test is_numeric first")
        return float(self.value)


class Shape(StrEnum):
    """Which height is lost: wedge = anterior, biconcave = middle, crush = posterior too."""

    NONE = "none"
    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    CRUSH = "crush"


class VertebraState(StrEnum):
    """Whether a vertebra can be judged at a visit, else why not."""

    EVALUABLE = "evaluable"
    NOT_IMAGED = "not_imaged"
    AT_IMAGE_BORDER = "at_image_border"
    AT_SEAM = "at_seam"
    OBSCURED = "obscured"
    LOW_CONFIDENCE = "low_confidence"
    LEVEL_UNCERTAIN = "level_uncertain"
    IMPLANT_OR_CEMENT = "implant_or_cement"
    READER_NOT_EVALUABLE = "reader_not_evaluable"


class GradeSource(StrEnum):
    """Who gave a grade."""

    MODEL = "model"
    READER = "reader"
    ADJUDICATOR = "adjudicator"


class SpacingSource(StrEnum):
    """Where the millimetres of a projection radiograph come from (domain rules, section 6)."""

    FIDUCIAL = "fiducial"
    GEOMETRY = "geometry"
    IMAGER_OVER_MAGNIFICATION = "imager_over_magnification"
    IMAGER_RAW = "imager_raw"
    NONE = "none"

    @property
    def is_calibrated(self) -> bool:
        """True where millimetres at the spine may decide a rule (the 4 mm rule)."""
        return self in {
            SpacingSource.FIDUCIAL,
            SpacingSource.GEOMETRY,
            SpacingSource.IMAGER_OVER_MAGNIFICATION,
        }


class View(StrEnum):
    """The projection of a spine radiograph."""

    LATERAL = "lateral"
    AP = "ap"
    OTHER = "other"
    UNKNOWN = "unknown"


class Visit(StrEnum):
    """The visits at which images are made."""

    BASELINE = "baseline"
    MONTH12 = "month12"


class Arm(StrEnum):
    """Treatment by exposure, not randomised: zoledronic acid once or twice (NCT05361408)."""

    ONCE = "once"
    TWICE = "twice"
    ONCE_THEN_RISEDRONATE = "once_then_risedronate"


PLANNED_ARMS: tuple[Arm, ...] = (Arm.ONCE, Arm.TWICE)
"""What a subject can be planned for; these two are compared."""
