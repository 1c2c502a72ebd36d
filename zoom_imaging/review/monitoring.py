"""How the reading goes: who has read how much, how long it takes, how well readers agree."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from zoom_imaging.anatomy import Grade, Visit
from zoom_imaging.review.agreement import Agreement, By, GradedPair, Kind, agreement
from zoom_imaging.review.consensus import Spines
from zoom_imaging.review.content import spines_of
from zoom_imaging.review.progress import CaseLine, Progress, case_lines
from zoom_imaging.review.readings import content_of
from zoom_imaging.review.tables import Account, CaseRow, Purpose, ReadingRow, ReadingState


@dataclass(frozen=True)
class ReaderLine:
    """One person's work. `median_minutes` is from opening to signing, breaks included."""

    reader: str
    begun: int
    signed: int
    median_minutes: float | None
    not_evaluable_pct: float | None


@dataclass(frozen=True)
class Monitoring:
    """Everything that the monitoring page shows."""

    progress: tuple[tuple[Progress, int], ...]
    readers: tuple[ReaderLine, ...]
    compared: int
    differing: int
    months: tuple[tuple[str, int], ...]
    agreement: tuple[Agreement, ...]


@dataclass(frozen=True)
class _Signed:
    subject_id: str
    reader: str
    purpose: Purpose
    month: str
    minutes: float
    spines: Spines


def monitoring(session: Session) -> Monitoring:
    """Of all signed readings that count."""
    lines = case_lines(session)
    counts = Counter(line.progress for line in lines)
    signed = list(_signed(session))
    compared = [line for line in lines if line.needed > 1 and line.signed >= line.needed]
    months = Counter(one.month for one in signed)
    return Monitoring(
        progress=tuple((one, counts[one]) for one in Progress),
        readers=tuple(_reader_lines(lines, signed)),
        compared=len(compared),
        differing=sum(line.differences > 0 for line in compared),
        months=tuple(sorted(months.items())),
        agreement=agreement(_pairs(signed), tuple(By)),
    )


def graded_pairs(session: Session) -> list[GradedPair]:
    """Every vertebra that was graded twice, by two readers or by one who did not know."""
    return list(_pairs(list(_signed(session))))


def _signed(session: Session) -> Iterator[_Signed]:
    statement = (
        select(ReadingRow, CaseRow.subject_id, Account.name)
        .join(CaseRow, CaseRow.id == ReadingRow.case_id)
        .join(Account, Account.id == ReadingRow.account_id)
        .where(ReadingRow.state == ReadingState.SIGNED)
        .order_by(ReadingRow.signed_at, ReadingRow.id)
        .execution_options(yield_per=200)
    )
    for row, subject_id, reader in session.execute(statement):
        signed_at = row.signed_at or row.updated_at
        yield _Signed(
            subject_id,
            reader,
            Purpose(row.purpose),
            f"{signed_at:%Y-%m}",
            (signed_at - row.created_at).total_seconds() / 60,
            spines_of(content_of(row), row.baseline_side),
        )


def _pairs(signed: Sequence[_Signed]) -> Iterator[GradedPair]:
    by_subject: dict[str, list[_Signed]] = {}
    for one in signed:
        by_subject.setdefault(one.subject_id, []).append(one)
    for readings in by_subject.values():
        primary = [one for one in readings if one.purpose is Purpose.PRIMARY]
        for first, second in combinations(primary, 2):
            yield from _graded(first, second, Kind.INTER)
        for repeat in readings:
            if repeat.purpose is Purpose.REPEAT:
                for first in primary:
                    if first.reader == repeat.reader:
                        yield from _graded(first, repeat, Kind.INTRA)


def _graded(first: _Signed, second: _Signed, kind: Kind) -> Iterator[GradedPair]:
    for visit in Visit:
        if visit not in first.spines or visit not in second.spines:
            continue
        one, other = first.spines[visit], second.spines[visit]
        for level in one.anatomy.graded_levels:
            grades = (one.answer(level).grade, other.answer(level).grade)
            yield GradedPair(
                reader_a=first.reader,
                reader_b=second.reader,
                level=level,
                grade_a=grades[0] or Grade.NOT_EVALUABLE,
                grade_b=grades[1] or Grade.NOT_EVALUABLE,
                month=max(first.month, second.month),
                kind=kind,
                cluster=first.subject_id,
            )


def _reader_lines(lines: Sequence[CaseLine], signed: Sequence[_Signed]) -> Iterator[ReaderLine]:
    begun = Counter(
        reading.reader
        for line in lines
        for reading in line.readings
        if reading.state is ReadingState.OPEN
    )
    for reader in sorted({*begun, *(one.reader for one in signed)}):
        own = [one for one in signed if one.reader == reader]
        grades = [
            answer.grade
            for one in own
            for spine in one.spines.values()
            for level in spine.anatomy.graded_levels
            if (answer := spine.answer(level)).grade is not None
        ]
        unread = sum(grade is Grade.NOT_EVALUABLE for grade in grades)
        yield ReaderLine(
            reader=reader,
            begun=begun[reader],
            signed=len(own),
            median_minutes=statistics.median(one.minutes for one in own) if own else None,
            not_evaluable_pct=100 * unread / len(grades) if grades else None,
        )
