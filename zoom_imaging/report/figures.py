"""Figures of the trial: flow, forest with the margin, waterfall, paired lines, spine map.

Colours are told apart by people with colour-vision deficiency (Okabe and Ito) and never the only
carrier. Every figure says its n. Equal results give equal bytes of the SVG.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoom_imaging.anatomy import GRADED_LEVELS, Arm, Level
from zoom_imaging.endpoints.results import SubjectEndpoints, TrialResults
from zoom_imaging.report.flow import draw_flow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {Arm.ONCE: "#0072b2", Arm.TWICE: "#d55e00"}
HATCHES = {Arm.ONCE: "", Arm.TWICE: "////"}
SETS = {
    "full_set": "full set, complete cases",
    "per_protocol_set": "per protocol",
    "full_set_imputed": "full set, imputed",
}
SIZE_INCHES = (7.2, 3.4)


@dataclass(frozen=True)
class Figure:
    """A picture in the report: file names without folder, and what it shows in words."""

    name: str
    title: str
    words: str
    width_px: int = round(96 * SIZE_INCHES[0])
    height_px: int = round(96 * SIZE_INCHES[1])


def write_figures(
    folder: Path, results: TrialResults, answer: Mapping[str, Any]
) -> tuple[Figure, ...]:
    """Draw what the results can show, as SVG and PNG; a figure without data is left out."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    style: Any = {"svg.hashsalt": "zoom_imaging", "font.size": 9, "svg.fonttype": "path"}
    for name, title, draw in _FIGURES:
        with mpl.rc_context(style):
            picture, axes = plt.subplots(figsize=SIZE_INCHES, layout="constrained")
            words = draw(axes, results, answer)
            if words:
                axes.spines[["top", "right"]].set_visible(False)
                picture.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
                picture.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})
                drawn.append(Figure(name, title, words))
            plt.close(picture)
    return tuple(drawn)


def _changes(results: TrialResults) -> list[tuple[float, Arm, bool | None]]:
    found = []
    for subject in results.endpoints:
        change = subject.bmd_changes["lumbar_spine"]
        if change.change_pct is not None and subject.arm_planned in COLOURS:
            found.append((change.change_pct, subject.arm_planned, change.exceeds_lsc))
    return found


def _waterfall(axes: Axes, results: TrialResults, answer: Mapping[str, Any]) -> str:
    changes = sorted(_changes(results), key=lambda one: (one[0], one[1].value))
    if not changes:
        return ""
    for arm, colour in COLOURS.items():
        at = [k for k, one in enumerate(changes) if one[1] is arm]
        axes.bar(
            at,
            [changes[k][0] for k in at],
            color=colour,
            hatch=HATCHES[arm],
            edgecolor="white",
            linewidth=0.3,
            label=f"{arm.value} (n = {len(at)})",
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel="subjects, by change", ylabel="change of lumbar BMD (%)", xticks=[])
    axes.legend(frameon=False)
    beyond = sum(one[2] is True and one[0] < 0 for one in changes)
    return (
        f"Change of lumbar BMD from baseline to month 12 of {len(changes)} subjects with both "
        f"values; {beyond} lost the least significant change or more."
    )


