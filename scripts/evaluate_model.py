"""Score the model bundle against truth: CT-derived or simulated films.

The folder holds either JSON files beside DICOM images (the format of the validation set) or `.npz`
films of `scripts/simulate.py`. Writes figures with bootstrap intervals over patients as JSON and
Markdown.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from zoom_imaging.anatomy import GRADED_LEVELS, SpacingSource, View
from zoom_imaging.radiograph.film import Radiograph, Scale
from zoom_imaging.vision.training.score import (
    Scored,
    TrueVertebra,
    figures,
    intervals,
    score_image,
)


@dataclass(frozen=True)
class Case:
    """One film with its truth; `look` names the maker's manner where it was simulated."""

    person: str
    image: str
    film: Radiograph
    truth: list[TrueVertebra]
    look: str = ""


def labelled_cases(folder: Path) -> Iterator[Case]:
    """DICOM films with a JSON truth beside them."""
    from zoom_imaging.vision.training.labelled import labelled_films

    for one in labelled_films(folder):
        yield Case(one.person, one.image, one.film, list(one.vertebrae))


def simulated_films(folder: Path, half: int) -> list[Path]:
    """The films of every second person, those with even (0) or odd (1) numbers."""
    return [path for path in sorted(folder.glob("*.npz")) if int(path.stem) % 2 == half]


def simulated_cases(paths: Sequence[Path]) -> Iterator[Case]:
    """Simulated films, each shown once in a look that its name decides."""
    from cut_patches import simulated_look

    from zoom_imaging.vision.training.truth import PIXEL_MM, read_film

    for path in paths:
        attenuation, truth = read_film(path)
        rng = np.random.default_rng([zlib.crc32(path.stem.encode()), 77])
        shown = simulated_look(attenuation, rng)
        with np.load(path) as film:
            magnification = float(film["magnification"])
        scale = Scale(SpacingSource.IMAGER_RAW, PIXEL_MM, PIXEL_MM, "simulated")
        radiograph = Radiograph(
            str(path), path.stem, shown.grey, shown.valid, scale, View.LATERAL, "simulated", None
        )
        vertebrae = _from_film(truth.as_shown(shown), magnification)
        yield Case(str(truth.person), path.stem, radiograph, vertebrae, shown.manner)


def _from_film(truth: Any, magnification: float) -> list[TrueVertebra]:
    from zoom_imaging.anatomy import TYPICAL_LEVELS
    from zoom_imaging.vision.training.truth import PIXEL_MM
    from zoom_imaging.vision.uncertainty import ratios_of

    out = []
    for k in np.nonzero(truth.is_measured)[0]:
        ratios = ratios_of(truth.six[k])
        out.append(
            TrueVertebra(
                level=TYPICAL_LEVELS[int(truth.level_index[k])],
                six=truth.six[k],
                outline=truth.outline[k],
                ratios=(float(ratios[0]), float(ratios[1])),
                grade=int(truth.grade[k]),
                mm_per_px=PIXEL_MM / magnification,
                evaluable=bool(truth.evaluable[k]),
            )
        )
    return out


def cases_of(folder: Path, limit: int = 100000) -> Iterator[Case]:
    """Films of either kind; of simulated ones those with odd numbers."""
    if any(folder.glob("*.npz")):
        return simulated_cases(simulated_films(folder, 1)[:limit])
    return labelled_cases(folder)


