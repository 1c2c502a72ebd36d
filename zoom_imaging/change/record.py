"""What changed between baseline and month 12: one record a level, and one for a DXA site."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zoom_imaging.anatomy import Grade, Level
from zoom_imaging.query import Query


class ChangeKind(StrEnum):
    """Change of one vertebra (domain rules, section 4)."""

    NONE = "none"
    NEW = "new"
    WORSENING = "worsening"
    CEILING = "ceiling"
    IMPROVED = "improved"
    NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True)
class VertebraChange:
    """One level at both visits.

    `height_change_max_pct` is the largest relative loss of Ha, Hm or Hp from baseline in percent
    (positive = loss), `height_change_max_mm` the largest loss in mm, None unless both films are
    calibrated. `morphometric` is the quantitative criterion (None where it cannot be told),
    `confirmed` = new or worsening, and morphometric.
    """

    level: Level
    grade_baseline: Grade
    grade_month12: Grade
    kind: ChangeKind
    reason: str
    height_change_max_pct: float | None = None
    height_change_max_mm: float | None = None
    morphometric: bool | None = None
    confirmed: bool | None = None
    p_incident: float | None = None
    flagged: bool = False


@dataclass(frozen=True)
class BmdChange:
    """BMD of one site at both visits, over the same regions, and whether the change counts.

    `levels` names the regions behind both values ("L1-L4", "L1,L3-L4"), for a hip the side. A value
    that cannot be given is None and `reason` says why; `exceeds_lsc` is None without a
    change, across scanners, and for the hip, for which the charter has no least significant change.
    """

    site: str
    levels: str
    baseline_g_per_cm2: float | None
    month12_g_per_cm2: float | None
    change_pct: float | None
    exceeds_lsc: bool | None
    reason: str
    t_score_baseline: float | None = None
    t_score_month12: float | None = None
    excluded_levels: tuple[Level, ...] = ()
    queries: tuple[Query, ...] = ()
