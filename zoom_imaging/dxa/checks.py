"""Rules that a printed row must keep before its value is accepted.

BMD = BMC / area within the charter's tolerance (0.002 g/cm2; a small region such as Ward's triangle
may deviate by what two decimals of area and BMC allow); a T-score has the sign of its percentage of
the young adult mean, a Z-score that of the age-matched mean. A row that breaks a rule is
quarantined with both numbers in the reason: a person decides which one is right. A score that
breaks its rule is left out alone, because BMD is the endpoint and is checked by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from zoom_imaging.charter import DxaRules
from zoom_imaging.dxa.number import Printed
from zoom_imaging.dxa.result import DxaResult, ResultState
from zoom_imaging.dxa.row import RegionRow

_HALF_A_DIGIT_BMD = 0.0005
_HALF_A_DIGIT_AREA = 0.005
_EPSILON = 1e-9
_PERCENT_MARGIN = 3.0


@dataclass(frozen=True)
class Tolerances:
    """How far printed numbers of one report may deviate from each other, in g/cm2."""

    region_g_per_cm2: float = 0.002
    total_g_per_cm2: float = 0.002

    @classmethod
    def from_rules(cls, rules: DxaRules) -> Tolerances:
        """As the charter says."""
        return cls(rules.region_tolerance_g_per_cm2, rules.total_tolerance_g_per_cm2)


def ratio_fault(row: RegionRow, tolerance_g_per_cm2: float) -> str:
    """Sentence if BMC / area contradicts the printed BMD; empty if it agrees or cannot be told."""
    area, bmc, bmd = row.area.value, row.bmc.value, row.bmd.value
    if area is None or bmc is None or bmd is None:
        return ""
    rounding = _HALF_A_DIGIT_AREA * (1.0 + bmd) / area + _HALF_A_DIGIT_BMD
    allowed = max(tolerance_g_per_cm2, rounding)
    found = bmc / area
    if abs(found - bmd) <= allowed + _EPSILON:
        return ""
    return (
        f"{row.label}: BMC / area = {bmc:g} / {area:g} = {found:.4f} contradicts the printed BMD "
        f"{bmd:.4f} g/cm2 (tolerance {allowed:.4f})"
    )


def score_fault(name: str, score: Printed, percent: Printed) -> str:
    """Sentence if a score lies on the other side of its reference than its percentage does."""
    if score.value is None or percent.value is None:
        return ""
    below = percent.value <= 100.0 - _PERCENT_MARGIN and score.value > 0
    above = percent.value >= 100.0 + _PERCENT_MARGIN and score.value < 0
    if not below and not above:
        return ""
    return (
        f"{name} {score.value:+.1f} contradicts {percent.value:g} % of its reference: "
        f"{name} is left out"
    )


def judge(row: RegionRow, region: str, tolerances: Tolerances) -> DxaResult:
    """The result of one row by itself; rules between rows come afterwards."""
    blank = DxaResult(site=row.site, side=row.side, region=region)
    if row.bmd.problem:
        reason = "; ".join(part for part in (row.bmd.problem, row.doubt) if part)
        return replace(blank, state=ResultState.WITHHELD, reason=reason)
    if row.bmd.value is None:
        reason = f"the report gives no BMD for {region}"
        return replace(blank, state=ResultState.WITHHELD, reason=reason)
    faults = [row.doubt] if row.doubt else []
    faults += [printed.problem for printed in (row.area, row.bmc) if printed.problem]
    ratio = ratio_fault(row, tolerances.region_g_per_cm2)
    if ratio:
        faults.append(ratio)
    notes: list[str] = []
    scores: list[float | None] = []
    for name, score, percent in (
        ("T-score", row.t_score, row.young_adult_percent),
        ("Z-score", row.z_score, row.age_matched_percent),
    ):
        fault = f"{name}: {score.problem}" if score.problem else score_fault(name, score, percent)
        if fault:
            notes.append(fault)
        scores.append(None if fault else score.value)
    return replace(
        blank,
        area_cm2=row.area.value,
        bmc_g=row.bmc.value,
        bmd_g_per_cm2=row.bmd.value,
        t_score=scores[0],
        z_score=scores[1],
        state=ResultState.QUARANTINED if faults else ResultState.ACCEPTED,
        reason="; ".join(faults + notes),
    )


def history_result(row: RegionRow, region: str) -> DxaResult:
    """An earlier exam that the report repeats: shown, never used."""
    return DxaResult(
        site=row.site,
        side=row.side,
        region=region,
        area_cm2=row.area.value,
        bmc_g=row.bmc.value,
        bmd_g_per_cm2=row.bmd.value,
        t_score=row.t_score.value,
        z_score=row.z_score.value,
        state=ResultState.HISTORY,
        reason=row.history,
    )


def order_warnings(rows: Iterable[RegionRow]) -> tuple[str, ...]:
    """Warn where a region with the higher BMD of two exams in one report has the lower T-score.

    Both exams stand in one report and so have one reference; 0.15 is more than rounding makes.
    """
    found: list[str] = []
    known = [row for row in rows if row.bmd.value is not None and row.t_score.value is not None]
    for index, one in enumerate(known):
        for other in known[index + 1 :]:
            same = (one.site, one.side, one.levels, one.label.lower()) == (
                other.site,
                other.side,
                other.levels,
                other.label.lower(),
            )
            if not same:
                continue
            bmd = (one.bmd.value or 0.0) - (other.bmd.value or 0.0)
            score = (one.t_score.value or 0.0) - (other.t_score.value or 0.0)
            if abs(bmd) > 0.005 and abs(score) > 0.15 and bmd * score < 0:
                found.append(
                    f"{one.label}: BMD {one.bmd.text} with T {one.t_score.text} and BMD "
                    f"{other.bmd.text} with T {other.t_score.text} are in opposite order"
                )
    return tuple(found)


def hip_warning(rows: Iterable[RegionRow]) -> str:
    """Warn where the total hip is not neck + trochanter + intertrochanter (Lunar: shaft)."""
    by_name = {row.label.lower(): row for row in rows}
    total = by_name.get("total")
    parts = [by_name.get("neck"), by_name.get("troch"), by_name.get("inter", by_name.get("shaft"))]
    if total is None or total.bmd.value is None:
        return ""
    area = bmc = 0.0
    for part in parts:
        if part is None or part.area.value is None or part.bmc.value is None:
            return ""
        area += part.area.value
        bmc += part.bmc.value
    if abs(bmc / area - total.bmd.value) <= 0.003:
        return ""
    return (
        f"total hip: BMC / area of its regions = {bmc / area:.4f}, printed BMD = "
        f"{total.bmd.value:.4f} g/cm2"
    )
