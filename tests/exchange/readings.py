"""Readings of a sample film, by the model and by readers, and verdicts over them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydicom import Dataset, dcmread

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    LANDMARKS,
    Grade,
    GradeSource,
    Level,
    Shape,
    SixPoints,
    SpacingSource,
    VertebraState,
    Visit,
)
from zoom_imaging.exchange.radiograph_report import ModelName
from zoom_imaging.ingest.catalogue import SourceFile
from zoom_imaging.morphometry.heights import height_ratios, heights_in_mm, paired_distances
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.provenance import sha256_of_file
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.review.answer import (
    AbqSign,
    NonFractureCause,
    NotEvaluableReason,
    SpineAnswers,
    VertebraAnswer,
)
from zoom_imaging.review.case import CaseFilm
from zoom_imaging.review.verdict import Observer, Standing, SubjectVerdict

ROOT = Path(__file__).resolve().parents[2]
MODEL = ModelName("spine_lateral", "1.2.0")
SCALE = Scale(SpacingSource.IMAGER_OVER_MAGNIFICATION, 0.35933, 0.35933, "0.42 mm over 1.16883")
READER = Observer(
    "Dr. Ada Example", GradeSource.READER, "I have read", datetime(2026, 3, 1, 9, 30, 1, 5, UTC)
)
ADJUDICATOR = Observer(
    "Müller^Eva", GradeSource.ADJUDICATOR, "I decide", datetime(2026, 3, 2, tzinfo=UTC)
)


def film_path(subject: str = "ZOOM-001", visit: Visit = Visit.BASELINE) -> Path:
    return ROOT / "data" / "sample_dicom" / subject / visit.value / "IM0001"


def dataset(subject: str = "ZOOM-001", visit: Visit = Visit.BASELINE) -> Dataset:
    return dcmread(film_path(subject, visit))


def six_points(level: Level, loss: float = 0.0) -> SixPoints:
    """A box of 80 x 50 pixels at the level's place; `loss` lowers its anterior height."""
    top = 60.25 + 62 * level.ordinal
    return SixPoints(
        sup_ant=(300.0, top + 50 * loss),
        sup_mid=(340.5, top + 1),
        sup_post=(380.0, top),
        inf_ant=(301.0, top + 50),
        inf_mid=(340.0, top + 48.75),
        inf_post=(381.0, top + 51),
    )


def outline(points: SixPoints) -> tuple[tuple[float, float], ...]:
    order = ("sup_ant", "sup_mid", "sup_post", "inf_post", "inf_mid", "inf_ant")
    return tuple(getattr(points, name) for name in order)


def model_reading(
    source: Dataset, scale: Scale | None = SCALE, frame: int | None = None
) -> FilmReading:
    """T4 not imaged, T5 of low confidence with an outline, T12 a grade 2 wedge, the others 0."""
    return FilmReading(
        path="films/a.dcm",
        sop_instance_uid=str(source.SOPInstanceUID),
        scale=scale,
        vertebrae=tuple(_model_vertebra(level, scale) for level in GRADED_LEVELS),
        warnings=("the window of the header leaves no picture",),
        frame=frame,
    )


def _model_vertebra(level: Level, scale: Scale | None) -> VertebraReading:
    if level is Level.T4:
        return VertebraReading(
            level, VertebraState.NOT_IMAGED, "above T5, the first vertebra found"
        )
    points = six_points(level, 0.3 if level is Level.T12 else 0.0)
    low = level is Level.T5
    wedged = level is Level.T12
    return VertebraReading(
        level,
        VertebraState.LOW_CONFIDENCE if low else VertebraState.EVALUABLE,
        "the height ratios scatter" if low else "",
        six_points=points,
        polygon=outline(points),
        heights=heights_in_mm(points, scale),
        ratios=height_ratios(paired_distances(points, scale)),
        grade=Grade.NOT_EVALUABLE if low else Grade.MODERATE if wedged else Grade.NORMAL,
        shape=Shape.WEDGE if wedged else Shape.NONE,
    )


def spine(film: str = "f1", **changed: VertebraAnswer) -> SpineAnswers:
    """T4 not evaluable, T5 not answered, T8 a Schmorl node without outline, T12 a grade 2 wedge,
    L5 outlined only, the others 0; `changed` by level."""
    answers = {}
    for level in (*GRADED_LEVELS, Level.L5):
        points = six_points(level, 0.3 if level is Level.T12 else 0.0)
        answers[level] = VertebraAnswer(
            film=film,
            grade=Grade.NORMAL,
            six_points={name: getattr(points, name) for name in LANDMARKS},
            polygon=outline(points),
            moved=level is Level.T12,
        )
    answers[Level.T4] = VertebraAnswer(
        grade=Grade.NOT_EVALUABLE, reason=NotEvaluableReason.OBSCURED, note="the arm"
    )
    del answers[Level.T5]
    answers[Level.T8] = answers[Level.T8].model_copy(
        update={"cause": NonFractureCause.SCHMORL_NODE, "polygon": ()}
    )
    answers[Level.T12] = answers[Level.T12].model_copy(
        update={
            "grade": Grade.MODERATE,
            "shape": Shape.WEDGE,
            "signs": (AbqSign.SUPERIOR_ENDPLATE_DEPRESSION, AbqSign.CORTICAL_BUCKLING),
            "note": "neu, 骨折",
        }
    )
    answers[Level.L5] = answers[Level.L5].model_copy(update={"grade": None})
    return SpineAnswers(
        vertebrae=answers | {Level(name): answer for name, answer in changed.items()},
        comment="arms in front of the spine",
    )


def case_film(subject: str = "ZOOM-001", visit: Visit = Visit.BASELINE) -> CaseFilm:
    path = film_path(subject, visit)
    reading = model_reading(dcmread(path, stop_before_pixels=True))
    return CaseFilm(visit, SourceFile(path.name, str(path)), sha256_of_file(path), reading)


def verdict(
    subject: str = "ZOOM-001", visits: tuple[Visit, ...] = (Visit.BASELINE,)
) -> SubjectVerdict:
    """Final, signed by a reader and an adjudicator, who decided T12; one film a visit."""
    keys = {visit: f"f{at}" for at, visit in enumerate(visits, 1)}
    return SubjectVerdict(
        subject_id=subject,
        standing=Standing.FINAL,
        spines={visit: spine(key) for visit, key in keys.items()},
        films={key: case_film(subject, visit) for visit, key in keys.items()},
        sources={visit: {Level.T12: GradeSource.ADJUDICATOR} for visit in visits},
        observers=(READER, ADJUDICATOR),
    )


def with_spine(whole: SubjectVerdict, answers: SpineAnswers) -> SubjectVerdict:
    return replace(whole, spines=dict.fromkeys(whole.spines, answers))
