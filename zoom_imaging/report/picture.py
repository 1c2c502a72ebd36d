"""Pictures of films with their readings: outlines, six points, level names and grades.

Everything is drawn in pixels of the picture, so that a film is resampled once and text stays crisp.
The same film and reading give the same bytes: no time, no program name and no metadata is written.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import Grade, Level, VertebraState
from zoom_imaging.change.record import VertebraChange
from zoom_imaging.errors import NotRelevantError
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.report.framing import (
    Framing,
    frame_pair,
    frame_spine,
    frame_whole,
    outline_of,
)
from zoom_imaging.report.lettering import (
    DARK,
    DPI,
    INK,
    LEGEND_LINE_PX,
    LIGHT,
    PAPER,
    TEXT_PX,
    draw_legend,
    draw_scale_bar,
    flow_legend,
    line_style,
    points_of,
    write,
)
from zoom_imaging.report.palette import (
    CHANGE_MARKS,
    STROKES,
    short_grade,
    shown_grade,
)
from zoom_imaging.report.plate import Plate, make_plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE_STYLE = "1"
"""Raised whenever the look of a picture changes, so that earlier pictures are drawn again."""

_LABEL_GAP_PX = 5.0
_HEAD_PX, _GUTTER_PX = 42, 22


@dataclass(frozen=True)
class _Panel:
    """One film in a picture: what is left of it once the radiograph is let go."""

    plate: Plate
    framing: Framing
    reading: FilmReading
    heading: str
    changes: Mapping[Level, VertebraChange] = field(default_factory=dict)


def draw_overlay(radiograph: Radiograph, reading: FilmReading, path: Path) -> None:
    """Write a PNG of the whole film with every outline, point, name and grade of the reading.

    Proportions follow the spacing; films larger than 2,400 pixels are reduced by area averages.
    OSError as the file system raises it.
    """
    framing = frame_whole(radiograph, reading)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(_png([_panel(radiograph, framing, reading, "")]))
    partial.replace(path)


def film_figure(
    radiograph: Radiograph,
    reading: FilmReading,
    *,
    heading: str = "",
    changes: Sequence[VertebraChange] = (),
) -> bytes:
    """A PNG of the spine of one film for the report, or of the whole film if none was read.

    `changes` marks the levels that changed; give them for the follow-up film only.
    """
    framing = frame_spine(reading) or frame_whole(radiograph, reading)
    return _png([_panel(radiograph, framing, reading, heading, changes)])


def pair_figure(
    load_baseline: Callable[[], Radiograph],
    load_month12: Callable[[], Radiograph],
    readings: tuple[FilmReading, FilmReading],
    *,
    headings: tuple[str, str],
    changes: Sequence[VertebraChange] = (),
) -> bytes:
    """A PNG of both films side by side; NotRelevantError if they share no outlined level.

    Films are loaded one after the other, so that only one is held in memory. Scale and position are
    those of `framing.frame_pair`.
    """
    framed = frame_pair(*readings)
    if framed is None:
        raise NotRelevantError("the films share no level that is outlined in both")
    panels = [_panel(load_baseline(), framed[0], readings[0], headings[0])]
    panels.append(_panel(load_month12(), framed[1], readings[1], headings[1], changes))
    return _png(panels)


def _panel(
    radiograph: Radiograph,
    framing: Framing,
    reading: FilmReading,
    heading: str,
    changes: Sequence[VertebraChange] = (),
) -> _Panel:
    plate = make_plate(radiograph, framing.window, framing.columns, framing.rows)
    return _Panel(plate, framing, reading, heading, {change.level: change for change in changes})


def _png(panels: Sequence[_Panel]) -> bytes:
    from matplotlib import rc_context, rcdefaults
    from PIL import Image

    # A user's matplotlibrc must not change what a picture says.
    with rc_context():
        rcdefaults()
        drawn = _drawn(panels)
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, format="PNG")
    return file.getvalue()


def _drawn(panels: Sequence[_Panel]) -> NDArray[np.uint8]:
    """RGB values of the whole picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    legend_rows = flow_legend(_picture_columns(panels))
    head = _HEAD_PX if any(panel.heading or panel.reading.refusal for panel in panels) else 0
    columns = _picture_columns(panels)
    rows = head + max(panel.framing.rows for panel in panels) + LEGEND_LINE_PX * len(legend_rows)
    canvas_grey = np.full((rows, columns, 3), 255, dtype=np.uint8)
    offsets = []
    at = 0
    for panel in panels:
        height, width = panel.plate.grey.shape
        canvas_grey[head : head + height, at : at + width] = panel.plate.grey[:, :, np.newaxis]
        offsets.append((at, head))
        at += width + _GUTTER_PX

    figure = Figure(figsize=(columns / DPI, rows / DPI), dpi=DPI, facecolor=PAPER)
    canvas: Any = FigureCanvasAgg(figure)
    figure.figimage(canvas_grey, 0, 0, origin="upper")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_zorder(2)
    axes.set_axis_off()
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.patch.set_alpha(0.0)
    for panel, offset in zip(panels, offsets, strict=True):
        _draw_panel(axes, panel, np.array(offset, dtype=float))
    draw_legend(axes, legend_rows, rows - LEGEND_LINE_PX * len(legend_rows))
    canvas.draw()
    drawn: NDArray[np.uint8] = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3])
    return drawn


