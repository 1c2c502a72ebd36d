"""Flow of subjects: from the trial's list to the sets that are compared, and where each was lost.

In the manner of CONSORT, one column an arm; boxes name what is needed to go on, and beside them how
many stayed behind for want of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoom_imaging.anatomy import GRADED_LEVELS, PLANNED_ARMS, Arm
from zoom_imaging.endpoints.results import SubjectEndpoints, TrialResults
from zoom_imaging.ingest.catalogue import Disposition

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BOX = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "black"}


@dataclass(frozen=True)
class Step:
    """Who goes on after one condition, arm by arm, and who does not."""

    title: str
    stay: Mapping[Arm, int]
    lost: Mapping[Arm, int]


def steps_of(results: TrialResults) -> tuple[Step, ...]:
    """The conditions in the order in which they are asked."""
    stay = [dict.fromkeys(PLANNED_ARMS, 0) for _ in _CONDITIONS]
    for subject in results.endpoints:
        arm = subject.arm_planned
        if arm not in PLANNED_ARMS:
            continue
        for (_, holds), count in zip(_CONDITIONS, stay, strict=True):
            if not holds(subject):
                break
            count[arm] += 1
    return tuple(
        Step(title, after, {arm: before[arm] - after[arm] for arm in PLANNED_ARMS})
        for (title, _), before, after in zip(_CONDITIONS, [stay[0], *stay], stay, strict=False)
    )


def draw_flow(axes: Axes, results: TrialResults, answer: Mapping[str, Any]) -> str:
    """Draw the boxes; returns the words of the figure, "" without subjects."""
    if not results.endpoints:
        return ""
    entries = results.catalogue.entries
    used = sum(entry.disposition is Disposition.USED for entry in entries)
    without_arm = sum(one.arm_planned not in PLANNED_ARMS for one in results.endpoints)
    head = f"{len(results.endpoints)} subjects, {used} of {len(entries)} files used"
    if without_arm:
        head += f"\n{without_arm} without a planned arm"
    axes.axis("off")
    steps = steps_of(results)
    axes.set(xlim=(0, 10), ylim=(-0.9 * len(steps) - 0.2, 0.5))
    axes.text(5, 0.1, head, ha="center", va="center", bbox=_BOX)
    for row, step in enumerate(steps):
        y = -0.9 * (row + 0.9)
        axes.text(5, y, step.title, ha="center", va="center", fontsize=8)
        for arm, x in zip(PLANNED_ARMS, (2.0, 8.0), strict=True):
            axes.text(x, y, f"{arm.value}: {step.stay[arm]}", ha="center", va="center", bbox=_BOX)
            if row:
                axes.annotate(
                    "",
                    xy=(x, y + 0.2),
                    xytext=(x, y + 0.7),
                    arrowprops={"arrowstyle": "->"},
                )
            if step.lost[arm]:
                side = -1.0 if arm is Arm.ONCE else 1.0
                axes.text(
                    x + side * 0.25,
                    y + 0.45,
                    f"− {step.lost[arm]}",
                    ha="right" if side < 0 else "left",
                    va="center",
                )
    whole = sum(
        one.fractures.levels_evaluable_both == len(GRADED_LEVELS) for one in results.endpoints
    )
    last = steps[-1].stay
    return (
        f"{len(results.endpoints)} subjects; {last[Arm.ONCE]} once and {last[Arm.TWICE]} twice are "
        f"left in the per-protocol set; all 13 levels were compared in {whole}."
    )


_CONDITIONS: tuple[tuple[str, Callable[[SubjectEndpoints], bool]], ...] = (
    ("planned arm", lambda one: True),
    ("lumbar BMD at baseline\n(full set)", lambda one: one.in_full_set),
    (
        "comparable BMD at month 12\n(complete cases)",
        lambda one: one.bmd_changes["lumbar_spine"].change_pct is not None,
    ),
    ("treated as planned\n(per protocol)", lambda one: one.in_per_protocol_set),
)
