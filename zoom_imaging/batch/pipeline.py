"""From sources to the results of a trial: catalogue, studies, subjects, accounts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zoom_imaging.batch.accounting import account, counts, supersede
from zoom_imaging.batch.cache import Cache, charter_sha256
from zoom_imaging.batch.cluster import Team
from zoom_imaging.batch.outcomes import StudyReader
from zoom_imaging.batch.progress import Stage, Voice
from zoom_imaging.batch.readings import Readings
from zoom_imaging.batch.shelf import Shelf, ShelfMap
from zoom_imaging.batch.study import Networks, Outcome, Study, run
from zoom_imaging.batch.subject import assemble
from zoom_imaging.charter import Charter
from zoom_imaging.endpoints.results import RunMetadata, SubjectResults, TrialResults
from zoom_imaging.ingest.catalogue import Catalogue, CatalogueEntry, Disposition, FileKind
from zoom_imaging.ingest.clinical import ClinicalTable
from zoom_imaging.ingest.text import visible
from zoom_imaging.provenance import package_versions
from zoom_imaging.query import Query

if TYPE_CHECKING:
    from zoom_imaging.vision.bundle import Bundle

_STUDIED = (FileKind.DXA_REPORT, FileKind.SPINE_RADIOGRAPH)


@dataclass(frozen=True)
class Trial:
    """A checked request: where the files are, by which rules and with which means."""

    sources: tuple[Path, ...]
    out: Path
    charter: Charter
    clinical: ClinicalTable | None
    team: Team
    engine: str = "torch"
    model: Path | None = None
    fresh: bool = False
    readings: Readings | None = None


def run_trial(trial: Trial, subjects: Shelf[SubjectResults], voice: Voice) -> TrialResults:
    """Read every file and bring the subjects together; nothing but the cache is written.

    The subjects are put on the empty shelf `subjects`, from which the results take them. ModelError
    if there are films and no usable model; ConfigurationError for a source that cannot be listed.
    """
    with voice.stage("Reading headers") as stage:
        catalogue = _catalogue(trial, stage)
    for note in catalogue.notes:
        voice.say(f"Note: {note}")
    studies = [_study(entry) for kind in _STUDIED for entry in catalogue.used(kind)]
    bundle = _bundle(studies, trial.model)
    with Shelf[Outcome](trial.out) as shelf:
        outcomes = ShelfMap(shelf)
        for one, outcome in _reader(trial, bundle).outcomes(studies, voice):
            outcomes.put(one.source.path, outcome)
        catalogue = account(catalogue, outcomes)
        with voice.stage("Comparing visits"):
            for subject in _subjects(trial, catalogue, outcomes):
                subjects.put(subject)
    if trial.readings is not None:
        catalogue = _with_strangers(catalogue, trial.readings, subjects, voice)
    catalogue = supersede(
        catalogue,
        (report for one in subjects for reports in one.dxa.values() for report in reports),
    )
    queries = _queries(catalogue, subjects)
    return TrialResults(
        charter=trial.charter,
        catalogue=catalogue,
        clinical=trial.clinical.rows if trial.clinical else (),
        subjects=subjects,
        queries=queries,
        run=RunMetadata(
            versions=package_versions(),
            model_name=bundle.name if bundle else "",
            model_version=bundle.version if bundle else "",
            model_sha256=bundle.sha256 if bundle else "",
            charter_sha256=charter_sha256(trial.charter),
            engine=trial.engine,
            counts=counts(catalogue, len(subjects), len(queries)),
            readings=trial.readings.source if trial.readings else "",
            readings_head=trial.readings.audit_head if trial.readings else "",
        ),
    )


def _catalogue(trial: Trial, stage: Stage) -> Catalogue:
    from zoom_imaging.ingest.build import build_catalogue

    found = build_catalogue(
        trial.sources, trial.charter, trial.clinical, trial.team.crew.jobs, progress=stage.reach
    )
    # A result folder inside a source: a run never reads its own results.
    out = os.path.realpath(trial.out)
    return replace(
        found,
        entries=tuple(
            entry
            for entry in found.entries
            if entry.kind is FileKind.CLINICAL_TABLE
            or not Path(os.path.realpath(os.path.dirname(entry.source.location))).is_relative_to(
                out
            )
        ),
    )


def _study(entry: CatalogueEntry) -> Study:
    return Study(entry.source.absolute(), entry.sha256, entry.kind)


def _bundle(studies: Sequence[Study], model: Path | None) -> Bundle | None:
    if not any(one.kind is FileKind.SPINE_RADIOGRAPH for one in studies):
        return None
    from zoom_imaging.vision.bundle import load_bundle

    return load_bundle(model)


def _reader(trial: Trial, bundle: Bundle | None) -> StudyReader:
    networks = Networks(trial.model, trial.engine)
    memory = Cache(trial.out, trial.charter, bundle.sha256 if bundle else "", trial.engine)
    if trial.fresh:
        memory.clear()
    return StudyReader(partial(run, charter=trial.charter, networks=networks), memory, trial.team)


def _subjects(
    trial: Trial, catalogue: Catalogue, outcomes: Mapping[str, Outcome]
) -> Iterator[SubjectResults]:
    rows = trial.clinical.by_subject if trial.clinical else {}
    files: dict[str, list[CatalogueEntry]] = {subject_id: [] for subject_id in rows}
    for entry in catalogue.entries:
        if entry.subject_id and entry.disposition is not Disposition.UNKNOWN_SUBJECT:
            files.setdefault(entry.subject_id, []).append(entry)
    for subject_id in sorted(files):
        verdict = trial.readings.of(subject_id) if trial.readings else None
        yield assemble(
            subject_id,
            rows.get(subject_id),
            files[subject_id],
            outcomes,
            trial.charter,
            verdict=verdict,
        )


def _with_strangers(
    catalogue: Catalogue, readings: Readings, subjects: Sequence[SubjectResults], voice: Voice
) -> Catalogue:
    """Notes on readings of subjects that this run does not know: they are in no table."""
    notes = tuple(
        f"the readings hold {visible(stranger)}, whom neither the clinical table nor a file names"
        for stranger in readings.strangers([subject.subject_id for subject in subjects])
    )
    for note in notes:
        voice.say(f"Note: {note}")
    return replace(catalogue, notes=catalogue.notes + notes)


def _queries(catalogue: Catalogue, subjects: Sequence[SubjectResults]) -> tuple[Query, ...]:
    """Every question once, by subject, visit, level and number."""
    every = [*catalogue.queries, *(query for subject in subjects for query in subject.queries)]
    once = {query.query_id: query for query in every}
    return tuple(
        sorted(
            once.values(),
            key=lambda query: (
                query.subject_id,
                query.visit or "",
                query.level.ordinal if query.level else -1,
                query.query_id,
            ),
        )
    )
