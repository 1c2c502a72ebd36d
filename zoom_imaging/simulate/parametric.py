"""Our own spine, from nothing: vertebrae as smooth unions of signed distance functions.

It needs no outside data, so samples and tests use it. Sizes come from `proportions`; a style
number changes corners, waist, processes and the resting curve, so that several spines exist.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.mesh import Floats
from zoom_imaging.simulate.proportions import CHAIN, NORMAL
from zoom_imaging.simulate.skeleton import (
    BodyFrame,
    Part,
    Skeleton,
    Tissue,
    Vertebra,
    densify,
    find_corners,
    sagittal_axes,
)
from zoom_imaging.simulate.solids import (
    SignedField,
    capsule,
    mesh_of,
    mirrored,
    smooth_maximum,
    smooth_union,
)

STYLES = 6
"""Styles 0 to 5 differ; style 0 is the plain one of samples and tests."""

# Lean of each body in a relaxed standing woman, degrees, top forwards positive: kyphosis of about
# 40 degrees T4-T12 and lordosis of about 50 degrees L1-L5/S1.
_TILT_DEG = dict(
    zip(
        CHAIN,
        (22, 24, 23, 20, 16, 11, 6, 1, -4, -8, -12, -14, -15, -13, -7, 1, 10, 21),
        strict=True,
    )
)


@dataclass(frozen=True)
class Style:
    """Manner of a whole spine: millimetres, and shares of the body's own size."""

    corner_mm: float
    waist: float
    squareness: float
    back_hollow: float
    rim_mm: float
    process_scale: float
    curve_scale: float


def style_of(number: int) -> Style:
    """The manner of a style number."""
    if number == 0:
        return Style(2.4, 0.10, 2.5, 0.07, 0.5, 1.0, 1.0)
    rng = np.random.default_rng([number, 61])
    return Style(
        corner_mm=float(rng.uniform(1.2, 6.0)),
        waist=float(rng.uniform(0.04, 0.17)),
        squareness=float(rng.uniform(2.1, 3.2)),
        back_hollow=float(rng.uniform(0.02, 0.12)),
        rim_mm=float(rng.uniform(0.0, 1.2)),
        process_scale=float(rng.uniform(0.85, 1.2)),
        curve_scale=float(rng.uniform(0.75, 1.2)),
    )


def parametric_skeleton(style: int = 0, step_mm: float = 1.5) -> Skeleton:
    """A whole trunk; `step_mm` is the grid of the vertebrae."""
    from zoom_imaging.simulate.thorax import trunk_parts

    manner = style_of(style)
    vertebrae = {level: parametric_vertebra(level, manner, step_mm) for level in CHAIN}
    frames = _resting_frames(vertebrae, manner)
    parts = trunk_parts(frames, vertebrae)
    parts |= _neck(frames, vertebrae)
    return Skeleton(f"parametric_{style}", vertebrae, frames, parts)


def parametric_vertebra(level: Level, manner: Style, step_mm: float = 1.5) -> Vertebra:
    """One vertebra in its body frame, with flat endplates and rims; shape comes from the person."""
    normal = NORMAL[level]
    body = _body(level, manner)
    whole = smooth_union([body, mirrored(_arch(level, manner))], 2.5)
    lumbar = level.value.startswith("L")
    half_wide = max(0.5 * normal.width_mm + 3.0, 56.0 if lumbar else 36.0)
    back = 0.5 * normal.depth_mm + 58.0
    high_mm = normal.posterior_height_mm
    low = (-half_wide, -back, -high_mm * (1.1 if lumbar else 1.75) - 5.0)
    high = (half_wide, 0.5 * normal.depth_mm + 3.0, 0.95 * high_mm + 5.0)
    # Not decimated: a flat endplate of few triangles could not follow the warp to a hollow one.
    mesh = mesh_of(whole, low, high, step_mm)
    outline = _outline(body, normal.depth_mm, high_mm)
    corners, _, _ = find_corners(outline, np.array([1.0, 0.0]))
    return Vertebra(level, mesh, outline, corners)


def _body(level: Level, manner: Style) -> SignedField:
    normal = NORMAL[level]
    half_deep, half_wide = 0.5 * normal.depth_mm, 0.5 * normal.width_mm
    power = manner.squareness

    def field(points: Floats) -> Floats:
        left, ahead, up = points.T
        share = np.clip((ahead + half_deep) / (2 * half_deep), 0.0, 1.0)
        height = normal.posterior_height_mm * (1 + (normal.anterior_ratio - 1) * share)
        level_up = np.clip(2 * up / height, -1.0, 1.0)
        girth = 1.0 - manner.waist * (1.0 - level_up**2)
        # The posterior wall is hollow towards the canal.
        hollow = manner.back_hollow * half_deep * np.clip(1 - (left / (0.5 * half_wide)) ** 2, 0, 1)
        ahead = np.where(ahead < 0, ahead - hollow * (-ahead / half_deep), ahead)
        radius = (
            np.abs(left / (half_wide * girth)) ** power
            + np.abs(ahead / (half_deep * girth)) ** power
        ) ** (1 / power)
        across = (radius - 1.0) * min(half_deep, half_wide) * girth
        # A rim stands a little above the floor of the endplate.
        rim = manner.rim_mm * np.clip((radius - 0.6) / 0.4, 0.0, 1.0) ** 2
        ends = np.abs(up) - height / 2 - rim + manner.rim_mm
        return smooth_maximum(across, ends, manner.corner_mm)

    return field


