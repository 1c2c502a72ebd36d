"""What the viewer gets of a case: films under opaque names, answers, and the model's word or not.

Nothing here tells subject, arm, date, file or another reader; a test looks for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from zoom_imaging.anatomy import Grade, Shape, Visit
from zoom_imaging.morphometry.heights import pixel_size
from zoom_imaging.review.answer import (
    CAUSE_WORDS,
    AbqSign,
    Anatomy,
    NotEvaluableReason,
    ReadingContent,
    Side,
    Stage,
)
from zoom_imaging.review.case import CaseFilm
from zoom_imaging.review.cases import case_differences, case_films, charter_of, trial_of
from zoom_imaging.review.content import model_vertebrae, spines_of, visits_of_sides
from zoom_imaging.review.readings import OpenedReading, content_of, live_readings, own_row
from zoom_imaging.review.tables import Account, CaseRow, Purpose, ReadingState
from zoom_imaging.review.web.guard import Person
from zoom_imaging.review.web.pixels import FilmShelf
from zoom_imaging.review.worklist import codes_to_read, offers

_TITLES = {Visit.BASELINE: "Baseline", Visit.MONTH12: "Month 12"}
_GRADES: tuple[tuple[Grade, str], ...] = (
    (Grade.NORMAL, "normal"),
    (Grade.BORDERLINE, "borderline"),
    (Grade.MILD, "mild"),
    (Grade.MODERATE, "moderate"),
    (Grade.SEVERE, "severe"),
    (Grade.INDETERMINATE, "indeterminate"),
    (Grade.NOT_EVALUABLE, "not evaluable"),
)


def case_data(
    session: Session, who: Person, opened: OpenedReading, shelf: FilmShelf
) -> dict[str, Any]:
    """The data block of the reading page."""
    rules = charter_of(trial_of(session)).reading
    row, content = opened.row, opened.content
    code = row.code
    films = case_films(opened.case)
    titles = side_titles(session, row.baseline_side)
    waiting = codes_to_read(session, who.account)
    adjudicates = row.purpose == Purpose.ADJUDICATION
    hidden = rules.model_suggestion == "never" or content.stage is Stage.UNAIDED
    return {
        "code": code,
        "kind": "adjudication" if adjudicates else "primary",
        "state": row.state,
        "version": row.version,
        "user": who.account.name,
        "csrf": who.visit.csrf,
        "suggestion": rules.model_suggestion,
        "blind_order": rules.blind_visit_order,
        "graded": {one.value: list(one.graded_levels) for one in Anatomy},
        "levels": {one.value: list(one.levels) for one in Anatomy},
        "codes": _codes(),
        "sides": [
            {
                "side": side.value,
                "title": titles[side],
                "films": [
                    _film(code, key, film, shelf)
                    for key, film in films.items()
                    if film.visit is visit
                ],
            }
            for side, visit in visits_of_sides(row.baseline_side).items()
            if side in content.sides
        ],
        "content": content.model_dump(mode="json"),
        "model": None if hidden else _model(films, row.baseline_side, opened.case),
        "readers": _readers(session, opened) if adjudicates else None,
        "discordant": _discordant(opened) if adjudicates else None,
        "position": [waiting.index(code) + 1 if code in waiting else 0, len(waiting)],
        "prefetch": _next_films(
            session, who.account, [other for other in waiting if other != code]
        ),
        "urls": {
            "save": f"/api/readings/{code}",
            "reveal": f"/api/readings/{code}/reveal",
            "sign": f"/read/{code}/sign",
            "worklist": "/",
            "login": "/login",
        },
    }


def side_titles(session: Session, baseline_side: str) -> Mapping[Side, str]:
    """What stands above each side: its visit, or only its letter where the order is hidden."""
    if charter_of(trial_of(session)).reading.blind_visit_order:
        return {side: f"Films {side.value}" for side in Side}
    return {side: _TITLES[visit] for side, visit in visits_of_sides(baseline_side).items()}


def films_by_code(session: Session, account: Account, code: str) -> Mapping[str, CaseFilm] | None:
    """The films of a reading that this person has or may begin; None for any other code."""
    row = own_row(session, account, code)
    if row is not None and row.state != ReadingState.VOID:
        return case_films(session.get_one(CaseRow, row.case_id))
    offer = next((one for one in offers(session, account) if one.code == code), None)
    return None if offer is None else case_films(session.get_one(CaseRow, offer.case_id))


def _film(code: str, key: str, film: CaseFilm, shelf: FilmShelf) -> dict[str, Any]:
    rows, columns = shelf.shape(film)
    scale = film.reading.scale
    row_size, column_size = pixel_size(scale)
    return {
        "key": key,
        "url": f"/films/{code}/{key}",
        "rows": rows,
        "columns": columns,
        "spacing_mm": scale.as_list if scale else None,
        "spacing_source": scale.source.value if scale else "none",
        "aspect": row_size / column_size,
        "calibrated": scale is not None and scale.source.is_calibrated,
        "notes": [],
    }


def _model(films: Mapping[str, CaseFilm], baseline_side: str, case: CaseRow) -> dict[str, Any]:
    flagged = set(_flagged(case))
    found: dict[str, Any] = {}
    for side, visit in visits_of_sides(baseline_side).items():
        of_visit = {key: film for key, film in films.items() if film.visit is visit}
        found[side.value] = {
            level.value: {
                "grade": one.grade.value,
                "shape": one.shape.value,
                "p": list(one.p_grades) if one.p_grades else None,
                "state": one.state.value,
                "reason": one.state.value.replace("_", " ") if not one.grade.is_numeric else "",
                "flagged": level.value in flagged,
                "film": key,
                "six_points": one.six_points.to_json() if one.six_points else None,
                "polygon": [[round(x, 2), round(y, 2)] for x, y in one.polygon],
            }
            for level, (key, one) in model_vertebrae(of_visit).items()
        }
    return found


def _flagged(case: CaseRow) -> Sequence[str]:
    levels: list[str] = json.loads(case.flagged)
    return levels


def _readers(session: Session, opened: OpenedReading) -> list[dict[str, Any]]:
    """The independent readings under numbers, on the sides that the adjudicator sees."""
    visits = visits_of_sides(opened.row.baseline_side)
    shown = []
    for at, row in enumerate(live_readings(session, opened.case, Purpose.PRIMARY), start=1):
        spines = spines_of(content_of(row), row.baseline_side)
        sides = {side: spines[visit] for side, visit in visits.items() if visit in spines}
        content = ReadingContent(sides=sides)
        shown.append({"name": f"Reader {at}", "content": content.model_dump(mode="json")})
    return shown


def _discordant(opened: OpenedReading) -> list[list[str]]:
    sides = {visit: side for side, visit in visits_of_sides(opened.row.baseline_side).items()}
    return [
        [sides[one.visit].value, one.level.value, one.why] for one in case_differences(opened.case)
    ]


def _next_films(session: Session, account: Account, waiting: Sequence[str]) -> list[str]:
    following = next(iter(waiting), "")
    films = films_by_code(session, account, following) if following else None
    return [f"/films/{following}/{key}" for key in films or {}]


def _codes() -> dict[str, list[list[str]]]:
    def named(*enumerations: type[StrEnum]) -> list[list[str]]:
        return [[one.value, one.value.replace("_", " ")] for kind in enumerations for one in kind]

    return {
        "grade": [[grade.value, words] for grade, words in _GRADES],
        "shape": named(Shape),
        "reason": named(NotEvaluableReason),
        "sign": named(AbqSign),
        "cause": [[one.value, words] for one, words in CAUSE_WORDS.items()],
        "anatomy": named(Anatomy),
        "side": named(Side),
    }
