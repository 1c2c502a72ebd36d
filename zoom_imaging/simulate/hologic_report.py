r"""A simulated Hologic report: a colour page as Secondary Capture, its results in private text.

The text is what such files carry (reference: dxa-formats, section 1): a short header and pseudo
files of JavaScript assignments in a private element of group 0019, with HTML inside of cells. The
styles are the ways in which sites and versions differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from zoom_imaging.dxa.result import Side
from zoom_imaging.simulate.densitometry import Densitometry, PrintedRegion, levels_name
from zoom_imaging.simulate.report_header import (
    IMPLICIT_LITTLE,
    RLE_LOSSLESS,
    SECONDARY_CAPTURE,
    ObjectKind,
    put_pixels,
    report_dataset,
)
from zoom_imaging.simulate.report_picture import report_picture

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset


class Part(StrEnum):
    """What one report is about; the value is Hologic's name of the scan."""

    SPINE = "Lumbar Spine"
    LEFT_HIP = "Left Hip"
    RIGHT_HIP = "Right Hip"

    @property
    def side(self) -> Side:
        """The side of a hip."""
        return {Part.LEFT_HIP: Side.LEFT, Part.RIGHT_HIP: Side.RIGHT}.get(self, Side.NONE)

    @property
    def number(self) -> int:
        """Place of the scan in the exam."""
        return list(Part).index(self) + 1

    def scan_id(self, exam: Densitometry) -> str:
        """The scanner's name of this scan."""
        return exam.scan_id(self.number)


class DateForm(StrEnum):
    """How the site's computer writes days."""

    LONG = "March 05, 2025"
    MONTH_FIRST = "03/05/2025"
    DAY_FIRST = "05/03/2025"
    DOTS = "05.03.2025"


class Column(StrEnum):
    """A column of the results table, by the header that the text has for it."""

    AREA = "Area[cm<sup><small>2</small></sup>]"
    BMC = "BMC[(g)]"
    BMD = "BMD[g/cm<sup><small>2</small></sup>]"
    T_SCORE = "T-score"
    PEAK = "PR (Peak Reference)"
    PEAK_SHORT = "PR(%)"
    Z_SCORE = "Z-score"
    MATCHED = "AM (Age Matched)"
    MATCHED_SHORT = "AM(%)"


EIGHT_COLUMNS = (
    *(Column.AREA, Column.BMC, Column.BMD, Column.T_SCORE, Column.PEAK),
    *(Column.Z_SCORE, Column.MATCHED),
)
SIX_COLUMNS = (Column.AREA, Column.BMC, Column.BMD, Column.T_SCORE, Column.Z_SCORE)
FIVE_COLUMNS = (Column.AREA, Column.BMC, Column.BMD, Column.T_SCORE)


@dataclass(frozen=True)
class HologicStyle:
    """How the text is stored and written. `decoy` puts another text beside it in group 0019.

    `implicit` writes Implicit VR Little Endian without compression, as these scanners mostly do;
    else the page is RLE compressed. `blank_scores` leaves T blank, as before the menopause.
    `sets_total_label` names the total by its vertebrae instead of `Total`.
    """

    block: int = 0x10
    creator: str = "HOLOGIC"
    vr: str = "UN"
    character_set: str = "ISO_IR 100"
    columns: tuple[Column, ...] = EIGHT_COLUMNS
    dates: DateForm = DateForm.LONG
    implicit: bool = False
    decoy: bool = False
    blank_scores: bool = False
    sets_total_label: bool = False
    history: bool = True
    body_part: str | None = None


def printed_day(day: date, form: DateForm) -> str:
    """A day as the site's computer writes it."""
    return {
        DateForm.LONG: f"{day:%B %d, %Y}",
        DateForm.MONTH_FIRST: f"{day:%m/%d/%Y}",
        DateForm.DAY_FIRST: f"{day:%d/%m/%Y}",
        DateForm.DOTS: f"{day:%d.%m.%Y}",
    }[form]