def main(
    truth: Annotated[Path, typer.Option(file_okay=False, exists=True)],
    *,
    bundle: Annotated[Path | None, typer.Option(file_okay=False)] = None,
    out: Annotated[Path | None, typer.Option(help="folder for figures.json and figures.md")] = None,
    limit: int = 100000,
    unknown_scale: bool = False,
    earlier: Annotated[
        Path | None, typer.Option(file_okay=False, help="An earlier bundle, to compare with.")
    ] = None,
) -> None:
    """Read every film of TRUTH with the bundle and report the figures.

    Of simulated films only odd numbers are read: calibration was fitted on the even ones. With
    `--earlier` the baselines are scored on the same films, too.
    """
    import warnings

    from baselines import always_normal, generic_segmentation
    from model_figures import markdown, write_figures

    from zoom_imaging.vision.read import SpineReader

    warnings.filterwarnings("ignore")
    reader = SpineReader.load(bundle)
    before = SpineReader.load(earlier) if earlier is not None else None
    baselines: dict[str, list[Scored]] = {}
    simulated = any(truth.glob("*.npz"))
    records: list[Scored] = []
    images: list[dict[str, Any]] = []
    for case in cases_of(truth, limit):
        person, image, film, vertebrae = case.person, case.image, case.film, case.truth
        withheld = replace(film, scale=Scale(SpacingSource.NONE, None, None, "withheld"))
        started = time.perf_counter()
        reading = reader.read(withheld if unknown_scale else film)
        seconds = time.perf_counter() - started
        scored, false = score_image(person, image, vertebrae, reading)
        scored = [r for r in scored if r.level in GRADED_LEVELS or not simulated]
        records += scored
        if before is not None:
            for name, other in (
                ("earlier model", before.read(film)),
                ("generic segmentation", generic_segmentation(film, vertebrae)),
                ("always normal", always_normal(vertebrae)),
            ):
                found, _ = score_image(person, image, vertebrae, other)
                baselines.setdefault(name, []).extend(
                    r for r in found if r.level in GRADED_LEVELS or not simulated
                )
        certain = [r for r in scored if r.found and r.level_certain]
        images.append(
            {
                "person": person,
                "image": image,
                "look": case.look,
                "refusal": reading.refusal,
                "found": sum(r.found for r in scored),
                "vertebrae": len(scored),
                "false": int(false),
                "all_named": bool(certain) and all(r.named_rightly for r in certain),
                "refused_levels": sum(
                    r.state is not None and r.state.value == "level_uncertain" for r in scored
                ),
                "wrong_and_sure": sum(
                    not r.named_rightly and r.state.value != "level_uncertain"
                    for r in certain
                    if r.state is not None
                ),
                "seconds": round(seconds, 2),
            }
        )
        typer.echo(json.dumps(images[-1]))
    report = _report(records, images)
    report["baselines"] = {name: figures(group) for name, group in baselines.items()}
    if "always normal" in baselines:
        # It was given the truth's outlines: only its grades can be compared.
        kept = ("auroc_grade2", "auroc_grade1", "sensitivity_grade1", "specificity_grade1")
        normal = report["baselines"]["always normal"]
        report["baselines"]["always normal"] = {key: normal[key] for key in kept}
    text = markdown(report)
    typer.echo(text)
    if out is not None:
        write_figures(out / "figures.json", report)
        (out / "figures.md").write_text(text, encoding="utf-8")


def _report(records: list[Scored], images: list[dict[str, Any]]) -> dict[str, Any]:
    clear = [r for r in records if not r.doubtful]
    groups = {"all": records, "without_doubtful": clear}
    groups["evaluable"] = [r for r in records if r.evaluable]
    levels = sorted({r.level for r in records}, key=lambda level: level.ordinal)
    for person in sorted({r.person for r in records}) if len(images) < 60 else []:
        groups[f"person {person}"] = [r for r in records if r.person == person]
    for level in levels:
        groups[f"level {level.value}"] = [r for r in records if r.level is level]
    looks = {image["image"]: image["look"] for image in images}
    for look in sorted({*looks.values()} - {""}):
        groups[f"look {look}"] = [r for r in records if looks[r.image] == look]
    for grade in range(4):
        groups[f"grade {grade}"] = [r for r in records if r.grade == grade]
    return {
        "people": len({r.person for r in records}),
        "images": len(images),
        "images_refused": sum(bool(image["refusal"]) for image in images),
        "images_all_named": sum(image["all_named"] for image in images),
        "names_wrong_and_sure": sum(image["wrong_and_sure"] for image in images),
        "false_finds": sum(image["false"] for image in images),
        "seconds_median": float(np.median([image["seconds"] for image in images])),
        "seconds_largest": max(image["seconds"] for image in images),
        "figures": {name: figures(group) for name, group in groups.items() if group},
        "intervals": intervals(records),
        "each_image": images,
    }


if __name__ == "__main__":
    typer.run(main)
