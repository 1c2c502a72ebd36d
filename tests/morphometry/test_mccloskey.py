"""Each deformity needs two ratios, so that one wrong corner makes none."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import Level
from zoom_imaging.morphometry.heights import Triple
from zoom_imaging.morphometry.mccloskey import Deformity, mccloskey
from zoom_imaging.morphometry.norms import NORMS


def heights(anterior=1.0, middle=1.0, posterior=1.0):
    """Normal T7-T11 with fractions of the normal heights of T9."""
    result = {}
    for level in (Level.T7, Level.T8, Level.T9, Level.T10, Level.T11):
        norm = NORMS[level]
        own = (anterior, middle, posterior) if level is Level.T9 else (1, 1, 1)
        result[level] = Triple(
            norm.posterior_mm * norm.anterior_posterior * own[0],
            norm.posterior_mm * norm.middle_posterior * own[1],
            norm.posterior_mm * own[2],
        )
    return result


@pytest.mark.parametrize(
    ("changed", "deformities"),
    [
        ({}, ()),
        ({"anterior": 0.75}, (Deformity.ANTERIOR,)),
        ({"middle": 0.75}, (Deformity.CENTRAL,)),
        ({"anterior": 0.7, "middle": 0.7, "posterior": 0.7}, (Deformity.POSTERIOR,)),
        ({"anterior": 0.6, "middle": 0.9, "posterior": 0.8}, ("anterior", "posterior")),
        # A posterior corner set too low makes Ha/Hp small and Ha/Hpp normal: no deformity.
        ({"posterior": 1.25}, ()),
        # Hp is low and Ha is not: the second condition of a posterior deformity fails.
        ({"posterior": 0.8}, ()),
    ],
)
def test_deformities(changed, deformities):
    assert mccloskey(Level.T9, heights(**changed)).deformities == deformities


def test_predicted_posterior_height_comes_from_the_neighbours_only():
    found = mccloskey(Level.T9, heights(posterior=0.5))
    assert found.predicted_posterior == pytest.approx(NORMS[Level.T9].posterior_mm)
    assert found.z_scores["hp_hpp"] == pytest.approx(-0.5 / 0.045)


def test_without_neighbours_there_is_no_result():
    assert mccloskey(Level.T9, {Level.T9: heights()[Level.T9]}) is None
