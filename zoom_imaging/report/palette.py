"""How a grade, a state and a change look and what they are called, in pictures and pages alike.

Colours are told apart by people with colour-vision deficiency (steps of lightness as well as hue)
and are never the only carrier: line width, dash and a text label say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_imaging.anatomy import Grade, Shape, VertebraState, Visit
from zoom_imaging.change.record import ChangeKind
from zoom_imaging.morphometry.reading import VertebraReading


@dataclass(frozen=True)
class Stroke:
    """Outline of one vertebra: colour, width in picture pixels and dash pattern ("" = solid)."""

    colour: str
    width_px: float
    dash: tuple[float, ...] = ()


STROKES: Mapping[Grade, Stroke] = {
    Grade.NORMAL: Stroke("#35b6ad", 1.4),
    Grade.BORDERLINE: Stroke("#a8d96c", 2.0, (9, 2, 2, 2)),
    Grade.MILD: Stroke("#f7e03c", 2.6),
    Grade.MODERATE: Stroke("#f58a1f", 3.2),
    Grade.SEVERE: Stroke("#e8388f", 3.8),
    Grade.INDETERMINATE: Stroke("#c3c7cc", 2.0, (9, 2, 2, 2)),
    Grade.NOT_EVALUABLE: Stroke("#b4b9bf", 2.0, (6, 4)),
}

GRADE_WORDS: Mapping[Grade, str] = {
    Grade.NORMAL: "grade 0",
    Grade.BORDERLINE: "grade 0.5, borderline",
    Grade.MILD: "grade 1, mild",
    Grade.MODERATE: "grade 2, moderate",
    Grade.SEVERE: "grade 3, severe",
    Grade.INDETERMINATE: "indeterminate",
    Grade.NOT_EVALUABLE: "not evaluable",
}

STATE_WORDS: Mapping[VertebraState, str] = {
    VertebraState.EVALUABLE: "evaluable",
    VertebraState.NOT_IMAGED: "not imaged",
    VertebraState.AT_IMAGE_BORDER: "at the image border",
    VertebraState.AT_SEAM: "at a seam of the stitched film",
    VertebraState.OBSCURED: "obscured",
    VertebraState.LOW_CONFIDENCE: "low confidence of the model",
    VertebraState.LEVEL_UNCERTAIN: "level uncertain",
    VertebraState.IMPLANT_OR_CEMENT: "implant or cement",
    VertebraState.READER_NOT_EVALUABLE: "not evaluable for the reader",
}

CHANGE_WORDS: Mapping[ChangeKind, str] = {
    ChangeKind.NONE: "no change",
    ChangeKind.NEW: "new",
    ChangeKind.WORSENING: "worsening",
    ChangeKind.CEILING: "at ceiling",
    ChangeKind.IMPROVED: "lower: query",
    ChangeKind.NOT_EVALUABLE: "not evaluable",
}

CHANGE_MARKS: Mapping[ChangeKind, str] = {
    ChangeKind.NEW: "NEW",
    ChangeKind.WORSENING: "WORSENING",
    ChangeKind.IMPROVED: "LOWER: QUERY",
}
"""What a picture writes beside a changed level; other kinds have no mark."""

VISIT_WORDS: Mapping[Visit, str] = {Visit.BASELINE: "Baseline", Visit.MONTH12: "Month 12"}


def shown_grade(vertebra: VertebraReading) -> Grade:
    """The grade that may be shown: a vertebra that is not evaluable never shows a number."""
    if vertebra.state is not VertebraState.EVALUABLE:
        return Grade.NOT_EVALUABLE
    return vertebra.grade


def short_grade(grade: Grade, shape: Shape) -> str:
    """The grade in a few letters, with the shape of a deformity: `0`, `2 wedge`, `n.e.`."""
    if grade is Grade.NOT_EVALUABLE:
        return "n.e."
    if grade is Grade.INDETERMINATE:
        return "indet."
    shaped = grade is not Grade.NORMAL and shape is not Shape.NONE
    return f"{grade.value} {shape.value}" if shaped else grade.value
