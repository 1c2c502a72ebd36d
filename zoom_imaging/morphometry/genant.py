"""From loss of height to grade and shape: the height-based form of Genant's reading.

Grades by the largest loss of anterior, middle or posterior height, in half-open intervals: [0,
mild) 0, [mild, moderate) 1, [moderate, severe) 2, [severe, inf) 3, with 0.20, 0.25 and 0.40 in the
default charter (Genant 1993, J Bone Miner Res 8:1137; domain rules, section 2). A negative loss is
a height above the expected one and grades 0. The published grade is visual: this number supports
it.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

from zoom_imaging.anatomy import Grade, Shape
from zoom_imaging.charter import FractureRules

Losses = tuple[float, float, float]
"""Anterior, middle and posterior loss as fractions of the expected height."""

Probabilities = tuple[float, float, float, float]
"""Probability of the grades 0, 1, 2 and 3."""

THRESHOLD_TOLERANCE: Final = 1e-9
"""1 - 0.8 is 0.19999999999999996 in binary and still means 20 %: thresholds are met within this."""

_GRADES: Final = (Grade.NORMAL, Grade.MILD, Grade.MODERATE, Grade.SEVERE)


def reaches(value: float, threshold: float) -> bool:
    """True from the threshold on, within `THRESHOLD_TOLERANCE`."""
    return value >= threshold - THRESHOLD_TOLERANCE


def grade_from_losses(losses: Losses, rules: FractureRules) -> Grade:
    """Grade of the largest loss."""
    worst = max(losses)
    thresholds = (rules.mild_loss, rules.moderate_loss, rules.severe_loss)
    return _GRADES[sum(reaches(worst, threshold) for threshold in thresholds)]


def shape_from_losses(losses: Losses, rules: FractureRules) -> Shape:
    """Crush from a posterior loss of `mild_loss` on, else the larger of anterior and middle loss.

    `NONE` for grade 0. Equal anterior and middle loss is a wedge.
    """
    if grade_from_losses(losses, rules) is Grade.NORMAL:
        return Shape.NONE
    anterior, middle, posterior = losses
    if reaches(posterior, rules.mild_loss):
        return Shape.CRUSH
    return Shape.BICONCAVE if middle > anterior else Shape.WEDGE


def grade_probabilities(loss: float, loss_sd: float, rules: FractureRules) -> Probabilities:
    """Probability of each grade when the true loss is normal around `loss` with `loss_sd`.

    `loss_sd` holds the scatter of the measurement and the spread of normal people around the
    expected height. A spread of zero gives all to one grade.
    """
    thresholds = (rules.mild_loss, rules.moderate_loss, rules.severe_loss)
    if loss_sd <= 0:
        at = sum(reaches(loss, threshold) for threshold in thresholds)
        first, second, third, fourth = (1.0 if grade == at else 0.0 for grade in range(4))
        return first, second, third, fourth
    spread = NormalDist(loss, loss_sd)
    below_mild, below_moderate, below_severe = (spread.cdf(threshold) for threshold in thresholds)
    return (
        below_mild,
        below_moderate - below_mild,
        below_severe - below_moderate,
        1.0 - below_severe,
    )


def most_probable_grade(p_grades: Probabilities) -> Grade:
    """The grade with the highest probability; the lower one of two that are equal."""
    return _GRADES[max(range(4), key=lambda grade: (p_grades[grade], -grade))]
