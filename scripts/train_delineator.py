"""Train the delineator: outline, six points, grade and flags of one vertebra.

Films come from `scripts/simulate.py`; the weights go into the bundle after every validation. A run
that was cut off goes on from its last checkpoint under `--work`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option(file_okay=False)]


def main(
    films: Folder,
    heldapart: Folder,
    *,
    out: Folder = Path("models/spine_lateral"),
    work: Folder = Path("training"),
    minutes: float = 1e9,
    steps: int = 12000,
    seed: int = 20260,
    threads: int = 1,
) -> None:
    """Train until `--steps` are done or `--minutes` have passed, whichever is first."""
    import torch
    from cut_patches import simulated_look

    from zoom_imaging.vision.training.command import run
    from zoom_imaging.vision.training.engine import Schedule

    torch.set_num_threads(threads)
    schedule = Schedule(steps=steps, minutes=minutes, seed=seed)
    run("delineator", films, heldapart, out=out, work=work, schedule=schedule, look=simulated_look)


if __name__ == "__main__":
    typer.run(main)
