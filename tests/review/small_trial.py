"""A trial small enough for a test: real DICOM films of a few pixels, and the model's word on them.

Headers are full of what must never reach a reader: names, ids, dates, arms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Grade,
    Level,
    Shape,
    SixPoints,
    SpacingSource,
    VertebraState,
    Visit,
)
from zoom_imaging.batch.cache import charter_sha256
from zoom_imaging.charter import Charter, load_charter
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.provenance import sha256_of_bytes, uid_from
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.review.case import Case, CaseFilm, ReadingList

from ..radiograph import phantom

ROWS, COLUMNS = 300, 120
SUBJECTS = ("ZOOM-901", "ZOOM-902", "ZOOM-903")
SECRETS = (
    "HIDDEN^PATIENT",
    "ZOOM-901",
    "ZOOM-902",
    "ZOOM-903",
    "2031-03-04",
    "20310304",
    "20320305",
    "19480101",
    "denosumab",
    "twice",
    "SITE-PATH",
)
"""What stands in headers, paths and ids of the small trial, and must stay there."""

_DATES = {Visit.BASELINE: date(2031, 3, 4), Visit.MONTH12: date(2032, 3, 5)}


@dataclass(frozen=True)
class SmallTrial:
    """Films on disk, and the reading list that a run would hand over."""

    folder: Path
    reading_list: ReadingList


def charter_with(**reading: object) -> Charter:
    """ZOOM's charter with other rules of reading."""
    charter = load_charter()
    return charter.model_copy(update={"reading": charter.reading.model_copy(update=reading)})


def small_trial(
    folder: Path,
    subjects: tuple[str, ...] = SUBJECTS,
    *,
    charter: Charter | None = None,
    without_films: tuple[str, ...] = (),
) -> SmallTrial:
    """One lateral film a visit and subject; the first subject has a new fracture of T12."""
    rules = charter or charter_with(repeat_share=0.0)
    cases = []
    for at, subject_id in enumerate(subjects):
        films = () if subject_id in without_films else _films(folder, subject_id, fractured=at == 0)
        flagged = (Level.T12,) if films and at == 0 else ()
        cases.append(Case(subject_id, films, flagged))
    return SmallTrial(
        folder,
        ReadingList(
            tuple(cases), rules, charter_sha256(rules), "spine_lateral", "0", "0" * 64, "test"
        ),
    )


def _films(folder: Path, subject_id: str, *, fractured: bool) -> tuple[CaseFilm, ...]:
    films = []
    for visit in Visit:
        content = film_bytes(subject_id, visit)
        path = folder / "SITE-PATH" / subject_id / f"{visit.value}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        source = SourceFile(str(path), str(path), "", len(content))
        reading = reading_of(
            uid_from(subject_id, visit),
            str(path),
            fractured=fractured and visit is Visit.MONTH12,
        )
        films.append(CaseFilm(visit, source, sha256_of_bytes(content), reading))
    return tuple(films)


def film_bytes(subject_id: str, visit: Visit) -> bytes:
    """A lateral film whose header names everybody and everything."""
    day = _DATES[visit].strftime("%Y%m%d")
    dataset = phantom.film(
        phantom.base_pixels(ROWS, COLUMNS),
        SOPInstanceUID=uid_from(subject_id, visit),
        PatientName="HIDDEN^PATIENT",
        PatientID=subject_id,
        PatientBirthDate="19480101",
        StudyDate=day,
        AcquisitionDate=day,
        StudyDescription="denosumab twice",
    )
    return bytes(phantom.to_bytes(dataset))


def reading_of(uid: str, path: str, *, fractured: bool = False) -> FilmReading:
    """Thirteen bodies in a column, all normal but T12 where the spine is fractured."""
    vertebrae = tuple(
        _vertebra(at, level, uid, fractured=fractured and level is Level.T12)
        for at, level in enumerate(GRADED_LEVELS)
    )
    scale = Scale(SpacingSource.GEOMETRY, 0.9, 0.9, "made for a test")
    return FilmReading(path, uid, scale, vertebrae, view="lateral")


def _vertebra(at: int, level: Level, uid: str, *, fractured: bool) -> VertebraReading:
    top, left, height, width = 12.0 + 21 * at, 40.0, 16.0, 30.0
    fall = 6.0 if fractured else 0.0
    points = SixPoints.from_array(
        [
            [left, top + fall],
            [left + width / 2, top + fall / 2],
            [left + width, top],
            [left, top + height],
            [left + width / 2, top + height],
            [left + width, top + height],
        ]
    )
    ring = (points.sup_ant, points.sup_mid, points.sup_post, points.inf_post, points.inf_ant)
    reading = VertebraReading(
        level=level,
        state=VertebraState.EVALUABLE,
        reason="",
        six_points=points,
        polygon=ring,
        sd_px=(0.5,) * 6,
        ratio_sd=0.02,
        grade=Grade.NORMAL,
        p_grades=(0.9, 0.05, 0.03, 0.02),
        sop_instance_uid=uid,
    )
    if not fractured:
        return reading
    return replace(
        reading, grade=Grade.MODERATE, shape=Shape.WEDGE, p_grades=(0.02, 0.08, 0.85, 0.05)
    )
