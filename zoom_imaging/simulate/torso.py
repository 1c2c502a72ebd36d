"""Soft tissue of the trunk as line integrals: hull, lungs, mediastinum, gas, organs, aorta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoom_imaging.simulate.acquisition import Acquisition
from zoom_imaging.simulate.blur import smooth
from zoom_imaging.simulate.mesh import Floats
from zoom_imaging.simulate.posture import PosedSpine
from zoom_imaging.simulate.projection import Geometry
from zoom_imaging.simulate.proportions import CHAIN

WATER_PER_MM = 0.0192
"""Linear attenuation of water at about 70 keV (mean of an 85 kV beam after a trunk)."""


@dataclass(frozen=True)
class _Trunk:
    """Where the spine runs in the image: by row, height (0 at L5, 1 at C7) and y of the bodies."""

    geometry: Geometry
    height: Floats
    spine_y_mm: Floats
    column_y_mm: Floats


def torso_attenuation(
    posed: PosedSpine,
    geometry: Geometry,
    acquisition: Acquisition,
    lung_mm: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Soft tissue of the trunk less lung and bowel gas, as attenuation."""
    person, shape = posed.person, (geometry.rows, geometry.columns)
    trunk = _trunk(posed, geometry)
    height, middle = trunk.height, trunk.spine_y_mm
    back = middle + rng.uniform(55, 92) * person.size
    chest = np.interp(height, [-0.3, 0.1, 0.35, 0.75, 0.98, 1.15], [105, 120, 125, 130, 70, 55])
    belly = rng.uniform(-20, 70) * np.exp(-(((height - 0.15) / 0.25) ** 2))
    front = middle - person.size * (chest * rng.uniform(0.95, 1.25) + belly)
    breadth = np.interp(
        height, [-0.3, 0.0, 0.3, 0.7, 0.93, 1.08], [1.15, 1.05, 0.95, 1.0, 1.2, 0.5]
    )
    width = person.torso_width_mm * breadth * (0.7 if acquisition.cut_flanks else 1.0)
    share = np.clip((trunk.column_y_mm[None] - front[:, None]) / (back - front)[:, None], 0.0, 1.0)
    hull = np.clip(1.0 - np.abs(2.0 * share - 1.0) ** rng.uniform(2.0, 3.5), 0.0, 1.0) ** 0.5
    soft_mm = smooth(width[:, None] * hull, 2.0 / geometry.pixel_mm)
    aerated = rng.uniform(0.55, 0.88)
    soft_mm = soft_mm - np.minimum(
        smooth(lung_mm, 1.0 / geometry.pixel_mm) * aerated, soft_mm * 0.9
    )
    _add_mediastinum(soft_mm, trunk, person.size, rng)
    _add_organs(soft_mm, trunk, rng)
    image = WATER_PER_MM * np.clip(soft_mm, 0.0, None)
    image *= 1.0 + 0.03 * _mottle(shape, geometry.pixel_mm, rng)
    if person.aortic_calcification:
        wall = np.random.default_rng([person.seed, 47])
        _calcify(image, trunk, person.aortic_calcification, wall)
    return image


def _trunk(posed: PosedSpine, geometry: Geometry) -> _Trunk:
    centres = np.array([posed.own_points(level, np.zeros((1, 3)))[0] for level in CHAIN[::-1]])
    zoom = geometry.magnification
    along = ((geometry.rows - 1) / 2 - np.arange(geometry.rows)) * geometry.pixel_mm
    z_mm = geometry.centre_z_mm + along / (1.0 if geometry.slot else zoom)
    across = (np.arange(geometry.columns) - (geometry.columns - 1) / 2) * geometry.pixel_mm / zoom
    if geometry.mirrored:
        across = -across
    return _Trunk(
        geometry=geometry,
        height=(z_mm - centres[0, 2]) / (centres[-1, 2] - centres[0, 2]),
        spine_y_mm=np.asarray(np.interp(z_mm, centres[:, 2], centres[:, 1]), dtype=np.float64),
        column_y_mm=np.asarray(geometry.centre_y_mm + across, dtype=np.float64),
    )


