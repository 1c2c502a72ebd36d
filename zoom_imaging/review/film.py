"""The readers' word as readings of films: what takes the model's place before visits are compared.

Grade, shape and reason are the readers'. Heights, ratios and losses are measured from their points
by the rules that the model's points are measured by, and stand beside the grade: they never change
it (Genant 1993, J Bone Miner Res 8:1137; domain rules, sections 2 and 5). A reading by people has
no probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Grade,
    GradeSource,
    Level,
    VertebraState,
    Visit,
    neighbours,
)
from zoom_imaging.charter import Charter, FractureRules
from zoom_imaging.errors import ConfigurationError
from zoom_imaging.morphometry.heights import (
    Triple,
    height_ratios,
    heights_in_mm,
    is_measurable,
    paired_distances,
)
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.morphometry.reference import spine_losses
from zoom_imaging.review.answer import (
    CAUSE_WORDS,
    Anatomy,
    NotEvaluableReason,
    SpineAnswers,
    VertebraAnswer,
)
from zoom_imaging.review.case import CaseFilm
from zoom_imaging.review.verdict import SubjectVerdict

STATES: Final[Mapping[NotEvaluableReason, VertebraState]] = {
    NotEvaluableReason.NOT_IMAGED: VertebraState.NOT_IMAGED,
    NotEvaluableReason.AT_IMAGE_BORDER: VertebraState.AT_IMAGE_BORDER,
    NotEvaluableReason.AT_SEAM: VertebraState.AT_SEAM,
    NotEvaluableReason.OBSCURED: VertebraState.OBSCURED,
    NotEvaluableReason.IMPLANT_OR_CEMENT: VertebraState.IMPLANT_OR_CEMENT,
    NotEvaluableReason.LEVEL_UNCERTAIN: VertebraState.LEVEL_UNCERTAIN,
}
"""Reasons that are states of their own; the others are `READER_NOT_EVALUABLE`, in words."""

_SAME_POINT_PX: Final = 0.5
"""Points that a reader left alone lie on the model's, but for rounding on their way."""


def read_films(
    verdict: SubjectVerdict, charter: Charter
) -> Mapping[Visit, tuple[FilmReading, ...]]:
    """Every film of the verdict as the readers read it, by visit and in the verdict's order.

    A level stands on the film that its answer names, else on the first film of its visit, so that
    it counts although nobody drew it; the other films of the visit do not have it. T4-L4 are
    complete over the films of a visit. ConfigurationError where an answer names a film that the
    visit does not have.
    """
    return {visit: _visit_films(verdict, visit, charter.fracture) for visit in Visit}


def _visit_films(
    verdict: SubjectVerdict, visit: Visit, rules: FractureRules
) -> tuple[FilmReading, ...]:
    films = {key: film for key, film in verdict.films.items() if film.visit is visit}
    if not films:
        return ()
    spine = verdict.spines.get(visit, SpineAnswers())
    sources = verdict.sources.get(visit, {})
    first = next(iter(films))
    placed: dict[str, dict[Level, VertebraAnswer]] = {key: {} for key in films}
    for level in Level:
        if level in {*GRADED_LEVELS, *spine.anatomy.transitional, *spine.vertebrae}:
            answer = spine.answer(level)
            key = answer.film or first
            if key not in placed:
                raise ConfigurationError(
                    f"the readings of {verdict.subject_id} put {level.value} at {visit.value} on a "
                    "film that the visit does not have",
                    expected=" or ".join(films),
                    found=key,
                    remedy="the database of the readings is damaged: restore it",
                )
            placed[key][level] = answer
    return tuple(
        _film(films[key], answers, spine.anatomy, sources, rules) for key, answers in placed.items()
    )


