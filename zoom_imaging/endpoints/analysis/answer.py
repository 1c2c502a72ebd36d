"""The answer of a trial as one record: each estimate with its interval, or why there is none.

Groups are the planned arms, which are exposures and not randomised. Whoever got risedronate in
place of the second infusion stays in "twice" in the full set and leaves the per-protocol set.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from zoom_imaging.anatomy import PLANNED_ARMS, Arm, Visit
from zoom_imaging.endpoints.analysis.noninferiority import (
    Difference,
    adjusted_difference,
    imputed_difference,
)
from zoom_imaging.endpoints.analysis.proportions import (
    exact_rate,
    exact_share,
    geometric_mean,
    geometric_ratio,
)
from zoom_imaging.endpoints.results import (
    SubjectEndpoints,
    SubjectResults,
    TrialResults,
    count_by_status,
)
from zoom_imaging.endpoints.status import EndpointStatus, EventState
from zoom_imaging.endpoints.subjects import event_state
from zoom_imaging.errors import ConfigurationError

_DAYS_A_YEAR = 365.25
_DECIMALS = 6


def trial_answer(trial: TrialResults) -> dict[str, Any]:
    """Everything that the registration asks, ready for JSON; numbers have six decimals."""
    margin = trial.charter.analysis.non_inferiority_margin_pct_points
    years = {one.subject_id: _years(one) for one in trial.subjects}
    full = [one for one in trial.endpoints if one.in_full_set]
    protocol = [one for one in full if one.in_per_protocol_set]
    groups = {arm.value: [one for one in full if one.arm_planned is arm] for arm in PLANNED_ARMS}
    answer = {
        "standing": _standing(full),
        "subjects_by_status": {
            "all": count_by_status(trial.endpoints),
            "full_set": count_by_status(full),
        },
        "arms": "by exposure, not randomised",
        "margin_pct_points": margin,
        "margin_is_assumed": trial.charter.analysis.margin_is_assumed,
        "lumbar_bmd_change_pct": {
            "full_set": _told(lambda: _complete_cases(full, margin)),
            "per_protocol_set": _told(lambda: _complete_cases(protocol, margin)),
            "full_set_imputed": _told(lambda: imputed_difference(_frame(full), margin)),
        },
        "lumbar_loss_of_lsc_or_more": {
            arm: asdict(_responders(group)) for arm, group in groups.items()
        },
        "new_vertebral_fracture": {arm: _incidence(group, years) for arm, group in groups.items()},
        "sdi_change": {arm: _sdi(group) for arm, group in groups.items()},
        "marker_ratio_month12_to_month6": {
            marker: _markers(groups, marker) for marker in ("ctx", "p1np")
        },
    }
    rounded: dict[str, Any] = _rounded(answer)
    return rounded


def _standing(full: Sequence[SubjectEndpoints]) -> str:
    """Final only where readers stand behind every subject of the set that is compared."""
    count = count_by_status(full)
    final, once = count[EndpointStatus.FINAL], count[EndpointStatus.READ_ONCE]
    if full and final == len(full):
        return "final: readings of radiologists, locked, for every subject of the full set"
    if not final and not once:
        return "provisional: readings of the model, not confirmed by readers"
    return (
        f"provisional: of {len(full)} subjects of the full set {final} are final, {once} were read "
        f"once, {len(full) - final - once} by the model only"
    )


def _frame(subjects: Sequence[SubjectEndpoints]) -> Any:
    import pandas as pd

    lumbar = [one.bmd_changes["lumbar_spine"] for one in subjects]
    return pd.DataFrame(
        {
            "change_pct": [math.nan if c.change_pct is None else c.change_pct for c in lumbar],
            "baseline": [c.baseline_g_per_cm2 for c in lumbar],
            "is_twice": [float(one.arm_planned is Arm.TWICE) for one in subjects],
        },
        dtype=float,
    )


def _complete_cases(subjects: Sequence[SubjectEndpoints], margin: float) -> Difference:
    frame = _frame(subjects)
    return adjusted_difference(
        frame["change_pct"].to_numpy(),
        frame["baseline"].to_numpy(),
        frame["is_twice"].to_numpy() > 0,
        margin,
    )


def _told(estimate: Callable[[], Difference]) -> dict[str, Any]:
    """The difference as a record, or the reason why there is none."""
    try:
        found = estimate()
    except (ConfigurationError, np.linalg.LinAlgError) as refusal:
        return {"reason": str(refusal)}
    return asdict(found) | {"not_inferior": found.not_inferior}


def _responders(group: Sequence[SubjectEndpoints]) -> Any:
    """Who lost at least the least significant change, of those with a change."""
    changes = [one.bmd_changes["lumbar_spine"] for one in group]
    known = [change for change in changes if change.exceeds_lsc is not None]
    lost = [change for change in known if change.exceeds_lsc and (change.change_pct or 0) < 0]
    return exact_share(len(lost), len(known))


def _incidence(group: Sequence[SubjectEndpoints], years: Mapping[str, float]) -> dict[str, Any]:
    """Subjects with a new fracture among those of whom it is known, and per patient-years.

    Who is undetermined (no event among the levels seen) is counted apart, never as "no".
    """
    states = [
        event_state(one.fractures.any_new, one.fractures.levels_evaluable_both) for one in group
    ]
    count = Counter(states)
    events = count[EventState.YES]
    exposure = sum(
        years[one.subject_id]
        for one, state in zip(group, states, strict=True)
        if state is not EventState.NOT_EVALUABLE
    )
    return {
        **asdict(exact_share(events, events + count[EventState.NO])),
        "undetermined": count[EventState.UNDETERMINED],
        "not_evaluable": count[EventState.NOT_EVALUABLE],
        "rate": asdict(exact_rate(events, exposure)),
    }


def _years(subject: SubjectResults) -> float:
    """From baseline to month 12 by the densitometry, on whose days the films are taken, too."""
    days = [
        max((report.scan_date for report in subject.dxa[visit] if report.scan_date), default=None)
        for visit in Visit
    ]
    first, last = days
    return (last - first).days / _DAYS_A_YEAR if first and last and last > first else 0.0


def _sdi(group: Sequence[SubjectEndpoints]) -> dict[str, Any]:
    known = [one.fractures.sdi_change for one in group if one.fractures.sdi_change is not None]
    return {"count": len(known), "mean": sum(known) / len(known) if known else None}


def _markers(groups: Mapping[str, Sequence[SubjectEndpoints]], marker: str) -> dict[str, Any]:
    """Geometric mean of month 12 over month 6 in each arm, and the ratio of the two."""
    ratios = {arm: _ratios(group, marker) for arm, group in groups.items()}
    return {
        **{arm: asdict(geometric_mean(values)) for arm, values in ratios.items()},
        "twice_to_once": asdict(geometric_ratio(ratios[Arm.TWICE.value], ratios[Arm.ONCE.value])),
    }


def _ratios(group: Sequence[SubjectEndpoints], marker: str) -> list[float]:
    pairs = [
        (getattr(one.clinical, f"{marker}_m12", None), getattr(one.clinical, f"{marker}_m6", None))
        for one in group
    ]
    return [late / early for late, early in pairs if late and early]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return value
