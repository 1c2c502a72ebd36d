"""Structured reports of GE Lunar densitometers (Prodigy, iDXA; enCORE).

The tree is keyed on meanings, because the codes are private. Meanings are compared without case and
the nesting may differ (values one level deeper), but nothing is read under a name that is not
known. `Trend` and other looks back are history and never the current result. Each item that has a
value and is used for nothing is named in the warnings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from zoom_imaging.dxa.content import ReportContent
from zoom_imaging.dxa.naming import (
    Gathered,
    Scanned,
    measure_named,
    region_named,
    same_exam,
    same_region,
    scan_named,
)
from zoom_imaging.dxa.printed_date import certain_date, clock_time
from zoom_imaging.dxa.result import Scanner, Site
from zoom_imaging.dxa.row import RegionRow
from zoom_imaging.dxa.sr_tree import SrItem

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SR_PREFIX = "1.2.840.10008.5.1.4.1.1.88."
_MAKER = re.compile(r"\blunar\b|\bidxa\b|\bprodigy\b|\bdpx\b", re.I)
_LOOK_BACK = re.compile(r"^(trend|history|previous|prior|baseline|earlier|comparison)\b", re.I)
_CHANGE = re.compile(r"change|_vs_|\bvs\b|rate of|\broc\b|precision|\blsc\b", re.I)
_FACTS: dict[str, str] = {
    **dict.fromkeys(
        ("scandate", "dateofscan", "examdate", "dateofexam", "measured", "measurementdate"), "scan"
    ),
    **dict.fromkeys(("analysisdate", "analyzed", "analysed", "dateofanalysis"), "analysed"),
    **dict.fromkeys(("encoreversion", "softwareversion", "analysisversion", "version"), "version"),
    **dict.fromkeys(
        ("referencepopulation", "referencedatabase", "reference", "population"), "reference"
    ),
    **dict.fromkeys(("scanmode", "acquisitionmode", "mode"), "mode"),
    **dict.fromkeys(("scanid", "scannumber", "fileid"), "scan_id"),
    **dict.fromkeys(("serialnumber", "deviceserialnumber", "systemserialnumber"), "serial"),
}
_MAX_NAMED = 8


def is_lunar_sr(dataset: Dataset) -> bool:
    """True for a structured report by a Lunar densitometer, or one that is titled as theirs."""
    if not str(dataset.get("SOPClassUID", "")).startswith(_SR_PREFIX):
        return False
    maker = f"{dataset.get('Manufacturer', '')} {dataset.get('ManufacturerModelName', '')}"
    if _MAKER.search(maker):
        return True
    try:
        title = str(dataset.ConceptNameCodeSequence[0].CodeMeaning)
    except (AttributeError, IndexError, TypeError):
        return False
    return " ".join(title.split()).lower() == "dxa report"


def read_lunar_sr(root: SrItem, scan_date: date | None = None) -> ReportContent:
    """Everything that the tree says.

    `scan_date` is that of the header, by which the newest exam of a trend is told from earlier ones
    where the tree has no date of its own.
    """
    walk = _Walk()
    walk.read(root, _Place(scan_named(root.meaning)))
    dates = walk.dates()
    stated = dates[0] if len(dates) == 1 else None
    if stated is not None and scan_date is not None and stated != scan_date:
        walk.warnings.append(f"the report states the scan date {stated}, its header {scan_date}")
    rows, dated = _by_date(walk.regions, stated or scan_date)
    if len(dates) > 1:
        doubt = f"the report names several scan dates: {', '.join(map(str, dates))}"
        walk.warnings.append(doubt)
        rows = [replace(row, doubt=row.doubt or doubt) for row in rows]
    rows, history = _with_history(rows, walk.past, stated or scan_date, walk.warnings)
    history = dated + history
    walk.tell_unused()
    return ReportContent(
        rows=tuple(rows + history),
        scan_date=stated,
        analysed_at=walk.analysed(),
        scan_id=walk.one("scan_id"),
        scan_mode=walk.one("mode"),
        analysis_version=walk.one("version"),
        reference=walk.one("reference"),
        scanner=Scanner(serial=walk.one("serial")),
        warnings=tuple(dict.fromkeys(walk.warnings)),
    )


@dataclass(frozen=True)
class _Place:
    """Where in the tree something stands: under which scan, and under which day if under one."""

    scan: Scanned | None
    day: date | None = None


@dataclass
class _PastExam:
    row: RegionRow
    day: date | None
    title: str


@dataclass
class _Walk:
    """What was met on the way through one tree."""

    regions: list[tuple[RegionRow, Gathered, date | None]] = field(default_factory=list)
    past: list[_PastExam] = field(default_factory=list)
    facts: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def read(self, item: SrItem, place: _Place) -> None:
        """Read what stands under an item that is no region."""
        for child in item.children:
            meaning = " ".join(child.meaning.split())
            if not meaning:
                self._skip(child, f"an item without a name under '{item.meaning}'")
            elif _is_value(child):
                if not self._fact(meaning, child.text) and measure_named(meaning):
                    self._skip(child, f"{meaning} under '{item.meaning}', which is no region")
            else:
                self._container(child, meaning, place)

    def _container(self, item: SrItem, meaning: str, place: _Place) -> None:
        scan = place.scan
        day = certain_date(meaning)
        if _LOOK_BACK.match(meaning):
            self._look_back(item, meaning, scan)
            return
        if day is not None:
            self.read(item, replace(place, day=day))
            return
        row = region_named(scan, meaning) if scan else None
        if row is not None:
            self._values(item, place, row)
            return
        another = scan_named(meaning)
        if scan is not None and scan.site is Site.WHOLE_BODY and another is not None:
            another = None if another.site is not Site.WHOLE_BODY else another
        self.read(item, replace(place, scan=another or scan))

    def _values(self, item: SrItem, place: _Place, row: RegionRow) -> None:
        """Take a region's values, also from a frame without meaning for us around them."""
        gathered = Gathered()
        frames = [item]
        for frame in frames:
            for child in frame.children:
                meaning = " ".join(child.meaning.split())
                if not meaning:
                    self._skip(child, f"an item without a name under '{frame.meaning}'")
                elif _is_value(child):
                    if not gathered.add(meaning, child.text, child.unit):
                        self._fact(meaning, child.text)
                elif _LOOK_BACK.match(meaning):
                    self._look_back(child, meaning, place.scan, item.meaning)
                elif (day := certain_date(meaning)) is not None:
                    self._values(child, replace(place, day=day), row)
                elif _CHANGE.search(meaning):
                    continue
                elif (place.scan and region_named(place.scan, meaning)) or scan_named(meaning):
                    self._container(child, meaning, place)
                else:
                    frames.append(child)
        if gathered.values:
            self.regions.append((row, gathered, place.day))

    def _look_back(
        self, item: SrItem, meaning: str, scan: Scanned | None, region: str = ""
    ) -> None:
        """Earlier exams: `Trend L1-L4` with a container a date; never the current result."""
        label = re.sub(_LOOK_BACK, "", meaning).strip(" :-") or region
        row = region_named(scan, label) if scan and label else None
        for exam in item.children:
            if row is None or scan is None or not exam.children:
                if exam.children or measure_named(exam.meaning):
                    self._skip(exam, f"values under '{meaning}'")
                continue
            gathered = Gathered()
            for child in exam.children:
                if child.meaning and _is_value(child):
                    gathered.add(child.meaning, child.text, child.unit)
            if gathered.values:
                title = " ".join(exam.meaning.split())
                self.past.append(_PastExam(gathered.fill(row), certain_date(title), title))

    def _fact(self, meaning: str, text: str) -> bool:
        """Take a date, version or reference; False if the name is that of no such fact."""
        kind = _FACTS.get(re.sub(r"[^a-z0-9]", "", meaning.lower()))
        shown = " ".join(text.split())
        if kind is None:
            return False
        if shown and shown not in self.facts.setdefault(kind, []):
            self.facts[kind].append(shown)
        return True

    def _skip(self, item: SrItem, where: str) -> None:
        found = sorted(_shown_values(item))
        if found:
            self.unused.append(f"{where} ({', '.join(found[:4])})")

    def tell_unused(self) -> None:
        """Name what has a value and was used for nothing."""
        told = list(dict.fromkeys(self.unused))
        for one in told[:_MAX_NAMED]:
            self.warnings.append(f"used for nothing: {one}")
        if len(told) > _MAX_NAMED:
            self.warnings.append(f"used for nothing: {len(told) - _MAX_NAMED} more items")

    def one(self, kind: str) -> str:
        """A fact as one text; several different ones are all given."""
        return " | ".join(self.facts.get(kind, []))

    def dates(self) -> list[date]:
        """The scan dates that the tree states with certainty, each once."""
        found: list[date] = []
        for text in self.facts.get("scan", []):
            day = certain_date(text)
            if day is None:
                self.warnings.append(f"scan date '{text}' can be read in more than one way")
            elif day not in found:
                found.append(day)
        return found

    def analysed(self) -> datetime | None:
        """The latest time of analysis."""
        times = [clock_time(text) for text in self.facts.get("analysed", [])]
        return max((time for time in times if time is not None), default=None)


