"""Who stands behind a page, in words: the model alone, one reader, or readers who locked it."""

from __future__ import annotations

from dataclasses import dataclass

from zoom_imaging.endpoints.results import SubjectResults, TrialResults, count_by_status
from zoom_imaging.endpoints.status import EndpointStatus, grade_source
from zoom_imaging.morphometry.reading import VertebraReading
from zoom_imaging.report.page import words


@dataclass(frozen=True)
class Standing:
    """What stands at the head of a page; `signatures` are those of the readers."""

    is_final: bool
    head: str
    text: str
    signatures: tuple[str, ...] = ()


_BY_MODEL = Standing(
    False,
    "Provisional: read by the model only.",
    "No reader has confirmed these findings. Nothing on this page is a final endpoint or a basis "
    "for treatment.",
)


def subject_standing(subject: SubjectResults) -> Standing:
    """Of one subject's page."""
    if subject.status is EndpointStatus.PROVISIONAL:
        return _BY_MODEL
    if subject.status is EndpointStatus.READ_ONCE:
        return Standing(
            False,
            "Read once: not final.",
            "Grades are those of the reading that was signed first. Nothing on this page is a "
            "final endpoint or a basis for treatment.",
            _signatures(subject),
        )
    return Standing(
        True,
        "Final: read, adjudicated where readers differed, and locked.",
        f"{_differences(subject)} Nothing on this page is a basis for treatment.",
        _signatures(subject),
    )


def trial_standing(results: TrialResults) -> Standing:
    """Of the first page: final only where every subject is."""
    count = count_by_status(results.endpoints)
    final, once = count[EndpointStatus.FINAL], count[EndpointStatus.READ_ONCE]
    total = len(results.endpoints)
    if not final and not once:
        return _BY_MODEL
    if final == total:
        return Standing(
            True,
            "Final: read, adjudicated where readers differed, and locked.",
            f"This holds for all {total} subjects. Nothing on this page is a basis for treatment.",
        )
    return Standing(
        False,
        "Provisional: not every subject is final.",
        f"Of {total} subjects {final} are final, {once} were read once and {total - final - once} "
        "were read by the model only. Nothing on this page is a basis for treatment.",
    )


def said_by(vertebra: VertebraReading) -> str:
    """Who gave a grade, or as a person said that there is none; "" where the model gave none."""
    source = grade_source(vertebra)
    return words(source) if source else ""


def _differences(subject: SubjectResults) -> str:
    count = subject.verdict.differences if subject.verdict else 0
    if not count:
        return "Readers did not differ on any vertebra."
    return f"Readers differed on {count} {'vertebra' if count == 1 else 'vertebrae'}."


def _signatures(subject: SubjectResults) -> tuple[str, ...]:
    """Printed name, role, meaning and moment (21 CFR 11.50)."""
    if subject.verdict is None:
        return ()
    return tuple(
        f"{one.name}, {words(one.source)}: {one.meaning}, "
        f"{one.signed_at.isoformat(sep=' ', timespec='minutes')}"
        for one in subject.verdict.observers
    )
