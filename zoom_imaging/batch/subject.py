"""One subject: her reports and films of both visits brought together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from zoom_imaging.anatomy import Visit
from zoom_imaging.batch.readings import RunFilm, as_read, differences, stale_query
from zoom_imaging.batch.study import Outcome
from zoom_imaging.change.bmd import hip_change, lumbar_change
from zoom_imaging.change.match import FilmComparison, compare_films
from zoom_imaging.change.record import BmdChange, ChangeKind, VertebraChange
from zoom_imaging.change.subject import summarise_fractures
from zoom_imaging.charter import Charter
from zoom_imaging.dxa.analyses import reconcile
from zoom_imaging.dxa.result import DxaReport, Site
from zoom_imaging.endpoints.results import BMD_SITES, ModelWord, SubjectResults
from zoom_imaging.endpoints.status import EndpointStatus
from zoom_imaging.ingest.catalogue import CatalogueEntry, Disposition, FileKind, SourceFile
from zoom_imaging.ingest.clinical import ClinicalRow
from zoom_imaging.morphometry.reading import FilmReading
from zoom_imaging.morphometry.spine import merge_films
from zoom_imaging.query import Query
from zoom_imaging.review.verdict import Standing, SubjectVerdict


def assemble(
    subject_id: str,
    clinical: ClinicalRow | None,
    entries: Sequence[CatalogueEntry],
    outcomes: Mapping[str, Outcome],
    charter: Charter,
    *,
    verdict: SubjectVerdict | None = None,
) -> SubjectResults:
    """Everything about one subject. `entries` are her files, `outcomes` by path.

    The films come first: a vertebra that fractured leaves the lumbar BMD at both visits. `verdict`
    is the readers' word on them; it takes the model's place where it is about these very films.
    """
    run_films: list[RunFilm] = []
    film_sources: dict[Visit, tuple[SourceFile, ...]] = {}
    reports: dict[Visit, tuple[DxaReport, ...]] = {}
    queries: list[Query] = []
    for visit in Visit:
        shown, film_sources[visit] = _films(entries, visit, outcomes)
        run_films += shown
        reports[visit], asked = reconcile(_reports(entries, visit, outcomes))
        queries += (_about(query, subject_id, visit) for query in asked)
    films: Mapping[Visit, tuple[FilmReading, ...]] = {
        visit: tuple(film.reading for film in run_films if film.visit is visit) for visit in Visit
    }
    comparison = _compared(films, charter, subject_id)
    model: ModelWord | None = None
    if verdict is not None and (differs := differences(verdict, run_films)):
        queries.append(stale_query(subject_id, differs))
        verdict = None
    elif verdict is not None:
        model = ModelWord(films, comparison.changes)
        films = as_read(verdict, run_films, charter)
        comparison = _settled(_compared(films, charter, subject_id), verdict)
    vertebrae = {visit: merge_films(films[visit]) for visit in Visit}
    bmd = _bmd_changes(subject_id, reports, comparison.changes, entries, charter)
    queries += comparison.queries
    queries += (query for change in bmd.values() for query in change.queries)
    return SubjectResults(
        subject_id=subject_id,
        clinical=clinical,
        arm_planned=clinical.arm_planned if clinical else None,
        arm_actual=clinical.arm_actual if clinical else None,
        dxa=reports,
        films=films,
        film_sources=film_sources,
        vertebrae=vertebrae,
        changes=comparison.changes,
        fractures=summarise_fractures(
            comparison.changes,
            vertebrae[Visit.BASELINE],
            vertebrae[Visit.MONTH12],
            charter.fracture,
        ),
        bmd_changes=bmd,
        queries=tuple(dict.fromkeys(queries)),
        status=EndpointStatus(verdict.standing.value) if verdict else EndpointStatus.PROVISIONAL,
        verdict=verdict,
        model=model,
    )


def _compared(
    films: Mapping[Visit, tuple[FilmReading, ...]], charter: Charter, subject_id: str
) -> FilmComparison:
    return compare_films(
        films[Visit.BASELINE], films[Visit.MONTH12], charter, subject_id=subject_id
    )


def _settled(comparison: FilmComparison, verdict: SubjectVerdict) -> FilmComparison:
    """Nothing of a final subject waits for a reader but a lower grade, which stays a query."""
    if verdict.standing is not Standing.FINAL:
        return comparison
    return replace(
        comparison,
        changes=tuple(
            replace(change, flagged=change.kind is ChangeKind.IMPROVED)
            for change in comparison.changes
        ),
    )


def _used(
    entries: Sequence[CatalogueEntry], kind: FileKind, visit: Visit
) -> tuple[CatalogueEntry, ...]:
    return tuple(
        entry
        for entry in entries
        if entry.kind is kind and entry.visit is visit and entry.disposition is Disposition.USED
    )


def _films(
    entries: Sequence[CatalogueEntry], visit: Visit, outcomes: Mapping[str, Outcome]
) -> tuple[tuple[RunFilm, ...], tuple[SourceFile, ...]]:
    found = [
        (RunFilm(visit, entry.sha256, film), entry.source)
        for entry in _used(entries, FileKind.SPINE_RADIOGRAPH, visit)
        for film in outcomes[entry.source.path].films
    ]
    return tuple(film for film, _ in found), tuple(source for _, source in found)


def _reports(
    entries: Sequence[CatalogueEntry], visit: Visit, outcomes: Mapping[str, Outcome]
) -> tuple[DxaReport, ...]:
    found = (
        outcomes[entry.source.path].report for entry in _used(entries, FileKind.DXA_REPORT, visit)
    )
    return tuple(report for report in found if report is not None)


def _about(query: Query, subject_id: str, visit: Visit) -> Query:
    """A report does not know whose it is: its questions are completed here."""
    return replace(query, subject_id=query.subject_id or subject_id, visit=query.visit or visit)


def _bmd_changes(
    subject_id: str,
    reports: Mapping[Visit, Sequence[DxaReport]],
    changes: Sequence[VertebraChange],
    entries: Sequence[CatalogueEntry],
    charter: Charter,
) -> dict[str, BmdChange]:
    before, after = reports[Visit.BASELINE], reports[Visit.MONTH12]
    found = {
        Site.LUMBAR_SPINE.value: lumbar_change(
            before, after, changes, charter, subject_id=subject_id
        )
    }
    for site in (Site.TOTAL_HIP, Site.FEMORAL_NECK):
        found[site.value] = hip_change(before, after, charter, site, subject_id=subject_id)
    lost = _lost_reports(entries)
    return {site: _with_reason(found[site], lost) for site in BMD_SITES}


def _lost_reports(entries: Sequence[CatalogueEntry]) -> str:
    """What of the subject could not be used, so that a missing value has its cause.

    Of a file that cannot be read nobody knows whether it was a report.
    """
    return "; ".join(
        f"{entry.source.path} is {entry.disposition.value}: {entry.reason}"
        for entry in entries
        if entry.disposition is Disposition.UNREADABLE
        or (
            entry.kind is FileKind.DXA_REPORT
            and entry.disposition not in {Disposition.USED, Disposition.DUPLICATE}
        )
    )


def _with_reason(change: BmdChange, lost: str) -> BmdChange:
    if not lost or (change.baseline_g_per_cm2 is not None and change.month12_g_per_cm2 is not None):
        return change
    return replace(change, reason="; ".join(filter(None, (change.reason, lost))))
