"""A simulated densitometry exam: what a scanner measured, and how it prints that.

Areas and BMC are kept unrounded; a report prints each number rounded by itself, which is why
printed BMD and printed BMC / area differ in the third decimal. Lumbar total = sum of BMC / sum of
area of the included vertebrae. T = (BMD - young mean) / SD, Z likewise with the age-matched mean.
The references are invented, close to those that makers publish for women. Nobody here is real.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

import numpy as np

from zoom_imaging.anatomy import LUMBAR_DXA_LEVELS, Level
from zoom_imaging.dxa.result import DxaResult, Scanner, Side, Site

HIP_TOTAL_PARTS: tuple[str, ...] = ("Neck", "Troch", "Inter", "Shaft")
"""Regions that make up the total hip; Ward's triangle lies inside of them."""
HIP_SITES: Mapping[str, Site] = MappingProxyType(
    {
        "Neck": Site.FEMORAL_NECK,
        "Troch": Site.TROCHANTER,
        "Inter": Site.INTERTROCHANTER,
        "Shaft": Site.FEMUR_SHAFT,
        "Wards": Site.WARDS,
        "Total": Site.TOTAL_HIP,
    }
)
_YOUNG_AGE = 35.0
_LOSS_PER_YEAR = 0.0062


@dataclass(frozen=True)
class Reference:
    """A young-adult reference: its printed name, and mean and SD of BMD in g/cm2 by region."""

    name: str
    young: Mapping[str, tuple[float, float]]

    def of(self, region: str) -> tuple[float, float]:
        """Mean and SD of a vertebra or hip region."""
        return self.young[region]


HOLOGIC_REFERENCE = Reference(
    "White Female. Source: Hologic",
    MappingProxyType(
        {
            "L1": (0.925, 0.110),
            "L2": (1.028, 0.110),
            "L3": (1.084, 0.110),
            "L4": (1.116, 0.110),
            "Neck": (0.849, 0.111),
            "Troch": (0.702, 0.099),
            "Inter": (1.100, 0.144),
            "Wards": (0.739, 0.125),
            "Total": (0.942, 0.122),
        }
    ),
)
LUNAR_REFERENCE = Reference(
    "USA (Combined NHANES (ages 20-30) / Lunar (ages 20-40)) (v113)",
    MappingProxyType(
        {
            "L1": (1.130, 0.120),
            "L2": (1.200, 0.120),
            "L3": (1.200, 0.120),
            "L4": (1.200, 0.120),
            "Neck": (1.038, 0.139),
            "Troch": (0.850, 0.118),
            "Shaft": (1.200, 0.150),
            "Wards": (0.910, 0.130),
            "Total": (1.007, 0.126),
        }
    ),
)
HORIZON = Scanner("HOLOGIC", "Horizon W", "300412M", "13.6.0.5")
DISCOVERY = Scanner("HOLOGIC", "Discovery A", "84127", "13.4.2")
IDXA = Scanner("GE Healthcare", "Lunar iDXA", "210873", "18.00.120")
PRODIGY = Scanner("GE Healthcare", "Lunar Prodigy", "73115", "16.00.158")

SPINE_AREAS_CM2 = (11.9, 12.8, 14.0, 15.1)
_HIP_AREAS_CM2: Mapping[bool, tuple[tuple[str, float], ...]] = MappingProxyType(
    {
        False: (("Neck", 4.82), ("Troch", 9.9), ("Inter", 17.2), ("Wards", 1.14)),
        True: (("Neck", 4.71), ("Wards", 2.62), ("Troch", 12.1), ("Shaft", 14.3)),
    }
)
"""By whether the maker is Lunar."""


@dataclass(frozen=True)
class Measured:
    """One region as measured, unrounded."""

    region: str
    area_cm2: float
    bmc_g: float

    @property
    def bmd_g_per_cm2(self) -> float:
        """BMC / area."""
        return self.bmc_g / self.area_cm2


@dataclass(frozen=True)
class PrintedRegion:
    """One line of a report: area and BMC with 2 decimals, BMD with 3, scores 1, percent none."""

    region: str
    area_cm2: float
    bmc_g: float
    bmd_g_per_cm2: float
    t_score: float
    z_score: float
    young_pct: int
    matched_pct: int


