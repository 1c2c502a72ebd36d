"""What a height would be without a fracture."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import Level
from zoom_imaging.charter import ReferenceHeight
from zoom_imaging.morphometry.heights import Triple
from zoom_imaging.morphometry.norms import NORMS
from zoom_imaging.morphometry.reference import (
    MAXIMUM_SHIFT,
    adjacent_heights,
    blended_posterior,
    nearest,
    personal_shift,
    predicted_posterior,
    spine_losses,
)


def normal(*levels, size=1.0, anterior=0.0):
    return {
        level: Triple(
            size * norm.posterior_mm * (norm.anterior_posterior + anterior),
            size * norm.posterior_mm * norm.middle_posterior,
            size * norm.posterior_mm,
        )
        for level, norm in NORMS.items()
        if not levels or level in levels
    }


def lower(heights, level, losses):
    heights = dict(heights)
    heights[level] = Triple(
        *(height * (1 - loss) for height, loss in zip(heights[level], losses, strict=True))
    )
    return heights


def with_reference(rules, reference):
    return rules.model_copy(update={"reference_height": ReferenceHeight(reference)})


def test_posterior_height_is_predicted_by_four_neighbours_by_hand():
    posteriors = {Level.T10: 22.2, Level.T11: 23.6, Level.L1: 26.8, Level.L2: 27.6}
    assert predicted_posterior(Level.T12, posteriors) == pytest.approx(25.3)
    taller = {level: value * 1.1 for level, value in posteriors.items()}
    assert predicted_posterior(Level.T12, taller) == pytest.approx(27.83)
    one = {Level.L1: 26.8 * 1.2}
    assert predicted_posterior(Level.T12, one) == pytest.approx(25.3 * 1.2)
    assert predicted_posterior(Level.T12, {}) is None
    assert predicted_posterior(Level.T12, {Level.T12: 25.3}) is None


def test_only_near_vertebrae_predict():
    levels = [Level.T4, Level.T8, Level.T9, Level.T10, Level.L3]
    assert nearest(Level.T11, levels, a_side=2, reach=4) == (Level.T10, Level.T9, Level.L3)
    assert nearest(Level.T4, [Level.T9], a_side=2, reach=4) == ()


def test_adjacent_is_the_mean_of_both_neighbours():
    heights = {Level.L1: Triple(24, 23, 26), Level.L3: Triple(28, 27, 28)}
    assert adjacent_heights(Level.L2, heights) == pytest.approx((26, 25, 27))


def test_a_single_adjacent_vertebra_is_brought_to_the_level():
    assert adjacent_heights(Level.L4, normal(Level.L3)) == pytest.approx(normal()[Level.L4])
    assert adjacent_heights(Level.T12, normal(Level.L1)) == pytest.approx(normal()[Level.T12])
    assert adjacent_heights(Level.T4, normal(Level.L1)) is None


@pytest.mark.parametrize(
    ("own", "expected"),
    [(20.0, 20.0), (19.1, 19.1), (18.0, 19.0), (17.0, 20.0), (12.0, 20.0), (24.0, 20.0)],
)
def test_a_lost_posterior_height_is_replaced_by_the_predicted_one(own, expected):
    assert blended_posterior(own, 20.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("deviations", "low", "high"),
    [
        ([], 0.0, 0.0),
        ([-0.04], -0.02, 0.0),
        ([-0.04] * 12, -0.04, -0.025),
        ([-0.20] * 12, -MAXIMUM_SHIFT, -MAXIMUM_SHIFT),
        ([0.20] * 12, MAXIMUM_SHIFT, MAXIMUM_SHIFT),
        ([0.0] * 7 + [-0.3] * 5, 0.0, 0.0),
    ],
)
def test_a_person_shifts_the_reference_slowly_and_never_far(deviations, low, high):
    assert low - 1e-12 <= personal_shift(deviations, 0.05) <= high + 1e-12


@pytest.mark.parametrize("reference", list(ReferenceHeight))
@pytest.mark.parametrize("size", [0.8, 1.0, 1.3])
def test_a_normal_spine_has_lost_nothing_whatever_its_size(rules, reference, size):
    for level, loss in spine_losses(normal(size=size), with_reference(rules, reference)).items():
        tolerance = 0.05 if reference is ReferenceHeight.ADJACENT else 1e-9
        if level not in {Level.T1, Level.L5}:
            assert loss.losses == pytest.approx((0, 0, 0), abs=tolerance)


@pytest.mark.parametrize("reference", list(ReferenceHeight))
@pytest.mark.parametrize("losses", [(0.3, 0.2, 0.02), (0.05, 0.3, 0.0)])
def test_a_single_fracture_is_measured_at_its_true_size(rules, reference, losses):
    heights = lower(normal(), Level.T8, losses)
    found = spine_losses(heights, with_reference(rules, reference))[Level.T8].losses
    assert found == pytest.approx(losses, abs=0.03)


@pytest.mark.parametrize(
    ("reference", "worst"), [("posterior_same", 0.4), ("predicted_posterior", 0.5)]
)
def test_a_crushed_body_is_not_measured_against_its_own_posterior_height(rules, reference, worst):
    """Ha half, Hp at 70 %: Ha/Hp alone has lost 29 %, against the neighbours it is 50 %."""
    heights = lower(normal(), Level.L1, (0.5, 0.45, 0.3))
    found = spine_losses(heights, with_reference(rules, reference))[Level.L1].losses
    assert found[2] == pytest.approx(0.3, abs=0.01)
    if reference == "posterior_same":
        assert max(found) < worst
    else:
        assert found == pytest.approx((0.5, 0.45, 0.3), abs=0.01)


def test_a_fractured_neighbour_is_no_reference(rules):
    """T11 and L1 crushed by 40 %: the normal T12 between them stays normal, both are found."""
    heights = normal()
    for level in (Level.T11, Level.L1):
        heights = lower(heights, level, (0.4, 0.4, 0.4))
    found = spine_losses(heights, rules)
    assert max(found[Level.T12].losses) == pytest.approx(0, abs=0.02)
    assert found[Level.T11].losses == pytest.approx((0.4, 0.4, 0.4), abs=0.02)
    assert found[Level.L1].losses == pytest.approx((0.4, 0.4, 0.4), abs=0.02)


def test_a_spine_that_is_lower_in_front_everywhere_is_not_fractured_everywhere(rules):
    """A bias that all levels share, of a person or of a network, cancels for the most part."""
    found = spine_losses(normal(anterior=-0.05), rules)
    assert all(loss.losses[0] < 0.03 for loss in found.values())


def test_half_a_fractured_spine_does_not_hide_itself(rules):
    heights = normal()
    for level in (Level.T6, Level.T7, Level.T8, Level.T11, Level.T12, Level.L1, Level.L2):
        heights = lower(heights, level, (0.30, 0.15, 0.0))
    found = spine_losses(heights, rules)
    assert found[Level.T7].losses[0] > 0.25
    assert found[Level.L1].losses[0] > 0.25
    assert found[Level.T9].losses[0] < 0.05


def test_one_vertebra_alone_has_no_reference(rules):
    assert spine_losses(normal(Level.T8), rules) == {Level.T8: None}
