"""Score change between two films of one person: incident fractures, false flags, precision.

`--truth` is a folder of DICOM films with JSON truth in which follow-up films name their baseline
(`pair`) and their losses; `--simulated N` makes N people with two films each, of other position,
geometry and maker, of an anatomy and seeds that no network saw. The path is the product's:
reading, matching of scales, change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from model_figures import pair_table, write_figures

from zoom_imaging.anatomy import GRADED_LEVELS, Level
from zoom_imaging.change.match import compare_films
from zoom_imaging.charter import load_charter
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.vision.read import SpineReader
from zoom_imaging.vision.training.score import auroc, expected_calibration_error

FIRST_SEED = 950_000
INCIDENT_LOSS = 0.20
"""Loss of a height against baseline from which a fracture is new or worse (Genant's grade 1)."""

Losses = Mapping[Level, float]


@dataclass(frozen=True)
class Case:
    """Two films of one person and the largest true loss of height of each level between them."""

    person: str
    baseline: Radiograph
    follow_up: Radiograph
    losses: Losses
    grades: Mapping[Level, int]


@dataclass(frozen=True)
class Row:
    """One level of one pair; None where it was not compared."""

    person: str
    level: Level
    true_loss: float
    grade: int
    p_incident: float | None
    flagged: bool
    read_loss: float | None
    variation: tuple[float, ...]


def labelled_pairs(folder: Path) -> Iterator[Case]:
    """Films of `folder` whose JSON names a baseline."""
    from zoom_imaging.radiograph.read import read_radiographs

    for path in sorted(folder.rglob("*.json")):
        sheet = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(sheet, dict) or not sheet.get("pair"):
            continue
        films = []
        for name in (f"{sheet['pair']}.dcm", sheet["image"]):
            image = path.parent / name
            films.append(read_radiographs(image.read_bytes(), str(image))[0])
        losses, grades = {}, {}
        for name, entry in sheet["vertebrae"].items():
            level = Level(name)
            losses[level] = max(entry["loss_vs_baseline"].values())
            grades[level] = 0
        yield Case(path.parent.name, films[0], films[1], losses, grades)


def simulated_pairs(count: int, cache: Path, anatomy: Path | None) -> Iterator[Case]:
    """People with zero to three incident fractures among T4-L4, a third of them with none."""
    from dataclasses import replace

    from zoom_imaging.simulate.acquisition import WHOLE_SPINE, random_acquisition
    from zoom_imaging.simulate.film import random_look
    from zoom_imaging.simulate.person import random_person
    from zoom_imaging.simulate.simulator import simulate_film
    from zoom_imaging.simulate.skeleton import load_skeleton
    from zoom_imaging.simulate.training import prepare_skeletons, skeleton_for

    paths = prepare_skeletons(cache, anatomy)
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        rng = np.random.default_rng([seed, 71])
        skeleton = load_skeleton(paths[skeleton_for(seed, paths)])
        before = random_person(seed, prevalence=0.12, variety=0.7)
        after = before.with_fractures({**before.fractures, **_incident(before.fractures, rng)})
        films, heights, grades = [], [], []
        for visit, person in enumerate((before, after)):
            acquisition = replace(random_acquisition(seed * 2 + visit), field=WHOLE_SPINE)
            # Blur beyond that of a film is for networks to learn from; two visits share a maker.
            look = replace(random_look(rng), loss_along_mm=0.0, loss_across_mm=0.0)
            film = simulate_film(skeleton, person, acquisition, rng, look)
            at_spine = film.pixel_mm / film.magnification
            # A slot scan magnifies across the body only.
            rows = film.pixel_mm if acquisition.slot else at_spine
            films.append(_radiograph(film.image, (rows, at_spine), f"{seed}.{visit}"))
            known = [one for one in film.truth if one.heights_mm is not None]
            heights.append({one.level: one.heights_mm for one in known})
            grades.append({one.level: int(one.grade.number) for one in known})
        losses = {
            level: float((1 - heights[1][level] / heights[0][level]).max())  # type: ignore[operator]
            for level in heights[0]
        }
        yield Case(str(seed), films[0], films[1], losses, grades[0])


def _incident(present: Mapping[Level, Any], rng: np.random.Generator) -> dict[Level, Any]:
    from zoom_imaging.anatomy import Shape
    from zoom_imaging.simulate.fracture import make_fracture

    whole = [level for level in GRADED_LEVELS if level not in present]
    count = min(int(rng.choice(4, p=[0.35, 0.35, 0.2, 0.1])), len(whole))
    shapes = (Shape.WEDGE, Shape.BICONCAVE, Shape.CRUSH)
    return {
        whole[k]: make_fracture(
            shapes[rng.choice(3, p=[0.5, 0.3, 0.2])], rng.uniform(0.21, 0.55), rng
        )
        for k in rng.choice(len(whole), count, replace=False)
    }


def _radiograph(image: Any, mm: tuple[float, float], name: str) -> Radiograph:
    from zoom_imaging.anatomy import SpacingSource, View
    from zoom_imaging.radiograph.film import Scale

    scale = Scale(SpacingSource.GEOMETRY, mm[0], mm[1], "simulated")
    pixels = (image / 4095).astype(np.float32)
    valid = np.ones(pixels.shape, np.bool_)
    return Radiograph(name, name, pixels, valid, scale, View.LATERAL, "simulated", None)


def score_pair(case: Case, reader: SpineReader) -> list[Row]:
    """Every level of T4-L4 whose truth is known."""
    from zoom_imaging.batch.film import measure_radiograph

    charter = load_charter()
    before = measure_radiograph(case.baseline, reader, charter)
    after = measure_radiograph(case.follow_up, reader, charter)
    changes = {change.level: change for change in _changes(before, after)}
    at = [{v.level: v for v in film.vertebrae} for film in (before, after)]
    rows = []
    for level, loss in case.losses.items():
        if level not in GRADED_LEVELS:
            continue
        change = changes.get(level)
        compared = change is not None and change.p_incident is not None
        read = change.height_change_max_pct if change is not None else None
        rows.append(
            Row(
                person=case.person,
                level=level,
                true_loss=loss,
                grade=case.grades[level],
                p_incident=change.p_incident if change is not None else None,
                flagged=bool(change is not None and change.flagged),
                read_loss=read / 100 if compared and read is not None else None,
                variation=_variation(at[0].get(level), at[1].get(level)) if compared else (),
            )
        )
    return rows


def _changes(before: FilmReading, after: FilmReading) -> Sequence[Any]:
    return compare_films([before], [after], load_charter()).changes


def _variation(before: VertebraReading | None, after: VertebraReading | None) -> tuple[float, ...]:
    """Coefficient of variation of Ha, Hm, Hp over the two films."""
    if before is None or after is None or before.heights is None or after.heights is None:
        return ()
    first, second = np.array(astuple(before.heights)), np.array(astuple(after.heights))
    return tuple(np.abs(first - second) / (first + second) * np.sqrt(2))


def pair_figures(rows: Sequence[Row], subjects: int) -> dict[str, float]:
    """What a trial asks of a comparison; percentages as shares."""
    compared = [row for row in rows if row.p_incident is not None]
    incident = [row.true_loss >= INCIDENT_LOSS for row in compared]
    chance = [row.p_incident or 0.0 for row in compared]
    still = [row for row in compared if abs(row.true_loss) < 0.02]
    errors = [abs(row.read_loss - max(row.true_loss, 0.0)) for row in compared if row.read_loss]
    return {
        "subjects": float(subjects),
        "vertebrae": float(len(rows)),
        "compared": len(compared) / max(len(rows), 1),
        "incident": float(sum(incident)),
        "sensitivity": _mean([r.flagged for r, t in zip(compared, incident, strict=True) if t]),
        "sensitivity_of_all": _mean([r.flagged for r in rows if r.true_loss >= INCIDENT_LOSS]),
        "false_flags_per_subject": sum(
            r.flagged for r, t in zip(compared, incident, strict=True) if not t
        )
        / max(subjects, 1),
        "auroc": auroc(chance, incident),
        "calibration_error": expected_calibration_error(chance, incident),
        "loss_error_points": 100 * _mean(errors),
        "height_cv": _rms([v for row in still if row.grade < 2 for v in row.variation]),
        "height_cv_grade2": _rms([v for row in still if row.grade >= 2 for v in row.variation]),
    }


def _mean(values: Sequence[float] | Sequence[bool]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if len(values) else float("nan")


def main(
    *,
    truth: Annotated[Path | None, typer.Option(file_okay=False, exists=True)] = None,
    simulated: Annotated[int, typer.Option(min=0, help="So many simulated people.")] = 0,
    cache: Path = Path("skeletons"),
    anatomy: Path | None = None,
    bundle: Annotated[Path | None, typer.Option(file_okay=False)] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for pairs.json.")] = None,
) -> None:
    """Compare every pair and report the figures."""
    import warnings

    warnings.filterwarnings("ignore")
    reader = SpineReader.load(bundle)
    cases = labelled_pairs(truth) if truth else simulated_pairs(simulated, cache, anatomy)
    rows: list[Row] = []
    subjects = 0
    for case in cases:
        found = score_pair(case, reader)
        subjects += 1
        rows += found
        wrong = [
            f"{r.level.value} {'missed' if not r.flagged else 'false'}"
            for r in found
            if r.p_incident is not None and r.flagged != (r.true_loss >= INCIDENT_LOSS)
        ]
        typer.echo(
            f"{case.person}: {sum(r.p_incident is not None for r in found)} of {len(found)}"
            f" compared; {', '.join(wrong) or 'all right'}"
        )
    report = pair_figures(rows, subjects)
    typer.echo(pair_table(report))
    if out is not None:
        write_figures(out / "pairs.json", report)


if __name__ == "__main__":
    typer.run(main)
