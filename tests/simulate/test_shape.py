"""Target heights are met, and a loss of x leaves 1 - x."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.fracture import UNFRACTURED, Fracture
from zoom_imaging.simulate.person import random_person
from zoom_imaging.simulate.shape import BodyShape, Dent, own_outline, own_points, warp
from zoom_imaging.simulate.skeleton import Skeleton, heights_mm

SHAPE = BodyShape(anterior_mm=24.0, middle_mm=23.0, posterior_mm=26.0, depth_mm=30.0)


@pytest.mark.parametrize("level", [Level.T4, Level.T8, Level.L1, Level.L4])
@pytest.mark.parametrize("skew", [-0.6, 0.0, 0.3])
def test_the_body_gets_the_heights_it_was_asked_for(
    skeleton: Skeleton, level: Level, skew: float
) -> None:
    shape = BodyShape(24.0, 22.5, 26.0, 30.0, concavity_skew=skew, concavity_power=3.0)
    points = own_points(skeleton.vertebrae[level], shape, UNFRACTURED)
    assert heights_mm(points) == pytest.approx([24.0, 22.5, 26.0], abs=0.25)
    assert np.linalg.norm(points[0] - points[2]) == pytest.approx(30.0, rel=0.06)


@pytest.mark.parametrize(
    ("anterior", "middle", "posterior"),
    [(0.3, 0.2, 0.0), (0.0, 0.35, 0.0), (0.45, 0.45, 0.4), (0.62, 0.4, 0.05), (0.1, 0.65, 0.1)],
)
def test_a_fracture_of_loss_x_leaves_one_minus_x(
    skeleton: Skeleton, anterior: float, middle: float, posterior: float
) -> None:
    vertebra = skeleton.vertebrae[Level.T12]
    own = heights_mm(own_points(vertebra, SHAPE, UNFRACTURED))
    fracture = Fracture(anterior, middle, posterior)
    now = heights_mm(own_points(vertebra, SHAPE, fracture))
    assert 1 - now / own == pytest.approx([anterior, middle, posterior], abs=0.015)


def test_the_arch_does_not_collapse_with_the_body(skeleton: Skeleton) -> None:
    vertebra = skeleton.vertebrae[Level.L1]
    behind = vertebra.mesh.vertices[vertebra.mesh.vertices[:, 1] < -0.5 * 30.0 - 12.0]
    assert len(behind) > 100
    crushed = warp(vertebra, SHAPE, Fracture(0.5, 0.5, 0.5), behind)
    whole = warp(vertebra, SHAPE, UNFRACTURED, behind)
    assert np.allclose(crushed, whole)


def test_a_schmorl_node_dents_the_mesh_but_not_the_truth(skeleton: Skeleton) -> None:
    vertebra = skeleton.vertebrae[Level.L2]
    dented = BodyShape(24.0, 23.0, 26.0, 30.0, dents=(Dent(True, 0.5, 0.0, 4.0, 4.0),))
    assert np.array_equal(
        own_outline(vertebra, dented, UNFRACTURED), own_outline(vertebra, SHAPE, UNFRACTURED)
    )
    flat = np.column_stack([np.zeros(len(vertebra.outline)), vertebra.outline])
    moved = warp(vertebra, dented, UNFRACTURED, flat) - warp(vertebra, SHAPE, UNFRACTURED, flat)
    assert moved[:, 2].min() == pytest.approx(-4.0, abs=0.2)
    assert abs(moved[:, 2].max()) < 1e-9


def test_outline_and_mesh_move_together(skeleton: Skeleton) -> None:
    """The section of the warped mesh is the warped section: truth sits on the surface."""
    vertebra = skeleton.vertebrae[Level.L3]
    shape = random_person(5).shapes[Level.L3]
    fracture = Fracture(0.35, 0.3, 0.05)
    moved = warp(vertebra, shape, fracture, vertebra.mesh.vertices, with_dents=False)
    corner = moved[vertebra.mesh.faces]
    rng = np.random.default_rng(0)
    area = np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )
    face = rng.choice(len(corner), 200_000, p=area / area.sum())
    weight = rng.dirichlet([1.0, 1.0, 1.0], len(face))
    surface = np.einsum("nk,nkd->nd", weight, corner[face])
    outline = own_outline(vertebra, shape, fracture)
    # The posterior wall opens into the canal in the middle plane: endplates and front only.
    front = outline[outline[:, 0] > outline[:, 0].min() + 4.0]
    distance, _ = cKDTree(surface).query(np.column_stack([np.zeros(len(front)), front]))
    assert np.percentile(distance, 90) < 0.4
    assert distance.max() < 1.0
