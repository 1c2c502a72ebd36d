"""Four ratios, three and four standard deviations below the level's mean."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import Level
from zoom_imaging.morphometry.eastell import Deformity, eastell
from zoom_imaging.morphometry.heights import Triple
from zoom_imaging.morphometry.norms import NORMS


def heights(level, **changed):
    """Normal T8-T10 with fractions of the normal Ha, Hm, Hp of one level."""
    result = {}
    for other in (Level.T8, Level.T9, Level.T10):
        norm = NORMS[other]
        factor = changed if other is level else {}
        result[other] = Triple(
            norm.posterior_mm * (norm.anterior_posterior + factor.get("anterior", 0.0)),
            norm.posterior_mm * (norm.middle_posterior + factor.get("middle", 0.0)),
            norm.posterior_mm * factor.get("posterior", 1.0),
        )
    return result


@pytest.mark.parametrize(
    ("deviation", "grade"),
    [(0.0, 0), (-2.9, 0), (-3.0, 0), (-3.01, 1), (-4.0, 1), (-4.01, 2), (3.5, 0)],
)
def test_wedge_by_standard_deviations(deviation, grade):
    sd = NORMS[Level.T9].anterior_posterior_sd
    found = eastell(Level.T9, heights(Level.T9, anterior=deviation * sd))
    assert found.grade == grade
    assert found.deformities == ((Deformity.WEDGE,) if grade else ())
    assert found.z_scores["anterior_posterior"] == pytest.approx(deviation)
    assert found.complete


def test_biconcavity():
    found = eastell(Level.T9, heights(Level.T9, middle=-0.2))
    assert found.deformities == (Deformity.BICONCAVE,)
    assert found.grade == 2


def test_compression_is_seen_against_either_neighbour():
    crushed = {
        level: Triple(*(value * (0.8 if level is Level.T9 else 1) for value in triple))
        for level, triple in heights(None).items()
    }
    found = eastell(Level.T9, crushed)
    assert found.deformities == (Deformity.COMPRESSION,)
    assert found.grade == 2
    assert eastell(Level.T10, crushed).grade == 0


def test_without_a_neighbour_the_result_says_that_it_is_incomplete():
    only = {Level.T9: heights(None)[Level.T9]}
    found = eastell(Level.T9, only)
    assert (found.grade, found.complete) == (0, False)
    with pytest.raises(KeyError):
        eastell(Level.T8, only)
