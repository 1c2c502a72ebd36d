"""Pose the chain of vertebrae and discs, and carry everything else along with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.mesh import Floats, Mesh
from zoom_imaging.simulate.person import Person
from zoom_imaging.simulate.proportions import CHAIN
from zoom_imaging.simulate.shape import own_outline, warp
from zoom_imaging.simulate.skeleton import BodyFrame, Skeleton, sagittal_axes


@dataclass(frozen=True)
class Position:
    """How the patient lies or stands at one visit, in degrees; the anatomy does not change."""

    lean_deg: float = 0.0
    rotation_deg: float = 0.0
    roll_deg: float = 0.0
    tilt_change_deg: Mapping[Level, float] | None = None


@dataclass(frozen=True)
class PosedSpine:
    """Frames of a posed person; parts follow by `carry`."""

    skeleton: Skeleton
    person: Person
    frames: Mapping[Level, BodyFrame]
    whole: BodyFrame

    def vertebra_points(self, level: Level, local: Floats, *, with_dents: bool = True) -> Floats:
        """Resting body-frame points (n, 3) of a vertebra, shaped, fractured and posed."""
        own = warp(
            self.skeleton.vertebrae[level],
            self.person.shapes[level],
            self.person.fracture(level),
            local,
            with_dents=with_dents,
        )
        return self.whole.to_world(self.frames[level].to_world(own))

    def own_points(self, level: Level, own: Floats) -> Floats:
        """Points (n, 3) already in the person's own body frame, posed."""
        return self.whole.to_world(self.frames[level].to_world(own))

    def outline(self, level: Level) -> Floats:
        """(n, 2) of A, E: the person's own body outline."""
        return own_outline(
            self.skeleton.vertebrae[level],
            self.person.shapes[level],
            self.person.fracture(level),
        )

    def carry(self, mesh: Mesh) -> Mesh:
        """A part moved by the two vertebrae nearest in height."""
        return Mesh(self.carry_points(mesh.vertices), mesh.faces)

    def carry_points(self, world: Floats) -> Floats:
        """World points at rest moved with the spine."""
        order = CHAIN[::-1]
        rest = [self.skeleton.frames[level] for level in order]
        heights = np.array([frame.origin[2] for frame in rest])
        below = np.clip(np.searchsorted(heights, world[:, 2]) - 1, 0, len(order) - 2)
        share = (world[:, 2] - heights[below]) / (heights[below + 1] - heights[below])
        share = np.clip(share, 0.0, 1.0)
        moved = np.zeros_like(world)
        for place, level in enumerate(order):
            weight = np.where(below == place, 1.0 - share, 0.0)
            weight = weight + np.where(below + 1 == place, share, 0.0)
            use = weight > 0
            if not use.any():
                continue
            local = rest[place].to_local(world[use]) * self.person.size
            moved[use] += weight[use, None] * self.frames[level].to_world(local)
        return self.whole.to_world(moved)


def pose(skeleton: Skeleton, person: Person, position: Position) -> PosedSpine:
    """Stack the person's vertebrae from L5 upwards with discs of the person's height between."""
    tilts = _tilts(skeleton, person, position)
    axes = {
        level: sagittal_axes(
            tilts[level],
            np.deg2rad(person.posture.coronal_deg[level]),
            np.deg2rad(person.posture.axial_deg[level]),
        )
        for level in CHAIN
    }
    lowest = CHAIN[-1]
    frames = {lowest: BodyFrame(skeleton.frames[lowest].origin, axes[lowest])}
    for upper, lower in zip(CHAIN[-2::-1], CHAIN[:0:-1], strict=True):
        # Chords, not endplates: a biconcave collapse does not pull the neighbour into the body.
        top = _chord_middle(skeleton, person, lower, superior=True)
        bottom = _chord_middle(skeleton, person, upper, superior=False)
        gap = axes[upper][:, 2] + axes[lower][:, 2]
        gap = gap / np.linalg.norm(gap) * person.disc_heights_mm[upper]
        origin = frames[lower].to_world(top) + gap - axes[upper] @ bottom
        frames[upper] = BodyFrame(origin, axes[upper])
    return PosedSpine(skeleton, person, frames, _whole(frames, position))


def _tilts(skeleton: Skeleton, person: Person, position: Position) -> dict[Level, float]:
    tilts: dict[Level, float] = {}
    kyphosis = 0.0
    change = position.tilt_change_deg or {}
    for level in reversed(CHAIN):
        up = skeleton.frames[level].axes[:, 2]
        rest = float(np.arctan2(-up[1], up[2]))
        shape, fracture = person.shapes[level], person.fracture(level)
        lost = fracture.anterior_loss * shape.anterior_mm
        lost -= fracture.posterior_loss * shape.posterior_mm
        # A wedge bends the spine above it; discs take up a part.
        bend = 0.45 * max(0.0, lost) / shape.depth_mm
        moved = person.posture.tilt_deg[level] + change.get(level, 0.0)
        tilts[level] = rest + np.deg2rad(moved) + kyphosis + bend / 2
        kyphosis += bend
    return tilts


def _chord_middle(skeleton: Skeleton, person: Person, level: Level, *, superior: bool) -> Floats:
    corners = skeleton.vertebrae[level].corner_points
    chord = corners[:2] if superior else corners[2:]
    flat = np.column_stack([np.zeros(2), chord])
    own = warp(skeleton.vertebrae[level], person.shapes[level], person.fracture(level), flat)
    middle: Floats = own.mean(axis=0)
    return middle


def _whole(frames: Mapping[Level, BodyFrame], position: Position) -> BodyFrame:
    """Turn the whole patient about the middle of the spine, and centre it there."""
    lean, turn, roll = np.deg2rad([position.lean_deg, position.rotation_deg, position.roll_deg])
    axes = sagittal_axes(lean, roll, turn) @ sagittal_axes(0.0).T
    middle = np.mean([frame.origin for frame in frames.values()], axis=0)
    return BodyFrame(-axes @ middle, axes)
