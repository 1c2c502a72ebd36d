"""What the first page says: the run, subjects, every file, questions, rules and limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from zoom_imaging.anatomy import GRADED_LEVELS, Arm, Visit
from zoom_imaging.change.record import BmdChange
from zoom_imaging.endpoints.results import SubjectResults, TrialResults
from zoom_imaging.ingest.catalogue import CatalogueEntry, Disposition
from zoom_imaging.query import Query
from zoom_imaging.report.charter_text import charter_values
from zoom_imaging.report.page import number, page_name, signed, words
from zoom_imaging.report.standing import trial_standing

DISPOSITION_WORDS: dict[Disposition, str] = {
    Disposition.USED: "Used for the results.",
    Disposition.NOT_DICOM: "No DICOM file.",
    Disposition.UNREADABLE: "Damaged, cut or not accessible.",
    Disposition.UNSUPPORTED_TRANSFER_SYNTAX: "No installed codec can decode the picture.",
    Disposition.NOT_RELEVANT: "A sound file of a kind that takes no part in the results.",
    Disposition.WRONG_VIEW: "A radiograph that is not a lateral view of the spine.",
    Disposition.DUPLICATE: "The same object was already there.",
    Disposition.SUPERSEDED: "A later analysis of the same scan took its place.",
    Disposition.UNKNOWN_SUBJECT: "No subject of the trial could be assigned.",
    Disposition.OUTSIDE_VISIT_WINDOW: "The examination belongs to no visit.",
    Disposition.CONFLICTING: "Objects with one identifier differ: none was used.",
    Disposition.FAILED: "An error of the program that nobody foresaw: please report it.",
}


@dataclass(frozen=True)
class SubjectLine:
    """One row of the table of subjects, in words."""

    subject_id: str
    page: str
    arm_planned: str
    arm_actual: str
    bmd_change: str
    bmd_given: bool
    lsc: str
    bmd_note: str
    fractures: str
    fracture_known: bool
    fracture_levels: str
    levels_evaluable: int
    queries: int
    missing: tuple[str, ...]
    status: str


def overview(results: TrialResults, charter_source: Path | None) -> dict[str, Any]:
    """Everything that the template of the first page asks for."""
    entries = results.catalogue.entries
    by_disposition = Counter(entry.disposition for entry in entries)
    lines = [_line(subject, results) for subject in results.subjects]
    values = charter_values(results.charter, charter_source)
    return {
        "results": results,
        "standing": trial_standing(results),
        "lines": lines,
        "dispositions": [
            (kind, by_disposition[kind], DISPOSITION_WORDS[kind]) for kind in Disposition
        ],
        "not_used": [entry for entry in entries if entry.disposition is not Disposition.USED],
        "used": [entry for entry in entries if entry.disposition is Disposition.USED],
        "queries": results.queries,
        "pages": {
            subject.subject_id: page_name(subject.subject_id) for subject in results.endpoints
        },
        "charter_sections": [
            (section, list(group)) for section, group in groupby(values, lambda one: one.section)
        ],
        "assumed_known": all(value.assumed is not None for value in values),
        "assumed_count": sum(value.assumed is True for value in values),
        "graded_count": len(GRADED_LEVELS),
        "with_event": sum(bool(subject.fractures.incident_levels) for subject in results.endpoints),
        "event_unknown": sum(
            subject.fractures.any_new_or_worsening is None for subject in results.endpoints
        ),
        "with_bmd_change": sum(
            subject.bmd_changes["lumbar_spine"].change_pct is not None
            for subject in results.endpoints
        ),
    }


def lsc_words(change: BmdChange) -> str:
    """Whether a change of BMD counts, in words; it has a direction only beyond the LSC."""
    if change.change_pct is None:
        return ""
    if change.exceeds_lsc is None:
        return "LSC not judged"
    if not change.exceeds_lsc:
        return "within LSC"
    return "gain beyond LSC" if change.change_pct > 0 else "loss beyond LSC"


def queries_of(subject: SubjectResults, results: TrialResults) -> tuple[Query, ...]:
    """All questions about a subject, those of the catalogue included."""
    return results.queries_by_subject.get(subject.subject_id, ())


def files_of(subject: SubjectResults, results: TrialResults) -> tuple[CatalogueEntry, ...]:
    """All files that carry the subject's id, used or not."""
    return results.files_by_subject.get(subject.subject_id, ())


def missing_words(subject: SubjectResults) -> tuple[str, ...]:
    """What is not there, visit by visit: silence could be taken for a normal finding."""
    missing = []
    for visit, at in ((Visit.BASELINE, "at baseline"), (Visit.MONTH12, "at month 12")):
        if not subject.films[visit]:
            missing.append(f"No lateral spine film {at}")
        elif all(film.refusal for film in subject.films[visit]):
            missing.append(f"No readable lateral spine film {at}")
        if not subject.dxa[visit]:
            missing.append(f"No densitometry {at}")
    return tuple(missing)


def fracture_words(subject: SubjectResults) -> tuple[str, bool]:
    """New and worsening fractures in words, and whether any is known."""
    fractures = subject.fractures
    parts = []
    if fractures.new:
        parts.append(f"{len(fractures.new)} new")
    if fractures.worsening:
        parts.append(f"{len(fractures.worsening)} worsening")
    if parts:
        return ", ".join(parts), True
    compared = fractures.levels_evaluable_both
    if compared == len(GRADED_LEVELS):
        return "none at all 13 levels", False
    if compared == 0:
        return "not evaluable: no level could be compared", False
    return f"no event among {compared} evaluable levels; the others are not known", False


def _line(subject: SubjectResults, results: TrialResults) -> SubjectLine:
    change = subject.bmd_changes["lumbar_spine"]
    fractures, known = fracture_words(subject)
    given = change.change_pct is not None
    return SubjectLine(
        subject_id=subject.subject_id,
        page=page_name(subject.subject_id),
        arm_planned=_arm(subject.arm_planned),
        arm_actual=_arm(subject.arm_actual),
        bmd_change=f"{signed(change.change_pct, 2)} %" if given else number(None),
        bmd_given=given,
        lsc=lsc_words(change),
        bmd_note=_bmd_note(change),
        fractures=fractures,
        fracture_known=known,
        fracture_levels=", ".join(subject.fractures.incident_levels),
        levels_evaluable=subject.fractures.levels_evaluable_both,
        queries=len(queries_of(subject, results)),
        missing=missing_words(subject),
        status=words(subject.status),
    )


def _bmd_note(change: BmdChange) -> str:
    parts = [f"over {change.levels}"] if change.levels and change.change_pct is not None else []
    if change.excluded_levels:
        parts.append(f"without {', '.join(change.excluded_levels)}")
    if change.reason:
        parts.append(change.reason)
    return "; ".join(parts)


def _arm(arm: Arm | None) -> str:
    return "not known" if arm is None else words(arm)
