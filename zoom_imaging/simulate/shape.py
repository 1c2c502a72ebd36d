"""The shape of one person's vertebra: a smooth map from a skeleton's body to target heights.

The same map moves the mesh and the truth (outline, corners), so that truth is exact by
construction. Local axes X (left), A (anterior), E (up), millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoom_imaging.simulate.fracture import UNFRACTURED, Fracture
from zoom_imaging.simulate.mesh import Floats
from zoom_imaging.simulate.skeleton import Vertebra, heights_mm, six_points

ARCH_BLEND_MM = 5.0
"""Over this distance behind the posterior wall a collapse fades: the arch does not collapse."""


@dataclass(frozen=True)
class Dent:
    """A Schmorl node: a local dent of one endplate that is no loss of height.

    `along` is the share of the depth from posterior (0) to anterior (1).
    """

    superior: bool
    along: float
    left_mm: float
    depth_mm: float
    radius_mm: float


@dataclass(frozen=True)
class BodyShape:
    """Target body of one level in one person, before any fracture.

    `upper_wedge_share` and `upper_concavity_share` are the parts of wedge and concavity that the
    superior endplate takes. `concavity_power` is 2 for a parabola, more for a flat floor;
    `concavity_skew` moves the floor towards posterior (negative: Cupid's bow) or anterior.
    """

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    depth_mm: float
    width_scale: float = 1.0
    upper_wedge_share: float = 0.5
    upper_concavity_share: float = 0.5
    concavity_power: float = 2.0
    concavity_skew: float = 0.0
    half_width_mm: float = 18.0
    inferior_shift_mm: float = 0.0
    dents: tuple[Dent, ...] = ()


def warp(
    vertebra: Vertebra,
    shape: BodyShape,
    fracture: Fracture,
    local: Floats,
    *,
    with_dents: bool = True,
) -> Floats:
    """Move points (n, 3) of the resting vertebra into the person's, fractured vertebra."""
    sup_ant, sup_post, inf_ant, inf_post = vertebra.corner_points
    front, back = (sup_ant[0] + inf_ant[0]) / 2, (sup_post[0] + inf_post[0]) / 2
    left, ahead, up = local[:, 0], local[:, 1], local[:, 2]
    share = np.clip((ahead - back) / (front - back), 0.0, 1.0)
    top = sup_post[1] + (sup_ant[1] - sup_post[1]) * share
    bottom = inf_post[1] + (inf_ant[1] - inf_post[1]) * share
    at = (up - bottom) / (top - bottom)

    target = shape.posterior_mm + (shape.anterior_mm - shape.posterior_mm) * share
    wedge = (shape.anterior_mm - shape.posterior_mm) * (share - 0.5)
    tilt = (shape.upper_wedge_share - 0.5) * wedge
    new_top, new_bottom = target / 2 + tilt, -target / 2 + tilt
    moved = new_bottom + at * (new_top - new_bottom)

    # Concavity: what the rest body lacks of the target, full at mid-depth in the middle plane.
    resting = six_points(vertebra.outline, vertebra.corners)
    chord_mm = (shape.anterior_mm + shape.posterior_mm) / 2
    scale = chord_mm / max(float(heights_mm(resting)[[0, 2]].mean()), 1e-6)
    upper = -shape.upper_concavity_share * (chord_mm - shape.middle_mm)
    lower = (1 - shape.upper_concavity_share) * (chord_mm - shape.middle_mm)
    upper -= scale * float(resting[1, 1] - (sup_ant[1] + sup_post[1]) / 2)
    lower -= scale * float(resting[4, 1] - (inf_ant[1] + inf_post[1]) / 2)
    x_mm = left * shape.width_scale
    lateral = np.clip(1.0 - (x_mm / shape.half_width_mm) ** 2, 0.0, 1.0)
    bump = _bump(share, shape.concavity_power, shape.concavity_skew) * lateral
    inside = np.clip(at, 0.0, 1.0)
    moved = moved + bump * (upper * inside + lower * (1.0 - inside))
    if with_dents:
        for dent in shape.dents:
            reach = ((share - dent.along) * shape.depth_mm) ** 2 + (x_mm - dent.left_mm) ** 2
            size = dent.depth_mm * np.exp(-reach / (2 * dent.radius_mm**2))
            # A dent is shallow: it must not reach the other endplate.
            moved = moved - size * (inside**4 if dent.superior else -((1.0 - inside) ** 4))

    depth = shape.depth_mm / vertebra.depth_mm
    middle = (front + back) / 2
    ahead_mm = (ahead - middle) * depth - shape.inferior_shift_mm * (inside - 0.5)
    moved = _collapse(moved, _Place(share, inside, x_mm, (ahead - back) * depth), shape, fracture)
    return np.stack([x_mm, ahead_mm, moved], axis=1)


@dataclass(frozen=True)
class _Place:
    """Where points lie in the body: shares from posterior and from below, and millimetres."""

    share: Floats
    inside: Floats
    left_mm: Floats
    ahead_of_wall_mm: Floats


def _collapse(up: Floats, place: _Place, shape: BodyShape, fracture: Fracture) -> Floats:
    if fracture == UNFRACTURED:
        return up
    # Millimetres lost: a line between the walls, and a bump that meets the loss at mid-depth.
    at_front = fracture.anterior_loss * shape.anterior_mm
    at_back = fracture.posterior_loss * shape.posterior_mm
    bulge = fracture.middle_loss * shape.middle_mm - (at_front + at_back) / 2
    lateral = np.clip(1.0 - (place.left_mm / (shape.half_width_mm * 1.05)) ** 2, 0.0, 1.0)
    lost = at_back + (at_front - at_back) * place.share
    lost = lost + bulge * _bump(place.share, fracture.floor_power, 0.0) * lateral
    lost = lost * np.clip(1.0 + place.ahead_of_wall_mm / ARCH_BLEND_MM, 0.0, 1.0)
    step = fracture.upper_share * place.inside
    step -= (1.0 - fracture.upper_share) * (1.0 - place.inside)
    moved: Floats = up - lost * step
    return moved


def _bump(share: Floats, power: float, skew: float) -> Floats:
    """0 at both walls; 1 at mid-depth (so that the middle height is met) for every skew."""
    profile = 1.0 - np.abs(2.0 * share - 1.0) ** power
    tilt: Floats = profile * (1.0 + skew * (2.0 * share - 1.0))
    return tilt


def own_outline(vertebra: Vertebra, shape: BodyShape, fracture: Fracture) -> Floats:
    """The person's body outline (n, 2) of A, E at X = 0, without dents (Schmorl nodes)."""
    flat = np.column_stack([np.zeros(len(vertebra.outline)), vertebra.outline])
    return warp(vertebra, shape, fracture, flat, with_dents=False)[:, 1:]


def own_points(vertebra: Vertebra, shape: BodyShape, fracture: Fracture) -> Floats:
    """The person's six points (6, 2) of A, E at X = 0."""
    return six_points(own_outline(vertebra, shape, fracture), vertebra.corners)
