"""Numbers as densitometry reports print them, and their units.

A number is read or it is not: a missing mark gives no value and no complaint, anything that has two
readings gives no value and a `problem`. A decimal comma is a decimal point: `1,023` is 1.023;
a comma *and* a point are read only if the last one can be nothing but the decimal sign.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

_MISSING = re.compile(r"^(?:[-–—−_.*]*|n\.?/?a\.?|none|null|not available|not applicable)$", re.I)
_MINUS = str.maketrans({"\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-"})
_PLAIN = re.compile(r"^[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?$")
_GROUPED = re.compile(r"^[+-]?[0-9]{1,3}(?:(?:,[0-9]{3})+\.[0-9]+|(?:\.[0-9]{3})+,[0-9]+)$")
_LONGEST = 64


@dataclass(frozen=True)
class Printed:
    """One printed number. `value` is None if missing (`problem` empty) or unreadable (a sentence).

    `note` names something worth a warning although the value is used.
    """

    value: float | None = None
    text: str = ""
    problem: str = ""
    note: str = ""

    @property
    def is_missing(self) -> bool:
        """True where the report has nothing, which is no fault."""
        return self.value is None and not self.problem


NOT_PRINTED = Printed()


class Quantity(Enum):
    """What a number stands for: canonical unit and the range of anything that can be true."""

    BMD = ("g/cm2", 0.1, 3.0)
    BMC = ("g", 0.01, 6000.0)
    AREA = ("cm2", 0.1, 6000.0)
    SCORE = ("", -15.0, 15.0)
    PERCENT = ("%", 1.0, 400.0)

    @property
    def unit(self) -> str:
        """The canonical unit."""
        return str(self.value[0])

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value in the canonical unit that is not a mistake of unit."""
        return float(self.value[1]), float(self.value[2])


_FACTORS: dict[Quantity, dict[str, float]] = {
    Quantity.BMD: {"g/cm2": 1.0, "mg/cm2": 0.001},
    Quantity.BMC: {"g": 1.0, "mg": 0.001},
    Quantity.AREA: {"cm2": 1.0, "mm2": 0.01},
    Quantity.SCORE: {"": 1.0},
    Quantity.PERCENT: {"%": 1.0},
}


def parse(text: str) -> Printed:
    """Read a printed number; blanks around it do not matter."""
    shown = " ".join(html.unescape(text).replace("\x00", " ").split())
    if _MISSING.match(shown):
        return Printed(text=shown)
    plain = shown.translate(_MINUS)
    plain = re.sub(r"^([+-]) +", r"\1", plain).removesuffix("%").rstrip()
    if len(plain) > _LONGEST:
        return Printed(text=shown[:_LONGEST], problem=f"'{shown[:_LONGEST]}...' is too long")
    if _PLAIN.match(plain):
        value = float(plain.replace(",", "."))
    elif _GROUPED.match(plain):
        last = max(plain.rfind(","), plain.rfind("."))
        value = float(re.sub(r"[.,]", "", plain[:last]) + "." + plain[last + 1 :])
    else:
        return Printed(text=shown, problem=f"'{shown}' is no number")
    return Printed(value=value + 0.0 if value else 0.0, text=shown)


@lru_cache(maxsize=256)
def normal_unit(text: str) -> str:
    """One spelling for a unit: `g/cm²`, `G/CM^2`, `gm/sq cm` and HTML forms become `g/cm2`."""
    unit = re.sub(r"<[^>]*>", "", html.unescape(text)).strip().lower()
    unit = unit.replace("²", "2").replace("**", "").replace("^", "").replace("{", "")
    unit = unit.replace("}", "").replace("[", "").replace("]", "").replace("(", "")
    unit = unit.replace(")", "").replace(" ", "").replace(".", "")
    unit = unit.replace("sqcm", "cm2").replace("gm/", "g/").replace("centimeter", "cm")
    spelled = {"gram": "g", "grams": "g", "gm": "g", "gcm2": "g/cm2", "mgcm2": "mg/cm2"}
    return spelled.get(unit, unit)


def measure(printed: Printed, quantity: Quantity, unit: str | None) -> Printed:
    """The number in the canonical unit of `quantity`.

    `unit` is as printed, None where the report names none (older Lunar reports): then the value
    counts in the canonical unit if its magnitude allows that. A unit that contradicts the magnitude
    (812 g/cm2, 0.812 mg/cm2) or that is none of the quantity's gives no value and a problem.
    """
    if printed.value is None:
        return printed
    low, high = quantity.bounds
    name = quantity.name
    note = ""
    if unit is None or (not unit.strip() and quantity.unit):
        factor, shown = 1.0, f"{printed.text} without a unit"
        note = f"{name} is printed without a unit: read as {quantity.unit}"
    else:
        spelling = normal_unit(unit)
        known = _FACTORS[quantity]
        if quantity in {Quantity.SCORE, Quantity.PERCENT}:
            factor = 1.0
        elif spelling in known:
            factor = known[spelling]
        else:
            return Printed(
                text=printed.text,
                problem=f"{name} {printed.text} has the unit '{unit}', expected {quantity.unit}",
            )
        shown = f"{printed.text} {unit}".strip()
    value = round(printed.value * factor, 9) + 0.0
    if not low <= value <= high:
        return Printed(
            text=printed.text,
            problem=f"{name} {shown} contradicts its magnitude: expected {low:g} to {high:g} "
            f"{quantity.unit}".rstrip(),
        )
    return Printed(value=value, text=shown, note=note)
