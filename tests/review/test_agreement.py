"""Agreement of readers equals published examples, hides nothing and invents no number."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.anatomy import Grade, Level
from zoom_imaging.review.agreement import (
    NUMERIC_GRADES,
    Agreement,
    By,
    Estimate,
    GradedPair,
    Kind,
    agreement,
)

ZERO, HALF, ONE, TWO, THREE = NUMERIC_GRADES
KAPPAS = ("linear", "quadratic", "mild_or_worse", "moderate_or_worse")


def pair(a, b, cluster="S1", readers=("Kim", "Lee"), *, level=Level.T8, month="2025-03"):
    kind = Kind.INTRA if readers[0] == readers[1] else Kind.INTER
    return GradedPair(*readers, level, Grade(a), Grade(b), month, kind, cluster)


def overall(pairs) -> Agreement:
    (found,) = agreement(pairs, by=(By.OVERALL,))
    return found


def from_table(grades, table, **more):
    """Pairs with the counts of a published table, every vertebra of a subject of its own."""
    cells = itertools.product(range(len(grades)), repeat=2)
    graded = [(grades[i], grades[j]) for i, j in cells for _ in range(table[i][j])]
    return [pair(a, b, f"S{at}", **more) for at, (a, b) in enumerate(graded)]


# Hout, Duncan and Sobel 1987, as `SexualFun` of the R package vcd, whose `Kappa` prints weighted
# kappa 0.2374 (ASE 0.07832) for equal spacing. With the weights of Fleiss and Cohen 0.3320 and
# 0.09730 come from the large-sample formula in statsmodels, which is tested against SAS.
SEXUAL_FUN = from_table(
    (ZERO, ONE, TWO, THREE), [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]
)


def test_weighted_kappa_of_vcd():
    found = overall(SEXUAL_FUN)
    assert found.linear.value == pytest.approx(0.2374, abs=5e-5)
    assert found.quadratic.value == pytest.approx(0.3320, abs=5e-5)
    assert found.exact.value == pytest.approx(33 / 91)


@pytest.mark.parametrize(("name", "error"), [("linear", 0.07832), ("quadratic", 0.09730)])
def test_interval_of_independent_vertebrae_is_near_the_large_sample_one(name, error):
    """Jackknife and the large-sample formula of Fleiss, Cohen and Everitt 1969 nearly agree."""
    found = getattr(overall(SEXUAL_FUN), name)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_weighted_kappa_of_the_sas_manual():
    """Three equally spaced grades: SAS FREQ prints weighted kappa 0.4701."""
    found = overall(from_table((ONE, TWO, THREE), [[0, 4, 1], [0, 8, 0], [0, 1, 5]]))
    assert found.linear.value == pytest.approx(0.4701, abs=5e-5)


@pytest.mark.parametrize(
    ("table", "kappa"), [([[40, 9], [6, 45]], 0.70), ([[80, 10], [5, 5]], 0.32)]
)
def test_the_prevalence_problem_is_visible(table, kappa):
    """Feinstein and Cicchetti 1990: agreement of 85 % both times, and yet kappa 0.70 and 0.32."""
    found = overall(from_table((ZERO, TWO), table))
    assert found.exact.value == pytest.approx(0.85)
    assert found.mild_or_worse.value == pytest.approx(kappa, abs=5e-3)
    assert found.moderate_or_worse == found.mild_or_worse
    assert [[found.table[i][j] for j in (0, 3)] for i in (0, 3)] == table


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    # Newcombe, Statist Med 1998;17:857, table I, method 3 (Wilson).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)],
)
def test_published_wilson_intervals_of_exact_agreement(count, total, low, high):
    same, other = [pair(ONE, ONE)] * count, [pair(ZERO, HALF)] * (total - count)
    found = overall(same + other).exact
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


numeric = st.sampled_from(NUMERIC_GRADES)
any_grade = st.sampled_from(list(Grade))
subjects = st.sampled_from([f"S{number}" for number in range(14)])


@given(st.lists(st.tuples(numeric, numeric), min_size=10, max_size=40))
def test_weights_are_the_distance_of_grades_as_numbers(grades):
    """1 - mean disagreement of the pairs / of all combinations; quadratic is Lin's concordance."""
    found = overall([pair(a, b) for a, b in grades])
    a, b = (np.array([grade.number for grade in one]) for one in zip(*grades, strict=True))
    if min(len(set(a)), len(set(b))) < 2:
        assert found.linear.value is found.quadratic.value is None
        assert "only one category" in found.linear.reason
        return
    by_chance = np.abs(a[:, None] - b[None, :]).mean()
    assert found.linear.value == pytest.approx(1 - np.abs(a - b).mean() / by_chance)
    scatter = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    concordance = 2 * np.mean((a - a.mean()) * (b - b.mean())) / scatter
    assert found.quadratic.value == pytest.approx(concordance, abs=1e-12)


