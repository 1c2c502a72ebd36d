"""DX files: pixels come back, headers say what the geometry was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from zoom_imaging.simulate.acquisition import Facing
from zoom_imaging.simulate.dicom import (
    Encoding,
    FilmHeader,
    FilmScale,
    Photometric,
    uid_from,
    write_film,
)

IMAGE = np.random.default_rng(0).integers(0, 4096, (61, 47)).astype(np.uint16)
HEADER = FilmHeader(
    patient_id="SIM-001",
    study_date="20240101",
    scale=FilmScale(0.35, 1800.0, 1550.0, 1800 / 1550),
)


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("photometric", list(Photometric))
def test_pixels_come_back_from_every_encoding(
    tmp_path: Path, encoding: Encoding, photometric: Photometric
) -> None:
    path = tmp_path / "film.dcm"
    write_film(path, IMAGE, replace(HEADER, encoding=encoding, photometric=photometric))
    film = dcmread(path)
    assert film.file_meta.TransferSyntaxUID == encoding.value
    stored = film.pixel_array
    white_is_low = photometric is Photometric.MONOCHROME1
    assert np.array_equal(4095 - stored if white_is_low else stored, IMAGE)


def test_the_header_gives_scale_view_and_orientation(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    write_film(path, IMAGE, replace(HEADER, facing=Facing.RIGHT, left_side_to_detector=False))
    film = dcmread(path)
    assert [float(value) for value in film.ImagerPixelSpacing] == [0.35, 0.35]
    assert film.DistanceSourceToDetector / film.DistanceSourceToPatient == pytest.approx(
        film.EstimatedRadiographicMagnificationFactor, rel=1e-4
    )
    assert film.ViewPosition == "RL"
    assert film.ViewCodeSequence[0].CodeMeaning == "right lateral"
    assert list(film.PatientOrientation) == ["A", "F"]
    assert film.Modality == "DX"
    assert "PixelSpacing" not in film


def test_a_silent_header_stays_silent(tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    write_film(path, IMAGE, replace(HEADER, scale=FilmScale()))
    film = dcmread(path)
    assert "ImagerPixelSpacing" not in film
    assert "DistanceSourceToDetector" not in film


def test_the_same_film_has_the_same_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / "a.dcm", tmp_path / "b.dcm"]
    for path in paths:
        write_film(path, IMAGE, HEADER)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_words_make_valid_and_distinct_uids() -> None:
    assert uid_from("a", "bc") != uid_from("ab", "c")
    assert len(uid_from("x")) <= 64


def test_more_than_twelve_bits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="12-bit"):
        write_film(tmp_path / "film.dcm", IMAGE + np.uint16(100), HEADER)