def hologic_report(
    exam: Densitometry, *, part: Part = Part.SPINE, style: HologicStyle = HologicStyle()
) -> FileDataset:
    """One report page of an exam, pixels and text. ValueError for a hip that was not scanned."""
    lines = report_lines(exam, part)
    hip = part is not Part.SPINE
    kind = ObjectKind(SECONDARY_CAPTURE, "OT", part.number, f"{part.value} report")
    syntax = IMPLICIT_LITTLE if style.implicit else "1.2.840.10008.1.2.1"
    dataset = report_dataset(exam, kind, character_set=style.character_set, syntax=syntax)
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.BodyPartExamined = style.body_part or ("HIP" if hip else "LSPINE")
    if hip:
        dataset.Laterality = part.value[0]
    dataset.PatientOrientation = ["L", "F"]
    dataset.BurnedInAnnotation = "YES"
    _put_text(dataset, hologic_text(exam, part, style), style)
    page = report_picture(
        exam,
        f"{part.value} Densitometry",
        lines,
        scan_id=part.scan_id(exam),
        hip=hip,
        total_label=_total_label(exam, part, style),
    )
    put_pixels(dataset, page.tobytes(), page.shape[0], page.shape[1], 3)
    if not style.implicit:
        dataset.compress(RLE_LOSSLESS, encoding_plugin="pydicom", generate_instance_uid=False)
    return dataset


def report_lines(exam: Densitometry, part: Part) -> tuple[PrintedRegion, ...]:
    """The lines that a report of this part prints, its total last."""
    if part is Part.SPINE:
        return exam.spine_lines()
    return exam.hip_lines(part.side)


def hologic_text(exam: Densitometry, part: Part, style: HologicStyle = HologicStyle()) -> str:
    """The private text, lines ended by CR and LF."""
    day = printed_day(exam.scanned.date(), style.dates)
    analysed = f"{printed_day(exam.analysed.date(), style.dates)} {exam.analysed:%H:%M}"
    files = [
        _file(1, "PatInfo", _who(exam, style)),
        _file(
            2,
            "ScanInfo",
            [
                f'Scan = "{day} - {part.scan_id(exam)}";',
                f'ScanMode = "{exam.mode} {part.value}";',
                f'AnalDate = "{analysed}";',
                f'AnalProtocol = "{"Hip" if part.side.value else "Spine"}";',
                'Operator = "OP";',
                f'Model = "{exam.scanner.model} (S/N {exam.scanner.serial})";',
                f'HologicSoftwareVer = "{exam.scanner.software}";',
            ],
        ),
        _file(3, "Results", _results(exam, part, style)),
    ]
    if style.history and exam.earlier_of(part.side):
        files.append(_file(4, "History", _history(exam, part, style)))
    reference = exam.reference.name
    files.append(
        _file(
            5,
            "Graph",
            [f'GraphTitle2 = "T-score vs. {reference}<br> Z-score vs. {reference}";'],
        )
    )
    head = [
        "<HologicHeader1>",
        "<Institution>",
        "<Name>Simulated Site</Name>",
        "</Institution>",
        "<GeneralData>",
        f"<ScanID>{part.scan_id(exam)}</ScanID>",
        "</GeneralData>",
        "</HologicHeader1>",
    ]
    return "\r\n".join(line for block in (head, *files) for line in block) + "\r\n"


def _file(kind: int, name: str, lines: list[str]) -> list[str]:
    opening = f'<JavaScriptFile, filetype={kind}, filename="C:\\QDR\\html2\\{name}.js">'
    return [opening, *lines, "</JavaScriptFile>"]


def _who(exam: Densitometry, style: HologicStyle) -> list[str]:
    return [
        f'PatientName = "{exam.patient_name.replace("^", ", ")}";',
        'SSN = " ";',
        f'PatientID = "{exam.patient_id}";',
        f'PatientSex = "{ {"F": "Female", "M": "Male"}.get(exam.sex, " ") }";',
        'Ethnicity = " ";',
        f'DOB = "{printed_day(exam.birth_date, style.dates)}";',
        'Height = "155.0 cm";',
        'Weight = "54.0  kg";',
    ]


