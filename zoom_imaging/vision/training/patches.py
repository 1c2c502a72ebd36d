"""Patches that the locator and the namer learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.vision.frame import Frame, axis_at
from zoom_imaging.vision.training.shards import ShardWriter, pack_patch
from zoom_imaging.vision.training.truth import PIXEL_MM, FilmTruth

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
MAX_CENTRES = 24
FAR = -1e4
"""Coordinate of a centre that is not there."""


@dataclass(frozen=True)
class PatchPlan:
    """Sizes and jitter: `mm` is millimetres a patch pixel, spreads are standard deviations."""

    size: int
    mm: float
    rotation_deg: float
    log_scale: float
    shift_mm: float


LOCATOR = PatchPlan(size=160, mm=1.2, rotation_deg=12.0, log_scale=0.17, shift_mm=40.0)
NAMER = PatchPlan(size=128, mm=2.0, rotation_deg=6.0, log_scale=0.09, shift_mm=4.0)


def smooth_for(image: Image, mm: float) -> Image:
    """The film averaged over about one patch pixel, so that sampling does not alias."""
    from scipy import ndimage

    width = max(1, round(mm / PIXEL_MM))
    return np.asarray(ndimage.uniform_filter(image, width, mode="nearest"), np.float32)


def turned(direction: tuple[float, float], degrees: float) -> tuple[float, float]:
    """`direction` turned by an angle."""
    angle = np.deg2rad(degrees)
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return direction[0] * c - direction[1] * s, direction[0] * s + direction[1] * c


def add_locator_patches(
    writer: ShardWriter,
    image: Image,
    valid: Mask,
    truth: FilmTruth,
    rng: np.random.Generator,
    *,
    count: int = 6,
) -> None:
    """Cut `count` patches, most of them near the spine, with the centres that lie in them.

    Each sample holds `patch`, `centres` (MAX_CENTRES, 2) of C7-L5, `sacrum` (2,) and `above`
    (3,): the half plane above C7, where cervical vertebrae must count neither for nor against.
    """
    smooth = smooth_for(image, LOCATOR.mm)
    rows, columns = image.shape
    centres = truth.centres
    for _ in range(count):
        if rng.random() < 0.8:
            near = centres[rng.integers(len(centres))]
            middle = near + rng.normal(0, LOCATOR.shift_mm / PIXEL_MM, 2)
        else:
            middle = rng.uniform((0, 0), (columns, rows))
        pitch = LOCATOR.mm / PIXEL_MM * float(np.exp(rng.normal(0, LOCATOR.log_scale)))
        up = turned((0.0, -1.0), rng.normal(0, LOCATOR.rotation_deg))
        frame = Frame.upright(
            (middle[0], middle[1]), up, pitch, LOCATOR.size, mirrored=bool(rng.random() < 0.5)
        )
        inside = np.full((MAX_CENTRES, 2), FAR, np.float32)
        bodies = frame.to_patch(centres[~truth.is_sacrum])
        inside[: len(bodies)] = bodies
        sacrum = np.full(2, FAR, np.float32)
        if truth.is_sacrum.any():
            sacrum[:] = frame.to_patch(centres[truth.is_sacrum])[0]
        above = np.array([0.0, 0.0, -1.0], np.float32)
        if len(bodies) > 1 and truth.level_index[0] == 0:
            axis = bodies[0] - bodies[1]
            limit = bodies[0] + 0.5 * axis
            above[:] = (axis[0], axis[1], -float(axis @ limit))
        writer.add(
            patch=pack_patch(frame.sample(smooth, valid)),
            centres=inside,
            sacrum=sacrum,
            above=above,
            person=truth.person,
        )


def add_namer_patches(
    writer: ShardWriter,
    image: Image,
    valid: Mask,
    truth: FilmTruth,
    rng: np.random.Generator,
    *,
    share: float = 0.6,
) -> None:
    """Cut wide patches around a `share` of the vertebrae, with the level and the facing side."""
    smooth = smooth_for(image, NAMER.mm)
    rows, columns = image.shape
    centres = truth.centres
    for k, centre in enumerate(centres):
        if rng.random() > share or not (0 < centre[0] < columns and 0 < centre[1] < rows):
            continue
        middle = centre + rng.normal(0, NAMER.shift_mm / PIXEL_MM, 2)
        pitch = NAMER.mm / PIXEL_MM * float(np.exp(rng.normal(0, NAMER.log_scale)))
        up = turned(axis_at(centres, k), rng.normal(0, NAMER.rotation_deg))
        mirrored = bool(rng.random() < 0.5)
        frame = Frame.upright((middle[0], middle[1]), up, pitch, NAMER.size, mirrored=mirrored)
        writer.add(
            patch=pack_patch(frame.sample(smooth, valid)),
            level=int(truth.level_index[k]),
            faces_left=float(truth.faces_left != mirrored),
            person=truth.person,
        )
