"""Training goes on where it was cut off, and its weights become a bundle that loads."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.vision.bundle import NETWORKS, load_bundle
from zoom_imaging.vision.engine import make_engine
from zoom_imaging.vision.networks import Namer
from zoom_imaging.vision.training.command import run
from zoom_imaging.vision.training.engine import Progress, Schedule, train
from zoom_imaging.vision.training.release import release_network
from zoom_imaging.vision.training.tasks import TASKS

from .conftest import plain_look

SMALL = replace(
    TASKS["namer"], batch_size=4, network=lambda: Namer(channels=(4, 4, 4, 4, 8), dropout=0.0)
)


def train_small(cut: Path, work: Path, steps: int) -> list[dict[str, float]]:
    """Train the namer of a few weights; returns what was reported."""
    reported: list[dict[str, float]] = []

    def report(network: nn.Module, line: dict[str, float]) -> None:
        reported.append(line)

    schedule = Schedule(steps=steps, epoch_length=2, validate_every=1, validation_batches=1)
    with warnings.catch_warnings():
        # MONAI and ignite warn about their own future.
        warnings.simplefilter("ignore")
        train(SMALL, cut / "namer", cut / "namer", work=work, schedule=schedule, report=report)
    return reported


def test_a_run_that_was_cut_off_goes_on(cut: Path, tmp_path: Path) -> None:
    first = train_small(cut, tmp_path, 4)
    assert first[-1]["step"] == 4
    assert "exact" in first[-1]
    assert list(tmp_path.glob("checkpoint_iteration=*.pt"))
    second = train_small(cut, tmp_path, 8)
    assert second[0]["step"] > 4
    assert second[-1]["step"] == 8
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [r["step"] for r in (*first, *second)]


def test_two_runs_with_one_seed_see_the_same_batches(cut: Path, tmp_path: Path) -> None:
    once = train_small(cut, tmp_path / "a", 2)
    twice = train_small(cut, tmp_path / "b", 2)
    assert once[0]["loss"] == twice[0]["loss"]


def test_the_rate_rises_and_then_falls() -> None:
    progress = Progress(Schedule(steps=100))
    rates = []
    for progress.step in (0, 5, 50, 100):
        rates.append(progress.rate(0))
    assert rates[0] < rates[1] > rates[2] > rates[3] > 0
    state = progress.state_dict()
    other = Progress(Schedule(steps=100))
    other.load_state_dict(state)
    assert other.step == 100


@pytest.mark.parametrize("name", NETWORKS)
def test_released_weights_load_and_answer_alike(untrained: Path, name: str, tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = TASKS[name].network().eval()
    for other in NETWORKS:
        release_network(tmp_path, other, network if other == name else TASKS[other].network())
    engine = make_engine("torch", load_bundle(tmp_path))
    patches = torch.rand(1, 2, 128, 128)
    with torch.inference_mode():
        expected: Any = network(patches)
    first = expected[0] if isinstance(expected, tuple) else expected
    assert torch.allclose(torch.from_numpy(engine.run(name, patches.numpy())[0]), first, atol=1e-4)


def test_a_folder_without_films_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"simulate\.py"):
        run(
            "namer", tmp_path, tmp_path, out=tmp_path, work=tmp_path,
            schedule=Schedule(), look=plain_look,
        )  # fmt: skip
