"""What a reader says of a spine: one answer a vertebra, and the words for each.

Readers see two sides, A and B. Which visit a side shows is known to the database alone, so that
a trial may hide the order of the visits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    LANDMARKS,
    TYPICAL_LEVELS,
    Grade,
    Level,
    Point,
    Shape,
    SixPoints,
)

LONGEST_NOTE: Final = 500
_MOST_POLYGON_POINTS: Final = 2000
_FARTHEST_PX: Final = 100_000.0


class Side(StrEnum):
    """One of the two spines that a reader sees beside each other."""

    A = "A"
    B = "B"


class Anatomy(StrEnum):
    """How many vertebrae this person has; transitional anatomy is said, never guessed."""

    TYPICAL = "typical"
    ELEVEN_THORACIC = "eleven_thoracic"
    THIRTEEN_THORACIC = "thirteen_thoracic"
    FOUR_LUMBAR = "four_lumbar"
    SIX_LUMBAR = "six_lumbar"

    @property
    def levels(self) -> tuple[Level, ...]:
        """C7 to S1 as this spine has them."""
        return _levels_of(self)

    @property
    def graded_levels(self) -> tuple[Level, ...]:
        """The levels of T4-L4 that this spine has: each needs an answer."""
        return tuple(level for level in GRADED_LEVELS if level in self.levels)

    @property
    def transitional(self) -> tuple[Level, ...]:
        """T13 or L6 where this spine has one."""
        return tuple(level for level in self.levels if level not in TYPICAL_LEVELS)


@cache
def _levels_of(anatomy: Anatomy) -> tuple[Level, ...]:
    absent = {
        Anatomy.ELEVEN_THORACIC: {Level.T12, Level.T13, Level.L6},
        Anatomy.THIRTEEN_THORACIC: {Level.L6},
        Anatomy.FOUR_LUMBAR: {Level.L5, Level.T13, Level.L6},
        Anatomy.SIX_LUMBAR: {Level.T13},
    }.get(anatomy, {Level.T13, Level.L6})
    return tuple(level for level in Level if level not in absent)


class NotEvaluableReason(StrEnum):
    """Why a reader cannot judge a vertebra."""

    NOT_IMAGED = "not_imaged"
    AT_IMAGE_BORDER = "at_image_border"
    AT_SEAM = "at_seam"
    OBSCURED = "obscured"
    OBLIQUE_PROJECTION = "oblique_projection"
    POOR_QUALITY = "poor_quality"
    IMPLANT_OR_CEMENT = "implant_or_cement"
    LEVEL_UNCERTAIN = "level_uncertain"
    OTHER = "other"


class AbqSign(StrEnum):
    """Signs of the algorithm-based qualitative reading (Jiang 2004, Osteoporos Int 15:887)."""

    SUPERIOR_ENDPLATE_DEPRESSION = "superior_endplate_depression"
    INFERIOR_ENDPLATE_DEPRESSION = "inferior_endplate_depression"
    ENDPLATE_DISCONTINUITY = "endplate_discontinuity"
    CORTICAL_BUCKLING = "cortical_buckling"


class NonFractureCause(StrEnum):
    """Why a vertebra that is low or deformed is no osteoporotic fracture (domain rules, 4)."""

    DEGENERATIVE_WEDGE = "degenerative_wedge"
    SCHEUERMANN = "scheuermann"
    SCHMORL_NODE = "schmorl_node"
    SHORT_VERTEBRAL_HEIGHT = "short_vertebral_height"
    CUPIDS_BOW = "cupids_bow"
    CONGENITAL = "congenital"
    PAGET_OR_METASTASIS = "paget_or_metastasis"
    POST_OPERATIVE_OR_CEMENT = "post_operative_or_cement"
    PROJECTION_OR_SCOLIOSIS = "projection_or_scoliosis"


CAUSE_WORDS: Final[Mapping[NonFractureCause, str]] = {
    NonFractureCause.DEGENERATIVE_WEDGE: "degenerative wedge",
    NonFractureCause.SCHEUERMANN: "Scheuermann's disease",
    NonFractureCause.SCHMORL_NODE: "Schmorl's node",
    NonFractureCause.SHORT_VERTEBRAL_HEIGHT: "short vertebral height",
    NonFractureCause.CUPIDS_BOW: "Cupid's bow",
    NonFractureCause.CONGENITAL: "congenital",
    NonFractureCause.PAGET_OR_METASTASIS: "Paget's disease or metastasis",
    NonFractureCause.POST_OPERATIVE_OR_CEMENT: "after an operation, or cement",
    NonFractureCause.PROJECTION_OR_SCOLIOSIS: "projection or scoliosis",
}
"""Each cause as readers choose it and as tables and reports name it."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VertebraAnswer(_Answer):
    """One vertebra of one side. `grade` is None until the reader has answered.

    `film` is the key of the film that the points lie on; points and outline are (column, row),
    0-based pixel centres of the stored image. `moved` says that the reader set or moved a point.
    """

    film: Annotated[str, Field(max_length=32)] = ""
    grade: Grade | None = None
    reason: NotEvaluableReason | None = None
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    shape: Shape = Shape.NONE
    signs: tuple[AbqSign, ...] = ()
    cause: NonFractureCause | None = None
    six_points: dict[str, Point] | None = None
    polygon: Annotated[tuple[Point, ...], Field(max_length=_MOST_POLYGON_POINTS)] = ()
    moved: bool = False

    @field_validator("signs")
    @classmethod
    def _each_once(cls, value: tuple[AbqSign, ...]) -> tuple[AbqSign, ...]:
        return tuple(sign for sign in AbqSign if sign in value)

    @field_validator("six_points")
    @classmethod
    def _all_six(cls, value: dict[str, Point] | None) -> dict[str, Point] | None:
        if value is None:
            return None
        if set(value) != set(LANDMARKS):
            raise ValueError(f"six points: expected {', '.join(LANDMARKS)}")
        return {name: value[name] for name in LANDMARKS}

    @model_validator(mode="after")
    def _on_the_plane(self) -> Self:
        points = [*(self.six_points or {}).values(), *self.polygon]
        if not all(math.isfinite(v) and abs(v) <= _FARTHEST_PX for point in points for v in point):
            raise ValueError("a point lies nowhere near the film")
        if points and not self.film:
            raise ValueError("points without the film that they lie on")
        return self

    @property
    def points(self) -> SixPoints | None:
        """The six points as a record."""
        return None if self.six_points is None else SixPoints(**self.six_points)

    def problem(self) -> str:
        """What is missing or contradictory, as a sentence for the reader; "" if nothing is."""
        if self.grade is None:
            return "no answer yet"
        if self.grade is Grade.NOT_EVALUABLE:
            return self._problem_of_reason()
        if self.reason is not None:
            return "a reason for not evaluable, and yet a grade"
        return self._problem_of_grade(self.grade)

    def _problem_of_reason(self) -> str:
        if self.reason is None:
            return "not evaluable: say why"
        if self.reason is NotEvaluableReason.OTHER and not self.note.strip():
            return "not evaluable for another reason: write which"
        return ""

    def _problem_of_grade(self, grade: Grade) -> str:
        fractured = grade.is_numeric and grade.number >= 1
        if fractured and self.shape is Shape.NONE:
            return f"grade {grade.value}: say which shape"
        if fractured and self.cause is not None:
            return "a cause other than fracture has grade 0, 0.5 or indeterminate"
        if grade is Grade.NORMAL and self.shape is not Shape.NONE:
            return "grade 0 has no shape of a fracture"
        return ""


