"""What each network is asked for; lower is better, each returns one number."""

from __future__ import annotations

import torch
from monai.losses.dice import DiceLoss
from torch import Tensor, nn
from torch.nn import functional

from zoom_imaging.vision.networks import heights

HEAT_DEVIATION_PX = 1.1
"""Deviation of a landmark's target map, in map pixels (2 patch pixels each)."""

CENTRE_DEVIATION_PX = 1.5
"""Deviation of a centre's target map, in map pixels of the locator."""


def gaussian_maps(points: Tensor, size: int, deviation: float) -> Tensor:
    """Maps (n, k, size, size) with a peak of 1 at `points` (n, k, 2) in patch pixels."""
    axis = torch.arange(size, dtype=torch.float32)
    at = (points - 0.5) / 2
    x = torch.exp(-(axis - at[..., 0:1]).square() / (2 * deviation**2))
    y = torch.exp(-(axis - at[..., 1:2]).square() / (2 * deviation**2))
    return y[..., :, None] * x[..., None, :]


class LocatorLoss(nn.Module):
    """Weighted cross-entropy of the two heatmaps; nothing is asked above C7."""

    def forward(self, logits: Tensor, wanted: dict[str, Tensor]) -> Tensor:
        """`wanted`: `centres` (n, k, 2), `sacrum` (n, 1, 2), `above` (n, 3)."""
        size = logits.shape[-1]
        bodies = gaussian_maps(wanted["centres"], size, CENTRE_DEVIATION_PX).amax(1)
        sacrum = gaussian_maps(wanted["sacrum"], size, CENTRE_DEVIATION_PX).amax(1)
        target = torch.stack([bodies, sacrum], 1)
        axis = torch.arange(size, dtype=torch.float32) * 2 + 0.5
        a, b, c = wanted["above"][:, :, None, None].unbind(1)
        asked = (a * axis + b * axis[:, None] + c <= 0).float()[:, None]
        weight = torch.where(target > 0.5, 1 + 10 * target, (1 - target).square()) * asked
        each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return (each * weight).mean() * 10


class NamerLoss(nn.Module):
    """Cross-entropy against a level with some weight on its neighbours, and the facing side."""

    def __init__(self, neighbour: float = 0.08) -> None:
        super().__init__()
        self.neighbour = neighbour

    def forward(self, out: tuple[Tensor, Tensor], wanted: dict[str, Tensor]) -> Tensor:
        """`wanted`: `level` (n,), `faces_left` (n,)."""
        logits, facing = out
        classes = logits.shape[1]
        distance = (torch.arange(classes)[None] - wanted["level"][:, None]).abs()
        soft = (distance == 0).float() + self.neighbour * (distance == 1).float()
        soft = soft / soft.sum(1, keepdim=True)
        levels = -(soft * torch.log_softmax(logits.float(), 1)).sum(1).mean()
        side = functional.binary_cross_entropy_with_logits(facing.float(), wanted["faces_left"])
        return levels + 0.5 * side


class DelineatorLoss(nn.Module):
    """Outline, points, heights, grade and flags of one crop.

    Points are asked for twice, as maps (so that their spread means something) and as coordinates;
    heights are asked for in relation to the true ones, since the ratios decide the grade.
    """

    def __init__(self, grade_weights: tuple[float, ...] = (1.0, 2.0, 1.5, 1.5)) -> None:
        super().__init__()
        self.dice = DiceLoss(sigmoid=True, reduction="none", smooth_nr=1.0, smooth_dr=1.0)
        self.register_buffer("grade_weights", torch.tensor(grade_weights))

    def forward(self, out: tuple[Tensor, ...], wanted: dict[str, Tensor]) -> Tensor:
        """`wanted`: `mask` (n, 1, s, s), `six` (n, 6, 2), `grade`, `body`, `seen` (n,)."""
        mask, heat, points, _, grade, flags = out
        body, seen = wanted["body"], wanted["seen"]
        flag = functional.binary_cross_entropy_with_logits(
            flags.float(), torch.stack([body, seen], 1)
        )
        dice = self.dice(mask, wanted["mask"]).flatten()
        cross = functional.binary_cross_entropy_with_logits(mask, wanted["mask"], reduction="none")
        outline = _mean_over(dice + cross.mean((1, 2, 3)), body)

        six, size = wanted["six"], heat.shape[-1]
        inside = ((six > 0) & (six < 2 * size - 1)).all(-1).float() * body[:, None]
        target = gaussian_maps(six, size, HEAT_DEVIATION_PX)
        target = target / target.sum((2, 3), keepdim=True).clamp_min(1e-6)
        entropy = -(target.flatten(2) * torch.log_softmax(heat.flatten(2), -1)).sum(-1)
        distance = functional.smooth_l1_loss(points, six, reduction="none").sum(-1)
        place = _mean_over(0.5 * entropy + 0.3 * distance, inside)

        whole = inside.prod(1)
        true, found = heights(six), heights(points)
        height = _mean_over(((found - true) / true).abs().mean(1), whole)
        ratio = (found[:, :2] / found[:, 2:] - true[:, :2] / true[:, 2:]).abs().clamp(max=1.0)
        shape = _mean_over(ratio.mean(1), whole)

        loss = functional.cross_entropy(grade.float(), wanted["grade"], reduction="none")
        weight = torch.as_tensor(self.grade_weights)[wanted["grade"]] * seen
        graded = (loss * weight).sum() / weight.sum().clamp_min(1.0)
        return outline + place + 4.0 * height + 6.0 * shape + 0.5 * graded + flag


def _mean_over(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1.0)
