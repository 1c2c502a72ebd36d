"""Verdicts made by hand: readers who say what the model said, but where a test says otherwise."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, GradeSource, Visit
from zoom_imaging.review.answer import Anatomy, NotEvaluableReason, SpineAnswers, VertebraAnswer
from zoom_imaging.review.case import CaseFilm
from zoom_imaging.review.verdict import Observer, Standing, SubjectVerdict


def answer_like(vertebra, key, **changes):
    """The model's vertebra as a reader confirms it; levels without a grade are not imaged."""
    parts = {"film": key, "grade": vertebra.grade, "shape": vertebra.shape}
    if not vertebra.grade.is_numeric:
        parts |= {"grade": Grade.NOT_EVALUABLE, "reason": NotEvaluableReason.NOT_IMAGED}
    if vertebra.six_points is not None:
        parts |= {"six_points": asdict(vertebra.six_points), "polygon": vertebra.polygon}
    return VertebraAnswer(**(parts | changes))


def verdict_of(
    films,
    said=None,
    *,
    subject_id="0012",
    standing=Standing.FINAL,
    anatomy=Anatomy.TYPICAL,
    by=None,
    differences=0,
):
    """`films` are case films; `said` maps (visit, level) to an answer, or to what changes of it.

    `by` maps (visit, level) to who said it, if not a reader. A level goes to the first film of its
    visit that has a grade for it.
    """
    keys = {f"f{at}": film for at, film in enumerate(films)}
    spines = {}
    for visit in Visit:
        vertebrae = {}
        for key, film in keys.items():
            if film.visit is not visit:
                continue
            for vertebra in film.reading.vertebrae:
                known = vertebrae.get(vertebra.level)
                if known is None or not known.grade.is_numeric:
                    vertebrae[vertebra.level] = answer_like(vertebra, key)
        for (at, level), word in (said or {}).items():
            if at is visit and isinstance(word, VertebraAnswer):
                vertebrae[level] = word
            elif at is visit:
                parts = vertebrae[level].model_dump() | word
                vertebrae[level] = VertebraAnswer.model_validate(parts)
        kept = {level: one for level, one in vertebrae.items() if level in anatomy.levels}
        if any(film.visit is visit for film in films):
            spines[visit] = SpineAnswers(anatomy=anatomy, vertebrae=kept)
    return SubjectVerdict(
        subject_id=subject_id,
        standing=standing,
        spines=spines,
        films=keys,
        sources={
            visit: {
                level: (by or {}).get((visit, level), GradeSource.READER) for level in GRADED_LEVELS
            }
            for visit in spines
        },
        observers=(
            Observer(
                "Kim, Anna MD",
                GradeSource.READER,
                "I read this case",
                datetime(2026, 4, 1, 9, 30, tzinfo=UTC),
            ),
        ),
        differences=differences,
    )


def case_films(baseline, month12, source):
    """Case films of model readings; `source` gives the file of a reading."""
    return [
        CaseFilm(visit, source(reading), f"sha of {reading.path}", reading)
        for visit, readings in ((Visit.BASELINE, baseline), (Visit.MONTH12, month12))
        for reading in readings
    ]
