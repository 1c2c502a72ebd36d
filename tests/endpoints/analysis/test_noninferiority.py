"""The comparison agrees with a published example, and errs as often as it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zoom_imaging.endpoints.analysis.noninferiority import (
    adjusted_difference,
    imputed_difference,
)
from zoom_imaging.errors import ConfigurationError

# Leprosy treatment: Snedecor and Cochran, Statistical Methods, 6th ed. 1967, p. 422 (pre, post).
DRUG_A = [(11, 6), (8, 0), (5, 2), (14, 8), (19, 11), (6, 4), (10, 13), (6, 1), (11, 8), (3, 0)]
DRUG_F = [
    (16, 13),
    (13, 10),
    (11, 18),
    (9, 5),
    (21, 23),
    (16, 12),
    (12, 5),
    (12, 16),
    (7, 1),
    (12, 20),
]
DRUG_D = [(6, 0), (6, 2), (7, 3), (8, 1), (18, 18), (8, 4), (19, 14), (8, 9), (5, 1), (15, 9)]


def test_a_published_analysis_of_covariance_comes_out():
    """SAS/STAT, PROC GLM, example of covariance: A - F = -3.4461 (SE 1.8868), slope shared by D."""
    rows = [(pre, post, 1.0, 0.0) for pre, post in DRUG_A]
    rows += [(pre, post, 0.0, 0.0) for pre, post in DRUG_F]
    rows += [(pre, post, 0.0, 1.0) for pre, post in DRUG_D]
    pre, post, is_a, is_d = np.array(rows, float).T
    found = adjusted_difference(post, pre, is_a > 0, 5.0, covariates=is_d[:, None])
    assert found.estimate == pytest.approx(-3.446138, abs=1e-5)
    assert found.standard_error == pytest.approx(1.886781, abs=1e-5)
    assert found.degrees_of_freedom == 26


def trial(rng, n=114, difference=0.0, sd=4.0):
    is_twice = np.arange(n) < n // 2
    baseline = rng.normal(0.85, 0.1, n)
    change = -2.0 + difference * is_twice + 6 * (baseline - 0.85) + rng.normal(0, sd, n)
    return change, baseline, is_twice


def test_the_error_at_the_margin_is_two_and_a_half_percent():
    """2,000 trials of 114 subjects whose true difference is the margin itself."""
    rng = np.random.default_rng(1)
    margin, count = 2.0, 2000
    wrong = sum(
        adjusted_difference(*trial(rng, difference=-margin), margin).not_inferior
        for _ in range(count)
    )
    error = np.sqrt(0.025 * 0.975 / count)
    assert abs(wrong / count - 0.025) < 3 * error


def test_power_rises_with_the_distance_from_the_margin():
    rng = np.random.default_rng(2)
    power = [
        np.mean(
            [
                adjusted_difference(*trial(rng, difference=d, sd=3.0), 2.0).not_inferior
                for _ in range(200)
            ]
        )
        for d in (-1.5, 0.0, 1.0)
    ]
    assert power[0] < 0.3 < power[1] < power[2]
    assert power[1] > 0.85


def test_whoever_has_no_follow_up_is_left_out_and_counted():
    rng = np.random.default_rng(3)
    change, baseline, is_twice = trial(rng)
    change[:10] = np.nan
    found = adjusted_difference(change, baseline, is_twice, 2.0)
    assert (found.once, found.twice) == (57, 47)


def test_imputation_widens_nothing_it_should_not_and_repeats():
    rng = np.random.default_rng(4)
    change, baseline, is_twice = trial(rng)
    whole = pd.DataFrame({"change_pct": change, "baseline": baseline, "is_twice": is_twice})
    complete = adjusted_difference(change, baseline, is_twice, 2.0)
    assert imputed_difference(whole, 2.0) == complete
    missing = whole.copy()
    missing.loc[rng.choice(114, 12, replace=False), "change_pct"] = np.nan
    first = imputed_difference(missing, 2.0, imputations=20)
    assert first == imputed_difference(missing, 2.0, imputations=20)
    assert first.estimate == pytest.approx(complete.estimate, abs=0.6)
    assert (first.once, first.twice) == (57, 57)


def test_a_handful_with_one_missing_is_refused_and_not_imputed():
    frame = pd.DataFrame(
        {"change_pct": [-1.0, np.nan], "baseline": [0.8, 0.9], "is_twice": [0.0, 1.0]}
    )
    with pytest.raises(ConfigurationError, match="too few"):
        imputed_difference(frame, 2.0)


def test_a_baseline_that_is_the_same_for_all_is_refused():
    change, baseline, is_twice = trial(np.random.default_rng(6), n=20)
    with pytest.raises(ConfigurationError, match="cannot be told from the covariates"):
        adjusted_difference(change, np.full_like(baseline, 0.8), is_twice, 2.0)


@pytest.mark.parametrize(("margin", "n", "said"), [(0.0, 114, "margin"), (2.0, 4, "too few")])
def test_what_cannot_be_compared_is_refused(margin, n, said):
    change, baseline, is_twice = trial(np.random.default_rng(5), n=n)
    with pytest.raises(ConfigurationError, match=said):
        adjusted_difference(change, baseline, is_twice, margin)
