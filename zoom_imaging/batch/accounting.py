"""Every input file exactly once, with its last disposition, and the counts of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from zoom_imaging.batch.study import Outcome
from zoom_imaging.dxa.result import DxaReport, ResultState
from zoom_imaging.ingest.catalogue import Catalogue, CatalogueEntry, Disposition

_OVERTAKEN = frozenset({ResultState.SUPERSEDED, ResultState.HISTORY})


def account(catalogue: Catalogue, outcomes: Mapping[str, Outcome]) -> Catalogue:
    """The catalogue after reading: a file that could not be read is no longer "used".

    `outcomes` are by path. What was odd about a file that is used becomes its reason.
    """
    return replace(
        catalogue,
        entries=tuple(
            _after_reading(entry, outcomes.get(entry.source.path)) for entry in catalogue.entries
        ),
    )


def supersede(catalogue: Catalogue, reports: Iterable[DxaReport]) -> Catalogue:
    """The catalogue after reconciling `reports`: one that was wholly overtaken is superseded."""
    overtaken = {report.path: reason for report in reports if (reason := _overtaken(report))}
    return replace(
        catalogue,
        entries=tuple(
            replace(
                entry,
                disposition=Disposition.SUPERSEDED,
                reason=overtaken[entry.source.path],
            )
            if entry.source.path in overtaken and entry.disposition is Disposition.USED
            else entry
            for entry in catalogue.entries
        ),
    )


def counts(catalogue: Catalogue, subjects: int, queries: int) -> dict[str, int]:
    """Files in all and by disposition (also those with 0), subjects and queries."""
    by_disposition = Counter(entry.disposition for entry in catalogue.entries)
    return {
        "files": len(catalogue.entries),
        **{kind.value: by_disposition[kind] for kind in Disposition},
        "subjects": subjects,
        "queries": queries,
    }


def failed(entries: Sequence[CatalogueEntry]) -> tuple[CatalogueEntry, ...]:
    """Files that met an error which nobody foresaw: the run ends with exit 3."""
    return tuple(entry for entry in entries if entry.disposition is Disposition.FAILED)


def _after_reading(entry: CatalogueEntry, outcome: Outcome | None) -> CatalogueEntry:
    if entry.disposition is not Disposition.USED or outcome is None:
        return entry
    if outcome.disposition is not Disposition.USED:
        return replace(entry, disposition=outcome.disposition, reason=outcome.reason)
    remarks = (entry.reason, outcome.reason, *entry.warnings, *outcome.warnings)
    return replace(entry, reason="; ".join(dict.fromkeys(text for text in remarks if text)))


def _overtaken(report: DxaReport) -> str:
    """Why nothing of a report counts any more; "" while something does."""
    states = {result.state for result in report.results}
    if ResultState.SUPERSEDED not in states or not states <= _OVERTAKEN:
        return ""
    return next(
        result.reason or "a later analysis of the same scan took its place"
        for result in report.results
        if result.state is ResultState.SUPERSEDED
    )
