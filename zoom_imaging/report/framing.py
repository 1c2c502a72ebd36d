"""Which part of a film a picture shows, and how large.

A pair of films is shown at one scale with the same levels at the same height, so that a lost
height is seen as such. Where the films have no common scale the picture says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import Level
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.radiograph.film import Radiograph, Scale
from zoom_imaging.report.plate import Window

LABEL_ROOM_PX = 190.0
"""Width that is kept free beside the spine for level names, grades and marks."""

_SPINE_ROWS_PX = 1500.0
_SPINE_COLUMNS_PX = 1200.0
_WHOLE_LONG_SIDE_PX = (1100.0, 2400.0)
_LARGEST_ZOOM = 3.0
_MARGIN_DEPTHS = 0.9
_MARGIN_HEIGHTS = 1.0


@dataclass(frozen=True)
class Framing:
    """A window of a film, the size of its picture, and what may be said about its scale.

    `px_per_mm` is the picture's scale along a row (None without a scale) and `scale_note` the words
    that stand at the scale bar. `labels_right` tells on which side of the spine the labels go.
    """

    window: Window
    columns: int
    rows: int
    px_per_mm: float | None
    scale_note: str
    labels_right: bool


@dataclass(frozen=True)
class _Spine:
    """Outlined vertebrae of one film in square units (mm, or pixels of equal sides)."""

    outlines: Mapping[Level, NDArray[np.float64]]
    unit: NDArray[np.float64]
    depth: float
    height: float
    posterior_right: bool

    def centre(self, level: Level) -> NDArray[np.float64]:
        outline = self.outlines[level]
        middle: NDArray[np.float64] = (outline.min(axis=0) + outline.max(axis=0)) / 2.0
        return middle

    @property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        together = np.concatenate(list(self.outlines.values()))
        return together.min(axis=0), together.max(axis=0)


def outline_of(vertebra: VertebraReading) -> NDArray[np.float64] | None:
    """The body's outline in film pixels, shape (n, 2), from the six points where no polygon is."""
    if len(vertebra.polygon) >= 3:
        return np.asarray(vertebra.polygon, dtype=float)
    if vertebra.six_points is None:
        return None
    around: NDArray[np.float64] = vertebra.six_points.to_array()[[0, 1, 2, 5, 4, 3]]
    return around


def frame_whole(radiograph: Radiograph, reading: FilmReading) -> Framing:
    """The whole film, its sides in true proportion, enlarged or reduced to a readable size."""
    rows, columns = radiograph.pixels.shape
    aspect = radiograph.aspect
    longest = max(columns, rows * aspect)
    smallest, largest = _WHOLE_LONG_SIDE_PX
    zoom = float(np.clip(longest, smallest, largest)) / longest
    spine = _spine(reading)
    return Framing(
        Window.whole(radiograph),
        max(1, round(columns * zoom)),
        max(1, round(rows * aspect * zoom)),
        *_scale_words(radiograph.scale, zoom),
        labels_right=_labels_right_of(spine, columns) if spine else True,
    )


def frame_spine(reading: FilmReading) -> Framing | None:
    """The outlined vertebrae with some room around them; None when nothing is outlined."""
    spine = _spine(reading)
    if spine is None:
        return None
    low, high = spine.bounds
    anchor = (low + high) / 2.0
    top, bottom = _vertical_reach(spine, anchor)
    zoom = min(
        _SPINE_ROWS_PX / (top + bottom),
        _SPINE_COLUMNS_PX / _breadth(spine),
        _LARGEST_ZOOM / float(spine.unit.max()),
    )
    return _framing(reading, spine, anchor, (top, bottom), zoom)


