"""The result folder of a run: tables, outlines, report and run.json, all at once or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from zoom_imaging.adam.files import FOLDER as ADAM_FOLDER
from zoom_imaging.adam.files import write_adam
from zoom_imaging.batch.progress import Voice
from zoom_imaging.batch.reading_list import cases_of, head_of
from zoom_imaging.endpoints.analysis.answer import trial_answer
from zoom_imaging.endpoints.dictionary import TABLES
from zoom_imaging.endpoints.results import TrialResults, count_by_status
from zoom_imaging.endpoints.schemas import checked
from zoom_imaging.endpoints.status import EndpointStatus
from zoom_imaging.endpoints.subjects import endpoint_rows
from zoom_imaging.endpoints.tables import (
    change_rows,
    dxa_rows,
    file_rows,
    outline_records,
    query_rows,
    vertebra_rows,
)
from zoom_imaging.endpoints.write import (
    Row,
    result_set,
    write_csv,
    write_json,
    write_json_lines,
    write_text,
    writing,
)
from zoom_imaging.query import QueryKind
from zoom_imaging.review.case import READING_LIST_NAME, reading_list_text
from zoom_imaging.tasks import Spread, one_by_one

REPORT_NAME = "report"
REPORTS_NAME = "sr"

_ROWS: Mapping[str, Callable[[TrialResults], Iterator[Row]]] = {
    "endpoints.csv": endpoint_rows,
    "vertebrae.csv": vertebra_rows,
    "changes.csv": change_rows,
    "dxa.csv": dxa_rows,
    "files.csv": file_rows,
    "queries.csv": query_rows,
}


def write_results(
    folder: Path,
    results: TrialResults,
    charter_source: Path,
    voice: Voice,
    *,
    spread: Spread = one_by_one,
) -> None:
    """Put every result into `folder`; OutputError leaves the earlier results as they were.

    `spread` makes structured reports and pictures.
    """
    from zoom_imaging.exchange.film_reports import reports_of_run, write_film_reports
    from zoom_imaging.report.build import write_report

    with result_set(folder) as staging:
        with voice.stage("Writing tables"):
            for table in TABLES:
                rows = checked(table, _ROWS[table.file_name](results))
                write_csv(staging / table.file_name, table.columns, rows)
            write_json_lines(staging / "outlines.jsonl", outline_records(results))
            write_adam(staging / ADAM_FOLDER, results)
            answer = trial_answer(results)
            write_json(staging / "analysis.json", answer)
            cases = reading_list_text(head_of(results), cases_of(results))
            write_text(staging / READING_LIST_NAME, cases)
        with voice.stage("Writing structured reports"), writing(staging / REPORTS_NAME):
            for problem in write_film_reports(
                reports_of_run(results),
                staging / REPORTS_NAME,
                earlier=folder / REPORTS_NAME,
                spread=spread,
            ):
                voice.say(f"Note: {problem}")
        with voice.stage("Writing the report"), writing(staging / REPORT_NAME):
            write_report(
                staging / REPORT_NAME,
                results,
                answer,
                earlier=folder / REPORT_NAME,
                charter_source=charter_source,
                spread=spread,
            )
        write_json(staging / "run.json", run_record(results, voice.seconds))


def run_record(results: TrialResults, seconds: Mapping[str, float]) -> dict[str, object]:
    """run.json: what made these results from what; wall times stand here and nowhere else."""
    run = results.run
    return {
        "versions": dict(run.versions),
        "engine": run.engine,
        "model": {
            "name": run.model_name,
            "version": run.model_version,
            "sha256": run.model_sha256,
        },
        "charter": results.charter.model_dump(mode="json"),
        "charter_sha256": run.charter_sha256,
        "readings": _readings_record(results),
        "inputs": [
            {"path": entry.source.path, "sha256": entry.sha256}
            for entry in results.catalogue.entries
        ],
        "notes": list(results.catalogue.notes),
        "counts": dict(run.counts),
        "seconds": dict(seconds),
    }


def _readings_record(results: TrialResults) -> dict[str, object] | None:
    """Whose readings stand behind how many subjects; None where the model alone was asked."""
    if not results.run.readings:
        return None
    count = count_by_status(results.endpoints)
    return {
        "source": results.run.readings,
        "audit_head": results.run.readings_head,
        "subjects_final": count[EndpointStatus.FINAL],
        "subjects_read_once": count[EndpointStatus.READ_ONCE],
        "subjects_stale": sum(query.kind is QueryKind.READING_STALE for query in results.queries),
    }
