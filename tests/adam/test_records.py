"""What the analyst finds in the datasets, and what stays null with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.adam.datasets import level_code
from zoom_imaging.adam.records import (
    bmd_records,
    fracture_records,
    marker_records,
    relative_day,
    subject_records,
)
from zoom_imaging.anatomy import Arm, Grade, GradeSource, Level, Visit
from zoom_imaging.endpoints.results import TrialResults
from zoom_imaging.endpoints.status import EndpointStatus

from .conftest import START, subject, trial_of


def one(records, **wanted):
    (found,) = (r for r in records if all(r[name] == value for name, value in wanted.items()))
    return found


@pytest.mark.parametrize(
    ("day", "expected"),
    [(START, 1), (date(2024, 3, 11), -1), (date(2025, 3, 12), 366), (None, None)],
)
def test_there_is_no_day_zero(day, expected):
    assert relative_day(day, START) == expected


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_days_rise_with_dates_and_skip_zero(day):
    found = relative_day(day, START)
    assert found != 0
    assert (found or 0) > 0 if day >= START else (found or 0) < 0


def test_populations_follow_treatment_and_data(trial: TrialResults):
    found = {r["SUBJID"]: (r["FASFL"], r["PPROTFL"], r["FXEVALFL"]) for r in subject_records(trial)}
    assert found == {
        "001": ("Y", "Y", "Y"),
        "002": ("Y", "Y", "N"),
        "003": ("Y", "N", "N"),
        "004": ("Y", "N", "Y"),
        "0=5": ("N", "N", "Y"),
    }
    risedronate = one(subject_records(trial), SUBJID="004")
    assert risedronate["TRT01P"] == "Zoledronic acid twice"
    assert risedronate["TRT01A"] == "Zoledronic acid once, then risedronate"


def test_the_change_of_bmd_is_of_the_same_vertebrae_and_points_to_its_report(trial: TrialResults):
    records = list(bmd_records(trial))
    found = one(records, USUBJID="ZOOM-001", PARAMCD="LSBMD", AVISIT="MONTH 12")
    assert found["BASE"] == 0.8
    assert found["PCHG"] == pytest.approx(-3.0)
    assert (found["CRIT1FL"], found["ANL01FL"], found["ABLFL"]) == ("N", "Y", None)
    assert (found["ADT"], found["ADY"]) == (date(2025, 3, 10), 364)
    assert (found["LEVELS"], found["SRCUID"]) == ("L1-L4", "1.2.3.1")
    baseline = one(records, USUBJID="ZOOM-001", PARAMCD="LSBMD", AVISIT="BASELINE")
    assert (baseline["ABLFL"], baseline["CHG"], baseline["ADY"]) == ("Y", None, -6)


def test_without_follow_up_there_is_no_change_but_a_reason(trial: TrialResults):
    found = one(bmd_records(trial), USUBJID="ZOOM-003", PARAMCD="LSBMD", AVISIT="MONTH 12")
    assert (found["AVAL"], found["BASE"], found["CHG"], found["PCHG"]) == (None,) * 4
    assert found["ANL01FL"] is None
    assert "no accepted lumbar report" in found["REASON"]
    level = one(bmd_records(trial), USUBJID="ZOOM-003", PARAMCD="L2BMD", AVISIT="MONTH 12")
    assert level["REASON"] == "no accepted BMD of L2 at this visit"


def test_new_and_worsening_are_told_apart_and_a_hidden_level_is_neither(trial: TrialResults):
    records = [r for r in fracture_records(trial) if r["USUBJID"] == "ZOOM-002"]

    def flags(level):
        found = one(records, PARAMCD=level_code(level), AVISIT="MONTH 12")
        return found["CRIT1FL"], found["CRIT2FL"], found["AVAL"]

    assert flags(Level.T8) == ("Y", "N", 2.0)
    assert flags(Level.T12) == ("N", "Y", 3.0)
    assert flags(Level.L1) == ("N", "N", 0.0)
    assert flags(Level.T4) == (None, None, 0.0)
    hidden = one(records, PARAMCD="SQT04", AVISIT="BASELINE")
    assert (hidden["AVAL"], hidden["AVALC"]) == (None, "not_evaluable")
    assert (hidden["STATE"], hidden["REASON"]) == ("obscured", "hidden by a shoulder")


def test_no_event_is_said_only_when_all_levels_were_seen(trial: TrialResults):
    records = list(fracture_records(trial))

    def event(name, code):
        found = one(records, USUBJID=f"ZOOM-{name}", PARAMCD=code)
        return found["AVAL"], found["AVALC"], found["REASON"]

    assert event("001", "INCVF") == (0.0, "NO", None)
    assert event("002", "INCVF") == (1.0, "YES", None)
    assert event("002", "MVF") == (1.0, "YES", None)
    value, state, reason = event("003", "INCVF")
    assert (value, state) == (None, "UNDETERMINED")
    assert reason == "no event among 12 levels compared"
    sdi = one(records, USUBJID="ZOOM-003", PARAMCD="SDI", AVISIT="BASELINE")
    assert (sdi["AVAL"], sdi["REASON"]) == (None, "12 of 13 levels have a grade")


def test_nothing_can_be_compared_is_its_own_state():
    gone = dict.fromkeys(Level, (Grade.NOT_EVALUABLE, Grade.NORMAL))
    records = list(fracture_records(trial_of(subject("009", grades=gone))))
    for code in ("INCVF", "MVF", "NWVF", "WSVF"):
        found = one(records, PARAMCD=code)
        assert found["AVAL"] is None
        assert found["REASON"] == "no level is evaluable at both visits"


def test_markers_have_no_change_without_a_baseline(trial: TrialResults):
    records = list(marker_records(trial))
    month6 = one(records, USUBJID="ZOOM-001", PARAMCD="CTX", AVISIT="MONTH 6")
    assert (month6["AVAL"], month6["BASE"], month6["PCHG"]) == (0.31, None, None)
    baseline = one(records, USUBJID="ZOOM-001", PARAMCD="CTX", AVISIT="BASELINE")
    assert (baseline["AVAL"], baseline["REASON"]) == (None, "not in the clinical table")
    with_base = trial_of(subject("007", Arm.ONCE, ctx_baseline=0.5, ctx_m12=0.25))
    month12 = one(marker_records(with_base), PARAMCD="CTX", AVISIT="MONTH 12")
    assert month12["PCHG"] == pytest.approx(-50.0)


def test_who_gave_a_grade_and_who_stands_behind_a_subject():
    plain = subject("010", grades={Level.T4: (Grade.NOT_EVALUABLE, Grade.NORMAL)})
    read = {
        visit: tuple(
            replace(one, grade_source=GradeSource.ADJUDICATOR) if one.level is Level.T8 else one
            for one in plain.vertebrae[visit]
        )
        for visit in Visit
    }
    final = replace(plain, subject_id="011", vertebrae=read, status=EndpointStatus.FINAL)
    found = trial_of(plain, final)
    assert [record["STATUS"] for record in subject_records(found)] == ["provisional", "final"]
    records = list(fracture_records(found))

    def source(name, code):
        return one(records, USUBJID=name, PARAMCD=code, AVISIT="BASELINE")["GRADESRC"]

    assert source("ZOOM-010", "SQT08") == "model"
    assert source("ZOOM-010", "SQT04") is None
    assert source("ZOOM-011", "SQT08") == "adjudicator"
    assert source("ZOOM-011", "SDI") is None
