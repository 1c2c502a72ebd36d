"""The door of this room: the bytes of one file in, one `DxaReport` out, or a refusal with a reason.

The format is told by content. What the header says (day, scanner, software) completes what the
format says; where both say it and differ, the header's day decides and the difference is a warning.
"""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time

import pydicom.config
from pydicom.dataset import Dataset

from zoom_imaging.dxa.assembly import assemble
from zoom_imaging.dxa.checks import Tolerances
from zoom_imaging.dxa.content import ReportContent
from zoom_imaging.dxa.element import character_set, element_text
from zoom_imaging.dxa.result import DxaReport, DxaResult, DxaSource, Scanner
from zoom_imaging.dxa.sr_tree import SrItem, read_tree
from zoom_imaging.errors import InputError, NotRelevantError, UnreadableError
from zoom_imaging.ingest.clues import sop_class_name
from zoom_imaging.ingest.dataset import Source, open_source
from zoom_imaging.ingest.dates import parse_day
from zoom_imaging.ingest.faults import PARSER_ERRORS
from zoom_imaging.ingest.header import ParsedFile, parse
from zoom_imaging.ingest.structure import Element, require_sound_sequences
from zoom_imaging.ingest.text import visible

_SR_PREFIX = "1.2.840.10008.5.1.4.1.1.88."
_ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
_AS_PUBLISHED = Tolerances()
_REMEDY = "enter the numbers from the printed report, confirmed by a second person"


@dataclass(frozen=True)
class _Header:
    """What the header says about the scan."""

    subject_id: str
    sop_class: str
    sop_instance_uid: str
    scanned_on: date | None
    other_days: tuple[date, ...]
    content_time: datetime | None
    scanner: Scanner
    protocol: str
    body_part: str
    laterality: str


def read_report(
    content: bytes, path: str, tolerances: Tolerances = _AS_PUBLISHED, *, ocr: bool = False
) -> DxaReport:
    """Read one densitometry report; every value has a state and, where it is not used, a reason.

    With `ocr` a picture without results in its header is read by character recognition; what comes
    of it, and of a PDF, is quarantined.

    Raises NotDicomError, UnreadableError (cut or damaged), NotRelevantError (no densitometry, or
    only pictures of it) or DxaReportError (a report that cannot be understood as a whole).
    """
    with python_warnings.catch_warnings(), pydicom.config.disable_value_validation():
        # What is wrong with a value is told in our own words where it matters.
        python_warnings.simplefilter("ignore")
        parsed = parse(content)
        if parsed.problem is not None:
            _refuse_problem(content, path, parsed)
        source = open_source(content, path)
        require_sound_sequences(_elements(source.dataset), what=path)
        try:
            return _report(source, parsed, path, tolerances, ocr=ocr)
        except InputError as refusal:
            raise type(refusal)(_with_path(path, refusal.reason)) from refusal
        except PARSER_ERRORS as error:
            raise UnreadableError(
                f"{path}: an element of the report is damaged ({type(error).__name__})",
                remedy="copy the file again from its source",
            ) from error


def _refuse_problem(content: bytes, path: str, parsed: ParsedFile) -> None:
    """Refuse what the first pass over the header refused, in the same words."""
    open_source(content, path)  # tells what is no DICOM file from what is damaged
    raise UnreadableError(_with_path(path, parsed.reason))


def _with_path(path: str, reason: str) -> str:
    return visible(reason if reason.startswith(path) else f"{path}: {reason}")


def _elements(dataset: Dataset) -> list[Element]:
    found = (dataset.get_item(tag, keep_deferred=True) for tag in list(dataset.keys()))
    return [element for element in found if element is not None]


def _report(
    source: Source, parsed: ParsedFile, path: str, tolerances: Tolerances, *, ocr: bool
) -> DxaReport:
    warnings = [*source.warnings, *parsed.warnings]
    header = _header(source.dataset, parsed, warnings)
    kind, found = _content(source, header, warnings, ocr=ocr)
    assembly = assemble(found.rows, tolerances)
    if not assembly.results:
        raise NotRelevantError(
            f"{path} holds no bone mineral density that can be read",
            found="; ".join(found.warnings[:3]) or "no region with values",
        )
    scanner = _merged(found.scanner, header.scanner, warnings)
    if found.scan_date and header.scanned_on and found.scan_date != header.scanned_on:
        warnings.append(
            f"the report dates the scan {found.scan_date}, its header {header.scanned_on}"
        )
    if header.scanned_on is None:
        warnings.append(parsed.header.date_source if parsed.header else "no date in the header")
    return DxaReport(
        path=path,
        sop_instance_uid=header.sop_instance_uid,
        source=kind,
        scan_date=header.scanned_on or found.scan_date,
        scanner=scanner,
        scan_mode=visible(found.scan_mode or header.protocol),
        analysis_version=visible(found.analysis_version or scanner.software),
        reference=visible(found.reference),
        included_levels=assembly.included_levels,
        results=tuple(map(_visible_result, assembly.results)),
        subject_id=header.subject_id,
        analysed_at=found.analysed_at or header.content_time,
        scan_id=found.scan_id,
        warnings=tuple(
            dict.fromkeys(map(visible, [*warnings, *found.warnings, *assembly.warnings]))
        ),
    )


def _visible_result(result: DxaResult) -> DxaResult:
    """The same result; a reason may quote what a damaged report has in place of a number."""
    return replace(result, region=visible(result.region), reason=visible(result.reason))


