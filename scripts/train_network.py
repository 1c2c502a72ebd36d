"""Train one of the three networks of the bundle.

locator     body centres and sacrum, on patches of 192 mm
namer       the level of a vertebra, from 256 mm around it
delineator  outline, six points, grade and flags of one vertebra

Films come from `scripts/simulate.py`; the weights go into the bundle after every validation. A run
that was cut off goes on from its last checkpoint under `--work`.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option(file_okay=False)]


class Network(StrEnum):
    """The networks in the order in which they read."""

    LOCATOR = "locator"
    NAMER = "namer"
    DELINEATOR = "delineator"


STEPS = {Network.LOCATOR: 6000, Network.NAMER: 8000, Network.DELINEATOR: 12000}


def main(
    network: Network,
    *,
    films: Folder,
    heldapart: Folder,
    out: Folder = Path("models/spine_lateral"),
    work: Folder = Path("training"),
    start: Annotated[
        Path | None, typer.Option(file_okay=False, help="Bundle whose weights are the first ones.")
    ] = None,
    minutes: float = 1e9,
    steps: Annotated[int | None, typer.Option(help="Default: by network.")] = None,
    seed: int = 20260,
    threads: int = 1,
) -> None:
    """Train until `--steps` are done or `--minutes` have passed, whichever is first."""
    import torch
    from cut_patches import simulated_look

    from zoom_imaging.vision.training.command import run
    from zoom_imaging.vision.training.engine import Schedule

    torch.set_num_threads(threads)
    schedule = Schedule(steps=steps or STEPS[network], minutes=minutes, seed=seed)
    run(
        network.value,
        films,
        heldapart,
        out=out,
        work=work,
        schedule=schedule,
        look=simulated_look,
        start=start,
    )


if __name__ == "__main__":
    typer.run(main)
