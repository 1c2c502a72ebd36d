"""Go on from a bundle with films that a site outlined, and keep the result where it is better.

The delineator alone learns: it measures, and what a maker's processing does to endplates is what
a site's films can teach it. Patients, not films, are held apart; without an improvement on theirs
the weights stay as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from zoom_imaging.anatomy import TYPICAL_LEVELS
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.vision.training.crops import add_crops
from zoom_imaging.vision.training.labelled import LabelledFilm
from zoom_imaging.vision.training.shards import ShardWriter
from zoom_imaging.vision.training.truth import PIXEL_MM, FilmTruth, Shown

Run = tuple[Shown, FilmTruth]
"""A picture and its truth over neighbouring levels."""

NETWORK = "delineator"
SHORTEST_RUN = 3
"""Neighbouring outlined levels that a film needs: their distances set the size of a crop."""

LEAST_GAIN = 0.05
"""Of the delineator's quality (points): less is chance, and the model stays as it was."""

CUTS_A_FILM = 6
"""Times that each vertebra is cut, each a little differently."""


@dataclass(frozen=True)
class Tuning:
    """How a bundle is tuned; the learning rate is a fifth of the base training's."""

    steps: int = 400
    minutes: float = 30.0
    learning_rate: float = 3e-4
    apart_share: float = 0.25
    seed: int = 20260
    validate_every: int = 50
    validation_batches: int = 6


@dataclass(frozen=True)
class Tuned:
    """What came of it: scores on the patients held apart before and after, and what was kept."""

    films: int
    people: int
    people_apart: int
    before: dict[str, float]
    after: dict[str, float]
    kept: bool


def finetune(
    films: Iterable[LabelledFilm], bundle: Path, out: Path, work: Path, how: Tuning
) -> Tuned:
    """Tune the bundle at `bundle` into a new one at `out`; `work` receives crops and checkpoints.

    Raises:
        ConfigurationError: `out` is the bundle itself, or fewer than two patients have outlined
            films.
    """
    from torch import nn

    from zoom_imaging.vision.training.engine import Schedule, score, train
    from zoom_imaging.vision.training.release import release_network, renew_hashes
    from zoom_imaging.vision.training.tasks import TASKS

    if out.resolve() == bundle.resolve():
        raise ConfigurationError(
            f"{out} is the bundle to go on from", remedy="choose another folder for the tuned one"
        )
    people = _by_person(films)
    apart = held_apart(sorted(people), how.apart_share, how.seed)
    for kind, names in (("films", set(people) - apart), ("heldapart", apart)):
        _cut([run for name in sorted(names) for run in people[name]], work / kind / "all.shard")
    task, weights = TASKS[NETWORK], bundle / "models" / f"{NETWORK}.pt"
    schedule = Schedule(
        steps=how.steps,
        minutes=how.minutes,
        seed=how.seed,
        learning_rate=how.learning_rate,
        epoch_length=how.validate_every,
        validate_every=1,
        validation_batches=how.validation_batches,
    )
    before = score(task, weights, work / "heldapart", schedule)
    best = dict(before)
    shutil.copytree(bundle, out, dirs_exist_ok=True)

    def keep_better(network: nn.Module, scores: dict[str, float]) -> None:
        if scores[task.key] > max(best[task.key], before[task.key] + LEAST_GAIN):
            best.update({name: scores[name] for name in best})
            release_network(out, NETWORK, network)

    train(
        task,
        work / "films",
        work / "heldapart",
        work=work,
        schedule=schedule,
        report=keep_better,
        start=weights,
    )
    kept = best[task.key] > before[task.key]
    count = sum(map(len, people.values()))
    if kept:
        renew_hashes(out, f"delineator tuned on {count} films of {len(people)} patients")
    return Tuned(count, len(people), len(apart), before, best, kept)


def _by_person(films: Iterable[LabelledFilm]) -> dict[str, list[Run]]:
    people: dict[str, list[Run]] = {}
    for one in films:
        runs = list(film_runs(one))
        if runs:
            people.setdefault(one.person, []).extend(runs)
    if len(people) < 2:
        raise ConfigurationError(
            "the films are of too few patients to learn from",
            expected="films of two patients or more, one of them to judge the result by, with "
            f"{SHORTEST_RUN} neighbouring levels outlined",
            found=f"{len(people)}",
            remedy="outline films of more patients",
        )
    return people


def held_apart(people: Sequence[str], share: float, seed: int) -> set[str]:
    """Who judges the result: a share of the people, at least one and never all."""
    count = min(max(1, round(share * len(people))), len(people) - 1)
    order = np.random.default_rng(seed).permutation(len(people))
    return {people[k] for k in order[:count]}


def film_runs(labelled: LabelledFilm) -> Iterator[Run]:
    """The film as training sees it, once a run of neighbouring levels.

    Between two outlined levels that are not neighbours nothing is known of what lies there.
    """
    from zoom_imaging.vision.canvas import make_canvas

    film = labelled.film
    row_mm, column_mm = film.scale.row_mm or PIXEL_MM, film.scale.column_mm or PIXEL_MM
    canvas = make_canvas(film, row_mm, column_mm, PIXEL_MM)
    known = [one for one in labelled.vertebrae if one.level in TYPICAL_LEVELS]
    index = np.array([TYPICAL_LEVELS.index(one.level) for one in known], dtype=np.int64)
    breaks = np.flatnonzero(np.diff(index) != 1) + 1
    for run in np.split(np.arange(len(known)), breaks):
        if len(run) < SHORTEST_RUN:
            continue
        chosen = [known[k] for k in run]
        six = np.stack([canvas.to_canvas(one.six) for one in chosen])
        truth = FilmTruth(
            person=crc32(labelled.person.encode()),
            centres=six[:, [0, 2, 3, 5]].mean(1),
            six=six,
            outline=tuple(canvas.to_canvas(one.outline) for one in chosen),
            level_index=index[run],
            grade=np.array([one.grade for one in chosen], dtype=np.int64),
            evaluable=np.array([one.evaluable for one in chosen], dtype=np.bool_),
            faces_left=bool(six[:, [0, 3], 0].mean() < six[:, [2, 5], 0].mean()),
        )
        yield Shown(canvas.pixels, canvas.valid), truth


def _cut(runs: Sequence[Run], shard: Path) -> None:
    """Crops of every vertebra, as often as `CUTS_A_FILM` says; a shard that is there stays."""
    if shard.exists():
        return
    writer, rng = ShardWriter(shard), np.random.default_rng(1)
    for shown, truth in runs:
        for _ in range(CUTS_A_FILM):
            add_crops(writer, shown.grey, shown.valid, truth, rng)
    writer.close()