@dataclass(frozen=True)
class Hip:
    """The regions of one hip, without its total."""

    side: Side
    regions: tuple[Measured, ...]

    @property
    def total(self) -> Measured:
        """Total hip: the sum of its parts."""
        return summed("Total", [one for one in self.regions if one.region in HIP_TOTAL_PARTS])


@dataclass(frozen=True)
class Densitometry:
    """One exam of one person on one scanner; `earlier` are exams that its report repeats."""

    patient_id: str
    scanned: datetime
    scanner: Scanner
    reference: Reference
    spine: tuple[Measured, ...]
    hips: tuple[Hip, ...] = ()
    included: tuple[Level, ...] = LUMBAR_DXA_LEVELS
    patient_name: str = "SIMULATED^PERSON"
    sex: str = "F"
    birth_date: date = date(1953, 6, 15)
    mode: str = "f"
    earlier: tuple[Densitometry, ...] = ()

    @property
    def age_years(self) -> float:
        """Age on the day of the scan."""
        return (self.scanned.date() - self.birth_date).days / 365.25

    @property
    def analysed(self) -> datetime:
        """The analysis follows the scan."""
        return self.scanned + timedelta(minutes=9)

    def scan_id(self, number: int = 1) -> str:
        """The scanner's name of one scan: A, month, day, year, the scan's number of the day."""
        words = f"{self.patient_id}|{self.scanned:%Y%m%d}".encode()
        first = hashlib.sha256(words).digest()[0] % 100
        return f"A{self.scanned:%m%d%y}{first + number:02X}"

    def vertebra(self, level: Level) -> Measured:
        """A measured vertebra, also one that the total leaves out."""
        return next(one for one in self.spine if one.region == level.value)

    def lumbar(self, levels: Sequence[Level]) -> Measured:
        """The total of some vertebrae, named by them."""
        return summed(levels_name(levels), [self.vertebra(level) for level in levels])

    def line(self, measured: Measured) -> PrintedRegion:
        """A region as printed."""
        mean, sd = self._young(measured.region)
        matched = mean * (1 - _LOSS_PER_YEAR * max(0.0, self.age_years - _YOUNG_AGE))
        bmd = measured.bmd_g_per_cm2
        return PrintedRegion(
            measured.region,
            round(measured.area_cm2, 2),
            round(measured.bmc_g, 2),
            round(bmd, 3),
            round((bmd - mean) / sd, 1) + 0.0,
            round((bmd - matched) / sd, 1) + 0.0,
            round(100 * bmd / mean),
            round(100 * bmd / matched),
        )

    def spine_lines(self) -> tuple[PrintedRegion, ...]:
        """The included vertebrae and their total, as printed."""
        parts = [self.line(self.vertebra(level)) for level in self.included]
        return (*parts, self.line(self.lumbar(self.included)))

    def hip_lines(self, side: Side) -> tuple[PrintedRegion, ...]:
        """The regions of a hip and its total, as printed."""
        for hip in self.hips:
            if hip.side is side:
                return (*(self.line(one) for one in hip.regions), self.line(hip.total))
        raise ValueError(
            f"{self.patient_id} {self.scanned:%Y-%m-%d}: "
            f"no {side.value or 'unsided'} hip was scanned"
        )

    def earlier_of(self, side: Side) -> tuple[Densitometry, ...]:
        """Earlier exams that scanned a hip too; every exam has the spine (`Side.NONE`)."""
        return tuple(
            one
            for one in self.earlier
            if side is Side.NONE or side in {hip.side for hip in one.hips}
        )

    def _young(self, region: str) -> tuple[float, float]:
        if region in self.reference.young:
            return self.reference.of(region)
        # A total: the mean of its vertebrae weighted by area; the SD is that of one vertebra.
        levels = [level for level in LUMBAR_DXA_LEVELS if level.value in _names(region)]
        areas = [self.vertebra(level).area_cm2 for level in levels]
        means = [self.reference.of(level.value)[0] for level in levels]
        weighted = sum(a * m for a, m in zip(areas, means, strict=True)) / sum(areas)
        return weighted, self.reference.of(levels[0].value)[1]


