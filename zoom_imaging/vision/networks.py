"""The three networks: locator, namer and delineator, built from MONAI's parts.

Every network takes (n, 2, size, size): grey values 0..1 with bone bright, and 1 where the film is
valid. The first layer standardises over the valid pixels, so that no caller can forget it. Locator
and delineator work on 2 x 2 pixel blocks (pixel unshuffle): four times faster, while the
soft-argmax of the landmark maps keeps the accuracy below a pixel. `engine` and `training` alone
import this module, since it imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from monai.networks.nets.basic_unet import BasicUNet
from monai.networks.nets.regressor import Regressor
from torch import Tensor, nn
from torch.nn import functional

ACTIVATION = ("LeakyReLU", {"inplace": True, "negative_slope": 0.1})
NORM = ("instance", {"affine": True})

WINDOW_RADIUS = 6
"""Half a side of the window about a landmark's peak, in map pixels."""


class Standardise(nn.Module):
    """Subtract the mean and divide by the deviation of the valid pixels, patch by patch."""

    def forward(self, patches: Tensor) -> Tensor:
        """(n, 2, h, w) in, (n, 2, h, w) out; invalid pixels become 0 in both channels."""
        grey, valid = patches[:, :1], patches[:, 1:2]
        count = valid.sum((2, 3), keepdim=True).clamp_min(1.0)
        mean = (grey * valid).sum((2, 3), keepdim=True) / count
        centred = (grey - mean) * valid
        deviation = (centred.square().sum((2, 3), keepdim=True) / count).sqrt()
        return torch.cat([(centred / (deviation + 0.02)).clamp(-5.0, 5.0), valid], 1)


def _unet(features: Sequence[int], out_channels: int) -> BasicUNet:
    return BasicUNet(
        spatial_dims=2,
        in_channels=8,
        out_channels=out_channels,
        features=tuple(features),
        act=ACTIVATION,
        norm=NORM,
    )


class Locator(nn.Module):
    """Heatmaps of the vertebral body centres (C7-L5, without names) and of the centre of S1."""

    def __init__(self, features: Sequence[int] = (32, 48, 64, 96, 128, 32)) -> None:
        super().__init__()
        self.standardise = Standardise()
        self.unet = _unet(features, 2)

    def forward(self, patches: Tensor) -> Tensor:
        """(n, 2, h, w) to logits (n, 2, h / 2, w / 2): bodies, sacrum."""
        blocks = functional.pixel_unshuffle(self.standardise(patches), 2)
        return cast(Tensor, self.unet(blocks))


