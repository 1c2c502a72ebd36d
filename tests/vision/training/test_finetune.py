"""A site's films tune the model; patients held apart decide whether the result is kept."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zoom_imaging.__main__ import app
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.simulate.simulator import SimulatedFilm
from zoom_imaging.vision.bundle import default_bundle_dir, load_bundle
from zoom_imaging.vision.training.finetune import Tuning, film_runs, finetune, held_apart
from zoom_imaging.vision.training.labelled import labelled_films

from .conftest import write_labelled

WEIGHTS = "models/delineator.pt"


@pytest.fixture
def site(whole_spine: SimulatedFilm, tmp_path: Path) -> Path:
    """Films of three patients with their outlines."""
    for person in ("a", "b", "c"):
        write_labelled(tmp_path / "site" / person / "film.dcm", whole_spine)
    return tmp_path / "site"


def test_what_is_better_on_other_patients_is_kept(site: Path, tmp_path: Path) -> None:
    """From random weights anything learned is better; the tuned bundle says that it is one."""
    import torch

    from zoom_imaging.vision.training.release import release_network
    from zoom_imaging.vision.training.tasks import TASKS

    start, out = tmp_path / "start", tmp_path / "out"
    torch.manual_seed(3)
    for name, task in TASKS.items():
        release_network(start, name, task.network())
    how = Tuning(steps=6, validate_every=3, learning_rate=2e-3, validation_batches=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned = finetune(labelled_films(site), start, out, tmp_path / "work", how)
    assert (tuned.films, tuned.people, tuned.people_apart) == (3, 3, 1)
    assert tuned.kept
    assert tuned.after["quality"] > tuned.before["quality"]
    bundle = load_bundle(out)
    assert bundle.version.endswith("+local")
    assert bundle.sha256 != load_bundle(start).sha256
    assert (out / WEIGHTS).read_bytes() != (start / WEIGHTS).read_bytes()


def test_what_is_not_better_leaves_the_model_as_it_was(site: Path, tmp_path: Path) -> None:
    start, out = default_bundle_dir(), tmp_path / "out"
    how = Tuning(steps=1, validate_every=1, learning_rate=0.0, validation_batches=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned = finetune(labelled_films(site), start, out, tmp_path / "work", how)
    assert not tuned.kept
    assert load_bundle(out).sha256 == load_bundle(start).sha256


def test_one_patient_is_too_few(whole_spine: SimulatedFilm, tmp_path: Path) -> None:
    write_labelled(tmp_path / "a" / "film.dcm", whole_spine)
    with pytest.raises(ConfigurationError, match="two patients"):
        finetune(labelled_films(tmp_path), default_bundle_dir(), tmp_path / "o", tmp_path, Tuning())


def test_the_bundle_is_never_tuned_in_place(site: Path, tmp_path: Path) -> None:
    bundle = default_bundle_dir()
    with pytest.raises(ConfigurationError, match="choose another folder"):
        finetune(labelled_films(site), bundle, bundle, tmp_path, Tuning())


def test_only_neighbours_are_learned_from(site: Path) -> None:
    """A level that nobody outlined breaks the run: what lies there is not known."""
    from dataclasses import replace

    film = next(labelled_films(site))
    assert len(list(film_runs(film))) == 1
    gap = replace(film, vertebrae=tuple(v for v in film.vertebrae if v.level.value != "T9"))
    lengths = [len(truth.level_index) for _, truth in film_runs(gap)]
    assert lengths == [8, 8]
    few = replace(film, vertebrae=film.vertebrae[:2])
    assert not list(film_runs(few))


@pytest.mark.parametrize(("people", "share", "count"), [(2, 0.25, 1), (8, 0.25, 2), (3, 0.9, 2)])
def test_someone_judges_and_someone_teaches(people: int, share: float, count: int) -> None:
    names = [str(k) for k in range(people)]
    assert len(held_apart(names, share, 1)) == count
    assert held_apart(names, share, 1) == held_apart(names, share, 1)


def test_the_command_tells_before_and_after(site: Path, tmp_path: Path) -> None:
    arguments = ["train", "--data", str(site), "--out", str(tmp_path / "out"), "--steps", "1"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "3 films of 3 patients, 2 of them to learn from" in done.output
    assert "before" in done.output
    load_bundle(tmp_path / "out")


def test_the_command_refuses_with_a_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["train", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 2
    assert "two patients" in done.output
