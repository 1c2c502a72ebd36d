"""Outline, six points and grade of vertebrae whose rough centres are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.vision.bundle import DelineateParameters
from zoom_imaging.vision.canvas import Canvas
from zoom_imaging.vision.engine import Engine
from zoom_imaging.vision.frame import Frame

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Where a vertebra is looked for: centre, direction upwards, local spacing, canvas pixels."""

    centre: tuple[float, float]
    up: tuple[float, float]
    spacing: float


@dataclass(frozen=True)
class Delineation:
    """What the delineator says about one place, in canvas pixels (column, row).

    `six` (6, 2); `spread` (6,) of the landmark maps; `mask` (s, s) probabilities on `frame`;
    `body` and `seen` are the probabilities that a vertebral body lies here and that all of it can
    be judged; `grade_logits` (4,) are not calibrated yet. `repeats` (r, 6, 2) holds the six points
    of each test-time repeat; `six`, `spread`, `body`, `seen` and `grade_logits` are their means.
    """

    place: Place
    frame: Frame
    six: Floats
    spread: Floats
    mask: NDArray[np.float32]
    body: float
    seen: float
    grade_logits: Floats
    repeats: Floats

    @property
    def centre(self) -> Floats:
        """The mean of the four corners, to which the next pass is centred (2,)."""
        return np.asarray(self.six[[0, 2, 3, 5]].mean(0))


def crop_frame(
    place: Place,
    how: DelineateParameters,
    *,
    mirrored: bool,
    repeat: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> Frame:
    """The crop about a place; `repeat` shifts it (in spacings) and scales it."""
    dx, dy, scale = repeat
    centre = (place.centre[0] + dx * place.spacing, place.centre[1] + dy * place.spacing)
    pitch = how.spacings * place.spacing / how.size * scale
    return Frame.upright(centre, place.up, pitch, how.size, mirrored=mirrored)


def delineate(
    canvas: Canvas,
    places: Sequence[Place],
    engine: Engine,
    how: DelineateParameters,
    *,
    mirrored: bool,
    repeats: Sequence[tuple[float, float, float]] = ((0.0, 0.0, 1.0),),
) -> list[Delineation]:
    """Delineate every place; `mirrored` for a patient who faces right."""
    frames = [
        crop_frame(place, how, mirrored=mirrored, repeat=repeat)
        for place in places
        for repeat in repeats
    ]
    if not frames:
        return []
    patches = np.stack([frame.sample(canvas.pixels, canvas.valid) for frame in frames])
    parts = [
        engine.run("delineator", patches[start : start + how.batch])
        for start in range(0, len(patches), how.batch)
    ]
    mask, _, points, spread, grade, flags = (
        np.concatenate([part[k] for part in parts]) for k in range(6)
    )
    found = []
    count = len(repeats)
    for k, place in enumerate(places):
        rows = slice(k * count, (k + 1) * count)
        own = frames[rows]
        pitch = np.array([float(np.hypot(*frame.matrix[:, 0])) for frame in own])
        six = np.stack([f.to_film(p) for f, p in zip(own, points[rows], strict=True)])
        chances = _sigmoid(flags[rows].mean(0))
        found.append(
            Delineation(
                place=place,
                frame=own[0],
                six=six.mean(0),
                spread=(spread[rows] * pitch[:, None]).mean(0),
                mask=_sigmoid(mask[k * count, 0]).astype(np.float32),
                body=float(chances[0]),
                seen=float(chances[1]),
                grade_logits=np.asarray(grade[rows].mean(0), float),
                repeats=six,
            )
        )
    return found


def _sigmoid(values: NDArray[np.floating]) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -60, 60))), float)


def outline(delineation: Delineation, points: int = 96) -> Floats:
    """The outline of the largest part of the mask at 0.5, (points, 2) on the canvas.

    Empty (0, 2) where the mask is empty.
    """
    from skimage import measure

    padded = np.pad(delineation.mask, 1)
    contours = measure.find_contours(padded, 0.5)  # type: ignore[no-untyped-call]
    if not contours:
        return np.zeros((0, 2))
    longest = max(contours, key=_area)[:-1, ::-1] - 1.0
    if len(longest) < 8 or _area(longest) < 20:
        return np.zeros((0, 2))
    closed = np.concatenate([longest, longest[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0, along[-1], points, endpoint=False)
    even = np.stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)], axis=1)
    return delineation.frame.to_film(even)


def _area(contour: Floats) -> float:
    x, y = contour[:, 0], contour[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def agreement(delineation: Delineation) -> float:
    """Overlap (Dice) of the mask with the polygon through the six points: do the two agree?"""
    from skimage import draw

    ring = delineation.frame.to_patch(delineation.six[[0, 1, 2, 5, 4, 3]])
    shape = delineation.mask.shape
    through = draw.polygon2mask(shape, ring[:, ::-1])  # type: ignore[no-untyped-call]
    mask = delineation.mask > 0.5
    total = int(mask.sum()) + int(through.sum())
    return float(2 * (mask & through).sum() / total) if total else 0.0