def _content(
    source: Source, header: _Header, warnings: list[str], *, ocr: bool
) -> tuple[DxaSource, ReportContent]:
    """The content by the first format that the file has; a second one must not contradict it."""
    from zoom_imaging.dxa.hologic import HologicHeader, read_hologic
    from zoom_imaging.dxa.hologic_text import hologic_texts
    from zoom_imaging.dxa.lunar_xml import lunar_xml, read_lunar_xml

    dataset = source.dataset
    texts = hologic_texts(dataset, warnings)
    if texts:
        about = HologicHeader(
            header.scanned_on, header.other_days, header.body_part, header.laterality
        )
        return DxaSource.HOLOGIC_TEXT, read_hologic(texts, about, [])
    xml = lunar_xml(dataset)
    if not header.sop_class.startswith(_SR_PREFIX):
        if xml is None:
            return _printed(source, header, ocr=ocr)
        return DxaSource.LUNAR_XML, read_lunar_xml(xml, header.scanned_on)
    kind, tree = _structured(dataset, header, warnings)
    if xml is None:
        return kind, tree
    return kind, _joined(tree, read_lunar_xml(xml, header.scanned_on))


def _printed(source: Source, header: _Header, *, ocr: bool) -> tuple[DxaSource, ReportContent]:
    """A page for people: the text of a PDF, or, where that was asked for, of a picture."""
    from zoom_imaging.dxa.page_text import pdf_lines, picture_lines
    from zoom_imaging.dxa.printed import read_printed, scan_of_header

    scan = scan_of_header(header.protocol, header.body_part, header.laterality)
    if header.sop_class.startswith(_ENCAPSULATED):
        doubt = "read from the text of a PDF: a person must confirm it"
        return DxaSource.PDF, read_printed(pdf_lines(source.dataset), scan, doubt)
    if not ocr or "PixelData" not in source.dataset:
        raise NotRelevantError(_nothing_to_read(header))
    doubt = "read from a picture by character recognition: a person must confirm it"
    return DxaSource.OCR, read_printed(picture_lines(source), scan, doubt)


def _structured(
    dataset: Dataset, header: _Header, warnings: list[str]
) -> tuple[DxaSource, ReportContent]:
    from zoom_imaging.dxa.generic_sr import is_densitometry, read_generic_sr
    from zoom_imaging.dxa.lunar_sr import is_lunar_sr, read_lunar_sr

    tree: SrItem = read_tree(dataset, warnings)
    if is_lunar_sr(dataset):
        return DxaSource.LUNAR_SR, read_lunar_sr(tree, header.scanned_on)
    if is_densitometry(tree):
        return DxaSource.GENERIC_SR, read_generic_sr(tree, header.scanned_on)
    raise NotRelevantError("a structured report without bone mineral density")


def _joined(tree: ReportContent, xml: ReportContent) -> ReportContent:
    """One report that says everything twice: rows that differ contradict each other."""
    return replace(
        tree,
        rows=tree.rows + xml.rows,
        analysis_version=tree.analysis_version or xml.analysis_version,
        reference=tree.reference or xml.reference,
        warnings=tree.warnings + xml.warnings,
    )


def _nothing_to_read(header: _Header) -> str:
    name = sop_class_name(header.sop_class) or "a file without SOP Class"
    return (
        f"no densitometry results in the header of this {name}; numbers in a picture are not taken "
        f"unless asked for (--ocr); {_REMEDY}"
    )


def _header(dataset: Dataset, parsed: ParsedFile, warnings: list[str]) -> _Header:
    terms = character_set(dataset)

    def text(keyword: str) -> str:
        return element_text(dataset, keyword, terms, warnings)

    header = parsed.header
    named = ("AcquisitionDate", "ContentDate", "StudyDate", "SeriesDate")
    days = [parse_day(text(keyword)) for keyword in named]
    return _Header(
        subject_id=header.subject_id if header else "",
        sop_class=header.sop_class_uid if header else text("SOPClassUID"),
        sop_instance_uid=header.sop_instance_uid if header else text("SOPInstanceUID"),
        scanned_on=header.acquired_on if header else None,
        other_days=tuple(day for day in days if day is not None),
        content_time=_moment(parse_day(text("ContentDate")), text("ContentTime")),
        scanner=Scanner(
            text("Manufacturer"),
            text("ManufacturerModelName"),
            text("DeviceSerialNumber"),
            text("SoftwareVersions"),
        ),
        protocol=text("ProtocolName"),
        body_part=text("BodyPartExamined"),
        laterality=text("Laterality") or text("ImageLaterality"),
    )


def _moment(day: date | None, clock: str) -> datetime | None:
    if day is None or len(clock) < 4 or not clock[:4].isdigit():
        return None
    seconds = clock[4:6] if clock[4:6].isdigit() else "0"
    try:
        return datetime.combine(day, time(int(clock[:2]), int(clock[2:4]), min(int(seconds), 59)))
    except ValueError:
        return None


def _merged(found: Scanner, header: Scanner, warnings: list[str]) -> Scanner:
    """The scanner by the report, completed by the header; a contradiction is told."""

    def one(what: str, own: str, other: str) -> str:
        if own and other and not _same_words(own, other):
            warnings.append(f"the report names the {what} '{own}', its header '{other}'")
        return own or other

    return Scanner(
        header.manufacturer or found.manufacturer,
        one("scanner model", found.model, header.model),
        one("serial number", found.serial, header.serial),
        one("software", found.software, header.software),
    )


def _same_words(one: str, other: str) -> bool:
    first, second = (set(_words(text)) for text in (one, other))
    return first <= second or second <= first


def _words(text: str) -> Iterable[str]:
    return text.casefold().replace("\\", " ").split()
