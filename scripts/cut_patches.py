"""Cut training patches out of simulated films, in the background while films still arrive."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from numpy.typing import NDArray

if TYPE_CHECKING:
    from zoom_imaging.vision.training.truth import Shown

Folder = Annotated[Path, typer.Option(file_okay=False)]


def simulated_look(attenuation: NDArray[np.float32], rng: np.random.Generator) -> Shown:
    """A random detector and maker's processing.

    Half of the collimated films keep their borders as black picture (a border that nobody found);
    borders that are known come with the patches.
    """
    from zoom_imaging.simulate.film import random_look, render
    from zoom_imaging.vision.training.truth import PIXEL_MM, Shown

    look = random_look(rng)
    if rng.random() < 0.5:
        look = replace(look, collimation_mm=(0.0, 0.0, 0.0, 0.0))
    grey = render(attenuation.astype(np.float64), PIXEL_MM, look, rng)
    return Shown(grey, np.ones(grey.shape, np.bool_), look.edge_shift_mm, look.manner)


def main(
    films: Folder,
    out: Folder,
    *,
    part: int = 0,
    parts: int = 1,
    looks: int = 2,
    wait_for: int = 0,
) -> None:
    """Cut shards of twenty films from FILMS into OUT; wait until `--wait-for` films are there."""
    from zoom_imaging.vision.training.command import cut_folder

    while True:
        count = len(list(films.glob("*.npz")))
        last = count >= wait_for
        made = cut_folder(films, out, simulated_look, share=(part, parts), looks=looks, rest=last)
        if made:
            typer.echo(f"{time.strftime('%H:%M:%S')} {count} films, {made} new crops")
        if last:
            return
        time.sleep(10)


if __name__ == "__main__":
    typer.run(main)