def frame_pair(baseline: FilmReading, month12: FilmReading) -> tuple[Framing, Framing, str] | None:
    """Both films around the levels that they share, and a sentence about their common scale.

    With a scale on both films, millimetres are shown equally large. Without one the films are
    shown with equally deep vertebral bodies, which do not collapse from front to back. None when
    the films share no outlined level.
    """
    first, second = _spine(baseline), _spine(month12)
    if first is None or second is None:
        return None
    shared = [level for level in first.outlines if level in second.outlines]
    if not shared:
        return None
    anchors = [
        np.mean([spine.centre(level) for level in shared], axis=0) for spine in (first, second)
    ]
    relative = 1.0
    if _has_scale(baseline) and _has_scale(month12):
        calibrated = all(
            reading.scale is not None and reading.scale.source.is_calibrated
            for reading in (baseline, month12)
        )
        note = (
            "Both films are shown at the same scale in mm."
            if calibrated
            else "Both films are shown at the same scale in mm as the files give it; at least one "
            "is not calibrated to the spine, so sizes may not be comparable."
        )
    else:
        relative = first.depth / second.depth
        note = (
            "At least one film has no scale: the films are shown with vertebral bodies of equal "
            "depth. Sizes in this picture are not measurements."
        )
    reaches = [
        np.array(_vertical_reach(spine, anchor)) * factor
        for spine, anchor, factor in zip((first, second), anchors, (1.0, relative), strict=True)
    ]
    reach = np.maximum(*reaches)
    finest = min(float(first.unit.max()), float(second.unit.max()) * relative)
    broadest = max(_breadth(first), _breadth(second) * relative)
    zoom = min(
        _SPINE_ROWS_PX / float(reach.sum()), _SPINE_COLUMNS_PX / broadest, _LARGEST_ZOOM / finest
    )
    framings = [
        _framing(reading, spine, anchor, tuple(reach / factor), zoom * factor)
        for reading, spine, anchor, factor in zip(
            (baseline, month12), (first, second), anchors, (1.0, relative), strict=True
        )
    ]
    return framings[0], framings[1], note


def _spine(reading: FilmReading) -> _Spine | None:
    scale = reading.scale
    sides = scale.as_list if scale is not None else None
    unit = np.array([sides[1], sides[0]]) if sides else np.ones(2)
    outlines: dict[Level, NDArray[np.float64]] = {}
    depths, heights, directions = [], [], []
    for vertebra in reading.vertebrae:
        outline = outline_of(vertebra)
        if outline is None:
            continue
        outlines[vertebra.level] = outline * unit
        extent = np.ptp(outlines[vertebra.level], axis=0)
        depths.append(extent[0])
        heights.append(extent[1])
        if vertebra.six_points is not None:
            points = vertebra.six_points
            directions.append(points.sup_post[0] - points.sup_ant[0])
    if not outlines:
        return None
    posterior_right = float(np.median(directions)) > 0 if directions else True
    depth = max(1e-6, float(np.median(depths)))
    height = max(1e-6, float(np.median(heights)))
    return _Spine(outlines, unit, depth, height, posterior_right)


def _vertical_reach(spine: _Spine, anchor: NDArray[np.float64]) -> tuple[float, float]:
    low, high = spine.bounds
    margin = _MARGIN_HEIGHTS * spine.height
    return float(anchor[1] - low[1] + margin), float(high[1] - anchor[1] + margin)


def _breadth(spine: _Spine) -> float:
    low, high = spine.bounds
    return float(high[0] - low[0]) + 2.0 * _MARGIN_DEPTHS * spine.depth


def _framing(
    reading: FilmReading,
    spine: _Spine,
    anchor: NDArray[np.float64],
    reach: tuple[float, ...],
    zoom: float,
) -> Framing:
    low, high = spine.bounds
    margin = _MARGIN_DEPTHS * spine.depth
    label_room = max(margin, 0.5 * spine.depth + LABEL_ROOM_PX / zoom)
    left = float(low[0]) - (margin if spine.posterior_right else label_room)
    right = float(high[0]) + (label_room if spine.posterior_right else margin)
    top, bottom = float(anchor[1]) - reach[0], float(anchor[1]) + reach[1]
    window = Window(
        left / spine.unit[0],
        top / spine.unit[1],
        (right - left) / spine.unit[0],
        (bottom - top) / spine.unit[1],
    )
    columns, rows = max(1, round((right - left) * zoom)), max(1, round((bottom - top) * zoom))
    px_per_mm, note = _scale_words(reading.scale, zoom * float(spine.unit[0]))
    return Framing(window, columns, rows, px_per_mm, note, spine.posterior_right)


def _labels_right_of(spine: _Spine, film_columns: int) -> bool:
    """Behind the spine, unless the film ends there."""
    low, high = spine.bounds
    room_left, room_right = low[0] / spine.unit[0], film_columns - high[0] / spine.unit[0]
    wanted, other = (room_right, room_left) if spine.posterior_right else (room_left, room_right)
    enough = wanted * spine.unit[0] > 1.2 * spine.depth or wanted >= other
    return spine.posterior_right if enough else not spine.posterior_right


def _has_scale(reading: FilmReading) -> bool:
    return reading.scale is not None and reading.scale.as_list is not None


def _scale_words(scale: Scale | None, zoom: float) -> tuple[float | None, str]:
    """Picture pixels a millimetre for a zoom in picture pixels a film column, and what they are."""
    if scale is None or scale.column_mm is None or scale.row_mm is None:
        return None, "no scale"
    where = "" if scale.source.is_calibrated else " at the detector"
    return zoom / scale.column_mm, where
