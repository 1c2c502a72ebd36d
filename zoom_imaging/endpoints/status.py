"""What stands behind a subject's endpoints, and what is known of an event."""

from __future__ import annotations

from enum import StrEnum

from zoom_imaging.anatomy import Grade, GradeSource
from zoom_imaging.morphometry.reading import VertebraReading


class EndpointStatus(StrEnum):
    """Who stands behind the endpoints of a subject; the model alone never makes one final."""

    PROVISIONAL = "provisional"
    READ_ONCE = "read_once"
    FINAL = "final"


class EventState(StrEnum):
    """Whether an event happened, as far as it can be told (domain rules, section 4).

    `NO` needs all 13 levels at both visits (or so few missing that they cannot make the count);
    else it is `UNDETERMINED`: no event among the levels that could be compared. `NOT_EVALUABLE`
    means that none could. `YES` stays `YES`.
    """

    YES = "yes"
    NO = "no"
    UNDETERMINED = "undetermined"
    NOT_EVALUABLE = "not_evaluable"


def grade_source(vertebra: VertebraReading) -> GradeSource | None:
    """Who gave the grade, or, where it was a person, who said that there is none; else None."""
    said = vertebra.grade is not Grade.NOT_EVALUABLE
    return vertebra.grade_source if said or vertebra.grade_source is not GradeSource.MODEL else None
