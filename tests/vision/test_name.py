"""Names follow each other: no level twice, none skipped in silence, doubt without an anchor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoom_imaging.anatomy import TYPICAL_LEVELS, Level
from zoom_imaging.vision.bundle import NameParameters
from zoom_imaging.vision.name import name_chain

HOW = NameParameters()


def opinion(levels: list[str], sure: float = 0.9) -> np.ndarray:
    """Log-probabilities of a namer that gives `sure` to each of the levels named."""
    out = np.full((len(levels), len(TYPICAL_LEVELS)), (1 - sure) / (len(TYPICAL_LEVELS) - 1))
    for row, level in enumerate(levels):
        out[row, TYPICAL_LEVELS.index(Level(level))] = sure
    return np.log(out)


def names(levels: list[str], gaps: list[float], temperature: float = 1.0) -> list[str | None]:
    found = name_chain(opinion(levels), np.array(gaps, float), temperature, HOW)
    return [level.value if level else None for level in found.levels]


@pytest.mark.parametrize(
    ("said", "gaps", "expected"),
    [
        (["T11", "T12", "L1", "L2"], [30, 31, 32], ["T11", "T12", "L1", "L2"]),
        # One vertebra is misnamed by the network: its neighbours overrule it.
        (["T11", "T12", "L2", "L2", "L3"], [30, 31, 32, 33], ["T11", "T12", "L1", "L2", "L3"]),
        # Two share a name: impossible, so one of them moves.
        (["T8", "T8", "T9", "T10"], [25, 25, 26], ["T7", "T8", "T9", "T10"]),
        # A collapsed vertebra makes a short gap, and no level disappears.
        (["T11", "T12", "L1", "L2"], [30, 19, 32], ["T11", "T12", "L1", "L2"]),
    ],
)
def test_names_are_consecutive(said: list[str], gaps: list[float], expected: list[str]) -> None:
    assert names(said, gaps) == expected


def test_a_wide_gap_is_an_explicit_missing_level() -> None:
    found = name_chain(
        opinion(["T9", "T10", "T12", "L1", "L2"]), np.array([27.0, 56, 29, 30]), 1.0, HOW
    )
    assert [level.value for level in found.levels if level] == ["T9", "T10", "T12", "L1", "L2"]
    assert found.missing == ((1, Level.T11),)


def test_a_usual_gap_never_skips_a_level_even_if_the_network_says_so() -> None:
    found = name_chain(opinion(["T9", "T10", "T12", "L1"], 0.6), np.array([27.0, 28, 29]), 1.0, HOW)
    ordinals = [level.ordinal for level in found.levels if level]
    assert len(ordinals) == 4
    assert found.missing == ()


def test_without_an_anchor_the_level_is_uncertain() -> None:
    flat = np.log(np.full((5, len(TYPICAL_LEVELS)), 1 / len(TYPICAL_LEVELS)))
    found = name_chain(flat, np.full(4, 25.0), 1.0, HOW)
    assert found.certainty < 0.3


def test_contradictory_opinions_are_less_certain_than_concordant_ones() -> None:
    gaps = np.full(3, 28.0)
    agreed = name_chain(opinion(["T10", "T11", "T12", "L1"]), gaps, 2.0, HOW)
    split = name_chain(opinion(["T10", "T11", "L1", "L2"]), gaps, 2.0, HOW)
    assert agreed.certainty > 0.95
    assert split.certainty < 0.7


def test_cervical_vertebrae_above_c7_get_no_name() -> None:
    assert names(["C7", "C7", "T1", "T2", "T3"], [18, 18, 19, 20]) == [
        None,
        "C7",
        "T1",
        "T2",
        "T3",
    ]


def test_bodies_below_the_sacrum_do_not_push_the_names_up() -> None:
    """A chain that runs on into the pelvis keeps its names; the false bodies have none."""
    spine = [level.value for level in TYPICAL_LEVELS[1:-1]]
    said = np.concatenate([opinion(spine), opinion(["T12", "L1", "T11"], 0.4)])
    found = name_chain(said, np.full(len(said) - 1, 30.0), 2.5, HOW)
    named = [level.value if level else None for level in found.levels]
    assert named[: len(spine)] == spine
    assert found.certainty > 0.95


def test_a_sacrum_below_the_last_body_anchors_the_names() -> None:
    """Nothing but the place beyond the chain tells L1-L5 from T12-L4."""
    said = np.logaddexp(
        opinion(["T12", "L1", "L2", "L3", "L4"]), opinion(["L1", "L2", "L3", "L4", "L5"])
    ) - np.log(2)
    gaps = np.full(4, 33.0)
    alone = name_chain(said, gaps, 1.0, HOW)
    anchored = name_chain(said, gaps, 1.0, HOW, below=opinion(["S1"])[0])
    assert alone.certainty < 0.7
    assert anchored.levels[-1] is Level.L5
    assert anchored.certainty > 0.9


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(0, 2**31),
    st.floats(1.0, 10.0),
)
def test_names_always_descend_and_probabilities_are_probabilities(
    count: int, seed: int, temperature: float
) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (count, len(TYPICAL_LEVELS)))
    log_probabilities = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    gaps = np.exp(rng.normal(3.3, 0.4, count - 1))
    found = name_chain(log_probabilities, gaps, temperature, HOW)
    named = [level.ordinal for level in found.levels if level is not None]
    assert len(found.levels) == count
    assert named == sorted(set(named))
    assert all(0 <= value <= 1 + 1e-9 for value in found.probabilities)
    skipped = {level for _, level in found.missing}
    assert skipped.isdisjoint({level for level in found.levels if level})
    typical = [TYPICAL_LEVELS.index(level) for level in found.levels if level]
    between = set(range(typical[0], typical[-1])) - set(typical) if typical else set()
    assert {TYPICAL_LEVELS.index(level) for level in skipped} >= between
