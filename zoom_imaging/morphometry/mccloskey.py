"""Prevalent deformity after McCloskey and Kanis 1993 (Osteoporos Int 3:138): two conditions each.

A ratio to the own posterior height alone is fooled by an error at one corner, so each deformity
needs a second ratio, to the posterior height Hpp that up to four neighbours predict, and both at 3
standard deviations below the level's mean (recalled: domain rules, section 3):

==============  =====================
anterior wedge  Ha/Hp and Ha/Hpp
central         Hm/Hp and Hm/Hpp
posterior       Hp/Hpp and Ha/Hpp
==============  =====================

The spread of a ratio to Hpp is assumed to be that of the own ratio and that of Hp around its
prediction, added in squares. Ratios are free of unit and scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zoom_imaging.anatomy import Level
from zoom_imaging.morphometry.genant import THRESHOLD_TOLERANCE
from zoom_imaging.morphometry.heights import Triple
from zoom_imaging.morphometry.norms import NORMS
from zoom_imaging.morphometry.reference import predicted_posterior

LIMIT_SD: Final = 3.0


class Deformity(StrEnum):
    """Which border is low."""

    ANTERIOR = "anterior"
    CENTRAL = "central"
    POSTERIOR = "posterior"


@dataclass(frozen=True)
class McCloskeyResult:
    """Deformities found (empty: none), their z-scores, and Hpp in the unit of the heights."""

    deformities: tuple[Deformity, ...]
    z_scores: Mapping[str, float]
    predicted_posterior: float


def mccloskey(level: Level, heights: Mapping[Level, Triple]) -> McCloskeyResult | None:
    """Deformity of `level`; None when no neighbour predicts its posterior height.

    `heights` are those of the evaluable vertebrae in one unit; the caller leaves out neighbours
    that are known to be fractured. KeyError when `level` itself is not among them or has no norms.
    """
    own, norm = heights[level], NORMS[level]
    posterior = predicted_posterior(
        level,
        {other: triple.posterior for other, triple in heights.items() if other is not level},
    )
    if posterior is None:
        return None
    mean_a, sd_a = norm.anterior_posterior, norm.anterior_posterior_sd
    mean_m, sd_m = norm.middle_posterior, norm.middle_posterior_sd
    z_scores = {
        "ha_hp": (own.anterior / own.posterior - mean_a) / sd_a,
        "hm_hp": (own.middle / own.posterior - mean_m) / sd_m,
        "ha_hpp": (own.anterior / posterior - mean_a)
        / math.hypot(sd_a, mean_a * norm.posterior_sd),
        "hm_hpp": (own.middle / posterior - mean_m) / math.hypot(sd_m, mean_m * norm.posterior_sd),
        "hp_hpp": (own.posterior / posterior - 1) / norm.posterior_sd,
    }
    low = {name for name, z in z_scores.items() if z < -LIMIT_SD - THRESHOLD_TOLERANCE}
    conditions = {
        Deformity.ANTERIOR: {"ha_hp", "ha_hpp"},
        Deformity.CENTRAL: {"hm_hp", "hm_hpp"},
        Deformity.POSTERIOR: {"hp_hpp", "ha_hpp"},
    }
    return McCloskeyResult(
        deformities=tuple(kind for kind, needed in conditions.items() if needed <= low),
        z_scores=z_scores,
        predicted_posterior=posterior,
    )
