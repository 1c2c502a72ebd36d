"""A densitometry report as a printed page, in the manner of either maker: PDF or picture."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING

from zoom_imaging.dxa.result import Side
from zoom_imaging.simulate.densitometry import Densitometry, PrintedRegion
from zoom_imaging.simulate.report_header import (
    SECONDARY_CAPTURE,
    ObjectKind,
    put_pixels,
    report_dataset,
)

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


class Manner(StrEnum):
    """How a page sets its table."""

    HOLOGIC = "hologic"
    LUNAR = "lunar"


def page_lines(exam: Densitometry, manner: Manner, *, side: Side = Side.NONE) -> list[str]:
    """The page as text lines: title, table, reference."""
    lines = exam.spine_lines() if side is Side.NONE else exam.hip_lines(side)
    if manner is Manner.HOLOGIC:
        title = "AP Spine" if side is Side.NONE else f"{side.value.capitalize()} Hip"
        table = _hologic_table(lines, spine=side is Side.NONE)
    else:
        title = "AP Spine" if side is Side.NONE else f"{side.value.capitalize()} Femur"
        table = _lunar_table(lines)
    return [
        f"{exam.scanner.manufacturer} {exam.scanner.model}",
        f"Name: {exam.patient_name.replace('^', ', ')}   Patient ID: {exam.patient_id}",
        "",
        title,
        *table,
        "",
        f"T-score vs. {exam.reference.name}",
        "Total BMD CV 1.0%",
    ]


def _hologic_table(lines: Sequence[PrintedRegion], *, spine: bool) -> list[str]:
    heading = (
        f"{'Region':<10}{'Area(cm²)':>10}{'BMC(g)':>10}{'BMD(g/cm²)':>12}{'T-score':>9}"
        f"{'PR(%)':>8}{'Z-score':>9}{'AM(%)':>8}"
    )
    table = [heading]
    for line in lines:
        label = "Total" if spine and line is lines[-1] else line.region
        table.append(
            f"{label:<10}{line.area_cm2:>10.2f}{line.bmc_g:>10.2f}{line.bmd_g_per_cm2:>12.3f}"
            f"{line.t_score:>9.1f}{line.young_pct:>8}{line.z_score:>9.1f}{line.matched_pct:>8}"
        )
    return table


def _lunar_table(lines: Sequence[PrintedRegion]) -> list[str]:
    table = [
        f"{'':<10}{'BMD':>9}{'Young-Adult':>18}{'Age-Matched':>18}{'BMC':>9}{'Area':>9}",
        f"{'Region':<10}{'(g/cm²)':>9}{'(%)':>9}{'T-Score':>9}{'(%)':>9}{'Z-Score':>9}"
        f"{'(g)':>9}{'(cm²)':>9}",
    ]
    for line in lines:
        table.append(
            f"{line.region:<10}{line.bmd_g_per_cm2:>9.3f}{line.young_pct:>9}{line.t_score:>9.1f}"
            f"{line.matched_pct:>9}{line.z_score:>9.1f}{line.bmc_g:>9.2f}{line.area_cm2:>9.2f}"
        )
    return table


def pdf_of(lines: Sequence[str]) -> bytes:
    """A PDF page with a text layer; the same lines give the same bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    page = Figure(figsize=(8.27, 11.69))
    for number, line in enumerate(lines):
        page.text(0.06, 0.94 - 0.022 * number, line, family="monospace", fontsize=9)
    stream = BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(stream, metadata=_NO_DATES) as pdf:
        pdf.savefig(page)
    return stream.getvalue()


_NO_DATES = {"CreationDate": None, "Producer": None, "Creator": None}


def printed_report(
    exam: Densitometry, manner: Manner = Manner.HOLOGIC, *, side: Side = Side.NONE
) -> FileDataset:
    """The encapsulated PDF of one page of an exam."""
    document = pdf_of(page_lines(exam, manner, side=side))
    kind = ObjectKind(ENCAPSULATED_PDF, "DOC", 300, "DXA report")
    dataset = report_dataset(exam, kind)
    dataset.ConversionType = "WSD"
    dataset.BurnedInAnnotation = "YES"
    dataset.DocumentTitle = "Bone densitometry report"
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(document)
    dataset.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return dataset


def pictured_report(
    exam: Densitometry,
    manner: Manner = Manner.HOLOGIC,
    *,
    side: Side = Side.NONE,
    letter_px: int = 22,
) -> FileDataset:
    """The same page as a grey secondary capture; `letter_px` is the size of its letters."""
    from matplotlib.font_manager import findfont
    from PIL import Image, ImageDraw, ImageFont

    lines = page_lines(exam, manner, side=side)
    font = ImageFont.truetype(findfont("DejaVu Sans Mono"), letter_px)
    width = int(max(font.getlength(line) for line in lines)) + 4 * letter_px
    page = Image.new("L", (width, 2 * letter_px * (len(lines) + 2)), 255)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        draw.text((2 * letter_px, 2 * letter_px * (number + 1)), line, fill=20, font=font)
    dataset = report_dataset(exam, ObjectKind(SECONDARY_CAPTURE, "OT", 301, "DXA report"))
    dataset.ConversionType = "WSD"
    dataset.BurnedInAnnotation = "YES"
    put_pixels(dataset, page.tobytes(), page.height, page.width, 1)
    return dataset
