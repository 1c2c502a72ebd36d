"""Codes of a spine reading for DICOM SR: one table a notion, each way round.

SNOMED CT for vertebrae (DICOM CID 7602; it has no code there for T13, L6 and S1), NCI Thesaurus for
the readers' parts (CID 7453), UCUM for units. RadElement RDES150, the Genant classification of
RSNA and ACR, names the method; its element codes are not stable enough to be written as grades.
Grades, shapes, signs and causes carry our own scheme with a meaning in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from zoom_imaging.anatomy import Grade, GradeSource, Level, Shape, SpacingSource, Visit
from zoom_imaging.exchange.densitometry_codes import OWN_SCHEME, Coded
from zoom_imaging.exchange.radiograph_report import Evaluability
from zoom_imaging.review.answer import AbqSign, Anatomy, NonFractureCause
from zoom_imaging.review.verdict import Standing

_Member = TypeVar("_Member", bound=StrEnum)


def _own(value: str, meaning: str) -> Coded:
    return Coded(value, OWN_SCHEME, meaning)


PROCEDURE: Final = Coded("43468-8", "LN", "XR unspecified body region")
GENANT_METHOD: Final = Coded("RDES150", "RADELEMENT", "Genant classification")
VERTEBRA: Final = Coded("51282000", "SCT", "Vertebra")

EVALUABILITY: Final = _own("EVALUABILITY", "Evaluability of vertebra")
GRADE: Final = _own("GENANT", "Genant semiquantitative grade")
SHAPE: Final = _own("SHAPE", "Shape of vertebral deformity")
SIGN: Final = _own("ABQSIGN", "Sign of fracture, algorithm-based qualitative reading")
CAUSE: Final = _own("NOFRACTURE", "Cause of deformity other than osteoporotic fracture")
GIVEN_BY: Final = _own("GIVENBY", "Answer given by")
SIX_POINTS: Final = _own("SIXPOINTS", "Six points: sup ant, mid, post; inf ant, mid, post")
STANDING: Final = _own("STANDING", "Standing of the reading")
ANATOMY: Final = _own("ANATOMY", "Number of vertebrae")
SCALE: Final = _own("SCALE", "Scale of heights")
SCALE_ROW: Final = _own("SCALEROW", "Distance between rows in the plane of the scale")
SCALE_COLUMN: Final = _own("SCALECOLUMN", "Distance between columns in the plane of the scale")
SCALE_SOURCE: Final = _own("SCALESOURCE", "Source of the scale")
SCALE_REASON: Final = _own("SCALEREASON", "How the scale was found")
SIGNATURE: Final = _own("SIGNATURE", "Signature")
SIGNER: Final = _own("SIGNER", "Name as signed")
SIGNED_MEANING: Final = _own("SIGNMEANING", "Meaning of the signature")
SIGNED_AT: Final = _own("SIGNEDAT", "Moment of the signature, UTC")

HEIGHTS: Final = (
    _own("HA", "Anterior height of vertebral body"),
    _own("HM", "Middle height of vertebral body"),
    _own("HP", "Posterior height of vertebral body"),
)
"""In the order of the fields of `Heights`."""

RATIOS: Final = (
    _own("HAHP", "Ratio of anterior to posterior height"),
    _own("HMHP", "Ratio of middle to posterior height"),
    _own("HPNEIGHBOURS", "Ratio of posterior height to that of the neighbours"),
)
"""In the order of the fields of `Ratios`."""

MILLIMETRE: Final = Coded("mm", "UCUM", "millimeter")
NO_UNIT: Final = Coded("1", "UCUM", "no units")

_SNOMED: Final = {
    Level.C7: "87391001",
    Level.T1: "64864005",
    Level.T2: "53733008",
    Level.T3: "1626008",
    Level.T4: "73071006",
    Level.T5: "56401006",
    Level.T6: "45296009",
    Level.T7: "62487009",
    Level.T8: "11068009",
    Level.T9: "82687006",
    Level.T10: "7610001",
    Level.T11: "12989004",
    Level.T12: "23215003",
    Level.L1: "66794005",
    Level.L2: "14293000",
    Level.L3: "36470004",
    Level.L4: "11994002",
    Level.L5: "49668003",
}
SITES: Final[Mapping[Level, Coded]] = {
    level: Coded(_SNOMED[level], "SCT", f"{level} vertebra")
    if level in _SNOMED
    else _own(level.value, f"{level} vertebra")
    for level in Level
}

GRADES: Final[Mapping[Grade, Coded]] = {
    Grade.NORMAL: _own("GENANT0", "Genant grade 0, normal"),
    Grade.BORDERLINE: _own("GENANT0.5", "Genant grade 0.5, borderline"),
    Grade.MILD: _own("GENANT1", "Genant grade 1, mild"),
    Grade.MODERATE: _own("GENANT2", "Genant grade 2, moderate"),
    Grade.SEVERE: _own("GENANT3", "Genant grade 3, severe"),
    Grade.INDETERMINATE: Coded("82334004", "SCT", "Indeterminate"),
}
"""Without `NOT_EVALUABLE`: such a vertebra has no grade at all."""

EVALUABILITIES: Final[Mapping[Evaluability, Coded]] = {
    Evaluability.EVALUABLE: _own("EVALUABLE", "Evaluable"),
    Evaluability.NOT_ANSWERED: _own("NOTANSWERED", "Not answered"),
    Evaluability.NOT_GRADED: _own("NOTGRADED", "Outlined and not graded"),
    Evaluability.NOT_IMAGED: _own("NOTIMAGED", "Not evaluable: not imaged"),
    Evaluability.AT_IMAGE_BORDER: _own("ATBORDER", "Not evaluable: at the border of the image"),
    Evaluability.AT_SEAM: _own("ATSEAM", "Not evaluable: at a seam of a stitched film"),
    Evaluability.OBSCURED: _own("OBSCURED", "Not evaluable: obscured"),
    Evaluability.OBLIQUE_PROJECTION: _own("OBLIQUE", "Not evaluable: oblique projection"),
    Evaluability.POOR_QUALITY: _own("POORQUALITY", "Not evaluable: poor quality"),
    Evaluability.IMPLANT_OR_CEMENT: _own("IMPLANT", "Not evaluable: implant or cement"),
    Evaluability.LEVEL_UNCERTAIN: _own("LEVELUNCERTAIN", "Not evaluable: level uncertain"),
    Evaluability.LOW_CONFIDENCE: _own("LOWCONFIDENCE", "Not evaluable: low confidence of model"),
    Evaluability.READER_NOT_EVALUABLE: _own("READERNOT", "Not evaluable for the reader"),
    Evaluability.OTHER: _own("OTHERREASON", "Not evaluable: another reason"),
}

SHAPES: Final[Mapping[Shape, Coded]] = {
    Shape.WEDGE: _own("WEDGE", "Wedge: anterior height lost"),
    Shape.BICONCAVE: _own("BICONCAVE", "Biconcave: middle height lost"),
    Shape.CRUSH: _own("CRUSH", "Crush: posterior height lost too"),
}
"""Without `NONE`, which is the absence of a deformity."""

SIGNS: Final[Mapping[AbqSign, Coded]] = {
    AbqSign.SUPERIOR_ENDPLATE_DEPRESSION: _own("SUPDEPRESSION", "Superior endplate depression"),
    AbqSign.INFERIOR_ENDPLATE_DEPRESSION: _own("INFDEPRESSION", "Inferior endplate depression"),
    AbqSign.ENDPLATE_DISCONTINUITY: _own("DISCONTINUITY", "Endplate discontinuity"),
    AbqSign.CORTICAL_BUCKLING: _own("BUCKLING", "Cortical buckling"),
}

CAUSES: Final[Mapping[NonFractureCause, Coded]] = {
    NonFractureCause.DEGENERATIVE_WEDGE: _own("DEGENERATIVE", "Degenerative wedge"),
    NonFractureCause.SCHEUERMANN: _own("SCHEUERMANN", "Scheuermann disease"),
    NonFractureCause.SCHMORL_NODE: _own("SCHMORL", "Schmorl node"),
    NonFractureCause.SHORT_VERTEBRAL_HEIGHT: _own("SHORTHEIGHT", "Short vertebral height"),
    NonFractureCause.CUPIDS_BOW: _own("CUPIDSBOW", "Cupid's bow"),
    NonFractureCause.CONGENITAL: _own("CONGENITAL", "Congenital variant"),
    NonFractureCause.PAGET_OR_METASTASIS: _own("PAGETMETASTASIS", "Paget disease or metastasis"),
    NonFractureCause.POST_OPERATIVE_OR_CEMENT: _own("POSTOPERATIVE", "After operation or cement"),
    NonFractureCause.PROJECTION_OR_SCOLIOSIS: _own("PROJECTION", "Projection or scoliosis"),
}

GIVERS: Final[Mapping[GradeSource, Coded]] = {
    GradeSource.MODEL: _own("MODEL", "Model"),
    GradeSource.READER: Coded("C28747", "NCIt", "Reader"),
    GradeSource.ADJUDICATOR: Coded("C96561", "NCIt", "Adjudicator"),
}

STANDINGS: Final[Mapping[Standing | None, Coded]] = {
    None: _own("MODELONLY", "Read by the model only"),
    Standing.READ_ONCE: _own("READONCE", "Read once, not final"),
    Standing.FINAL: _own("FINAL", "Final"),
}

ANATOMIES: Final[Mapping[Anatomy, Coded]] = {
    Anatomy.TYPICAL: _own("TYPICAL", "Twelve thoracic and five lumbar vertebrae"),
    Anatomy.ELEVEN_THORACIC: _own("THORACIC11", "Eleven thoracic vertebrae"),
    Anatomy.THIRTEEN_THORACIC: _own("THORACIC13", "Thirteen thoracic vertebrae"),
    Anatomy.FOUR_LUMBAR: _own("LUMBAR4", "Four lumbar vertebrae"),
    Anatomy.SIX_LUMBAR: _own("LUMBAR6", "Six lumbar vertebrae"),
}

SCALE_SOURCES: Final[Mapping[SpacingSource, Coded]] = {
    SpacingSource.FIDUCIAL: _own("FIDUCIAL", "Calibrated with an object of known size"),
    SpacingSource.GEOMETRY: _own("GEOMETRY", "Calibrated by geometry"),
    SpacingSource.IMAGER_OVER_MAGNIFICATION: _own(
        "IMAGEROVERMAG", "Detector spacing over magnification"
    ),
    SpacingSource.IMAGER_RAW: _own("IMAGERRAW", "Spacing at the detector, not of the spine"),
    SpacingSource.NONE: _own("NOSCALE", "No scale"),
}

TIME_POINTS: Final[Mapping[Visit, str]] = {Visit.BASELINE: "Baseline", Visit.MONTH12: "Month 12"}
BASELINE_TYPE: Final = Coded("C1442488", "UMLS", "Baseline")


def member_of(table: Mapping[_Member, Coded], value: str, scheme: str) -> _Member:
    """What a code stands for; ValueError for a code that the table does not have."""
    for member, coded in table.items():
        if (coded.value, coded.scheme) == (value, scheme):
            return member
    raise ValueError(f"the code ({value}, {scheme}) is none of {next(iter(table.values())).scheme}")
