"""One skeleton at rest: closed meshes, body frames, mid-sagittal outlines and the six points.

World axes: x = patient's left, y = posterior, z = up, millimetres. A vertebra is held in its body
frame (X = left, A = anterior, E = up along the body, millimetres, origin between the corners), so
that a vertebra of one skeleton can stand in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.mesh import Floats, Mesh

CornerIndices = tuple[int, int, int, int]
"""Outline points of sup_ant, sup_post, inf_ant, inf_post."""


class Tissue(StrEnum):
    """What a part is made of and how it moves."""

    RIB = "rib"
    CARTILAGE = "cartilage"
    BONE = "bone"
    SHOULDER = "shoulder"
    ARM = "arm"
    PELVIS = "pelvis"
    FEMUR = "femur"
    LUNG = "lung"
    SOFT = "soft"


@dataclass(frozen=True)
class BodyFrame:
    """Where a vertebra stands: origin (3,) and the axes X, A, E as columns of `axes` (3, 3)."""

    origin: Floats
    axes: Floats

    def to_world(self, local: Floats) -> Floats:
        """(n, 3) of X, A, E to world x, y, z."""
        world: Floats = local @ self.axes.T + self.origin
        return world

    def to_local(self, world: Floats) -> Floats:
        """(n, 3) of world x, y, z to X, A, E."""
        local: Floats = (world - self.origin) @ self.axes
        return local


def sagittal_axes(tilt_rad: float, coronal_rad: float = 0.0, axial_rad: float = 0.0) -> Floats:
    """Axes X, A, E as columns of a body whose top leans forward by `tilt_rad`."""
    sin, cos = np.sin(tilt_rad), np.cos(tilt_rad)
    base = np.array([[1.0, 0.0, 0.0], [0.0, -cos, -sin], [0.0, -sin, cos]])
    sin, cos = np.sin(coronal_rad), np.cos(coronal_rad)
    lean = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    sin, cos = np.sin(axial_rad), np.cos(axial_rad)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    axes: Floats = turn @ lean @ base
    return axes


@dataclass(frozen=True)
class Vertebra:
    """One vertebra at rest, in its body frame; outline (n, 2) of A, E at X = 0, closed."""

    level: Level
    mesh: Mesh
    outline: Floats
    corners: CornerIndices

    @property
    def corner_points(self) -> Floats:
        """(4, 2) of A, E: sup_ant, sup_post, inf_ant, inf_post."""
        points: Floats = self.outline[list(self.corners)]
        return points

    @property
    def depth_mm(self) -> float:
        """Mean length of the two endplate chords."""
        sup_ant, sup_post, inf_ant, inf_post = self.corner_points
        return float(np.linalg.norm(sup_ant - sup_post) + np.linalg.norm(inf_ant - inf_post)) / 2


@dataclass(frozen=True)
class Part:
    """Anything but a posed vertebra, in world coordinates at rest."""

    tissue: Tissue
    mesh: Mesh


@dataclass(frozen=True)
class Skeleton:
    """A whole trunk at rest: C7-L5 with frames, and all other parts by name."""

    name: str
    vertebrae: Mapping[Level, Vertebra]
    frames: Mapping[Level, BodyFrame]
    parts: Mapping[str, Part]

    def with_vertebrae(self, other: Mapping[Level, Vertebra], name: str) -> Skeleton:
        """The same trunk with some vertebrae taken from elsewhere."""
        return Skeleton(name, {**self.vertebrae, **other}, self.frames, self.parts)


def find_corners(outline: Floats, anterior: Floats) -> tuple[CornerIndices, Floats, Floats]:
    """The four corners of a body outline, and its frame: (indices, origin (2,), anterior (2,)).

    A corner is the outline point furthest along the diagonal of the body, in a frame that is turned
    to the mean direction of the two endplate chords and found by iteration: where endplate and wall
    meet, also on rounded corners. The outline must not hold osteophytes.
    """
    ahead = anterior / np.linalg.norm(anterior)
    origin = outline.mean(axis=0)
    indices: CornerIndices = (0, 0, 0, 0)
    for _ in range(5):
        up = _up(ahead)
        along, height = (outline - origin) @ ahead, (outline - origin) @ up
        along = _unit_range(along)
        height = _unit_range(height)
        indices = (
            int(np.argmax(along + height)),
            int(np.argmax(height - along)),
            int(np.argmax(along - height)),
            int(np.argmax(-along - height)),
        )
        sup_ant, sup_post, inf_ant, inf_post = outline[list(indices)]
        ahead = (sup_ant - sup_post) + (inf_ant - inf_post)
        ahead = ahead / np.linalg.norm(ahead)
    origin = outline[list(indices)].mean(axis=0)
    return indices, origin, ahead


def _up(ahead: Floats) -> Floats:
    up = np.array([ahead[1], -ahead[0]])
    return up if up[1] > 0 else -up


def _unit_range(values: Floats) -> Floats:
    low, high = values.min(), values.max()
    scaled: Floats = (values - (low + high) / 2) / max((high - low) / 2, 1e-9)
    return scaled


def six_points(outline: Floats, corners: CornerIndices) -> Floats:
    """The six points, (6, 2) in the order of `anatomy.LANDMARKS`, on a closed body outline.

    Corners are the given outline points; a middle point lies where the perpendicular through the
    middle of the corner chord meets the outline between the two corners (`anatomy.SixPoints`).
    """
    sup_ant, sup_post, inf_ant, inf_post = corners
    return np.stack(
        [
            outline[sup_ant],
            _middle(outline, sup_ant, sup_post, (inf_ant, inf_post)),
            outline[sup_post],
            outline[inf_ant],
            _middle(outline, inf_ant, inf_post, (sup_ant, sup_post)),
            outline[inf_post],
        ]
    )


def _middle(outline: Floats, start: int, end: int, avoid: tuple[int, int]) -> Floats:
    path = _between(len(outline), start, end)
    if any(index in path for index in avoid):
        path = _between(len(outline), end, start)
    points = outline[path]
    chord = outline[end] - outline[start]
    along = (points - (outline[start] + outline[end]) / 2) @ (chord / np.linalg.norm(chord))
    crossing = np.flatnonzero(np.diff(np.signbit(along)))
    if not len(crossing):
        middle: Floats = (outline[start] + outline[end]) / 2
        return middle
    at = int(crossing[len(crossing) // 2])
    share = along[at] / (along[at] - along[at + 1])
    point: Floats = points[at] + share * (points[at + 1] - points[at])
    return point


def _between(count: int, start: int, end: int) -> list[int]:
    return [(start + step) % count for step in range((end - start) % count + 1)]


def heights_mm(points: Floats) -> Floats:
    """Ha, Hm, Hp of six points (6, 2) or (6, 3) in millimetres."""
    heights: Floats = np.linalg.norm(points[:3] - points[3:], axis=1)
    return heights


def vertebra_from_world(
    level: Level, mesh: Mesh, outline_yz: Floats, plane_x_mm: float
) -> tuple[Vertebra, BodyFrame]:
    """Find corners and body frame of a section (n, 2) of y, z and turn the mesh into that frame."""
    outline_yz = densify(outline_yz, 0.4)
    corners, origin, ahead = find_corners(outline_yz, np.array([-1.0, 0.0]))
    up = _up(ahead)
    axes = np.array([[1.0, 0.0, 0.0], [0.0, ahead[0], up[0]], [0.0, ahead[1], up[1]]])
    frame = BodyFrame(np.array([plane_x_mm, origin[0], origin[1]]), axes)
    outline = (outline_yz - origin) @ np.stack([ahead, up], axis=1)
    local = Mesh(frame.to_local(mesh.vertices), mesh.faces)
    return Vertebra(level, local, outline, corners), frame


def densify(outline: Floats, step_mm: float) -> Floats:
    """A closed outline with a point at least every `step_mm`; the given points stay."""
    if np.allclose(outline[0], outline[-1]):
        outline = outline[:-1]
    pieces = []
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        count = max(1, int(np.ceil(np.linalg.norm(end - start) / step_mm)))
        pieces.append(start + (end - start) * (np.arange(count)[:, None] / count))
    return np.concatenate(pieces)


def save_skeleton(skeleton: Skeleton, path: Path) -> None:
    """Write a prepared skeleton to one .npz file."""
    arrays: dict[str, NDArray[np.generic]] = {"name": np.array(skeleton.name)}
    for level, vertebra in skeleton.vertebrae.items():
        key = f"vertebra/{level}/"
        arrays[key + "vertices"] = vertebra.mesh.vertices
        arrays[key + "faces"] = vertebra.mesh.faces
        arrays[key + "outline"] = vertebra.outline
        arrays[key + "corners"] = np.array(vertebra.corners)
        arrays[key + "origin"] = skeleton.frames[level].origin
        arrays[key + "axes"] = skeleton.frames[level].axes
    for name, part in skeleton.parts.items():
        key = f"part/{name}/{part.tissue}/"
        arrays[key + "vertices"] = part.mesh.vertices
        arrays[key + "faces"] = part.mesh.faces
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def load_skeleton(path: Path) -> Skeleton:
    """Read what `save_skeleton` wrote."""
    vertebrae: dict[Level, Vertebra] = {}
    frames: dict[Level, BodyFrame] = {}
    parts: dict[str, Part] = {}
    with np.load(path) as stored:
        name = str(stored["name"])
        for key in stored.files:
            if not key.endswith("/vertices"):
                continue
            stem = key.removesuffix("vertices")
            mesh = Mesh(stored[key], stored[stem + "faces"])
            kind, title, *rest = stem.strip("/").split("/")
            if kind == "part":
                parts[title] = Part(Tissue(rest[0]), mesh)
                continue
            level = Level(title)
            first, second, third, fourth = (int(index) for index in stored[stem + "corners"])
            corners = (first, second, third, fourth)
            vertebrae[level] = Vertebra(level, mesh, stored[stem + "outline"], corners)
            frames[level] = BodyFrame(stored[stem + "origin"], stored[stem + "axes"])
    return Skeleton(name, vertebrae, frames, parts)
