"""Osteoporotic fracture of one vertebral body, as loss of its own unfractured heights.

Grade by the largest loss of height (Genant 1993, J Bone Miner Res 8:1137): 20-25 % mild, 25-40 %
moderate, above 40 % severe; 15-20 % is borderline here. Loss is a share from 0 (none) to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zoom_imaging.anatomy import Grade, Level, Shape
from zoom_imaging.simulate.proportions import CHAIN

BORDERLINE_FROM = 0.15
MILD_FROM = 0.20
MODERATE_FROM = 0.25
SEVERE_FROM = 0.40
MAX_LOSS = 0.65


@dataclass(frozen=True)
class Fracture:
    """Loss of anterior, middle and posterior height, and how it looks.

    `upper_share` is the part of the loss that the superior endplate takes; `compaction` (0 to 1) is
    how far density rises with the lost height; `band` is a dense line below the endplate.
    """

    anterior_loss: float = 0.0
    middle_loss: float = 0.0
    posterior_loss: float = 0.0
    upper_share: float = 0.7
    floor_power: float = 2.0
    compaction: float = 0.0
    band: float = 0.0

    @property
    def largest_loss(self) -> float:
        """The loss that the grade follows."""
        return max(self.anterior_loss, self.middle_loss, self.posterior_loss)

    @property
    def mean_loss(self) -> float:
        """Mean of the three losses."""
        return (self.anterior_loss + self.middle_loss + self.posterior_loss) / 3

    @property
    def density_gain(self) -> float:
        """Factor on the density of what is left: bone is squeezed, not lost."""
        return float((1.0 / (1.0 - max(0.0, self.mean_loss))) ** self.compaction)


UNFRACTURED = Fracture()


def grade_of_loss(loss: float) -> Grade:
    """Genant's grade of the largest loss of height (share)."""
    # The loss comes from a subtraction: a hair below a threshold is the threshold.
    loss += 1e-9
    if loss < BORDERLINE_FROM:
        return Grade.NORMAL
    if loss < MILD_FROM:
        return Grade.BORDERLINE
    if loss < MODERATE_FROM:
        return Grade.MILD
    return Grade.MODERATE if loss < SEVERE_FROM else Grade.SEVERE


def shape_of_losses(anterior: float, middle: float, posterior: float) -> Shape:
    """Which height is lost; `Shape.NONE` below the mild grade."""
    if max(anterior, middle, posterior) + 1e-9 < MILD_FROM:
        return Shape.NONE
    if posterior >= 0.6 * max(anterior, middle):
        return Shape.CRUSH
    return Shape.WEDGE if anterior >= middle else Shape.BICONCAVE


def make_fracture(shape: Shape, loss: float, rng: np.random.Generator) -> Fracture:
    """A fracture of the given shape whose largest loss is `loss` (share, at most 0.65)."""
    loss = min(loss, MAX_LOSS)
    look = Fracture(
        upper_share=float(rng.uniform(0.45, 0.95)),
        floor_power=float(rng.uniform(1.8, 3.0)),
        compaction=float(rng.uniform(0.0, 1.0)),
        band=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.45 else 0.0,
    )
    if shape is Shape.WEDGE:
        return replace(
            look,
            anterior_loss=loss,
            middle_loss=loss * rng.uniform(0.35, 0.95),
            posterior_loss=loss * max(0.0, rng.uniform(-0.1, 0.15)),
        )
    if shape is Shape.BICONCAVE:
        return replace(
            look,
            middle_loss=loss,
            anterior_loss=loss * max(0.0, rng.uniform(-0.1, 0.6)),
            posterior_loss=loss * max(0.0, rng.uniform(-0.1, 0.3)),
            upper_share=float(rng.uniform(0.35, 0.75)),
        )
    if shape is Shape.CRUSH:
        return replace(
            look,
            middle_loss=loss * rng.uniform(0.9, 1.0),
            anterior_loss=loss,
            posterior_loss=loss * rng.uniform(0.65, 0.98),
        )
    return UNFRACTURED


# Relative risk by level: clustered at T7-T8 and T11-L2.
_RISK = {
    **dict.fromkeys(CHAIN[1:], 0.6),
    Level.T1: 0.15,
    Level.T2: 0.2,
    Level.T3: 0.3,
    Level.T7: 1.2,
    Level.T8: 1.3,
    Level.T11: 1.3,
    Level.T12: 1.6,
    Level.L1: 1.6,
    Level.L2: 1.1,
    Level.L5: 0.4,
}


def random_fractures(rng: np.random.Generator, prevalence: float) -> dict[Level, Fracture]:
    """Fractures of one person; `prevalence` is the mean share of fractured vertebrae T4-L4.

    Losses run evenly from 0 to 0.65, so that heights are met at every value between grades.
    """
    burden = rng.choice([0.0, 0.6, 1.2, 2.2], p=[0.2, 0.3, 0.3, 0.2])
    fractures: dict[Level, Fracture] = {}
    for level, risk in _RISK.items():
        if rng.random() >= min(0.85, prevalence * risk * burden):
            continue
        shape = (Shape.WEDGE, Shape.BICONCAVE, Shape.CRUSH)[rng.choice(3, p=[0.5, 0.3, 0.2])]
        loss = float(rng.uniform(0.05, 0.55)) if rng.random() < 0.85 else rng.uniform(0.4, MAX_LOSS)
        fractures[level] = make_fracture(shape, float(loss), rng)
    return fractures