def _is_value(item: SrItem) -> bool:
    """A NUM may have modifiers below it and is a value all the same."""
    return item.value_type != "CONTAINER" and (bool(item.text) or not item.children)


def _shown_values(item: SrItem) -> set[str]:
    found = {item.text.strip()} if item.value_type == "NUM" and item.text.strip() else set()
    for child in item.children:
        found |= _shown_values(child)
    return found


def _by_date(
    regions: list[tuple[RegionRow, Gathered, date | None]], today: date | None
) -> tuple[list[RegionRow], list[RegionRow]]:
    """Current rows, and those that stand under another day than the scan's."""
    current: list[RegionRow] = []
    history: list[RegionRow] = []
    for empty, gathered, day in regions:
        row = gathered.fill(empty)
        if day is not None and today is not None and day != today:
            history.append(replace(row, history=f"exam of {day}"))
        elif day is not None and today is None:
            doubt = f"{row.label} stands under {day}, and nothing says that this is the scan date"
            current.append(replace(row, doubt=row.doubt or doubt))
        else:
            current.append(row)
    return current, history


def _with_history(
    rows: list[RegionRow], past: list[_PastExam], today: date | None, warnings: list[str]
) -> tuple[list[RegionRow], list[RegionRow]]:
    """History rows, and the current ones checked against what a trend repeats of today's exam."""
    history: list[RegionRow] = []
    for exam in past:
        if today is None or exam.day != today:
            history.append(replace(exam.row, history=f"earlier exam of {exam.title}"))
            if today is not None and exam.day is not None and exam.day > today:
                warnings.append(f"the trend of {exam.row.label} has a later exam ({exam.title})")
            continue
        for index, row in enumerate(rows):
            if same_region(row, exam.row) and not same_exam(row, exam.row):
                doubt = f"the trend gives {exam.row.shown} for the same exam as {row.shown}"
                rows[index] = replace(row, doubt=row.doubt or f"{row.label}: {doubt}")
    return rows, history
