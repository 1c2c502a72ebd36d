"""Rows of every table but endpoints.csv, from the results of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zoom_imaging.anatomy import (
    Grade,
    SpacingSource,
    Visit,
)
from zoom_imaging.change.record import VertebraChange
from zoom_imaging.endpoints.results import SubjectResults, TrialResults
from zoom_imaging.endpoints.status import grade_source
from zoom_imaging.endpoints.write import Row
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading

_DECIMALS_PX = 2


def vertebra_rows(trial: TrialResults) -> Iterator[Row]:
    """vertebrae.csv: T4-L4 of every subject at both visits, also those that no film shows."""
    for subject in trial.subjects:
        yield from _subject_vertebrae(subject)


def change_rows(trial: TrialResults) -> Iterator[Row]:
    """changes.csv: T4-L4 of every subject, also those that cannot be compared."""
    for subject in trial.subjects:
        for change in subject.changes:
            yield _change_row(subject.subject_id, change)


def dxa_rows(trial: TrialResults) -> Iterator[Row]:
    """dxa.csv: every value that was read, also those that may not be used."""
    for subject in trial.subjects:
        yield from _subject_dxa(subject)


def file_rows(trial: TrialResults) -> Iterator[Row]:
    """files.csv: every input file once, in the order of the catalogue."""
    for entry in trial.catalogue.entries:
        yield {
            "path": entry.source.path,
            "sha256": entry.sha256,
            "sop_instance_uid": entry.sop_instance_uid,
            "kind": entry.kind.value,
            "subject_id": entry.subject_id,
            "visit": entry.visit.value if entry.visit else None,
            "disposition": entry.disposition.value,
            "reason": entry.reason,
        }


def query_rows(trial: TrialResults) -> Iterator[Row]:
    """queries.csv: every question once, by subject, visit and level."""
    for query in trial.queries:
        yield {
            "query_id": query.query_id,
            "subject_id": query.subject_id,
            "visit": query.visit.value if query.visit else None,
            "level": query.level.value if query.level else None,
            "question": query.question,
            "values": query.values,
            "status": "open",
        }


def outline_records(trial: TrialResults) -> Iterator[Mapping[str, object]]:
    """outlines.jsonl: every vertebra that was delineated, film by film."""
    for subject in trial.subjects:
        for visit in Visit:
            for film in subject.films[visit]:
                yield from _film_outlines(film)


def _film_outlines(film: FilmReading) -> Iterator[Mapping[str, object]]:
    for vertebra in film.vertebrae:
        if vertebra.six_points is None:
            continue
        yield {
            "sop_instance_uid": vertebra.sop_instance_uid or film.sop_instance_uid,
            "level": vertebra.level.value,
            "six_points_px": vertebra.six_points.to_json(),
            "polygon_px": [
                [round(value, _DECIMALS_PX) for value in point] for point in vertebra.polygon
            ],
            "sd_px": [round(value, _DECIMALS_PX) for value in vertebra.sd_px],
        }


def _subject_vertebrae(subject: SubjectResults) -> Iterator[Row]:
    for visit in Visit:
        sources: dict[str, SpacingSource] = {
            film.sop_instance_uid: film.scale.source for film in subject.films[visit] if film.scale
        }
        for vertebra in subject.vertebrae[visit]:
            yield _vertebra_row(
                subject.subject_id, visit, vertebra, sources.get(vertebra.sop_instance_uid)
            )


def _vertebra_row(
    subject_id: str, visit: Visit, vertebra: VertebraReading, source: SpacingSource | None
) -> Row:
    heights, ratios = vertebra.heights, vertebra.ratios
    graded, said_by = vertebra.grade is not Grade.NOT_EVALUABLE, grade_source(vertebra)
    row: dict[str, str | float | bool | None] = {
        "subject_id": subject_id,
        "visit": visit.value,
        "level": vertebra.level.value,
        "state": vertebra.state.value,
        "reason": vertebra.reason,
        "height_anterior_mm": heights.anterior_mm if heights else None,
        "height_middle_mm": heights.middle_mm if heights else None,
        "height_posterior_mm": heights.posterior_mm if heights else None,
        "spacing_source": source.value if source else None,
        "ratio_anterior_posterior": ratios.anterior_posterior if ratios else None,
        "ratio_middle_posterior": ratios.middle_posterior if ratios else None,
        "ratio_posterior_neighbours": ratios.posterior_neighbours if ratios else None,
        "ratio_sd": vertebra.ratio_sd,
        "genant_grade": vertebra.grade.value,
        # "none" says that no height is lost: only a graded vertebra can say so.
        "genant_shape": vertebra.shape.value if graded else None,
    }
    for grade in range(4):
        row[f"p_grade{grade}"] = vertebra.p_grades[grade] if vertebra.p_grades else None
    row["grade_source"] = said_by.value if said_by else None
    row["sop_instance_uid"] = vertebra.sop_instance_uid
    return row


def _change_row(subject_id: str, change: VertebraChange) -> Row:
    return {
        "subject_id": subject_id,
        "level": change.level.value,
        "grade_baseline": change.grade_baseline.value,
        "grade_month12": change.grade_month12.value,
        "change": change.kind.value,
        "reason": change.reason,
        "height_change_max_pct": change.height_change_max_pct,
        "height_change_max_mm": change.height_change_max_mm,
        "morphometric_change": change.morphometric,
        "confirmed": change.confirmed,
        "p_incident": change.p_incident,
        "flagged": change.flagged,
    }


def _subject_dxa(subject: SubjectResults) -> Iterator[Row]:
    for visit in Visit:
        for report in subject.dxa[visit]:
            for result in report.results:
                yield {
                    "subject_id": subject.subject_id,
                    "visit": visit.value,
                    "site": result.site.value,
                    "region": result.region,
                    "area_cm2": result.area_cm2,
                    "bmc_g": result.bmc_g,
                    "bmd_g_per_cm2": result.bmd_g_per_cm2,
                    "t_score": result.t_score,
                    "z_score": result.z_score,
                    "reference": report.reference,
                    "scanner_model": report.scanner.model,
                    "scanner_serial": report.scanner.serial,
                    "scan_mode": report.scan_mode,
                    "analysis_version": report.analysis_version,
                    "source": report.source.value,
                    "sop_instance_uid": report.sop_instance_uid,
                    "state": result.state.value,
                    "reason": result.reason,
                    "side": result.side.value or None,
                }
