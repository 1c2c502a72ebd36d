"""A simulated GE Lunar image (CR) with the results as XML in its Image Comments, in both forms.

The newer form has the current values in ROI elements and repeats this and earlier exams in TREND,
newest first; the older one has nothing but TREND, with the current exam last.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from zoom_imaging.simulate.densitometry import Densitometry
from zoom_imaging.simulate.lunar_report import PLAIN, LunarStyle, Scan, lunar_lines, scans_of
from zoom_imaging.simulate.report_header import (
    COMPUTED_RADIOGRAPHY,
    RLE_LOSSLESS,
    ObjectKind,
    put_pixels,
    report_dataset,
)
from zoom_imaging.simulate.report_picture import scan_picture

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_ROWS, _COLUMNS = 300, 220


class XmlForm(StrEnum):
    """The two forms of XML in Image Comments: newest exam first, or current exam last."""

    DXA_RESULTS = "DXA_RESULTS"
    DENSITOMETRY_RESULTS = "DENSITOMETRY_RESULTS"


def lunar_image(
    exam: Densitometry,
    *,
    scan: Scan = Scan.SPINE,
    form: XmlForm | None = XmlForm.DXA_RESULTS,
    style: LunarStyle = PLAIN,
) -> FileDataset:
    """The image of one scan as CR, with the XML of `form` in Image Comments (None: without)."""
    number = list(Scan).index(scan) + 1
    dataset = report_dataset(
        exam, ObjectKind(COMPUTED_RADIOGRAPHY, "CR", 1, "DXA Images", number=number)
    )
    dataset.ProtocolName = scan.value
    dataset.BodyPartExamined = ""
    dataset.Laterality = "" if scan is Scan.SPINE else scan.value[0]
    dataset.ViewPosition = "AP"
    dataset.PatientOrientation = ["L", "F"]
    dataset.BurnedInAnnotation = "NO"
    if form is not None:
        dataset.ImageComments = lunar_xml_text(exam, [scan], form=form, style=style)
    picture = scan_picture(exam, hip=scan is not Scan.SPINE, rows=_ROWS, columns=_COLUMNS)
    put_pixels(dataset, picture.tobytes(), _ROWS, _COLUMNS, 1)
    dataset.compress(RLE_LOSSLESS, encoding_plugin="pydicom", generate_instance_uid=False)
    return dataset


def lunar_xml_text(
    exam: Densitometry,
    scans: Sequence[Scan] | None = None,
    *,
    form: XmlForm = XmlForm.DXA_RESULTS,
    style: LunarStyle = PLAIN,
) -> str:
    """The XML of some scans (None: of all)."""
    chosen = scans_of(exam) if scans is None else tuple(scans)
    write = _newer_scan if form is XmlForm.DXA_RESULTS else _older_scan
    inside = "".join(write(exam, scan, style) for scan in chosen)
    if form is XmlForm.DENSITOMETRY_RESULTS:
        inside = _tag("CURRENT_EXAM", inside)
    return '<?xml version="1.0"?>\r\n' + _tag(form.value, inside)


def _tag(name: str, inside: str, **attributes: str) -> str:
    given = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{given}>{inside}</{name}>"


def _newer_scan(exam: Densitometry, scan: Scan, style: LunarStyle) -> str:
    regions = []
    for line in lunar_lines(exam, scan, style):
        bmd, unit = style.bmd(line.bmd_g_per_cm2)
        cells = [_tag("BMD", bmd, units=unit) if not style.old else _tag("BMD", bmd)]
        if not style.old:
            cells += [
                _tag("BMC", style.number(line.bmc_g, 2), units="g"),
                _tag("AREA", style.number(line.area_cm2, 2), units="cm2"),
            ]
        cells += [
            _tag("BMD_TSCORE", style.number(line.t_score, 1)),
            _tag("BMD_ZSCORE", style.number(line.z_score, 1)),
            _tag("BMD_PYA", str(line.young_pct)),
            _tag("BMD_PAM", str(line.matched_pct)),
        ]
        regions.append(_tag("ROI", "".join(cells), region=line.region))
    trend = ""
    if style.trend:
        trend = _newer_trend(exam, scan, style)
    return _tag("SCAN", "".join(regions) + trend, type=scan.value)


def _newer_trend(exam: Densitometry, scan: Scan, style: LunarStyle) -> str:
    exams = []
    newest_first = (exam, *reversed(exam.earlier_of(scan.side)))
    for number, one in enumerate(newest_first):
        now = lunar_lines(one, scan, style)[-1].bmd_g_per_cm2
        bmd, _ = style.bmd(now)
        cells = _tag("BMD", bmd)
        if number + 1 < len(newest_first):
            before = lunar_lines(newest_first[number + 1], scan, style)[-1].bmd_g_per_cm2
            change = style.number(100 * (now - before) / before, 1)
            cells += _tag("CHANGE", _tag("BMD", change, units="%"), type="PCHANGE_VS_PREVIOUS")
        exams.append(_tag("EXAM", cells, date=f"{one.scanned:%m/%d/%Y}"))
    region = lunar_lines(exam, scan, style)[-1].region
    return _tag("TREND", "".join(exams), region=region)


def _older_scan(exam: Densitometry, scan: Scan, style: LunarStyle) -> str:
    exams = (*exam.earlier_of(scan.side), exam) if style.trend else (exam,)
    trends = []
    for line in lunar_lines(exam, scan, style):
        cells = _tag("TREND_ROI", escape(line.region))
        cells += _tag("BASELINE_EXAM_DATE", _short_day(exams[0]))
        for one in exams:
            own = {each.region: each for each in lunar_lines(one, scan, style)}.get(line.region)
            if own is None:
                continue
            bmd, _ = style.bmd(own.bmd_g_per_cm2)
            cells += _tag(
                "EXAM",
                _tag("EXAM_DATE", _short_day(one))
                + _tag("BMD", bmd)
                + _tag("YAT", style.number(own.t_score, 1))
                + _tag("AMZ", style.number(own.z_score, 1)),
            )
        trends.append(_tag("TREND", cells))
    return _tag("SCAN", "".join(trends), type=scan.value)


def _short_day(exam: Densitometry) -> str:
    day = exam.scanned.date()
    return f"{day.month}/{day.day}/{day.year}"
