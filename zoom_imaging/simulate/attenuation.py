"""From a posed person to line integrals: spine, other bone and soft tissue.

Values are attenuation times length (no unit): about 0.02 per millimetre of water. Bone follows the
trial's range for 80-100 kV, cortex and trabecular apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoom_imaging.anatomy import Level
from zoom_imaging.simulate.acquisition import Acquisition, Facing
from zoom_imaging.simulate.person import Osteophyte
from zoom_imaging.simulate.posture import PosedSpine
from zoom_imaging.simulate.projection import Geometry, depth_window
from zoom_imaging.simulate.proportions import CHAIN
from zoom_imaging.simulate.skeleton import Floats, Mesh, Part, Tissue

WATER_PER_MM = 0.0192
CEMENT_PER_MM = 0.12

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
    spine = _spine(posed, geometry)
    other, soft_parts, lung_mm = _parts(posed, geometry, acquisition, rng)
    soft = soft_parts + _torso(posed, geometry, acquisition, lung_mm, rng)
    if acquisition.breathing_blur_mm:
        sigma = acquisition.breathing_blur_mm * geometry.magnification / geometry.pixel_mm
        other, soft = smooth(other, sigma), smooth(soft, sigma)
    oblique = geometry.obliquity()
    return Layers(spine * oblique, other * oblique, soft * oblique)


def smooth(image: Floats, sigma_px: float | tuple[float, float]) -> Floats:
    """Gaussian blur; wide kernels work on a coarser grid."""
    from scipy import ndimage

    sigma = max(sigma_px) if isinstance(sigma_px, tuple) else sigma_px
    if sigma < 8:
        done: Floats = ndimage.gaussian_filter(image, sigma_px, mode="nearest", truncate=3.0)
        return done
    step = max(2, int(sigma // 4))
    rows, columns = image.shape
    padded = np.pad(image, ((0, -rows % step), (0, -columns % step)), mode="edge")
    coarse = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    coarse = ndimage.gaussian_filter(coarse.mean(axis=(1, 3)), sigma / step, mode="nearest")
    fine: Floats = ndimage.zoom(coarse, step, order=1, grid_mode=True, mode="nearest")
    return fine[:rows, :columns]


def _spine(posed: PosedSpine, geometry: Geometry) -> Floats:
    person, bone = posed.person, posed.person.bone
    rng = np.random.default_rng([person.seed, 43])
    image = np.zeros((geometry.rows, geometry.columns))
    grain = _grain(image.shape, geometry.pixel_mm, rng)
    for level in CHAIN:
        mesh = posed.skeleton.vertebrae[level].mesh
        outer = depth_window(geometry, posed.vertebra_points(level, mesh.vertices), mesh.faces)
        inside = mesh.vertices - mesh.normals() * bone.cortex_mm
        inner = depth_window(geometry, posed.vertebra_points(level, inside), mesh.faces)
        whole = np.zeros_like(outer.depth_mm)
        _paste(inner.rows, inner.columns, inner.depth_mm, outer.rows, outer.columns, whole)
        core = np.minimum(whole, outer.depth_mm)
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


def _paste(
    rows: slice, columns: slice, source: Floats, into_rows: slice, into_columns: slice, into: Floats
) -> None:
    first_row, last_row = max(rows.start, into_rows.start), min(rows.stop, into_rows.stop)
    first, last = max(columns.start, into_columns.start), min(columns.stop, into_columns.stop)
    if first_row >= last_row or first >= last:
        return
    into[
        first_row - into_rows.start : last_row - into_rows.start,
        first - into_columns.start : last - into_columns.start,
    ] = source[
        first_row - rows.start : last_row - rows.start, first - columns.start : last - columns.start
    ]


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
            core = np.zeros_like(outer.depth_mm)
            _paste(inner.rows, inner.columns, inner.depth_mm, outer.rows, outer.columns, core)
            core = np.minimum(core, outer.depth_mm)
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


def _torso(
    posed: PosedSpine,
    geometry: Geometry,
    acquisition: Acquisition,
    lung_mm: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Soft tissue of the trunk less lung and bowel gas, as attenuation."""
    person, shape = posed.person, (geometry.rows, geometry.columns)
    centres = np.array([posed.own_points(level, np.zeros((1, 3)))[0] for level in CHAIN[::-1]])
    zoom = geometry.magnification
    along = ((geometry.rows - 1) / 2 - np.arange(geometry.rows)) * geometry.pixel_mm
    z_mm = geometry.centre_z_mm + along / (1.0 if geometry.slot else zoom)
    across = (np.arange(geometry.columns) - (geometry.columns - 1) / 2) * geometry.pixel_mm / zoom
    if geometry.mirrored:
        across = -across
    y_mm = geometry.centre_y_mm + across
    middle = np.interp(z_mm, centres[:, 2], centres[:, 1])
    height = (z_mm - centres[0, 2]) / (centres[-1, 2] - centres[0, 2])
    back = middle + rng.uniform(55, 92) * person.size
    chest = np.interp(height, [-0.3, 0.1, 0.35, 0.75, 0.98, 1.15], [105, 120, 125, 130, 70, 55])
    belly = rng.uniform(-20, 70) * np.exp(-(((height - 0.15) / 0.25) ** 2))
    front = middle - person.size * (chest * rng.uniform(0.95, 1.25) + belly)
    breadth = np.interp(
        height, [-0.3, 0.0, 0.3, 0.7, 0.93, 1.08], [1.15, 1.05, 0.95, 1.0, 1.2, 0.5]
    )
    width = person.torso_width_mm * breadth * (0.7 if acquisition.cut_flanks else 1.0)
    share = np.clip((y_mm[None] - front[:, None]) / (back - front)[:, None], 0.0, 1.0)
    hull = np.clip(1.0 - np.abs(2.0 * share - 1.0) ** rng.uniform(2.0, 3.5), 0.0, 1.0) ** 0.5
    soft_mm = smooth(width[:, None] * hull, 2.0 / geometry.pixel_mm)
    aerated = rng.uniform(0.55, 0.88)
    soft_mm = soft_mm - np.minimum(
        smooth(lung_mm, 1.0 / geometry.pixel_mm) * aerated, soft_mm * 0.9
    )
    _blobs(soft_mm, geometry, height, middle, y_mm, rng)
    image = WATER_PER_MM * np.clip(soft_mm, 0.0, None)
    image *= 1.0 + 0.03 * _mottle(shape, geometry.pixel_mm, rng)
    if person.aortic_calcification:
        _calcify(image, geometry, height, middle, y_mm, person.aortic_calcification, person.seed)
    return image


