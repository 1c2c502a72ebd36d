"""Every branch of the rule for one level, and its thresholds met exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.anatomy import Grade, Level, VertebraState
from zoom_imaging.change.record import ChangeKind
from zoom_imaging.change.vertebra import (
    HeightPair,
    probability_of_incident,
    step_probability,
    vertebra_change,
)
from zoom_imaging.charter import load_charter
from zoom_imaging.morphometry.heights import Triple

RULES = load_charter().fracture
BEFORE = (25.0, 24.0, 26.0)
FALLEN = (18.0, 20.0, 25.5)
"""Ha by 28 % and 7 mm."""


def compare(before, after, *, calibrated=True, rules=RULES, heights=None):
    return vertebra_change(before, after, calibrated, rules, flag_probability=0.3, heights=heights)


@pytest.mark.parametrize(
    ("before", "after", "fallen", "kind", "morphometric", "confirmed"),
    [
        ("0", "0", False, "none", False, False),
        ("0", "0", True, "none", True, False),
        ("0", "1", True, "new", True, True),
        ("0", "1", False, "new", False, False),
        ("0", "3", True, "new", True, True),
        ("1", "1", False, "none", False, False),
        ("1", "2", True, "worsening", True, True),
        ("1", "3", False, "worsening", False, False),
        ("2", "3", True, "worsening", True, True),
        ("2", "2", False, "none", False, False),
        ("3", "3", False, "ceiling", False, False),
        ("3", "3", True, "ceiling", True, False),
        ("1", "0", False, "improved", False, False),
        ("3", "2", False, "improved", False, False),
        ("2", "0.5", False, "improved", False, False),
        ("0", "0.5", True, "none", True, False),
        ("0.5", "0", False, "none", False, False),
        ("0.5", "0.5", False, "none", False, False),
        ("0.5", "1", True, "new", True, True),
        ("0.5", "1", False, "none", False, False),
        ("0.5", "3", False, "none", False, False),
    ],
)
def test_kind_and_agreement(*, read, before, after, fallen, kind, morphometric, confirmed):
    change = compare(read("T8", before, BEFORE), read("T8", after, FALLEN if fallen else BEFORE))
    assert change.kind is ChangeKind(kind)
    assert (change.morphometric, change.confirmed) == (morphometric, confirmed)
    assert (change.grade_baseline, change.grade_month12) == (Grade(before), Grade(after))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [("0.5", "1", "none"), ("0.5", "2", "worsening"), ("0", "0.5", "new"), ("1", "0.5", "none")],
)
def test_a_charter_that_counts_borderline_as_mild(read, before, after, kind):
    as_mild = RULES.model_copy(update={"borderline_counts_as": "1"})
    change = compare(read("T8", before, BEFORE), read("T8", after, BEFORE), rules=as_mild)
    assert change.kind is ChangeKind(kind)


def test_from_borderline_without_heights_nothing_can_be_told(read):
    change = compare(read("T8", "0.5", None), read("T8", "1", None))
    assert change.kind is ChangeKind.NOT_EVALUABLE
    assert "0.5" in change.reason
    assert change.confirmed is None
    assert change.p_incident is None


@pytest.mark.parametrize("state", [s for s in VertebraState if s is not VertebraState.EVALUABLE])
@pytest.mark.parametrize("visit", ["baseline", "month 12"])
def test_not_evaluable_at_one_visit_is_never_no_change(read, state, visit):
    good = read("T8", "2", BEFORE)
    spoiled = read("T8", "not_evaluable", FALLEN, state=state)
    pair = (spoiled, good) if visit == "baseline" else (good, spoiled)
    change = compare(*pair)
    assert change.kind is ChangeKind.NOT_EVALUABLE
    assert visit in change.reason
    assert state.value in change.reason
    assert (change.morphometric, change.confirmed, change.p_incident) == (None, None, None)
    assert change.height_change_max_pct is not None, "heights that are there are still compared"
    assert not change.flagged
    grades = {change.grade_baseline, change.grade_month12}
    assert grades == {Grade.MODERATE, Grade.NOT_EVALUABLE}


@pytest.mark.parametrize("grade", ["indeterminate", "not_evaluable"])
def test_a_grade_that_is_no_number_is_not_evaluable(read, grade):
    change = compare(read("T8", "0"), read("T8", grade))
    assert change.kind is ChangeKind.NOT_EVALUABLE
    assert grade in change.reason


def test_a_number_beside_a_state_that_is_not_evaluable_is_not_believed(read):
    change = compare(read("T8", "0"), read("T8", "2", state=VertebraState.OBSCURED))
    assert change.kind is ChangeKind.NOT_EVALUABLE
    assert change.grade_month12 is Grade.NOT_EVALUABLE


@pytest.mark.parametrize(
    ("before", "after", "calibrated", "morphometric"),
    [
        # Exactly 20 % and exactly 4 mm of one height.
        ((20.0, 30.0, 30.0), (16.0, 30.0, 30.0), True, True),
        # 20 % of a low body is less than 4 mm.
        ((19.0, 30.0, 30.0), (15.2, 30.0, 30.0), True, False),
        ((19.0, 30.0, 30.0), (15.2, 30.0, 30.0), False, True),
        # 4 mm of a high body is less than 20 %.
        ((30.0, 30.0, 30.0), (25.9, 30.0, 30.0), True, False),
        # 20 % of one height and 4 mm of another do not add up.
        ((15.0, 30.0, 30.0), (12.0, 25.9, 30.0), True, False),
        # Middle and posterior height count alike.
        ((30.0, 25.0, 30.0), (30.0, 20.0, 30.0), True, True),
        ((30.0, 30.0, 25.0), (30.0, 30.0, 20.0), True, True),
        # A gain is no loss.
        ((20.0, 20.0, 20.0), (30.0, 30.0, 30.0), True, False),
        # 1 - 0.8 in binary.
        ((1.0, 1.0, 1.0), (0.8, 1.0, 1.0), False, True),
        ((10.0, 10.0, 10.0), (8.01, 10.0, 10.0), False, False),
    ],
)
def test_twenty_per_cent_and_four_millimetres(read, before, after, calibrated, morphometric):
    change = compare(read("T8", "0", before), read("T8", "0", after), calibrated=calibrated)
    assert change.morphometric is morphometric
    assert (change.height_change_max_mm is None) is not calibrated
    assert ("4 mm rule is not applied" in change.reason) is not calibrated


@given(
    height=st.floats(8, 40),
    loss=st.floats(0, 0.6),
)
def test_the_height_rule_for_any_height(height, loss):
    pair = HeightPair(Triple(height, 30, 30), Triple(height * (1 - loss), 30, 30), in_mm=True)
    fraction, mm = loss >= 0.20 - 1e-9, height * loss >= 4.0 - 1e-9
    near = abs(loss - 0.20) < 1e-6 or abs(height * loss - 4.0) < 1e-6
    assert near or pair.morphometric(RULES) is (fraction and mm)


@given(height=st.floats(20, 60))
def test_a_loss_of_exactly_a_fifth_counts_for_every_height(height):
    pair = HeightPair(Triple(height, 30, 30), Triple(height * 0.8, 30, 30), in_mm=True)
    assert pair.morphometric(RULES)


def test_largest_loss_is_signed_and_from_baseline(read):
    change = compare(read("T8", "0", (20, 20, 20)), read("T8", "0", (21, 22, 20.5)))
    assert change.height_change_max_pct == pytest.approx(-2.5)
    assert change.height_change_max_mm == pytest.approx(-0.5)
    change = compare(read("T8", "0", (20, 25, 20)), read("T8", "0", (18, 24, 20)))
    assert change.height_change_max_pct == pytest.approx(10)
    assert change.height_change_max_mm == pytest.approx(2)


def test_scales_that_cannot_be_compared_decide_nothing(read):
    pair = HeightPair(Triple(*BEFORE), Triple(*FALLEN), False, comparable=False, remark="no scale")
    change = compare(read("T8", "0"), read("T8", "1"), heights=pair)
    assert change.kind is ChangeKind.NEW
    assert (change.morphometric, change.confirmed) == (None, None)
    assert change.height_change_max_pct == pytest.approx(28)
    assert "no scale" in change.reason
    borderline = compare(read("T8", "0.5"), read("T8", "1"), heights=pair)
    assert borderline.kind is ChangeKind.NOT_EVALUABLE


def test_without_heights_the_grades_still_speak(read):
    change = compare(read("T8", "0", None), read("T8", "2", None))
    assert change.kind is ChangeKind.NEW
    assert (change.morphometric, change.confirmed, change.height_change_max_pct) == (None,) * 3
    assert "heights cannot be compared" in change.reason
    assert change.flagged


@pytest.mark.parametrize(
    ("before", "after", "fallen", "words"),
    [
        ("0", "1", False, "semiquantitative only"),
        ("0", "1", True, "confirmed by the height change"),
        ("0", "0", True, "morphometric only"),
        ("3", "3", False, "cannot worsen"),
        ("2", "1", False, "does not heal"),
        ("0.5", "1", False, "needs a 20% loss"),
    ],
)
def test_the_reason_says_which_criteria_agree(read, before, after, fallen, words):
    change = compare(read("T8", before, BEFORE), read("T8", after, FALLEN if fallen else BEFORE))
    assert words in change.reason


def test_a_step_over_a_threshold_by_noise_is_new_and_called_what_it_is(read):
    """19.5 % to 20.5 %: new by the rule, improbable by everything else, and flagged."""
    noise = {"p_grades": (0.55, 0.35, 0.10, 0.0)}
    before = read("T8", "0", (20.0, 23, 25))
    after = read("T8", "1", (19.8, 23, 25))
    before, after = (type(before)(**{**vars(r), **noise}) for r in (before, after))
    change = compare(before, after)
    assert change.kind is ChangeKind.NEW
    assert change.confirmed is False
    assert "semiquantitative only" in change.reason
    assert "1.0 %" in change.reason
    assert change.p_incident < 0.05
    assert change.flagged


def test_nothing_to_say_about_a_vertebra_that_stays_normal(read):
    change = compare(read("T8", "0"), read("T8", "0"))
    assert change.reason == ""
    assert change.p_incident < 0.01
    assert not change.flagged


def test_step_probability_by_hand():
    assert step_probability((1, 0, 0, 0), (0, 1, 0, 0)) == 1
    assert step_probability((0.5, 0.5, 0, 0), (0.5, 0.5, 0, 0)) == 0.25
    assert step_probability((0, 0, 0, 1), (0, 0, 0, 1)) == 0
    assert step_probability((0.2, 0.8, 0, 0), (0.1, 0.2, 0.7, 0)) == pytest.approx(
        0.2 * 0.9 + 0.8 * 0.7
    )


@pytest.mark.parametrize(
    ("before", "after", "lost", "low", "high"),
    [
        ("0", "0", 0.00, 0.0, 0.01),
        ("0", "0", -0.30, 0.0, 0.01),
        ("0", "0", 0.08, 0.0, 0.05),
        ("0", "1", 0.01, 0.0, 0.30),
        ("0", "1", 0.23, 0.95, 1.0),
        ("0", "2", 0.35, 0.99, 1.0),
        ("0", "0", 0.35, 0.50, 1.0),
        ("1", "1", 0.00, 0.0, 0.05),
        ("1", "2", 0.30, 0.95, 1.0),
        ("2", "2", 0.02, 0.0, 0.05),
    ],
)
def test_probability_of_an_incident_fracture_weighs_grades_and_heights(
    *, read, before, after, lost, low, high
):
    pair = HeightPair(Triple(25, 24, 26), Triple(25 * (1 - lost), 24, 26), in_mm=True)
    found = probability_of_incident(read("T8", before), read("T8", after), pair)
    assert low <= found <= high


@given(small=st.floats(0, 0.6), more=st.floats(0, 0.3))
def test_more_loss_never_makes_a_fracture_less_probable(small, more):
    from zoom_imaging.morphometry.reading import VertebraReading

    one = VertebraReading(
        Level.T8, VertebraState.EVALUABLE, "", ratio_sd=0.02, p_grades=(0.9, 0.1, 0.0, 0.0)
    )
    first, second = (
        probability_of_incident(
            one, one, HeightPair(Triple(1, 1, 1), Triple(1 - loss, 1, 1), in_mm=False)
        )
        for loss in (small, small + more)
    )
    assert 0 <= first <= second + 1e-12 <= 1 + 1e-12


def test_a_reader_without_probabilities_has_no_probability(read):
    plain = [type(r)(**{**vars(r), "p_grades": None}) for r in (read("T8", "0"), read("T8", "1"))]
    change = compare(*plain)
    assert change.p_incident is None
    assert change.flagged, "a new fracture is looked at all the same"


def test_two_levels_are_never_compared(read):
    with pytest.raises(ValueError, match="T8 with T9"):
        compare(read("T8"), read("T9"))
