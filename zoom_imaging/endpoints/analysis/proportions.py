"""Shares of responders and rates of fractures, with exact intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True)
class Share:
    """`count` of `total` with its exact (Clopper-Pearson) 95 % interval; None of nobody."""

    count: int
    total: int
    share: float | None
    low: float | None
    high: float | None


def exact_share(count: int, total: int) -> Share:
    """ValueError unless 0 <= count <= total."""
    from statsmodels.stats.proportion import proportion_confint

    if not 0 <= count <= total:
        raise ValueError(f"a share of {count} in {total}")
    if total == 0:
        return Share(0, 0, None, None, None)
    low, high = proportion_confint(count, total, alpha=1 - LEVEL, method="beta")
    return Share(count, total, count / total, float(low), float(high))


@dataclass(frozen=True)
class Rate:
    """Events per 100 patient-years with the exact Poisson 95 % interval; None without time."""

    events: int
    years: float
    per_100_years: float | None
    low: float | None
    high: float | None


def exact_rate(events: int, years: float) -> Rate:
    """ValueError for a negative count or time."""
    from scipy.stats import chi2

    if events < 0 or years < 0 or not math.isfinite(years):
        raise ValueError(f"a rate of {events} in {years} years")
    if years == 0:
        return Rate(events, 0.0, None, None, None)
    tail = (1 - LEVEL) / 2
    low = float(chi2.ppf(tail, 2 * events)) / 2 if events else 0.0
    high = float(chi2.ppf(1 - tail, 2 * events + 2)) / 2
    scale = 100 / years
    return Rate(events, years, events * scale, low * scale, high * scale)


@dataclass(frozen=True)
class GeometricMean:
    """Geometric mean, or ratio of two, with its 95 % interval; None below two values."""

    count: int
    value: float | None
    low: float | None
    high: float | None


def geometric_mean(values: Sequence[float]) -> GeometricMean:
    """Of positive values, by the logarithms; ValueError for one that is not positive."""
    from scipy import stats

    if any(not value > 0 for value in values):
        raise ValueError("a geometric mean is of positive values")
    logs = [math.log(value) for value in values]
    n = len(logs)
    if n == 0:
        return GeometricMean(0, None, None, None)
    mean = sum(logs) / n
    if n == 1:
        return GeometricMean(1, math.exp(mean), None, None)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in logs) / (n - 1))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * deviation / math.sqrt(n)
    return GeometricMean(n, math.exp(mean), math.exp(mean - reach), math.exp(mean + reach))


def geometric_ratio(first: Sequence[float], second: Sequence[float]) -> GeometricMean:
    """Geometric mean of `first` over that of `second`, by Welch's interval of the logarithms."""
    from scipy import stats

    one, other = geometric_mean(first), geometric_mean(second)
    if one.value is None or other.value is None:
        return GeometricMean(one.count + other.count, None, None, None)
    ratio = one.value / other.value
    if min(one.count, other.count) < 2:
        return GeometricMean(one.count + other.count, ratio, None, None)
    found = stats.ttest_ind(
        [math.log(value) for value in first],
        [math.log(value) for value in second],
        equal_var=False,
    ).confidence_interval(LEVEL)
    return GeometricMean(one.count + other.count, ratio, math.exp(found.low), math.exp(found.high))
