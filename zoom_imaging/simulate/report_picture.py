"""Pictures of a densitometer: the scan in grey, and the report page that shows it with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.simulate.densitometry import Densitometry, PrintedRegion

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

WIDTH, HEIGHT = 640, 520
_SCAN_BOX = (24, 92, 214, 372)
_INK, _PALE, _LINE = (20, 20, 40), (110, 110, 120), (60, 90, 170)


def scan_picture(exam: Densitometry, *, hip: bool, rows: int, columns: int) -> NDArray[np.uint8]:
    """The scan: lumbar vertebrae between the soft tissues, or a proximal femur; bone is bright."""
    y, x = np.mgrid[:rows, :columns]
    v, u = y / rows, x / columns
    tissue = 60.0 + 25.0 * np.cos(np.pi * (u - 0.5))
    bone = np.zeros((rows, columns))
    if hip:
        head = np.hypot((u - 0.36) * 1.0, (v - 0.3) * rows / columns) < 0.15
        neck = (abs((v - 0.38) - 0.75 * (u - 0.45)) < 0.075) & (abs(u - 0.47) < 0.14)
        shaft = (abs(u - 0.62 + 0.05 * (v - 0.6)) < 0.085) & (v > 0.4)
        trochanter = np.hypot((u - 0.66) * 1.0, (v - 0.42) * 1.3) < 0.11
        density = exam.hips[0].total.bmd_g_per_cm2 if exam.hips else 0.8
        bone[head | neck | shaft | trochanter] = density
    else:
        for number, one in enumerate(exam.spine):
            centre = 0.2 + 0.2 * number
            half = 0.13 + 0.012 * number
            body = (abs(v - centre) < 0.086) & (abs(u - 0.5) < half - 0.1 * abs(v - centre))
            bone[body] = one.bmd_g_per_cm2
            pedicles = np.hypot(abs(u - 0.5) - 0.085, (v - centre + 0.02) * rows / columns) < 0.028
            bone[pedicles & body] = 1.25 * one.bmd_g_per_cm2
    grain = np.random.default_rng(exam.scanned.toordinal()).integers(-2, 3, (rows, columns))
    # Coarse steps keep the file small without changing what one sees.
    grey = np.clip(tissue + 105.0 * bone + grain, 0, 255)
    return np.asarray(grey // 12 * 12, dtype=np.uint8)


def report_picture(
    exam: Densitometry,
    title: str,
    lines: Sequence[PrintedRegion],
    *,
    scan_id: str,
    hip: bool,
    total_label: str,
) -> NDArray[np.uint8]:
    """The report page as RGB (rows, columns, 3): who, the scan, the table, T-score over age."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(page)
    draw.fontmode = "1"
    large, small = ImageFont.load_default(17), ImageFont.load_default(12)
    draw.text((24, 12), title, fill=_INK, font=large)
    name = str(exam.patient_name).replace("^", ", ")
    draw.text((24, 40), f"Name: {name}    Patient ID: {exam.patient_id}", fill=_INK, font=small)
    draw.text(
        (24, 58),
        f"DOB: {exam.birth_date:%d %b %Y}    Sex: {exam.sex}    "
        f"Scan: {exam.scanned:%d %b %Y %H:%M}  {scan_id}",
        fill=_INK,
        font=small,
    )
    left, top, right, bottom = _SCAN_BOX
    grey = scan_picture(exam, hip=hip, rows=bottom - top, columns=right - left)
    page.paste(Image.fromarray(grey).convert("RGB"), (left, top))
    _graph(draw, small, exam, lines[-1])
    _table(draw, small, lines, total_label)
    draw.text(
        (24, HEIGHT - 38),
        f"{exam.scanner.manufacturer} {exam.scanner.model} (S/N {exam.scanner.serial})  "
        f"{exam.scanner.software}",
        fill=_PALE,
        font=small,
    )
    draw.text((24, HEIGHT - 21), f"T-score vs. {exam.reference.name}", fill=_PALE, font=small)
    return np.asarray(page, dtype=np.uint8)


def _table(
    draw: ImageDraw,
    font: ImageFont | FreeTypeFont,
    lines: Sequence[PrintedRegion],
    total_label: str,
) -> None:
    stops = (240, 304, 364, 416, 494, 552, 604)
    names = ("Region", "Area cm2", "BMC g", "BMD g/cm2", "T-score", "PR %", "Z")
    draw.text((stops[0], 92), "Results Summary", fill=_LINE, font=font)
    rows = [
        (
            total_label if line is lines[-1] else line.region,
            f"{line.area_cm2:.2f}",
            f"{line.bmc_g:.2f}",
            f"{line.bmd_g_per_cm2:.3f}",
            f"{line.t_score:.1f}",
            f"{line.young_pct}",
            f"{line.z_score:.1f}",
        )
        for line in lines
    ]
    for number, row in enumerate((names, *rows)):
        for stop, cell in zip(stops, row, strict=True):
            draw.text((stop, 112 + 20 * number), cell, fill=_INK, font=font)
    draw.line((stops[0], 128, WIDTH - 16, 128), fill=_PALE)


def _graph(
    draw: ImageDraw, font: ImageFont | FreeTypeFont, exam: Densitometry, total: PrintedRegion
) -> None:
    left, top, right, bottom = 250, 268, 620, 440
    lowest, highest = -5.0, 3.0

    def height(score: float) -> float:
        return bottom - (min(max(score, lowest), highest) - lowest) / (highest - lowest) * (
            bottom - top
        )

    for low, high, colour in (
        (-5.0, -2.5, (246, 214, 210)),
        (-2.5, -1.0, (250, 240, 208)),
        (-1.0, 3.0, (216, 238, 216)),
    ):
        draw.rectangle((left, height(high), right, height(low)), fill=colour)
    draw.rectangle((left, top, right, bottom), outline=_PALE)
    for score in (-4, -2, 0, 2):
        draw.text((left - 18, height(score) - 7), f"{score}", fill=_PALE, font=font)
    for age in (20, 40, 60, 80):
        draw.text((_across(age, left, right) - 7, bottom + 3), f"{age}", fill=_PALE, font=font)
    x, y = _across(exam.age_years, left, right), height(total.t_score)
    draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_LINE)
    draw.text((right - 150, top + 4), "T-score over age", fill=_PALE, font=font)


def _across(age: float, left: int, right: int) -> float:
    return left + (min(max(age, 20.0), 90.0) - 20.0) / 70.0 * (right - left)
