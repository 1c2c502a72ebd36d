"""From a posed person to line integrals: spine, other bone and soft tissue.

Values are attenuation times length (no unit): about 0.02 per millimetre of water. Bone follows the
trial's range for 80-100 kV, cortex and trabecular apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoom_imaging.simulate.acquisition import Acquisition
from zoom_imaging.simulate.blur import smooth
from zoom_imaging.simulate.mesh import Floats, Mesh
from zoom_imaging.simulate.posture import PosedSpine
from zoom_imaging.simulate.projection import Geometry, depth_window
from zoom_imaging.simulate.skeleton import Part, Tissue
from zoom_imaging.simulate.spine import spine_attenuation
from zoom_imaging.simulate.torso import torso_attenuation

_CORTEX_MM = {
    Tissue.RIB: 0.7,
    Tissue.BONE: 0.9,
    Tissue.SHOULDER: 0.9,
    Tissue.ARM: 2.5,
    Tissue.PELVIS: 0.9,
    Tissue.FEMUR: 3.0,
}


@dataclass(frozen=True)
class Layers:
    """Three images (rows, columns) of line integrals that add up to the film."""

    spine: Floats
    other_bone: Floats
    soft: Floats

    @property
    def total(self) -> Floats:
        """All together."""
        total: Floats = self.spine + self.other_bone + self.soft
        return total


def layers(posed: PosedSpine, geometry: Geometry, acquisition: Acquisition) -> Layers:
    """All line integrals of one exposure."""
    rng = np.random.default_rng([acquisition.seed, posed.person.seed, 41])
    spine = spine_attenuation(posed, geometry)
    other, soft_parts, lung_mm = _parts(posed, geometry, acquisition, rng)
    soft = soft_parts + torso_attenuation(posed, geometry, acquisition, lung_mm, rng)
    if acquisition.breathing_blur_mm:
        sigma = acquisition.breathing_blur_mm * geometry.magnification / geometry.pixel_mm
        other, soft = smooth(other, sigma), smooth(soft, sigma)
    oblique = geometry.obliquity()
    return Layers(spine * oblique, other * oblique, soft * oblique)


def _parts(
    posed: PosedSpine, geometry: Geometry, acquisition: Acquisition, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Other bone, soft organs (both attenuation) and lung (millimetres)."""
    shape = (geometry.rows, geometry.columns)
    bone, soft, lung = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    own = posed.person.bone
    cartilage = rng.uniform(0.0004, 0.003)
    for part in _present(posed, acquisition, rng):
        mesh = part.mesh
        if part.tissue is Tissue.ARM:
            mesh = _raised(mesh, float(acquisition.arm_angle_deg or 0.0))
        carried = posed.carry(mesh)
        outer = depth_window(geometry, carried.vertices, carried.faces)
        if part.tissue is Tissue.LUNG:
            outer.add_to(lung)
        elif part.tissue is Tissue.CARTILAGE:
            outer.add_to(bone, cartilage)
        elif part.tissue is Tissue.SOFT:
            outer.add_to(soft, rng.uniform(0.0004, 0.0018))
        else:
            thick = _CORTEX_MM[part.tissue] * rng.uniform(0.8, 1.2)
            inside = posed.carry_points(mesh.vertices - mesh.normals() * thick)
            inner = depth_window(geometry, inside, mesh.faces)
            core = inner.within(outer)
            local = own.cortex_per_mm * rng.uniform(0.5, 0.9) * (outer.depth_mm - core)
            local += 0.8 * own.trabecular_per_mm * core
            bone[outer.rows, outer.columns] += local
    return bone, soft, lung


def _present(posed: PosedSpine, acquisition: Acquisition, rng: np.random.Generator) -> list[Part]:
    present: list[Part] = []
    for name, part in posed.skeleton.parts.items():
        chance = rng.random()
        if part.tissue is Tissue.ARM and (acquisition.arm_angle_deg is None or chance < 0.15):
            continue
        if part.tissue is Tissue.RIB and chance < acquisition.missing_ribs:
            continue
        if acquisition.cut_flanks and part.tissue is Tissue.SHOULDER and chance < 0.7:
            continue
        if name.startswith(("mandible", "costal")) and acquisition.cut_flanks:
            continue
        present.append(part)
    return present


def _raised(mesh: Mesh, angle_deg: float) -> Mesh:
    """The upper arm turned forwards about the shoulder."""
    height = mesh.vertices[:, 2]
    joint = mesh.vertices[height > height.max() - 25.0].mean(axis=0)
    sin, cos = np.sin(np.deg2rad(angle_deg)), np.cos(np.deg2rad(angle_deg))
    at = mesh.vertices - joint
    turned = np.stack(
        [at[:, 0], cos * at[:, 1] + sin * at[:, 2], -sin * at[:, 1] + cos * at[:, 2]], axis=1
    )
    return Mesh(turned + joint, mesh.faces)
