"""What is said of one radiograph, by the model alone or by readers: the content of its DICOM SR.

One record for both, so that what is written and what is read back are compared as they are. A
vertebra that nobody answered, or that cannot be judged, has no grade: its evaluability says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Grade,
    GradeSource,
    Level,
    Point,
    Shape,
    SixPoints,
    VertebraState,
    Visit,
)
from zoom_imaging.errors import InputError, NotRelevantError
from zoom_imaging.morphometry.heights import (
    height_ratios,
    heights_in_mm,
    is_measurable,
    paired_distances,
)
from zoom_imaging.morphometry.reading import FilmReading, Heights, Ratios, VertebraReading
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.review.answer import (
    AbqSign,
    Anatomy,
    NonFractureCause,
    SpineAnswers,
    VertebraAnswer,
)
from zoom_imaging.review.verdict import Observer, Standing, SubjectVerdict


class Evaluability(StrEnum):
    """Whether a vertebra was judged, else why not, in the words of the model and of readers."""

    EVALUABLE = "evaluable"
    NOT_ANSWERED = "not_answered"
    NOT_GRADED = "not_graded"
    NOT_IMAGED = "not_imaged"
    AT_IMAGE_BORDER = "at_image_border"
    AT_SEAM = "at_seam"
    OBSCURED = "obscured"
    OBLIQUE_PROJECTION = "oblique_projection"
    POOR_QUALITY = "poor_quality"
    IMPLANT_OR_CEMENT = "implant_or_cement"
    LEVEL_UNCERTAIN = "level_uncertain"
    LOW_CONFIDENCE = "low_confidence"
    READER_NOT_EVALUABLE = "reader_not_evaluable"
    OTHER = "other"


@dataclass(frozen=True)
class ModelName:
    """The model that suggested outlines and grades."""

    name: str
    version: str


@dataclass(frozen=True)
class VertebraReport:
    """One vertebra. `grade` is None where nobody answered, as `evaluability` says.

    Points and polygon are (column, row), 0-based pixel centres of the stored image; the polygon is
    open (its last point is not its first) and empty where there is no outline. `outlined_by_model`
    is False where a reader set or moved a point. `note` is the model's reason or the reader's note.
    """

    level: Level
    evaluability: Evaluability
    grade: Grade | None
    given_by: GradeSource | None
    shape: Shape = Shape.NONE
    signs: tuple[AbqSign, ...] = ()
    cause: NonFractureCause | None = None
    six_points: SixPoints | None = None
    polygon: tuple[Point, ...] = ()
    outlined_by_model: bool = False
    heights: Heights | None = None
    ratios: Ratios | None = None
    note: str = ""


@dataclass(frozen=True)
class RadiographReport:
    """One radiograph: `standing` is None where only the model has read it.

    `frame` is 0-based, None for a file of one frame. `anatomy` is the readers' word. `remarks` are
    sentences about the film.
    """

    sop_instance_uid: str
    frame: int | None
    visit: Visit
    standing: Standing | None
    model: ModelName
    observers: tuple[Observer, ...]
    anatomy: Anatomy | None
    scale: Scale | None
    vertebrae: tuple[VertebraReport, ...]
    remarks: tuple[str, ...] = ()


def report_of_model(film: FilmReading, visit: Visit, model: ModelName) -> RadiographReport:
    """A film that only the model has read; NotRelevantError where it could not be read."""
    if film.refusal or not film.vertebrae:
        raise NotRelevantError(
            f"{film.path}: nothing was read on this film, so no report is written",
            found=film.refusal or "no vertebra",
        )
    return RadiographReport(
        sop_instance_uid=film.sop_instance_uid,
        frame=film.frame,
        visit=visit,
        standing=None,
        model=model,
        observers=(),
        anatomy=None,
        scale=film.scale,
        vertebrae=tuple(map(_of_model, film.vertebrae)),
        remarks=tuple(_remarks(film)),
    )


def report_of_readers(verdict: SubjectVerdict, key: str, model: ModelName) -> RadiographReport:
    """One film of a subject that readers have read; `key` is one of `verdict.films`.

    Each level of a visit stands in the report of one film: the one that its answer names, else the
    first on which the model delineated it, else the first of the visit. Heights and ratios are of
    the readers' points. NotRelevantError where no answer of the visit belongs to this film,
    InputError for an answer that names a film which the visit does not have.
    """
    film = verdict.films[key]
    spine = verdict.spines.get(film.visit)
    sources = verdict.sources.get(film.visit, {})
    levels = [at for at, home in _homes(verdict, film.visit) if home == key]
    if spine is None or not levels:
        raise NotRelevantError(f"{film.source.path}: no answer of a reader belongs to this film")
    said = tuple(
        _of_reader(level, spine.answer(level), sources, film.reading.scale) for level in levels
    )
    return RadiographReport(
        sop_instance_uid=film.reading.sop_instance_uid,
        frame=film.reading.frame,
        visit=film.visit,
        standing=verdict.standing,
        model=model,
        observers=verdict.observers,
        anatomy=spine.anatomy,
        scale=film.reading.scale,
        vertebrae=_with_ratios(said, spine.anatomy, film.reading.scale),
        remarks=tuple(_remarks(film.reading)) + ((spine.comment,) if spine.comment else ()),
    )


def _of_model(reading: VertebraReading) -> VertebraReport:
    evaluable = reading.state is VertebraState.EVALUABLE
    graded = evaluable and reading.grade is not Grade.NOT_EVALUABLE
    delineated = reading.six_points is not None or bool(_opened(reading.polygon))
    return VertebraReport(
        level=reading.level,
        evaluability=Evaluability.NOT_GRADED
        if evaluable and not graded
        else Evaluability(reading.state.value),
        grade=reading.grade if graded else None if evaluable else Grade.NOT_EVALUABLE,
        given_by=reading.grade_source,
        shape=reading.shape if graded else Shape.NONE,
        six_points=reading.six_points,
        polygon=_opened(reading.polygon),
        outlined_by_model=delineated,
        heights=reading.heights,
        ratios=reading.ratios,
        note=reading.reason,
    )


def _of_reader(
    level: Level,
    answer: VertebraAnswer,
    sources: Mapping[Level, GradeSource],
    scale: Scale | None,
) -> VertebraReport:
    points, polygon = answer.points, _opened(answer.polygon)
    measurable = points is not None and is_measurable(paired_distances(points, scale))
    evaluability = _evaluability(level, answer)
    silent = evaluability is Evaluability.NOT_ANSWERED
    return VertebraReport(
        level=level,
        evaluability=evaluability,
        grade=answer.grade,
        given_by=None if silent else sources.get(level, GradeSource.READER),
        shape=answer.shape if evaluability is Evaluability.EVALUABLE else Shape.NONE,
        signs=() if silent else answer.signs,
        cause=None if silent else answer.cause,
        six_points=points,
        polygon=polygon,
        outlined_by_model=not answer.moved and (points is not None or bool(polygon)),
        heights=heights_in_mm(points, scale) if points is not None and measurable else None,
        note=answer.note,
    )


def _evaluability(level: Level, answer: VertebraAnswer) -> Evaluability:
    if answer.grade is None:
        # Only T4-L4 are asked for; what lies outside is outlined for its neighbours' sake.
        asked = level in GRADED_LEVELS
        return Evaluability.NOT_ANSWERED if asked else Evaluability.NOT_GRADED
    if answer.grade is Grade.NOT_EVALUABLE:
        reason = answer.reason
        return Evaluability(reason.value) if reason else Evaluability.READER_NOT_EVALUABLE
    return Evaluability.EVALUABLE


def _with_ratios(
    said: tuple[VertebraReport, ...], anatomy: Anatomy, scale: Scale | None
) -> tuple[VertebraReport, ...]:
    """With Ha/Hp, Hm/Hp and Hp over the mean of the evaluable neighbours that this spine has."""
    heights = {
        one.level: paired_distances(one.six_points, scale)
        for one in said
        if one.six_points is not None
    }
    usable = {
        one.level
        for one in said
        if one.evaluability is Evaluability.EVALUABLE
        and one.level in heights
        and is_measurable(heights[one.level])
    }
    order = anatomy.levels
    made = []
    for one in said:
        at = order.index(one.level)
        beside = (*order[max(at - 1, 0) : at], *order[at + 1 : at + 2])
        posteriors = tuple(heights[near].posterior for near in beside if near in usable)
        own = heights.get(one.level)
        if own is None or not is_measurable(own):
            made.append(one)
        else:
            made.append(replace(one, ratios=height_ratios(own, posteriors)))
    return tuple(made)


def _said(spine: SpineAnswers) -> Iterator[Level]:
    """The levels that a report must name: all that are asked for, and what else was answered."""
    asked = set(spine.anatomy.graded_levels) | set(spine.vertebrae)
    return (level for level in Level if level in asked)


def _homes(verdict: SubjectVerdict, visit: Visit) -> Iterator[tuple[Level, str]]:
    """Every level that a visit must name, with the key of the film in whose report it stands."""
    spine = verdict.spines.get(visit)
    films = {key: film for key, film in verdict.films.items() if film.visit is visit}
    if spine is None:
        return
    for level in _said(spine):
        named = spine.answer(level).film
        if named and named not in films:
            raise InputError(
                f"subject {verdict.subject_id}, {visit}, {level}: the answer names a film that the "
                "visit does not have",
                expected=", ".join(films) or "no film",
                found=named,
            )
        seen = (key for key, film in films.items() if _delineated(film.reading, level))
        yield level, named or next(seen, next(iter(films)))


def _delineated(film: FilmReading, level: Level) -> bool:
    return any(one.level is level and one.six_points is not None for one in film.vertebrae)


def _opened(polygon: tuple[Point, ...]) -> tuple[Point, ...]:
    """Without the closing point; empty for what encloses nothing."""
    if len(polygon) > 1 and polygon[0] == polygon[-1]:
        polygon = polygon[:-1]
    return polygon if len(polygon) >= 3 else ()


def _remarks(film: FilmReading) -> Iterator[str]:
    yield from film.warnings
    for level in film.transitional:
        yield f"The model finds {level} on this film"