def _picture_columns(panels: Sequence[_Panel]) -> int:
    return sum(panel.framing.columns for panel in panels) + _GUTTER_PX * (len(panels) - 1)


def _draw_panel(axes: Axes, panel: _Panel, offset: NDArray[np.float64]) -> None:
    from matplotlib.patches import Rectangle

    columns, rows = panel.framing.columns, panel.framing.rows
    frame = Rectangle((offset[0] - 0.5, offset[1] - 0.5), columns, rows, fill=False, lw=0)
    axes.add_patch(frame)
    if panel.heading or panel.reading.refusal:
        words = panel.heading
        if panel.reading.refusal:
            words = f"{words}: not read" if words else "Not read"
        write(axes, offset[0] + 2, offset[1] - _HEAD_PX / 2, words, size=20, weight="bold")
    placed: list[tuple[VertebraReading, NDArray[np.float64]]] = []
    for vertebra in panel.reading.vertebrae:
        outline = outline_of(vertebra)
        if outline is not None:
            placed.append((vertebra, panel.plate.place(outline) + offset))
    for vertebra, outline in placed:
        changed = _mark(panel, vertebra) != ""
        points = (
            panel.plate.place(vertebra.six_points.to_array()) + offset
            if vertebra.six_points is not None
            else None
        )
        _draw_body(
            axes, vertebra=vertebra, outline=outline, points=points, changed=changed, frame=frame
        )
    labels = _place_labels(placed, panel, offset)
    for x, y, vertebra in labels:
        _draw_label(axes, panel, vertebra, x, y)
    draw_scale_bar(axes, panel.framing, float(offset[0]), float(offset[1]))


def _draw_body(
    axes: Axes,
    *,
    vertebra: VertebraReading,
    outline: NDArray[np.float64],
    points: NDArray[np.float64] | None,
    changed: bool,
    frame: Any,
) -> None:
    from matplotlib.patches import Polygon

    stroke = STROKES[shown_grade(vertebra)]
    # A dark (changed: white) halo keeps the outline visible on bright and on dark bone.
    halo_width = stroke.width_px + (7.0 if changed else 1.6)
    for colour, width, dash, alpha in (
        (PAPER if changed else DARK, halo_width, (), 0.9 if changed else 0.45),
        (stroke.colour, stroke.width_px, stroke.dash, 1.0),
    ):
        body = Polygon(
            outline,
            closed=True,
            fill=False,
            edgecolor=colour,
            linewidth=points_of(width),
            linestyle=line_style(dash, width),
            alpha=alpha,
            joinstyle="round",
        )
        axes.add_patch(body)
        body.set_clip_path(frame)
    if points is not None:
        evaluable = shown_grade(vertebra) is not Grade.NOT_EVALUABLE
        marks = axes.plot(
            points[:, 0],
            points[:, 1],
            linestyle="none",
            marker="o",
            markersize=points_of(6.5),
            markerfacecolor=stroke.colour if evaluable else "none",
            markeredgecolor=DARK if evaluable else stroke.colour,
            markeredgewidth=points_of(1.2),
        )
        marks[0].set_clip_path(frame)


