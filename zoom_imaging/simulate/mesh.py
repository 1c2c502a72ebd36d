"""Closed triangle surfaces: normals, volume, fewer triangles, shorter edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Faces = NDArray[np.int32]


@dataclass(frozen=True)
class Mesh:
    """A closed triangle surface: vertices (n, 3) mm, faces (m, 3)."""

    vertices: Floats
    faces: Faces

    def normals(self) -> Floats:
        """Unit normal of each vertex, outward where the faces are counter-clockwise."""
        corner = self.vertices[self.faces]
        area = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        total = np.zeros_like(self.vertices)
        for index in range(3):
            for axis in range(3):
                total[:, axis] += np.bincount(
                    self.faces[:, index], area[:, axis], len(self.vertices)
                )
        unit: Floats = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
        return unit if self.signed_volume_mm3() >= 0 else -unit

    def signed_volume_mm3(self) -> float:
        """Enclosed volume; negative where the faces look inwards."""
        a, b, c = (self.vertices[self.faces[:, index]] for index in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def decimate(mesh: Mesh, triangles: int) -> Mesh:
    """At most about `triangles` triangles (quadric decimation); vertices are merged first."""
    import fast_simplification
    import trimesh

    merged = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    vertices = np.asarray(merged.vertices, dtype=np.float64)
    faces = np.asarray(merged.faces, dtype=np.int32)
    if len(faces) > triangles:
        found, corners = fast_simplification.simplify(
            vertices.astype(np.float32), faces, target_count=triangles
        )
        # Thin plates may tear; an open surface has no inside, so the finer mesh is kept.
        if is_closed(np.asarray(corners, dtype=np.int32)):
            vertices = np.asarray(found, dtype=np.float64)
            faces = np.asarray(corners, dtype=np.int32)
    return Mesh(vertices, faces)


def refine(mesh: Mesh, longest_mm: float) -> Mesh:
    """Halve edges longer than `longest_mm`, so that a flat face can follow a curved warp.

    Both faces of an edge are split at the same point: a closed surface stays closed.
    """
    vertices, faces = mesh.vertices, mesh.faces.astype(np.int64)
    for _ in range(6):
        edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        unique, which = np.unique(edges, axis=0, return_inverse=True)
        length = np.linalg.norm(vertices[unique[:, 0]] - vertices[unique[:, 1]], axis=1)
        long = length > longest_mm
        if not long.any():
            break
        middle = np.full(len(unique), -1)
        middle[long] = len(vertices) + np.arange(int(long.sum()))
        halfway = (vertices[unique[long, 0]] + vertices[unique[long, 1]]) / 2
        vertices = np.concatenate([vertices, halfway])
        faces = _split(faces, middle[which.reshape(-1, 3)])
    return Mesh(vertices, faces.astype(np.int32))


def _split(faces: NDArray[np.int64], middle: NDArray[np.int64]) -> NDArray[np.int64]:
    """Faces (m, 3) cut at the new points of their edges 01, 12, 20 (-1: edge not cut)."""
    count = (middle >= 0).sum(axis=1)
    done = [faces[count == 0]]
    # Turn each face until the first edge is cut (one cut) or the last is whole (two cuts).
    turn = np.where(count == 2, (np.argmin(middle, axis=1) + 1) % 3, np.argmax(middle >= 0, axis=1))
    order = (turn[:, None] + np.arange(3)) % 3
    face = np.take_along_axis(faces, order, axis=1)
    cut = np.take_along_axis(middle, order, axis=1)
    a, b, c = face.T
    ab, bc, ca = cut.T
    patterns = {
        1: ((a, ab, c), (ab, b, c)),
        2: ((ab, b, bc), (a, ab, bc), (a, bc, c)),
        3: ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)),
    }
    for cuts, triangles in patterns.items():
        done += [np.stack(triangle, axis=1)[count == cuts] for triangle in triangles]
    return np.concatenate(done)


def is_closed(faces: Faces) -> bool:
    """Whether every edge is run through once in each direction."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    size = int(faces.max()) + 1
    forward = np.sort(edges[:, 0] * size + edges[:, 1])
    backward = np.sort(edges[:, 1] * size + edges[:, 0])
    return bool(np.array_equal(forward, backward))