def summed(region: str, parts: Sequence[Measured]) -> Measured:
    """The total of some regions."""
    return Measured(region, sum(one.area_cm2 for one in parts), sum(one.bmc_g for one in parts))


def levels_name(levels: Sequence[Level]) -> str:
    """`L1-L4`, `L1-L2,L4`, `L1,L3`: runs joined by a hyphen, runs apart by a comma."""
    text = ""
    for level in LUMBAR_DXA_LEVELS:
        if level not in levels:
            text += " "
        else:
            text += level.value[1]
    runs = text.split()
    return ",".join(f"L{run}" if len(run) == 1 else f"L{run[0]}-L{run[-1]}" for run in runs)


def _names(region: str) -> set[str]:
    found: set[str] = set()
    for run in region.split(","):
        first, _, last = run.partition("-")
        found |= {f"L{n}" for n in range(int(first[1:]), int((last or first)[1:]) + 1)}
    return found


def results_of(lines: Sequence[PrintedRegion], side: Side = Side.NONE) -> tuple[DxaResult, ...]:
    """What must be read from lines of a report, apart from what is not written."""
    return tuple(
        DxaResult(
            site=HIP_SITES.get(line.region, Site.LUMBAR_SPINE),
            region=line.region,
            side=side,
            area_cm2=line.area_cm2,
            bmc_g=line.bmc_g,
            bmd_g_per_cm2=line.bmd_g_per_cm2,
            t_score=line.t_score,
            z_score=line.z_score,
        )
        for line in lines
    )


def exam_of(
    patient_id: str,
    day: date,
    lumbar_g_per_cm2: Sequence[float],
    *,
    scanner: Scanner = HORIZON,
    hip_offset_sd: float | None = -1.9,
    hip_change_pct: float = 0.0,
    sides: Sequence[Side] = (Side.LEFT,),
    included: Sequence[Level] = LUMBAR_DXA_LEVELS,
    birth_date: date = date(1953, 6, 15),
    at: time = time(9, 40),
    earlier: Sequence[Densitometry] = (),
) -> Densitometry:
    """An exam with these BMDs of L1-L4; bones keep their size from exam to exam within 0.4 %.

    `hip_offset_sd` is the T-score of the hips (None: no hip was scanned), changed by
    `hip_change_pct`. The reference is that of the scanner's maker. The same arguments give the same
    exam.
    """
    person = _rng(patient_id)
    size = 1.0 + 0.05 * float(np.clip(person.normal(), -2, 2))
    tilt = 0.15 * person.normal(size=8)
    visit = _rng(patient_id, day.isoformat(), scanner.serial)
    lunar = "lunar" in scanner.model.lower()
    reference = LUNAR_REFERENCE if lunar else HOLOGIC_REFERENCE
    spine = []
    for level, area, bmd in zip(LUMBAR_DXA_LEVELS, SPINE_AREAS_CM2, lumbar_g_per_cm2, strict=True):
        own = area * size * (1 + 0.002 * float(np.clip(visit.normal(), -2, 2)))
        spine.append(Measured(level.value, own, own * bmd))
    hips = []
    for side in sides if hip_offset_sd is not None else ():
        regions = []
        for number, (region, area) in enumerate(_HIP_AREAS_CM2[lunar]):
            mean, sd = reference.of(region)
            offset = (hip_offset_sd or 0.0) + float(tilt[number + 4 * (side is Side.RIGHT)])
            bmd = (mean + sd * offset) * (1 + hip_change_pct / 100)
            own = area * size * (1 + 0.002 * float(np.clip(visit.normal(), -2, 2)))
            regions.append(Measured(region, own, own * bmd))
        hips.append(Hip(side, tuple(regions)))
    return Densitometry(
        patient_id=patient_id,
        scanned=datetime.combine(day, at),
        scanner=scanner,
        reference=reference,
        spine=tuple(spine),
        hips=tuple(hips),
        included=tuple(included),
        patient_name=f"SIMULATED^{''.join(filter(str.isalnum, patient_id)).upper()}",
        birth_date=birth_date,
        earlier=tuple(earlier),
    )


def _rng(*words: str) -> np.random.Generator:
    digest = hashlib.sha256("|".join(words).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
