"""A reading as the JSON object that other people's scripts read (architecture, section 3).

Strict JSON: a number that is not finite is null. Coordinates are 0-based pixel centres of the
stored image, [column, row].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoom_imaging.anatomy import Grade
from zoom_imaging.commands.inputs import number

if TYPE_CHECKING:
    from zoom_imaging.change.match import FilmComparison
    from zoom_imaging.change.record import VertebraChange
    from zoom_imaging.commands.measure import Measured
    from zoom_imaging.morphometry.reading import Heights, Ratios, VertebraReading
    from zoom_imaging.query import Query

Object = dict[str, Any]


def reading_object(measured: Measured) -> Object:
    """One frame of one file."""
    radiograph, reading = measured.radiograph, measured.reading
    scale = radiograph.scale if radiograph is not None else None
    spacing = scale.as_list if scale is not None else None
    warnings = radiograph.warnings if radiograph is not None else ()
    if reading is not None:
        warnings = reading.warnings
    content: Object = {
        "path": measured.path,
        "sop_instance_uid": measured.sop_instance_uid,
        "state": "read" if measured.is_read else "refused",
        "reason": measured.reason,
        "view": radiograph.view.value if radiograph is not None else "unknown",
        "spacing_mm": [number(value, 6) for value in spacing] if spacing is not None else None,
        "spacing_source": scale.source.value if scale is not None else "none",
        "spacing_reason": scale.reason if scale is not None else "",
        "vertebrae": [
            vertebra_object(vertebra)
            for vertebra in (reading.vertebrae if reading is not None and measured.is_read else ())
        ],
        "warnings": list(warnings),
    }
    if measured.frame is not None:
        content["frame"] = measured.frame
    return content


def vertebra_object(vertebra: VertebraReading) -> Object:
    """One level."""
    points = vertebra.six_points
    return {
        "level": vertebra.level.value,
        "state": vertebra.state.value,
        "reason": vertebra.reason,
        "six_points_px": points.to_json() if points is not None else None,
        "polygon_px": [[number(x, 2), number(y, 2)] for x, y in vertebra.polygon],
        "heights_mm": _heights(vertebra.heights),
        "ratios": _ratios(vertebra.ratios),
        "ratio_sd": number(vertebra.ratio_sd, 4),
        "genant_grade": grade_value(vertebra.grade),
        "genant_shape": vertebra.shape.value,
        "p_grades": [number(p, 4) for p in vertebra.p_grades] if vertebra.p_grades else None,
    }


def grade_value(grade: Grade) -> float | int | str:
    """0, 0.5, 1, 2 or 3 as a number; `indeterminate` and `not_evaluable` are no numbers."""
    if not grade.is_numeric:
        return grade.value
    return int(grade.number) if grade.number.is_integer() else grade.number


def _heights(heights: Heights | None) -> Object | None:
    if heights is None:
        return None
    return {
        "anterior": number(heights.anterior_mm, 3),
        "middle": number(heights.middle_mm, 3),
        "posterior": number(heights.posterior_mm, 3),
    }


def _ratios(ratios: Ratios | None) -> Object | None:
    if ratios is None:
        return None
    return {
        "anterior_posterior": number(ratios.anterior_posterior, 4),
        "middle_posterior": number(ratios.middle_posterior, 4),
        "posterior_neighbours": number(ratios.posterior_neighbours, 4),
    }


def change_object(change: VertebraChange) -> Object:
    """One level at both visits; positive changes are losses."""
    return {
        "level": change.level.value,
        "change": change.kind.value,
        "grade_baseline": grade_value(change.grade_baseline),
        "grade_month12": grade_value(change.grade_month12),
        "height_change_max_pct": number(change.height_change_max_pct, 2),
        "height_change_max_mm": number(change.height_change_max_mm, 3),
        "morphometric_change": change.morphometric,
        "confirmed": change.confirmed,
        "p_incident": number(change.p_incident, 4),
        "flagged": change.flagged,
        "reason": change.reason,
    }


def pair_object(
    baseline: Sequence[Measured],
    follow_up: Sequence[Measured],
    comparison: FilmComparison | None,
    fault: str = "",
) -> Object:
    """Both readings and the change of every level; a list of frames where a file has several.

    `queries` are the questions that the comparison leaves to a person.
    """
    refusals = [film.reason for film in (*baseline, *follow_up) if film.reason]
    return {
        "state": "refused" if comparison is None else "read",
        "reason": "; ".join([*refusals, *([fault] if fault else [])]),
        "baseline": _film(baseline),
        "follow_up": _film(follow_up),
        "changes": [change_object(change) for change in comparison.changes] if comparison else [],
        "queries": [query_object(query) for query in comparison.queries] if comparison else [],
    }


def query_object(query: Query) -> Object:
    """One question; its number is the same in every run."""
    return {
        "query_id": query.query_id,
        "kind": query.kind.value,
        "level": query.level.value if query.level else None,
        "question": query.question,
        "values": query.values,
    }


def _film(films: Sequence[Measured]) -> Object | list[Object]:
    objects = [reading_object(film) for film in films]
    return objects[0] if len(objects) == 1 else objects
