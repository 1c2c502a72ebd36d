"""The released networks on films that they never saw: found, named, graded, or refused in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zoom_imaging.anatomy import GRADED_LEVELS, Level, VertebraState
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.simulate.acquisition import WHOLE_SPINE, Acquisition
from zoom_imaging.simulate.film import Look
from zoom_imaging.simulate.person import random_person
from zoom_imaging.simulate.posture import Position
from zoom_imaging.simulate.simulator import SimulatedFilm, simulate_film
from zoom_imaging.simulate.skeleton import Skeleton
from zoom_imaging.vision.finding import SpineReading
from zoom_imaging.vision.locate import find_peaks
from zoom_imaging.vision.read import SpineReader
from zoom_imaging.vision.uncertainty import ratios_of

from .conftest import make_film

pytestmark = pytest.mark.model


def radiograph(film: SimulatedFilm, mm: float | None = 0.5) -> Radiograph:
    return make_film(film.image.astype(np.float32) / 4095, mm)


def evaluable(reading: SpineReading) -> set[Level]:
    return {f.level for f in reading.findings if f.state is VertebraState.EVALUABLE}


@pytest.fixture(scope="module")
def reading(reader: SpineReader, whole_spine: SimulatedFilm) -> SpineReading:
    return reader.read(radiograph(whole_spine))


def test_every_vertebra_is_found_and_rightly_named(
    reading: SpineReading, whole_spine: SimulatedFilm
) -> None:
    assert reading.refusal == ""
    found = {finding.level: finding for finding in reading.findings}
    assert set(GRADED_LEVELS) <= set(found)
    for truth in whole_spine.truth:
        if truth.six_px is not None and truth.level in GRADED_LEVELS:
            centre = truth.six_px[[0, 2, 3, 5]].mean(0)
            assert np.hypot(*(np.array(found[truth.level].centre) - centre)) < 8


def test_outlines_points_and_deviations_belong_together(reading: SpineReading) -> None:
    assert len(evaluable(reading)) >= 9
    for finding in reading.findings:
        if finding.state is not VertebraState.EVALUABLE:
            assert finding.reason
            continue
        assert finding.six_points is not None
        six = finding.six_points.to_array()
        ring = np.array(finding.polygon)
        assert (six.min(0) > ring.min(0) - 6).all()
        assert (six.max(0) < ring.max(0) + 6).all()
        assert len(finding.six_points_sd_px) == 6
        assert finding.ratio_sd is not None
        assert 0 < finding.ratio_sd <= 0.08
        assert sum(finding.p_grades or ()) == pytest.approx(1.0)
        assert finding.level_probability >= 0.96


def test_the_fracture_is_seen_and_the_others_are_not_called(
    reading: SpineReading,
) -> None:
    by_level = {finding.level: finding for finding in reading.findings}
    wedge = by_level[Level.T12]
    assert wedge.p_grades is not None
    assert wedge.p_grades[0] < 0.3
    assert wedge.six_points is not None
    assert ratios_of(wedge.six_points.to_array())[0] < 0.75
    called = [
        level for level in evaluable(reading) if (by_level[level].p_grades or (1.0,))[0] < 0.5
    ]
    assert called in ([], [Level.T12])


def test_the_same_film_gives_the_same_reading(
    reader: SpineReader, reading: SpineReading, whole_spine: SimulatedFilm
) -> None:
    assert reader.read(radiograph(whole_spine)) == reading


def test_a_mirrored_film_gives_the_same_levels_and_mirrored_points(
    reader: SpineReader, reading: SpineReading, whole_spine: SimulatedFilm
) -> None:
    film = radiograph(whole_spine)
    turned = reader.read(replace(film, pixels=np.ascontiguousarray(film.pixels[:, ::-1])))
    width = film.pixels.shape[1] - 1
    plain = {f.level: f for f in reading.findings if f.level in evaluable(reading)}
    common = evaluable(turned) & set(plain)
    assert len(common) >= len(plain) - 3
    for finding in turned.findings:
        if finding.level in common:
            assert width - finding.centre[0] == pytest.approx(plain[finding.level].centre[0], abs=4)


def test_without_a_scale_the_spine_is_still_found(
    reader: SpineReader, reading: SpineReading, whole_spine: SimulatedFilm
) -> None:
    found = reader.read(radiograph(whole_spine, None))
    assert found.refusal == ""
    assert any("scale" in warning for warning in found.warnings)
    assert len({f.level for f in found.findings} & set(GRADED_LEVELS)) >= 10


def test_a_seam_takes_the_vertebra_that_it_crosses(
    reader: SpineReader, reading: SpineReading, whole_spine: SimulatedFilm
) -> None:
    (middle,) = (f.centre[1] for f in reading.findings if f.level is Level.L1)
    film = replace(radiograph(whole_spine), seams=(round(middle),))
    (crossed,) = (f for f in reader.read(film).findings if f.level is Level.L1)
    assert crossed.state is VertebraState.AT_SEAM


def test_a_film_that_ends_in_a_body_says_so(
    reader: SpineReader, reading: SpineReading, whole_spine: SimulatedFilm
) -> None:
    (middle,) = (f.centre[1] for f in reading.findings if f.level is Level.L2)
    film = radiograph(whole_spine)
    end = round(middle)
    cut = reader.read(replace(film, pixels=film.pixels[:end], valid=film.valid[:end]))
    last = cut.findings[-1]
    assert Level.L2 not in evaluable(cut)
    assert last.state is not VertebraState.EVALUABLE
    assert last.centre[1] > middle - 60


def blank() -> np.ndarray:
    return np.full((900, 400), 0.5, np.float32)


def noise() -> np.ndarray:
    return np.random.default_rng(8).random((900, 400), dtype=np.float32)


def gradient() -> np.ndarray:
    return np.tile(np.linspace(0, 1, 400, dtype=np.float32), (900, 1))


@pytest.mark.parametrize(
    ("pixels", "word"),
    [(blank(), "empty"), (noise(), ""), (gradient(), ""), (blank()[:40, :40], "too small")],
)
def test_what_is_no_spine_is_refused_with_a_sentence(
    reader: SpineReader, pixels: np.ndarray, word: str
) -> None:
    result = reader.read(make_film(pixels))
    assert result.findings == ()
    assert result.refusal
    assert word in result.refusal


def test_a_film_that_is_nowhere_valid_is_refused(reader: SpineReader) -> None:
    film = make_film(noise())
    assert reader.read(replace(film, valid=np.zeros_like(film.valid))).refusal


def test_a_frontal_film_is_never_read_with_confidence(
    reader: SpineReader, skeleton: Skeleton
) -> None:
    """The header is what keeps frontal films out; a header that lies must not cost a patient."""
    person = random_person(700_034, prevalence=0.0)
    turned = Acquisition(
        seed=2, pixel_mm=0.6, field=WHOLE_SPINE, position=Position(rotation_deg=90.0)
    )
    film = simulate_film(skeleton, person, turned, np.random.default_rng(2), Look())
    result = reader.read(radiograph(film, 0.6))
    assert result.refusal or len(evaluable(result)) <= 3


def test_peaks_are_apart_and_refined() -> None:
    rows, columns = np.mgrid[0:60, 0:60]
    heat = np.exp(-((rows - 20.3) ** 2 + (columns - 30.2) ** 2) / 8)
    heat += 0.6 * np.exp(-((rows - 24) ** 2 + (columns - 30) ** 2) / 8)
    places, chances = find_peaks(heat, 0.3, 8.0)
    assert len(places) == 1
    assert places[0] == pytest.approx([30.2, 20.6], abs=0.5)
    assert chances[0] > 0.9