@given(st.lists(st.tuples(any_grade, any_grade, subjects, st.booleans()), max_size=60))
def test_who_is_called_a_does_not_matter(grades):
    pairs = [pair(a, b, subject) for a, b, subject, _ in grades]
    swapped = [
        pair(b, a, subject, readers=("Lee", "Kim")) if swap else pair(a, b, subject)
        for a, b, subject, swap in grades
    ]
    assert agreement(pairs) == agreement(swapped)


@given(st.lists(st.tuples(any_grade, any_grade, subjects), min_size=1, max_size=60))
def test_the_order_of_two_readings_changes_the_table_alone(grades):
    one = overall([pair(a, b, subject, ("Kim", "Kim")) for a, b, subject in grades])
    other = overall([pair(b, a, subject, ("Kim", "Kim")) for a, b, subject in grades])
    assert np.array_equal(np.transpose(one.table), other.table)
    assert replace(one, **dict.fromkeys(KAPPAS), table=()) == replace(
        other, **dict.fromkeys(KAPPAS), table=()
    )
    for name in KAPPAS:
        first, second = getattr(one, name), getattr(other, name)
        assert first.reason == second.reason
        for part in ("value", "low", "high"):
            assert getattr(first, part) == pytest.approx(getattr(second, part), abs=1e-9)


@given(st.lists(st.tuples(any_grade, any_grade, subjects), min_size=1, max_size=80))
def test_no_number_is_out_of_range_and_none_is_missing_without_a_reason(grades):
    found = overall([pair(a, b, subject) for a, b, subject in grades])
    assert found.pairs == len(grades) == found.graded + found.excluded
    assert sum(map(sum, found.table)) == found.graded
    assert found.one_graded + found.ungraded_differ <= found.excluded
    for name in ("exact", *KAPPAS):
        estimate = getattr(found, name)
        parts = (estimate.low, estimate.value, estimate.high)
        if estimate.reason:
            assert estimate.low is estimate.high is None
        else:
            assert -1 <= parts[0] <= parts[1] + 1e-12
            assert parts[1] <= parts[2] + 1e-12 <= 1 + 1e-12


def test_perfect_agreement_has_no_interval_of_no_width():
    found = overall([pair(grade, grade, f"S{at}") for at in range(12) for grade in NUMERIC_GRADES])
    assert found.exact.value == 1
    assert found.exact.low == pytest.approx(60 / (60 + 1.959964**2))
    for name in KAPPAS:
        estimate = getattr(found, name)
        assert (estimate.value, estimate.low, estimate.high) == (pytest.approx(1), None, None)
        assert "no width" in estimate.reason


@pytest.mark.parametrize("other", [ZERO, TWO])
def test_a_reading_of_one_category_has_no_kappa(other):
    """Both read all as 0 (0 / 0), or only one does (0 whatever the other says)."""
    pairs = [pair(ZERO, ZERO, f"S{at}") for at in range(30)] + [pair(ZERO, other, "S30")]
    found = overall(pairs)
    assert found.exact.value == (1 if other is ZERO else 30 / 31)
    for name in KAPPAS:
        assert getattr(found, name) == Estimate(
            None, reason="a reading has only one category: kappa is undefined"
        )


def test_kappa_for_a_grade_that_nobody_gave_is_undefined_alone():
    found = overall(from_table((ZERO, ONE), [[20, 5], [10, 15]]))
    assert found.mild_or_worse.value == pytest.approx(0.4)
    assert found.moderate_or_worse.value is None
    assert "only one category" in found.moderate_or_worse.reason


