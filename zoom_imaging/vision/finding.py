"""What the networks say about one vertebra of one film."""

from __future__ import annotations

from dataclasses import dataclass

from zoom_imaging.anatomy import Level, Point, SixPoints, VertebraState


@dataclass(frozen=True)
class VertebraFinding:
    """One vertebra as located, named and delineated by the model.

    `level` is the most probable name and `level_probability` the probability of it; a finding whose
    name is not certain carries `VertebraState.LEVEL_UNCERTAIN`. `six_points`, `six_points_sd_px`
    (one standard deviation a point, in the order of `LANDMARKS`) and `polygon` (outline of the
    body, closed implicitly) are in pixels of the stored image. `ratio_sd` is the calibrated
    standard deviation of the height ratios. `p_grades` are calibrated probabilities of grades 0-3.
    """

    level: Level
    level_probability: float
    state: VertebraState
    reason: str
    centre: Point
    six_points: SixPoints | None
    six_points_sd_px: tuple[float, ...]
    polygon: tuple[Point, ...]
    ratio_sd: float | None
    p_grades: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class SpineReading:
    """All findings of one film, from the top down, with the model that made them.

    `refusal` is a sentence when no reading could be made (no spine found, not lateral), else "".
    """

    findings: tuple[VertebraFinding, ...]
    model_name: str
    model_version: str
    model_sha256: str
    refusal: str = ""
    warnings: tuple[str, ...] = ()
