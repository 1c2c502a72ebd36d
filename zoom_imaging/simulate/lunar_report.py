"""A simulated GE Lunar structured report (Enhanced SR).

Structure as in the reference (dxa-formats, section 2): a tree keyed on the meanings of private
codes, `Trend` containers with earlier exams, scores as text. The styles are the ways in which
versions and sites differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.result import Side
from zoom_imaging.simulate.densitometry import Densitometry, Measured, PrintedRegion, summed
from zoom_imaging.simulate.report_header import (
    ENHANCED_SR,
    ObjectKind,
    report_dataset,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

_DESIGNATOR = "99SIMLUNAR"


class Scan(StrEnum):
    """A scan by Lunar's name."""

    SPINE = "AP Spine"
    LEFT_FEMUR = "Left Femur"
    RIGHT_FEMUR = "Right Femur"

    @property
    def side(self) -> Side:
        """The side of a femur."""
        return {Scan.LEFT_FEMUR: Side.LEFT, Scan.RIGHT_FEMUR: Side.RIGHT}.get(self, Side.NONE)


@dataclass(frozen=True)
class LunarStyle:
    """How values are written.

    `old`: no BMC, no area (before enCORE 10.2), no UCUM units (before 11.1). `milligrams`: BMD in
    mg/cm2. `numeric_scores`: scores as NUM. `minus`: the sign of negative scores. `more_ranges`:
    every range within the included vertebrae. `all_vertebrae`: also vertebrae that the total leaves
    out. `dual_femur`: a container of both hips and their mean beside each hip's own.
    """

    old: bool = False
    decimal_comma: bool = False
    milligrams: bool = False
    numeric_scores: bool = False
    minus: str = "-"
    trend: bool = True
    more_ranges: bool = False
    all_vertebrae: bool = False
    dual_femur: bool = False
    reference: bool = True

    def number(self, value: float, decimals: int) -> str:
        """A number as this style prints it."""
        text = f"{value:.{decimals}f}".replace("-", self.minus)
        return text.replace(".", ",") if self.decimal_comma else text

    def bmd(self, value_g_per_cm2: float) -> tuple[str, str]:
        """A BMD and its unit."""
        if self.milligrams:
            return self.number(1000 * value_g_per_cm2, 0), "mg/cm2"
        return self.number(value_g_per_cm2, 3), "g/cm2"


PLAIN = LunarStyle()
"""A present version with points and minus signs."""


def lunar_lines(exam: Densitometry, scan: Scan, style: LunarStyle) -> tuple[PrintedRegion, ...]:
    """The lines of a scan that a report of this style has."""
    if scan is not Scan.SPINE:
        return exam.hip_lines(scan.side)
    levels = LUMBAR_DXA_LEVELS if style.all_vertebrae else exam.included
    found = [exam.line(exam.vertebra(level)) for level in levels]
    if style.more_ranges:
        found += [exam.line(exam.lumbar(run)) for run in _runs(exam.included)]
    return (*found, exam.line(exam.lumbar(exam.included)))


def _runs(included: Sequence[Level]) -> Iterator[Sequence[Level]]:
    for first in range(len(included)):
        for last in range(first + 1, len(included)):
            run = included[first : last + 1]
            if len(run) < len(included) and run[-1].ordinal - run[0].ordinal == len(run) - 1:
                yield run


def scans_of(exam: Densitometry) -> tuple[Scan, ...]:
    """The scans that an exam has."""
    sides = {hip.side for hip in exam.hips}
    return tuple(scan for scan in Scan if scan is Scan.SPINE or scan.side in sides)


def lunar_report(exam: Densitometry, *, style: LunarStyle = PLAIN) -> FileDataset:
    """The structured report of an exam, all scans in one document."""
    dataset = report_dataset(exam, ObjectKind(ENHANCED_SR, "SR", 200, "DXA Reports"))
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = []
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    root = _container(
        "DXA Report",
        [
            _container("Language", [_text("Language of Content Item", "English")]),
            _container("History", [_text("Menopause Age", "51")]),
            *(_scan_container(exam, scan, style) for scan in scans_of(exam)),
            *([_dual_femur(exam, style)] if style.dual_femur and len(exam.hips) == 2 else []),
        ],
        root=True,
    )
    for element in root:
        dataset[element.tag] = element
    return dataset


