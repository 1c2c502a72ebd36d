"""Names of sets of lumbar vertebrae, all fifteen of them."""

from __future__ import annotations

from itertools import combinations

import pytest

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.change.regions import levels_label, levels_of_region


@pytest.mark.parametrize(
    ("levels", "label"),
    [
        ("L1 L2 L3 L4", "L1-L4"),
        ("L1 L2 L3", "L1-L3"),
        ("L1 L2 L4", "L1-L2,L4"),
        ("L1 L3 L4", "L1,L3-L4"),
        ("L2 L4", "L2,L4"),
        ("L3", "L3"),
        ("", ""),
    ],
)
def test_label(levels, label):
    assert levels_label([Level(level) for level in levels.split()]) == label


def test_every_set_has_a_name_of_its_own_and_comes_back():
    sets = [subset for n in (1, 2, 3, 4) for subset in combinations(LUMBAR_DXA_LEVELS, n)]
    assert len({levels_label(levels) for levels in sets}) == 15
    for levels in sets:
        assert levels_of_region(levels_label(levels)) == levels
        assert levels_of_region(levels_label(levels[::-1])) == levels


@pytest.mark.parametrize("region", ["Total", "", "L4-L1", "L1-L5", "T12", "L1-", "Neck", "l1"])
def test_what_is_no_set_of_lumbar_levels(region):
    assert levels_of_region(region) is None


def test_blanks_are_tolerated():
    assert levels_of_region("L1 - L2, L4") == (Level.L1, Level.L2, Level.L4)