def _forest(axes: Axes, results: TrialResults, answer: Mapping[str, Any]) -> str:
    sets = answer["lumbar_bmd_change_pct"]
    known = [(name, sets[key]) for key, name in SETS.items() if "estimate" in sets[key]]
    if not known:
        return ""
    for row, (_, one) in enumerate(known):
        axes.plot([one["low"], one["high"]], [row, row], color="black", linewidth=1.6)
        axes.plot(one["estimate"], row, "s", color="black", markersize=6)
        shown = f"{one['estimate']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f})"
        axes.text(1.01, row, shown, transform=axes.get_yaxis_transform(), va="center")
    margin = answer["margin_pct_points"]
    axes.axvline(-margin, color=COLOURS[Arm.TWICE], linestyle="--", linewidth=1.4)
    assumed = answer["margin_is_assumed"]
    label = f" margin −{margin:g}{' (assumed)' if assumed else ''}"
    axes.text(-margin, -0.62, label, color=COLOURS[Arm.TWICE])
    axes.axvline(0, color="grey", linewidth=0.8)
    labels = [f"{name}\nn = {one['once']} + {one['twice']}" for name, one in known]
    axes.set_yticks(range(len(known)), labels)
    axes.set(
        ylim=(len(known) - 0.5, -0.8),
        xlabel="twice − once, change of lumbar BMD (percentage points), 95 % interval",
    )
    first = known[0][1]
    verdict = "is" if first["not_inferior"] else "is not shown to be"
    return (
        f"Difference twice minus once with 95 % intervals; in the {known[0][0]}, twice {verdict} "
        f"not inferior at the {'assumed ' if assumed else ''}margin of {margin:g} points."
    )


def _paired(axes: Axes, results: TrialResults, answer: Mapping[str, Any]) -> str:
    count = 0
    for subject in results.endpoints:
        change, arm = subject.bmd_changes["lumbar_spine"], subject.arm_planned
        if change.change_pct is None or arm not in COLOURS or arm is None:
            continue
        left = 0.0 if arm is Arm.ONCE else 1.6
        pair = [change.baseline_g_per_cm2 or 0.0, change.month12_g_per_cm2 or 0.0]
        axes.plot([left, left + 1], pair, color=COLOURS[arm], linewidth=0.7, alpha=0.6)
        axes.plot([left, left + 1], pair, ".", color=COLOURS[arm], markersize=3)
        count += 1
    if not count:
        return ""
    axes.set_xticks(
        [0, 1, 1.6, 2.6], ["once\nbaseline", "once\nmonth 12", "twice\nbaseline", "twice\nmonth 12"]
    )
    axes.set(ylabel="lumbar BMD (g/cm²)")
    return (
        f"Lumbar BMD of {count} subjects at both visits, one line a subject, over the same levels."
    )


def _spine_map(axes: Axes, results: TrialResults, answer: Mapping[str, Any]) -> str:
    from matplotlib.ticker import MaxNLocator

    seen = dict.fromkeys(GRADED_LEVELS, 0)
    new = {arm: dict.fromkeys(GRADED_LEVELS, 0) for arm in COLOURS}
    for subject in results.endpoints:
        for level in _compared(subject):
            seen[level] += 1
        for level in subject.fractures.new:
            if subject.arm_planned in new:
                new[subject.arm_planned][level] += 1
    if not any(seen.values()):
        return ""
    rows = range(len(GRADED_LEVELS))
    left = [0] * len(GRADED_LEVELS)
    for arm, counts in new.items():
        widths = [counts[level] for level in GRADED_LEVELS]
        axes.barh(
            rows,
            widths,
            left=left,
            color=COLOURS[arm],
            hatch=HATCHES[arm],
            edgecolor="white",
            label=arm.value,
        )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_yticks(rows, [f"{level.value} (n = {seen[level]})" for level in GRADED_LEVELS])
    axes.invert_yaxis()
    axes.set(xlabel="subjects with a new fracture", xlim=(0, max([*left, 1]) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return (
        f"New vertebral fractures by level: {sum(left)} among {sum(seen.values())} vertebrae that "
        "could be compared; n is the number compared at the level."
    )


def _compared(subject: SubjectEndpoints) -> tuple[Level, ...]:
    return tuple(level for level in GRADED_LEVELS if level not in subject.fractures.not_evaluable)


_FIGURES: tuple[tuple[str, str, Callable[[Axes, TrialResults, Mapping[str, Any]], str]], ...] = (
    ("flow", "From subjects to comparisons", draw_flow),
    ("forest", "Is twice not inferior to once?", _forest),
    ("waterfall", "Change of lumbar BMD", _waterfall),
    ("paired", "Lumbar BMD at both visits", _paired),
    ("spine_map", "New fractures by level", _spine_map),
)
