"""A CT of a person as anatomy: real density, soft tissue and gas, with centres of vertebrae only.

Its corners are known to some millimetres at best, so it teaches where vertebrae lie and what they
are called, never their outline. The volume is turned, stretched and projected slab by slab, each at
its own magnification. A folder holds `ct.nii.gz` (HU; x = left, y = posterior, z = up) and
`levels.json` (`body_z_span_mm` by level, `canal_centre_xyz_mm`); its licence is named in the model
card of whatever is trained with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoom_imaging.anatomy import Level, VertebraState
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.simulate.acquisition import Acquisition, geometry_around
from zoom_imaging.simulate.blur import smooth
from zoom_imaging.simulate.mesh import Floats
from zoom_imaging.simulate.projection import Geometry
from zoom_imaging.simulate.torso import WATER_PER_MM
from zoom_imaging.simulate.truth import VertebraTruth, centre_only

BODY_BEFORE_CANAL_MM = 20.0
"""From the centre of the spinal canal to that of the body."""

BONE_FROM_HU = 150.0
SLAB_MM = 20.0
"""Left to right, what is taken to lie at one distance from the focus."""

STEP_MM = 2.0
MARGIN_MM = 7.0
"""Rows that the film keeps beyond the outermost body: less than to the next body's centre."""


@dataclass(frozen=True)
class Volume:
    """HU (z, y, x), millimetres a voxel (x, y, z), and what is known of the vertebrae.

    `centres` holds (x, y, z) in mm of each body, `top_mm` and `bottom_mm` the z of the outermost
    endplates.
    """

    name: str
    hounsfield: Floats
    spacing_mm: tuple[float, float, float]
    centres: Mapping[Level, Floats]
    top_mm: float
    bottom_mm: float

    @property
    def middle_mm(self) -> Floats:
        """The mean of the centres: what the volume turns about."""
        middle: Floats = np.mean(list(self.centres.values()), axis=0)
        return middle


def load_volume(folder: Path) -> Volume:
    """Read one folder; ConfigurationError where a file is missing."""
    import SimpleITK as sitk  # noqa: N813 - its customary name

    image, levels = folder / "ct.nii.gz", folder / "levels.json"
    for path in (image, levels):
        if not path.is_file():
            raise ConfigurationError(
                f"{folder} is no CT anatomy: {path.name} is not there",
                expected="ct.nii.gz and levels.json",
                remedy="name another folder",
            )
    volume = sitk.ReadImage(str(image), sitk.sitkFloat32)
    known = json.loads(levels.read_text(encoding="utf-8"))
    canal = np.array(known["canal_centre_xyz_mm"], float)
    centres, ends = {}, []
    for name, (low, high) in known["body_z_span_mm"].items():
        z = (low + high) / 2
        x, y = (np.interp(z, canal[:, 2], canal[:, axis]) for axis in (0, 1))
        centres[Level(name)] = np.array([x, y - BODY_BEFORE_CANAL_MM, z])
        ends += [low, high]
    x_mm, y_mm, z_mm = (float(value) for value in volume.GetSpacing())
    return Volume(
        name=folder.name,
        hounsfield=np.asarray(sitk.GetArrayFromImage(volume), np.float64),
        spacing_mm=(x_mm, y_mm, z_mm),
        centres=centres,
        top_mm=max(ends),
        bottom_mm=min(ends),
    )


@dataclass(frozen=True)
class _Turned:
    """How this person stands: world = matrix @ (volume - middle), in mm."""

    matrix: Floats
    middle: Floats

    def world(self, points: Floats) -> Floats:
        """(n, 3) of the volume to (n, 3) of the room."""
        moved: Floats = (points - self.middle) @ self.matrix.T
        return moved


def project_volume(
    volume: Volume, acquisition: Acquisition
) -> tuple[Floats, Geometry, tuple[VertebraTruth, ...]]:
    """Line integrals (rows, columns) of one exposure, its geometry, and centres as truth.

    The acquisition's seed turns and stretches the person; its field is not used: the film shows the
    levels that have a name, from the front to the back of the volume.
    """
    rng = np.random.default_rng([acquisition.seed, 59])
    turned = _turned(volume, rng)
    geometry = _geometry(volume, turned, acquisition)
    image = np.zeros((geometry.rows, geometry.columns))
    for x_mm, slab in _slabs(volume, turned, geometry, rng):
        image += _magnified(slab, geometry, x_mm)
    image += _flanks(image, rng)
    truth = tuple(
        centre_only(
            level,
            geometry.project(turned.world(centre[None]))[0, :2],
            VertebraState.LOW_CONFIDENCE,
        )
        for level, centre in sorted(volume.centres.items(), key=lambda item: item[0].ordinal)
    )
    return image * geometry.obliquity(), geometry, truth


