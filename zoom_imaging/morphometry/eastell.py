"""Prevalent deformity after Eastell 1991 (J Bone Miner Res 6:207): four ratios.

Ha/Hp (wedge), Hm/Hp (biconcave), and Hp over the Hp of the vertebra above and below (compression).
A ratio more than 3 standard deviations below the mean of its level is a deformity of grade 1, more
than 4 one of grade 2 (the fourth is recalled: domain rules, section 3). Ratios are free of unit and
scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zoom_imaging.anatomy import Level, neighbours
from zoom_imaging.morphometry.genant import THRESHOLD_TOLERANCE
from zoom_imaging.morphometry.heights import Triple
from zoom_imaging.morphometry.norms import NORMS, posterior_ratio, posterior_ratio_sd

GRADE_1_SD: Final = 3.0
GRADE_2_SD: Final = 4.0


class Deformity(StrEnum):
    """Which kind of deformity a ratio stands for."""

    WEDGE = "wedge"
    BICONCAVE = "biconcave"
    COMPRESSION = "compression"


@dataclass(frozen=True)
class EastellResult:
    """Grade 0-2, the deformities found, the z-score of each ratio, and whether all four were there.

    Without `complete` a grade 0 means "none among the ratios that could be formed".
    """

    grade: int
    deformities: tuple[Deformity, ...]
    z_scores: Mapping[str, float]
    complete: bool


_KIND: Final = {
    "anterior_posterior": Deformity.WEDGE,
    "middle_posterior": Deformity.BICONCAVE,
    "posterior_above": Deformity.COMPRESSION,
    "posterior_below": Deformity.COMPRESSION,
}


def eastell(level: Level, heights: Mapping[Level, Triple]) -> EastellResult:
    """Deformity of `level`, whose heights and those of its neighbours are in one unit.

    KeyError when `level` itself is not among the heights or has no norms.
    """
    own, norm = heights[level], NORMS[level]
    z_scores = {
        "anterior_posterior": (own.anterior / own.posterior - norm.anterior_posterior)
        / norm.anterior_posterior_sd,
        "middle_posterior": (own.middle / own.posterior - norm.middle_posterior)
        / norm.middle_posterior_sd,
    }
    for name, other in zip(("posterior_above", "posterior_below"), neighbours(level), strict=True):
        if other is not None and other in heights and other in NORMS:
            ratio = own.posterior / heights[other].posterior
            z_scores[name] = (ratio - posterior_ratio(level, other)) / posterior_ratio_sd(
                level, other
            )
    deformed = [name for name, z in z_scores.items() if _below(z, GRADE_1_SD)]
    return EastellResult(
        grade=max((2 if _below(z_scores[name], GRADE_2_SD) else 1 for name in deformed), default=0),
        deformities=tuple(dict.fromkeys(_KIND[name] for name in deformed)),
        z_scores=z_scores,
        complete=len(z_scores) == len(_KIND),
    )


def _below(z_score: float, limit: float) -> bool:
    return z_score < -limit - THRESHOLD_TOLERANCE
