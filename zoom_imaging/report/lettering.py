"""Words and signs on a picture: text, scale bar and legend, all in pixels of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoom_imaging.anatomy import Grade
from zoom_imaging.report.framing import Framing
from zoom_imaging.report.palette import GRADE_WORDS, STROKES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, PAPER, DARK, LIGHT = "#14181d", "#ffffff", "#10151a", "#e9edf1"
DPI = 100.0
TEXT_PX = 18.0
LEGEND_LINE_PX = 40

_LEGEND: tuple[Grade, ...] = (
    Grade.NORMAL,
    Grade.MILD,
    Grade.MODERATE,
    Grade.SEVERE,
    Grade.NOT_EVALUABLE,
)


def points_of(pixels: float) -> float:
    """Typographic points of a length in pixels of the picture."""
    return pixels * 72.0 / DPI


def line_style(dash: Sequence[float], width_px: float) -> Any:
    """Dashes whose lengths are given in pixels, as matplotlib takes them: in units of the width."""
    return (0, tuple(length / width_px for length in dash)) if dash else "-"


def write(
    axes: Axes,
    x: float,
    y: float,
    words: str,
    *,
    colour: str = INK,
    size: float = TEXT_PX,
    weight: str = "normal",
    across: str = "left",
    box: dict[str, Any] | None = None,
) -> None:
    """Put words at a place, `across` being the side that stays there."""
    # Text of files is drawn as it is ($ is no formula); what the font lacks becomes "?".
    plain = words.encode("latin-1", "replace").decode("latin-1")
    axes.text(
        x,
        y,
        plain,
        color=colour,
        fontsize=points_of(size),
        fontweight=weight,
        fontfamily="DejaVu Sans",
        horizontalalignment=across,
        verticalalignment="center_baseline" if "\n" not in plain else "center",
        bbox=box,
        parse_math=False,
        clip_on=False,
    )


def draw_scale_bar(axes: Axes, framing: Framing, x0: float, y0: float) -> None:
    """In the lower corner away from the labels of the film whose upper left corner is (x0, y0)."""
    left = framing.labels_right
    columns, per_mm = framing.columns, framing.px_per_mm
    y = y0 + framing.rows - 18
    x = x0 + 16 if left else x0 + columns - 16
    box = {"boxstyle": "round,pad=0.2", "facecolor": DARK, "edgecolor": "none", "alpha": 0.7}
    across = "left" if left else "right"
    if per_mm is None:
        write(axes, x, y, "no scale", colour=LIGHT, across=across, size=16, box=box)
        return
    length_mm = next((mm for mm in (50, 20, 10) if mm * per_mm < 0.5 * columns), 5)
    end = x + length_mm * per_mm * (1 if left else -1)
    for colour, width in ((DARK, 7.0), (LIGHT, 3.5)):
        axes.plot([x, end], [y, y], color=colour, linewidth=points_of(width), solid_capstyle="butt")
    words = f"{length_mm} mm{framing.scale_note}"
    write(axes, x, y - 20, words, colour=LIGHT, across=across, size=16, box=box)


def flow_legend(columns: int) -> list[list[tuple[float, Grade]]]:
    """Entries of the legend with their left edge, on as many lines as the width asks for."""
    lines: list[list[tuple[float, Grade]]] = [[]]
    x = 4.0
    for grade in _LEGEND:
        width = 54.0 + 9.6 * len(GRADE_WORDS[grade])
        if lines[-1] and x + width > columns:
            lines.append([])
            x = 4.0
        lines[-1].append((x, grade))
        x += width
    return lines


def draw_legend(axes: Axes, lines: Sequence[Sequence[tuple[float, Grade]]], top: float) -> None:
    """The entries of `flow_legend` below `top`."""
    for number, line in enumerate(lines):
        y = top + LEGEND_LINE_PX * (number + 0.5)
        for x, grade in line:
            stroke = STROKES[grade]
            axes.plot([x, x + 28], [y, y], color=INK, lw=points_of(stroke.width_px + 3.0))
            axes.plot(
                [x, x + 28],
                [y, y],
                color=stroke.colour,
                lw=points_of(stroke.width_px),
                ls=line_style(stroke.dash, stroke.width_px),
            )
            write(axes, x + 35, y, GRADE_WORDS[grade], size=16)