def _mottle(shape: tuple[int, int], pixel_mm: float, rng: np.random.Generator) -> Floats:
    """Vessels and fat planes: smooth unevenness of unit spread."""
    uneven = np.zeros(shape)
    for scale_mm in (3.0, 9.0):
        step = max(1, int(scale_mm / pixel_mm))
        small = rng.standard_normal((shape[0] // step + 3, shape[1] // step + 3))
        uneven += _enlarge(small, step)[: shape[0], : shape[1]]
    mottle: Floats = uneven / np.sqrt(2)
    return mottle


def _enlarge(small: Floats, step: int) -> Floats:
    from scipy import ndimage

    large: Floats = ndimage.zoom(small, step, order=1)
    return large


def _add_mediastinum(soft_mm: Floats, trunk: _Trunk, size: float, rng: np.random.Generator) -> None:
    """Aorta, oesophagus and airway along the thoracic spine: bands that run across its front half.

    Their borders are soft and cross the bodies; a network must not take one for a wall.
    """
    geometry, rows = trunk.geometry, trunk.geometry.rows
    for _ in range(int(rng.choice(4, p=[0.3, 0.35, 0.2, 0.15]))):
        amount = rng.uniform(8, 55) * (1.0 if rng.random() < 0.75 else -0.6)
        drift = smooth(rng.standard_normal((rows, 1)), (45.0 / geometry.pixel_mm, 0.0))[:, 0]
        drift *= rng.uniform(0.0, 6.0) / max(float(drift.std()), 1e-6)
        # From inside the bodies to well in front of them (their half depth is 8 to 14 mm there).
        back_mm = trunk.spine_y_mm + drift - size * rng.uniform(-4, 22)
        width_mm = size * rng.uniform(9, 38)
        first, last = rng.uniform(0.35, 0.6), rng.uniform(0.75, 1.05)
        fade = np.clip((trunk.height - first) / 0.08, 0, 1) * np.clip(
            (last - trunk.height) / 0.08, 0, 1
        )
        edge_mm = rng.uniform(0.8, 5.0)
        ahead_mm = back_mm[:, None] - trunk.column_y_mm[None]
        inside = np.clip(ahead_mm / edge_mm + 0.5, 0, 1)
        inside *= np.clip((width_mm - ahead_mm) / edge_mm + 0.5, 0, 1)
        soft_mm += amount * fade[:, None] * inside


def _add_organs(soft_mm: Floats, trunk: _Trunk, rng: np.random.Generator) -> None:
    """Bowel gas (less) and stool, heart and organs (more), as ellipses in the image."""
    geometry, height, middle = trunk.geometry, trunk.height, trunk.spine_y_mm
    gas = int(rng.integers(2, 22))
    for number in range(gas + 5):
        is_gas = number < gas
        at = rng.uniform(-0.2, 0.42) if is_gas else rng.uniform(0.3, 0.75)
        row = int(np.argmin(np.abs(height - at)))
        if abs(height[row] - at) > 0.02:
            continue
        front = middle[row] - (rng.uniform(-5, 120) if is_gas else rng.uniform(40, 110))
        column = int(np.argmin(np.abs(trunk.column_y_mm - front)))
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


def _calcify(image: Floats, trunk: _Trunk, amount: float, rng: np.random.Generator) -> None:
    """Broken lines in front of the lumbar bodies: the walls of the aorta."""
    geometry, height = trunk.geometry, trunk.height
    for offset in (24.0, 42.0):
        dots = smooth(rng.standard_normal((geometry.rows, 1)), (4.0 / geometry.pixel_mm, 0.0))
        strength = np.clip(dots[:, 0] / dots.std() - 0.3, 0.0, None)
        strength *= (height > 0.02) & (height < 0.42)
        distance = trunk.column_y_mm[None] - (trunk.spine_y_mm - offset)[:, None]
        image += 0.12 * amount * strength[:, None] * np.exp(-((distance / 0.9) ** 2))
