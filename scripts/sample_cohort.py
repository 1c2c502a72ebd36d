"""The simulated subjects of data/sample_dicom: one for each situation that a trial meets.

Nobody here is real. Seeds from 700,000 on are used for nothing else, in particular for no training
film. The seeds are of people with ordinary bones whose films the shipped model reads at all 13
levels: the sample shows what the flow does with a reading. How often the model can read, and how
well, is told by its evaluation on other people (models/spine_lateral/docs), not by this sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from zoom_imaging.anatomy import Level, Shape, Visit
from zoom_imaging.simulate.acquisition import WHOLE_SPINE, Field
from zoom_imaging.simulate.dicom import Encoding, Photometric

Fractures = Mapping[Level, tuple[Shape, float]]
"""Shape and loss of height (share of the vertebra's own height) by level."""


class Maker(StrEnum):
    """Which densitometer, and in which of its formats, a subject was measured."""

    HOLOGIC = "hologic"
    LUNAR_SR = "lunar_sr"
    LUNAR_XML = "lunar_xml"


@dataclass(frozen=True)
class FilmPlan:
    """How the films of a subject are taken and stored."""

    encoding: Encoding = Encoding.JPEG_2000_LOSSLESS
    photometric: Photometric = Photometric.MONOCHROME2
    faces_right: bool = False
    fields: tuple[Field, ...] = (WHOLE_SPINE,)
    with_ap: bool = False
    visits: tuple[Visit, ...] = (Visit.BASELINE, Visit.MONTH12)


@dataclass(frozen=True)
class BmdPlan:
    """Lumbar BMD by level at baseline in g/cm2, its change over the year, and the scanners."""

    maker: Maker = Maker.HOLOGIC
    baseline_g_per_cm2: tuple[float, float, float, float] = (0.742, 0.781, 0.803, 0.792)
    change_pct: float = -1.6
    excluded: tuple[Level, ...] = ()
    scanner_changes: bool = False
    collapse_gain_pct: float = 0.0
    """Rise of the BMD of a level that breaks: the same bone over less area."""


@dataclass(frozen=True)
class SubjectPlan:
    """One subject: treatment, bones and files."""

    subject_id: str
    seed: int
    situation: str
    arm: str
    denosumab_years: float
    first_infusion: date
    second_dose: str = ""
    at_baseline: Fractures = field(default_factory=dict)
    at_month12: Fractures = field(default_factory=dict)
    films: FilmPlan = FilmPlan()
    bmd: BmdPlan = BmdPlan()
    days: tuple[int, int] = (-6, 366)
    markers_m6: tuple[float, float] = (0.31, 28.4)
    markers_m12: tuple[float, float] = (0.36, 33.0)

    @property
    def arm_actual(self) -> str:
        """The arm as treated: risedronate may replace the second infusion."""
        replaced = self.arm == "twice" and self.second_dose == "risedronate"
        return "once_then_risedronate" if replaced else self.arm

    @property
    def second_infusion(self) -> date | None:
        """Day of the second zoledronic acid, six months after the first."""
        if self.second_dose != "zoledronic_acid":
            return None
        return self.first_infusion + timedelta(days=184)

    def visit_date(self, visit: Visit) -> date:
        """Day of the examinations of a visit."""
        return self.first_infusion + timedelta(days=self.days[visit is Visit.MONTH12])

    def fractures(self, visit: Visit) -> Fractures:
        """Fractures at a visit; a level at month 12 replaces that of baseline."""
        later = self.at_month12 if visit is Visit.MONTH12 else {}
        return {**self.at_baseline, **later}


THORACIC = Field(Level.T1, Level.L1, 30.0, 18.0, 110.0, 95.0)
LUMBAR = Field(Level.T11, Level.L5, 18.0, 80.0, 110.0, 95.0)

COHORT: tuple[SubjectPlan, ...] = (
    SubjectPlan(
        "ZOOM-001", 700_102, "no change", "once", 1.8, date(2024, 3, 12),
        bmd=BmdPlan(change_pct=-1.2),
    ),
    SubjectPlan(
        "ZOOM-002", 700_104, "new grade 2 wedge at T12", "twice", 4.1, date(2024, 3, 19),
        second_dose="zoledronic_acid",
        at_month12={Level.T12: (Shape.WEDGE, 0.33)},
        markers_m6=(0.24, 22.6), markers_m12=(0.41, 39.5),
        bmd=BmdPlan(Maker.LUNAR_SR, (0.901, 0.948, 0.972, 0.955), -2.9),
    ),
    SubjectPlan(
        "ZOOM-003", 700_015, "new biconcave fracture, grade 1, at L1", "once", 2.2,
        date(2024, 4, 2),
        at_month12={Level.L1: (Shape.BICONCAVE, 0.235)},
        markers_m6=(0.38, 35.2), markers_m12=(0.52, 47.1),
        bmd=BmdPlan(Maker.HOLOGIC, (0.812, 0.846, 0.871, 0.853), -3.4),
    ),
    SubjectPlan(
        "ZOOM-004", 700_109, "worsening wedge at T8", "twice", 5.0, date(2024, 4, 16),
        second_dose="zoledronic_acid",
        at_baseline={Level.T8: (Shape.WEDGE, 0.30)},
        at_month12={Level.T8: (Shape.WEDGE, 0.47)},
        markers_m6=(0.29, 27.0), markers_m12=(0.58, 52.3),
        bmd=BmdPlan(Maker.LUNAR_SR, (0.851, 0.889, 0.902, 0.911), -4.8),
    ),
    SubjectPlan(
        "ZOOM-005", 700_105, "new L2 fracture leaves the lumbar BMD at both visits", "twice", 3.3,
        date(2024, 5, 7),
        second_dose="zoledronic_acid",
        at_month12={Level.L2: (Shape.CRUSH, 0.36)},
        markers_m6=(0.35, 31.9), markers_m12=(0.47, 43.8),
        bmd=BmdPlan(Maker.HOLOGIC, (0.698, 0.741, 0.779, 0.802), -2.1, collapse_gain_pct=24.0),
    ),
    SubjectPlan(
        "ZOOM-006", 700_113, "L4 excluded by the scanner", "once", 1.1, date(2024, 5, 21),
        markers_m6=(0.22, 21.3), markers_m12=(0.25, 24.9),
        bmd=BmdPlan(Maker.HOLOGIC, (0.765, 0.792, 0.824, 0.931), 0.9, (Level.L4,)),
    ),
    SubjectPlan(
        "ZOOM-007", 700_121, "no film at month 12", "once", 2.4, date(2024, 6, 4),
        films=FilmPlan(visits=(Visit.BASELINE,)),
        markers_m6=(0.27, 25.5), markers_m12=(0.33, 30.1),
        bmd=BmdPlan(Maker.LUNAR_XML, (0.934, 0.961, 0.990, 0.987), -0.8),
    ),
    SubjectPlan(
        "ZOOM-008", 700_125, "scanner changed between the visits", "twice", 6.2, date(2024, 6, 18),
        second_dose="risedronate",
        markers_m6=(0.41, 38.0), markers_m12=(0.49, 45.6),
        bmd=BmdPlan(Maker.HOLOGIC, (0.871, 0.902, 0.889, 0.914), -3.0, scanner_changes=True),
    ),
    SubjectPlan(
        "ZOOM-009", 700_126, "MONOCHROME1, JPEG lossless", "once", 0.9, date(2024, 7, 2),
        films=FilmPlan(Encoding.JPEG_LOSSLESS_SV1, Photometric.MONOCHROME1),
        markers_m6=(0.19, 18.7), markers_m12=(0.24, 23.2),
        bmd=BmdPlan(Maker.HOLOGIC, (0.724, 0.763, 0.770, 0.786), -0.4),
    ),
    SubjectPlan(
        "ZOOM-010", 700_107, "patient faces right", "twice", 3.0, date(2024, 7, 16),
        second_dose="zoledronic_acid",
        films=FilmPlan(faces_right=True),
        markers_m6=(0.33, 30.4), markers_m12=(0.55, 50.9),
        bmd=BmdPlan(Maker.LUNAR_XML, (0.874, 0.903, 0.921, 0.934), -3.7),
    ),
    SubjectPlan(
        "ZOOM-011", 700_034, "AP beside lateral", "once", 1.5, date(2024, 8, 6),
        films=FilmPlan(with_ap=True),
        markers_m6=(0.30, 29.1), markers_m12=(0.39, 36.4),
        bmd=BmdPlan(Maker.HOLOGIC, (0.783, 0.829, 0.856, 0.861), -1.9),
    ),
    SubjectPlan(
        "ZOOM-012", 700_120, "thoracic and lumbar film apart", "twice", 2.9, date(2024, 8, 20),
        second_dose="zoledronic_acid",
        films=FilmPlan(fields=(THORACIC, LUMBAR)),
        markers_m6=(0.26, 24.2), markers_m12=(0.31, 29.8),
        bmd=BmdPlan(Maker.LUNAR_SR, (0.921, 0.934, 0.958, 0.969), -1.1),
    ),
)  # fmt: skip
