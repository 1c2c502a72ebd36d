"""One level at both visits: new, worsening, ceiling, improved, none, or not evaluable.

Semiquantitative (FREEDOM, NCT00089791; domain rules, section 4): new = at least one grade up from
grade 0; worsening = at least one grade up from grade 1 or 2; a grade 3 cannot worsen (ceiling); a
lower grade at follow-up is a question to the adjudicator. Whoever is not evaluable at one visit has
no change, never "none".

Morphometric (Lunt/EVOS 2002): a loss of at least 20 % of Ha, Hm or Hp and, where both films are
calibrated, of at least 4 mm of the same height. The two criteria and their agreement are told
apart: a step over the threshold of a grade by a point of noise is new by the charter's rule and is
called what it is, semiquantitative only, with the height change beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from zoom_imaging.anatomy import Grade, VertebraState
from zoom_imaging.change.record import ChangeKind, VertebraChange
from zoom_imaging.charter import FractureRules
from zoom_imaging.morphometry.deformity_index import counted_grade, is_graded
from zoom_imaging.morphometry.genant import Probabilities, reaches
from zoom_imaging.morphometry.heights import Triple
from zoom_imaging.morphometry.reading import VertebraReading

DEFAULT_RATIO_SD: Final = 0.04
"""Scatter of a height between repeats where the reading has none (SpineAnalyzer: 4.2-4.7 %)."""

REPOSITIONING_SD: Final = 0.035
"""Assumed scatter of a height between two films of one day; repeats on one film miss it."""

FRACTURE_LOSS: Final = NormalDist(0.28, 0.10)
"""Assumed loss of the height that an incident fracture takes most, as a fraction."""

_EVIDENCE_LIMIT: Final = 100.0
"""Heights alone never move the odds by more: they can fail in ways that no scatter shows."""


@dataclass(frozen=True)
class HeightPair:
    """Ha, Hm, Hp of both visits in one unit, month 12 already brought to the scale of baseline.

    `in_mm` is True only where both films are calibrated and their scales agree, so that the 4 mm
    rule may run. `comparable` is False where nothing shows that the two films have one scale: the
    percentage is then shown and decides nothing. `remark` says what was done or why a rule does not
    run.
    """

    baseline: Triple
    month12: Triple
    in_mm: bool
    comparable: bool = True
    remark: str = ""

    @property
    def losses(self) -> Triple:
        """Relative loss of each height; positive is a loss."""
        return Triple(
            *(
                (before - after) / before
                for before, after in zip(self.baseline, self.month12, strict=True)
            )
        )

    @property
    def losses_mm(self) -> Triple | None:
        """Loss of each height in mm, None unless calibrated."""
        if not self.in_mm:
            return None
        return Triple(
            *(before - after for before, after in zip(self.baseline, self.month12, strict=True))
        )

    def fell(self, rules: FractureRules) -> bool:
        """True when any height lost `height_change_fraction`, whatever its millimetres."""
        return reaches(max(self.losses), rules.height_change_fraction)

    def morphometric(self, rules: FractureRules) -> bool | None:
        """The quantitative criterion; None where the scales cannot be compared."""
        if not self.comparable:
            return None
        in_mm = self.losses_mm
        if in_mm is None:
            return self.fell(rules)
        return any(
            reaches(loss, rules.height_change_fraction) and reaches(mm, rules.height_change_mm)
            for loss, mm in zip(self.losses, in_mm, strict=True)
        )


def heights_as_read(
    baseline: VertebraReading, month12: VertebraReading, calibrated: bool
) -> HeightPair | None:
    """The heights in mm as both readings give them; None where one has none."""
    before, after = baseline.heights, month12.heights
    if before is None or after is None:
        return None
    return HeightPair(
        Triple(before.anterior_mm, before.middle_mm, before.posterior_mm),
        Triple(after.anterior_mm, after.middle_mm, after.posterior_mm),
        in_mm=calibrated,
        remark="" if calibrated else "the 4 mm rule is not applied: not calibrated at both visits",
    )


def vertebra_change(
    baseline: VertebraReading,
    month12: VertebraReading,
    calibrated: bool,
    rules: FractureRules,
    *,
    flag_probability: float,
    heights: HeightPair | None = None,
) -> VertebraChange:
    """Compare one level; ValueError when the readings are of different levels.

    `calibrated` says that both films have millimetres at the spine. `heights` replaces the heights
    of the readings where the films had to be brought to one scale first (`match.py`).
    """
    if baseline.level is not month12.level:
        raise ValueError(
            f"cannot compare {baseline.level.value} with {month12.level.value}: one level at a time"
        )
    pair = heights if heights is not None else heights_as_read(baseline, month12, calibrated)
    largest = max(pair.losses) if pair else None
    in_mm = pair.losses_mm if pair else None
    graded = is_graded(baseline) and is_graded(month12)
    kind, sentences = _kind(baseline, month12, pair, rules)
    morphometric = pair.morphometric(rules) if pair and graded else None
    stepped = kind in {ChangeKind.NEW, ChangeKind.WORSENING}
    confirmed = None
    if kind is not ChangeKind.NOT_EVALUABLE:
        confirmed = (None if morphometric is None else morphometric) if stepped else False
        sentences += _agreement(stepped, morphometric, largest)
        if pair is None:
            sentences.append("the heights cannot be compared")
    if pair is not None and pair.remark:
        sentences.append(pair.remark)
    p_incident = (
        None
        if kind is ChangeKind.NOT_EVALUABLE
        else probability_of_incident(baseline, month12, pair)
    )
    asks = stepped or kind is ChangeKind.IMPROVED or morphometric is True
    return VertebraChange(
        level=baseline.level,
        grade_baseline=baseline.grade if is_graded(baseline) else Grade.NOT_EVALUABLE,
        grade_month12=month12.grade if is_graded(month12) else Grade.NOT_EVALUABLE,
        kind=kind,
        reason="; ".join(sentences),
        height_change_max_pct=None if largest is None else 100 * largest,
        height_change_max_mm=None if in_mm is None else max(in_mm),
        morphometric=morphometric,
        confirmed=confirmed,
        p_incident=p_incident,
        flagged=asks or (p_incident is not None and p_incident >= flag_probability),
    )


def _kind(
    baseline: VertebraReading,
    month12: VertebraReading,
    pair: HeightPair | None,
    rules: FractureRules,
) -> tuple[ChangeKind, list[str]]:
    missing = [
        f"{visit}: {_why_not(reading)}"
        for visit, reading in (("baseline", baseline), ("month 12", month12))
        if not is_graded(reading)
    ]
    if missing:
        return ChangeKind.NOT_EVALUABLE, missing
    before = counted_grade(baseline.grade, rules)
    after = counted_grade(month12.grade, rules)
    step = f"grade {baseline.grade.value} to {month12.grade.value}"
    if after < before:
        return ChangeKind.IMPROVED, [f"{step}: a fracture does not heal to a lower grade"]
    if after == before:
        at_ceiling = baseline.grade is Grade.SEVERE
        return (
            (ChangeKind.CEILING, ["grade 3 at baseline cannot worsen"])
            if at_ceiling
            else (ChangeKind.NONE, [])
        )
    if before == 0 and baseline.grade is Grade.BORDERLINE:
        return _from_borderline(step, pair, rules)
    return ChangeKind.WORSENING if before >= 1 else ChangeKind.NEW, [step]


def _from_borderline(
    step: str, pair: HeightPair | None, rules: FractureRules
) -> tuple[ChangeKind, list[str]]:
    """A 0.5 that counts as 0 becomes a new fracture only by the height change as well."""
    needed = f"{rules.height_change_fraction:.0%} loss of a height"
    if pair is None or not pair.comparable:
        return ChangeKind.NOT_EVALUABLE, [
            f"{step}: from 0.5 a new fracture needs a {needed}, which cannot be told"
        ]
    if pair.fell(rules):
        return ChangeKind.NEW, [f"{step} with a {needed}"]
    return ChangeKind.NONE, [f"{step}: from 0.5 a new fracture needs a {needed}"]


def _why_not(reading: VertebraReading) -> str:
    if reading.state is VertebraState.EVALUABLE:
        return f"the grade is {reading.grade.value}"
    return f"{reading.state.value} ({reading.reason})" if reading.reason else reading.state.value


def _agreement(stepped: bool, morphometric: bool | None, largest: float | None) -> list[str]:
    change = "" if largest is None else f" (largest loss of height {100 * largest:.1f} %)"
    if stepped and morphometric:
        return [f"confirmed by the height change{change}"]
    if stepped and morphometric is False:
        return [f"semiquantitative only: no height fell enough{change}"]
    if stepped:
        return ["semiquantitative only: the height change cannot be told"]
    if morphometric:
        return [f"morphometric only: the grade did not rise{change}"]
    return []


def probability_of_incident(
    baseline: VertebraReading, month12: VertebraReading, pair: HeightPair | None
) -> float | None:
    """Probability that the true grade is higher at month 12; None without grade probabilities.

    The step probability of two independent readings is only where one starts: the same vertebra is
    read twice, so what makes it look like grade 0 or 1 (its own shape, the norm) is shared and
    cancels in the change of height. The odds of a step are therefore multiplied by the likelihood
    ratio of the largest height loss: under an incident fracture against under the scatter of both
    readings.
    """
    if baseline.p_grades is None or month12.p_grades is None:
        return None
    prior = step_probability(baseline.p_grades, month12.p_grades)
    if pair is None or not pair.comparable:
        return prior
    scatter = math.hypot(_scatter(baseline), _scatter(month12))
    # The largest of three errors alone is about one scatter: less says no more against a fracture.
    loss = max(scatter, *pair.losses)
    log_ratio = _log_density(loss, FRACTURE_LOSS.mean, math.hypot(FRACTURE_LOSS.stdev, scatter))
    log_ratio -= _log_density(loss, 0.0, scatter) + math.log(3)
    log_ratio -= 2 * math.log(NormalDist(0.0, scatter).cdf(loss))
    limit = math.log(_EVIDENCE_LIMIT)
    ratio = math.exp(min(limit, max(-limit, log_ratio)))
    floor = 1e-3
    prior = min(1 - floor, max(floor, prior))
    odds = prior / (1 - prior) * ratio
    return odds / (1 + odds)


def step_probability(before: Probabilities, after: Probabilities) -> float:
    """Probability that the second of two independent grades is the higher one."""
    return sum(before[low] * after[high] for low in range(4) for high in range(low + 1, len(after)))


def _scatter(reading: VertebraReading) -> float:
    own = reading.ratio_sd if reading.ratio_sd is not None else DEFAULT_RATIO_SD
    return math.hypot(own, REPOSITIONING_SD)


def _log_density(value: float, mean: float, sd: float) -> float:
    return -0.5 * ((value - mean) / sd) ** 2 - math.log(sd)
