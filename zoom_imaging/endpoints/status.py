"""What stands behind a subject's endpoints, and what is known of an event."""

from __future__ import annotations

from enum import StrEnum


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
