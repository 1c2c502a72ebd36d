"""Calibration finds what was put in; figures count what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zoom_imaging.anatomy import TYPICAL_LEVELS, Level, SixPoints, VertebraState
from zoom_imaging.vision.bundle import NameParameters
from zoom_imaging.vision.finding import SpineReading, VertebraFinding
from zoom_imaging.vision.training.calibrate import (
    NamedChain,
    fit_grades,
    fit_name_temperature,
    fit_ratio,
    fit_spread,
)
from zoom_imaging.vision.training.score import (
    TrueVertebra,
    auroc,
    expected_calibration_error,
    figures,
    intervals,
    polygon_dice,
    score_image,
)

RNG = np.random.default_rng(4)


def test_overconfident_grades_are_cooled_down() -> None:
    sharp = RNG.normal(0, 2, (4000, 4))
    chance = np.exp(sharp) / np.exp(sharp).sum(1, keepdims=True)
    grades = np.array([RNG.choice(4, p=row) for row in chance])
    temperature, bias = fit_grades(sharp * 3, grades)
    assert temperature == pytest.approx(3.0, rel=0.15)
    assert np.abs(bias).max() < 0.3


def test_spread_and_ratio_become_deviations() -> None:
    excess = RNG.uniform(1, 3, 4000)
    errors = np.hypot(*(RNG.normal(0, 0.7, (2, 4000)) * excess))
    assert 0.45 < fit_spread(excess, errors) < 0.75
    raw = RNG.uniform(0.01, 0.1, 4000)
    sd = np.hypot(0.02, 0.5 * raw)
    floor, scale = fit_ratio(raw, RNG.normal(0, 1, (4000, 2)) * sd[:, None])
    assert floor == pytest.approx(0.02, rel=0.35)
    assert scale == pytest.approx(0.5, rel=0.25)


def test_the_name_temperature_is_chosen_among_chains_that_are_right() -> None:
    said = np.full((10, 19), -6.0)
    said[np.arange(10), np.arange(5, 15)] = 0.0
    said -= np.logaddexp.reduce(said, axis=1, keepdims=True)
    chain = NamedChain(said, np.full(9, 25.0), None, None, np.arange(5, 15))
    temperature, right = fit_name_temperature([chain] * 5, NameParameters())
    assert right == 1.0
    assert temperature <= 2.0


def six(shift: float = 0.0) -> np.ndarray:
    box = np.array([[0, 0], [15, 0], [30, 0], [0, 24], [15, 24], [30, 24]], float)
    return box + np.array([100, 200 + shift])


def finding(level: Level, points: np.ndarray, chance: tuple[float, ...]) -> VertebraFinding:
    ring = tuple((float(x), float(y)) for x, y in points[[0, 1, 2, 5, 4, 3]])
    centre = points.mean(0)
    return VertebraFinding(
        level, 0.99, VertebraState.EVALUABLE, "", (float(centre[0]), float(centre[1])),
        SixPoints.from_array(points), (0.5,) * 6, ring, 0.03, chance,
    )  # fmt: skip


def true(level: Level, points: np.ndarray, grade: int = 0, seen: bool = True) -> TrueVertebra:
    return TrueVertebra(
        level, points, points[[0, 1, 2, 5, 4, 3]], (1.0, 1.0), grade, 0.5, evaluable=seen
    )


def test_scoring_counts_misses_wrong_names_and_false_finds() -> None:
    levels = [TYPICAL_LEVELS[k] for k in (5, 6, 7, 8)]
    truth = [true(level, six(40 * k)) for k, level in enumerate(levels)]
    normal, broken = (0.9, 0.1, 0.0, 0.0), (0.0, 0.1, 0.4, 0.5)
    findings = (
        finding(levels[0], six(1), normal),
        finding(levels[3], six(40), normal),
        finding(levels[2], six(61), broken),
        finding(levels[1], six(120), normal),
    )
    records, false = score_image("p", "i", truth, SpineReading(findings, "m", "1", "0"))
    assert [r.found for r in records] == [True, True, False, True]
    assert [r.named_rightly for r in records] == [True, False, False, False]
    assert false == 1
    assert records[0].dice == pytest.approx(1 - 1 / 24, abs=0.02)
    assert records[0].landmarks_mm == pytest.approx((0.5,) * 6)
    numbers = figures(records)
    assert numbers["recall"] == 0.75
    assert numbers["named_rightly"] == pytest.approx(1 / 3)


def test_what_nobody_could_judge_is_neither_scored_nor_false() -> None:
    truth = [true(Level.T5, six()), true(Level.T6, six(40), seen=False), true(Level.T7, six(80))]
    found = tuple(
        finding(level, six(40 * k), (1.0, 0, 0, 0))
        for k, level in enumerate((Level.T5, Level.T6, Level.T7))
    )
    records, false = score_image("p", "i", truth, SpineReading(found, "m", "1", "0"))
    assert (len(records), false) == (2, 0)


def test_figures_have_intervals_over_people() -> None:
    records = []
    for person in range(6):
        grade = person % 2
        chance = (0.1, 0.5, 0.3, 0.1) if grade else (0.95, 0.05, 0.0, 0.0)
        found = SpineReading((finding(Level.T8, six(), chance),), "m", "1", "0")
        records += score_image(str(person), "i", [true(Level.T8, six(), grade)], found)[0]
    numbers = figures(records)
    assert numbers["sensitivity_grade1"] == numbers["specificity_grade1"] == 1.0
    assert numbers["auroc_grade1"] == 1.0
    low, high = intervals(records, count=40)["dice"]
    assert low <= numbers["dice"] <= high
    assert math.isnan(intervals(records[:2])["dice"][0])


def test_measures() -> None:
    assert auroc([0.1, 0.4, 0.35, 0.8], [False, False, True, True]) == 0.75
    assert math.isnan(auroc([0.1], [True]))
    assert expected_calibration_error([0.25] * 4, [True, False, False, False]) == 0.0
    assert expected_calibration_error([0.95] * 4, [False] * 4) == pytest.approx(0.95)
    assert polygon_dice(six()[[0, 2, 5, 3]], six()[[0, 2, 5, 3]]) == 1.0
    assert polygon_dice(six()[[0, 2, 5, 3]], np.zeros((0, 2))) == 0.0
