"""What one run found about every subject: the record from which tables and the report are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

from zoom_imaging.anatomy import Arm, Visit
from zoom_imaging.change.record import BmdChange, VertebraChange
from zoom_imaging.change.subject import FractureSummary
from zoom_imaging.charter import Charter
from zoom_imaging.dxa.result import DxaReport
from zoom_imaging.endpoints.status import EndpointStatus
from zoom_imaging.ingest.catalogue import Catalogue, CatalogueEntry, SourceFile
from zoom_imaging.morphometry.reading import FilmReading, VertebraReading
from zoom_imaging.query import Query

if TYPE_CHECKING:
    from zoom_imaging.ingest.clinical import ClinicalRow
    from zoom_imaging.review.verdict import SubjectVerdict


BMD_SITES: tuple[str, ...] = ("lumbar_spine", "total_hip", "femoral_neck")
"""Keys of `SubjectResults.bmd_changes`, in the order of the tables."""


@dataclass(frozen=True)
class ModelWord:
    """What the model alone said of a subject whose films readers have read."""

    films: Mapping[Visit, tuple[FilmReading, ...]]
    changes: tuple[VertebraChange, ...]


@dataclass(frozen=True, kw_only=True)
class SubjectEndpoints:
    """The endpoints of one subject, and who stands behind them: what the trial needs of her.

    `bmd_changes` has the keys of `BMD_SITES`. `arm_actual` differs from `arm_planned` where the
    second dose was replaced.
    """

    subject_id: str
    clinical: ClinicalRow | None
    arm_planned: Arm | None
    arm_actual: Arm | None
    fractures: FractureSummary
    bmd_changes: Mapping[str, BmdChange]
    status: EndpointStatus = EndpointStatus.PROVISIONAL

    @property
    def in_full_set(self) -> bool:
        """A planned arm and a lumbar BMD at baseline (domain rules, section 8)."""
        has_baseline = self.bmd_changes["lumbar_spine"].baseline_g_per_cm2 is not None
        return self.arm_planned is not None and has_baseline

    @property
    def in_per_protocol_set(self) -> bool:
        """In the full set, treated as planned, with a comparable lumbar BMD at month 12."""
        has_change = self.bmd_changes["lumbar_spine"].change_pct is not None
        return self.in_full_set and has_change and self.arm_actual is self.arm_planned


@dataclass(frozen=True, kw_only=True)
class SubjectResults(SubjectEndpoints):
    """Everything that is known of one subject.

    Each mapping by visit has both visits as keys; a visit without files has an empty tuple.
    `dxa` holds the reports after reconciliation, every one that was read, also superseded ones;
    `films` the readings film by film; `vertebrae` the levels T4-L4 merged over the films of a visit
    (empty without a readable film). `film_sources` says where each film of `films` lies, in the
    same order, so that a report can draw it. `status` says who stands behind `films`, `vertebrae`,
    `changes` and all that follows. Where it is not provisional, `verdict` holds the readers' word
    and who signed it, and `model` what the model had said.
    """

    dxa: Mapping[Visit, tuple[DxaReport, ...]]
    films: Mapping[Visit, tuple[FilmReading, ...]]
    film_sources: Mapping[Visit, tuple[SourceFile, ...]]
    vertebrae: Mapping[Visit, tuple[VertebraReading, ...]]
    changes: tuple[VertebraChange, ...]
    queries: tuple[Query, ...]
    verdict: SubjectVerdict | None = None
    model: ModelWord | None = None

    @property
    def model_word(self) -> ModelWord:
        """What the model alone said, whoever stands behind the results."""
        return self.model if self.model is not None else ModelWord(self.films, self.changes)

    @property
    def endpoints(self) -> SubjectEndpoints:
        """Her endpoints alone: no films, no reports."""
        kept = {field.name: getattr(self, field.name) for field in fields(SubjectEndpoints)}
        return SubjectEndpoints(**kept)


@dataclass(frozen=True)
class RunMetadata:
    """How the results were made; goes into run.json and the foot of the report.

    `model_sha256` is empty when no film was read. `counts` are of files, subjects and queries.
    `readings` names the database whose readings replace the model's, without a password, and
    `readings_head` the last seal of its audit trail; empty where none was asked for.
    """

    versions: Mapping[str, str]
    model_name: str
    model_version: str
    model_sha256: str
    charter_sha256: str
    engine: str
    counts: Mapping[str, int]
    readings: str = ""
    readings_head: str = ""


@dataclass(frozen=True)
class TrialResults:
    """One run over one trial. `catalogue` has the final disposition of every input file.

    `subjects` has one entry for each subject of the clinical table or of the catalogue, by id. They
    may come from the disk: go through them, and keep of each only what is needed. `endpoints` are
    those of all of them, in memory.
    `queries` holds all questions, those of the catalogue and of the subjects, each once, by id.
    """

    charter: Charter
    catalogue: Catalogue
    clinical: tuple[ClinicalRow, ...]
    subjects: Sequence[SubjectResults]
    queries: tuple[Query, ...]
    run: RunMetadata

    def subject(self, subject_id: str) -> SubjectResults:
        """The subject with this id; KeyError without one."""
        for subject in self.subjects:
            if subject.subject_id == subject_id:
                return subject
        raise KeyError(subject_id)

    @cached_property
    def endpoints(self) -> tuple[SubjectEndpoints, ...]:
        """The endpoints of each of `subjects`, in their order."""
        return tuple(subject.endpoints for subject in self.subjects)

    @cached_property
    def files_by_subject(self) -> Mapping[str, tuple[CatalogueEntry, ...]]:
        """Files that carry a subject's id, used or not, by that id; looked through only once."""
        found: dict[str, list[CatalogueEntry]] = {}
        for entry in self.catalogue.entries:
            if entry.subject_id:
                found.setdefault(entry.subject_id, []).append(entry)
        return {subject_id: tuple(entries) for subject_id, entries in found.items()}

    @cached_property
    def queries_by_subject(self) -> Mapping[str, tuple[Query, ...]]:
        """Questions about a subject, by the id; looked through only once."""
        found: dict[str, list[Query]] = {}
        for query in self.queries:
            found.setdefault(query.subject_id, []).append(query)
        return {subject_id: tuple(queries) for subject_id, queries in found.items()}


def count_by_status(subjects: Iterable[SubjectEndpoints]) -> dict[str, int]:
    """Subjects by who stands behind them, also kinds with none."""
    found = Counter(subject.status for subject in subjects)
    return {status.value: found[status] for status in EndpointStatus}
