"""What a reader's page starts from, and what a reader's answers must keep to."""

from __future__ import annotations

from collections.abc import Mapping

from zoom_imaging.anatomy import Level, Visit
from zoom_imaging.charter import ReadingRules
from zoom_imaging.errors import ReviewError
from zoom_imaging.morphometry.reading import VertebraReading
from zoom_imaging.review.answer import (
    Anatomy,
    ReadingContent,
    Side,
    SpineAnswers,
    Stage,
    VertebraAnswer,
)
from zoom_imaging.review.case import CaseFilm
from zoom_imaging.review.consensus import Difference, Spines

_DECIMALS_PX = 2


def visits_of_sides(baseline_side: str) -> Mapping[Side, Visit]:
    """Which visit each side shows."""
    if baseline_side == Side.A:
        return {Side.A: Visit.BASELINE, Side.B: Visit.MONTH12}
    return {Side.A: Visit.MONTH12, Side.B: Visit.BASELINE}


def spines_of(content: ReadingContent, baseline_side: str) -> Spines:
    """The answers by visit."""
    visits = visits_of_sides(baseline_side)
    return {visits[side]: spine for side, spine in content.sides.items()}


def first_content(
    films: Mapping[str, CaseFilm], baseline_side: str, rules: ReadingRules
) -> ReadingContent:
    """Before the first answer: outlines of the model where the charter lets readers see them."""
    shown = rules.model_suggestion == "before"
    sides = {}
    for side, visit in visits_of_sides(baseline_side).items():
        of_visit = {key: film for key, film in films.items() if film.visit is visit}
        if of_visit:
            sides[side] = suggested_spine(of_visit) if shown else SpineAnswers()
    return ReadingContent(sides=sides, stage=Stage.AIDED if shown else Stage.UNAIDED)


def suggested_spine(films: Mapping[str, CaseFilm]) -> SpineAnswers:
    """The model's points and outlines of one visit, without any answer."""
    anatomy = _anatomy(films)
    vertebrae = {
        level: VertebraAnswer(film=key, six_points=_points(found), polygon=_polygon(found))
        for level, (key, found) in model_vertebrae(films).items()
        if found.six_points is not None and level in anatomy.levels
    }
    return SpineAnswers(anatomy=anatomy, vertebrae=vertebrae)


def model_vertebrae(films: Mapping[str, CaseFilm]) -> dict[Level, tuple[str, VertebraReading]]:
    """Each level from the film of a visit that shows it best, as the run merges films."""
    best: dict[Level, tuple[tuple[bool, bool, float], str, VertebraReading]] = {}
    for key, film in films.items():
        for found in film.reading.vertebrae:
            rank = (
                found.grade.is_numeric,
                found.six_points is not None,
                -(found.ratio_sd if found.ratio_sd is not None else 1.0),
            )
            if found.level not in best or rank > best[found.level][0]:
                best[found.level] = (rank, key, found)
    return {level: (key, found) for level, (_, key, found) in best.items()}


def revealed(
    content: ReadingContent, films: Mapping[str, CaseFilm], baseline_side: str
) -> ReadingContent:
    """After the unaided answers: the model's points wherever the reader placed none."""
    visits = visits_of_sides(baseline_side)
    sides = {}
    for side, spine in content.sides.items():
        of_visit = {key: film for key, film in films.items() if film.visit is visits[side]}
        suggested = suggested_spine(of_visit).vertebrae
        vertebrae = dict(spine.vertebrae)
        for level, one in suggested.items():
            if level in spine.anatomy.levels and spine.answer(level).six_points is None:
                vertebrae[level] = spine.answer(level).model_copy(
                    update={"film": one.film, "six_points": one.six_points, "polygon": one.polygon}
                )
        sides[side] = spine.model_copy(update={"vertebrae": vertebrae})
    return ReadingContent(sides=sides, stage=Stage.AIDED)


def adjudication_content(
    first: Spines, differences: tuple[Difference, ...], baseline_side: str
) -> ReadingContent:
    """What readers agree on, and the vertebrae to settle with points but without an answer."""
    open_places = {(one.visit, one.level) for one in differences}
    sides = {}
    for side, visit in visits_of_sides(baseline_side).items():
        if visit not in first:
            continue
        spine = first[visit]
        vertebrae = {
            level: VertebraAnswer(
                film=answer.film, six_points=answer.six_points, polygon=answer.polygon
            )
            if (visit, level) in open_places
            else answer
            for level, answer in spine.vertebrae.items()
        }
        sides[side] = spine.model_copy(update={"vertebrae": vertebrae, "comment": ""})
    return ReadingContent(sides=sides)


def check_content(
    content: ReadingContent,
    before: ReadingContent,
    films: Mapping[str, CaseFilm],
    baseline_side: str,
) -> None:
    """ReviewError for answers about sides or films that the case does not have."""
    if set(content.sides) != set(before.sides) or content.stage is not before.stage:
        raise ReviewError("the answers are not about the films of this case; load the page again")
    visits = visits_of_sides(baseline_side)
    for side, spine in content.sides.items():
        for level, answer in spine.vertebrae.items():
            film = films.get(answer.film) if answer.film else None
            if answer.film and (film is None or film.visit is not visits[side]):
                raise ReviewError(f"side {side}, {level}: there is no film {answer.film} here")


def check_settled_only(
    content: ReadingContent,
    before: ReadingContent,
    differences: tuple[Difference, ...],
    baseline_side: str,
) -> None:
    """ReviewError when an adjudication touches what the readers agreed on."""
    open_places = {(one.visit, one.level) for one in differences}
    visits = visits_of_sides(baseline_side)
    for side, spine in content.sides.items():
        had = before.sides[side]
        whole = all((visits[side], level) in open_places for level in had.anatomy.graded_levels)
        if whole:
            continue
        if spine.anatomy is not had.anatomy:
            raise ReviewError(f"side {side}: the readers agree on the anatomy")
        for level in {*spine.vertebrae, *had.vertebrae}:
            if (visits[side], level) not in open_places and (
                spine.vertebrae.get(level) != had.vertebrae.get(level)
            ):
                raise ReviewError(f"side {side}, {level}: the readers agree on this vertebra")


def _anatomy(films: Mapping[str, CaseFilm]) -> Anatomy:
    seen = {level for film in films.values() for level in film.reading.transitional}
    if Level.T13 in seen:
        return Anatomy.THIRTEEN_THORACIC
    return Anatomy.SIX_LUMBAR if Level.L6 in seen else Anatomy.TYPICAL


def _points(found: VertebraReading) -> dict[str, tuple[float, float]]:
    assert found.six_points is not None
    return {name: (at[0], at[1]) for name, at in found.six_points.to_json().items()}


def _polygon(found: VertebraReading) -> tuple[tuple[float, float], ...]:
    return tuple((round(x, _DECIMALS_PX), round(y, _DECIMALS_PX)) for x, y in found.polygon)
