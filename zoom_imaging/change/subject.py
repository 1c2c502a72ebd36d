"""Fractures of one subject: what happened, and how much could be looked at.

Endpoints: any new; any new or worsening; multiple (two or more of either); four or more (FREEDOM,
Cummings 2018 PMID 29105841, Cosman 2022 PMID 36088628). "No event" may be said only when all 13
levels are evaluable at both visits: women without a follow-up film who were counted as
fracture-free have under-reported the incidence. A positive stays positive however many levels are
missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from zoom_imaging.anatomy import GRADED_LEVELS, Level
from zoom_imaging.change.record import ChangeKind, VertebraChange
from zoom_imaging.charter import FractureRules
from zoom_imaging.morphometry.deformity_index import DeformityIndex, spinal_deformity_index
from zoom_imaging.morphometry.reading import VertebraReading

MULTIPLE: Final = 2
FOUR_OR_MORE: Final = 4


@dataclass(frozen=True)
class FractureSummary:
    """Incident and worsening fractures of one subject over T4-L4.

    `new`, `worsening` and `incident_levels` (either, in order) are lists of levels.
    `confirmed_levels` meet the grade and the height rule, `semiquantitative_only` the grade rule
    without it, `morphometric_only` the height rule without a step of the grade. Flags are True as
    soon as they are known, False only when nothing that is missing could change them, else None.
    """

    levels_evaluable_both: int
    new: tuple[Level, ...]
    worsening: tuple[Level, ...]
    incident_levels: tuple[Level, ...]
    confirmed_levels: tuple[Level, ...]
    semiquantitative_only: tuple[Level, ...]
    morphometric_only: tuple[Level, ...]
    ceiling: tuple[Level, ...]
    improved: tuple[Level, ...]
    not_evaluable: tuple[Level, ...]
    any_new: bool | None
    any_new_or_worsening: bool | None
    multiple: bool | None
    four_or_more: bool | None
    sdi_baseline: DeformityIndex
    sdi_month12: DeformityIndex
    sdi_change: int | None

    @property
    def new_count(self) -> int:
        """Number of new fractures that are known."""
        return len(self.new)

    @property
    def worsening_count(self) -> int:
        """Number of worsened fractures that are known."""
        return len(self.worsening)

    @property
    def incident_vf(self) -> str:
        """`yes`, `no`, `no event among k evaluable` or `not evaluable`, for new fractures."""
        if self.any_new:
            return "yes"
        if self.levels_evaluable_both == len(GRADED_LEVELS):
            return "no"
        if self.levels_evaluable_both == 0:
            return "not evaluable"
        return f"no event among {self.levels_evaluable_both} evaluable"


def summarise_fractures(
    changes: Iterable[VertebraChange],
    baseline: Sequence[VertebraReading],
    month12: Sequence[VertebraReading],
    rules: FractureRules,
) -> FractureSummary:
    """Sum up T4-L4; a level without a change is not evaluable. ValueError for one given twice."""
    graded = [change for change in changes if change.level in GRADED_LEVELS]
    by_level = {change.level: change for change in graded}
    if len(by_level) != len(graded):
        raise ValueError("a level has more than one change: give each level once")
    known = [by_level[level] for level in GRADED_LEVELS if level in by_level]

    def levels(*kinds: ChangeKind) -> tuple[Level, ...]:
        return tuple(change.level for change in known if change.kind in kinds)

    new, worsening = levels(ChangeKind.NEW), levels(ChangeKind.WORSENING)
    incident = levels(ChangeKind.NEW, ChangeKind.WORSENING)
    evaluable = sum(change.kind is not ChangeKind.NOT_EVALUABLE for change in known)
    missing = tuple(
        level
        for level in GRADED_LEVELS
        if level not in by_level or by_level[level].kind is ChangeKind.NOT_EVALUABLE
    )
    index_baseline = spinal_deformity_index(baseline, rules)
    index_month12 = spinal_deformity_index(month12, rules)
    return FractureSummary(
        levels_evaluable_both=evaluable,
        new=new,
        worsening=worsening,
        incident_levels=incident,
        confirmed_levels=tuple(change.level for change in known if change.confirmed),
        semiquantitative_only=tuple(
            change.level
            for change in known
            if change.level in incident and change.confirmed is not True
        ),
        morphometric_only=tuple(
            change.level for change in known if change.morphometric and change.level not in incident
        ),
        ceiling=levels(ChangeKind.CEILING),
        improved=levels(ChangeKind.IMPROVED),
        not_evaluable=missing,
        any_new=_at_least(1, len(new), len(missing)),
        any_new_or_worsening=_at_least(1, len(incident), len(missing)),
        multiple=_at_least(MULTIPLE, len(incident), len(missing)),
        four_or_more=_at_least(FOUR_OR_MORE, len(incident), len(missing)),
        sdi_baseline=index_baseline,
        sdi_month12=index_month12,
        sdi_change=(
            index_month12.value - index_baseline.value
            if index_month12.value is not None and index_baseline.value is not None
            else None
        ),
    )


def _at_least(needed: int, known: int, missing: int) -> bool | None:
    """Whether there are `needed` events when `missing` levels might each hide one."""
    if known >= needed:
        return True
    return False if known + missing < needed else None
