"""Millimetres a pixel of a projection radiograph, always with where they come from.

The image of a spine is magnified: a pixel of the detector is larger than what it shows of the
spine. Only a calibration (0028,0A02) or the imager spacing divided by the magnification speaks of
the spine; everything else is the detector's own scale or none. A contradiction lowers the source
and is named, and nothing defaults to 1.0 (domain rules, section 6; PS3.3 C.8.11.3, 10.7.1.3).

Decisions of this package:

* an uncalibrated Pixel Spacing that differs from the imager spacing counts for nothing; where it is
  larger than the imager spacing the image has been resampled, so that neither holds: none;
* a magnification of exactly 1 holds for parallel rays (slot scan) only: used, with a warning;
* the Nominal Scanned Pixel Spacing of a digitised film is the scale of the film: imager_raw;
* a spacing outside of 0.02-5 mm cannot be that of a spine film: it is named and not used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from zoom_imaging.anatomy import SpacingSource
from zoom_imaging.radiograph.decimals import Decimals, decimals, header_text
from zoom_imaging.radiograph.film import Scale

SMALLEST_MM = 0.02
LARGEST_MM = 5.0
LARGEST_MAGNIFICATION = 2.0
LARGEST_CONTRADICTION = 0.05
_SAME = 0.002
_SHORTEST_DISTANCE_MM = 200.0

Pair = tuple[float, float]
_CALIBRATED = {"FIDUCIAL": SpacingSource.FIDUCIAL, "GEOMETRY": SpacingSource.GEOMETRY}


@dataclass(frozen=True)
class ScaleHeader:
    """The elements of a header that speak of scale, as written."""

    pixel: Decimals = field(default=Decimals("Pixel Spacing (0028,0030)"))
    imager: Decimals = field(default=Decimals("Imager Pixel Spacing (0018,1164)"))
    scanned: Decimals = field(default=Decimals("Nominal Scanned Pixel Spacing (0018,2010)"))
    magnification: Decimals = field(
        default=Decimals("Estimated Radiographic Magnification Factor (0018,1114)")
    )
    source_detector: Decimals = field(default=Decimals("Distance Source to Detector (0018,1110)"))
    source_patient: Decimals = field(default=Decimals("Distance Source to Patient (0018,1111)"))
    aspect: Decimals = field(default=Decimals("Pixel Aspect Ratio (0028,0034)"))
    calibration_type: str = ""
    calibration_description: str = ""

    @classmethod
    def of(cls, dataset: Dataset) -> ScaleHeader:
        """Collect them from a data set."""
        return cls(
            pixel=decimals(dataset, "PixelSpacing"),
            imager=decimals(dataset, "ImagerPixelSpacing"),
            scanned=decimals(dataset, "NominalScannedPixelSpacing"),
            magnification=decimals(dataset, "EstimatedRadiographicMagnificationFactor"),
            source_detector=decimals(dataset, "DistanceSourceToDetector"),
            source_patient=decimals(dataset, "DistanceSourceToPatient"),
            aspect=decimals(dataset, "PixelAspectRatio"),
            calibration_type=header_text(dataset, "PixelSpacingCalibrationType").upper(),
            calibration_description=header_text(dataset, "PixelSpacingCalibrationDescription"),
        )


@dataclass(frozen=True)
class Magnification:
    """How many times larger the detector shows the spine; None with the reason why not."""

    factor: float | None
    reason: str
    is_contradiction: bool = False


def scale_of(header: ScaleHeader) -> tuple[Scale, tuple[str, ...]]:
    """The scale of a film and the warnings that its header deserves."""
    notes = [
        fault
        for number in (
            header.pixel,
            header.imager,
            header.scanned,
            header.magnification,
            header.source_detector,
            header.source_patient,
        )
        for fault in number.faults
    ]
    pixel, imager = _pair(header.pixel, notes), _pair(header.imager, notes)
    magnification = _magnification(header)
    if magnification.is_contradiction:
        notes.append(magnification.reason)
    calibrated = _CALIBRATED.get(header.calibration_type)
    if header.calibration_type and calibrated is None:
        notes.append(
            f"Pixel Spacing Calibration Type (0028,0A02) {header.calibration_type!r} is not known"
        )
    if pixel is not None and calibrated is not None:
        scale = _from_calibration(header, pixel, imager, magnification, notes)
    elif imager is not None:
        scale = _from_imager(pixel, imager, magnification, notes)
        if scale.source.is_calibrated and magnification.factor == 1:
            notes.append(
                f"{header.magnification.name} is exactly 1, which holds for parallel rays only"
            )
    else:
        scale = _without_imager(header, pixel, notes)
    _note_aspect(header, scale, notes)
    return scale, tuple(dict.fromkeys(notes))


def _pair(spacing: Decimals, notes: list[str]) -> Pair | None:
    """Row and column spacing, None (and a note) if it is not there or cannot be true."""
    if not spacing.is_present:
        return None
    values = spacing.values
    if len(values) != 2 or values[0] is None or values[1] is None:
        if len(values) != 2:
            notes.append(f"{spacing.name} has {len(values)} values instead of 2; not used")
        return None
    row, column = values[0], values[1]
    if not all(SMALLEST_MM <= value <= LARGEST_MM for value in (row, column)):
        notes.append(
            f"{spacing.name} {row:g}\\{column:g} mm is outside of "
            f"{SMALLEST_MM:g}-{LARGEST_MM:g} mm; not used"
        )
        return None
    return row, column


def _same(first: Pair, second: Pair) -> bool:
    return all(abs(a - b) <= _SAME * b for a, b in zip(first, second, strict=True))


def _distance(distance: Decimals) -> float | None:
    value = distance.first
    return value if value is not None and value >= _SHORTEST_DISTANCE_MM else None


def _magnification(header: ScaleHeader) -> Magnification:
    """The factor of the header if it can be true and its distances agree within 5 %."""
    detector, patient = _distance(header.source_detector), _distance(header.source_patient)
    if header.magnification.is_present:
        return _stated(header.magnification, detector, patient)
    name = header.magnification.name
    if detector is None or patient is None:
        return Magnification(None, f"{name} is missing, and so are usable distances")
    factor = detector / patient
    where = f"the distances {detector:g} mm / {patient:g} mm = {factor:.3g}"
    if not 1 < factor <= LARGEST_MAGNIFICATION:
        return Magnification(None, f"{name} is missing and {where} are impossible", True)
    return Magnification(factor, f"magnification from {where}")


def _stated(stated: Decimals, detector: float | None, patient: float | None) -> Magnification:
    """The factor that the header states, unless it is impossible or contradicts the distances."""
    factor = stated.first
    if factor is None:
        return Magnification(None, f"{stated.name} is no number", True)
    if not 1 <= factor <= LARGEST_MAGNIFICATION:
        return Magnification(
            None,
            f"{stated.name} {factor:g} is impossible for a spine between source and detector "
            f"(expected at least 1, at most {LARGEST_MAGNIFICATION:g})",
            True,
        )
    if detector is not None and patient is not None:
        by_distance = detector / patient
        if abs(by_distance / factor - 1) > LARGEST_CONTRADICTION:
            return Magnification(
                None,
                f"{stated.name} {factor:g} contradicts the distances {detector:g} mm / "
                f"{patient:g} mm = {by_distance:.3g}",
                True,
            )
    return Magnification(factor, f"{stated.name} {factor:g}")


def _from_calibration(
    header: ScaleHeader,
    pixel: Pair,
    imager: Pair | None,
    magnification: Magnification,
    notes: list[str],
) -> Scale:
    source = _CALIBRATED[header.calibration_type]
    described = f" ({header.calibration_description})" if header.calibration_description else ""
    reason = f"{header.pixel.name} calibrated by {source.value}{described}"
    factor = magnification.factor
    if imager is not None and _same(pixel, imager) and factor is not None and factor > 1.02:
        contradiction = (
            f"{header.pixel.name} is called calibrated by {source.value} but equals "
            f"{header.imager.name}, while the magnification is {factor:.3g}"
        )
        notes.append(contradiction)
        return Scale(SpacingSource.IMAGER_RAW, *imager, reason=contradiction)
    if imager is not None and any(p > i * (1 + _SAME) for p, i in zip(pixel, imager, strict=True)):
        notes.append(
            f"calibrated {header.pixel.name} is larger than {header.imager.name}: "
            "the image may have been resampled"
        )
    return Scale(source, *pixel, reason=reason)


def _from_imager(
    pixel: Pair | None, imager: Pair, magnification: Magnification, notes: list[str]
) -> Scale:
    factor = magnification.factor
    divided = (imager[0] / factor, imager[1] / factor) if factor is not None else None
    if pixel is not None and not _same(pixel, imager):
        known = divided is not None and all(
            abs(a / b - 1) <= 0.01 for a, b in zip(pixel, divided, strict=True)
        )
        if not known:
            contradiction = (
                "Pixel Spacing (0028,0030) has no calibration type and differs from "
                "Imager Pixel Spacing (0018,1164)"
            )
            notes.append(contradiction)
            resampled = any(p > i * 1.02 for p, i in zip(pixel, imager, strict=True))
            if divided is None or resampled:
                return Scale(SpacingSource.NONE, None, None, reason=contradiction)
    if divided is None:
        return Scale(
            SpacingSource.IMAGER_RAW,
            *imager,
            reason=f"Imager Pixel Spacing (0018,1164) at the detector: {magnification.reason}",
        )
    return Scale(
        SpacingSource.IMAGER_OVER_MAGNIFICATION,
        *divided,
        reason=f"Imager Pixel Spacing (0018,1164) over {magnification.reason}",
    )


def _without_imager(header: ScaleHeader, pixel: Pair | None, notes: list[str]) -> Scale:
    scanned = _pair(header.scanned, notes)
    if scanned is not None:
        return Scale(
            SpacingSource.IMAGER_RAW,
            *scanned,
            reason=f"{header.scanned.name}: the scale of the digitised film, not of the spine",
        )
    if pixel is not None:
        reason = (
            f"{header.pixel.name} has no calibration type and there is no usable "
            f"{header.imager.name}: its plane is not known"
        )
    elif notes:
        reason = "no usable spacing: " + "; ".join(notes)
    else:
        reason = "the header gives no spacing"
    return Scale(SpacingSource.NONE, None, None, reason=reason)


def _note_aspect(header: ScaleHeader, scale: Scale, notes: list[str]) -> None:
    ratio = header.aspect.values
    if scale.source is not SpacingSource.NONE or len(ratio) != 2:
        return
    vertical, horizontal = ratio
    if vertical and horizontal and vertical != horizontal:
        notes.append(
            f"{header.aspect.name} {vertical:g}\\{horizontal:g}: pixels are not square and no "
            "spacing is usable; ratios of heights that are not parallel are distorted"
        )