def test_borderline_is_no_fracture():
    found = overall(from_table((ZERO, HALF), [[20, 5], [10, 15]]))
    assert found.linear.value == pytest.approx(0.4)
    assert found.mild_or_worse.value is None
    assert found == replace(found, moderate_or_worse=found.mild_or_worse)


def test_few_vertebrae_and_few_subjects_are_said():
    nine = [pair(ZERO, ZERO), pair(ONE, ONE), pair(TWO, ONE)] * 3
    found = overall(nine)
    assert found.exact.value == pytest.approx(2 / 3)
    assert found.linear.value is None
    assert found.linear.reason.startswith("9 vertebrae graded")
    found = overall([*nine, pair(THREE, TWO, "S2")])
    assert found.subjects == 2
    assert found.linear.value is not None
    assert found.linear.low is None
    assert found.linear.reason.startswith("2 subjects")


def test_an_interval_that_rests_on_one_subject_is_withheld():
    pairs = [pair(ZERO, ZERO, f"S{at}") for at in range(30)]
    found = overall([*pairs, pair(TWO, TWO, "S30"), pair(TWO, ZERO, "S30")])
    assert found.mild_or_worse.value == pytest.approx(0.652, abs=5e-4)
    assert found.mild_or_worse.high is None
    assert "without one subject" in found.mild_or_worse.reason


def test_more_of_the_same_vertebrae_of_a_subject_do_not_narrow_the_interval():
    once, often = overall(SEXUAL_FUN), overall(SEXUAL_FUN * 5)
    assert often.graded == 5 * once.graded
    assert often.subjects == once.subjects
    for name in KAPPAS:
        first, second = getattr(once, name), getattr(often, name)
        assert (second.low, second.high) == pytest.approx((first.low, first.high))


def test_evaluability_is_counted_and_never_a_grade():
    grades = ["0", "0.5", "indeterminate", "not_evaluable"]
    found = overall([pair(a, b, "S1") for a in grades for b in grades])
    assert (found.pairs, found.graded, found.excluded) == (16, 4, 12)
    assert (found.one_graded, found.ungraded_differ) == (8, 2)
    assert found.exact.value == 0.5
    nothing = overall([pair("not_evaluable", "0")])
    assert (nothing.graded, nothing.subjects, nothing.one_graded) == (0, 0, 1)
    assert nothing.exact == Estimate(None, reason="no vertebra was graded in both readings")
    assert nothing.linear.reason.startswith("0 vertebrae")


def test_the_order_of_pairs_changes_no_digit():
    assert agreement(SEXUAL_FUN) == agreement(SEXUAL_FUN[::-1])


def test_groups_and_their_order():
    pairs = [
        pair(ZERO, ONE, level=Level.L1, month="2025-11"),
        pair(ZERO, ZERO, level=Level.T12, month="2025-02", readers=("Lee", "Kim")),
        pair(ONE, ONE, level=Level.T4, month="2025-02", readers=("Park", "Kim")),
        pair(ONE, ONE, level=Level.L1, month="2026-01", readers=("Lee", "Lee")),
    ]
    found = agreement(pairs)
    assert [(one.kind, one.by, one.group, one.pairs) for one in found] == [
        ("inter", "overall", "all", 3),
        *(("inter", "level", level, 1) for level in ("T4", "T12", "L1")),
        ("inter", "reader", "Kim / Lee", 2),
        ("inter", "reader", "Kim / Park", 1),
        ("inter", "month", "2025-02", 2),
        ("inter", "month", "2025-11", 1),
        ("intra", "overall", "all", 1),
        ("intra", "level", "L1", 1),
        ("intra", "reader", "Lee", 1),
        ("intra", "month", "2026-01", 1),
    ]
    assert agreement(pairs, by=(By.MONTH,)) == tuple(one for one in found if one.by == By.MONTH)
    assert agreement([]) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "intra"},
        {"reader_a": "Lee"},
        {"reader_b": ""},
        {"cluster": ""},
        {"month": "2025-13"},
        {"month": "March"},
        {"kind": "other"},
    ],
)
def test_contradictory_pairs_are_refused(wrong):
    with pytest.raises(ValueError, match=r"."):
        replace(pair(ZERO, ZERO), **wrong)
