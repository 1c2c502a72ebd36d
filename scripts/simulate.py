"""Simulated films: a folder of training films, or one film as DICOM with its truth.

python scripts/simulate.py training --out DIR --films 100 --cache DIR [--anatomy DIR]
python scripts/simulate.py dicom --out DIR --seed 7 --cache DIR [--anatomy DIR]
"""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

Out = Annotated[Path, typer.Option(help="Folder to write to; outside the checkout for training.")]
Cache = Annotated[Path, typer.Option(help="Folder for prepared skeletons, made once.")]
Anatomy = Annotated[
    Path | None,
    typer.Option(help="Folder with bodyparts3d/ (and vhp_male_lumbosacral/); parametric without."),
]


@app.command()
def training(
    *,
    out: Out,
    cache: Cache,
    films: Annotated[int, typer.Option(min=1)] = 100,
    first_seed: Annotated[int, typer.Option(min=0)] = 0,
    jobs: Annotated[int, typer.Option(min=1, max=8)] = 2,
    anatomy: Anatomy = None,
    ct: Annotated[
        Path | None, typer.Option(help="Folder of one CT: films of it and of nothing else.")
    ] = None,
    pixel_mm: Annotated[float, typer.Option(min=0.1, max=2.0)] = 0.5,
) -> None:
    """Write one .npz a film; films that are there already are kept."""
    from zoom_imaging.simulate.training import prepare_skeletons

    out.mkdir(parents=True, exist_ok=True)
    source = ct if ct is not None else prepare_skeletons(cache, anatomy)
    seeds = range(first_seed, first_seed + films)
    work = [
        (out, seeds[start :: jobs * 8], source, pixel_mm) for start in range(min(jobs * 8, films))
    ]
    with get_context("spawn").Pool(jobs) as pool:
        for count in pool.imap_unordered(_write_films, work):
            typer.echo(f"{count} films written")


@app.command()
def dicom(
    *,
    out: Out,
    cache: Cache,
    seed: Annotated[int, typer.Option(min=0, help="Of person, position and look.")] = 0,
    prevalence: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.15,
    pixel_mm: Annotated[float, typer.Option(min=0.1, max=2.0)] = 0.35,
    anatomy: Anatomy = None,
) -> None:
    """Write one whole-spine film as DICOM DX and its truth as JSON."""
    import json
    from dataclasses import replace

    import numpy as np

    from zoom_imaging.simulate.acquisition import WHOLE_SPINE, random_acquisition
    from zoom_imaging.simulate.dicom import header_for, truth_record, write_film
    from zoom_imaging.simulate.person import random_person
    from zoom_imaging.simulate.simulator import simulate_film
    from zoom_imaging.simulate.skeleton import load_skeleton
    from zoom_imaging.simulate.training import prepare_skeletons, skeleton_for

    paths = prepare_skeletons(cache, anatomy)
    skeleton = load_skeleton(paths[skeleton_for(seed, paths)])
    person = random_person(seed, prevalence, variety=0.6)
    acquisition = replace(random_acquisition(seed, pixel_mm), field=WHOLE_SPINE)
    film = simulate_film(skeleton, person, acquisition, np.random.default_rng(seed))
    header = header_for(film, acquisition, f"SIM{seed:05d}", "20240101", "baseline")
    path = out / f"sim{seed:05d}.dcm"
    write_film(path, film.image, header)
    truth = json.dumps(truth_record(film), indent=1)
    path.with_suffix(".json").write_text(truth + "\n", encoding="utf-8")
    typer.echo(f"{path}: {film.image.shape[0]} x {film.image.shape[1]}, {skeleton.name}")


def _write_films(work: tuple[Path, range, dict[str, Path] | Path, float]) -> int:
    from zoom_imaging.simulate.skeleton import Skeleton, load_skeleton
    from zoom_imaging.simulate.training import skeleton_for, write_training_film
    from zoom_imaging.simulate.volume import Volume, load_volume

    out, seeds, source, pixel_mm = work
    loaded: dict[str, Skeleton | Volume] = {}
    written = 0
    for seed in seeds:
        path = out / f"{seed:07d}.npz"
        if path.exists():
            continue
        name = source.name if isinstance(source, Path) else skeleton_for(seed, source)
        if name not in loaded:
            loaded[name] = (
                load_volume(source) if isinstance(source, Path) else load_skeleton(source[name])
            )
        write_training_film(path, seed, loaded[name], pixel_mm)
        written += 1
    return written


if __name__ == "__main__":
    app()
