"""A positive stays positive; a negative needs all thirteen levels."""

from __future__ import annotations

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level
from zoom_imaging.change.record import ChangeKind, VertebraChange
from zoom_imaging.change.subject import summarise_fractures


def changes(**kinds):
    """All thirteen levels, "none" unless told otherwise."""
    return [
        VertebraChange(
            level=level,
            grade_baseline=Grade.NORMAL,
            grade_month12=Grade.NORMAL,
            kind=ChangeKind(kinds.get(level.value, "none")),
            reason="",
        )
        for level in GRADED_LEVELS
    ]


@pytest.mark.parametrize(
    ("kinds", "incident_vf", "flags", "counts"),
    [
        # flags: any new, any new or worsening, multiple, four or more
        ({}, "no", (False, False, False, False), (0, 0, 13)),
        ({"T8": "new"}, "yes", (True, True, False, False), (1, 0, 13)),
        ({"T8": "worsening"}, "no", (False, True, False, False), (0, 1, 13)),
        ({"T8": "new", "L1": "worsening"}, "yes", (True, True, True, False), (1, 1, 13)),
        (
            dict.fromkeys(["T6", "T8", "T12", "L1"], "new"),
            "yes",
            (True, True, True, True),
            (4, 0, 13),
        ),
        ({"T8": "ceiling", "T9": "improved"}, "no", (False, False, False, False), (0, 0, 13)),
        (
            {"T4": "not_evaluable"},
            "no event among 12 evaluable",
            (None, None, False, False),
            (0, 0, 12),
        ),
        (
            {"T4": "not_evaluable", "T5": "not_evaluable"},
            "no event among 11 evaluable",
            (None, None, None, False),
            (0, 0, 11),
        ),
        (
            {"T4": "not_evaluable", "T8": "new"},
            "yes",
            (True, True, None, False),
            (1, 0, 12),
        ),
        (
            {level.value: "not_evaluable" for level in GRADED_LEVELS},
            "not evaluable",
            (None, None, None, None),
            (0, 0, 0),
        ),
        (
            {level.value: "not_evaluable" for level in GRADED_LEVELS} | {"L1": "new"},
            "yes",
            (True, True, None, None),
            (1, 0, 1),
        ),
    ],
)
def test_what_can_be_said_about_a_subject(rules, kinds, incident_vf, flags, counts):
    found = summarise_fractures(changes(**kinds), [], [], rules)
    assert found.incident_vf == incident_vf
    assert (
        found.any_new,
        found.any_new_or_worsening,
        found.multiple,
        found.four_or_more,
    ) == flags
    assert (found.new_count, found.worsening_count, found.levels_evaluable_both) == counts
    assert found.incident_levels == tuple(
        level for level in GRADED_LEVELS if kinds.get(level.value) in {"new", "worsening"}
    )


def test_levels_without_a_change_are_not_evaluable(rules):
    found = summarise_fractures(changes()[:5], [], [], rules)
    assert found.levels_evaluable_both == 5
    assert found.not_evaluable == GRADED_LEVELS[5:]
    assert summarise_fractures([], [], [], rules).incident_vf == "not evaluable"


def test_the_two_criteria_are_reported_apart(rules):
    given = {change.level: change for change in changes(T8="new", T12="new", L1="worsening")}

    def mark(level, **fields):
        given[level] = VertebraChange(**{**vars(given[level]), **fields})

    mark(Level.T8, morphometric=True, confirmed=True)
    mark(Level.T12, morphometric=False, confirmed=False)
    mark(Level.L1, morphometric=None, confirmed=None)
    mark(Level.L3, morphometric=True, confirmed=False)
    found = summarise_fractures(given.values(), [], [], rules)
    assert found.confirmed_levels == (Level.T8,)
    assert found.semiquantitative_only == (Level.T12, Level.L1)
    assert found.morphometric_only == (Level.L3,)


def test_deformity_index_at_both_visits_and_its_change(rules, read):
    before = [read(level, "1" if level is Level.T8 else "0") for level in GRADED_LEVELS]
    after = [read(level, "3" if level is Level.T8 else "0") for level in GRADED_LEVELS]
    found = summarise_fractures(changes(T8="worsening"), before, after, rules)
    assert (found.sdi_baseline.value, found.sdi_month12.value, found.sdi_change) == (1, 3, 2)
    found = summarise_fractures(changes(T8="worsening"), before, after[:-1], rules)
    assert found.sdi_month12.value is None
    assert found.sdi_month12.partial_sum == 3
    assert found.sdi_change is None


def test_a_level_given_twice_is_refused(rules):
    with pytest.raises(ValueError, match="more than one change"):
        summarise_fractures([*changes(), changes()[0]], [], [], rules)
