"""Hologic's private result text (Discovery, Horizon; APEX) as the content of a report.

The site is told by scan mode, analysis protocol and body part together; where they contradict each
other a person must confirm. Days follow the site's locale, so that only the header's day tells in
which order a numeric date is written; one that fits no order contradicts the header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime

from zoom_imaging.dxa.content import ReportContent
from zoom_imaging.dxa.hologic_table import current_rows, history_rows
from zoom_imaging.dxa.hologic_text import HologicText
from zoom_imaging.dxa.naming import Scanned
from zoom_imaging.dxa.printed_date import certain_date
from zoom_imaging.dxa.region import side_of, site_of
from zoom_imaging.dxa.result import Scanner, Side, Site
from zoom_imaging.errors import DxaReportError

_NUMERIC_DAY = re.compile(r"^\s*(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})\b")
_SCAN = re.compile(r"^(?P<day>.*?\d)\s+-\s+(?P<id>\S+)\s*$")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AP]M)?\b", re.I)
_MODEL = re.compile(r"^(?P<model>.*?)\s*\(\s*S/?N\s*:?\s*(?P<serial>[^)]+?)\s*\)\s*$", re.I)
_MODE_LETTER = re.compile(r"^[a-z]{1,3}\s+", re.I)
_REFERENCE = re.compile(r"T-?\s?score vs\.?\s*(.*?)(?:;?\s*Z-?\s?score vs\b.*)?$", re.I)


@dataclass(frozen=True)
class HologicHeader:
    """What the DICOM header says about the same scan.

    `scanned_on` decides; `other_days` are the header's further dates (study, series, content).
    """

    scanned_on: date | None = None
    other_days: tuple[date, ...] = ()
    body_part: str = ""
    laterality: str = ""


def read_hologic(
    texts: tuple[HologicText, ...], header: HologicHeader, warnings: list[str]
) -> ReportContent:
    """Everything that the texts of one file say; several texts of one file are one report.

    DxaReportError where nothing says which site was scanned.
    """
    contents = [_read(text, header, warnings) for text in texts]
    first = contents[0]
    rows = tuple(row for content in contents for row in content.rows)
    different = len({(one.scan_date, one.scan_id, one.scan_mode) for one in contents}) > 1
    if different:
        doubt = f"the file has {len(contents)} result texts, which are not of one scan"
        rows = tuple(replace(row, doubt=row.doubt or doubt) for row in rows)
        warnings.append(doubt)
    return replace(first, rows=rows, warnings=tuple(dict.fromkeys(warnings)))


def _read(text: HologicText, header: HologicHeader, warnings: list[str]) -> ReportContent:
    mode = text.one("ScanMode")
    scan, doubts = _scan(mode, text.one("AnalProtocol"), header, warnings)
    scan_texts = text.all("Scan")
    day_text, scan_id = _day_and_id(scan_texts[0]) if scan_texts else ("", "")
    if len(scan_texts) > 1:
        doubts.append(f"the text names several scans: {' | '.join(scan_texts)}")
    own_day, order, day_doubt = _day(day_text, header, warnings)
    doubts += [day_doubt] if day_doubt else []
    rows = [row for one in text.files for row in current_rows(one, scan, warnings)]
    doubt = "; ".join(doubts)
    if doubt:
        warnings.append(doubt)
        rows = [replace(row, doubt="; ".join(filter(None, (doubt, row.doubt)))) for row in rows]
    rows += [row for one in text.files for row in history_rows(one, scan, day_text)]
    if any(name.startswith("frax") for one in text.files for name in one.variables):
        warnings.append("a fracture risk (FRAX) is in the text: not read")
    return ReportContent(
        rows=tuple(rows),
        scan_date=own_day,
        analysed_at=_analysed(text.one("AnalDate"), order),
        scan_id=scan_id,
        scan_mode=mode,
        analysis_version=text.one("HologicSoftwareVer"),
        reference=_reference(text),
        scanner=_scanner(text),
    )


def _scan(
    mode: str, protocol: str, header: HologicHeader, warnings: list[str]
) -> tuple[Scanned, list[str]]:
    """The site, and why a person must confirm it."""
    named = {
        "scan mode": (_MODE_LETTER.sub("", mode), mode),
        "analysis protocol": (protocol, protocol),
        "body part": (header.body_part, header.body_part),
    }
    sites = {what: (site_of(text), shown) for what, (text, shown) in named.items() if text}
    known = {what: (site, shown) for what, (site, shown) in sites.items() if site is not None}
    if not known:
        told = ", ".join(f"{what} '{shown}'" for what, (_, shown) in sites.items())
        raise DxaReportError(
            "nothing in the report says which site was scanned",
            expected="a scan mode, analysis protocol or body part of spine, hip or forearm",
            found=told or "none of them",
            remedy="read the numbers from the printed report",
        )
    site = next(iter(known.values()))[0]
    doubts = []
    others = {one for one, _ in known.values()}
    if site is Site.LATERAL_SPINE:
        others.discard(Site.LUMBAR_SPINE)  # a lateral scan of the lumbar spine
    if len(others) > 1:
        told = ", ".join(f"{what} '{shown}'" for what, (_, shown) in known.items())
        doubts.append(f"the report contradicts itself about the site: {told}")
    side = side_of(_MODE_LETTER.sub("", mode, count=1)) if mode else Side.NONE
    written = side_of(header.laterality)
    if site in {Site.TOTAL_HIP, Site.FOREARM}:
        if Side.NONE not in {side, written} and side is not written:
            doubts.append(f"scan mode '{mode}' and laterality {header.laterality} contradict")
        side = side if side is not Side.NONE else written
        if side is Side.NONE:
            warnings.append("the report does not say which side was scanned")
    assert site is not None
    return Scanned(site, side, mode or protocol or header.body_part), doubts


def _day_and_id(text: str) -> tuple[str, str]:
    """`March 05, 2025 - A0305252A` taken apart; a text of another form is all day."""
    match = _SCAN.match(text)
    return (match["day"].strip(), match["id"]) if match else (text, "")


def _readings(text: str) -> dict[str, date]:
    """The days that a numeric date may be, by the order in which it would be written."""
    match = _NUMERIC_DAY.match(text)
    if match is None:
        return {}
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    year += 2000 if year < 100 else 0
    found = {}
    for order, month, day in (("month first", first, second), ("day first", second, first)):
        try:
            found[order] = date(year, month, day)
        except ValueError:
            continue
    return found


def _day(text: str, header: HologicHeader, warnings: list[str]) -> tuple[date | None, str, str]:
    """The text's own day where it is certain, the order of its dates, and a doubt."""
    certain = certain_date(text)
    readings = {"": certain} if certain else _readings(text)
    days = set(readings.values())
    only = days.pop() if len(days) == 1 else None
    if not text or not readings:
        if text:
            warnings.append(f"the day of the scan, '{text}', is not understood")
        return None, "", ""
    if header.scanned_on is None:
        return only, "" if only is None else next(iter(readings)), ""
    for order, day in readings.items():
        if day == header.scanned_on:
            return day, order, ""
    for order, day in readings.items():
        if day in header.other_days:
            warnings.append(
                f"the text dates the scan {text}, which is one of the header's dates but not that "
                f"of its acquisition or content ({header.scanned_on.isoformat()})"
            )
            return header.scanned_on, order, ""
    doubt = f"the text dates the scan {text}, the header {header.scanned_on.isoformat()}"
    return only, "", doubt


def _analysed(text: str, order: str) -> datetime | None:
    """The time of the analysis; None where its day can be read in more than one way."""
    day = certain_date(text)
    if day is None:
        readings = _readings(text)
        different = set(readings.values())
        day = readings.get(order) or (different.pop() if len(different) == 1 else None)
    clock = _CLOCK.search(text)
    if day is None or clock is None:
        return None
    hour = int(clock[1])
    if clock[4]:
        hour = hour % 12 + 12 * (clock[4].upper() == "PM")
    try:
        return datetime(day.year, day.month, day.day, hour, int(clock[2]), int(clock[3] or 0))
    except ValueError:
        return None


def _reference(text: HologicText) -> str:
    found = []
    for number in range(1, 10):
        for title in text.all(f"GraphTitle{number}"):
            match = _REFERENCE.search(title)
            if match and match[1].strip(" .;"):
                found.append(match[1].strip(" ;"))
    return " | ".join(dict.fromkeys(found))


def _scanner(text: HologicText) -> Scanner:
    model = text.one("Model")
    match = _MODEL.match(model)
    return Scanner(
        manufacturer="HOLOGIC",
        model=match["model"] if match else model,
        serial=match["serial"] if match else "",
        software=text.one("HologicSoftwareVer"),
    )
