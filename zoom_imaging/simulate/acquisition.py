"""How one film is taken: position, geometry, field, and what the room adds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.posture import PosedSpine, Position
from zoom_imaging.simulate.projection import Geometry
from zoom_imaging.simulate.proportions import CHAIN


class Facing(StrEnum):
    """Where the front of the patient points in the image."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class Field:
    """The imaged part: vertebrae from `top` to `bottom`, and millimetres around the bodies."""

    top: Level
    bottom: Level
    above_mm: float
    below_mm: float
    front_mm: float
    back_mm: float


NEUTRAL = Position()
"""Standing straight, as the person's posture has it."""


@dataclass(frozen=True)
class Acquisition:
    """One exposure; `seed` draws what changes between visits (gas, texture of soft tissue)."""

    seed: int
    pixel_mm: float
    field: Field
    facing: Facing = Facing.LEFT
    source_to_detector_mm: float = 1800.0
    spine_to_detector_mm: float = 250.0
    slot: bool = False
    detector_side: int = 1
    position: Position = NEUTRAL
    arm_angle_deg: float | None = 80.0
    breathing_blur_mm: float = 0.0
    missing_ribs: float = 0.0
    cut_flanks: bool = False

    @property
    def source_to_patient_mm(self) -> float:
        """Focus to the mid-sagittal plane."""
        return self.source_to_detector_mm - self.spine_to_detector_mm

    @property
    def magnification(self) -> float:
        """Of the mid-sagittal plane."""
        return self.source_to_detector_mm / self.source_to_patient_mm


WHOLE_SPINE = Field(Level.C7, Level.L5, 45.0, 95.0, 110.0, 95.0)
"""From the lower neck to the sacrum."""


def random_acquisition(seed: int, pixel_mm: float = 0.5) -> Acquisition:
    """Any film that a trial may send, and the odder ones that a network must also stand."""
    rng = np.random.default_rng([seed, 29])
    like_ct = rng.random() < 0.25
    slot = bool(rng.random() < 0.3)
    return Acquisition(
        seed=seed,
        pixel_mm=pixel_mm,
        field=random_field(rng),
        facing=Facing.LEFT if rng.random() < 0.5 else Facing.RIGHT,
        source_to_detector_mm=float(rng.uniform(1150, 2200)),
        spine_to_detector_mm=float(rng.uniform(150, 320)),
        slot=slot,
        detector_side=int(rng.choice([-1, 1])),
        position=random_position(rng),
        arm_angle_deg=None if like_ct or rng.random() < 0.3 else float(rng.uniform(25, 120)),
        breathing_blur_mm=float(rng.uniform(1.5, 4.0)) if rng.random() < 0.25 else 0.0,
        missing_ribs=float(rng.uniform(0.0, 0.6)) if like_ct else 0.0,
        cut_flanks=like_ct,
    )


def random_position(rng: np.random.Generator, spread: float = 1.0) -> Position:
    """Another way to stand: lean, rotation and small changes between neighbours."""
    drift = np.cumsum(rng.normal(0.0, 0.35 * spread, len(CHAIN)))
    return Position(
        lean_deg=float(rng.normal(0.0, 4.0 * spread)),
        rotation_deg=float(rng.normal(0.0, 3.5 * spread)),
        roll_deg=float(rng.normal(0.0, 2.0 * spread)),
        tilt_change_deg=dict(zip(CHAIN, map(float, drift - drift[-1]), strict=True)),
    )


def random_field(rng: np.random.Generator) -> Field:
    """Whole spine, thoracic or lumbar lateral, or the field of a chest or abdominal scan."""
    kind = rng.choice(5, p=[0.46, 0.18, 0.18, 0.09, 0.09])
    narrow = rng.random() < 0.3
    front = float(rng.uniform(35, 80) if narrow else rng.uniform(80, 190))
    back = float(rng.uniform(50, 90) if narrow else rng.uniform(70, 120))
    above, below = float(rng.uniform(10, 60)), float(rng.uniform(5, 60))
    chain = list(CHAIN)
    if kind == 0:
        below = float(rng.uniform(40, 140))
        return Field(chain[int(rng.integers(0, 4))], Level.L5, above, below, front, back)
    if kind == 1:
        top, bottom = int(rng.integers(0, 4)), int(rng.integers(12, 16))
    elif kind == 2:
        top, bottom = int(rng.integers(9, 13)), 17
        below = float(rng.uniform(30, 90))
    elif kind == 3:
        top, bottom = int(rng.integers(0, 5)), int(rng.integers(9, 13))
    else:
        top, bottom = int(rng.integers(9, 12)), 17
    return Field(chain[top], chain[bottom], above, below, front, back)


def geometry_for(posed: PosedSpine, acquisition: Acquisition) -> Geometry:
    """Frame the field around the posed bodies."""
    field = acquisition.field
    chain = CHAIN[CHAIN.index(field.top) : CHAIN.index(field.bottom) + 1]
    centres = np.array([posed.own_points(level, np.zeros((1, 3)))[0] for level in chain])
    high = centres[0, 2] + 0.5 * posed.person.shapes[field.top].posterior_mm + field.above_mm
    low = centres[-1, 2] - 0.5 * posed.person.shapes[field.bottom].posterior_mm - field.below_mm
    front = centres[:, 1].min() - field.front_mm
    back = centres[:, 1].max() + field.back_mm
    return geometry_around(acquisition, (low, high), (front, back))


def geometry_around(
    acquisition: Acquisition, z_mm: tuple[float, float], y_mm: tuple[float, float]
) -> Geometry:
    """A field that reaches over `z_mm` (low, high) and `y_mm` (front, back) at the spine."""
    (low, high), (front, back) = z_mm, y_mm
    zoom = acquisition.magnification
    return Geometry(
        pixel_mm=acquisition.pixel_mm,
        rows=int((high - low) * (1.0 if acquisition.slot else zoom) / acquisition.pixel_mm),
        columns=int((back - front) * zoom / acquisition.pixel_mm),
        source_to_detector_mm=acquisition.source_to_detector_mm,
        spine_to_detector_mm=acquisition.spine_to_detector_mm,
        centre_y_mm=float((front + back) / 2),
        centre_z_mm=float((high + low) / 2),
        slot=acquisition.slot,
        detector_side=acquisition.detector_side,
        mirrored=acquisition.facing is Facing.RIGHT,
    )
