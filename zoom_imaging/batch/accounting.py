"""Every input file exactly once, with its last disposition, and the counts of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from zoom_imaging.batch.study import Outcome
from zoom_imaging.dxa.result import DxaReport, ResultState
from zoom_imaging.ingest.catalogue import Catalogue, CatalogueEntry, Disposition

_OVERTAKEN = frozenset({ResultState.SUPERSEDED, ResultState.HISTORY})


def account(
    catalogue: Catalogue, outcomes: Mapping[str, Outcome], reconciled: Mapping[str, DxaReport]
) -> Catalogue:
    """The catalogue after reading: a file that could not be read is no longer "used".

    `outcomes` and `reconciled` are by path. A report all of whose current values were overtaken by
    a later analysis of the same scan is superseded.
    """
    return replace(
        catalogue,
        entries=tuple(
            _final(entry, outcomes.get(entry.source.path), reconciled.get(entry.source.path))
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


def _final(
    entry: CatalogueEntry, outcome: Outcome | None, report: DxaReport | None
) -> CatalogueEntry:
    if entry.disposition is not Disposition.USED or outcome is None:
        return entry
    if outcome.disposition is not Disposition.USED:
        return replace(entry, disposition=outcome.disposition, reason=outcome.reason)
    if report is not None and _is_superseded(report):
        reason = next(
            result.reason for result in report.results if result.state is ResultState.SUPERSEDED
        )
        return replace(entry, disposition=Disposition.SUPERSEDED, reason=reason)
    return entry


def _is_superseded(report: DxaReport) -> bool:
    states = {result.state for result in report.results}
    return ResultState.SUPERSEDED in states and states <= _OVERTAKEN
