"""Names of sites, sides and regions, and the naming of a lumbar total by its vertebrae."""

from __future__ import annotations

import re
from collections.abc import Iterable

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.result import Side, Site

_DASHES = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2212": "-"})
_VERTEBRA = re.compile(r"^(T1[0-3]|L[1-6])$")
_RANGE = re.compile(r"^L([1-4])-L?([1-4])$")
_EXCEPT = re.compile(r"^(L[1-4]-L?[1-4])\((L[1-4](?:,L[1-4])*)\)$")


def level_set(label: str) -> tuple[Level, ...] | None:
    """Vertebrae that a label names: `L2`, `L1-L4`, `L1,L3`, `L1-L2,L4`, `L1-L4 (L3)`; else None.

    `L1-L4 (L3)` is Lunar's way to write "L1-L4 without L3".
    """
    text = re.sub(r"\s*([-,()+&;/])\s*", r"\1", label.strip().upper().translate(_DASHES))
    text = re.sub(r"\s+", ",", re.sub(r"[+&;/]", ",", text)).replace(",(", "(")
    if _VERTEBRA.match(text):
        return (Level(text),)
    without = _EXCEPT.match(text)
    if without:
        whole, gone = level_set(without[1]), level_set(without[2])
        if whole is None or gone is None or not set(gone) < set(whole):
            return None
        return tuple(level for level in whole if level not in gone)
    found: list[Level] = []
    for part in text.split(","):
        span = _RANGE.match(part)
        if span and int(span[1]) < int(span[2]):
            found += [Level(f"L{number}") for number in range(int(span[1]), int(span[2]) + 1)]
        elif re.match(r"^L[1-4]$", part):
            found.append(Level(part))
        else:
            return None
    if len(set(found)) != len(found):
        return None
    return tuple(sorted(found, key=lambda level: level.ordinal))


def total_name(levels: Iterable[Level]) -> str:
    """Name of the total of lumbar vertebrae: `L1-L4`, `L1-L2,L4`, `L1,L3`, `L1,L3-L4`."""
    numbers = sorted(LUMBAR_DXA_LEVELS.index(level) + 1 for level in levels)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"L{run[0]}" if len(run) == 1 else f"L{run[0]}-L{run[-1]}" for run in runs)


def _words(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9/]+", " ", text.lower()).split())


def side_of(text: str) -> Side:
    """Side that a text names (`a Left Hip`, `L.Forearm`, `Neck Mean`); NONE where it names none."""
    words = _words(text).split()
    for side, names in (
        (Side.LEFT, {"left", "l", "lt", "links", "gauche"}),
        (Side.RIGHT, {"right", "r", "rt", "rechts", "droit"}),
        (Side.MEAN, {"mean", "average"}),
    ):
        if names & set(words):
            return side
    return Side.NONE


def site_of(text: str) -> Site | None:
    """Scanned site that a title names; the hip as a whole is `TOTAL_HIP`; None where unknown."""
    words = _words(text)
    compact = words.replace(" ", "")
    if re.search(r"\b(lateral|vfa|iva|lva|vertebral assessment|vertebral fracture)\b", words):
        spinal = re.search(r"spine|lva|vfa|iva|vertebral", words)
        return Site.LATERAL_SPINE if spinal else None
    if re.search(r"whole ?body|total ?body|wholebody|body composition", words):
        return Site.WHOLE_BODY
    if re.search(r"\b(femur|femora|hip|hips|dualfemur|dual ?hip|femoral)\b|dualfemur", words):
        return Site.TOTAL_HIP
    if re.search(r"\b(forearm|radius|ulna|arm)\b", words) or compact in {"lforearm", "rforearm"}:
        return Site.FOREARM
    if re.search(r"\b(spine|lspine|lumbar|ap ?spine|pa ?spine)\b", words):
        return Site.LUMBAR_SPINE
    return None


_HIP_REGIONS: dict[str, tuple[Site, str]] = {
    "neck": (Site.FEMORAL_NECK, "Neck"),
    "femoralneck": (Site.FEMORAL_NECK, "Neck"),
    "femurneck": (Site.FEMORAL_NECK, "Neck"),
    "total": (Site.TOTAL_HIP, "Total"),
    "totalhip": (Site.TOTAL_HIP, "Total"),
    "totalfemur": (Site.TOTAL_HIP, "Total"),
    "troch": (Site.TROCHANTER, "Troch"),
    "trochanter": (Site.TROCHANTER, "Troch"),
    "inter": (Site.INTERTROCHANTER, "Inter"),
    "intertro": (Site.INTERTROCHANTER, "Inter"),
    "intertroch": (Site.INTERTROCHANTER, "Inter"),
    "intertrochanter": (Site.INTERTROCHANTER, "Inter"),
    "intertrochanteric": (Site.INTERTROCHANTER, "Inter"),
    "ward": (Site.WARDS, "Wards"),
    "wards": (Site.WARDS, "Wards"),
    "wardstriangle": (Site.WARDS, "Wards"),
    "shaft": (Site.FEMUR_SHAFT, "Shaft"),
}
_FOREARM_REGION = re.compile(
    r"^(radius|ulna|both|r u)?\s*(1/3|33|33%?|1/3 dist|mid|ud|ultradistal|ultra distal|total)"
    r"\s*(radius|ulna)?$|^(radius|ulna|both)$"
)
_BODY_REGION = re.compile(
    r"^((l|r|left|right) (arm|arms|leg|legs|ribs|trunk)|arms?|legs?|ribs|trunk|t spine|l spine|"
    r"spine|pelvis|subtotal|total|head|thoracic spine|lumbar spine|torso|tbl(h)?)$"
)


def hip_region(label: str) -> tuple[Site, str, Side] | None:
    """Site, region name and side that a hip's row label names, None where it names none."""
    kept = [word for word in _words(label.replace("'", "")).split() if word]
    side = side_of(" ".join(kept))
    plain = [word for word in kept if word not in {"left", "right", "mean", "average", "l", "r"}]
    found = _HIP_REGIONS.get("".join(plain).replace("/", ""))
    return (found[0], found[1], side) if found else None


def other_region(site: Site, label: str) -> str | None:
    """Region name of a forearm, whole body or lateral spine row, None where it is none."""
    shown = " ".join(label.split())
    words = _words(label.replace("'", ""))
    if site is Site.FOREARM:
        return shown if _FOREARM_REGION.match(words) else None
    if site is Site.WHOLE_BODY:
        return shown if _BODY_REGION.match(words) else None
    if site is Site.LATERAL_SPINE:
        known = level_set(label) is not None or words in {"total", "mid", "midlateral"}
        return shown if known else None
    return None
