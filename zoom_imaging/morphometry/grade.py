"""From what the network found on one film to the 13 graded levels, each measured or with its
reason.

The number of the table is the height-based grade; the probabilities stand beside it and never
change it [D]. Where the network's probabilities and the heights disagree, the reading says so: a
reader must look. A vertebra that is not evaluable has the grade `NOT_EVALUABLE`, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    TYPICAL_LEVELS,
    Grade,
    Level,
    SixPoints,
    VertebraState,
    neighbours,
)
from zoom_imaging.charter import FractureRules, ModelRules
from zoom_imaging.morphometry.genant import (
    grade_from_losses,
    grade_probabilities,
    most_probable_grade,
    shape_from_losses,
)
from zoom_imaging.morphometry.heights import (
    Triple,
    height_ratios,
    heights_in_mm,
    is_measurable,
    paired_distances,
)
from zoom_imaging.morphometry.reading import VertebraReading
from zoom_imaging.morphometry.reference import LossEstimate, spine_losses
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.vision.finding import VertebraFinding

TRANSITIONAL_LEVELS: Final = (Level.T13, Level.L6)
"""Levels that most people do not have: their presence must be the same at both visits."""


@dataclass(frozen=True)
class _Measured:
    """A finding with its state after the checks of this room, and its heights if there are any."""

    finding: VertebraFinding
    state: VertebraState
    reason: str
    heights: Triple | None


def transitional_levels(findings: Sequence[VertebraFinding]) -> tuple[Level, ...]:
    """T13 and L6 where the film shows them, for `FilmReading.transitional`."""
    present = {finding.level for finding in findings}
    return tuple(level for level in TRANSITIONAL_LEVELS if level in present)


def read_vertebrae(
    findings: Sequence[VertebraFinding],
    radiograph: Radiograph,
    rules: FractureRules,
    trusted: ModelRules,
) -> tuple[VertebraReading, ...]:
    """The 13 levels T4-L4 in order, whatever the film shows.

    Levels outside T4-L4 are not graded but serve as neighbours. `trusted` are the charter's limits
    (`charter.model`): a name that is less probable makes a vertebra `LEVEL_UNCERTAIN`, ratios that
    scatter more `LOW_CONFIDENCE`. Heights of a vertebra that is delineated but not evaluable are
    still shown.
    """
    measured = {
        level: _measure(found, radiograph, trusted) for level, found in _by_level(findings).items()
    }
    usable = {
        level: item.heights
        for level, item in measured.items()
        if item.state is VertebraState.EVALUABLE and item.heights is not None
    }
    losses = spine_losses(usable, rules)
    return tuple(
        _reading(measured[level], usable, losses.get(level), radiograph, rules)
        if level in measured
        else _absent(level, measured.keys(), radiograph)
        for level in GRADED_LEVELS
    )


def _by_level(findings: Sequence[VertebraFinding]) -> dict[Level, list[VertebraFinding]]:
    result: dict[Level, list[VertebraFinding]] = {}
    for finding in findings:
        result.setdefault(finding.level, []).append(finding)
    return result


def _measure(
    found: list[VertebraFinding], radiograph: Radiograph, trusted: ModelRules
) -> _Measured:
    finding = max(found, key=lambda item: (item.level_probability, -item.centre[1]))
    points = finding.six_points
    heights = paired_distances(points, radiograph.scale) if points is not None else None
    state, reason = finding.state, finding.reason
    if heights is not None and not is_measurable(heights):
        # An infinite or zero height is no measurement of anything: nothing of it is shown.
        finding = replace(finding, six_points=None)
        points = heights = None
        if state is VertebraState.EVALUABLE:
            state = VertebraState.LOW_CONFIDENCE
            reason = "the six points of the model do not enclose a body"
    if state is not VertebraState.EVALUABLE:
        return _Measured(finding, state, reason or f"{state.value}: no reason given", heights)
    if len(found) > 1:
        state = VertebraState.LEVEL_UNCERTAIN
        reason = f"{len(found)} vertebrae of this film carry the name {finding.level.value}"
    elif finding.level_probability < trusted.minimum_level_probability:
        state = VertebraState.LEVEL_UNCERTAIN
        reason = (
            f"the level is {finding.level.value} with a probability of "
            f"{finding.level_probability:.2f}, less than the charter's "
            f"{trusted.minimum_level_probability:.2f}"
        )
    elif points is None:
        state, reason = VertebraState.LOW_CONFIDENCE, "the model gave no six points"
    elif (place := _off_the_film(points, radiograph)) is not None:
        state, reason = place
    elif finding.ratio_sd is not None and not finding.ratio_sd <= trusted.maximum_ratio_sd:
        state = VertebraState.LOW_CONFIDENCE
        reason = (
            f"the height ratios scatter by {finding.ratio_sd:.3f} between repeats, "
            f"more than the charter's {trusted.maximum_ratio_sd:.3f}"
        )
    return _Measured(finding, state, reason, heights)


def _off_the_film(points: SixPoints, radiograph: Radiograph) -> tuple[VertebraState, str] | None:
    array = points.to_array()
    rows, columns = radiograph.pixels.shape
    if (
        array.min() < 0
        or float(array[:, 0].max()) > columns - 1
        or float(array[:, 1].max()) > rows - 1
    ):
        return VertebraState.AT_IMAGE_BORDER, "the body reaches beyond the edge of the image"
    top, bottom = float(array[:, 1].min()), float(array[:, 1].max())
    for seam in radiograph.seams:
        if top <= seam <= bottom:
            return VertebraState.AT_SEAM, f"the seam at row {seam} crosses the body"
    return None


def _reading(
    measured: _Measured,
    usable: dict[Level, Triple],
    loss: LossEstimate | None,
    radiograph: Radiograph,
    rules: FractureRules,
) -> VertebraReading:
    finding = measured.finding
    points = finding.six_points
    beside = tuple(
        usable[level].posterior
        for level in neighbours(finding.level)
        if level is not None and level in usable
    )
    reading = VertebraReading(
        level=finding.level,
        state=measured.state,
        reason=measured.reason,
        six_points=points,
        polygon=finding.polygon,
        sd_px=finding.six_points_sd_px,
        heights=heights_in_mm(points, radiograph.scale) if points is not None else None,
        ratios=height_ratios(measured.heights, beside) if measured.heights is not None else None,
        ratio_sd=finding.ratio_sd,
        sop_instance_uid=radiograph.sop_instance_uid,
    )
    if measured.state is not VertebraState.EVALUABLE:
        return reading
    if loss is None:
        return replace(
            reading,
            state=VertebraState.LOW_CONFIDENCE,
            reason="no evaluable neighbour tells what the posterior height should be",
        )
    grade = grade_from_losses(loss.losses, rules)
    worst = loss.worst
    p_grades = finding.p_grades or grade_probabilities(
        loss.losses[worst], math.hypot(finding.ratio_sd or 0.0, loss.norm_sd[worst]), rules
    )
    likely = most_probable_grade(p_grades)
    reason = measured.reason
    if (likely is Grade.NORMAL) is not (grade is Grade.NORMAL):
        doubt = (
            f"the heights say grade {grade.value}, the model's probabilities grade "
            f"{likely.value}: a reader must look"
        )
        reason = f"{reason}; {doubt}" if reason else doubt
    return replace(
        reading,
        reason=reason,
        losses=loss.losses,
        grade=grade,
        shape=shape_from_losses(loss.losses, rules),
        p_grades=p_grades,
    )


def _absent(level: Level, present: Collection[Level], radiograph: Radiograph) -> VertebraReading:
    ordinals = [TYPICAL_LEVELS.index(found) for found in present if found in TYPICAL_LEVELS]
    at = TYPICAL_LEVELS.index(level)
    if not ordinals:
        reason = "no vertebra was found on the film"
    elif at < min(ordinals):
        reason = f"above {TYPICAL_LEVELS[min(ordinals)].value}, the first vertebra found"
    elif at > max(ordinals):
        reason = f"below {TYPICAL_LEVELS[max(ordinals)].value}, the last vertebra found"
    else:
        reason = "not found between its neighbours, although they were"
    return VertebraReading(
        level=level,
        state=VertebraState.NOT_IMAGED,
        reason=reason,
        sop_instance_uid=radiograph.sop_instance_uid,
    )