def _place_labels(
    placed: Sequence[tuple[VertebraReading, NDArray[np.float64]]],
    panel: _Panel,
    offset: NDArray[np.float64],
) -> list[tuple[float, float, VertebraReading]]:
    """Beside the spine at the height of each body, moved apart where they would overlap."""
    if not placed:
        return []
    right = panel.framing.labels_right
    ordered = sorted(placed, key=lambda item: float(item[1][:, 1].mean()))
    heights = [_label_height(panel, vertebra) for vertebra, _ in ordered]
    middles = [float(outline[:, 1].min() + outline[:, 1].max()) / 2 for _, outline in ordered]
    bottom = offset[1] + panel.framing.rows
    for at in range(1, len(middles)):
        least = middles[at - 1] + (heights[at - 1] + heights[at]) / 2 + _LABEL_GAP_PX
        middles[at] = max(middles[at], least)
    below = bottom
    for at in reversed(range(len(middles))):
        middles[at] = min(middles[at], below - heights[at] / 2 - _LABEL_GAP_PX)
        below = middles[at] - heights[at] / 2
    depth = float(np.median([np.ptp(outline[:, 0]) for _, outline in ordered]))
    result = []
    for (vertebra, _), y, height in zip(ordered, middles, heights, strict=True):
        # Clear of every body that reaches the label's rows, not only of its own.
        near = [
            outline
            for _, outline in ordered
            if outline[:, 1].min() < y + height and outline[:, 1].max() > y - height
        ] or [outline for _, outline in ordered]
        edge = max(o[:, 0].max() for o in near) if right else min(o[:, 0].min() for o in near)
        away = 0.32 * depth + 8.0
        result.append((float(edge + away if right else edge - away), y, vertebra))
    return result


def _label_height(panel: _Panel, vertebra: VertebraReading) -> float:
    lines = 2 if _mark(panel, vertebra) else 1
    return lines * TEXT_PX * 1.25 + 8.0


def _mark(panel: _Panel, vertebra: VertebraReading) -> str:
    change = panel.changes.get(vertebra.level)
    if change is None:
        return ""
    return CHANGE_MARKS.get(change.kind, "")


def _draw_label(axes: Axes, panel: _Panel, vertebra: VertebraReading, x: float, y: float) -> None:
    grade = shown_grade(vertebra)
    name = vertebra.level.value
    if vertebra.state is VertebraState.LEVEL_UNCERTAIN:
        name += "?"
    words = f"{name}  {short_grade(grade, vertebra.shape)}"
    mark = _mark(panel, vertebra)
    if mark:
        words += f"\n{mark}"
    filled = grade in {Grade.MILD, Grade.MODERATE, Grade.SEVERE}
    colour = STROKES[grade].colour
    box = {
        "boxstyle": "round,pad=0.22,rounding_size=0.25",
        "facecolor": colour if filled else DARK,
        "edgecolor": PAPER if mark else colour,
        "linewidth": points_of(2.4 if mark else 1.0),
        "linestyle": "--" if grade is Grade.NOT_EVALUABLE else "-",
        "alpha": 0.96 if filled else 0.85,
    }
    right = panel.framing.labels_right
    write(
        axes,
        x,
        y,
        words,
        colour=INK if filled else LIGHT,
        weight="bold" if filled else "normal",
        across="left" if right else "right",
        box=box,
    )
