"""The answer says who stands behind it and what is assumed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoom_imaging.change.record import BmdChange
from zoom_imaging.endpoints.analysis.answer import trial_answer
from zoom_imaging.endpoints.status import EndpointStatus

from ..conftest import NO_BMD, subject, trial

PROVISIONAL, ONCE, FINAL = EndpointStatus
BMD = NO_BMD | {
    "lumbar_spine": BmdChange("lumbar_spine", "L1-L4", 0.8, 0.78, -2.5, False, ""),
}


def answer(*statuses, outside=()):
    compared = [subject(status=status, bmd_changes=BMD) for status in statuses]
    others = [subject(status=status) for status in outside]
    return trial_answer(trial(*compared, *others))


@pytest.mark.parametrize(
    ("statuses", "outside", "standing"),
    [
        ((PROVISIONAL, PROVISIONAL), (), "provisional: readings of the model"),
        ((PROVISIONAL,), (FINAL,), "provisional: readings of the model"),
        (
            (FINAL, ONCE, PROVISIONAL),
            (),
            "provisional: of 3 subjects of the full set 1 are final, 1 were read once, 1 by the",
        ),
        ((FINAL, FINAL), (PROVISIONAL,), "final: readings of radiologists"),
        ((), (FINAL,), "provisional"),
    ],
)
def test_the_answer_is_final_only_when_the_whole_set_is(statuses, outside, standing):
    found = answer(*statuses, outside=outside)
    assert found["standing"].startswith(standing)
    assert sum(found["subjects_by_status"]["all"].values()) == len(statuses) + len(outside)
    assert found["subjects_by_status"]["full_set"] == {
        status.value: statuses.count(status) for status in EndpointStatus
    }


@pytest.mark.parametrize("assumed", [True, False])
def test_whether_the_margin_is_assumed_is_the_charters_word(assumed):
    plain = trial()
    rules = plain.charter.analysis.model_copy(update={"margin_is_assumed": assumed})
    charter = plain.charter.model_copy(update={"analysis": rules})
    assert trial_answer(replace(plain, charter=charter))["margin_is_assumed"] is assumed
