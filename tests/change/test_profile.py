"""What two films have in common tells their scale."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Level, VertebraState
from zoom_imaging.change.profile import better_shift, film_profile, scale_ratio


def profiles(rules, film, before, after):
    return film_profile(film(**before).build(), rules), film_profile(film(**after).build(), rules)


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.21])
def test_scale_of_a_whole_spine(rules, film, scale):
    found = scale_ratio(*profiles(rules, film, {}, {"scale": scale}))
    assert found.levels == 13
    assert found.widths == pytest.approx(1 / scale)
    assert found.heights == pytest.approx(1 / scale)
    assert found.along_spine == pytest.approx(1 / scale)


@pytest.mark.parametrize(
    ("count", "widths", "heights"), [(2, False, False), (3, True, False), (5, True, True)]
)
def test_few_levels_tell_less(rules, film, count, widths, heights):
    some = {"levels": GRADED_LEVELS[:count]}
    found = scale_ratio(*profiles(rules, film, some, {**some, "scale": 1.1}))
    assert (found.widths is not None, found.heights is not None) == (widths, heights)
    assert (found.along_spine is not None) is widths


def test_fractured_levels_do_not_tell_the_scale_of_heights(rules, film):
    fallen = dict.fromkeys(GRADED_LEVELS[:8], (0.3, 0.3, 0.3))
    after = {"losses": fallen, "grades": dict.fromkeys(fallen, "2")}
    found = scale_ratio(*profiles(rules, film, {}, after))
    assert found.heights == pytest.approx(1)
    assert found.widths == pytest.approx(1, abs=1e-3)


def test_widths_and_heights_that_contradict_each_other_tell_nothing(rules, film):
    found = scale_ratio(*profiles(rules, film, {}, {"across": 1.2}))
    assert found.along_spine is None


def test_only_evaluable_levels_take_part(rules, film):
    states = {Level.T8: VertebraState.LOW_CONFIDENCE}
    profile = film_profile(film(states=states).build(), rules)
    assert Level.T8 not in profile
    assert len(profile) == 12


def test_names_of_a_spine_that_is_the_same_or_too_short_to_tell(rules, film):
    one, other = profiles(rules, film, {}, {"noise": 0.02})
    assert better_shift(one, other, same_millimetres=True) == 0
    assert better_shift(one, one, same_millimetres=True) == 0
    short = {level: other[level] for level in GRADED_LEVELS[:5]}
    moved = dict(zip(GRADED_LEVELS[1:6], short.values(), strict=True))
    assert better_shift(one, moved, same_millimetres=True) == 0
    assert better_shift({}, {}, same_millimetres=False) == 0