class Namer(nn.Module):
    """Level of the vertebra in the middle of a wide patch, and the side that the patient faces."""

    def __init__(
        self,
        size: int = 128,
        levels: int = 19,
        channels: Sequence[int] = (24, 32, 64, 96, 128),
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.standardise = Standardise()
        self.levels = levels
        self.body = Regressor(
            in_shape=(2, size, size),
            out_shape=(levels + 1,),
            channels=tuple(channels),
            strides=(2,) * len(channels),
            num_res_units=1,
            norm=NORM,
            dropout=dropout,
        )

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 2, size, size) to level logits (n, levels) and the logit of "faces left" (n,)."""
        out = cast(Tensor, self.body(self.standardise(patches)))
        return out[:, : self.levels], out[:, self.levels]


class Delineator(nn.Module):
    """Outline, six points with their spread, grade and evaluability of the body in the middle.

    The grade head sees the features of the deepest stage and the geometry of the predicted six
    points, so that it weighs the shape against the neighbours as a reader does.
    """

    def __init__(self, features: Sequence[int] = (32, 48, 64, 96, 128, 32)) -> None:
        super().__init__()
        self.standardise = Standardise()
        self.unet = _unet(features, 4 + 6)
        deep = features[4]
        self.flags = nn.Sequential(nn.Linear(2 * deep, 64), nn.LeakyReLU(0.1), nn.Linear(64, 2))
        self.grade = nn.Sequential(
            nn.Linear(2 * deep + 15, 64), nn.LeakyReLU(0.1), nn.Dropout(0.1), nn.Linear(64, 4)
        )

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """(n, 2, s, s) to six tensors.

        Mask logits (n, 1, s, s); landmark logits (n, 6, s / 2, s / 2); points (n, 6, 2) as (x, y)
        in patch pixels; spread of each point (n, 6) in patch pixels; grade logits (n, 4); logits of
        "a vertebral body lies in the middle" and "all of it can be seen" (n, 2).
        """
        blocks = functional.pixel_unshuffle(self.standardise(patches), 2)
        unet = self.unet
        first = unet.conv_0(blocks)
        second = unet.down_1(first)
        third = unet.down_2(second)
        fourth = unet.down_3(third)
        deep = unet.down_4(fourth)
        up = unet.upcat_4(deep, fourth)
        up = unet.upcat_3(up, third)
        up = unet.upcat_2(up, second)
        out: Tensor = unet.final_conv(unet.upcat_1(up, first)).float()
        mask = functional.pixel_shuffle(out[:, :4], 2)
        heat = out[:, 4:]
        points, spread = soft_argmax(heat)
        pooled = torch.cat([deep.mean((2, 3)), deep.amax((2, 3))], 1).float()
        grade = self.grade(torch.cat([pooled, _geometry(points.detach())], 1))
        return mask, heat, points, spread, grade, self.flags(pooled)


def soft_argmax(heat: Tensor, radius: int = WINDOW_RADIUS) -> tuple[Tensor, Tensor]:
    """Mean (n, k, 2) as (x, y) and root-mean-square spread (n, k) of softmax maps, in patch pixels.

    Both are taken in a square window about the place with the most mass. A mean over the whole map
    could be moved by a little mass far away, and a network learns to use that lever: its points
    then depend on the border of the patch. The spread is divided by the share of the mass in the
    window, so that a second peak elsewhere shows as doubt. A map pixel stands for 2 x 2 patch
    pixels: map coordinate i is the patch coordinate 2 i + 0.5.
    """
    n, k, height, width = heat.shape
    chance = torch.softmax(heat.flatten(2), -1).view(n, k, height, width)
    with torch.no_grad():
        gathered = functional.avg_pool2d(chance, 5, 1, 2)
        at = gathered.flatten(2).argmax(-1)
        row, column = torch.div(at, width, rounding_mode="floor"), at % width
        near_x = (torch.arange(width) - column[..., None]).abs() <= radius
        near_y = (torch.arange(height) - row[..., None]).abs() <= radius
        window = (near_y[..., :, None] & near_x[..., None, :]).to(chance.dtype)
    inside = chance * window
    mass = inside.sum((2, 3)).clamp_min(1e-6)
    x_axis = torch.arange(width, dtype=heat.dtype) * 2 + 0.5
    y_axis = torch.arange(height, dtype=heat.dtype) * 2 + 0.5
    along_x, along_y = inside.sum(2) / mass[..., None], inside.sum(3) / mass[..., None]
    x, y = (along_x * x_axis).sum(-1), (along_y * y_axis).sum(-1)
    variance = (along_x * (x_axis - x[..., None]).square()).sum(-1) + (
        along_y * (y_axis - y[..., None]).square()
    ).sum(-1)
    return torch.stack([x, y], -1), (variance / 2).clamp_min(1e-6).sqrt() / mass


def heights(points: Tensor) -> Tensor:
    """Anterior, middle and posterior height (n, 3) of six points (n, 6, 2), in patch pixels."""
    lengths = torch.linalg.vector_norm(points[:, :3] - points[:, 3:], dim=-1)
    return cast(Tensor, lengths.clamp_min(1e-3))


def _geometry(points: Tensor) -> Tensor:
    """Fifteen numbers (n, 15): points about their mean over the depth, log heights over depth."""
    middle = points.mean(1, keepdim=True)
    depth = ((points[:, [2, 5]] - points[:, [0, 3]]).norm(dim=-1).mean(1)).clamp_min(1.0)
    scaled = (points - middle) / depth[:, None, None]
    logs = (heights(points) / depth[:, None]).clamp(0.05, 5.0).log()
    return torch.cat([scaled.flatten(1).clamp(-3.0, 3.0), logs], 1)
