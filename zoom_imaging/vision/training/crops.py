"""Crops that the delineator learns from: one vertebra each, and places where there is none."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.vision.frame import Frame, axis_at, local_spacing
from zoom_imaging.vision.training.patches import (
    Image,
    Mask,
    add_locator_patches,
    add_namer_patches,
    turned,
)
from zoom_imaging.vision.training.shards import ShardWriter, pack_patch
from zoom_imaging.vision.training.truth import FilmTruth, Look, read_film

CROP_SIZE = 128
CROP_SPACINGS = 2.3
"""Side of a crop in local vertebral spacings: free of scale, for films without one."""

ROTATION_DEG = 5.0
LOG_SCALE = 0.09
SHIFT_SPACINGS = 0.09
NEGATIVE_SHARE = 0.14


def _crop_frame(
    centre: NDArray[np.float64],
    up: tuple[float, float],
    spacing: float,
    rng: np.random.Generator,
    faces_left: bool,
) -> Frame:
    """A jittered crop about `centre`, anterior side on the left."""
    shifted = centre + rng.normal(0, SHIFT_SPACINGS * spacing, 2)
    pitch = CROP_SPACINGS * spacing / CROP_SIZE * float(np.exp(rng.normal(0, LOG_SCALE)))
    return Frame.upright(
        (shifted[0], shifted[1]),
        turned(up, rng.normal(0, ROTATION_DEG)),
        pitch,
        CROP_SIZE,
        mirrored=not faces_left,
    )


def outline_mask(outline: NDArray[np.floating], size: int) -> NDArray[np.bool_]:
    """The filled outline (k, 2) as (x, y) on a square of `size` pixels."""
    from skimage import draw

    points = np.asarray(outline, float)[:, ::-1]
    mask = draw.polygon2mask((size, size), points)  # type: ignore[no-untyped-call]
    return np.asarray(mask, np.bool_)


def add_crops(
    writer: ShardWriter,
    image: Image,
    valid: Mask,
    truth: FilmTruth,
    rng: np.random.Generator,
) -> None:
    """Cut one crop a vertebra of C7-L5, and some of S1, of discs, of wrong places (negatives).

    Each sample holds `patch`, `mask` (packed bits), `six` (6, 2) as (x, y), `grade`, `level`,
    `body` (1 where a vertebral body of C7-L5 lies in the middle), `seen` (1 where all of it can be
    judged), `pitch_px` and `person`.
    """
    rows, columns = image.shape
    centres = truth.centres
    spacing = local_spacing(centres)
    for k, centre in enumerate(centres):
        if not (2 < centre[0] < columns - 2 and 2 < centre[1] < rows - 2):
            continue
        up = axis_at(centres, k)
        body = truth.is_measured[k]
        if body or (truth.is_sacrum[k] and rng.random() < 0.6):
            frame = _crop_frame(centre, up, spacing[k], rng, truth.faces_left)
            _add(writer, frame, image, valid, truth=truth, index=k, body=bool(body))
        if rng.random() < NEGATIVE_SHARE:
            place = _beside(centre, spacing[k], rng, (columns, rows))
            frame = _crop_frame(place, up, spacing[k], rng, truth.faces_left)
            middle = np.asarray(frame.centre)
            if np.hypot(*(centres - middle).T).min() > 0.42 * spacing[k]:
                _add(writer, frame, image, valid, truth=truth, index=k, body=False)


def _beside(
    centre: NDArray[np.float64],
    spacing: float,
    rng: np.random.Generator,
    size: tuple[int, int],
) -> NDArray[np.float64]:
    """A place that is no vertebral centre: a disc, beside the spine, or anywhere."""
    kind = rng.random()
    if kind < 0.4:
        return centre + np.array([rng.normal(0, 0.1), rng.choice([-0.5, 0.5])]) * spacing
    if kind < 0.8:
        return centre + np.array([rng.choice([-1, 1]) * rng.uniform(0.7, 3.0), 0.0]) * spacing
    return rng.uniform((0, 0), size)


def _add(
    writer: ShardWriter,
    frame: Frame,
    image: Image,
    valid: Mask,
    *,
    truth: FilmTruth,
    index: int,
    body: bool,
) -> None:
    """Append one sample: vertebra `index` of the film, or a negative without outline and points."""
    patch = frame.sample(image, valid)
    mask = np.zeros((CROP_SIZE, CROP_SIZE), np.bool_)
    six = np.full((6, 2), -1.0, np.float32)
    seen = False
    if body:
        six[:] = frame.to_patch(truth.six[index])
        mask = outline_mask(frame.to_patch(truth.outline[index]), CROP_SIZE)
        inside = ((six > 1) & (six < CROP_SIZE - 2)).all()
        covered = mask.any() and float(patch[1][mask].mean()) > 0.995
        seen = bool(truth.evaluable[index] and inside and covered)
    writer.add(
        patch=pack_patch(patch),
        mask=np.packbits(mask, axis=-1),
        six=six,
        grade=int(truth.grade[index]) if body else 0,
        level=int(truth.level_index[index]),
        body=float(body),
        seen=float(seen),
        pitch_px=float(np.hypot(*frame.matrix[:, 1])),
        person=truth.person,
    )


def cut_films(paths: list[Path], look: Look, out: Path, shard: str, looks: int = 1) -> int:
    """Cut everything from the films at `paths` into three shards called `shard` under `out`.

    `out/locator`, `out/namer` and `out/delineator` receive one folder each; a shard that is there
    is not made again. Returns the number of crops.
    """
    done = out / "delineator" / f"{shard}.shard"
    if done.exists():
        return 0
    writers = {kind: ShardWriter(out / kind / f"{shard}.shard") for kind in ("locator", "namer")}
    crops = ShardWriter(done)
    for path in paths:
        attenuation, truth = read_film(path)
        for repeat in range(looks):
            rng = np.random.default_rng([zlib.crc32(path.stem.encode()), repeat])
            shown = look(attenuation, rng)
            image, valid = shown.grey, shown.valid
            add_crops(crops, image, valid, truth.as_shown(shown), rng)
            add_locator_patches(writers["locator"], image, valid, truth, rng)
            add_namer_patches(writers["namer"], image, valid, truth, rng)
    for writer in writers.values():
        if not writer.folder.exists():
            writer.close()
    return crops.close()
