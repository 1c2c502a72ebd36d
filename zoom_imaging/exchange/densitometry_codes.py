"""Codes of densitometry for DICOM SR and FHIR: one table, so that both say the same.

LOINC where it has the concept (24966-4 lumbar spine BMD by DXA, 38267-1 and 85394-5 its T- and
Z-score, 38263-0 the femur's T-score; 83311-1 is the panel), SNOMED CT for sites, UCUM for units.
DICOM has no template and few codes for densitometry: what remains carries our own scheme with
a meaning in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zoom_imaging.anatomy import Level
from zoom_imaging.dxa.region import level_set
from zoom_imaging.dxa.result import DxaResult, Side, Site

OWN_SCHEME = "99ZOOM"


@dataclass(frozen=True)
class Coded:
    """One coded concept; `scheme` is DICOM's designator (LN, SCT, UCUM, 99ZOOM)."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Quantified:
    """One number of a result with its concept and unit."""

    concept: Coded
    value: float
    unit: Coded


PANEL = Coded("83311-1", "LN", "DXA Skeletal system Views for bone density")
LEFT = Coded("7771000", "SCT", "Left")
RIGHT = Coded("24028007", "SCT", "Right")

_LUMBAR_SPINE = Coded("122496007", "SCT", "Lumbar spine")
_VERTEBRAE = {
    Level.L1: Coded("66794005", "SCT", "L1 vertebra"),
    Level.L2: Coded("14293000", "SCT", "L2 vertebra"),
    Level.L3: Coded("36470004", "SCT", "L3 vertebra"),
    Level.L4: Coded("11994002", "SCT", "L4 vertebra"),
}
_SITES = {
    Site.LUMBAR_SPINE: _LUMBAR_SPINE,
    Site.TOTAL_HIP: Coded("TOTALHIP", OWN_SCHEME, "Total hip"),
    Site.FEMORAL_NECK: Coded("29627003", "SCT", "Femoral neck"),
    Site.TROCHANTER: Coded("TROCH", OWN_SCHEME, "Trochanter region of hip"),
    Site.INTERTROCHANTER: Coded("INTER", OWN_SCHEME, "Intertrochanter region of hip"),
    Site.WARDS: Coded("WARDS", OWN_SCHEME, "Ward's region of hip"),
    Site.FEMUR_SHAFT: Coded("41111004", "SCT", "Shaft of Femur"),
    Site.FOREARM: Coded("14975008", "SCT", "Forearm"),
    Site.WHOLE_BODY: Coded("WHOLEBODY", OWN_SCHEME, "Whole body"),
    Site.LATERAL_SPINE: Coded("LATERAL", OWN_SCHEME, "Lumbar spine, lateral view"),
}
_BMD = Coded("BMD", OWN_SCHEME, "Bone mineral density")
_BMC = Coded("BMC", OWN_SCHEME, "Bone mineral content")
_AREA = Coded("AREA", OWN_SCHEME, "Bone area")
_T_SCORE = Coded("TSCORE", OWN_SCHEME, "T-score")
_Z_SCORE = Coded("ZSCORE", OWN_SCHEME, "Z-score")
_SPINE = {
    _BMD: Coded("24966-4", "LN", "DXA Lumbar spine [Mass/Area] Bone density"),
    _T_SCORE: Coded("38267-1", "LN", "DXA Lumbar spine [T-score] Bone density"),
    _Z_SCORE: Coded("85394-5", "LN", "DXA Lumbar spine [Z-score] Bone density"),
}
_FEMUR = {_T_SCORE: Coded("38263-0", "LN", "DXA Femur [T-score] Bone density")}
_G_PER_CM2 = Coded("g/cm2", "UCUM", "gram per square centimeter")
_G = Coded("g", "UCUM", "gram")
_CM2 = Coded("cm2", "UCUM", "square centimeter")
_SCORE_UNIT = {
    _T_SCORE: Coded("{T-score}", "UCUM", "T-score"),
    _Z_SCORE: Coded("{Z-score}", "UCUM", "Z-score"),
}


def sites_of(result: DxaResult) -> tuple[Coded, ...]:
    """The sites of a result: each vertebra of a lumbar total, else the one region."""
    if result.site is Site.LUMBAR_SPINE:
        levels = level_set(result.region) or ()
        found = tuple(_VERTEBRAE[level] for level in levels if level in _VERTEBRAE)
        return found or (_LUMBAR_SPINE,)
    return (_SITES[result.site],)


def side_of(result: DxaResult) -> Coded | None:
    """Left or right; None for the spine and for a mean of both sides."""
    return {Side.LEFT: LEFT, Side.RIGHT: RIGHT}.get(result.side)


def numbers_of(result: DxaResult) -> Iterator[Quantified]:
    """What was measured, in the order area, BMC, BMD, T, Z; nothing for what the report lacks."""
    special = _SPINE if result.site is Site.LUMBAR_SPINE else _FEMUR if result.site.is_hip else {}
    for concept, value, unit in (
        (_AREA, result.area_cm2, _CM2),
        (_BMC, result.bmc_g, _G),
        (_BMD, result.bmd_g_per_cm2, _G_PER_CM2),
        (_T_SCORE, result.t_score, _SCORE_UNIT[_T_SCORE]),
        (_Z_SCORE, result.z_score, _SCORE_UNIT[_Z_SCORE]),
    ):
        if value is not None:
            yield Quantified(special.get(concept, concept), value, unit)


def title_of(result: DxaResult) -> str:
    """The region in words, as a reader of the report says it: `AP Spine L1-L4`, `Left Neck`."""
    side = "" if result.side is Side.NONE else f"{result.side.value.capitalize()} "
    scan = {
        Site.LUMBAR_SPINE: "AP Spine",
        Site.FOREARM: "Forearm",
        Site.WHOLE_BODY: "Whole Body",
        Site.LATERAL_SPINE: "Lateral Spine",
    }.get(result.site, "Femur")
    return f"{side}{scan} {result.region}"
