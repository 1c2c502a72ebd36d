"""One film end to end: what is lateral is measured, everything else is refused with a sentence."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Level, SixPoints, VertebraState, View
from zoom_imaging.batch.film import read_film
from zoom_imaging.charter import load_charter
from zoom_imaging.errors import InputError, WrongViewError
from zoom_imaging.vision.finding import SpineReading, VertebraFinding


@pytest.fixture(scope="module")
def phantom():
    path = Path(__file__).parents[1] / "radiograph" / "phantom.py"
    spec = importlib.util.spec_from_file_location("phantom", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def charter():
    return load_charter()


class Reader:
    """Finds T12 and a T13 below it; keeps what it was given."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.films = []

    def read(self, radiograph):
        self.films.append(radiograph)
        findings = tuple(
            VertebraFinding(
                level=level,
                level_probability=0.99,
                state=VertebraState.EVALUABLE,
                reason="",
                centre=(40.0, top + 7),
                six_points=SixPoints.from_array(
                    [(30 + 10 * (n % 3), top + 14 * (n // 3)) for n in range(6)]
                ),
                six_points_sd_px=(0.5,) * 6,
                polygon=((30.0, top), (50.0, top), (50.0, top + 14), (30.0, top + 14)),
                ratio_sd=0.02,
                p_grades=(0.97, 0.01, 0.01, 0.01),
            )
            for level, top in ((Level.T12, 20.0), (Level.T13, 45.0))
        )
        return SpineReading(findings, "stub", "0", "0" * 64, self.refusal, ("the model warns",))


def test_a_lateral_film_is_measured(phantom, charter):
    reader = Reader()
    (film,) = read_film(phantom.film_bytes(), "a/film.dcm", reader, charter)
    assert [vertebra.level for vertebra in film.vertebrae] == list(GRADED_LEVELS)
    t12 = next(vertebra for vertebra in film.vertebrae if vertebra.level is Level.T12)
    assert t12.heights.anterior_mm == pytest.approx(14 * 0.6)
    assert film.transitional == (Level.T13,)
    assert (film.path, film.view, film.refusal) == ("a/film.dcm", "lateral", "")
    assert "the model warns" in film.warnings
    assert reader.films[0].view is View.LATERAL


def test_what_the_model_refuses_has_no_vertebrae(phantom, charter):
    (film,) = read_film(phantom.film_bytes(), "film.dcm", Reader("No spine was found"), charter)
    assert film.refusal == "No spine was found"
    assert film.vertebrae == ()


@pytest.mark.parametrize(
    ("elements", "found"),
    [
        (
            {
                "ViewPosition": "AP",
                "PatientOrientation": ["L", "F"],
                "SeriesDescription": "SPINE AP",
            },
            "ap",
        ),
        ({"ViewPosition": "LL", "PatientOrientation": ["L", "F"]}, "contradicts itself"),
        (
            {"ViewPosition": "", "PatientOrientation": None, "SeriesDescription": "SPINE"},
            "does not say the view",
        ),
    ],
)
def test_a_film_that_is_not_known_to_be_lateral_never_reaches_the_model(
    phantom, charter, elements, found
):
    reader = Reader()
    with pytest.raises(WrongViewError, match=found) as refused:
        read_film(phantom.film_bytes(**elements), "film.dcm", reader, charter)
    assert "film.dcm" in refused.value.reason
    assert reader.films == []


def test_a_damaged_film_is_an_input_error(phantom, charter):
    with pytest.raises(InputError):
        read_film(phantom.film_bytes()[:2000], "film.dcm", Reader(), charter)
