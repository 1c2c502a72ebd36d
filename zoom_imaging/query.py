"""A question that only a person can answer, numbered so that the number is stable between runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from zoom_imaging.anatomy import Level, Visit


class QueryKind(StrEnum):
    """What a query is about."""

    IDENTITY = "identity"
    DATE = "date"
    DUPLICATE_VISIT = "duplicate_visit"
    CONFLICTING_OBJECT = "conflicting_object"
    UNKNOWN_SUBJECT = "unknown_subject"
    DXA_CONTRADICTION = "dxa_contradiction"
    DXA_NOT_COMPARABLE = "dxa_not_comparable"
    DXA_IMPLAUSIBLE = "dxa_implausible"
    GRADE_IMPROVED = "grade_improved"
    SCALE_DIFFERS = "scale_differs"
    NUMBERING = "numbering"
    TREATMENT = "treatment"
    READING_STALE = "reading_stale"


@dataclass(frozen=True)
class Query:
    """One question about a subject, a visit or a level; `values` shows what contradicts what."""

    kind: QueryKind
    subject_id: str
    question: str
    values: str = ""
    visit: Visit | None = None
    level: Level | None = None

    @property
    def query_id(self) -> str:
        """Depends on what is asked and about whom, never on the order or the time of the run."""
        parts = (
            self.kind.value,
            self.subject_id,
            self.visit.value if self.visit else "",
            self.level.value if self.level else "",
            self.question,
            self.values,
        )
        digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogateescape"))
        return f"Q-{digest.hexdigest()[:10]}"
