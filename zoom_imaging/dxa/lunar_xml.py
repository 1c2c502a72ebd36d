"""XML that GE Lunar writes into Image Comments, in both of its forms.

Newer, `DXA_RESULTS`: ROI elements are the current exam, TREND repeats it and earlier ones. Older,
`DENSITOMETRY_RESULTS`: everything is in TREND, one exam an EXAM element. The order of exams differs
between the forms, so the current exam is the one of the newest date, wherever it stands, and that
date must be the one of the header. Dates are month/day/year; where that contradicts the header the
values are quarantined, never read in another order. The parser takes no DTD and no entity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError

from zoom_imaging.dxa.content import ReportContent
from zoom_imaging.dxa.naming import (
    Gathered,
    Scanned,
    measure_named,
    region_named,
    same_exam,
    scan_named,
)
from zoom_imaging.dxa.printed_date import american_date
from zoom_imaging.dxa.result import Scanner
from zoom_imaging.dxa.row import RegionRow
from zoom_imaging.errors import DxaReportError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_START = re.compile(r"<\s*(DXA_RESULTS|DENSITOMETRY_RESULTS)\b", re.I)
_MAX_CHARACTERS = 1_000_000
_MAX_DEPTH = 24
_MAX_ELEMENTS = 50_000
_REMEDY = "export the study again, or read the numbers from the printed report"


@dataclass(frozen=True)
class _Exam:
    """One exam of a region in a TREND."""

    row: RegionRow
    day: date | None
    text: str


def lunar_xml(dataset: Dataset) -> str | None:
    """The XML in Image Comments of an image or a report; None where there is none."""
    try:
        value = dataset.get("ImageComments")
    except (ValueError, TypeError, LookupError):
        return None
    if value is None:
        return None
    parts = [value] if isinstance(value, str) else list(value) if _is_list(value) else [str(value)]
    # A backslash is ordinary text in LT; a reader may still have split the value at it.
    text = "\\".join(str(part) for part in parts)
    return text.replace("\x00", " ").strip() if _START.search(text) else None


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"


def read_lunar_xml(text: str, scan_date: date | None) -> ReportContent:
    """Everything that the XML says; `scan_date` is the header's, which must be the current exam's.

    DxaReportError for text that is no whole, harmless XML of one of the two forms.
    """
    root = _parse(text)
    form = _name(root)
    if form not in {"dxa_results", "densitometry_results"}:
        raise DxaReportError(
            "XML in Image Comments",
            expected="DXA_RESULTS or DENSITOMETRY_RESULTS",
            found=root.tag[:40],
        )
    warnings: list[str] = []
    rows: list[RegionRow] = []
    scans = [one for one in root.iter() if _name(one) == "scan"]
    for element in scans:
        title = " ".join((element.get("type") or _text(element, "type")).split())
        scan = scan_named(title)
        if scan is None:
            warnings.append(f"scan '{title}' is of no known site: not read")
            continue
        rows += _scan_rows(element, scan, scan_date, warnings)
    if not scans:
        raise DxaReportError("XML in Image Comments", expected="a SCAN element", found="none")
    return ReportContent(
        rows=tuple(rows),
        scan_date=scan_date,
        analysed_at=None,
        scan_id="",
        scan_mode="",
        analysis_version=_first(root, "software_version", "encore_version", "version"),
        reference=_first(root, "reference_population", "reference_database", "reference"),
        scanner=Scanner(serial=_first(root, "serial_number", "device_serial_number")),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _parse(text: str) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if len(text) > _MAX_CHARACTERS:
        raise DxaReportError(
            "XML in Image Comments is too long",
            expected=f"up to {_MAX_CHARACTERS} characters",
            found=f"{len(text)}",
        )
    # The text is decoded already: a declared encoding would contradict it.
    plain = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff")).strip(" \t\r\n\x00")
    plain = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "?", plain)
    if _depth(plain) > _MAX_DEPTH:
        raise DxaReportError("XML in Image Comments is nested too deep", remedy=_REMEDY)
    try:
        root: Element = fromstring(plain, forbid_dtd=True)
    except DefusedXmlException:
        raise DxaReportError(
            "XML in Image Comments has a document type or entities, which no densitometer writes",
            remedy="have the file checked by the site",
        ) from None
    except ParseError as error:
        cut = "" if re.search(r"</\s*\w+_RESULTS\s*>\s*$", plain, re.I) else ": it is cut off"
        raise DxaReportError(
            f"XML in Image Comments is damaged{cut} ({error})", remedy=_REMEDY
        ) from None
    return root


def _depth(text: str) -> int:
    """Deepest nesting of tags, told without a parser, so that nothing is built before."""
    deepest = depth = count = 0
    for match in re.finditer(r"<(/?)[A-Za-z_][^<>]*?(/?)>", text):
        count += 1
        if match[1]:
            depth -= 1
        elif not match[2]:
            depth += 1
            deepest = max(deepest, depth)
    return deepest if count <= _MAX_ELEMENTS else _MAX_DEPTH + 1


def _name(element: Element) -> str:
    tag = element.tag if isinstance(element.tag, str) else ""
    return tag.rpartition("}")[2].strip().lower()


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if _name(child) == name]


def _text(element: Element, name: str) -> str:
    found = _children(element, name)
    return " ".join((found[0].text or "").split()) if found else ""


def _first(root: Element, *names: str) -> str:
    for element in root.iter():
        if _name(element) in names and (element.text or "").strip():
            return " ".join((element.text or "").split())
    return ""


def _filled(element: Element, row: RegionRow) -> RegionRow | None:
    """The row with the values that stand directly under an element; None without any."""
    gathered = Gathered()
    for child in element:
        if measure_named(_name(child)) is None:
            continue
        unit = child.get("units") or child.get("unit")
        gathered.add(_name(child), child.text or "", unit)
    return gathered.fill(row) if gathered.values else None


def _scan_rows(
    element: Element, scan: Scanned, scan_date: date | None, warnings: list[str]
) -> list[RegionRow]:
    rows: list[RegionRow] = []
    for roi in element.iter():
        if _name(roi) != "roi":
            continue
        label = " ".join((roi.get("region") or _text(roi, "region")).split())
        row = region_named(scan, label)
        filled = _filled(roi, row) if row is not None else None
        if filled is not None:
            rows.append(filled)
        elif row is None:
            warnings.append(f"used for nothing: region '{label}' of {scan.name}")
    has_roi = bool(rows)
    history: list[RegionRow] = []
    about_dates: list[str] = []
    for trend in element.iter():
        if _name(trend) != "trend":
            continue
        label = " ".join(
            (trend.get("region") or _text(trend, "trend_roi") or _text(trend, "region")).split()
        )
        row = region_named(scan, label)
        if row is None:
            warnings.append(f"used for nothing: trend '{label}' of {scan.name}")
            continue
        exams = _exams(trend, row)
        past, found, doubt = _of_trend(exams, scan_date)
        history += past
        about_dates += [doubt] if doubt and doubt not in about_dates else []
        if found is None:
            continue
        at = [index for index, one in enumerate(rows) if _same_place(one, found)]
        if not at:
            if has_roi:
                warnings.append(f"{label} has a trend, but no result of its own")
            rows.append(found)
        for index in at:
            rows[index] = _checked(rows[index], found)
    # Of which exam the results are is a question about the scan, not about one of its regions.
    doubt = "; ".join(about_dates)
    warnings += [f"{scan.name}: {one}" for one in about_dates]
    if doubt:
        rows = [replace(row, doubt="; ".join(filter(None, (row.doubt, doubt)))) for row in rows]
    return rows + history


def _same_place(one: RegionRow, other: RegionRow) -> bool:
    return (one.site, one.side, one.levels, one.label.lower()) == (
        other.site,
        other.side,
        other.levels,
        other.label.lower(),
    )


def _exams(trend: Element, row: RegionRow) -> list[_Exam]:
    found: list[_Exam] = []
    for exam in trend.iter():
        if _name(exam) != "exam":
            continue
        text = " ".join((exam.get("date") or _text(exam, "exam_date") or "").split())
        filled = _filled(exam, row)
        if filled is not None:
            found.append(_Exam(filled, american_date(text), text))
    return found


def _of_trend(
    exams: list[_Exam], scan_date: date | None
) -> tuple[list[RegionRow], RegionRow | None, str]:
    """Earlier exams as history, the current one (of the newest date), and a doubt about dates."""
    if not exams:
        return [], None, ""
    dated = [exam for exam in exams if exam.day is not None]
    unclear = [exam.text or "none" for exam in exams if exam.day is None]
    doubt = f"the date of an exam is not clear ({', '.join(unclear)})" if unclear else ""
    if not dated:
        if len(exams) == 1:
            return [], exams[0].row, doubt
        return [replace(exam.row, history="exam of unclear date") for exam in exams], None, doubt
    newest = max(dated, key=lambda exam: exam.day or date.min)
    if scan_date is None:
        doubt = doubt or (
            f"the newest exam is of {newest.text}, and the header has no date to check it by"
        )
    elif newest.day != scan_date:
        doubt = (
            f"the newest exam of the XML is of {newest.text} (month/day/year), the header's date "
            f"is {scan_date.isoformat()}"
        )
    current = [exam for exam in dated if exam.day == newest.day]
    row = current[0].row
    for other in current[1:]:
        if not same_exam(row, other.row):
            fault = (
                f"{row.label}: two exams of {newest.text}: {current[0].row.shown} | "
                f"{other.row.shown}"
            )
            row = replace(row, doubt="; ".join(filter(None, (row.doubt, fault))))
    history = [
        replace(exam.row, history=f"earlier exam of {exam.text or 'unknown date'}")
        for exam in exams
        if exam not in current
    ]
    return history, row, doubt


def _checked(row: RegionRow, newest: RegionRow) -> RegionRow:
    """The result of a region against the newest exam of its trend, which must be the same exam."""
    doubts = [row.doubt, newest.doubt]
    if not same_exam(row, newest):
        doubts.append(f"{row.label}: the result is {row.shown}, the newest exam {newest.shown}")
    return replace(row, doubt="; ".join(dict.fromkeys(filter(None, doubts))))