def _mottle(shape: tuple[int, int], pixel_mm: float, rng: np.random.Generator) -> Floats:
    """Vessels and fat planes: smooth unevenness of unit spread."""
    uneven = np.zeros(shape)
    for scale_mm in (3.0, 9.0):
        step = max(1, int(scale_mm / pixel_mm))
        small = rng.standard_normal((shape[0] // step + 3, shape[1] // step + 3))
        uneven += _enlarge(small, step)[: shape[0], : shape[1]]
    return uneven / np.sqrt(2)


def _enlarge(small: Floats, step: int) -> Floats:
    from scipy import ndimage

    large: Floats = ndimage.zoom(small, step, order=1)
    return large


def _blobs(
    soft_mm: Floats,
    geometry: Geometry,
    height: Floats,
    middle: Floats,
    y_mm: Floats,
    rng: np.random.Generator,
) -> None:
    """Bowel gas (less) and stool, heart and organs (more), as ellipses in the image."""
    gas = int(rng.integers(2, 22))
    for number in range(gas + 5):
        is_gas = number < gas
        at = rng.uniform(-0.2, 0.42) if is_gas else rng.uniform(0.3, 0.75)
        row = int(np.argmin(np.abs(height - at)))
        if abs(height[row] - at) > 0.02:
            continue
        front = middle[row] - (rng.uniform(-5, 120) if is_gas else rng.uniform(40, 110))
        column = int(np.argmin(np.abs(y_mm - front)))
        size = rng.uniform(6, 32, 2) if is_gas else rng.uniform(20, 60, 2)
        amount = -rng.uniform(6, 45) if is_gas else rng.uniform(5, 60)
        down, wide = size / geometry.pixel_mm
        first_row, last_row = max(0, int(row - down)), min(geometry.rows, int(row + down))
        first, last = max(0, int(column - wide)), min(geometry.columns, int(column + wide))
        if last_row - first_row < 3 or last - first < 3:
            continue
        rows, columns = np.mgrid[first_row:last_row, first:last]
        reach = ((rows - row) / down) ** 2 + ((columns - column) / wide) ** 2
        # Gas has an edge; organs fade into each other.
        profile = np.clip(1.0 - reach, 0, 1) ** (0.5 if is_gas else 1.3)
        soft_mm[first_row:last_row, first:last] += amount * profile


def _calcify(
    image: Floats,
    geometry: Geometry,
    height: Floats,
    middle: Floats,
    y_mm: Floats,
    amount: float,
    seed: int,
) -> None:
    """Broken lines in front of the lumbar bodies: the walls of the aorta."""
    rng = np.random.default_rng([seed, 47])
    for offset in (24.0, 42.0):
        dots = smooth(rng.standard_normal((geometry.rows, 1)), (4.0 / geometry.pixel_mm, 0.0))
        strength = np.clip(dots[:, 0] / dots.std() - 0.3, 0.0, None)
        strength *= (height > 0.02) & (height < 0.42)
        distance = y_mm[None] - (middle - offset)[:, None]
        image += 0.12 * amount * strength[:, None] * np.exp(-((distance / 0.9) ** 2))


def geometry_for(posed: PosedSpine, acquisition: Acquisition) -> Geometry:
    """Frame the field around the posed bodies."""
    field = acquisition.field
    chain = CHAIN[CHAIN.index(field.top) : CHAIN.index(field.bottom) + 1]
    centres = np.array([posed.own_points(level, np.zeros((1, 3)))[0] for level in chain])
    high = centres[0, 2] + 0.5 * posed.person.shapes[field.top].posterior_mm + field.above_mm
    low = centres[-1, 2] - 0.5 * posed.person.shapes[field.bottom].posterior_mm - field.below_mm
    front = centres[:, 1].min() - field.front_mm
    back = centres[:, 1].max() + field.back_mm
    zoom = acquisition.magnification
    return Geometry(
        pixel_mm=acquisition.pixel_mm,
        rows=int((high - low) * (1.0 if acquisition.slot else zoom) / acquisition.pixel_mm),
        columns=int((back - front) * zoom / acquisition.pixel_mm),
        source_to_detector_mm=acquisition.source_to_detector_mm,
        spine_to_detector_mm=acquisition.spine_to_detector_mm,
        centre_y_mm=float((front + back) / 2),
        centre_z_mm=float((high + low) / 2),
        slot=acquisition.slot,
        detector_side=acquisition.detector_side,
        mirrored=acquisition.facing is Facing.RIGHT,
    )
