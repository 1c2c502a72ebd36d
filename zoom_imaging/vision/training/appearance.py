"""Change the look of a batch of patches: exposure, processing, blur, noise, bars, borders.

What a maker, an exposure or a body does to a picture must not matter. Domain randomisation of this
kind carries over to real films where prettier simulation does not. All functions take and return
(n, 2, s, s): grey values and the valid mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class _Uniform(Protocol):
    """Draws uniform numbers: `(low, high, *shape)`; one a patch, (n, 1, 1, 1), without a shape."""

    def __call__(self, low: float, high: float, *shape: int) -> Tensor: ...


@dataclass(frozen=True)
class Appearance:
    """How strongly each change is applied; 0 switches it off.

    `blur_px` is the largest deviation of a Gaussian in patch pixels, `cut` the share of patches
    that lose a border to a collimator, `reach` how far such a border may come in (share of a side).
    """

    gamma: float = 0.35
    field: float = 0.3
    local_contrast: float = 1.2
    blur_px: float = 3.0
    noise: float = 0.07
    bars: float = 0.6
    cut: float = 0.2
    reach: float = 0.25


def vary(patches: Tensor, how: Appearance, generator: torch.Generator) -> Tensor:
    """Apply every change in the order in which an imaging chain would."""
    grey, valid = patches[:, :1], patches[:, 1:2]
    n = len(grey)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        size = shape or (n, 1, 1, 1)
        return torch.rand(size, generator=generator) * (high - low) + low

    def chosen(chance: float) -> Tensor:
        return (torch.rand((n, 1, 1, 1), generator=generator) < chance).float()

    grey = grey + _bars(grey, uniform, chosen(how.bars))
    grey = grey.clamp(0, 1).pow(
        torch.exp(torch.randn((n, 1, 1, 1), generator=generator) * how.gamma)
    )
    grey = _blurred(grey, how.blur_px, generator)
    grey = _local_contrast(grey, how.local_contrast, chosen(0.5), uniform)
    coarse = uniform(-1, 1, n, 1, 5, 5) * uniform(0, how.field)
    grey = grey + functional.interpolate(coarse, grey.shape[-2:], mode="bicubic") * chosen(0.6)
    gain = functional.interpolate(uniform(-1, 1, n, 1, 4, 4), grey.shape[-2:], mode="bilinear")
    grey = grey * torch.exp(gain * 0.35 * chosen(0.4))
    grey = grey + _noise(grey, generator) * uniform(0, how.noise) * chosen(0.7)
    grey = grey - 0.9 * _markers(grey, uniform, chosen(0.1)) * (grey - uniform(0, 1.2))
    valid = valid * _borders(grey, uniform, chosen(how.cut), how.reach)
    return torch.cat([grey * valid, valid], 1)


def _axes(like: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates -0.5..0.5 of rows and columns, shapes (1, 1, s, 1) and (1, 1, 1, s)."""
    size = like.shape[-1]
    line = (torch.arange(size) - (size - 1) / 2) / size
    return line.view(1, 1, size, 1), line.view(1, 1, 1, size)


def _bars(grey: Tensor, uniform: _Uniform, chosen: Tensor) -> Tensor:
    """Three soft, curved bars a patch: ribs, instruments, the edge of an arm."""
    rows, columns = _axes(grey)
    total = torch.zeros_like(grey)
    for _ in range(3):
        angle = uniform(0, 3.1416)
        along = rows * torch.sin(angle) + columns * torch.cos(angle)
        across = columns * torch.sin(angle) - rows * torch.cos(angle)
        across = across + uniform(-0.5, 0.5) + uniform(-0.8, 0.8) * along.square()
        width = uniform(0.02, 0.09)
        inside = torch.sigmoid((width - across.abs()) / 0.006)
        profile = 0.45 + 0.55 * (across.abs() / width).clamp(max=1.0).square()
        total = total + uniform(-0.15, 0.35) * inside * profile
    return total * chosen


def _blurred(grey: Tensor, largest: float, generator: torch.Generator) -> Tensor:
    """Blur each patch by its own width, along rows and columns apart (movement, thick slices)."""
    n, _, height, width = grey.shape
    radius = max(1, round(2.2 * largest))
    offsets = torch.arange(-radius, radius + 1, dtype=grey.dtype)
    kernels = []
    for _ in range(2):
        sigma = torch.rand((n, 1), generator=generator).pow(2.0) * largest + 0.15
        kernel = torch.exp(-0.5 * (offsets / sigma).square())
        kernels.append(kernel / kernel.sum(1, keepdim=True))
    flat = grey.reshape(1, n, height, width)
    pad = functional.pad(flat, (radius, radius, 0, 0), mode="replicate")
    flat = functional.conv2d(pad, kernels[0].view(n, 1, 1, -1), groups=n)
    pad = functional.pad(flat, (0, 0, radius, radius), mode="replicate")
    flat = functional.conv2d(pad, kernels[1].view(n, 1, -1, 1), groups=n)
    return flat.reshape(n, 1, height, width)


def _local_contrast(grey: Tensor, strength: float, chosen: Tensor, uniform: _Uniform) -> Tensor:
    """Unsharp masking at one of two widths, or its contrary."""
    narrow = functional.avg_pool2d(grey, 5, 1, 2, count_include_pad=False)
    wide = functional.avg_pool2d(grey, 8, 8, count_include_pad=False)
    wide = functional.avg_pool2d(wide, 3, 1, 1, count_include_pad=False)
    wide = functional.interpolate(wide, grey.shape[-2:], mode="bilinear")
    fine = uniform(-0.5, strength) * (grey - narrow)
    coarse = uniform(-0.6, strength) * (grey - wide)
    return grey + (fine + coarse) * chosen


def _noise(grey: Tensor, generator: torch.Generator) -> Tensor:
    """White noise and noise with grains of two pixels, half and half."""
    n, _, height, width = grey.shape
    white = torch.randn(grey.shape, generator=generator)
    grains = torch.randn((n, 1, height // 2, width // 2), generator=generator)
    return 0.6 * white + 0.8 * functional.interpolate(grains, (height, width), mode="bilinear")


def _markers(grey: Tensor, uniform: _Uniform, chosen: Tensor) -> Tensor:
    """One even rectangle a patch: a letter, a ruler, a piece of metal."""
    rows, columns = _axes(grey)
    high = (rows - uniform(-0.5, 0.5)).abs() < uniform(0.01, 0.08)
    wide = (columns - uniform(-0.5, 0.5)).abs() < uniform(0.01, 0.08)
    return (high & wide).float() * chosen


def _borders(grey: Tensor, uniform: _Uniform, chosen: Tensor, reach: float) -> Tensor:
    """A half plane, slightly oblique, that a collimator covers."""
    rows, columns = _axes(grey)
    quarter = torch.floor(uniform(0, 4)) * 1.5708 + uniform(-0.12, 0.12)
    distance = rows * torch.sin(quarter) + columns * torch.cos(quarter)
    covered = (distance > 0.5 - uniform(0, reach)).float() * chosen
    return 1.0 - covered
