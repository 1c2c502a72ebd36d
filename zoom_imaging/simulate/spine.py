"""Line integrals of the posed vertebrae: cortex, trabecular texture, bands, cement, osteophytes."""

from __future__ import annotations

import numpy as np

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.mesh import Floats, Mesh
from zoom_imaging.simulate.person import Osteophyte
from zoom_imaging.simulate.posture import PosedSpine
from zoom_imaging.simulate.projection import Geometry, depth_window
from zoom_imaging.simulate.proportions import CHAIN
from zoom_imaging.simulate.solids import unit_sphere

CEMENT_PER_MM = 0.12


def spine_attenuation(posed: PosedSpine, geometry: Geometry) -> Floats:
    """Vertebrae, fracture bands, cement and osteophytes as line integrals (rows, columns)."""
    person, bone = posed.person, posed.person.bone
    rng = np.random.default_rng([person.seed, 43])
    image = np.zeros((geometry.rows, geometry.columns))
    grain = _grain(image.shape, geometry.pixel_mm, rng)
    for level in CHAIN:
        mesh = posed.skeleton.vertebrae[level].mesh
        outer = depth_window(geometry, posed.vertebra_points(level, mesh.vertices), mesh.faces)
        inside = mesh.vertices - mesh.normals() * bone.cortex_mm
        inner = depth_window(geometry, posed.vertebra_points(level, inside), mesh.faces)
        core = inner.within(outer)
        trabecular = bone.trabecular_per_mm * bone.level_density[level]
        trabecular *= person.fracture(level).density_gain
        local = bone.cortex_per_mm * (outer.depth_mm - core)
        local += trabecular * core * (1.0 + bone.texture * grain[outer.rows, outer.columns])
        image[outer.rows, outer.columns] += np.maximum(local, 0.0)
        _additions(posed, geometry, level, image)
    for spur in person.osteophytes:
        mesh = _spur(posed, spur)
        depth_window(geometry, mesh.vertices, mesh.faces).add_to(image, 0.8 * bone.cortex_per_mm)
    return image


def _grain(shape: tuple[int, int], pixel_mm: float, rng: np.random.Generator) -> Floats:
    """Trabecular texture of unit spread, coarser along the body."""
    from scipy import ndimage

    across, along = rng.uniform(0.35, 0.7) / pixel_mm, rng.uniform(0.75, 1.5) / pixel_mm
    noise = rng.standard_normal(shape, dtype=np.float32)
    grain = ndimage.gaussian_filter(noise, (along, across), truncate=2.5)
    scaled: Floats = grain / grain.std()
    return scaled


def _additions(posed: PosedSpine, geometry: Geometry, level: Level, image: Floats) -> None:
    """Dense band of a fracture below its endplate, and cement."""
    fracture, shape = posed.person.fracture(level), posed.person.shapes[level]
    mean = (shape.anterior_mm + shape.middle_mm + shape.posterior_mm) / 3
    height = mean * (1.0 - fracture.mean_loss)
    if fracture.band:
        upper = 1.0 if fracture.upper_share > 0.5 else -1.0
        centre = (0.0, 0.08 * shape.depth_mm, upper * 0.26 * height)
        size = (0.8 * shape.half_width_mm, 0.40 * shape.depth_mm, 0.09 * height)
        mesh = _ellipsoid(posed, level, centre, size)
        factor = 0.9 * fracture.band * posed.person.bone.trabecular_per_mm
        depth_window(geometry, mesh.vertices, mesh.faces).add_to(image, factor)
    if level in posed.person.cement:
        centre = (2.0, 0.1 * shape.depth_mm, 0.0)
        size = (0.55 * shape.half_width_mm, 0.30 * shape.depth_mm, 0.28 * height)
        mesh = _ellipsoid(posed, level, centre, size)
        depth_window(geometry, mesh.vertices, mesh.faces).add_to(image, CEMENT_PER_MM)


def _ellipsoid(
    posed: PosedSpine,
    level: Level,
    centre: tuple[float, float, float],
    size: tuple[float, float, float],
) -> Mesh:
    ball = unit_sphere()
    own = ball.vertices * np.array(size) + np.array(centre)
    return Mesh(posed.own_points(level, own), ball.faces)


def _spur(posed: PosedSpine, spur: Osteophyte) -> Mesh:
    """A claw at a corner: out along the endplate, then bent towards the disc."""
    outline = posed.outline(spur.level)
    corner = outline[list(posed.skeleton.vertebrae[spur.level].corners)[spur.corner]]
    out = 1.0 if spur.corner in {0, 2} else -1.0
    up = 1.0 if spur.corner in {0, 1} else -1.0
    ball = unit_sphere()
    stretch = ball.vertices[:, 1] * spur.length_mm
    own = np.stack(
        [
            ball.vertices[:, 0] * 2.5 * spur.thickness_mm + spur.left_mm,
            corner[0] + out * (0.3 * spur.length_mm + stretch - 1.0),
            corner[1]
            + ball.vertices[:, 2] * spur.thickness_mm * 0.6
            + up * (0.06 * np.maximum(stretch + 0.3 * spur.length_mm, 0.0) ** 1.5 - 1.2),
        ],
        axis=1,
    )
    return Mesh(posed.own_points(spur.level, own), ball.faces)
