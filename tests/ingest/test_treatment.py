"""What was given, and what must be asked about it."""

from __future__ import annotations

from datetime import date

import pytest

from zoom_imaging.anatomy import Arm
from zoom_imaging.ingest.clinical import ClinicalRow
from zoom_imaging.query import QueryKind

ONCE, TWICE, REPLACED = Arm.ONCE, Arm.TWICE, Arm.ONCE_THEN_RISEDRONATE
DAY = date(2025, 7, 15)


@pytest.mark.parametrize(
    ("planned", "zol2", "dose", "actual"),
    [
        (ONCE, None, "", ONCE),
        (ONCE, None, "none", ONCE),
        (ONCE, DAY, "", None),
        (ONCE, None, "zoledronic_acid", None),
        (ONCE, None, "risedronate", None),
        (TWICE, DAY, "", TWICE),
        (TWICE, None, "zoledronic_acid", TWICE),
        (TWICE, DAY, "Zoledronic acid", TWICE),
        (TWICE, None, "졸레드론산", TWICE),
        (TWICE, None, "risedronate", REPLACED),
        (TWICE, None, "Risedronate", REPLACED),
        (TWICE, None, "리세드로네이트", REPLACED),
        (TWICE, DAY, "risedronate", None),
        (TWICE, DAY, "none", None),
        (TWICE, None, "none", None),
        (TWICE, None, "", None),
        (TWICE, DAY, "alendronate", None),
        (None, DAY, "", None),
    ],
)
def test_the_actual_arm_is_never_taken_from_the_plan(charter, planned, zol2, dose, actual):
    row = ClinicalRow("A", planned, zol2_date=zol2, second_dose=dose)
    assert row.arm_actual is actual
    assert bool(row.questions(charter)) == (actual is None)


@pytest.mark.parametrize(
    ("planned", "years", "word"),
    [
        (ONCE, 1.9, None),
        (TWICE, 3.0, None),
        (ONCE, 2.5, "exactly"),
        (TWICE, 2.5, "exactly"),
        (ONCE, 3.0, "contradicts"),
        (TWICE, 1.0, "contradicts"),
        (ONCE, None, None),
    ],
)
def test_exposure_and_arm_must_agree(charter, planned, years, word):
    dose = "zoledronic_acid" if planned is TWICE else ""
    asked = ClinicalRow("A", planned, years, second_dose=dose).questions(charter)
    assert [query.kind for query in asked] == ([QueryKind.TREATMENT] if word else [])
    assert all(word in query.question for query in asked)


def test_the_second_infusion_comes_after_the_first(charter):
    row = ClinicalRow("A", TWICE, zol1_date=DAY, zol2_date=date(2025, 1, 1))
    (asked,) = row.questions(charter)
    assert "not later" in asked.question
