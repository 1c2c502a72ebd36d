"""Train one network with MONAI's engines: resumable, validated, exported into the bundle.

The loop, checkpoints, schedule and validation are `SupervisedTrainer`, `SupervisedEvaluator` and
handlers of MONAI and ignite. Two runs with the same seed, shards and `steps` see the same batches.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from zoom_imaging.vision.training.shards import ShardReader
from zoom_imaging.vision.training.tasks import Task, Wanted

if TYPE_CHECKING:
    from monai.engines.evaluator import SupervisedEvaluator

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long to train: until `steps` are done or `minutes` have passed, whichever is first.

    `learning_rate` is the highest of the run; None for the task's own.
    """

    steps: int = 4000
    minutes: float = 1e9
    seed: int = 20260
    learning_rate: float | None = None
    epoch_length: int = 100
    validate_every: int = 3
    validation_batches: int = 12


class Progress:
    """The share of the training that is done, and its seconds; survives a resumed run."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.step = 0
        self.earlier_seconds = 0.0
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of training in this run and those before."""
        return self.earlier_seconds + time.monotonic() - self.started

    @property
    def share(self) -> float:
        """0 at the start, 1 at the end."""
        by_time = self.seconds / (self.schedule.minutes * 60)
        return min(1.0, max(self.step / self.schedule.steps, by_time))

    def rate(self, _: int) -> float:
        """Factor of the learning rate: a short warm-up, then a cosine down to a hundredth."""
        share = self.share
        return min(1.0, share * 40 + 0.02) * (0.5 * (1 + float(np.cos(np.pi * share))) + 0.01)

    def state_dict(self) -> dict[str, float]:
        """For the checkpoint."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """From a checkpoint."""
        self.step = int(state["step"])
        self.earlier_seconds = float(state["seconds"])
        self.started = time.monotonic()


class Batches:
    """An endless stream of training batches; each depends on the seed and its number alone."""

    def __init__(self, task: Task, shards: ShardReader, progress: Progress) -> None:
        self.task, self.shards, self.progress = task, shards, progress

    def __iter__(self) -> Iterator[tuple[Tensor, Wanted]]:
        while True:
            yield self.batch(self.progress.step)

    def batch(self, number: int, *, training: bool = True) -> tuple[Tensor, Wanted]:
        """Batch `number`."""
        seed = self.progress.schedule.seed
        rng = np.random.default_rng([seed, number, int(training)])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        size = min(self.task.batch_size, len(self.shards))
        samples = self.shards.take(rng.choice(len(self.shards), size, replace=False))
        return self.task.batch(samples, generator, training)


def _prepare(
    batch: tuple[Tensor, Wanted], device: Any = None, non_blocking: bool = False, **_: Any
) -> tuple[Tensor, Wanted]:
    return batch


class _Bfloat16Inferer:
    """Forward in bfloat16 where the operator allows it; weights stay float32."""

    def __call__(self, patches: Tensor, network: nn.Module, *_: Any, **__: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return network(patches)


def train(
    task: Task,
    patches: Path,
    held_apart: Path,
    *,
    work: Path,
    schedule: Schedule,
    report: Callable[[nn.Module, dict[str, float]], None],
    start: Path | None = None,
) -> None:
    """Train `task`; after every validation `report` receives the averaged network and its scores.

    `patches` and `held_apart` hold shards (see `crops.cut_films`); `work` receives checkpoints and
    `history.jsonl`. `start` is a file of weights to begin with, random ones without it. A run that
    was cut off goes on from the last checkpoint.
    """
    from ignite.engine import Events
    from ignite.handlers import EMAHandler
    from monai.engines.trainer import SupervisedTrainer
    from monai.handlers.checkpoint_loader import CheckpointLoader
    from monai.handlers.checkpoint_saver import CheckpointSaver
    from monai.handlers.lr_schedule_handler import LrScheduleHandler
    from monai.handlers.validation_handler import ValidationHandler

    torch.manual_seed(schedule.seed)
    network = _network(task, start)
    rate = task.learning_rate if schedule.learning_rate is None else schedule.learning_rate
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-3)
    progress = Progress(schedule)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, progress.rate)
    shards, apart = ShardReader(patches), ShardReader(held_apart)
    log.info("%s: %d samples, %d held apart", task.name, shards.refresh(), apart.refresh())
    average = EMAHandler(network, momentum=0.005, momentum_warmup=0.1, warmup_iters=200)
    evaluator = _evaluator(task, average.ema_model, apart, schedule)
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=-(-schedule.steps // schedule.epoch_length),
        epoch_length=schedule.epoch_length,
        train_data_loader=Batches(task, shards, progress),
        network=network,
        optimizer=optimizer,
        loss_function=task.loss(),
        prepare_batch=_prepare,
        inferer=cast(Any, _Bfloat16Inferer()),
        decollate=False,
        optim_set_to_none=True,
        train_handlers=[
            LrScheduleHandler(cast(Any, scheduler), print_lr=False, epoch_level=False),
            ValidationHandler(schedule.validate_every, evaluator),
        ],
    )
    saved = {
        "network": network,
        "average": average.ema_model,
        "optimizer": optimizer,
        "progress": progress,
        "trainer": trainer,
    }
    average.attach(trainer, name="ema_momentum")
    CheckpointSaver(
        str(work), saved, epoch_level=False, save_interval=schedule.epoch_length, n_saved=1
    ).attach(trainer)
    for engine in (trainer, evaluator):
        engine.logger.setLevel(logging.WARNING)

    def count(engine: Any) -> None:
        progress.step = engine.state.iteration
        if progress.share >= 1.0:
            engine.terminate()

    def write(engine: Any) -> None:
        scores = {name: round(float(value), 4) for name, value in engine.state.metrics.items()}
        output = trainer.state.output
        line = {
            "step": progress.step,
            "seconds": round(progress.seconds),
            "samples": len(shards),
            "loss": round(output["loss"].item(), 4) if output else float("nan"),
            **scores,
        }
        with (work / "history.jsonl").open("a", encoding="utf-8") as history:
            history.write(json.dumps(line) + "\n")
        log.info("%s %s", task.name, json.dumps(line))
        report(average.ema_model, line)
        shards.refresh()

    trainer.add_event_handler(Events.ITERATION_COMPLETED, count)
    evaluator.add_event_handler(Events.COMPLETED, write)
    found = sorted(work.glob("checkpoint_iteration=*.pt"), key=lambda path: path.stat().st_mtime)
    if found:
        CheckpointLoader(str(found[-1]), saved)(trainer)
        log.info("%s: goes on from step %d", task.name, progress.step)
    if progress.share < 1.0:
        trainer.run()
    evaluator.run()


def score(task: Task, weights: Path, held_apart: Path, schedule: Schedule) -> dict[str, float]:
    """Mean scores of a file of weights on the shards of `held_apart`."""
    network = _network(task, weights)
    apart = ShardReader(held_apart)
    apart.refresh()
    evaluator = _evaluator(task, network, apart, schedule)
    evaluator.logger.setLevel(logging.WARNING)
    evaluator.run()
    return {name: float(value) for name, value in evaluator.state.metrics.items()}


def _network(task: Task, weights: Path | None) -> nn.Module:
    """A new network of the task, with the weights of a file or random ones."""
    network: nn.Module = task.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if weights is not None:
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network


def _evaluator(
    task: Task, network: nn.Module, apart: ShardReader, schedule: Schedule
) -> SupervisedEvaluator:
    """Mean scores over fixed batches of people held apart, in float32."""
    from ignite.metrics import Average
    from monai.engines.evaluator import SupervisedEvaluator

    stream = Batches(task, apart, Progress(schedule))
    data = [stream.batch(k, training=False) for k in range(schedule.validation_batches)]
    names = list(task.score(_forward(network, data[0][0]), data[0][1]))

    def scored(name: str) -> Any:
        return lambda output: task.score(output["pred"], output["label"])[name]

    return SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=data,
        network=network,
        prepare_batch=_prepare,
        decollate=False,
        key_val_metric={task.key: Average(scored(task.key))},
        additional_metrics={n: Average(scored(n)) for n in names if n != task.key},
    )


def _forward(network: nn.Module, patches: Tensor) -> Any:
    network.eval()
    with torch.inference_mode():
        return network(patches)


def describe(schedule: Schedule) -> dict[str, Any]:
    """The schedule as it is written beside the weights."""
    return asdict(schedule)