class SpineAnswers(_Answer):
    """All vertebrae of one side; also those outside T4-L4 that carry an outline."""

    anatomy: Anatomy = Anatomy.TYPICAL
    vertebrae: dict[Level, VertebraAnswer] = {}
    comment: Annotated[str, Field(max_length=2 * LONGEST_NOTE)] = ""

    @model_validator(mode="after")
    def _levels_exist(self) -> Self:
        strangers = [level.value for level in self.vertebrae if level not in self.anatomy.levels]
        if strangers:
            raise ValueError(f"{', '.join(strangers)} does not exist in a {self.anatomy} spine")
        return self

    def answer(self, level: Level) -> VertebraAnswer:
        """The answer for a level; an empty one where nothing was said."""
        return self.vertebrae.get(level, VertebraAnswer())

    def problems(self) -> Iterator[tuple[Level, str]]:
        """Every level of T4-L4 that is not completely answered, from the top down."""
        for level in self.anatomy.graded_levels:
            problem = self.answer(level).problem()
            if problem:
                yield level, problem


class Stage(StrEnum):
    """Whether the model's suggestion is still hidden from this reading, or was never hidden."""

    UNAIDED = "unaided"
    AIDED = "aided"


class ReadingContent(_Answer):
    """Everything that one reader says of one case."""

    sides: dict[Side, SpineAnswers]
    stage: Stage = Stage.AIDED

    def problems(self) -> list[tuple[Side, Level, str]]:
        """What is still to be answered before the reading can be signed."""
        return [
            (side, level, problem)
            for side in Side
            if side in self.sides
            for level, problem in self.sides[side].problems()
        ]


def changed_fields(
    before: ReadingContent, after: ReadingContent
) -> Iterator[tuple[str, object, object]]:
    """What differs, as (`A.T12.grade`, old, new), for the audit trail."""
    old, new = _flat(before), _flat(after)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield name, old.get(name), new.get(name)


def _flat(content: ReadingContent) -> Mapping[str, object]:
    flat: dict[str, object] = {"stage": content.stage.value}
    for side, spine in content.sides.items():
        flat[f"{side}.anatomy"] = spine.anatomy.value
        flat[f"{side}.comment"] = spine.comment
        for level, answer in spine.vertebrae.items():
            for field, value in answer.model_dump(mode="json").items():
                flat[f"{side}.{level}.{field}"] = value
    return flat
