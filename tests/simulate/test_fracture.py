"""Grades and shapes by loss of height."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.anatomy import Grade, Shape
from zoom_imaging.simulate.fracture import (
    MAX_LOSS,
    Fracture,
    grade_of_loss,
    make_fracture,
    random_fractures,
    shape_of_losses,
)


@pytest.mark.parametrize(
    ("loss", "grade"),
    [
        (0.0, Grade.NORMAL),
        (0.149, Grade.NORMAL),
        (0.15, Grade.BORDERLINE),
        (0.199, Grade.BORDERLINE),
        (0.20, Grade.MILD),
        (0.249, Grade.MILD),
        (0.25, Grade.MODERATE),
        (0.399, Grade.MODERATE),
        (0.40, Grade.SEVERE),
    ],
)
def test_grade_follows_the_largest_loss(loss: float, grade: Grade) -> None:
    assert grade_of_loss(loss) is grade


@pytest.mark.parametrize(
    ("losses", "shape"),
    [
        ((0.1, 0.1, 0.1), Shape.NONE),
        ((0.3, 0.2, 0.0), Shape.WEDGE),
        ((0.1, 0.3, 0.0), Shape.BICONCAVE),
        ((0.4, 0.4, 0.35), Shape.CRUSH),
    ],
)
def test_shape_is_the_height_that_is_lost(losses: tuple[float, float, float], shape: Shape) -> None:
    assert shape_of_losses(*losses) is shape


@pytest.mark.parametrize("shape", [Shape.WEDGE, Shape.BICONCAVE, Shape.CRUSH])
@pytest.mark.parametrize("loss", [0.22, 0.33, 0.5])
def test_a_made_fracture_is_what_was_asked_for(shape: Shape, loss: float) -> None:
    for seed in range(20):
        made = make_fracture(shape, loss, np.random.default_rng(seed))
        assert made.largest_loss == pytest.approx(loss)
        assert shape_of_losses(made.anterior_loss, made.middle_loss, made.posterior_loss) is shape


def test_random_losses_fill_the_range_between_the_grades() -> None:
    losses = [
        fracture.largest_loss
        for seed in range(300)
        for fracture in random_fractures(np.random.default_rng(seed), 0.3).values()
    ]
    counts, _ = np.histogram(losses, bins=[0.05, 0.15, 0.25, 0.35, 0.45, 0.55])
    assert counts.min() > 80
    assert max(losses) <= MAX_LOSS


def test_no_fracture_changes_no_density() -> None:
    assert Fracture(compaction=1.0).density_gain == 1.0
    assert Fracture(0.5, 0.5, 0.5, compaction=1.0).density_gain == pytest.approx(2.0)
