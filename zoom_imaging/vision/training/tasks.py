"""The three things to be learned: batches, network, loss and scores of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from zoom_imaging.vision.networks import Delineator, Locator, Namer, heights
from zoom_imaging.vision.training.appearance import Appearance, vary
from zoom_imaging.vision.training.crops import CROP_SIZE
from zoom_imaging.vision.training.losses import DelineatorLoss, LocatorLoss, NamerLoss
from zoom_imaging.vision.training.shards import unpack_patches

Samples = dict[str, NDArray[np.generic]]
Wanted = dict[str, Tensor]


@dataclass(frozen=True)
class Task:
    """One network with everything that its training needs.

    `batch(samples, generator, training)` gives patches and what is wanted; `score(out, wanted)`
    gives named numbers, of which `key` (higher is better) chooses the best weights.
    """

    name: str
    network: Callable[[], nn.Module]
    loss: Callable[[], nn.Module]
    batch: Callable[[Samples, torch.Generator, bool], tuple[Tensor, Wanted]]
    score: Callable[[Any, Wanted], dict[str, float]]
    key: str
    batch_size: int
    learning_rate: float


def _patches(
    samples: Samples, how: Appearance, generator: torch.Generator, training: bool
) -> Tensor:
    patches = torch.from_numpy(unpack_patches(samples["patch"]))
    if training:
        patches = vary(patches, how, generator)
    return patches.contiguous(memory_format=torch.channels_last)


def _float(samples: Samples, name: str) -> Tensor:
    return torch.from_numpy(np.array(samples[name], dtype=np.float32))


def _whole(samples: Samples, name: str) -> Tensor:
    return torch.from_numpy(np.array(samples[name], dtype=np.int64))


LOCATOR_LOOK = Appearance(blur_px=1.6, cut=0.25, reach=0.5)
NAMER_LOOK = Appearance(blur_px=1.2, cut=0.6, reach=0.5, bars=0.4)
DELINEATOR_LOOK = Appearance(blur_px=1.2, cut=0.2, reach=0.36)


def locator_batch(
    samples: Samples, generator: torch.Generator, training: bool
) -> tuple[Tensor, Wanted]:
    """Patches with centres; one in sixteen becomes a picture without a spine."""
    patches = _patches(samples, LOCATOR_LOOK, generator, training)
    wanted = {name: _float(samples, name) for name in ("centres", "above")}
    wanted["sacrum"] = _float(samples, "sacrum")[:, None]
    if training:
        for k in range(0, len(patches), 16):
            patches[k] = _no_spine(patches[k], generator)
            for name in ("centres", "sacrum"):
                wanted[name][k] = -1e4
            wanted["above"][k] = torch.tensor([0.0, 0.0, -1.0])
    for name in ("centres", "sacrum"):
        hidden = _hidden(patches, wanted[name])
        wanted[name] = torch.where(hidden[..., None], torch.tensor(-1e4), wanted[name])
    return patches, wanted


def _hidden(patches: Tensor, points: Tensor) -> Tensor:
    """True (n, k) where a point of (n, k, 2) lies in the patch, but behind a border."""
    size = patches.shape[-1]
    inside = ((points >= 0) & (points <= size - 1)).all(-1)
    at = points.round().long().clamp(0, size - 1)
    first = torch.arange(len(patches))[:, None]
    return inside & (patches[first, 1, at[..., 1], at[..., 0]] < 0.5)


def _no_spine(patch: Tensor, generator: torch.Generator) -> Tensor:
    """Noise of a random grain, or the patch scrambled in blocks."""
    size = patch.shape[-1]
    grain = 2 ** int(torch.randint(0, 6, (1,), generator=generator))
    if torch.rand(1, generator=generator) < 0.6:
        cells = torch.rand((1, 1, size // grain + 1, size // grain + 1), generator=generator)
        grey = functional.interpolate(cells, (size, size), mode="bilinear")[0, 0]
        return torch.stack([grey, torch.ones_like(grey)])
    block = 16
    n = size // block
    tiles = patch.reshape(2, n, block, n, block).permute(1, 3, 0, 2, 4).reshape(n * n, 2, block, -1)
    tiles = tiles[torch.randperm(n * n, generator=generator)]
    return tiles.reshape(n, n, 2, block, block).permute(2, 0, 3, 1, 4).reshape(2, size, size)


def locator_score(out: Tensor, wanted: Wanted) -> dict[str, float]:
    """Recall and precision of centres within 6 mm (5 patch pixels), at a probability of 0.4."""
    chance = torch.sigmoid(out[:, :1].float())
    peaks = (chance == functional.max_pool2d(chance, 5, 1, 2)) & (chance > 0.4)
    size = 2 * out.shape[-1]
    hits = found = present = 0
    for k in range(len(out)):
        at = peaks[k, 0].nonzero().float().flip(1) * 2 + 0.5
        centres = wanted["centres"][k]
        centres = centres[((centres > 3) & (centres < size - 4)).all(1)]
        found, present = found + len(at), present + len(centres)
        if len(at) and len(centres):
            hits += int((torch.cdist(centres, at).amin(1) < 5).sum())
    recall, precision = hits / max(present, 1), min(1.0, hits / max(found, 1))
    f1 = 2 * recall * precision / max(recall + precision, 1e-6)
    return {"recall": recall, "precision": precision, "f1": f1}


def namer_batch(
    samples: Samples, generator: torch.Generator, training: bool
) -> tuple[Tensor, Wanted]:
    """Wide patches with level and facing side."""
    patches = _patches(samples, NAMER_LOOK, generator, training)
    return patches, {
        "level": _whole(samples, "level"),
        "faces_left": _float(samples, "faces_left"),
    }


def namer_score(out: tuple[Tensor, Tensor], wanted: Wanted) -> dict[str, float]:
    """Share of levels named rightly, of levels off by one at most, and of sides."""
    off = (out[0].argmax(1) - wanted["level"]).abs()
    side = (out[1] > 0) == (wanted["faces_left"] > 0.5)
    return {
        "exact": float((off == 0).float().mean()),
        "within_one": float((off <= 1).float().mean()),
        "facing": float(side.float().mean()),
    }


def delineator_batch(
    samples: Samples, generator: torch.Generator, training: bool
) -> tuple[Tensor, Wanted]:
    """Crops with outline, points, grade and flags; a border that covers a body takes `seen`."""
    patches = _patches(samples, DELINEATOR_LOOK, generator, training)
    mask = np.unpackbits(np.asarray(samples["mask"], np.uint8), axis=-1)[..., :CROP_SIZE]
    wanted = {
        "mask": torch.from_numpy(mask.astype(np.float32))[:, None],
        "six": _float(samples, "six"),
        "grade": _whole(samples, "grade"),
        "body": _float(samples, "body"),
        "seen": _float(samples, "seen"),
    }
    area = wanted["mask"].sum((1, 2, 3)).clamp_min(1.0)
    shown = (wanted["mask"] * patches[:, 1:2]).sum((1, 2, 3)) / area
    wanted["seen"] = wanted["seen"] * (shown > 0.995).float()
    wanted["body"] = wanted["body"] * (shown > 0.6).float()
    if training:
        hidden = _hidden(patches, wanted["six"])
        wanted["six"] = torch.where(hidden[..., None], torch.tensor(-1.0), wanted["six"])
    return patches, wanted


def delineator_score(out: tuple[Tensor, ...], wanted: Wanted) -> dict[str, float]:
    """Dice, landmark error (patch pixels), ratio error (points), grade >= 2 and flags.

    `quality` is the negative sum of ratio error and landmark error: higher is better.
    """
    mask, _, points, _, grade, flags = out
    keep = wanted["seen"] > 0.5
    body = float(((flags[:, 0] > 0) == (wanted["body"] > 0.5)).float().mean())
    if not keep.any():
        return {"quality": -100.0, "body": body}
    found, true = (mask[keep] > 0).float(), wanted["mask"][keep]
    both = (found * true).sum((1, 2, 3))
    dice = 2 * both / (found.sum((1, 2, 3)) + true.sum((1, 2, 3))).clamp_min(1.0)
    distance = (points[keep] - wanted["six"][keep]).norm(dim=-1)
    ours, theirs = heights(points[keep]), heights(wanted["six"][keep])
    ratio = (ours[:, :2] / ours[:, 2:] - theirs[:, :2] / theirs[:, 2:]).abs() * 100
    signed = (ours[:, :2] / ours[:, 2:] - theirs[:, :2] / theirs[:, 2:]) * 100
    called = torch.softmax(grade[keep].float(), 1)[:, 2:].sum(1) > 0.5
    actual = wanted["grade"][keep] >= 2
    return {
        "dice": float(dice.mean()),
        "landmark_px": float(distance.median()),
        "ratio_points": float(ratio.mean()),
        "bias_anterior": float(signed[:, 0].mean()),
        "bias_middle": float(signed[:, 1].mean()),
        "grade2_agreement": float((called == actual).float().mean()),
        "body": body,
        "quality": -float(ratio.mean()) - float(distance.median()),
    }


TASKS = {
    "locator": Task("locator", Locator, LocatorLoss, locator_batch, locator_score, "f1", 24, 2e-3),
    "namer": Task("namer", Namer, NamerLoss, namer_batch, namer_score, "exact", 32, 2e-3),
    "delineator": Task(
        "delineator",
        Delineator,
        DelineatorLoss,
        delineator_batch,
        delineator_score,
        "quality",
        32,
        1.5e-3,
    ),
}
