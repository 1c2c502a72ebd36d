"""Path lengths through shapes whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zoom_imaging.simulate.mesh import Mesh
from zoom_imaging.simulate.projection import Geometry, depth, depth_window
from zoom_imaging.simulate.solids import unit_sphere

CONE = Geometry(
    pixel_mm=0.5,
    rows=241,
    columns=241,
    source_to_detector_mm=900.0,
    spine_to_detector_mm=250.0,
    centre_y_mm=3.0,
    centre_z_mm=-2.0,
)


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Mesh:
    corners = np.array([[(low, high)[(k >> a) & 1][a] for a in range(3)] for k in range(8)])
    quads = [(0, 4, 6, 2), (1, 3, 7, 5), (0, 1, 5, 4), (2, 6, 7, 3), (0, 2, 3, 1), (4, 5, 7, 6)]
    faces = [(q[0], q[1], q[2]) for q in quads] + [(q[0], q[2], q[3]) for q in quads]
    return Mesh(corners, np.array(faces, dtype=np.int32))


def rays(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Focus and unit directions of every pixel, for detector side +1, not mirrored."""
    plane = geometry.source_to_detector_mm - geometry.spine_to_detector_mm
    focus = np.array([-plane, geometry.centre_y_mm, geometry.centre_z_mm])
    column, row = np.meshgrid(np.arange(geometry.columns), np.arange(geometry.rows))
    y = (column - (geometry.columns - 1) / 2) * geometry.pixel_mm
    z = ((geometry.rows - 1) / 2 - row) * geometry.pixel_mm
    way = np.stack([np.full(y.shape, geometry.source_to_detector_mm), y, z], axis=-1)
    return focus, way / np.linalg.norm(way, axis=-1, keepdims=True)


def test_a_sphere_in_a_cone_has_the_length_of_its_chords() -> None:
    ball = unit_sphere(rings=60, sectors=120)
    radius, centre = 24.0, np.array([12.0, -6.0, 9.0])
    got = depth(CONE, ball.vertices * radius + centre, ball.faces) * CONE.obliquity()
    focus, way = rays(CONE)
    along = way @ (centre - focus)
    nearest = np.sum((centre - focus) ** 2) - along**2
    want = 2 * np.sqrt(np.clip(radius**2 - nearest, 0, None))
    deep = want > 8
    assert deep.sum() > 5000
    assert np.abs(got - want)[deep].max() < 0.3
    assert got[want == 0].max() < 3.0


def test_a_box_in_a_cone_has_the_length_of_every_ray() -> None:
    low, high = (-30.0, -10.0, -15.0), (20.0, 14.0, 6.0)
    cube = box(low, high)
    got = depth(CONE, cube.vertices, cube.faces) * CONE.obliquity()
    focus, way = rays(CONE)
    with np.errstate(divide="ignore"):
        first, last = (np.array(low) - focus) / way, (np.array(high) - focus) / way
    enter = np.minimum(first, last).max(axis=-1)
    leave = np.maximum(first, last).min(axis=-1)
    want = np.clip(leave - enter, 0, None)
    assert np.abs(got - want).max() < 1e-3 + 0.02 * want.max()
    assert np.percentile(np.abs(got - want), 99) < 0.01


def test_a_slot_scan_does_not_magnify_along_the_body() -> None:
    slot = replace(CONE, slot=True)
    points = np.array([[0.0, 23.0, 38.0], [0.0, -17.0, -42.0]])
    image = slot.project(points)
    assert (image[1, 1] - image[0, 1]) * slot.pixel_mm == pytest.approx(80.0)
    across = (image[0, 0] - image[1, 0]) * slot.pixel_mm
    assert across == pytest.approx(40.0 * slot.magnification)


@pytest.mark.parametrize("side", [-1, 1])
def test_what_is_far_from_the_detector_is_larger(side: int) -> None:
    geometry = replace(CONE, detector_side=side)
    left = geometry.project(np.array([[50.0, 0.0, 0.0], [50.0, 20.0, 0.0]]))
    right = geometry.project(np.array([[-50.0, 0.0, 0.0], [-50.0, 20.0, 0.0]]))
    left_mm, right_mm = left[1, 0] - left[0, 0], right[1, 0] - right[0, 0]
    assert (left_mm < right_mm) == (side > 0)


def test_mirroring_turns_the_columns_round() -> None:
    points = np.array([[4.0, 20.0, 5.0]])
    plain, turned = CONE.project(points), replace(CONE, mirrored=True).project(points)
    assert plain[0, 0] + turned[0, 0] == pytest.approx(CONE.columns - 1)
    assert plain[0, 1] == turned[0, 1]


def test_a_mesh_half_outside_the_image_is_cut_not_folded() -> None:
    cube = box((-10.0, 40.0, -10.0), (10.0, 140.0, 10.0))
    window = depth_window(CONE, cube.vertices, cube.faces)
    assert window.columns.stop == CONE.columns
    whole = depth(replace(CONE, columns=CONE.columns + 400), cube.vertices, cube.faces)
    part = depth(CONE, cube.vertices, cube.faces)
    assert np.allclose(part[:, 1:], whole[:, 201 : 200 + CONE.columns], atol=1e-6)


def test_a_mesh_outside_the_image_adds_nothing() -> None:
    cube = box((-10.0, 400.0, -10.0), (10.0, 500.0, 10.0))
    assert not depth(CONE, cube.vertices, cube.faces).any()
