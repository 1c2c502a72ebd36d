"""One vertebra of a structured report: a measurement group with outline, points, numbers and codes.

A vertebra with an outline is a planar region of interest (TID 1410), one without is a group of its
own (TID 1501). What cannot be judged, or nobody answered, says so as a code and has no grade.
Coordinates of an SR count from the corner of the first pixel (PS3.3 C.18.6.1.2), ours from its
centre: half a pixel is added here and taken off by `radiograph_sr_reading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np

from zoom_imaging.anatomy import Point, Visit
from zoom_imaging.exchange import radiograph_codes as coded
from zoom_imaging.exchange.densitometry_codes import Coded
from zoom_imaging.exchange.radiograph_report import (
    Evaluability,
    RadiographReport,
    VertebraReport,
)
from zoom_imaging.exchange.sr_parts import code, plain, text_item
from zoom_imaging.provenance import uid_from

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

HALF_PIXEL = 0.5
"""From a 0-based pixel centre to a coordinate of an SR."""

_UID_WORD = "radiograph sr"


def vertebra_group(one: VertebraReport, report: RadiographReport, source: Dataset) -> Any:
    """The measurement group of one vertebra of the report; `source` is the film."""
    from highdicom.sr import (
        AlgorithmIdentification,
        FindingSite,
        MeasurementsAndQualitativeEvaluations,
        PlanarROIMeasurementsAndQualitativeEvaluations,
        SourceImageForMeasurementGroup,
        TrackingIdentifier,
    )
    from pydicom.sr.codedict import codes

    image = _image(report, source)
    model = report.model
    parts: dict[str, Any] = {
        "tracking_identifier": TrackingIdentifier(
            uid=_tracking_uid(source, one.level.value), identifier=one.level.value
        ),
        "time_point_context": _time_point(report.visit),
        "finding_type": code(coded.VERTEBRA),
        "method": code(coded.GENANT_METHOD) if one.grade in coded.GRADES else None,
        "finding_sites": [FindingSite(code(coded.SITES[one.level]))],
        "algorithm_id": AlgorithmIdentification(model.name, model.version)
        if one.outlined_by_model
        else None,
        "measurements": list(_measurements(one)),
        "qualitative_evaluations": list(_evaluations(one)),
    }
    group: Any
    if one.polygon:
        closed = (*one.polygon, one.polygon[0])
        group = PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=_region(closed, image),
            geometric_purpose=codes.DCM.Outline,
            **parts,
        )
    else:
        group = MeasurementsAndQualitativeEvaluations(
            source_images=[SourceImageForMeasurementGroup(*image)], **parts
        )
    items = group[0].ContentSequence
    if one.six_points is not None:
        items.append(_six_points(one, image))
    if plain(one.note):
        items.append(text_item(codes.DCM.Comment, one.note))
    return group


def _image(report: RadiographReport, source: Dataset) -> tuple[str, str, list[int] | None]:
    """Class, instance and frame of the film; DICOM counts frames from 1."""
    frames = None if report.frame is None else [report.frame + 1]
    return str(source.SOPClassUID), str(source.SOPInstanceUID), frames


def _region(points: Iterable[Point], image: tuple[str, str, list[int] | None]) -> Any:
    from highdicom.sr import GraphicTypeValues, ImageRegion, SourceImageForRegion

    return ImageRegion(GraphicTypeValues.POLYLINE, _placed(points), SourceImageForRegion(*image))


def _six_points(one: VertebraReport, image: tuple[str, str, list[int] | None]) -> Any:
    from highdicom.sr import (
        GraphicTypeValues,
        RelationshipTypeValues,
        ScoordContentItem,
        SourceImageForRegion,
    )

    assert one.six_points is not None
    item: Any = ScoordContentItem(
        name=code(coded.SIX_POINTS),
        graphic_type=GraphicTypeValues.MULTIPOINT,
        graphic_data=_placed(one.six_points.to_array()),
        relationship_type=RelationshipTypeValues.CONTAINS,
    )
    item.ContentSequence = [SourceImageForRegion(*image)]
    return item


def _placed(points: Any) -> Any:
    """Shape (n, 2) in coordinates of an SR; Graphic Data holds single precision."""
    return np.asarray(list(points), dtype=np.float32) + np.float32(HALF_PIXEL)


def _measurements(one: VertebraReport) -> Iterator[Any]:
    from highdicom.sr import Measurement

    for values, concepts, unit in (
        (one.heights, coded.HEIGHTS, coded.MILLIMETRE),
        (one.ratios, coded.RATIOS, coded.NO_UNIT),
    ):
        if values is None:
            continue
        for value, concept in zip(astuple(values), concepts, strict=True):
            if value is not None:
                yield Measurement(code(concept), float(value), code(unit))


def _evaluations(one: VertebraReport) -> Iterator[Any]:
    from highdicom.sr import QualitativeEvaluation

    said: list[tuple[Coded, Coded | None]] = [
        (coded.EVALUABILITY, coded.EVALUABILITIES[one.evaluability])
    ]
    if one.evaluability is Evaluability.EVALUABLE and one.grade is not None:
        said.append((coded.GRADE, coded.GRADES.get(one.grade)))
    said.append((coded.SHAPE, coded.SHAPES.get(one.shape)))
    said += [(coded.SIGN, coded.SIGNS[sign]) for sign in one.signs]
    said.append((coded.CAUSE, coded.CAUSES[one.cause] if one.cause else None))
    said.append((coded.GIVEN_BY, coded.GIVERS[one.given_by] if one.given_by else None))
    for concept, value in said:
        if value is not None:
            yield QualitativeEvaluation(code(concept), code(value))


def _time_point(visit: Visit) -> Any:
    from highdicom.sr import TimePointContext

    # No Time Point Order: highdicom takes it for a measurement of the vertebra.
    return TimePointContext(
        time_point=coded.TIME_POINTS[visit],
        time_point_type=code(coded.BASELINE_TYPE) if visit is Visit.BASELINE else None,
        protocol_time_point_identifier=visit.value,
    )


def _tracking_uid(source: Dataset, level: str) -> str:
    """The same vertebra of the same patient has the same tracking UID at every visit."""
    person = str(source.get("PatientID", "") or source.get("StudyInstanceUID", ""))
    return uid_from(_UID_WORD, "vertebra", person, level)
