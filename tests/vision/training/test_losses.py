"""Losses fall towards the truth; changes of appearance keep shape, range and truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from zoom_imaging.vision.training.appearance import Appearance, vary
from zoom_imaging.vision.training.losses import (
    DelineatorLoss,
    LocatorLoss,
    NamerLoss,
    gaussian_maps,
)
from zoom_imaging.vision.training.shards import ShardReader
from zoom_imaging.vision.training.tasks import TASKS


def test_maps_peak_at_their_points() -> None:
    maps = gaussian_maps(torch.tensor([[[20.5, 40.5]]]), 32, 1.1)
    assert int(maps.flatten().argmax()) == 20 * 32 + 10
    assert float(maps.max()) == pytest.approx(1.0)


def test_locator_asks_nothing_above_c7() -> None:
    wanted = {
        "centres": torch.full((1, 4, 2), -1e4),
        "sacrum": torch.full((1, 1, 2), -1e4),
        "above": torch.tensor([[0.0, -1.0, 30.0]]),
    }
    quiet = torch.full((1, 2, 32, 32), -9.0)
    high, low = quiet.clone(), quiet.clone()
    high[:, :, 4], low[:, :, 28] = 9.0, 9.0
    loss = LocatorLoss()
    assert loss(high, wanted) < loss(low, wanted)
    assert float(loss(quiet, wanted)) < 0.01


def test_namer_prefers_the_level_then_its_neighbour() -> None:
    wanted = {"level": torch.tensor([7]), "faces_left": torch.tensor([1.0])}
    losses = []
    for said in (7, 8, 12):
        logits = torch.full((1, 19), -2.0)
        logits[0, said] = 4.0
        losses.append(float(NamerLoss()((logits, torch.tensor([3.0])), wanted)))
    assert losses == sorted(losses)


def answer(six: torch.Tensor, grade: int) -> tuple[torch.Tensor, ...]:
    size = 32
    heat = (gaussian_maps(six, size, 1.1) + 1e-6).log()
    mask = torch.full((1, 1, 64, 64), -6.0)
    mask[:, :, 20:45, 16:48] = 6.0
    logits = torch.full((1, 4), -3.0)
    logits[0, grade] = 3.0
    return mask, heat, six, torch.ones(1, 6), logits, torch.tensor([[5.0, 5.0]])


def test_delineator_punishes_a_wrong_height_and_grade() -> None:
    six = torch.tensor([[[16.0, 20], [32, 21], [48, 20], [16, 44], [32, 43], [48, 44]]])
    flat = six.clone()
    flat[0, 0, 1] += 8
    mask = torch.zeros(1, 1, 64, 64)
    mask[:, :, 20:45, 16:48] = 1.0
    wanted = {
        "mask": mask,
        "six": six,
        "grade": torch.tensor([0]),
        "body": torch.ones(1),
        "seen": torch.ones(1),
    }
    loss = DelineatorLoss()
    right = loss(answer(six, 0), wanted)
    assert right < loss(answer(six, 3), wanted)
    assert right < loss(answer(flat, 0), wanted)
    nothing = {**wanted, "body": torch.zeros(1), "seen": torch.zeros(1)}
    no_body = (*answer(flat, 3)[:-1], torch.tensor([[-5.0, -5.0]]))
    assert float(loss(no_body, nothing)) < 0.1


@pytest.mark.parametrize("name", sorted(TASKS))
def test_batches_have_what_loss_and_score_need(cut: Path, name: str) -> None:
    task = TASKS[name]
    reader = ShardReader(cut / name)
    count = reader.refresh()
    samples = reader.take(range(min(count, 16)))
    generator = torch.Generator().manual_seed(1)
    patches, wanted = task.batch(samples, generator, True)
    torch.manual_seed(2)
    network = task.network().eval()
    with torch.no_grad():
        out: Any = network(patches)
        assert torch.isfinite(task.loss()(out, wanted))
        scores = task.score(out, wanted)
    assert task.key in scores


def test_appearance_keeps_the_shape_and_hides_only_by_the_mask() -> None:
    patches = torch.rand(8, 2, 48, 48)
    patches[:, 1] = 1.0
    varied = vary(patches, Appearance(cut=1.0), torch.Generator().manual_seed(3))
    assert varied.shape == patches.shape
    assert torch.isfinite(varied).all()
    assert set(varied[:, 1].unique().tolist()) <= {0.0, 1.0}
    assert not (varied[:, 0] * (1 - varied[:, 1])).any()
    assert (varied[:, 1].mean((1, 2)) < 1).any()
    again = vary(patches, Appearance(cut=1.0), torch.Generator().manual_seed(3))
    assert torch.equal(varied, again)
