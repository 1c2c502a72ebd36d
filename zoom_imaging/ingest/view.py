"""The projection and the part of the spine of a radiograph, from what its header says.

Four attributes may tell the projection: View Position, View Code Sequence, Patient Orientation and
the descriptions. Where they contradict each other the view is unknown, and the picture decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from zoom_imaging.anatomy import View


class SpinePart(StrEnum):
    """Which part of the spine a film shows, as far as its header says."""

    WHOLE = "whole"
    THORACIC = "thoracic"
    LUMBAR = "lumbar"
    CERVICAL = "cervical"
    SACRAL = "sacral"

    def overlaps(self, other: SpinePart) -> bool:
        """Whether two films of these parts may show the same vertebrae."""
        return self is other or SpinePart.WHOLE in {self, other}


_POSITIONS = {
    "AP": View.AP,
    "PA": View.AP,
    "LL": View.LATERAL,
    "RL": View.LATERAL,
    "LAT": View.LATERAL,
    "LATERAL": View.LATERAL,
    "LLAT": View.LATERAL,
    "RLAT": View.LATERAL,
    "LLO": View.OTHER,
    "RLO": View.OTHER,
    "RAO": View.OTHER,
    "LAO": View.OTHER,
    "RPO": View.OTHER,
    "LPO": View.OTHER,
    "OBL": View.OTHER,
    "OBLIQUE": View.OTHER,
}
_CODES = {
    "399067008": View.LATERAL,
    "399173006": View.LATERAL,
    "399198007": View.LATERAL,
    "r-10228": View.LATERAL,
    "r-10232": View.LATERAL,
    "r-10236": View.LATERAL,
    "399348003": View.AP,
    "272479007": View.AP,
    "399033003": View.AP,
    "r-10206": View.AP,
    "r-10214": View.AP,
    "r-10202": View.AP,
}
"""View codes of PS3.16 CID 4010 (SNOMED CT and the older SRT values)."""

_OBLIQUE = re.compile(r"\bobl(ique)?s?\b|사위")
_LATERAL = re.compile(
    r"(?<![a-z])(lat|lats|lateral|laterals|ll|rl|llat|rlat|sag|sagittal)(?![a-z])|측면"
)
_FRONTAL = re.compile(
    r"(?<![a-z])(ap|pa|frontal|antero-?\s?posterior|postero-?\s?anterior|coronal)(?![a-z])|전후"
)
_PARTS: tuple[tuple[SpinePart, re.Pattern[str]], ...] = (
    (
        SpinePart.WHOLE,
        re.compile(
            r"(whole|full|entire|total|long)[\s_-]*(spine|spinal)|(?<![a-z])w[\s_-]*spine|"
            r"(?<![a-z])t[\s/_-]*l[\s_-]*spine|thora[ck]o[\s_-]*lumbar|scolio|eos[\s_-]*spine|전척추|전체\s*척추|"
            r"흉요추|spine[\s_-]*(whole|full)"
        ),
    ),
    (
        SpinePart.THORACIC,
        re.compile(
            r"(thora[ck]ic|dorsal)[\s_-]*(spine|vert)|(?<![a-z])[td][\s_-]*spine|tspine|흉추"
        ),
    ),
    (
        SpinePart.LUMBAR,
        re.compile(r"lumb[ao]|(?<![a-z])ls?[\s_-]*spine|l[\s/_-]s[\s_-]*spine|lsspine|요추|요천추"),
    ),
    (
        SpinePart.CERVICAL,
        re.compile(r"cervical[\s_-]*(spine|vert)?|(?<![a-z])c[\s_-]*spine|cspine|경추"),
    ),
    (SpinePart.SACRAL, re.compile(r"(?<![a-z])s[\s_-]*spine|sspine|sacr|coccy|천추|미추")),
)
_SPINE = re.compile(r"spin[ae]l?(?![a-z])|vertebra|척추|wirbels|columna|rachis")


@lru_cache(maxsize=1024)
def spine_part(texts: tuple[str, ...]) -> SpinePart | None:
    """The part of the spine that a film's texts name; WHOLE for a spine without a part.

    Thoracic and lumbar named together are the whole spine of this trial (T4-L4). Thousands of films
    have the same few texts, so answers are kept.
    """
    named: set[SpinePart] = set()
    spine = False
    for text in texts:
        lower = text.lower()
        spine = spine or bool(_SPINE.search(lower))
        named.update(part for part, pattern in _PARTS if pattern.search(lower))
    if SpinePart.WHOLE in named or {SpinePart.THORACIC, SpinePart.LUMBAR} <= named:
        return SpinePart.WHOLE
    for part in (SpinePart.THORACIC, SpinePart.LUMBAR, SpinePart.CERVICAL, SpinePart.SACRAL):
        if part in named:
            return part
    return SpinePart.WHOLE if spine else None


@lru_cache(maxsize=1024)
def view_of(
    view_position: str,
    view_codes: tuple[str, ...],
    patient_orientation: str,
    descriptions: tuple[str, ...],
) -> tuple[View, str]:
    """The projection and a sentence that says what told it, or what contradicts what.

    `descriptions` are ordered: the first one that names exactly one projection counts.
    """
    votes = {
        "View Position": _POSITIONS.get(re.sub(r"[^A-Z]", "", view_position.upper())),
        "View Code Sequence": _view_of_codes(view_codes),
        "Patient Orientation": _view_of_orientation(patient_orientation),
        "the description": next(
            (view for text in descriptions if (view := _view_of_text(text)) is not None), None
        ),
    }
    named = {name: view for name, view in votes.items() if view is not None}
    if not named:
        return View.UNKNOWN, "the header does not say the view"
    views = set(named.values())
    said = ", ".join(f"{name}: {view.value}" for name, view in named.items())
    if len(views) > 1:
        return View.UNKNOWN, f"the header contradicts itself about the view ({said})"
    return views.pop(), said


def _view_of_codes(codes: Iterable[str]) -> View | None:
    found = {
        view
        for code in codes
        if (view := _CODES.get(code.strip().lower()) or _view_of_text(code)) is not None
    }
    return found.pop() if len(found) == 1 else None


def _view_of_orientation(text: str) -> View | None:
    """Rows and columns run along two body axes: the third is the direction of the beam."""
    parts = [part.strip().upper() for part in text.split("\\")]
    if len(parts) != 2 or not all(parts):
        return None
    axes = {_axis(part[0]) for part in parts}
    if axes == {"sagittal", "vertical"}:
        return View.LATERAL
    if axes == {"transverse", "vertical"}:
        return View.AP
    return View.OTHER if axes == {"sagittal", "transverse"} else None


def _axis(letter: str) -> str:
    return {"A": "sagittal", "P": "sagittal", "L": "transverse", "R": "transverse"}.get(
        letter, "vertical" if letter in "HF" else "unknown"
    )


def _view_of_text(text: str) -> View | None:
    lower = text.lower()
    if _OBLIQUE.search(lower):
        return View.OTHER
    lateral, frontal = bool(_LATERAL.search(lower)), bool(_FRONTAL.search(lower))
    if lateral == frontal:
        return None
    return View.LATERAL if lateral else View.AP