def _arch(level: Level, manner: Style) -> SignedField:
    """Right half of pedicle, lamina, articular, transverse and spinous process (X >= 0)."""
    normal = NORMAL[level]
    back, height = -0.5 * normal.depth_mm, normal.posterior_height_mm
    lumbar = level.value.startswith("L")
    place = CHAIN.index(level)
    scale = manner.process_scale * (0.75 + 0.02 * place)
    canal = 8.5 + 0.25 * place if lumbar else 8.0
    pedicle = 0.22 * height
    turn = back - 9.0 * scale
    parts = [
        capsule((canal, back + 4, pedicle), (canal + 1, turn, pedicle), 3.0, (1.0, 1.0, 1.6)),
        capsule(
            (canal + 1, turn, 0.1 * height),
            (0, turn - 11 * scale, -0.15 * height),
            2.4,
            (1.0, 1.0, 2.6),
        ),
        capsule((canal + 3, turn, 0.2 * height), (canal + 4, turn - 3, 0.72 * height), 3.6 * scale),
        capsule(
            (canal + 2, turn - 5, -0.1 * height), (canal + 1, turn - 7, -0.82 * height), 3.6 * scale
        ),
    ]
    if lumbar:
        parts.append(
            capsule(
                (canal + 4, turn + 2, 0.15 * height),
                (canal + 24 * scale, turn - 5, 0.2 * height),
                2.6,
                (1.0, 1.0, 1.7),
            )
        )
        parts.append(
            capsule(
                (0, turn - 12 * scale, -0.2 * height),
                (0, turn - 30 * scale, -0.35 * height),
                2.4,
                (1.0, 1.0, 3.6),
            )
        )
    else:
        parts.append(
            capsule(
                (canal + 4, turn, 0.15 * height),
                (canal + 18 * scale, turn - 12 * scale, 0.3 * height),
                3.6 * scale,
            )
        )
        drop = {True: 0.45, False: 1.25}[place < 3 or place > 10]
        parts.append(
            capsule(
                (0, turn - 11 * scale, -0.15 * height),
                (0, turn - 31 * scale, -0.15 * height - drop * height),
                2.3,
                (1.0, 1.0, 1.7),
            )
        )
    return smooth_union(parts, 3.0)


def _outline(body: SignedField, depth_mm: float, height_mm: float) -> Floats:
    """Mid-sagittal section of the body alone, (n, 2) of A, E."""
    from skimage.measure import find_contours

    step = 0.25
    ahead = np.arange(-0.75 * depth_mm, 0.75 * depth_mm, step)
    up = np.arange(-0.9 * height_mm, 0.9 * height_mm, step)
    grid = np.stack(np.meshgrid(ahead, up, indexing="ij"), axis=-1).reshape(-1, 2)
    values = body(np.column_stack([np.zeros(len(grid)), grid])).reshape(len(ahead), len(up))
    contour = max(find_contours(values, 0.0), key=len)  # type: ignore[no-untyped-call]
    return densify(contour * step + np.array([ahead[0], up[0]]), 0.4)


def _resting_frames(vertebrae: dict[Level, Vertebra], manner: Style) -> dict[Level, BodyFrame]:
    axes = {
        level: sagittal_axes(np.deg2rad(manner.curve_scale * tilt))
        for level, tilt in _TILT_DEG.items()
    }
    frames = {CHAIN[-1]: BodyFrame(np.zeros(3), axes[CHAIN[-1]])}
    for upper, lower in zip(CHAIN[-2::-1], CHAIN[:0:-1], strict=True):
        top = vertebrae[lower].corner_points[:2].mean(axis=0)
        bottom = vertebrae[upper].corner_points[2:].mean(axis=0)
        gap = axes[upper][:, 2] + axes[lower][:, 2]
        gap = gap / np.linalg.norm(gap) * NORMAL[upper].disc_height_mm
        origin = frames[lower].to_world(np.array([0.0, *top])) + gap
        frames[upper] = BodyFrame(origin - axes[upper] @ np.array([0.0, *bottom]), axes[upper])
    return frames


def _neck(frames: dict[Level, BodyFrame], vertebrae: dict[Level, Vertebra]) -> dict[str, Part]:
    """C6 to C3 as copies of C7, each a little smaller, along the upper end of the curve."""
    from zoom_imaging.simulate.mesh import Mesh

    top = frames[Level.C7]
    source = vertebrae[Level.C7].mesh
    parts: dict[str, Part] = {}
    origin = top.origin
    for step, name in enumerate(("C6", "C5", "C4", "C3"), start=1):
        lean = np.arctan2(-top.axes[1, 2], top.axes[2, 2]) - np.deg2rad(6.0 * step)
        axes = sagittal_axes(float(lean))
        origin = origin + axes[:, 2] * 17.0
        small = source.vertices * (1.0 - 0.03 * step)
        parts[name] = Part(Tissue.BONE, Mesh(BodyFrame(origin, axes).to_world(small), source.faces))
    return parts
