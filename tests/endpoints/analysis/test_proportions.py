"""Exact intervals agree with published ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.endpoints.analysis.proportions import (
    exact_rate,
    exact_share,
    geometric_mean,
    geometric_ratio,
)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Newcombe, Statist Med 1998;17:857, table I, method 5 (Clopper-Pearson).
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_published_exact_intervals_of_shares(count, total, low, high):
    found = exact_share(count, total)
    assert (found.low, found.high) == (
        pytest.approx(low, abs=5e-5),
        pytest.approx(high, abs=5e-5),
    )


@pytest.mark.parametrize(
    ("events", "low", "high"),
    # Garwood, Biometrika 1936;28:437: exact limits of a Poisson mean.
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (20, 12.22, 30.89)],
)
def test_published_exact_limits_of_a_count(events, low, high):
    found = exact_rate(events, 100.0)
    assert found.low == pytest.approx(low, rel=1e-3)
    assert found.high == pytest.approx(high, rel=1e-3)
    assert found.per_100_years == events


def test_nobody_and_no_time_give_no_number():
    assert exact_share(0, 0).share is None
    assert exact_rate(0, 0.0).per_100_years is None
    assert geometric_mean([]).value is None
    assert geometric_mean([2.0]).low is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: exact_share(3, 2),
        lambda: exact_share(-1, 2),
        lambda: exact_rate(-1, 2.0),
        lambda: exact_rate(1, math.inf),
        lambda: geometric_mean([1.0, 0.0]),
    ],
)
def test_impossible_input_is_refused(wrong):
    with pytest.raises(ValueError, match=r"share|rate|geometric"):
        wrong()


@given(st.integers(0, 200), st.integers(1, 200))
def test_the_interval_holds_the_share(count, total):
    if count <= total:
        found = exact_share(count, total)
        assert 0 <= (found.low or 0) <= (found.share or 0) <= (found.high or 1) <= 1


def test_geometric_means_and_their_ratio():
    found = geometric_mean([1.0, 10.0, 100.0])
    assert found.value == pytest.approx(10.0)
    assert (found.low or 0) * (found.high or 0) == pytest.approx(100.0)
    ratio = geometric_ratio([2.0, 4.0, 8.0], [1.0, 2.0, 4.0])
    assert ratio.value == pytest.approx(2.0)
    assert (ratio.low or 9) < 2.0 < (ratio.high or 0)
