"""Our own structured reports of radiographs, read back into the record that they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from zoom_imaging.anatomy import Grade, Point, Shape, SixPoints, Visit
from zoom_imaging.errors import NotRelevantError, UnreadableError
from zoom_imaging.exchange import radiograph_codes as coded
from zoom_imaging.exchange.densitometry_codes import Coded
from zoom_imaging.exchange.radiograph_report import (
    Evaluability,
    ModelName,
    RadiographReport,
    VertebraReport,
)
from zoom_imaging.exchange.sr_parts import code
from zoom_imaging.exchange.vertebra_group import HALF_PIXEL
from zoom_imaging.morphometry.reading import Heights, Ratios
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.review.verdict import Observer, Standing

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_Member = TypeVar("_Member", bound=StrEnum)
_COMPREHENSIVE_3D = "1.2.840.10008.5.1.4.1.1.88.34"


def read_radiograph_sr(dataset: Dataset) -> RadiographReport:
    """What one of our reports says; points are as near as single precision holds them.

    Raises NotRelevantError for an object that is no spine reading of ours, UnreadableError for one
    that contradicts itself or lacks a part.
    """
    ours = str(dataset.get("ManufacturerModelName", "")) == "zoom_imaging"
    if not ours or str(dataset.get("SOPClassUID", "")) != _COMPREHENSIVE_3D:
        raise NotRelevantError(
            "the object is no spine reading of this software",
            expected="a Comprehensive 3D SR made by zoom_imaging",
            found=f"SOP Class UID {dataset.get('SOPClassUID', '(none)')}",
        )
    try:
        return _report(dataset)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UnreadableError(
            f"the spine reading {dataset.get('SOPInstanceUID', '')} is damaged ({error})"
        ) from error


def _report(dataset: Dataset) -> RadiographReport:
    from highdicom.sr import Comprehensive3DSR, MeasurementReport
    from pydicom.sr.codedict import codes

    document = Comprehensive3DSR.from_dataset(dataset)
    report = MeasurementReport.from_sequence(document.content)
    root = report[0]
    groups = [
        *report.get_planar_roi_measurement_groups(),
        *report.get_image_measurement_groups(),
    ]
    vertebrae = sorted((_vertebra(group[0]) for group in groups), key=_from_the_top)
    (device,) = report.get_observer_contexts(observer_type=codes.DCM.Device)
    observer: Any = device.observer_identifying_attributes
    uid, frame, visit = _film(groups[0][0])
    scales = _values(root, code(coded.SCALE), "CONTAINER")
    anatomies = _values(root, code(coded.ANATOMY), "CODE")
    (standing,) = _values(root, code(coded.STANDING), "CODE")
    return RadiographReport(
        sop_instance_uid=uid,
        frame=frame,
        visit=visit,
        standing=_standing(standing),
        model=ModelName(str(observer.model_name), str(observer.serial_number)),
        observers=tuple(map(_observer, _values(root, code(coded.SIGNATURE), "CONTAINER"))),
        anatomy=_member(coded.ANATOMIES, anatomies[0]) if anatomies else None,
        scale=_scale(scales[0]) if scales else None,
        vertebrae=tuple(vertebrae),
        remarks=tuple(map(str, _values(root, codes.DCM.Comment, "TEXT"))),
    )


def _from_the_top(one: VertebraReport) -> int:
    return one.level.ordinal


def _vertebra(group: Any) -> VertebraReport:
    from pydicom.sr.codedict import codes

    (site,) = _values(group, codes.SCT.FindingSite, "CODE")
    (said,) = _values(group, code(coded.EVALUABILITY), "CODE")
    evaluability = _member(coded.EVALUABILITIES, said)
    shape = _one(group, coded.SHAPE, coded.SHAPES)
    signs = _values(group, code(coded.SIGN), "CODE")
    regions = _values(group, codes.DCM.ImageRegion, "SCOORD")
    six = _values(group, code(coded.SIX_POINTS), "SCOORD")
    notes = _values(group, codes.DCM.Comment, "TEXT")
    heights, ratios = _numbers(group, coded.HEIGHTS), _numbers(group, coded.RATIOS)
    return VertebraReport(
        level=_member(coded.SITES, site),
        evaluability=evaluability,
        grade=_grade(group, evaluability),
        given_by=_one(group, coded.GIVEN_BY, coded.GIVERS),
        shape=shape or Shape.NONE,
        signs=tuple(_member(coded.SIGNS, sign) for sign in signs),
        cause=_one(group, coded.CAUSE, coded.CAUSES),
        six_points=SixPoints(*_placed(six[0])) if six else None,
        # The outline was closed for DICOM: its last point is its first.
        polygon=_placed(regions[0])[:-1] if regions else (),
        outlined_by_model=bool(_values(group, codes.DCM.AlgorithmName, "TEXT")),
        heights=_heights(heights),
        ratios=_ratios(ratios),
        note=str(notes[0]) if notes else "",
    )


def _grade(group: Any, evaluability: Evaluability) -> Grade | None:
    given = _one(group, coded.GRADE, coded.GRADES)
    judged = evaluability is Evaluability.EVALUABLE
    if judged is not (given is not None):
        raise ValueError(f"a vertebra is {evaluability} and its grade is {given}")
    if evaluability in {Evaluability.NOT_ANSWERED, Evaluability.NOT_GRADED}:
        return None
    return given or Grade.NOT_EVALUABLE


def _heights(numbers: list[float | None]) -> Heights | None:
    anterior, middle, posterior = numbers
    if anterior is None or middle is None or posterior is None:
        return None
    return Heights(anterior, middle, posterior)


def _ratios(numbers: list[float | None]) -> Ratios | None:
    anterior, middle, neighbours = numbers
    if anterior is None or middle is None:
        return None
    return Ratios(anterior, middle, neighbours)


def _numbers(group: Any, concepts: tuple[Coded, ...]) -> list[float | None]:
    found = [_values(group, code(concept), "NUM") for concept in concepts]
    return [float(values[0]) if values else None for values in found]


def _film(group: Any) -> tuple[str, int | None, Visit]:
    """SOP Instance UID, frame and visit; all groups of a report share them."""
    from highdicom.sr.utils import find_content_items
    from pydicom.sr.codedict import codes

    (visit,) = _values(group, codes.DCM.ProtocolTimePointIdentifier, "TEXT")
    image = next(
        item for item in find_content_items(group, recursive=True) if item.ValueType == "IMAGE"
    )
    reference = image.ReferencedSOPSequence[0]
    frame = reference.get("ReferencedFrameNumber")
    return (
        str(reference.ReferencedSOPInstanceUID),
        None if frame is None else int(frame) - 1,
        Visit(str(visit)),
    )


def _standing(value: Any) -> Standing | None:
    for standing, known in coded.STANDINGS.items():
        if (known.value, known.scheme) == (value.value, value.scheme_designator):
            return standing
    raise ValueError(f"the standing {value.value} is not known")


def _scale(container: Any) -> Scale:
    row, column = _numbers(container, (coded.SCALE_ROW, coded.SCALE_COLUMN))
    (source,) = _values(container, code(coded.SCALE_SOURCE), "CODE")
    reasons = _values(container, code(coded.SCALE_REASON), "TEXT")
    return Scale(
        _member(coded.SCALE_SOURCES, source), row, column, str(reasons[0]) if reasons else ""
    )


def _observer(container: Any) -> Observer:
    (name,) = _values(container, code(coded.SIGNER), "TEXT")
    (source,) = _values(container, code(coded.GIVEN_BY), "CODE")
    meanings = _values(container, code(coded.SIGNED_MEANING), "TEXT")
    (moment,) = _values(container, code(coded.SIGNED_AT), "DATETIME")
    return Observer(
        name=str(name),
        source=_member(coded.GIVERS, source),
        meaning=str(meanings[0]) if meanings else "",
        signed_at=moment.replace(tzinfo=UTC),
    )


def _values(parent: Any, name: Any, kind: str) -> list[Any]:
    """Values of the direct children of one name and value type; a container is its own value."""
    from highdicom.sr.utils import find_content_items

    items = find_content_items(parent, name=name, value_type=kind)
    return items if kind == "CONTAINER" else [item.value for item in items]


def _one(group: Any, concept: Coded, table: Mapping[_Member, Coded]) -> _Member | None:
    values = _values(group, code(concept), "CODE")
    return _member(table, values[0]) if values else None


def _member(table: Mapping[_Member, Coded], value: Any) -> _Member:
    return coded.member_of(table, value.value, value.scheme_designator)


def _placed(graphic: Any) -> tuple[Point, ...]:
    """Shape (n, 2) of an SR as 0-based pixel centres."""
    return tuple((float(c) - HALF_PIXEL, float(r) - HALF_PIXEL) for c, r in graphic)
