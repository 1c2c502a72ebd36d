"""Whose file is it: the subject id by the charter's rules, and what contradicts it.

An id is taken without outer blanks and NULs, with its leading zeros, and matched exactly. Nothing
is ever joined by name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from zoom_imaging.charter import IdentityRules
from zoom_imaging.ingest.clues import Clues
from zoom_imaging.ingest.text import has_controls, visible
from zoom_imaging.query import Query, QueryKind

_NAMED_AT_MOST = 10


@dataclass(frozen=True)
class SubjectOf:
    """The subject of one file; without one `reason` says why."""

    subject_id: str
    source: str = ""
    reason: str = ""


def subject_of(clues: Clues, rules: IdentityRules) -> SubjectOf:
    """The first id that is not blank, in the charter's order; none if it breaks the pattern.

    A later source does not stand in for an id that breaks the pattern: it may be another person's.
    """
    stored = dict(clues.subject_ids)
    for source in rules.subject_sources:
        value = stored.get(source, "").strip(" \0")
        if not value:
            continue
        if has_controls(value) or not re.fullmatch(rules.subject_pattern, value):
            return SubjectOf(
                "",
                source,
                f"{source} '{visible(value)[:80]}' does not match the charter's pattern "
                f"{rules.subject_pattern}",
            )
        return SubjectOf(value, source)
    return SubjectOf("", reason=f"no subject id in {' or '.join(rules.subject_sources)}")


def belongs_to_another(clues: Clues, subject: SubjectOf, known_subjects: Collection[str]) -> str:
    """Whose id the file has as well, where a second id is that of another known subject."""
    for source, value in clues.subject_ids:
        other = value.strip(" \0")
        if source != subject.source and other != subject.subject_id and other in known_subjects:
            return other
    return ""


def identity_questions(files: Iterable[tuple[SubjectOf, Clues]]) -> list[Query]:
    """Contradictions between the files of a subject: ids that map to several, birth date, sex.

    `files` are those that are about a subject of the trial.
    """
    patients: dict[str, set[str]] = defaultdict(set)
    trial_ids: dict[str, set[str]] = defaultdict(set)
    births: dict[str, set[str]] = defaultdict(set)
    sexes: dict[str, set[str]] = defaultdict(set)
    for subject, clues in files:
        if not subject.subject_id:
            continue
        ids = {source: value.strip(" \0") for source, value in clues.subject_ids}
        trial_id, patient = ids.get("ClinicalTrialSubjectID", ""), ids.get("PatientID", "")
        if trial_id and patient:
            patients[trial_id].add(patient)
            trial_ids[patient].add(trial_id)
        if clues.birth_date:
            births[subject.subject_id].add(clues.birth_date)
        if clues.sex in {"F", "M"}:
            sexes[subject.subject_id].add(clues.sex)
    queries = []
    for mapping, what, about_key in (
        (patients, "several patient ids belong to one trial subject", True),
        (trial_ids, "one patient id belongs to several trial subjects", False),
        (births, "the birth date differs between files of one subject", True),
        (sexes, "the sex differs between files of one subject", True),
    ):
        for key, values in sorted(mapping.items()):
            if len(values) > 1:
                shown = sorted(visible(value) for value in values)
                more = len(shown) - _NAMED_AT_MOST
                text = ", ".join(shown[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
                subject_id = visible(key) if about_key else ""
                said = text if about_key else f"{visible(key)}: {text}"
                queries.append(
                    Query(QueryKind.IDENTITY, subject_id, f"{what}: is it one person?", said)
                )
    return queries
