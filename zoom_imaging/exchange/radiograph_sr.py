"""A spine reading as a DICOM structured report: TID 1500, one measurement group a vertebra.

Beside the vertebrae stand who read and signed, how far the readers are, and where the millimetres
come from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zoom_imaging import __version__
from zoom_imaging.anatomy import GradeSource
from zoom_imaging.errors import InputError
from zoom_imaging.exchange import radiograph_codes as coded
from zoom_imaging.exchange.densitometry_codes import OWN_SCHEME, Coded
from zoom_imaging.exchange.radiograph_report import RadiographReport
from zoom_imaging.exchange.sr_parts import code, evidence_of, plain, text_item
from zoom_imaging.exchange.vertebra_group import vertebra_group
from zoom_imaging.ingest.classify import SPINE_READING
from zoom_imaging.provenance import sha256_of_bytes, uid_from
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.review.verdict import Observer, Standing

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_UID_WORD = "radiograph sr"
_LONGEST_NAME = 63


def radiograph_sr(report: RadiographReport, source: Dataset, organisation: str = "") -> Dataset:
    """A Comprehensive 3D SR of one film; `source` is the data set of the film.

    Patient and study are the source's, which is referenced as evidence. A final reading is complete
    and final; it is verified by those who signed where their `organisation`, which DICOM asks for,
    is given. Everything else is partial, preliminary and unverified. The same input gives the same
    object but for the time of its making. InputError where the report is of another film.
    """
    from highdicom.sr import Comprehensive3DSR, MeasurementReport
    from pydicom.sr.codedict import codes

    _check(report, source)
    evidence = evidence_of(source)
    content = MeasurementReport(
        observation_context=_context(report),
        procedure_reported=code(coded.PROCEDURE),
        imaging_measurements=[vertebra_group(one, report, source) for one in report.vertebrae],
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=_library(source, evidence),
    )
    root = content[0]
    root.ContentSequence.extend(_facts(report))
    final = report.standing is Standing.FINAL
    verified = final and bool(organisation and report.observers)
    made: Dataset = Comprehensive3DSR(
        evidence=[evidence],
        content=root,
        series_instance_uid=_uid(report, source, "series"),
        series_number=901,
        sop_instance_uid=_uid(report, source, "instance"),
        instance_number=1,
        manufacturer="zoom_imaging",
        is_complete=final,
        is_final=final,
        is_verified=verified,
        verifying_observer_name=_person(report.observers[-1].name) if verified else None,
        verifying_organization=organisation or None,
    )
    if verified:
        made.VerifyingObserverSequence = [
            _verifying(one, made.VerifyingObserverSequence[0]) for one in report.observers
        ]
    made.CompletionFlagDescription = coded.STANDINGS[report.standing].meaning
    made.SeriesDescription = SPINE_READING
    made.ManufacturerModelName = "zoom_imaging"
    made.SoftwareVersions = __version__
    made.CodingSchemeIdentificationSequence = [_own_scheme()]
    return made


def _own_scheme() -> Dataset:
    from pydicom.dataset import Dataset as Plain

    item = Plain()
    item.CodingSchemeDesignator = OWN_SCHEME
    item.CodingSchemeName = "zoom_imaging, readings of spine radiographs"
    item.CodingSchemeResponsibleOrganization = "zoom_imaging"
    return item


def _check(report: RadiographReport, source: Dataset) -> None:
    found = str(source.get("SOPInstanceUID", ""))
    if not found or found != report.sop_instance_uid:
        raise InputError(
            "the reading is not of this film",
            expected=f"SOP Instance UID {report.sop_instance_uid or '(none)'}",
            found=found or "none",
        )


def _context(report: RadiographReport) -> Any:
    """Persons that signed, then the device, whose model made the first outlines."""
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        ObservationContext,
        ObserverContext,
        PersonObserverIdentifyingAttributes,
    )
    from pydicom.sr.codedict import codes

    model = report.model
    context = ObservationContext()
    for one in report.observers:
        known = one.source is not GradeSource.MODEL
        context.extend(
            ObserverContext(
                observer_type=codes.DCM.Person,
                observer_identifying_attributes=PersonObserverIdentifyingAttributes(
                    name=_person(one.name),
                    role_in_procedure=code(coded.GIVERS[one.source]) if known else None,
                ),
            )
        )
    context.extend(
        ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                uid=uid_from(_UID_WORD, "observer", __version__, model.name, model.version),
                name="zoom_imaging",
                manufacturer_name="zoom_imaging",
                model_name=model.name,
                serial_number=model.version,
            ),
        )
    )
    return context


def _person(name: str) -> str:
    """A name as PN: a caret ends one whose parts are not told; = and backslash separate names."""
    words = plain(name).replace("\\", " ").replace("=", " ").split()
    shown = " ".join(words)[:_LONGEST_NAME]
    return shown if "^" in shown else f"{shown}^"


def _facts(report: RadiographReport) -> Iterator[Any]:
    """What stands beside the vertebrae: standing, anatomy, scale, signatures, remarks."""
    from pydicom.sr.codedict import codes

    yield _coded_item(coded.STANDING, coded.STANDINGS[report.standing])
    if report.anatomy is not None:
        yield _coded_item(coded.ANATOMY, coded.ANATOMIES[report.anatomy])
    if report.scale is not None:
        yield _container(coded.SCALE, _scale(report.scale))
    for one in report.observers:
        yield _container(coded.SIGNATURE, _signature(one))
    for remark in report.remarks:
        if plain(remark):
            yield text_item(codes.DCM.Comment, remark)


def _scale(scale: Scale) -> Iterator[Any]:
    from highdicom.sr import NumContentItem, RelationshipTypeValues

    for concept, value in (
        (coded.SCALE_ROW, scale.row_mm),
        (coded.SCALE_COLUMN, scale.column_mm),
    ):
        if value is not None:
            yield NumContentItem(
                code(concept),
                float(value),
                code(coded.MILLIMETRE),
                relationship_type=RelationshipTypeValues.CONTAINS,
            )
    yield _coded_item(coded.SCALE_SOURCE, coded.SCALE_SOURCES[scale.source])
    if plain(scale.reason):
        yield text_item(code(coded.SCALE_REASON), scale.reason)


def _signature(one: Observer) -> Iterator[Any]:
    from highdicom.sr import DateTimeContentItem, RelationshipTypeValues

    yield text_item(code(coded.SIGNER), one.name)
    yield _coded_item(coded.GIVEN_BY, coded.GIVERS[one.source])
    if plain(one.meaning):
        yield text_item(code(coded.SIGNED_MEANING), one.meaning)
    yield DateTimeContentItem(
        code(coded.SIGNED_AT),
        # dcmtk up to 3.6.7 takes no offset in a content item: the concept says UTC.
        _moment(one.signed_at).removesuffix("+0000"),
        relationship_type=RelationshipTypeValues.CONTAINS,
    )


def _moment(moment: datetime) -> str:
    """DICOM's DT in UTC; a moment without a zone is UTC (see `Observer`)."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f+0000")


