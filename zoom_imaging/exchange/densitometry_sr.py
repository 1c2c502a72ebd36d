"""Densitometry results as a DICOM structured report: TID 1500, one measurement group a region.

Only accepted numbers are written as numbers. What was quarantined, withheld, superseded or belongs
to an earlier exam stands in the report's comments, with its reason: no reader of the object can
take it for a result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from zoom_imaging import __version__
from zoom_imaging.dxa.result import DxaReport, DxaResult, ResultState
from zoom_imaging.errors import NotRelevantError
from zoom_imaging.exchange.densitometry_codes import (
    OWN_SCHEME,
    PANEL,
    Coded,
    numbers_of,
    side_of,
    sites_of,
    title_of,
)
from zoom_imaging.exchange.sr_parts import code, evidence_of, source_item, text_item
from zoom_imaging.provenance import uid_from

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_UID_WORD = "densitometry sr"


def densitometry_sr(report: DxaReport, source: Dataset) -> Dataset:
    """A Comprehensive SR of one report; `source` is the data set that the report was read from.

    Patient and study are the source's, which is referenced as evidence. The same input gives the
    same object but for the time of its making. NotRelevantError without any accepted number.
    """
    from highdicom.sr import ComprehensiveSR, MeasurementReport, ObservationContext
    from pydicom.sr.codedict import codes

    accepted = [one for one in report.results if one.state is ResultState.ACCEPTED]
    if not accepted:
        raise NotRelevantError(
            f"{report.path}: no number of this report may be used, so none is written"
        )
    content = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=_observer()),
        procedure_reported=code(PANEL),
        imaging_measurements=[_group(one, report) for one in accepted],
        title=codes.DCM.ImagingMeasurementReport,
    )
    root = content[0]
    root.ContentSequence.append(source_item(source))
    for concept, text in _facts(report):
        root.ContentSequence.append(text_item(concept, text))
    for text in comments(report):
        root.ContentSequence.append(text_item(codes.DCM.Comment, text))
    made: Dataset = ComprehensiveSR(
        evidence=[evidence_of(source)],
        content=root,
        series_instance_uid=_uid(report, "series"),
        series_number=900,
        sop_instance_uid=_uid(report, "instance"),
        instance_number=1,
        manufacturer="zoom_imaging",
        is_complete=True,
        is_verified=False,
    )
    made.SeriesDescription = "Densitometry results"
    made.ManufacturerModelName = "zoom_imaging"
    made.SoftwareVersions = __version__
    if report.scan_date is not None:
        # Content Date is the day of writing; readers take the day of the scan from here.
        made.AcquisitionDate = report.scan_date.strftime("%Y%m%d")
    return made


def comments(report: DxaReport) -> list[str]:
    """What a person must know beside the numbers, one text each."""
    said = [f"Read from {report.source.value} of SOP Instance UID {report.sop_instance_uid}."]
    said += [
        f"Not given as a result: {title_of(one)}, {one.state.value}: {one.reason}."
        for one in report.results
        if one.state is not ResultState.ACCEPTED
    ]
    return said + [f"Note: {text}." for text in report.warnings]


def _group(result: DxaResult, report: DxaReport) -> Any:
    from highdicom.sr import (
        FindingSite,
        Measurement,
        MeasurementsAndQualitativeEvaluations,
        TrackingIdentifier,
    )

    side = side_of(result)
    title = title_of(result)
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=_uid(report, title), identifier=title),
        finding_sites=[
            FindingSite(code(site), laterality=None if side is None else code(side))
            for site in sites_of(result)
        ],
        measurements=[
            Measurement(code(one.concept), one.value, code(one.unit)) for one in numbers_of(result)
        ],
    )


def _observer() -> Any:
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObserverContext
    from pydicom.sr.codedict import codes

    return ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=uid_from(_UID_WORD, "observer", __version__),
            name="zoom_imaging",
            model_name=__version__,
        ),
    )


def _facts(report: DxaReport) -> Iterator[tuple[Any, str]]:
    """What the report says about its scan, each under its own concept."""
    scanner = report.scanner
    for value, meaning, text in (
        ("SCANDATE", "Scan Date", report.scan_date.isoformat() if report.scan_date else ""),
        ("SCANMODE", "Scan Mode", report.scan_mode),
        ("REFERENCE", "Reference Population", report.reference),
        ("ANALYSIS", "Analysis Version", report.analysis_version),
        ("MODEL", "Scanner", f"{scanner.manufacturer} {scanner.model}".strip()),
        ("SERIAL", "Serial Number", scanner.serial),
    ):
        if text:
            yield code(Coded(value, OWN_SCHEME, meaning)), text


def _uid(report: DxaReport, what: str) -> str:
    return uid_from(_UID_WORD, report.sop_instance_uid or report.path, what, __version__)
