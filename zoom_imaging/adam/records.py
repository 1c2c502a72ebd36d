"""Records of the ADaM datasets from the results of a run; every missing value has its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from zoom_imaging.adam.datasets import (
    ARMS,
    BMD_PARAMETERS,
    FRACTURE_PARAMETERS,
    MARKER_PARAMETERS,
    level_code,
)
from zoom_imaging.anatomy import GRADED_LEVELS, LUMBAR_DXA_LEVELS, Visit
from zoom_imaging.change.record import ChangeKind
from zoom_imaging.dxa.result import DxaReport, ResultState, Site
from zoom_imaging.endpoints.results import SubjectResults, TrialResults
from zoom_imaging.endpoints.status import grade_source
from zoom_imaging.endpoints.subjects import event_state, lumbar_levels

Value = str | float | int | date | None
Record = Mapping[str, Value]

_MONTHS = {"BASELINE": 0, "MONTH 6": 6, "MONTH 12": 12}
_VISITS = {Visit.BASELINE: "BASELINE", Visit.MONTH12: "MONTH 12"}
_SITES = (
    ("LS", "lumbar_spine", Site.LUMBAR_SPINE),
    ("TH", "total_hip", Site.TOTAL_HIP),
    ("FN", "femoral_neck", Site.FEMORAL_NECK),
)
_LSC_CRITERION = "|CHG| >= least significant change"
_NEW_CRITERION = "New fracture: grade 0 to 1 or more"
_WORSE_CRITERION = "Worsening: one grade more from grade 1 or 2"
_LONGEST_TEXT = 200


def subject_records(trial: TrialResults) -> Iterator[Record]:
    """ADSL."""
    return (_subject(trial, subject) for subject in trial.subjects)


def bmd_records(trial: TrialResults) -> Iterator[Record]:
    """ADBMD."""
    return (one for subject in trial.subjects for one in _bmd(trial, subject))


def fracture_records(trial: TrialResults) -> Iterator[Record]:
    """ADVFX."""
    return (one for subject in trial.subjects for one in _fractures(trial, subject))


def marker_records(trial: TrialResults) -> Iterator[Record]:
    """ADBTM."""
    return (one for subject in trial.subjects for one in _markers(trial, subject))


def relative_day(day: date | None, start: date | None) -> int | None:
    """ADY: day 1 is the first exposure, day -1 the day before it."""
    if day is None or start is None:
        return None
    days = (day - start).days
    return days + 1 if days >= 0 else days


def _identity(trial: TrialResults, subject: SubjectResults) -> dict[str, Value]:
    study = trial.charter.trial.name
    return {
        "STUDYID": study,
        "USUBJID": f"{study}-{subject.subject_id}",
        "TRT01P": ARMS[subject.arm_planned] if subject.arm_planned else None,
        "TRT01A": ARMS[subject.arm_actual] if subject.arm_actual else None,
    }


def _start(subject: SubjectResults) -> date | None:
    return subject.clinical.zol1_date if subject.clinical else None


def _subject(trial: TrialResults, subject: SubjectResults) -> Record:
    clinical = subject.clinical
    all_levels = subject.fractures.levels_evaluable_both == len(GRADED_LEVELS)
    return _identity(trial, subject) | {
        "SUBJID": subject.subject_id,
        "TRTSDT": _start(subject),
        "ZOL2DT": clinical.zol2_date if clinical else None,
        "DOSE2": (clinical.second_dose or None) if clinical else None,
        "DENOSYR": clinical.denosumab_years if clinical else None,
        "FASFL": _yes_no(subject.in_full_set),
        "PPROTFL": _yes_no(subject.in_per_protocol_set),
        "FXEVALFL": _yes_no(all_levels),
        "STATUS": subject.status.value,
    }


def _at(parameters: Mapping[str, str], code: str, visit: str) -> dict[str, Value]:
    return {
        "PARAM": parameters[code],
        "PARAMCD": code,
        "AVISIT": visit,
        "AVISITN": _MONTHS[visit],
    }


def _values(visit: str, value: float | None, base: float | None) -> dict[str, Value]:
    """AVAL, BASE and the changes; nothing is carried back or forward."""
    first = visit == "BASELINE"
    change = None if first or value is None or base is None else value - base
    return {
        "AVAL": value,
        "BASE": base,
        "CHG": change,
        "PCHG": 100 * change / base if change is not None and base else None,
        "ABLFL": "Y" if first and value is not None else None,
    }


def _short(text: str) -> str | None:
    return text[:_LONGEST_TEXT] or None


def _bmd(trial: TrialResults, subject: SubjectResults) -> Iterator[Record]:
    identity, start = _identity(trial, subject), _start(subject)
    for prefix, key, site in _SITES:
        change = subject.bmd_changes[key]
        for visit in Visit:
            report = _report_of(subject.dxa[visit], site)
            day = report.scan_date if report else None
            first = visit is Visit.BASELINE
            name = _VISITS[visit]
            common = identity | {
                "ADT": day,
                "ADY": relative_day(day, start),
                "LEVELS": change.levels or None,
                "SRCUID": report.sop_instance_uid if report else None,
                "CRIT1": None,
                "CRIT1FL": None,
                "ANL01FL": "Y" if change.change_pct is not None else None,
            }
            value = change.baseline_g_per_cm2 if first else change.month12_g_per_cm2
            comparable = change.change_pct is not None
            base = change.baseline_g_per_cm2 if first or comparable else None
            record = common | _at(BMD_PARAMETERS, f"{prefix}BMD", name) | _values(name, value, base)
            missing = value is None or (not first and not comparable)
            record["REASON"] = _short(change.reason) if missing else None
            if prefix == "LS" and not first:
                record["CRIT1"] = _LSC_CRITERION
                record["CRIT1FL"] = _yes_no(change.exceeds_lsc)
            yield record
            score = change.t_score_baseline if first else change.t_score_month12
            base_score = change.t_score_baseline if first or comparable else None
            yield (
                common
                | _at(BMD_PARAMETERS, f"{prefix}TSC", name)
                | _values(name, score, base_score)
                | {"REASON": _short(change.reason or "no T-score of it") if score is None else None}
            )
    yield from _vertebrae(subject, identity, start)


def _vertebrae(
    subject: SubjectResults, identity: Mapping[str, Value], start: date | None
) -> Iterator[Record]:
    """L1BMD ... L4BMD of the accepted reports, also where a total leaves the vertebra out."""
    found = {visit: lumbar_levels(subject.dxa[visit]) for visit in Visit}
    for level in LUMBAR_DXA_LEVELS:
        first = found[Visit.BASELINE].get(level)
        base = first.bmd_g_per_cm2 if first else None
        for visit in Visit:
            report = _report_of(subject.dxa[visit], Site.LUMBAR_SPINE)
            day = report.scan_date if report else None
            result = found[visit].get(level)
            value = result.bmd_g_per_cm2 if result else None
            yield (
                dict(identity)
                | _at(BMD_PARAMETERS, f"{level.value}BMD", _VISITS[visit])
                | _values(_VISITS[visit], value, base)
                | {
                    "ADT": day,
                    "ADY": relative_day(day, start),
                    "ANL01FL": None,
                    "CRIT1": None,
                    "CRIT1FL": None,
                    "LEVELS": level.value,
                    "REASON": None
                    if value is not None
                    else f"no accepted BMD of {level.value} at this visit",
                    "SRCUID": report.sop_instance_uid if report else None,
                }
            )


def _report_of(reports: tuple[DxaReport, ...], site: Site) -> DxaReport | None:
    """The report with an accepted result of a site."""
    for report in reports:
        for result in report.results:
            if result.site is site and result.state is ResultState.ACCEPTED:
                return report
    return None


def _yes_no(value: bool | None) -> str | None:
    return None if value is None else ("Y" if value else "N")


def _fractures(trial: TrialResults, subject: SubjectResults) -> Iterator[Record]:
    identity, start = _identity(trial, subject), _start(subject)
    blank: dict[str, Value] = dict.fromkeys(
        ("ADT", "ADY", "AVALC", "CRIT1", "CRIT1FL", "CRIT2", "CRIT2FL", "STATE", "REASON")
    )
    blank |= {"SRCUID": None, "GRADESRC": None, "ANL01FL": None}
    changes = {change.level: change for change in subject.changes}
    at = {visit: {one.level: one for one in subject.vertebrae[visit]} for visit in Visit}
    for level in GRADED_LEVELS:
        code, change = level_code(level), changes.get(level)
        grades = {}
        for visit in Visit:
            reading = at[visit].get(level)
            graded = reading is not None and reading.grade.is_numeric
            grades[visit] = reading.grade.number if reading is not None and graded else None
        for visit in Visit:
            name, reading = _VISITS[visit], at[visit].get(level)
            values = _values(name, grades[visit], grades[Visit.BASELINE])
            record = blank | identity | _at(FRACTURE_PARAMETERS, code, name) | values
            record["PCHG"] = None
            record["AVALC"] = reading.grade.value if reading else "not_evaluable"
            record["STATE"] = reading.state.value if reading else "not_imaged"
            record["REASON"] = (
                None
                if grades[visit] is not None
                else _short((reading.reason if reading else "") or "no film of this visit")
            )
            record["SRCUID"] = (reading.sop_instance_uid or None) if reading else None
            said_by = grade_source(reading) if reading else None
            record["GRADESRC"] = said_by.value if said_by else None
            if visit is Visit.MONTH12:
                known = change is not None and change.kind is not ChangeKind.NOT_EVALUABLE
                kind = change.kind if change is not None else None
                record["CRIT1"], record["CRIT2"] = _NEW_CRITERION, _WORSE_CRITERION
                record["CRIT1FL"] = _yes_no(kind is ChangeKind.NEW) if known else None
                record["CRIT2FL"] = _yes_no(kind is ChangeKind.WORSENING) if known else None
                record["ANL01FL"] = "Y" if known else None
            yield record
    yield from _summary(subject, identity, blank, start)


def _summary(
    subject: SubjectResults,
    identity: Mapping[str, Value],
    blank: Mapping[str, Value],
    start: date | None,
) -> Iterator[Record]:
    found = subject.fractures
    compared = found.levels_evaluable_both
    indices = {Visit.BASELINE: found.sdi_baseline, Visit.MONTH12: found.sdi_month12}

    def record(
        code: str, visit: Visit, value: float | None, base: float | None
    ) -> dict[str, Value]:
        name = _VISITS[visit]
        made = dict(blank) | dict(identity) | _at(FRACTURE_PARAMETERS, code, name)
        made |= _values(name, value, base)
        made["PCHG"] = None
        made["AVALC"] = None if value is None else f"{value:g}"
        return made

    for visit, index in indices.items():
        sdi = record("SDI", visit, index.value, found.sdi_baseline.value)
        if index.value is None:
            sdi["REASON"] = f"{index.levels_evaluable} of 13 levels have a grade"
        yield sdi
        yield record("NEVALV", visit, index.levels_evaluable, found.sdi_baseline.levels_evaluable)
    month12 = Visit.MONTH12
    why = None if compared else "no level is evaluable at both visits"
    yield record("NEVALB", month12, compared, None)
    for code, count in (("NWVF", found.new_count), ("WSVF", found.worsening_count)):
        yield record(code, month12, count if compared else None, None) | {"REASON": why}
    for code, happened in (("INCVF", found.any_new), ("MVF", found.multiple)):
        state = event_state(happened, compared)
        event = record(code, month12, None if happened is None else float(happened), None)
        event["AVALC"] = state.value.upper()
        if happened is None:
            event["REASON"] = why or f"no event among {compared} levels compared"
        yield event


def _markers(trial: TrialResults, subject: SubjectResults) -> Iterator[Record]:
    identity = _identity(trial, subject)
    for code in MARKER_PARAMETERS:
        stem = code.lower()
        times = {"BASELINE": "baseline", "MONTH 6": "m6", "MONTH 12": "m12"}
        values = {
            visit: getattr(subject.clinical, f"{stem}_{time}", None)
            for visit, time in times.items()
        }
        for visit, value in values.items():
            made = _values(visit, value, values["BASELINE"])
            yield (
                identity
                | _at(MARKER_PARAMETERS, code, visit)
                | made
                | {"REASON": None if value is not None else "not in the clinical table"}
            )
