"""Figures say their n, repeat byte by byte, and are left out where there is nothing to show."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from zoom_imaging.anatomy import Arm
from zoom_imaging.endpoints.analysis.answer import trial_answer
from zoom_imaging.endpoints.results import TrialResults
from zoom_imaging.report.figures import write_figures
from zoom_imaging.report.flow import steps_of


def drawn(folder: Path, trial: TrialResults) -> list[str]:
    return [figure.name for figure in write_figures(folder, trial, trial_answer(trial))]


def several(trial: TrialResults) -> TrialResults:
    """The subject with both visits, as three people in each arm."""
    person = next(s for s in trial.subjects if s.bmd_changes["lumbar_spine"].change_pct is not None)
    people = []
    for number in range(6):
        change = replace(
            person.bmd_changes["lumbar_spine"],
            change_pct=-1.0 - number,
            baseline_g_per_cm2=0.8 + 0.01 * number**2,
        )
        people.append(
            replace(
                person,
                subject_id=f"S{number}",
                arm_planned=Arm.ONCE if number % 2 else Arm.TWICE,
                bmd_changes={**person.bmd_changes, "lumbar_spine": change},
            )
        )
    return replace(trial, subjects=tuple(people))


def test_every_figure_is_there_as_svg_and_png_and_says_its_n(hostile_trial, tmp_path: Path):
    trial = several(hostile_trial)
    figures = write_figures(tmp_path, trial, trial_answer(trial))
    assert [f.name for f in figures] == ["flow", "forest", "waterfall", "paired", "spine_map"]
    for figure in figures:
        assert ET.parse(tmp_path / f"{figure.name}.svg").getroot().tag.endswith("svg")
        assert (tmp_path / f"{figure.name}.png").read_bytes().startswith(b"\x89PNG")
    words = {figure.name: figure.words for figure in figures}
    assert "6 subjects" in words["waterfall"]
    assert "6 subjects" in words["paired"]
    assert "assumed margin of 2 points" in words["forest"]


def test_a_confirmed_margin_is_not_called_assumed(hostile_trial, tmp_path: Path):
    trial = several(hostile_trial)
    answer = trial_answer(trial) | {"margin_is_assumed": False}
    words = {figure.name: figure.words for figure in write_figures(tmp_path, trial, answer)}
    assert "the margin of 2 points" in words["forest"]


def test_two_reports_have_the_same_pictures(hostile_trial, tmp_path: Path):
    trial = several(hostile_trial)
    drawn(tmp_path / "a", trial)
    drawn(tmp_path / "b", trial)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_the_flow_counts_everyone_once(hostile_trial):
    trial = several(hostile_trial)
    steps = steps_of(trial)
    assert steps[0].stay == {Arm.ONCE: 3, Arm.TWICE: 3}
    for before, after in pairwise(steps):
        for arm in (Arm.ONCE, Arm.TWICE):
            assert before.stay[arm] == after.stay[arm] + after.lost[arm]
    # Their actual treatment is risedronate in place of the second dose.
    assert steps[-1].stay == {Arm.ONCE: 0, Arm.TWICE: 0}


def test_what_cannot_be_shown_is_left_out_and_the_page_says_why(hostile_trial, tmp_path: Path):
    empty = replace(hostile_trial, subjects=())
    assert drawn(tmp_path, empty) == []
    reason = trial_answer(empty)["lumbar_bmd_change_pct"]["full_set"]["reason"]
    assert "too few subjects" in reason
    assert not list(tmp_path.iterdir())
