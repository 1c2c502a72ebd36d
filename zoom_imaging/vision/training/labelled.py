"""Films that people outlined: DICOM with a JSON of its vertebrae beside it.

Two forms of JSON are read. Truth of simulated and CT-derived films: `vertebrae` is an object by
level with `points_px`, `polygon_px` and a grade. A reading, as `measure --json` writes it and
a reader may have corrected it: `vertebrae` is a list with `level`, `six_points_px`, `polygon_px`,
`genant_grade`. Pixels are (column, row) of the stored image. `image` names the DICOM file; without
it the file has the name of the JSON. A patient is the folder below the one that is given, else the
Patient ID of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import AliasChoices, BaseModel, Field, ValidationError, field_validator

from zoom_imaging.anatomy import LANDMARKS, Level, VertebraState
from zoom_imaging.errors import InputError
from zoom_imaging.radiograph.film import Radiograph
from zoom_imaging.vision.training.score import TrueVertebra
from zoom_imaging.vision.uncertainty import ratios_of


class _Vertebra(BaseModel):
    """One entry of either form; what is not needed here is ignored."""

    level: Level
    points: dict[str, tuple[float, float]] | None = Field(
        None, validation_alias=AliasChoices("points_px", "six_points_px")
    )
    polygon: list[tuple[float, float]] = Field([], validation_alias="polygon_px")
    state: str = VertebraState.EVALUABLE.value
    grade: int = Field(
        0, validation_alias=AliasChoices("incident_grade_by_loss", "genant_grade", "grade")
    )
    ratio_anterior: float | None = Field(None, validation_alias="ratio_ant_post")
    ratio_middle: float | None = Field(None, validation_alias="ratio_mid_post")
    magnification: float | None = None
    level_certain: bool = True
    doubtful: bool = False

    @field_validator("points")
    @classmethod
    def _all_six(
        cls, value: dict[str, tuple[float, float]] | None
    ) -> dict[str, tuple[float, float]] | None:
        missing = [name for name in LANDMARKS if value is not None and name not in value]
        if missing:
            raise ValueError(f"no {', '.join(missing)}")
        return value

    @field_validator("grade", mode="before")
    @classmethod
    def _whole(cls, value: object) -> int:
        """0.5 counts as 0, and so does a level without a grade (its state says why)."""
        try:
            return int(float(str(value)))
        except ValueError:
            return 0


class _Sheet(BaseModel):
    """The JSON of one film."""

    image: str | None = Field(None, validation_alias=AliasChoices("image", "path"))
    vertebrae: list[_Vertebra]
    magnification: float = 1.0
    imager_pixel_spacing_mm: float | None = None

    @field_validator("vertebrae", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        known = {level.value for level in Level}
        return [{"level": name, **entry} for name, entry in value.items() if name in known]


@dataclass(frozen=True)
class LabelledFilm:
    """One film with what people say of its vertebrae, from the top down."""

    person: str
    image: str
    film: Radiograph
    vertebrae: tuple[TrueVertebra, ...]


def labelled_films(folder: Path) -> Iterator[LabelledFilm]:
    """Every film below `folder` that has a JSON with vertebrae; other files are passed over.

    Raises:
        InputError: a JSON names a film that is not there, or is not of either form.
        ZoomImagingError: what `read_radiographs` raises for a film.
    """
    for path in sorted(folder.rglob("*.json")):
        content = _object(path)
        if "vertebrae" not in content:
            continue
        try:
            sheet = _Sheet.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InputError(
                f"{path}: the outlines cannot be used",
                found=f"{where}: {first['msg']}",
                remedy="write them as measure --json does",
            ) from error
        yield _labelled(folder, path, sheet)


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    return content if isinstance(content, dict) else {}


def _labelled(folder: Path, path: Path, sheet: _Sheet) -> LabelledFilm:
    from zoom_imaging.radiograph.read import read_radiographs

    image = path.with_suffix(".dcm")
    if sheet.image is not None:
        image = path.parent / Path(sheet.image).name
    if not image.is_file():
        raise InputError(
            f"{path}: its film is not there", expected=str(image), remedy="put it beside the JSON"
        )
    content = image.read_bytes()
    film = read_radiographs(content, str(image))[0]
    spacing = sheet.imager_pixel_spacing_mm or film.scale.row_mm or float("nan")
    vertebrae = [
        _vertebra(entry, spacing / (entry.magnification or sheet.magnification))
        for entry in sheet.vertebrae
        if entry.points is not None and len(entry.polygon) >= 3
    ]
    vertebrae.sort(key=lambda one: one.level.ordinal)
    person = path.parent.name if path.parent != folder else _patient_id(content)
    return LabelledFilm(person, image.name, film, tuple(vertebrae))


def _vertebra(entry: _Vertebra, mm_per_px: float) -> TrueVertebra:
    assert entry.points is not None
    six = np.array([entry.points[name] for name in LANDMARKS], float)
    ratios = ratios_of(six)
    return TrueVertebra(
        level=entry.level,
        six=six,
        outline=np.array(entry.polygon, float),
        ratios=(
            float(ratios[0]) if entry.ratio_anterior is None else entry.ratio_anterior,
            float(ratios[1]) if entry.ratio_middle is None else entry.ratio_middle,
        ),
        grade=entry.grade,
        mm_per_px=mm_per_px,
        level_certain=entry.level_certain,
        doubtful=entry.doubtful,
        evaluable=entry.state == VertebraState.EVALUABLE.value,
    )


def _patient_id(content: bytes) -> str:
    from io import BytesIO

    from pydicom import dcmread

    header = dcmread(BytesIO(content), stop_before_pixels=True, specific_tags=["PatientID"])
    return str(header.get("PatientID", ""))