def _turned(volume: Volume, rng: np.random.Generator) -> _Turned:
    from scipy.spatial.transform import Rotation

    angles = rng.normal(0.0, (5.0, 3.0, 5.0))
    size = float(np.clip(rng.normal(1.0, 0.08), 0.82, 1.2))
    stretch = np.diag(size * np.array([1.0, *rng.normal(1.0, 0.04, 2)]))
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    return _Turned(np.asarray(turn @ stretch), volume.middle_mm)


def _geometry(volume: Volume, turned: _Turned, acquisition: Acquisition) -> Geometry:
    middle = volume.middle_mm
    ends = [(middle[0], middle[1], z) for z in (volume.top_mm, volume.bottom_mm)]
    high, low = turned.world(np.array(ends))[:, 2]
    depth = volume.hounsfield.shape[1] * volume.spacing_mm[1]
    sides = [(middle[0], y, middle[2]) for y in (0.0, depth)]
    front, back = turned.world(np.array(sides))[:, 1]
    return geometry_around(acquisition, (low - MARGIN_MM, high + MARGIN_MM), (front, back))


def _slabs(
    volume: Volume, turned: _Turned, geometry: Geometry, rng: np.random.Generator
) -> list[tuple[float, Floats]]:
    """Attenuation (rows, columns) of slabs at their x in mm, on the grid of the plane x = 0."""
    import SimpleITK as sitk  # noqa: N813 - its customary name

    hounsfield = volume.hounsfield
    weight = np.where(hounsfield > BONE_FROM_HU, rng.uniform(1.2, 2.0), 1.0)
    density = WATER_PER_MM * np.maximum(0.0, 1.0 + weight * hounsfield / 1000.0)
    resting = sitk.GetImageFromArray(density.astype(np.float32))
    resting.SetSpacing(volume.spacing_mm)
    to_volume = sitk.AffineTransform(3)
    to_volume.SetMatrix(np.linalg.inv(turned.matrix).ravel().tolist())
    to_volume.SetTranslation(turned.middle.tolist())
    across = geometry.pixel_mm / geometry.magnification
    along = geometry.pixel_mm if geometry.slot else across
    half_mm = 0.6 * hounsfield.shape[2] * volume.spacing_mm[0]
    slabs = []
    for first in np.arange(-half_mm, half_mm, SLAB_MM):
        grid = sitk.Image(
            [round(SLAB_MM / STEP_MM), geometry.columns, geometry.rows], sitk.sitkFloat32
        )
        grid.SetSpacing((STEP_MM, across, along))
        grid.SetOrigin(
            (
                float(first + STEP_MM / 2),
                geometry.centre_y_mm - (geometry.columns - 1) / 2 * across,
                geometry.centre_z_mm - (geometry.rows - 1) / 2 * along,
            )
        )
        standing = sitk.Resample(resting, grid, to_volume, sitk.sitkLinear, 0.0)
        upwards = sitk.GetArrayFromImage(standing).sum(axis=2, dtype=np.float64) * STEP_MM
        slabs.append((float(first + SLAB_MM / 2), upwards[::-1]))
    return slabs


def _magnified(slab: Floats, geometry: Geometry, x_mm: float) -> Floats:
    """A slab as its distance to the focus shows it, on the grid of the film."""
    from scipy import ndimage

    plane = geometry.source_to_detector_mm - geometry.spine_to_detector_mm
    zoom = plane / (plane + geometry.detector_side * x_mm)
    scale = np.array([1.0 if geometry.slot else 1 / zoom, 1 / zoom])
    middle = (np.array(slab.shape) - 1) / 2
    moved: Floats = ndimage.affine_transform(
        slab, scale, middle - scale * middle, order=1, mode="nearest"
    )
    return moved[:, ::-1] if geometry.mirrored else moved


def _flanks(image: Floats, rng: np.random.Generator) -> Floats:
    """Soft tissue that the field of view of a CT cuts off at both sides, as one smooth layer."""
    body = smooth((image > 0.5).astype(np.float64), 12.0)
    uneven = smooth(rng.standard_normal(image.shape), 60.0)
    uneven /= max(float(uneven.std()), 1e-9)
    flanks: Floats = WATER_PER_MM * rng.uniform(0.0, 90.0) * body * (1.0 + 0.1 * uneven)
    return flanks
