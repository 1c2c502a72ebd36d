"""Does tuning on a site's films help? Shown on a simulated maker that the base model never saw.

The maker's processing turns detail around: thin bright lines, as endplates are, come out dark, on a
ground with a tone curve of its own and a faint grid. Some patients' films are outlined and tuned on
(`zoom_imaging train`); others, whom tuning never saw, are read before and after.

python scripts/prove_finetuning.py --work DIR --cache skeletons [--anatomy DIR]
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

FIRST_SEED = 960_000
SHOWN = (
    "recall",
    "dice",
    "landmark_mm_median",
    "ratio_error_points",
    "bias_anterior_points",
    "bias_middle_points",
    "auroc_grade2",
    "evaluable",
)


def unseen_maker(grey: NDArray[np.floating], pixel_mm: float) -> NDArray[np.float32]:
    """Detail turned around, a steep tone curve, and a grid of lines; 0..1 in and out."""
    from zoom_imaging.simulate.blur import smooth

    image = np.asarray(grey, np.float64)
    detail = image - smooth(image, 1.5 / pixel_mm)
    toned = 1 / (1 + np.exp(-7.0 * (smooth(image, 0.8 / pixel_mm) - 0.5)))
    lines = 0.03 * ((np.arange(image.shape[0]) // 2) % 2)[:, None]
    return np.clip(toned - 1.2 * detail + lines, 0.0, 1.0).astype(np.float32)


def write_films(folder: Path, seeds: range, cache: Path, anatomy: Path | None) -> None:
    """One film a patient with its truth beside it; what is there stays."""
    from zoom_imaging.simulate.acquisition import WHOLE_SPINE, random_acquisition
    from zoom_imaging.simulate.dicom import header_for, truth_record, write_film
    from zoom_imaging.simulate.film import Look, to_12_bit
    from zoom_imaging.simulate.person import random_person
    from zoom_imaging.simulate.simulator import simulate_film
    from zoom_imaging.simulate.skeleton import load_skeleton
    from zoom_imaging.simulate.training import prepare_skeletons, skeleton_for

    paths = prepare_skeletons(cache, anatomy)
    for seed in seeds:
        path = folder / f"patient{seed}" / "film.dcm"
        if path.with_suffix(".json").exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        skeleton = load_skeleton(paths[skeleton_for(seed, paths)])
        person = random_person(seed, prevalence=0.2, variety=0.8)
        acquisition = replace(random_acquisition(seed, 0.4), field=WHOLE_SPINE)
        film = simulate_film(skeleton, person, acquisition, np.random.default_rng(seed), Look())
        image = to_12_bit(unseen_maker(film.image / 4095, acquisition.pixel_mm))
        header = header_for(film, acquisition, f"P{seed}", "20240101", "baseline")
        write_film(path, image, header)
        path.with_suffix(".json").write_text(json.dumps(truth_record(film)), encoding="utf-8")


def main(
    *,
    work: Annotated[Path, typer.Option(file_okay=False)],
    cache: Path = Path("skeletons"),
    anatomy: Path | None = None,
    outlined: Annotated[int, typer.Option(min=2, help="Patients to tune on.")] = 24,
    others: Annotated[int, typer.Option(min=2, help="Patients to judge by.")] = 16,
    minutes: float = 15.0,
    steps: int = 400,
) -> None:
    """Simulate, tune, read before and after, print both."""
    import warnings

    from evaluate_model import labelled_cases
    from model_figures import side_by_side

    from zoom_imaging.vision.bundle import default_bundle_dir
    from zoom_imaging.vision.read import SpineReader
    from zoom_imaging.vision.training.finetune import Tuning, finetune
    from zoom_imaging.vision.training.labelled import labelled_films
    from zoom_imaging.vision.training.score import Scored, figures, score_image

    warnings.filterwarnings("ignore")
    first = range(FIRST_SEED, FIRST_SEED + outlined)
    write_films(work / "outlined", first, cache, anatomy)
    write_films(work / "others", range(first.stop, first.stop + others), cache, anatomy)
    start, tuned = default_bundle_dir(), work / "tuned"
    how = Tuning(steps=steps, minutes=minutes)
    result = finetune(labelled_films(work / "outlined"), start, tuned, work / "training", how)
    typer.echo(f"kept: {result.kept}; held apart: {result.before} -> {result.after}")
    found: dict[str, dict[str, float]] = {}
    for name, bundle in (("before", start), ("after", tuned)):
        reader = SpineReader.load(bundle)
        records: list[Scored] = []
        for case in labelled_cases(work / "others"):
            truth = case.truth
            records += score_image(case.person, case.image, truth, reader.read(case.film))[0]
        found[name] = figures(records)
    text = "\n".join(side_by_side(found, SHOWN)) + "\n"
    typer.echo(text)
    (work / "finetuning.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
