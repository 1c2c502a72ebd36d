"""What is normal at each level: height ratios with their spread, and the course of Hp.

Status: ASSUMED. The values are recalled from the literature below, rounded to 0.01 and smoothed
from level to level; none of the tables was re-read for this file. They describe postmenopausal
women without a deformity, on lateral radiographs. What the sources agree on, and what decides here:
bodies are slightly wedged in front from T4 on, most at T7-T8 and again at T11-L1, and no longer at
L3-L4; the middle height is 4-7 % below the posterior one; posterior height grows from T4 to L2 and
falls to L5; the spread between normal people is about 0.05 for Ha/Hp and 0.045 for Hm/Hp.

- Eastell R et al. 1991, J Bone Miner Res 6:207 (ratios by level, -3 and -4 SD)
- Black DM et al. 1991, J Bone Miner Res 6:883, and 1995, J Bone Miner Res 10:890
- McCloskey EV et al. 1993, Osteoporos Int 3:138 (predicted posterior height)
- O'Neill TW et al. 1994, J Bone Miner Res 9:1895 (EVOS; ratios differ between populations)
- Masharawi Y et al. 2010, Eur Spine J 19:768 (sagittal wedging of T9-L5 in women)
- Panjabi MM et al. 1991 (thoracic) and 1992 (lumbar), Spine 16:888 and 17:299 (course of Hp)

A trial with its own reference population replaces `NORMS`; a vertebra is never called fractured by
a difference from these tables alone that the person's other vertebrae share (`reference.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from zoom_imaging.anatomy import Level

STATUS: Final = "assumed"
"""As in the charter: holds until a trial's own reference data replace it."""


@dataclass(frozen=True)
class LevelNorm:
    """Normal ratios of one level with one standard deviation between people.

    `posterior_mm` is the normal posterior height at the spine, free of magnification. Only its
    course from level to level is used, never its absolute size. `posterior_sd` is the spread of Hp
    around what the neighbours predict, as a fraction.
    """

    anterior_posterior: float
    middle_posterior: float
    posterior_mm: float
    anterior_posterior_sd: float = 0.05
    middle_posterior_sd: float = 0.045
    posterior_sd: float = 0.045


NORMS: Final[Mapping[Level, LevelNorm]] = MappingProxyType(
    {
        Level.T1: LevelNorm(0.95, 0.94, 15.3, 0.06, 0.055, 0.06),
        Level.T2: LevelNorm(0.96, 0.94, 16.4, 0.06, 0.055, 0.06),
        Level.T3: LevelNorm(0.95, 0.94, 17.1, 0.06, 0.055, 0.055),
        Level.T4: LevelNorm(0.95, 0.94, 17.8, 0.06, 0.05, 0.05),
        Level.T5: LevelNorm(0.94, 0.94, 18.4, 0.055, 0.05, 0.05),
        Level.T6: LevelNorm(0.93, 0.93, 19.0),
        Level.T7: LevelNorm(0.92, 0.93, 19.6),
        Level.T8: LevelNorm(0.92, 0.93, 20.2),
        Level.T9: LevelNorm(0.94, 0.93, 21.0),
        Level.T10: LevelNorm(0.94, 0.94, 22.2),
        Level.T11: LevelNorm(0.92, 0.93, 23.6),
        Level.T12: LevelNorm(0.93, 0.94, 25.3),
        Level.L1: LevelNorm(0.95, 0.94, 26.8),
        Level.L2: LevelNorm(0.98, 0.95, 27.6),
        Level.L3: LevelNorm(1.01, 0.96, 27.6),
        Level.L4: LevelNorm(1.04, 0.97, 26.9),
        Level.L5: LevelNorm(1.15, 1.01, 25.2, 0.08, 0.07, 0.07),
    }
)
"""By level. Levels that are only neighbours (T1-T3, L5) spread more and are never graded."""


def posterior_ratio(level: Level, neighbour: Level) -> float:
    """Normal Hp of `level` over Hp of `neighbour`; KeyError for a level without norms."""
    return NORMS[level].posterior_mm / NORMS[neighbour].posterior_mm


def posterior_ratio_sd(level: Level, neighbour: Level) -> float:
    """Spread of Hp(level)/Hp(neighbour) between people, about 0.05 (recalled from Eastell 1991)."""
    return (
        posterior_ratio(level, neighbour)
        * (NORMS[level].posterior_sd + NORMS[neighbour].posterior_sd)
        / 2
    )
