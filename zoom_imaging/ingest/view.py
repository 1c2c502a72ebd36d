"""The projection of a radiograph, told from its header: lateral, antero-posterior, other, unknown.

A header says it in up to four places, and they may contradict each other. Coded statements (View
Position, View Code Sequence, Patient Orientation; PS3.3 C.8.11.1, CID 4010) come first, words of
descriptions second; a contradiction makes the view unknown, and the reason names both sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from zoom_imaging.anatomy import View

_LATERAL, _AP, _OTHER = View.LATERAL, View.AP, View.OTHER

_POSITIONS: dict[str, View] = {
    "LL": _LATERAL,
    "RL": _LATERAL,
    "LAT": _LATERAL,
    "LATERAL": _LATERAL,
    "LLAT": _LATERAL,
    "RLAT": _LATERAL,
    "AP": _AP,
    "PA": _AP,
    "FRONTAL": _AP,
    "LLO": _OTHER,
    "RLO": _OTHER,
    "LAO": _OTHER,
    "RAO": _OTHER,
    "LPO": _OTHER,
    "RPO": _OTHER,
}
"""Terms of View Position (0018,5101). The decubitus terms (LLD, RLD) do not tell the projection."""

_CODES: dict[str, View] = {
    "R-10236": _LATERAL,
    "R-10232": _LATERAL,
    "399067008": _LATERAL,
    "399173006": _LATERAL,
    "399198007": _LATERAL,
    "R-10206": _AP,
    "R-10214": _AP,
    "399348003": _AP,
    "272479007": _AP,
}
"""SNOMED codes of lateral, antero-posterior and postero-anterior projections."""

_LATERAL_WORDS = re.compile(
    r"(?<![a-z])(lateral|lat|latl|ll|rl|seitlich|profil|laterale|sagittal)(?![a-z])"
    r"|측면|側面|侧位|側位"
)
_AP_WORDS = re.compile(
    r"(?<![a-z])(a\.?p|p\.?a|frontal|anteroposterior|antero-posterior|posteroanterior|face|"
    r"coronal)(?![a-z])|정면|正面|正位"
)
_OTHER_WORDS = re.compile(r"(?<![a-z])(oblique|obl|lao|rao|lpo|rpo)(?![a-z])|斜位|사위")


@dataclass(frozen=True)
class ViewHeader:
    """What a header says of the projection, as text; empty where it does not.

    `view_codes` holds code values and meanings of the View Code Sequence; `descriptions` the words
    about this image or series; `study_description` those about the whole study, which may name
    several views.
    """

    view_position: str = ""
    view_codes: tuple[str, ...] = ()
    patient_orientation: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    study_description: str = ""


@dataclass(frozen=True)
class ViewFinding:
    """The view and the sentence why; `is_contradiction` where statements exclude each other."""

    view: View
    reason: str
    is_contradiction: bool = False


def view_of(header: ViewHeader) -> ViewFinding:
    """Tell the view from every statement of the header."""
    statements = list(_coded(header))
    statements += [
        (f"description {text!r}", view)
        for text in header.descriptions
        if (view := view_in_words(text)) is not None
    ]
    if not statements:
        view = view_in_words(header.study_description)
        if view is not None:
            statements.append((f"study description {header.study_description!r}", view))
    views = {view for _, view in statements}
    named = ", ".join(f"{where} says {view.value}" for where, view in statements)
    if not views:
        return ViewFinding(View.UNKNOWN, "the header does not say the view")
    if len(views) > 1:
        return ViewFinding(
            View.UNKNOWN, f"the header contradicts itself: {named}", is_contradiction=True
        )
    return ViewFinding(views.pop(), named)


def view_in_words(text: str) -> View | None:
    """The one view that a description names; None if it names none or several."""
    lowered = text.lower().replace("_", " ")
    if _OTHER_WORDS.search(lowered):
        return _OTHER
    lateral, ap = bool(_LATERAL_WORDS.search(lowered)), bool(_AP_WORDS.search(lowered))
    if lateral == ap:
        return None
    return _LATERAL if lateral else _AP


def _coded(header: ViewHeader) -> Iterator[tuple[str, View]]:
    position = header.view_position.strip().upper()
    if position in _POSITIONS:
        yield f"View Position {position}", _POSITIONS[position]
    for code in header.view_codes:
        view = _CODES.get(code.strip().upper()) or view_in_words(code)
        if view is not None:
            yield f"View Code {code!r}", view
    view = _oriented(header.patient_orientation)
    if view is not None:
        yield "Patient Orientation " + "\\".join(header.patient_orientation), view


def _oriented(orientation: tuple[str, ...]) -> View | None:
    """Rows that run from front to back make a lateral view, from side to side a frontal one.

    Only the main direction (first letter) counts; a film lies upright, so that the other direction
    is head or foot.
    """
    if len(orientation) != 2:
        return None
    main = {part.strip().upper()[:1] for part in orientation}
    if not main & {"H", "F"}:
        return None
    if main & {"A", "P"}:
        return _LATERAL
    if main & {"L", "R"}:
        return _AP
    return None