def _coded_item(concept: Coded, value: Coded) -> Any:
    from highdicom.sr import CodeContentItem, RelationshipTypeValues

    return CodeContentItem(code(concept), code(value), RelationshipTypeValues.CONTAINS)


def _container(concept: Coded, items: Iterable[Any]) -> Any:
    from highdicom.sr import ContainerContentItem, ContentSequence, RelationshipTypeValues

    container = ContainerContentItem(
        code(concept), relationship_type=RelationshipTypeValues.CONTAINS
    )
    container.ContentSequence = ContentSequence(list(items))
    return container


def _verifying(one: Observer, like: Dataset) -> Dataset:
    from copy import deepcopy

    item = deepcopy(like)
    item.VerifyingObserverName = _person(one.name)
    item.VerificationDateTime = _moment(one.signed_at)
    return item


def _library(source: Dataset, evidence: Dataset) -> list[Dataset] | None:
    """The film for the image library (TID 1600), with what it lacks left out.

    None for a class of objects that highdicom has no modality for.
    """
    from copy import deepcopy

    from highdicom.sr import ImageLibrary

    image = deepcopy(evidence)
    for keyword in ("Rows", "Columns", "FrameOfReferenceUID"):
        if source.get(keyword):
            setattr(image, keyword, source.get(keyword))
    orientation, spacing = source.get("PatientOrientation"), source.get("ImagerPixelSpacing")
    # The descriptors of a projection (TID 1603) go together: all of them or none.
    described = all(value is not None and len(value) == 2 for value in (orientation, spacing))
    image.Modality = str(source.get("Modality", "")) if described else "OT"
    image.PatientOrientation, image.ImagerPixelSpacing = orientation or [], spacing or []
    try:
        ImageLibrary([image])
    except (AttributeError, KeyError, ValueError):
        return None
    return [image]


def _uid(report: RadiographReport, source: Dataset, what: str) -> str:
    """From all that is written: another content never has the same UID."""
    from pydantic import TypeAdapter

    said = TypeAdapter(RadiographReport).dump_python(report, mode="json")
    identity = evidence_of(source).to_json_dict()
    content = json.dumps([said, identity], sort_keys=True).encode()
    return uid_from(_UID_WORD, sha256_of_bytes(content), what, __version__)
