"""Signed distance functions and swept tubes, turned into closed meshes.

A field is negative inside and roughly millimetres from the surface. Fields take points (n, 3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoom_imaging.simulate.mesh import Floats, Mesh

SignedField = Callable[[Floats], Floats]
Triple = tuple[float, float, float]


def ellipsoid(centre: Triple, semi_axes: Triple) -> SignedField:
    """An ellipsoid along the axes."""
    middle, size = np.array(centre), np.array(semi_axes)

    def field(points: Floats) -> Floats:
        scaled = (points - middle) / size
        length = np.linalg.norm(scaled, axis=1)
        steep = np.linalg.norm(scaled / size, axis=1)
        distance: Floats = length * (length - 1.0) / np.maximum(steep, 1e-9)
        return distance

    return field


def capsule(
    start: Triple, end: Triple, radius_mm: float, stretch: Triple = (1.0, 1.0, 1.0)
) -> SignedField:
    """A rod with round ends; `stretch` above 1 widens it along an axis."""
    scale = np.array(stretch)
    first, last = np.array(start) / scale, np.array(end) / scale
    along = last - first
    square = max(float(along @ along), 1e-9)

    def field(points: Floats) -> Floats:
        at = points / scale - first
        share = np.clip(at @ along / square, 0.0, 1.0)
        distance: Floats = np.linalg.norm(at - share[:, None] * along, axis=1) - radius_mm
        return distance

    return field


def smooth_union(fields: list[SignedField], blend_mm: float) -> SignedField:
    """Fields melted together over `blend_mm`."""

    def field(points: Floats) -> Floats:
        total = fields[0](points)
        for other in fields[1:]:
            total = -smooth_maximum(-total, -other(points), blend_mm)
        return total

    return field


def mirrored(field: SignedField) -> SignedField:
    """The field on both sides of X = 0."""

    def both(points: Floats) -> Floats:
        folded = points.copy()
        folded[:, 0] = np.abs(folded[:, 0])
        return field(folded)

    return both


def smooth_maximum(a: Floats, b: Floats, blend_mm: float) -> Floats:
    """The larger of two distances, rounded over `blend_mm` where they are equal."""
    if blend_mm <= 0:
        return np.maximum(a, b)
    near = np.clip(blend_mm - np.abs(a - b), 0.0, None) / blend_mm
    rounded: Floats = np.maximum(a, b) + near * near * blend_mm * 0.25
    return rounded


def mesh_of(field: SignedField, low: Triple, high: Triple, step_mm: float) -> Mesh:
    """The closed zero surface of a field inside a box."""
    from skimage.measure import marching_cubes

    axes = [
        np.arange(first - step_mm, last + 2 * step_mm, step_mm)
        for first, last in zip(low, high, strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = field(grid.reshape(-1, 3)).reshape(grid.shape[:3])
    # A surface that leaves the box is closed on the box.
    values = np.pad(values, 1, constant_values=step_mm)
    vertices, faces, _, _ = marching_cubes(values, 0.0)  # type: ignore[no-untyped-call]
    origin = np.array([axis[0] - step_mm for axis in axes])
    return Mesh(
        np.asarray(vertices, dtype=np.float64) * step_mm + origin,
        np.asarray(faces, dtype=np.int32),
    )


def tube(path: Floats, half_wide_mm: float, half_high_mm: float, sides: int = 10) -> Mesh:
    """A closed tube of elliptical section along a path (n, 3); high along the world's z."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0]) - tangent * tangent[:, 2:3]
    weak = np.linalg.norm(up, axis=1) < 0.3
    up[weak] = np.array([0.0, 1.0, 0.0]) - tangent[weak] * tangent[weak, 1:2]
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    side = np.cross(tangent, up)
    angle = np.linspace(0.0, 2 * np.pi, sides, endpoint=False)
    taper = np.ones(len(path))
    taper[[0, -1]] = 0.5
    ring = (
        path[:, None]
        + half_wide_mm * taper[:, None, None] * np.cos(angle)[None, :, None] * side[:, None]
        + half_high_mm * taper[:, None, None] * np.sin(angle)[None, :, None] * up[:, None]
    ).reshape(-1, 3)
    vertices = np.concatenate([ring, path[:1], path[-1:]])
    start, end = len(ring), len(ring) + 1
    faces: list[tuple[int, int, int]] = []
    last = (len(path) - 1) * sides
    for index in range(sides):
        after = (index + 1) % sides
        faces.append((start, after, index))
        faces.append((end, last + index, last + after))
        for row in range(0, last, sides):
            a, b = row + index, row + after
            faces += [(a, b, b + sides), (a, b + sides, a + sides)]
    return Mesh(vertices, np.array(faces, dtype=np.int32))


def unit_sphere(rings: int = 9, sectors: int = 14) -> Mesh:
    """A closed sphere of radius 1 about the origin."""
    polar = np.linspace(0.0, np.pi, rings + 2)[1:-1]
    around = np.linspace(0.0, 2 * np.pi, sectors, endpoint=False)
    grid = np.stack(
        [
            np.outer(np.sin(polar), np.cos(around)),
            np.outer(np.sin(polar), np.sin(around)),
            np.outer(np.cos(polar), np.ones(sectors)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    vertices = np.concatenate([grid, [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])
    north, south = len(grid), len(grid) + 1
    faces: list[tuple[int, int, int]] = []
    for sector in range(sectors):
        after = (sector + 1) % sectors
        faces.append((north, sector, after))
        last = (rings - 1) * sectors
        faces.append((south, last + after, last + sector))
        for ring in range(rings - 1):
            a, b = ring * sectors + sector, ring * sectors + after
            faces += [(a, a + sectors, b + sectors), (a, b + sectors, b)]
    return Mesh(vertices, np.array(faces, dtype=np.int32))
