"""What reports call scans, regions and measures (`AP Spine`, `Neck Left`, `BMD_TSCORE`), and rows.

A name that is not known here is never guessed: the caller says that it was skipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from zoom_imaging.dxa.number import Printed, Quantity, measure, normal_unit, parse
from zoom_imaging.dxa.region import hip_region, level_set, other_region, side_of, site_of
from zoom_imaging.dxa.repeats import agree
from zoom_imaging.dxa.result import Side, Site
from zoom_imaging.dxa.row import RegionRow

_MEASURES: dict[str, tuple[str, Quantity]] = {
    **dict.fromkeys(("bmd", "bonemineraldensity", "bmdvalue"), ("bmd", Quantity.BMD)),
    **dict.fromkeys(("bmc", "bonemineralcontent"), ("bmc", Quantity.BMC)),
    **dict.fromkeys(("area", "bonearea", "projectedarea"), ("area", Quantity.AREA)),
    **dict.fromkeys(
        ("bmdtscore", "tscore", "yat", "yatscore", "youngadulttscore"),
        ("t_score", Quantity.SCORE),
    ),
    **dict.fromkeys(
        ("bmdzscore", "zscore", "amz", "amzscore", "agematchedzscore"),
        ("z_score", Quantity.SCORE),
    ),
    **dict.fromkeys(
        ("bmdpya", "pya", "youngadultpercent", "percentyoungadult"),
        ("young_adult_percent", Quantity.PERCENT),
    ),
    **dict.fromkeys(
        ("bmdpam", "pam", "agematchedpercent", "percentagematched"),
        ("age_matched_percent", Quantity.PERCENT),
    ),
}
_NUMBER_WITH_UNIT = re.compile(r"^\s*(.*?[0-9])\s*([A-Za-z%][A-Za-z0-9/%²^ ]*)\s*$")


@dataclass(frozen=True)
class Scanned:
    """A scan: its site (a hip as a whole is `TOTAL_HIP`), its side and the file's name for it."""

    site: Site
    side: Side
    name: str


def scan_named(name: str) -> Scanned | None:
    """The scan that a title names, None for any other text."""
    site = site_of(name)
    return None if site is None else Scanned(site, side_of(name), name)


def region_named(scan: Scanned, label: str) -> RegionRow | None:
    """An empty row of a region of this scan, None where the label names none."""
    shown = " ".join(label.split())
    if scan.site is Site.LUMBAR_SPINE:
        levels = () if shown.lower() == "total" else level_set(shown)
        if levels is None:
            return None
        return RegionRow(site=scan.site, side=Side.NONE, label=shown, levels=levels)
    if scan.site is Site.TOTAL_HIP:
        found = hip_region(shown)
        if found is None:
            return None
        site, name, own = found
        both_named = own is not Side.NONE and scan.side is not Side.NONE
        doubt = ""
        if both_named and own is not scan.side:
            doubt = f"{shown} stands under {scan.name}: the sides contradict each other"
        side = scan.side if own is Side.NONE else own
        return RegionRow(site=site, side=side, label=name, doubt=doubt)
    named = other_region(scan.site, shown)
    if named is None:
        return None
    side = scan.side if scan.site is Site.FOREARM else Side.NONE
    return RegionRow(site=scan.site, side=side, label=named)


@lru_cache(maxsize=1024)
def measure_named(name: str) -> tuple[str, Quantity] | None:
    """Field of a row and quantity that a measure's name stands for, None for any other name."""
    return _MEASURES.get(re.sub(r"[^a-z0-9]", "", name.lower()))


def split_unit(text: str) -> tuple[str, str | None]:
    """A number and the unit behind it in one text (`0.918 g/cm2`); None without a unit."""
    match = _NUMBER_WITH_UNIT.match(text)
    if match is None or re.match(r"^[eE][+-]?[0-9]", match[2]):
        return text, None
    return match[1], match[2]


def printed_value(quantity: Quantity, text: str, unit: str | None) -> Printed:
    """A value in its canonical unit; a score in the unit of something else is none."""
    if unit is None:
        text, unit = split_unit(text)
    number = parse(text)
    if quantity not in {Quantity.SCORE, Quantity.PERCENT}:
        return measure(number, quantity, unit)
    spelled = normal_unit(unit or "")
    allowed = (
        {"", "1", "%"} if quantity is Quantity.PERCENT else {"", "1", "tscore", "zscore", "sd"}
    )
    if number.value is not None and re.sub(r"[^a-z0-9/%]", "", spelled) not in allowed:
        return Printed(text=number.text, problem=f"{text} has the unit '{unit}'")
    return measure(number, quantity, quantity.unit)


@dataclass
class Gathered:
    """The values of one region as they are met, before they become a row."""

    values: dict[str, list[Printed]] = field(default_factory=dict)

    def add(self, name: str, text: str, unit: str | None) -> bool:
        """Take a value; False if the name is that of no measure."""
        known = measure_named(name)
        if known is None:
            return False
        self.values.setdefault(known[0], []).append(printed_value(known[1], text, unit))
        return True

    def fill(self, row: RegionRow) -> RegionRow:
        """The row with the values; what the file contradicts itself about is in doubt."""
        chosen: dict[str, Printed] = {}
        doubts = [row.doubt] if row.doubt else []
        for name, found in self.values.items():
            told = [one for one in found if not one.is_missing] or found
            chosen[name] = told[0]
            if all(_same(told[0], other) for other in told[1:]):
                continue
            shown = " | ".join(one.text for one in told)
            fault = f"{row.label}: several values for {name.replace('_', ' ')}: {shown}"
            if name in {"area", "bmc", "bmd"}:
                doubts.append(fault)
            else:
                chosen[name] = Printed(text=shown, problem=fault)
        return replace(row, doubt="; ".join(doubts), **chosen)  # type: ignore[arg-type]


def _same(one: Printed, other: Printed) -> bool:
    return one.problem == other.problem and one.value == other.value


def same_exam(row: RegionRow, other: RegionRow) -> bool:
    """True if two printings of one exam say the same."""
    return agree(row.numbers, other.numbers)


def same_region(row: RegionRow, other: RegionRow) -> bool:
    """True if two rows are about one region."""

    def key(one: RegionRow) -> tuple[object, ...]:
        name = tuple(one.levels) or one.label.lower()
        return one.site, one.side, name

    return key(row) == key(other)
