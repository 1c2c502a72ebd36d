"""What people outlined is read in both forms that they write, and refused where it is unsound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoom_imaging.anatomy import Level, SixPoints
from zoom_imaging.errors import InputError
from zoom_imaging.simulate.simulator import SimulatedFilm
from zoom_imaging.vision.training.labelled import labelled_films

from .conftest import write_labelled


def test_truth_of_a_simulated_film_comes_back(whole_spine: SimulatedFilm, tmp_path: Path) -> None:
    write_labelled(tmp_path / "p1" / "a.dcm", whole_spine)
    (film,) = labelled_films(tmp_path)
    assert film.person == "p1"
    by_level = {one.level: one for one in film.vertebrae}
    assert {Level.T4, Level.L4} <= set(by_level)
    true = next(one for one in whole_spine.truth if one.level is Level.L2)
    assert true.six_px is not None
    assert by_level[Level.L2].six == pytest.approx(true.six_px, abs=0.01)
    assert by_level[Level.L2].ratios == pytest.approx(true.ratios, abs=0.01)
    assert [one.level.ordinal for one in film.vertebrae] == sorted(
        one.level.ordinal for one in film.vertebrae
    )


def test_a_reading_as_measure_writes_it_is_read_too(
    whole_spine: SimulatedFilm, tmp_path: Path
) -> None:
    path = tmp_path / "film.dcm"
    write_labelled(path, whole_spine)
    six = np.array([[10, 5], [20, 6], [30, 5], [10, 25], [20, 24], [30, 27]], float)
    vertebra: dict[str, Any] = {
        "level": "L1",
        "state": "evaluable",
        "six_points_px": SixPoints.from_array(six).to_json(),
        "polygon_px": six[[0, 1, 2, 5, 4, 3]].tolist(),
        "genant_grade": 0.5,
    }
    hidden = {"level": "L2", "state": "obscured", "six_points_px": None, "polygon_px": []}
    ungraded = vertebra | {"level": "L3", "genant_grade": "not_evaluable", "state": "obscured"}
    reading = {"path": "elsewhere/film.dcm", "vertebrae": [ungraded, hidden, vertebra]}
    path.with_suffix(".json").write_text(json.dumps(reading))
    (film,) = labelled_films(tmp_path)
    assert film.person == "P1"
    assert [one.level for one in film.vertebrae] == [Level.L1, Level.L3]
    assert [one.grade for one in film.vertebrae] == [0, 0]
    assert [one.evaluable for one in film.vertebrae] == [True, False]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": "other.dcm"}, "other.dcm"),
        ({"vertebrae": [{"level": "L9"}]}, "level"),
        (
            {"vertebrae": {"L1": {"points_px": {"sup_ant": [1, 2]}, "polygon_px": []}}},
            "no sup_mid",
        ),
    ],
)
def test_outlines_that_cannot_be_used_are_named(
    whole_spine: SimulatedFilm, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = tmp_path / "film.dcm"
    write_labelled(path, whole_spine)
    sheet = json.loads(path.with_suffix(".json").read_text()) | change
    path.with_suffix(".json").write_text(json.dumps(sheet))
    with pytest.raises(InputError, match=said) as refusal:
        list(labelled_films(tmp_path))
    assert "film.json" in refusal.value.reason


def test_other_json_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("[]")
    (tmp_path / "notes.json").write_text('{"n": 1}')
    assert not list(labelled_films(tmp_path))
