"""Rows of endpoints.csv: one subject, everything that is known of her, and why the rest is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level, Visit
from zoom_imaging.change.record import BmdChange
from zoom_imaging.change.subject import FractureSummary
from zoom_imaging.dxa.result import DxaReport, DxaResult, ResultState, Site
from zoom_imaging.endpoints.cell import LIST_SEPARATOR
from zoom_imaging.endpoints.results import SubjectResults, TrialResults
from zoom_imaging.endpoints.status import EventState
from zoom_imaging.endpoints.subject_columns import (
    MARKERS,
    SITE_PREFIXES,
)
from zoom_imaging.endpoints.write import Row, Value


def endpoint_rows(trial: TrialResults) -> Iterator[Row]:
    """endpoints.csv: every subject of the clinical table or of the catalogue, by id."""
    counts = Counter(query.subject_id for query in trial.queries)
    for subject in trial.subjects:
        yield endpoint_row(subject, counts[subject.subject_id])


def endpoint_row(subject: SubjectResults, query_count: int) -> Row:
    """One row of endpoints.csv."""
    row: dict[str, Value] = {
        "subject_id": subject.subject_id,
        "arm_planned": subject.arm_planned.value if subject.arm_planned else None,
        "arm_actual": subject.arm_actual.value if subject.arm_actual else None,
        "endpoint_status": subject.status.value,
    }
    row.update(_lumbar(subject))
    for prefix, site, _ in SITE_PREFIXES:
        row.update(_site(prefix, subject.bmd_changes[site], f"{prefix}_reason"))
    row.update(_fractures(subject.fractures))
    row.update(_markers(subject))
    row["query_count"] = query_count
    return row


def event_state(happened: bool | None, compared: int) -> EventState:
    """The code of an event that is known to have happened, known not to have, or neither (None)."""
    if happened is None:
        return EventState.UNDETERMINED if compared else EventState.NOT_EVALUABLE
    return EventState.YES if happened else EventState.NO


def marker_change(baseline: float | None, value: float | None) -> float | None:
    """Percentage change from baseline; None without both, or from a baseline of zero."""
    if baseline is None or value is None or baseline <= 0:
        return None
    return 100.0 * (value - baseline) / baseline


def _site(prefix: str, change: BmdChange, reason_name: str) -> dict[str, Value]:
    return {
        f"{prefix}_bmd_baseline_g_per_cm2": change.baseline_g_per_cm2,
        f"{prefix}_bmd_month12_g_per_cm2": change.month12_g_per_cm2,
        f"{prefix}_bmd_change_pct": change.change_pct,
        reason_name: change.reason,
        f"{prefix}_tscore_baseline": change.t_score_baseline,
        f"{prefix}_tscore_month12": change.t_score_month12,
    }


def _lumbar(subject: SubjectResults) -> dict[str, Value]:
    change = subject.bmd_changes["lumbar_spine"]
    row = _site("ls", change, "ls_bmd_reason")
    row["ls_bmd_levels"] = change.levels
    row["ls_bmd_change_exceeds_lsc"] = change.exceeds_lsc
    for visit in Visit:
        results = lumbar_levels(subject.dxa[visit])
        for level in LUMBAR_DXA_LEVELS:
            result = results.get(level)
            stem = level.value.lower()
            row[f"{stem}_bmd_{visit.value}_g_per_cm2"] = result.bmd_g_per_cm2 if result else None
            row[f"{stem}_tscore_{visit.value}"] = result.t_score if result else None
    return row


def lumbar_levels(reports: Sequence[DxaReport]) -> dict[Level, DxaResult]:
    """The accepted result of each of L1-L4 at a visit, without levels that reports contradict."""
    found: dict[Level, DxaResult] = {}
    contradicted: set[Level] = set()
    for report in reports:
        for result in report.results:
            if result.site is not Site.LUMBAR_SPINE or result.state is not ResultState.ACCEPTED:
                continue
            for level in LUMBAR_DXA_LEVELS:
                if result.region != level.value:
                    continue
                earlier = found.setdefault(level, result)
                if earlier.bmd_g_per_cm2 != result.bmd_g_per_cm2:
                    contradicted.add(level)
    return {level: result for level, result in found.items() if level not in contradicted}


def _fractures(summary: FractureSummary) -> dict[str, Value]:
    compared = summary.levels_evaluable_both
    row: dict[str, Value] = {
        "levels_evaluable_both": compared,
        "incident_vf": event_state(summary.any_new, compared).value,
        "new_vf_count": summary.new_count if compared else None,
        "worsening_vf_count": summary.worsening_count if compared else None,
        "multiple_vf": event_state(summary.multiple, compared).value,
        "incident_levels": LIST_SEPARATOR.join(summary.new),
        "sdi_change": summary.sdi_change,
    }
    for visit, index in (
        (Visit.BASELINE, summary.sdi_baseline),
        (Visit.MONTH12, summary.sdi_month12),
    ):
        row[f"sdi_{visit.value}"] = index.value
        row[f"sdi_levels_{visit.value}"] = index.levels_evaluable
        row[f"sdi_partial_{visit.value}"] = index.partial_sum if index.levels_evaluable else None
    return row


def _markers(subject: SubjectResults) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for prefix, short, _ in MARKERS:
        values = {
            time: getattr(subject.clinical, f"{prefix}_{time}", None)
            for time in ("baseline", "m6", "m12")
        }
        for time, value in values.items():
            row[f"{prefix}_{time}"] = value
        for time in ("m6", "m12"):
            row[f"{prefix}_change_{time}_pct"] = marker_change(values["baseline"], values[time])
        row[f"{prefix}_reason"] = _marker_reason(short, values)
    return row


def _marker_reason(short: str, values: dict[str, float | None]) -> str:
    if not any(value is not None for value in values.values()):
        return f"the clinical table has no {short}"
    if values["baseline"] is None:
        return f"no change: {short} at baseline is not in the clinical table"
    missing = [time for time in ("m6", "m12") if values[time] is None]
    return f"no {short} at {' and '.join(missing)} in the clinical table" if missing else ""
