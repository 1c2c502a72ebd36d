"""The six points on outlines whose corners are known; storage; the frame."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.mesh import Mesh, is_closed, refine
from zoom_imaging.simulate.meshes import load_vertebra
from zoom_imaging.simulate.proportions import CHAIN
from zoom_imaging.simulate.skeleton import (
    Skeleton,
    densify,
    find_corners,
    heights_mm,
    load_skeleton,
    sagittal_axes,
    save_skeleton,
    six_points,
)
from zoom_imaging.simulate.solids import unit_sphere

BOX = np.array([[15.0, 12.0], [-15.0, 13.0], [-15.0, -13.0], [15.0, -12.0]])


@pytest.mark.parametrize("turn_deg", [0.0, 25.0, -35.0])
def test_a_box_gives_its_corners_and_the_middle_of_its_endplates(turn_deg: float) -> None:
    sin, cos = np.sin(np.deg2rad(turn_deg)), np.cos(np.deg2rad(turn_deg))
    turn = np.array([[cos, -sin], [sin, cos]])
    outline = densify(BOX @ turn.T + [100.0, 50.0], 0.4)
    corners, origin, ahead = find_corners(outline, np.array([1.0, 0.0]))
    points = (six_points(outline, corners) - [100.0, 50.0]) @ turn
    want = [[15, 12], [0, 12.5], [-15, 13], [15, -12], [0, -12.5], [-15, -13]]
    assert np.abs(points - want).max() < 0.3
    assert np.allclose(origin, [100.0, 50.0], atol=1e-6)
    assert np.allclose(ahead @ turn, [1.0, 0.0], atol=1e-3)


def test_the_middle_point_lies_on_a_hollow_endplate_not_on_the_chord() -> None:
    along = np.linspace(15, -15, 61)
    top = np.column_stack([along, 12 - 4 * (1 - (along / 15) ** 2)])
    bottom = np.column_stack([along[::-1], np.full(61, -12.0)])
    outline = densify(np.concatenate([top, bottom]), 0.3)
    corners, _, _ = find_corners(outline, np.array([1.0, 0.0]))
    points = six_points(outline, corners)
    assert heights_mm(points) == pytest.approx([24.0, 20.0, 24.0], abs=0.05)


def test_a_crushed_body_keeps_its_endplates_apart() -> None:
    along = np.linspace(15, -15, 61)
    top = np.column_stack([along, 6 - 5.5 * (1 - (along / 15) ** 2)])
    bottom = -top[::-1] * [-1, 1]
    outline = densify(np.concatenate([top, bottom]), 0.3)
    corners, _, _ = find_corners(outline, np.array([1.0, 0.0]))
    points = six_points(outline, corners)
    assert points[1, 1] == pytest.approx(0.5, abs=0.05)
    assert points[4, 1] == pytest.approx(-0.5, abs=0.05)


def test_axes_lean_forward_and_stay_perpendicular() -> None:
    axes = sagittal_axes(np.deg2rad(30.0), 0.1, -0.2)
    assert np.allclose(axes.T @ axes, np.eye(3))
    # Up leans towards the front, which is -y.
    assert sagittal_axes(np.deg2rad(30.0))[1, 2] == pytest.approx(-0.5)


def test_a_stored_skeleton_comes_back_whole(skeleton: Skeleton, tmp_path: Path) -> None:
    path = tmp_path / "skeleton.npz"
    save_skeleton(skeleton, path)
    back = load_skeleton(path)
    assert back.name == skeleton.name
    assert set(back.parts) == set(skeleton.parts)
    for level in CHAIN:
        assert back.vertebrae[level].corners == skeleton.vertebrae[level].corners
        assert np.array_equal(
            back.vertebrae[level].mesh.vertices, skeleton.vertebrae[level].mesh.vertices
        )
        assert np.array_equal(back.frames[level].axes, skeleton.frames[level].axes)


def test_every_mesh_of_our_own_spine_is_closed(skeleton: Skeleton) -> None:
    open_parts = [name for name, part in skeleton.parts.items() if not is_closed(part.mesh.faces)]
    open_parts += [
        str(level) for level in CHAIN if not is_closed(skeleton.vertebrae[level].mesh.faces)
    ]
    assert open_parts == []


def test_a_mesh_with_a_hole_is_not_closed(skeleton: Skeleton) -> None:
    faces = skeleton.vertebrae[CHAIN[0]].mesh.faces
    assert not is_closed(faces[1:])


def test_refining_shortens_edges_and_keeps_the_surface_closed() -> None:
    whole = unit_sphere(7, 9)
    fine = refine(Mesh(whole.vertices * [30.0, 20.0, 9.0], whole.faces), 4.0)
    corner = fine.vertices[fine.faces]
    assert np.linalg.norm(corner - np.roll(corner, 1, axis=1), axis=2).max() <= 4.0
    assert is_closed(fine.faces)
    assert fine.signed_volume_mm3() == pytest.approx(whole.signed_volume_mm3() * 5400.0)


def test_corners_agree_with_the_landmarks_read_by_eye(shared: Path) -> None:
    folder = shared / "anatomy" / "bodyparts3d"
    if not folder.is_dir():
        pytest.skip("the meshes are optional")
    levels = json.loads((folder / "landmarks.json").read_text(encoding="utf-8"))["levels"]
    order = [
        f"{end}_{place}"
        for end in ("superior", "inferior")
        for place in ("anterior", "middle", "posterior")
    ]
    for level in (Level.T4, Level.T8, Level.T12, Level.L2, Level.L4):
        vertebra, frame = load_vertebra(folder, level)
        own = six_points(vertebra.outline, vertebra.corners)
        world = frame.to_world(np.column_stack([np.zeros(6), own]))
        given = np.array([levels[level]["points_mm"][name] for name in order])
        assert np.linalg.norm(world - given, axis=1).max() < 1.2, level