def _scan_container(exam: Densitometry, scan: Scan, style: LunarStyle) -> Dataset:
    lines = lunar_lines(exam, scan, style)
    items = [
        _text("Scan Date", f"{exam.scanned:%d-%b-%Y}"),
        _text("enCORE Version", exam.scanner.software),
    ]
    if style.reference:
        items.append(_text("Reference Population", exam.reference.name))
    items += [_region(line.region, line, style) for line in lines]
    if style.trend and exam.earlier_of(scan.side):
        items.append(_trend(exam, scan, style))
    return _container(scan.value, items)


def _region(name: str, line: PrintedRegion, style: LunarStyle) -> Dataset:
    bmd, unit = style.bmd(line.bmd_g_per_cm2)
    items = [_number("BMD", bmd, unit, style)]
    if not style.old:
        items += [
            _number("BMC", style.number(line.bmc_g, 2), "g", style),
            _number("Area", style.number(line.area_cm2, 2), "cm2", style),
        ]
    for meaning, score in (("BMD_TSCORE", line.t_score), ("BMD_ZSCORE", line.z_score)):
        text = style.number(score, 1)
        items.append(
            _number(meaning, text, "1", style) if style.numeric_scores else _text(meaning, text)
        )
    items += [
        _number("BMD_PYA", str(line.young_pct), "%", style),
        _number("BMD_PAM", str(line.matched_pct), "%", style),
    ]
    return _container(name, items)


def _trend(exam: Densitometry, scan: Scan, style: LunarStyle) -> Dataset:
    """Main total of this exam and the earlier ones, newest first."""
    earlier = exam.earlier_of(scan.side)
    first = lunar_lines(earlier[0], scan, style)[-1].bmd_g_per_cm2
    exams = []
    for one in (exam, *reversed(earlier)):
        line = lunar_lines(one, scan, style)[-1]
        bmd, unit = style.bmd(line.bmd_g_per_cm2)
        change, _ = style.bmd(line.bmd_g_per_cm2 - first)
        exams.append(
            _container(
                f"{one.scanned:%d-%b-%Y}",
                [
                    _number("AGE", style.number(one.age_years, 1), "a", style),
                    _number("BMD", bmd, unit, style),
                    _container("CHANGE_VS_BASELINE", [_number("BMD", change, unit, style)]),
                ],
            )
        )
    return _container(f"Trend {lunar_lines(exam, scan, style)[-1].region}", exams)


def _dual_femur(exam: Densitometry, style: LunarStyle) -> Dataset:
    items = []
    for hip in exam.hips:
        for line in exam.hip_lines(hip.side):
            items.append(_region(f"{line.region} {hip.side.value.title()}", line, style))
    for left, right in zip(*_both_hips(exam), strict=True):
        both = summed(left.region, [left, right])
        mean = Measured(both.region, both.area_cm2 / 2, both.bmc_g / 2)
        items.append(_region(f"{left.region} Mean", exam.line(mean), style))
    return _container("DualFemur", items)


def _both_hips(exam: Densitometry) -> tuple[tuple[Measured, ...], tuple[Measured, ...]]:
    one, other = exam.hips
    return (*one.regions, one.total), (*other.regions, other.total)


def _container(meaning: str, items: Sequence[Dataset], *, root: bool = False) -> Dataset:
    item = _item("CONTAINER", meaning, root=root)
    item.ContinuityOfContent = "SEPARATE"
    item.ContentSequence = list(items)
    return item


def _text(meaning: str, text: str) -> Dataset:
    item = _item("TEXT", meaning)
    item.TextValue = text
    return item


def _number(meaning: str, value: str, unit: str, style: LunarStyle) -> Dataset:
    from pydicom.dataelem import RawDataElement
    from pydicom.dataset import Dataset
    from pydicom.tag import Tag

    item = _item("NUM", meaning)
    measured = Dataset()
    if not (style.old and unit != "%"):
        measured.MeasurementUnitsCodeSequence = [_code(unit, "UCUM", unit)]
    content = value.encode()
    content += b" " * (len(content) % 2)
    # As raw bytes: a decimal comma is no valid DS, and still is what such files hold.
    tag = Tag(0x0040A30A)
    measured[tag] = RawDataElement(tag, "DS", len(content), content, 0, False, True)
    item.MeasuredValueSequence = [measured]
    return item


def _item(value_type: str, meaning: str, *, root: bool = False) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    if not root:
        item.RelationshipType = "CONTAINS"
    item.ValueType = value_type
    value = "".join(filter(str.isalnum, meaning)).upper()[:16]
    item.ConceptNameCodeSequence = [_code(value, _DESIGNATOR, meaning)]
    return item


def _code(value: str, designator: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, designator, meaning
    return code