def _film(
    film: CaseFilm,
    answers: Mapping[Level, VertebraAnswer],
    anatomy: Anatomy,
    sources: Mapping[Level, GradeSource],
    rules: FractureRules,
) -> FilmReading:
    model = film.reading
    measured: dict[Level, Triple] = {}
    for level, answer in answers.items():
        if answer.points is not None:
            heights = paired_distances(answer.points, model.scale)
            if is_measurable(heights):
                measured[level] = heights
    usable = {level: measured[level] for level in measured if _may_serve(level, answers[level])}
    losses = spine_losses(usable, rules)
    vertebrae = []
    for level in (level for level in GRADED_LEVELS if level in answers):
        source = sources.get(level, GradeSource.READER)
        said = _said(level, answers[level], anatomy, source)
        reading = replace(said, sop_instance_uid=model.sop_instance_uid)
        if level in measured:
            loss = losses.get(level)
            reading = replace(
                _measured(reading, answers[level], model, measured[level], usable),
                losses=loss.losses if loss is not None else None,
            )
        vertebrae.append(reading)
    return replace(
        model,
        vertebrae=tuple(vertebrae),
        # What the model could not read stays unread only where no reader put a vertebra either.
        refusal="" if vertebrae else model.refusal,
        transitional=tuple(level for level in anatomy.transitional if level in answers),
    )


def _may_serve(level: Level, answer: VertebraAnswer) -> bool:
    """Whether a vertebra tells what its neighbours should measure; L5 and the like need no grade.

    Which of these are fractured, and so no reference, the heights decide as in the model's reading.
    """
    if answer.grade is None:
        return level not in GRADED_LEVELS
    return answer.grade is not Grade.NOT_EVALUABLE


def _said(
    level: Level, answer: VertebraAnswer, anatomy: Anatomy, source: GradeSource
) -> VertebraReading:
    """State, grade, shape and reason: what needs no measuring."""
    if level not in anatomy.levels:
        vertebrae = anatomy.value.replace("_", " ")
        reason = f"no {level.value}: {vertebrae} vertebrae, said by the {source.value}"
        return VertebraReading(level, VertebraState.NOT_IMAGED, reason, grade_source=source)
    if answer.grade is None or answer.grade is Grade.NOT_EVALUABLE:
        state, reason = _why_not(answer, source)
        return VertebraReading(level, state, reason, grade_source=source)
    parts = [f"cause other than fracture: {CAUSE_WORDS[answer.cause]}"] if answer.cause else []
    parts += [sign.value.replace("_", " ") for sign in answer.signs]
    parts += [answer.note.strip()]
    return VertebraReading(
        level=level,
        state=VertebraState.EVALUABLE,
        reason="; ".join(part for part in parts if part),
        grade=answer.grade,
        shape=answer.shape,
        grade_source=source,
    )


def _why_not(answer: VertebraAnswer, source: GradeSource) -> tuple[VertebraState, str]:
    if answer.grade is None or answer.reason is None:
        return VertebraState.READER_NOT_EVALUABLE, f"no answer of the {source.value}"
    state = STATES.get(answer.reason, VertebraState.READER_NOT_EVALUABLE)
    words = f"said by the {source.value}"
    if state is VertebraState.READER_NOT_EVALUABLE:
        plain = "" if answer.reason is NotEvaluableReason.OTHER else answer.reason.value
        words = f"{plain.replace('_', ' ')}, {words}" if plain else words
    note = answer.note.strip()
    return state, f"{words}: {note}" if note else words


def _measured(
    reading: VertebraReading,
    answer: VertebraAnswer,
    model: FilmReading,
    heights: Triple,
    usable: Mapping[Level, Triple],
) -> VertebraReading:
    assert answer.points is not None  # `measured` holds levels with points only
    beside = tuple(
        usable[level].posterior
        for level in neighbours(reading.level)
        if level is not None and level in usable
    )
    drawn = None if answer.moved else _drawn_by_model(answer, model)
    return replace(
        reading,
        six_points=answer.points,
        polygon=answer.polygon,
        # How points scatter is known of the model's, not of a reader's.
        sd_px=drawn.sd_px if drawn is not None else (),
        ratio_sd=drawn.ratio_sd if drawn is not None else None,
        heights=heights_in_mm(answer.points, model.scale),
        ratios=height_ratios(heights, beside),
    )


def _drawn_by_model(answer: VertebraAnswer, model: FilmReading) -> VertebraReading | None:
    """The model's vertebra with these points, whatever name it had: a reader may have renamed it.

    Points that no vertebra of the model has are the reader's own, whatever `moved` says.
    """
    if answer.points is None:
        return None
    points = answer.points.to_array()
    for vertebra in model.vertebrae:
        if vertebra.six_points is not None:
            away = np.abs(vertebra.six_points.to_array() - points).max()
            if away <= _SAME_POINT_PX:
                return vertebra
    return None
