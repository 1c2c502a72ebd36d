"""Meshes from fields and paths enclose the volume they should."""

from __future__ import annotations

import numpy as np
import pytest

from zoom_imaging.simulate.mesh import is_closed
from zoom_imaging.simulate.solids import capsule, ellipsoid, mesh_of, smooth_union, tube


def test_an_ellipsoid_has_its_volume() -> None:
    mesh = mesh_of(ellipsoid((3, 0, 0), (10, 8, 6)), (-8, -9, -7), (14, 9, 7), 0.7)
    assert is_closed(mesh.faces)
    assert abs(mesh.signed_volume_mm3()) == pytest.approx(4 / 3 * np.pi * 480, rel=0.02)


def test_a_field_that_leaves_its_box_is_closed_there() -> None:
    mesh = mesh_of(ellipsoid((0, 0, 0), (10, 10, 10)), (0, -12, -12), (12, 12, 12), 1.0)
    assert is_closed(mesh.faces)
    # The grid reaches up to two steps beyond the box.
    whole = 4 / 3 * np.pi * 1000
    assert 0.5 * whole < abs(mesh.signed_volume_mm3()) < 0.65 * whole


def test_a_union_holds_both_and_blends_between() -> None:
    apart = [capsule((-5, 0, 0), (-1, 0, 0), 3.0), capsule((1, 0, 0), (5, 0, 0), 3.0)]
    both = smooth_union(apart, 2.0)
    points = np.array([[-5.0, 0, 0], [5.0, 0, 0], [0.0, 0, 2.9], [0.0, 9.0, 0.0]])
    assert (both(points)[:3] < 0).all()
    assert both(points)[3] > 5
    assert both(points)[2] < apart[0](points)[2]


def test_a_tube_is_closed_and_keeps_its_normals_outside() -> None:
    path = np.column_stack([np.linspace(0, 60, 20), np.zeros(20), np.zeros(20)])
    made = tube(path, 3.0, 5.0, sides=40)
    assert is_closed(made.faces)
    assert abs(made.signed_volume_mm3()) == pytest.approx(np.pi * 15 * 60, rel=0.1)
    outward = made.vertices[200:240] + made.normals()[200:240]
    distance = np.linalg.norm(outward[:, 1:] / [3.0, 5.0], axis=1)
    assert (distance > 1.0).all()
