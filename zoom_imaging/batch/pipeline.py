"""From sources to the results of a trial: catalogue, studies, subjects, accounts."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zoom_imaging.batch import study
from zoom_imaging.batch.accounting import account, counts, supersede
from zoom_imaging.batch.cache import Cache, charter_sha256, program_sha256, worth_keeping
from zoom_imaging.batch.cluster import Crew, spread
from zoom_imaging.batch.progress import Stage, Voice
from zoom_imaging.batch.readings import Readings
from zoom_imaging.batch.study import Outcome, Study
from zoom_imaging.batch.subject import assemble
from zoom_imaging.charter import Charter
from zoom_imaging.endpoints.results import RunMetadata, SubjectResults, TrialResults
from zoom_imaging.errors import ConfigurationError, OutputError
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
    crew: Crew
    engine: str = "torch"
    model: Path | None = None
    fresh: bool = False
    readings: Readings | None = None


def run_trial(trial: Trial, voice: Voice) -> TrialResults:
    """Read every file and bring the subjects together; nothing but the cache is written.

    ModelError if there are films and no usable model; ConfigurationError for a source that cannot
    be listed.
    """
    with voice.stage("Reading headers") as stage:
        catalogue = _catalogue(trial, stage)
    for note in catalogue.notes:
        voice.say(f"Note: {note}")
    studies = [_study(entry) for kind in _STUDIED for entry in catalogue.used(kind)]
    bundle = _bundle(studies, trial.model)
    outcomes = _read(studies, trial, bundle, voice)
    catalogue = account(catalogue, outcomes)
    with voice.stage("Comparing visits"):
        subjects = _subjects(trial, catalogue, outcomes)
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
        trial.sources, trial.charter, trial.clinical, trial.crew.jobs, progress=stage.reach
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
    # A worker may have another working directory.
    source = replace(entry.source, location=os.path.abspath(entry.source.location))
    return Study(source, entry.sha256, entry.kind)


def _bundle(studies: Sequence[Study], model: Path | None) -> Bundle | None:
    if not any(one.kind is FileKind.SPINE_RADIOGRAPH for one in studies):
        return None
    from zoom_imaging.vision.bundle import load_bundle

    return load_bundle(model)


def _read(
    studies: Sequence[Study], trial: Trial, bundle: Bundle | None, voice: Voice
) -> dict[str, Outcome]:
    """The outcome of every study by path: from the cache where it is known, else computed now."""
    memory = Cache(trial.out, trial.charter, bundle.sha256 if bundle else "", trial.engine)
    if trial.fresh:
        memory.clear()
    outcomes: dict[str, Outcome] = {}
    unknown: list[Study] = []
    with memory as cache:
        for one, known in cache.known(studies):
            if known is None:
                unknown.append(one)
            else:
                outcomes[one.source.path] = known
        if outcomes:
            voice.say(f"{len(outcomes)} of {len(studies)} files are known from before.")
        if not unknown:
            return outcomes
        remember = _Memory(cache, voice)
        with voice.stage("Reading reports and films", len(unknown)) as stage:
            for one, body in _compute(unknown, trial, voice):
                outcome = Outcome.from_json(body)
                outcomes[one.source.path] = outcome
                if worth_keeping(outcome):
                    remember.put(one, body)
                else:
                    voice.warn(f"{one.source.path}: {outcome.reason}")
                stage.advance()
        remember.flush()
    return outcomes


def _compute(unknown: Sequence[Study], trial: Trial, voice: Voice) -> Iterator[tuple[Study, bytes]]:
    networks = study.Networks(trial.model, trial.engine, trial.crew.threads_per_job)
    task: Callable[[Study], bytes] = partial(study.run, charter=trial.charter, networks=networks)
    if trial.crew.address:
        task = partial(_run_elsewhere, task=task, program=program_sha256())
    for done in spread(unknown, task, trial.crew, light=_is_report, say=voice.say):
        yield done.task, done.result or study.failure(done.problem).to_json()


def _is_report(one: Study) -> bool:
    """A report is read in milliseconds, less than a task of its own costs; a film in seconds."""
    return one.kind is FileKind.DXA_REPORT


def _run_elsewhere(one: Study, task: Callable[[Study], bytes], program: str) -> bytes:
    """`task` on a worker that may be set up otherwise; ConfigurationError where it is."""
    if program_sha256() != program:
        raise ConfigurationError(
            f"a worker on {socket.gethostname()} has another version of zoom_imaging, of Python or "
            "of a package that makes numbers than this run",
            remedy="install the same on every worker and restart them",
        )
    folder = os.path.dirname(one.source.location)
    if not os.path.isdir(folder):
        raise ConfigurationError(
            f"a worker on {socket.gethostname()} does not see the folder {visible(folder)}",
            remedy="mount the sources under the same path on every worker",
        )
    return task(one)


class _Memory:
    """The cache, as far as it can be written: results are at hand even where it cannot.

    Whether the tables can be written is told when they are.
    """

    def __init__(self, cache: Cache, voice: Voice) -> None:
        self._cache: Cache | None = cache
        self._voice = voice

    def put(self, one: Study, body: bytes) -> None:
        self._try(lambda cache: cache.put(one, body))

    def flush(self) -> None:
        self._try(Cache.flush)

    def _try(self, write: Callable[[Cache], None]) -> None:
        if self._cache is None:
            return
        try:
            write(self._cache)
        except OutputError as error:
            self._cache = None
            self._voice.say(f"From here on not remembered for the next run: {error.reason}")


def _subjects(
    trial: Trial, catalogue: Catalogue, outcomes: Mapping[str, Outcome]
) -> tuple[SubjectResults, ...]:
    rows = trial.clinical.by_subject if trial.clinical else {}
    files: dict[str, list[CatalogueEntry]] = {subject_id: [] for subject_id in rows}
    for entry in catalogue.entries:
        if entry.subject_id and entry.disposition is not Disposition.UNKNOWN_SUBJECT:
            files.setdefault(entry.subject_id, []).append(entry)
    return tuple(
        assemble(
            subject_id,
            rows.get(subject_id),
            files[subject_id],
            outcomes,
            trial.charter,
            verdict=trial.readings.of(subject_id) if trial.readings else None,
        )
        for subject_id in sorted(files)
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
