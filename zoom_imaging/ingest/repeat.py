"""Several examinations of one kind in one visit: a person must say which one counts.

Films or reports of one day belong together (thoracic and lumbar apart, a repeated analysis), and so
do those of one study. Examinations of different days that show the same part are candidates for one
place in the table, and taking one in silence would be a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from zoom_imaging.anatomy import Visit
from zoom_imaging.ingest.catalogue import FileKind
from zoom_imaging.ingest.view import SpinePart
from zoom_imaging.query import Query, QueryKind


@dataclass(frozen=True)
class Candidate:
    """A file that would go on into the flow, at `position` in the catalogue.

    `region` is the body part of a densitometry report as the header names it, empty if unknown.
    """

    position: int
    path: str
    subject_id: str
    visit: Visit
    kind: FileKind
    day: date
    study_uid: str
    part: SpinePart | None = None
    region: str = ""

    def competes_with(self, other: Candidate) -> bool:
        """Whether both may show the same bones on different days of different studies."""
        if self.day == other.day or (self.study_uid and self.study_uid == other.study_uid):
            return False
        if self.kind is FileKind.DXA_REPORT:
            return not self.region or not other.region or self.region == other.region
        if self.part is None or other.part is None:
            return True
        return self.part.overlaps(other.part)


def repeated(candidates: Iterable[Candidate]) -> Iterator[tuple[tuple[Candidate, ...], Query]]:
    """The candidates that compete for one place, and the question about them."""
    groups: dict[tuple[str, Visit, FileKind], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[candidate.subject_id, candidate.visit, candidate.kind].append(candidate)
    for (subject_id, visit, kind), group in sorted(groups.items()):
        competing = _competing(group)
        if not competing:
            continue
        what = "densitometries" if kind is FileKind.DXA_REPORT else "radiographs of the spine"
        days = sorted({candidate.day for candidate in competing})
        query = Query(
            QueryKind.DUPLICATE_VISIT,
            subject_id,
            f"{what} of several days fall into one visit: which one counts?",
            ", ".join(day.isoformat() for day in days),
            visit,
        )
        yield competing, query


def _competing(group: Sequence[Candidate]) -> tuple[Candidate, ...]:
    if len({candidate.day for candidate in group}) == 1:
        return ()
    return tuple(
        candidate
        for candidate in group
        if any(candidate.competes_with(other) for other in group if other is not candidate)
    )
