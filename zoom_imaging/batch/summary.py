"""What a run found, in a few lines for the person who waited for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zoom_imaging.anatomy import GRADED_LEVELS
from zoom_imaging.endpoints.results import TrialResults, count_by_status
from zoom_imaging.endpoints.status import EndpointStatus
from zoom_imaging.ingest.catalogue import Disposition

_WIDTH = 44


def summary(results: TrialResults, folder: Path) -> str:
    """Counts of files, subjects and endpoints, in plain ASCII apart from the folder's name."""
    return "\n".join(_lines(results, folder))


def _lines(results: TrialResults, folder: Path) -> Iterator[str]:
    counts = results.run.counts
    yield _line("Input files", counts["files"])
    for kind in Disposition:
        if counts[kind.value]:
            yield _line(f"  {kind.value}", counts[kind.value])
    subjects = results.endpoints
    yield _line("Subjects", len(subjects))
    for site, change in (
        ("lumbar spine", "lumbar_spine"),
        ("total hip", "total_hip"),
        ("femoral neck", "femoral_neck"),
    ):
        known = sum(subject.bmd_changes[change].change_pct is not None for subject in subjects)
        yield _line(f"  with a BMD change of the {site}", known)
    complete = len(GRADED_LEVELS)
    yield _line(
        "  with all 13 levels compared",
        sum(subject.fractures.levels_evaluable_both == complete for subject in subjects),
    )
    status = count_by_status(subjects)
    by_model = status[EndpointStatus.PROVISIONAL] == len(subjects)
    yield _line(
        f"  with a new vertebral fracture{' (model only)' if by_model else ''}",
        sum(subject.fractures.any_new is True for subject in subjects),
    )
    if results.run.readings:
        for standing, count in status.items():
            yield _line(f"  {standing}", count)
    yield _line("Queries for a person", len(results.queries))
    yield f"Endpoint table: {folder / 'endpoints.csv'}"
    yield f"Report: {folder / 'report' / 'index.html'}"


def _line(label: str, count: int) -> str:
    return f"{label:<{_WIDTH}}{count:>8}"
