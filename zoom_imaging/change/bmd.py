"""Change of BMD between the visits, over the same regions, or why there is none.

Only results that the densitometry room accepted. Values are in g/cm2; T-scores as printed for
exactly the same regions, never recomputed. Change counts when it reaches the least significant
change for the number of vertebrae (Rosen 2024, 10.1016/j.jocd.2024.101483).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level, Visit
from zoom_imaging.change.comparable import Comparability, compare_exams, convert
from zoom_imaging.change.exam import Exam, NoExam, accepted, choose_exam, density
from zoom_imaging.change.lumbar import (
    TOLERANCE,
    LumbarValue,
    included_levels,
    lumbar_value,
    printed_total,
    without_fractures,
    without_outliers,
)
from zoom_imaging.change.record import BmdChange, VertebraChange
from zoom_imaging.change.regions import levels_label
from zoom_imaging.charter import Charter, DxaRules
from zoom_imaging.dxa.result import DxaReport, DxaResult, Side, Site
from zoom_imaging.query import Query, QueryKind

HIP_SITES = (Site.TOTAL_HIP, Site.FEMORAL_NECK)

SIDE_ORDER = (Side.LEFT, Side.RIGHT, Side.MEAN)
"""With both hips at both visits the left one is compared: usual, and one precision error [D]."""


def lumbar_change(
    baseline: Sequence[DxaReport],
    month12: Sequence[DxaReport],
    changes: Sequence[VertebraChange],
    charter: Charter,
    *,
    subject_id: str = "",
) -> BmdChange:
    """Change of lumbar BMD over the vertebrae that both visits include and no fracture has touched.

    `changes` are those of the films (`compare_films`); levels without one could not be cleared of a
    fracture, stay, and are named in the reason.
    """
    rules = charter.dxa
    exams = {
        visit: choose_exam(
            reports,
            Site.LUMBAR_SPINE,
            visit,
            tolerance_g_per_cm2=rules.region_tolerance_g_per_cm2,
            subject_id=subject_id,
        )
        for visit, reports in ((Visit.BASELINE, baseline), (Visit.MONTH12, month12))
    }
    there = {visit: exam for visit, exam in exams.items() if isinstance(exam, Exam)}
    reasons = [exam.reason for exam in exams.values() if isinstance(exam, NoExam)]
    queries = [
        query for exam in exams.values() if isinstance(exam, NoExam) for query in exam.queries
    ]
    if not there:
        return _nothing(Site.LUMBAR_SPINE, reasons, queries)
    included = {visit: included_levels(exam) for visit, exam in there.items()}
    seen = {level for levels in included.values() for level in levels}
    levels = [
        level
        for level in LUMBAR_DXA_LEVELS
        if all(level in of_visit for of_visit in included.values())
    ]
    if len(there) == 2 and seen - set(levels):
        reasons.append(f"{levels_label(seen - set(levels))} not included at both visits")
    levels, notes = without_fractures(levels, changes, charter.fracture)
    reasons += notes
    levels, notes, asked = without_outliers(levels, there, rules, subject_id)
    reasons += notes
    queries += asked
    left_out = tuple(level for level in LUMBAR_DXA_LEVELS if level in seen - set(levels))
    values: dict[Visit, LumbarValue] = {}
    if len(levels) < rules.minimum_vertebrae:
        reasons.append(
            f"{len(levels)} vertebra{'' if len(levels) == 1 else 'e'} left, "
            f"the charter asks for {rules.minimum_vertebrae}"
        )
    else:
        # The number on the scanner's report, unless one visit's report has no total of these
        # levels: then both visits are computed in the same way.
        as_printed = all(printed_total(exam, levels) is not None for exam in there.values())
        values = {
            visit: lumbar_value(exam, levels, visit, rules, subject_id, as_printed=as_printed)
            for visit, exam in there.items()
        }
    reasons += [value.reason for value in values.values() if value.reason]
    queries += [query for value in values.values() for query in value.queries]
    comparability = Comparability()
    if len(there) == 2:
        comparability = compare_exams(
            there[Visit.BASELINE].report,
            there[Visit.MONTH12].report,
            rules,
            site=Site.LUMBAR_SPINE.value,
            subject_id=subject_id,
            levels=(
                levels_label(included[Visit.BASELINE]),
                levels_label(included[Visit.MONTH12]),
            ),
        )
    first, second = values.get(Visit.BASELINE), values.get(Visit.MONTH12)
    return _change(
        Site.LUMBAR_SPINE,
        levels_label(levels) if values else "",
        values=(first.bmd_g_per_cm2 if first else None, second.bmd_g_per_cm2 if second else None),
        t_scores=(first.t_score if first else None, second.t_score if second else None),
        comparability=comparability,
        reasons=reasons,
        queries=queries,
        rules=rules,
        lsc_g_per_cm2=rules.lsc_g_per_cm2(len(levels)) if values else None,
        excluded=left_out,
        subject_id=subject_id,
    )


def hip_change(
    baseline: Sequence[DxaReport],
    month12: Sequence[DxaReport],
    charter: Charter,
    site: Site,
    *,
    subject_id: str = "",
) -> BmdChange:
    """Change of total hip or femoral neck, the same side at both visits (`SIDE_ORDER`).

    `levels` of the result is the side. The charter has no least significant change for the hip, so
    `exceeds_lsc` stays None. ValueError for another site.
    """
    if site not in HIP_SITES:
        raise ValueError(f"{site.value} is no site of the hip: expected one of {HIP_SITES}")
    rules = charter.dxa
    sides = {
        visit: {result.side for report in reports for result in accepted(report, site)}
        for visit, reports in ((Visit.BASELINE, baseline), (Visit.MONTH12, month12))
    }
    both = sides[Visit.BASELINE] & sides[Visit.MONTH12]
    chosen = {
        visit: next((side for side in SIDE_ORDER if side in (both or of_visit)), Side.NONE)
        for visit, of_visit in sides.items()
    }
    reasons: list[str] = []
    queries: list[Query] = []
    exams: dict[Visit, Exam] = {}
    for visit, reports in ((Visit.BASELINE, baseline), (Visit.MONTH12, month12)):
        side = chosen[visit]
        exam = choose_exam(
            reports,
            site,
            visit,
            tolerance_g_per_cm2=rules.region_tolerance_g_per_cm2,
            subject_id=subject_id,
            keep=lambda result, side=side: result.side is side,  # type: ignore[misc]
        )
        if isinstance(exam, Exam):
            exams[visit] = exam
        else:
            reasons.append(exam.reason)
            queries += exam.queries
    if not exams:
        return _nothing(site, reasons, queries)
    comparability = Comparability()
    if len(exams) == 2:
        comparability = compare_exams(
            exams[Visit.BASELINE].report,
            exams[Visit.MONTH12].report,
            rules,
            site=site.value,
            subject_id=subject_id,
        )
        side_fault = _side_fault(chosen[Visit.BASELINE], chosen[Visit.MONTH12])
        if side_fault:
            comparability = Comparability(
                (
                    *comparability.queries,
                    Query(
                        QueryKind.DXA_NOT_COMPARABLE,
                        subject_id,
                        f"{site.value.replace('_', ' ')}: which side was measured at both visits?",
                        side_fault,
                    ),
                ),
                side_fault,
                comparability.remarks,
            )
    results: dict[Visit, DxaResult] = {visit: exam.results[0] for visit, exam in exams.items()}
    first, second = results.get(Visit.BASELINE), results.get(Visit.MONTH12)
    return _change(
        site,
        _sides_label([chosen[visit] for visit in exams]),
        values=(density(first) if first else None, density(second) if second else None),
        t_scores=(first.t_score if first else None, second.t_score if second else None),
        comparability=comparability,
        reasons=reasons,
        queries=queries,
        rules=rules,
        subject_id=subject_id,
    )


def _side_fault(first: Side, second: Side) -> str:
    if first is not second:
        return f"another side at each visit ({first.value or 'not stated'}, then " + (
            f"{second.value or 'not stated'})"
        )
    return "" if first is not Side.NONE else "the reports do not say which side was measured"


def _sides_label(sides: Collection[Side]) -> str:
    return " | ".join(dict.fromkeys(side.value or "side not stated" for side in sides))


def _change(
    site: Site,
    label: str,
    *,
    values: tuple[float | None, float | None],
    t_scores: tuple[float | None, float | None],
    comparability: Comparability,
    reasons: Sequence[str],
    queries: Sequence[Query],
    rules: DxaRules,
    lsc_g_per_cm2: float | None = None,
    excluded: tuple[Level, ...] = (),
    subject_id: str,
) -> BmdChange:
    before, after = values
    notes = [*reasons, *comparability.remarks]
    asked = [*queries, *comparability.queries]
    change_pct: float | None = None
    exceeds: bool | None = None
    if comparability.blocked:
        notes.append(f"no change: {comparability.blocked}")
    elif before is not None and after is not None:
        before = convert(before, comparability.convert_baseline)
        after = convert(after, comparability.convert_month12)
        change_pct = 100 * (after - before) / before
        if comparability.converted:
            notes.append("no least significant change across scanners")
        elif lsc_g_per_cm2 is not None:
            exceeds = abs(after - before) >= lsc_g_per_cm2 - TOLERANCE
        if abs(change_pct) > rules.implausible_change_pct + TOLERANCE:
            asked.append(
                Query(
                    kind=QueryKind.DXA_IMPLAUSIBLE,
                    subject_id=subject_id,
                    question=(
                        f"{site.value.replace('_', ' ')}: BMD changed by more than "
                        f"{rules.implausible_change_pct:g} %: is it right?"
                    ),
                    values=f"{label}: {before:.3f}, then {after:.3f} g/cm2 ({change_pct:+.1f} %)",
                )
            )
    return BmdChange(
        site=site.value,
        levels=label,
        baseline_g_per_cm2=before,
        month12_g_per_cm2=after,
        change_pct=change_pct,
        exceeds_lsc=exceeds,
        reason="; ".join(notes),
        t_score_baseline=t_scores[0],
        t_score_month12=t_scores[1],
        excluded_levels=excluded,
        queries=tuple(dict.fromkeys(asked)),
    )


def _nothing(site: Site, reasons: Sequence[str], queries: Sequence[Query]) -> BmdChange:
    return BmdChange(
        site=site.value,
        levels="",
        baseline_g_per_cm2=None,
        month12_g_per_cm2=None,
        change_pct=None,
        exceeds_lsc=None,
        reason="; ".join(reasons),
        queries=tuple(queries),
    )
