"""Several reports of one scan: the newest analysis holds, one copy of equal results is enough.

A scan may be analysed again (another vertebra excluded, an edge moved), and one analysis may reach
us in several files (structured report, image with XML). Reports are of one scan if they share the
day, the scanner and the scan's name as far as both say them. Nothing that was not accepted becomes
accepted here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from zoom_imaging.dxa.repeats import agree
from zoom_imaging.dxa.result import DxaReport, DxaResult, ResultState, Side, Site
from zoom_imaging.query import Query, QueryKind

_CURRENT = frozenset({ResultState.ACCEPTED, ResultState.QUARANTINED})


@dataclass(frozen=True)
class _Scan:
    """What is scanned in one go: the lumbar spine, one hip, one forearm, the body."""

    site: Site
    side: Side

    @classmethod
    def of(cls, result: DxaResult) -> _Scan:
        """All regions of a hip are one scan."""
        return cls(Site.TOTAL_HIP if result.site.is_hip else result.site, result.side)

    @property
    def name(self) -> str:
        """In words, for a sentence."""
        site = "hip" if self.site is Site.TOTAL_HIP else self.site.value.replace("_", " ")
        return f"{self.side.value} {site}".strip()


class _Relation(Enum):
    """What several reports of one scan are to each other."""

    COPIES = "copies"
    ANALYSES = "analyses"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True)
class _Group:
    """Reports of one scan: their places in the list given, which one holds, and why not the others.

    `kept` is None for a contradiction, where none holds.
    """

    scan: _Scan
    places: tuple[int, ...]
    relation: _Relation
    kept: int | None
    reason: str


def reconcile(
    reports: Sequence[DxaReport],
) -> tuple[tuple[DxaReport, ...], tuple[Query, ...]]:
    """The reports of one subject and visit in the same order, overtaken results `superseded`.

    Reports of one scan that differ and of which none is known to be the newer analysis are all
    quarantined, with a query. Two scans of one site are left as they are: which of them counts is
    decided where a visit's exam is chosen.
    """
    settled = list(reports)
    queries: list[Query] = []
    for group in _groups(reports):
        state = ResultState.QUARANTINED if group.kept is None else ResultState.SUPERSEDED
        for place in group.places:
            if place != group.kept:
                settled[place] = _with_state(settled[place], group.scan, state, group.reason)
        if group.kept is None:
            members = [reports[place] for place in group.places]
            question = f"{group.scan.name}: reports of one scan differ: which analysis holds?"
            shown = _shown_side_by_side(members, group.scan)
            queries.append(Query(QueryKind.DXA_CONTRADICTION, "", question, shown))
    return tuple(settled), tuple(queries)


def mark_older_analyses(reports: Sequence[DxaReport]) -> tuple[DxaReport, ...]:
    """The reports of one person, each judged by itself; an older analysis is `superseded`.

    For files given one by one, outside of a trial: copies stand side by side, and reports of one
    scan that differ without a known order keep their states, each with a warning that says so.
    """
    settled = list(reports)
    for group in _groups(reports):
        if group.relation is _Relation.COPIES:
            continue
        for place in group.places:
            if group.kept is None:
                members = [reports[place] for place in group.places]
                told = f"{group.reason}: {_shown_side_by_side(members, group.scan)}"
                settled[place] = replace(settled[place], warnings=(*settled[place].warnings, told))
            elif place != group.kept:
                settled[place] = _with_state(
                    settled[place], group.scan, ResultState.SUPERSEDED, group.reason
                )
    return tuple(settled)


def _groups(reports: Sequence[DxaReport]) -> Iterator[_Group]:
    scans = dict.fromkeys(scan for report in reports for scan in _scans(report))
    for scan in sorted(scans, key=lambda scan: (scan.site.value, scan.side.value)):
        holders = [place for place, report in enumerate(reports) if scan in _scans(report)]
        holders.sort(key=lambda place: (reports[place].path, reports[place].sop_instance_uid))
        for places in _same_scan(reports, holders):
            yield _judged(reports, places, scan)


def _scans(report: DxaReport) -> Iterator[_Scan]:
    for result in report.results:
        if result.state in _CURRENT:
            yield _Scan.of(result)


def _same_scan(reports: Sequence[DxaReport], holders: Sequence[int]) -> list[list[int]]:
    """Groups of two and more reports of one scan."""
    groups: list[list[int]] = []
    for index in holders:
        for group in groups:
            if all(_may_be_one(reports[index], reports[other]) for other in group):
                group.append(index)
                break
        else:
            groups.append([index])
    return [group for group in groups if len(group) > 1]


def _may_be_one(one: DxaReport, other: DxaReport) -> bool:
    def same(first: str, second: str) -> bool:
        return not first or not second or first.casefold() == second.casefold()

    return (
        one.scan_date == other.scan_date
        and same(one.scan_id, other.scan_id)
        and same(one.scanner.serial, other.scanner.serial)
    )


def _judged(reports: Sequence[DxaReport], places: Sequence[int], scan: _Scan) -> _Group:
    members = [reports[place] for place in places]
    best = max(range(len(places)), key=lambda nth: (_completeness(members[nth], scan), -nth))
    if all(_say_the_same(members[best], other, scan) for other in members):
        reason = f"the same results of this scan are read from {members[best].path}"
        return _Group(scan, tuple(places), _Relation.COPIES, places[best], reason)
    newest = _newest(members)
    if newest is not None:
        winner = members[newest]
        reason = (
            f"a later analysis of the same scan took its place ({_when(winner)}, {winner.path})"
        )
        return _Group(scan, tuple(places), _Relation.ANALYSES, places[newest], reason)
    reason = f"{len(places)} reports of one scan differ and none is known to be the newer analysis"
    return _Group(scan, tuple(places), _Relation.CONTRADICTION, None, reason)


def _with_state(report: DxaReport, scan: _Scan, state: ResultState, reason: str) -> DxaReport:
    """The report with its results of a scan in another state; what is history stays history."""

    def moved(result: DxaResult) -> DxaResult:
        if _Scan.of(result) != scan or result.state in {ResultState.HISTORY, state}:
            return result
        if state is ResultState.QUARANTINED and result.state is not ResultState.ACCEPTED:
            return result
        told = "; ".join(part for part in (reason, result.reason) if part)
        return replace(result, state=state, reason=told)

    return replace(report, results=tuple(map(moved, report.results)))


def _current(report: DxaReport, scan: _Scan) -> dict[tuple[Site, str], DxaResult]:
    return {
        (result.site, result.region): result
        for result in report.results
        if _Scan.of(result) == scan and result.state in _CURRENT
    }


def _say_the_same(one: DxaReport, other: DxaReport, scan: _Scan) -> bool:
    """True if what both give agrees, and the fuller one has every region of the other."""
    if one is other:
        return True
    mine, theirs = _current(one, scan), _current(other, scan)
    return set(theirs) <= set(mine) and all(
        theirs[key].state is mine[key].state and agree(mine[key].numbers, theirs[key].numbers)
        for key in theirs
    )


def _completeness(report: DxaReport, scan: _Scan) -> tuple[int, int]:
    found = _current(report, scan).values()
    return len(found), sum(value is not None for result in found for value in result.numbers)


def _newest(reports: Sequence[DxaReport]) -> int | None:
    """The report with the latest analysis; None where a time is missing or shared."""
    times = [report.analysed_at for report in reports]
    if any(time is None for time in times):
        return None
    latest = max(time for time in times if time is not None)
    return times.index(latest) if times.count(latest) == 1 else None


def _when(report: DxaReport) -> str:
    time: datetime | None = report.analysed_at
    return f"analysed {time:%Y-%m-%d %H:%M}" if time else "analysis not dated"


def _shown_side_by_side(reports: Sequence[DxaReport], scan: _Scan) -> str:
    return " | ".join(f"{report.path}: {_shown(report, scan)}" for report in reports)


def _shown(report: DxaReport, scan: _Scan) -> str:
    values = [
        f"{result.region} {result.bmd_g_per_cm2:.3f}"
        for result in _current(report, scan).values()
        if result.bmd_g_per_cm2 is not None
    ]
    return ", ".join(values) or "no BMD"