def _total_label(exam: Densitometry, part: Part, style: HologicStyle) -> str:
    named = style.sets_total_label and part is Part.SPINE
    return levels_name(exam.included) if named else "Total"


def _results(exam: Densitometry, part: Part, style: HologicStyle) -> list[str]:
    lines = report_lines(exam, part)
    rows = [("Region", *(column.value for column in style.columns))]
    for line in lines:
        label = _total_label(exam, part, style) if line is lines[-1] else line.region
        label = "Ward's" if label == "Wards" else label
        rows.append((label, *(_cell(line, column, style) for column in style.columns)))
    return [
        "IncludeTable1 = true;",
        f"MAXROWS1 = {len(rows)};",
        f"MAXCOLS1 = {len(rows[0])};",
        'TableTitle1 = "Results Summary:";',
        'TableNote1 = "Total BMD CV 1.0%, ACF = 1.024, BCF = 0.991, TH = 6.842";',
        *_cells(1, rows),
    ]


def _cell(line: PrintedRegion, column: Column, style: HologicStyle) -> str:
    young = {Column.T_SCORE, Column.PEAK, Column.PEAK_SHORT}
    if style.blank_scores and column in young:
        return " "
    return {
        Column.AREA: f"{line.area_cm2:.2f}",
        Column.BMC: f"{line.bmc_g:.2f}",
        Column.BMD: f"{line.bmd_g_per_cm2:.3f}",
        Column.T_SCORE: f"{line.t_score:.1f}",
        Column.PEAK: f"{line.young_pct}",
        Column.PEAK_SHORT: f"{line.young_pct}",
        Column.Z_SCORE: f"{line.z_score:.1f}",
        Column.MATCHED: f"{line.matched_pct}",
        Column.MATCHED_SHORT: f"{line.matched_pct}",
    }[column]


def _history(exam: Densitometry, part: Part, style: HologicStyle) -> list[str]:
    """Totals of this and earlier exams, newest first: never the current result."""
    rows: list[tuple[str, ...]] = [
        ("Scan Date", "Age", Column.BMD.value, "T-score", "BMD Change vs Baseline"),
    ]
    exams = [exam, *reversed(exam.earlier_of(part.side))]
    first = report_lines(exams[-1], part)[-1].bmd_g_per_cm2
    for one in exams:
        line = report_lines(one, part)[-1]
        change = 100 * (line.bmd_g_per_cm2 - first) / first
        rows.append(
            (
                printed_day(one.scanned.date(), style.dates),
                f"{int(one.age_years)}",
                f"{line.bmd_g_per_cm2:.3f}",
                f"{line.t_score:.1f}",
                " " if one is exams[-1] else f"{change:.1f}%",
            )
        )
    return [
        "IncludeTable2 = true;",
        f"MAXROWS2 = {len(rows)};",
        f"MAXCOLS2 = {len(rows[0])};",
        'TableTitle2 = "DXA Results History:";',
        *_cells(2, rows),
    ]


def _cells(table: int, rows: list[tuple[str, ...]]) -> list[str]:
    return [
        f'ResultsTable{table}[{row:2d}][{column:2d}] = "{cell}";'
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
    ]


def _put_text(dataset: FileDataset, text: str, style: HologicStyle) -> None:
    codecs = {"ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8", "ISO_IR 149": "euc-kr"}
    content = text.encode(codecs.get(style.character_set, "utf-8"), "replace")
    content += b" " * (len(content) % 2)
    where = 0x00190000 | style.block << 8
    dataset.add_new(0x00190000 | style.block, "LO", style.creator)
    dataset.add_new(where, style.vr, text if style.vr in {"LT", "UT", "ST"} else content)
    if style.decoy:
        other = style.block + 1
        dataset.add_new(0x00190000 | other, "LO", "HOLOGIC AUX")
        dataset.add_new(
            0x00190000 | other << 8, "UN", b"<OtherHeader>no results</OtherHeader>\r\n "
        )
