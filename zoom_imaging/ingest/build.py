"""From sources to the catalogue: every input file once, with what became of it and why."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from zoom_imaging.charter import Charter
from zoom_imaging.errors import UnreadableError
from zoom_imaging.ingest.archive import DEFAULT_LIMITS, Limits
from zoom_imaging.ingest.catalogue import Catalogue, Disposition, FileKind, Header, SourceFile
from zoom_imaging.ingest.clinical import ClinicalTable
from zoom_imaging.ingest.dicomdir import referenced_parts, sentence
from zoom_imaging.ingest.discover import discover
from zoom_imaging.ingest.draft import FLOWING, Draft, draft_of
from zoom_imaging.ingest.identity import Claimant, by_uid, copies
from zoom_imaging.ingest.repeat import Candidate, repeated
from zoom_imaging.ingest.scan import Cache, Progress, scan, without_collector
from zoom_imaging.ingest.source import open_source
from zoom_imaging.ingest.subject import belongs_to_another, identity_questions, subject_of
from zoom_imaging.ingest.text import path_text
from zoom_imaging.ingest.visit import VisitOf, visit_of
from zoom_imaging.query import Query, QueryKind

_NAMED_AT_MOST = 10


@without_collector()
def build_catalogue(
    sources: Sequence[Path],
    charter: Charter,
    clinical: ClinicalTable | None = None,
    jobs: int = 1,
    *,
    limits: Limits = DEFAULT_LIMITS,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Catalogue:
    """Find, read, classify and assign every input file.

    The result does not depend on `jobs`, `cache` or the order of `sources`' files. Raises
    ConfigurationError for a source that does not exist; nothing that a file holds raises.
    """
    found = discover(sources, limits)
    wanted = [
        file
        for file in found.files
        if file.disposition is not Disposition.UNREADABLE
        or (file.kind is FileKind.ARCHIVE and not file.source.member_indices)
    ]
    scanned = dict(
        zip(
            (file.source.path for file in wanted),
            scan(
                [file.source for file in wanted],
                jobs=jobs,
                limits=limits,
                cache=cache,
                progress=progress,
            ),
            strict=True,
        )
    )
    drafts = [draft_of(file, scanned.get(file.source.path)) for file in found.files]
    if clinical is not None:
        _add_clinical_table(drafts, clinical, sources)
    queries: list[Query] = []
    _describe_dicomdirs(drafts)
    queries += _assign_subjects(drafts, charter, clinical)
    queries += _settle_identity(drafts)
    queries += _assign_visits(drafts, charter, clinical)
    queries += _settle_repeats(drafts)
    if clinical is not None:
        for row in clinical.rows:
            queries += row.questions(charter)
    unique = {query.query_id: query for query in queries}
    return Catalogue(
        entries=tuple(draft.entry() for draft in sorted(drafts, key=lambda d: d.source.path)),
        queries=tuple(
            sorted(unique.values(), key=lambda q: (q.subject_id, q.kind.value, q.query_id))
        ),
        notes=(*found.notes, *(clinical.notes if clinical else ())),
    )


def _add_clinical_table(
    drafts: list[Draft], clinical: ClinicalTable, sources: Sequence[Path]
) -> None:
    """The row of the clinical table, whether it lies among the sources or not.

    Outside of them its path is relative to the source like those of the other files, and with
    several sources as given.
    """
    real = os.path.realpath(clinical.location)
    for draft in drafts:
        if not draft.source.member_indices and os.path.realpath(draft.source.location) == real:
            draft.kind, draft.disposition = FileKind.CLINICAL_TABLE, Disposition.USED
            draft.reason = ""
            return
    path = clinical.path
    if len(sources) == 1:
        base = os.path.realpath(sources[0])
        path = path_text(os.path.relpath(real, base if os.path.isdir(base) else base + "/.."))
    taken = {draft.source.path for draft in drafts}
    while path in taken:
        path += "#clinical"
    source = SourceFile(path, clinical.location, size_bytes=clinical.size_bytes)
    drafts.append(Draft(source, clinical.sha256, FileKind.CLINICAL_TABLE))


def _describe_dicomdirs(drafts: list[Draft]) -> None:
    paths = [draft.source.path for draft in drafts]
    for draft in drafts:
        if draft.kind is not FileKind.DICOMDIR:
            continue
        cut = max(draft.source.path.rfind("/"), draft.source.path.rfind("!")) + 1
        folder = draft.source.path[:cut]
        beside = [path[cut:] for path in paths if path.startswith(folder)]
        try:
            draft.reason = sentence(referenced_parts(open_source(draft.source)), beside)
        except UnreadableError as error:
            draft.disposition, draft.reason = Disposition.UNREADABLE, error.reason


def _assign_subjects(
    drafts: list[Draft], charter: Charter, clinical: ClinicalTable | None
) -> list[Query]:
    known = set(clinical.by_subject) if clinical else set()
    queries: list[Query] = []
    relevant = []
    for draft in drafts:
        if draft.header is None:
            continue
        draft.subject = subject_of(draft.clues, charter.identity)
        if draft.kind not in FLOWING or not draft.is_sound:
            continue
        relevant.append(draft)
        if not draft.subject.subject_id:
            draft.refuse(Disposition.UNKNOWN_SUBJECT, draft.subject.reason)
        elif other := belongs_to_another(draft.clues, draft.subject, known):
            draft.refuse(
                Disposition.CONFLICTING,
                f"the file has the id of another subject as well ({other}): whose is it?",
            )
            queries.append(
                Query(
                    QueryKind.IDENTITY,
                    draft.subject.subject_id,
                    "a file has the ids of two subjects: whose is it?",
                    f"{draft.source.path}: {draft.subject.subject_id}, {other}",
                )
            )
    queries += identity_questions((draft.subject, draft.clues) for draft in relevant)
    if clinical is not None:
        for subject_id in sorted({d.subject.subject_id for d in relevant} - known - {""}):
            queries.append(
                Query(
                    QueryKind.UNKNOWN_SUBJECT,
                    subject_id,
                    "images, but no row in the clinical table: is the id right?",
                )
            )
    return queries


def _settle_identity(drafts: list[Draft]) -> list[Query]:
    uids = {
        position: draft.header.sop_instance_uid
        for position, draft in enumerate(drafts)
        if draft.header is not None and draft.is_sound and draft.kind is not FileKind.DICOMDIR
    }
    queries = []
    for uid, positions in by_uid(uids):
        group = sorted((drafts[p] for p in positions), key=lambda draft: draft.source.path)
        if not any(draft.kind in FLOWING for draft in group):
            continue
        first = group[0]
        if copies([_claimant(draft) for draft in group]):
            for draft in group[1:]:
                draft.disposition = Disposition.DUPLICATE
                draft.reason = f"the same object as {first.source.path}"
            continue
        paths = [draft.source.path for draft in group]
        for draft in group:
            draft.disposition = Disposition.CONFLICTING
            draft.reason = (
                f"{len(group)} files have the SOP Instance UID {uid} and not the same content; "
                "none of them is used"
            )
        more = len(paths) - _NAMED_AT_MOST
        queries.append(
            Query(
                QueryKind.CONFLICTING_OBJECT,
                next((d.subject.subject_id for d in group if d.subject.subject_id), ""),
                f"files with one SOP Instance UID ({uid}) and different content: which is right?",
                "; ".join(paths[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else ""),
            )
        )
    return queries


def _claimant(draft: Draft) -> Claimant:
    syntax = draft.header.transfer_syntax_uid if draft.header else ""
    return Claimant(draft.source, draft.sha256, syntax)


def _assign_visits(
    drafts: list[Draft], charter: Charter, clinical: ClinicalTable | None
) -> list[Query]:
    dates: dict[str, set[date]] = defaultdict(set)
    for draft in drafts:
        counts = draft.is_sound and draft.disposition is not Disposition.CONFLICTING
        if counts and draft.kind in FLOWING and draft.header and draft.header.acquired_on:
            dates[draft.subject.subject_id].add(draft.header.acquired_on)
    queries = []
    for draft in drafts:
        subject_id = draft.subject.subject_id
        wanted = draft.kind in FLOWING or draft.disposition is Disposition.UNREADABLE
        if draft.header is None or not subject_id or not wanted:
            continue
        row = clinical.row(subject_id) if clinical else None
        found = visit_of(
            draft.header.acquired_on,
            draft.header.date_source,
            draft.clues.time_points,
            charter=charter,
            zol1_date=row.zol1_date if row else None,
            dates_of_subject=dates[subject_id],
        )
        draft.visit = found.visit
        if not draft.is_sound:
            continue
        if found.conflicting:
            draft.refuse(Disposition.CONFLICTING, found.reason)
        elif found.visit is None:
            draft.refuse(Disposition.OUTSIDE_VISIT_WINDOW, found.reason)
        queries += _date_questions(draft, draft.header, found)
    return queries


def _date_questions(draft: Draft, header: Header, found: VisitOf) -> list[Query]:
    """What a person must say about the date of a file that is, or would be, used."""
    if draft.disposition not in {Disposition.USED, Disposition.CONFLICTING}:
        return []
    asked = []
    if found.question:
        said = f"{'; '.join(draft.clues.time_points)}: {header.acquired_on}"
        asked.append((found.question, said))
    if header.acquired_on and header.study_date:
        apart = abs((header.acquired_on - header.study_date).days)
        if apart > 1:
            said = f"{header.date_source} {header.acquired_on}, StudyDate {header.study_date}"
            asked.append(("the date of the examination and of its study differ", said))
    return [
        Query(QueryKind.DATE, draft.subject.subject_id, question, values, draft.visit)
        for question, values in asked
    ]


def _settle_repeats(drafts: list[Draft]) -> list[Query]:
    candidates = [
        Candidate(
            position=position,
            path=draft.source.path,
            subject_id=draft.subject.subject_id,
            visit=draft.visit,
            kind=draft.kind,
            day=draft.header.acquired_on,
            study_uid=draft.header.study_instance_uid,
            part=draft.classified.part if draft.classified else None,
            region=draft.header.body_part.upper() if draft.kind is FileKind.DXA_REPORT else "",
        )
        for position, draft in enumerate(drafts)
        if draft.disposition is Disposition.USED
        and draft.kind in FLOWING
        and draft.visit is not None
        and draft.header is not None
        and draft.header.acquired_on is not None
    ]
    queries = []
    for competing, query in repeated(candidates):
        for candidate in competing:
            drafts[candidate.position].refuse(
                Disposition.CONFLICTING,
                f"several examinations of this kind fall into the visit {candidate.visit} "
                f"({query.values}); a person must say which one counts",
            )
        queries.append(query)
    return queries
