"""What is true of each vertebra on one simulated film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoom_imaging.anatomy import Grade, Level, Shape, VertebraState
from zoom_imaging.simulate.fracture import grade_of_loss, shape_of_losses
from zoom_imaging.simulate.mesh import Floats
from zoom_imaging.simulate.posture import PosedSpine
from zoom_imaging.simulate.projection import Geometry
from zoom_imaging.simulate.proportions import CHAIN, MEASURED
from zoom_imaging.simulate.shape import own_points
from zoom_imaging.simulate.skeleton import heights_mm, six_points

OUTLINE_POINTS = 96
BORDER_MM = 1.0
"""A body nearer to the image border than this, at the detector, cannot be judged."""
OBSCURED_RATIO = 1.6
"""Other bone over the body above this multiple of the body's own attenuation hides it."""


@dataclass(frozen=True)
class VertebraTruth:
    """One vertebra on one film; pixels are (column, row).

    `six_px` (6, 2) and `outline_px` (96, 2) are None for C7 and S1, which have a centre only.
    Heights (Ha, Hm, Hp) are object millimetres; `own_heights_mm` are those of the same vertebra
    before any fracture, and `loss` = 1 - heights / own heights.
    """

    level: Level
    centre_px: Floats
    six_px: Floats | None
    outline_px: Floats | None
    heights_mm: Floats | None
    own_heights_mm: Floats | None
    grade: Grade
    shape: Shape
    state: VertebraState

    @property
    def loss(self) -> Floats | None:
        """Loss of Ha, Hm, Hp as shares of the vertebra's own unfractured heights."""
        if self.heights_mm is None or self.own_heights_mm is None:
            return None
        loss: Floats = 1.0 - self.heights_mm / self.own_heights_mm
        return loss

    @property
    def ratios(self) -> tuple[float, float] | None:
        """Ha/Hp and Hm/Hp."""
        if self.heights_mm is None:
            return None
        anterior, middle, posterior = map(float, self.heights_mm)
        return anterior / posterior, middle / posterior


def film_truth(
    posed: PosedSpine, geometry: Geometry, spine: Floats, other_bone: Floats
) -> tuple[VertebraTruth, ...]:
    """C7, T1-L5 and S1 on one film; the attenuation images (rows, columns) decide `OBSCURED`."""
    found = [_outermost(posed, geometry, Level.C7)]
    found += [_measured(posed, geometry, level, spine, other_bone) for level in MEASURED]
    found.append(_outermost(posed, geometry, Level.S1))
    return tuple(found)


def _measured(
    posed: PosedSpine, geometry: Geometry, level: Level, spine: Floats, other_bone: Floats
) -> VertebraTruth:
    vertebra = posed.skeleton.vertebrae[level]
    outline = posed.outline(level)
    points = six_points(outline, vertebra.corners)
    six_px = _to_pixels(posed, geometry, level, points)
    outline_px = _resample(_to_pixels(posed, geometry, level, outline), OUTLINE_POINTS)
    now = heights_mm(points)
    own = heights_mm(
        own_points(
            vertebra, posed.person.shapes[level], posed.person.with_fractures({}).fracture(level)
        )
    )
    loss = 1.0 - now / own
    state = _state(geometry, outline_px, spine, other_bone)
    if level in posed.person.cement and state is VertebraState.EVALUABLE:
        state = VertebraState.IMPLANT_OR_CEMENT
    return VertebraTruth(
        level=level,
        centre_px=six_px[[0, 2, 3, 5]].mean(axis=0),
        six_px=six_px,
        outline_px=outline_px,
        heights_mm=now,
        own_heights_mm=own,
        grade=grade_of_loss(float(loss.max())),
        shape=shape_of_losses(*map(float, loss)),
        state=state,
    )


def _to_pixels(posed: PosedSpine, geometry: Geometry, level: Level, flat: Floats) -> Floats:
    own = np.column_stack([np.zeros(len(flat)), flat])
    return geometry.project(posed.own_points(level, own))[:, :2]


def _outermost(posed: PosedSpine, geometry: Geometry, level: Level) -> VertebraTruth:
    if level is Level.S1:
        lowest = CHAIN[-1]
        own = posed.person.shapes[lowest]
        # The first sacral body: below the last disc and further back, as the sacrum slopes.
        drop = own.posterior_mm / 2 + posed.person.disc_heights_mm[lowest] + 13.0
        place = np.array([[0.0, -0.22 * own.depth_mm, -drop]])
        centre = geometry.project(posed.own_points(lowest, place))[0, :2]
    else:
        centre = geometry.project(posed.own_points(level, np.zeros((1, 3))))[0, :2]
    inside = _inside(geometry, centre[None], 0.0)
    state = VertebraState.LOW_CONFIDENCE if inside.all() else VertebraState.NOT_IMAGED
    return centre_only(level, centre, state)


def centre_only(level: Level, centre_px: Floats, state: VertebraState) -> VertebraTruth:
    """A level of which only the centre (2,) is known."""
    return VertebraTruth(
        level=level,
        centre_px=centre_px,
        six_px=None,
        outline_px=None,
        heights_mm=None,
        own_heights_mm=None,
        grade=Grade.NOT_EVALUABLE,
        shape=Shape.NONE,
        state=state,
    )


def _inside(geometry: Geometry, points: Floats, margin_px: float) -> np.typing.NDArray[np.bool_]:
    high = np.array([geometry.columns, geometry.rows]) - 1 - margin_px
    return np.asarray(((points >= margin_px) & (points <= high)).all(axis=1), dtype=np.bool_)


def _state(geometry: Geometry, outline: Floats, spine: Floats, other_bone: Floats) -> VertebraState:
    inside = _inside(geometry, outline, BORDER_MM / geometry.pixel_mm)
    if not inside.any() or not _inside(geometry, outline.mean(axis=0)[None], 0.0).all():
        return VertebraState.NOT_IMAGED
    if not inside.all():
        return VertebraState.AT_IMAGE_BORDER
    from skimage.draw import polygon

    rows, columns = polygon(  # type: ignore[no-untyped-call]
        outline[:, 1], outline[:, 0], spine.shape
    )
    if not len(rows):
        return VertebraState.EVALUABLE
    over, own = other_bone[rows, columns].mean(), spine[rows, columns].mean()
    if over > OBSCURED_RATIO * own:
        return VertebraState.OBSCURED
    return VertebraState.EVALUABLE


def _resample(outline: Floats, count: int) -> Floats:
    """A closed outline as `count` points at even steps."""
    closed = np.concatenate([outline, outline[:1]])
    steps = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0.0, steps[-1], count, endpoint=False)
    return np.stack([np.interp(at, steps, closed[:, axis]) for axis in (0, 1)], axis=1)
