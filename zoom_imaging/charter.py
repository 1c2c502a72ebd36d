"""The trial's rules as one frozen, validated model, read from a TOML file.

Everything that a trial may define differently lives here and never in code: identity, visit
windows, precision of densitometry, thresholds of a fracture, the margin. `charters/zoom.toml` is
the default.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from zoom_imaging.errors import CharterError


class ReferenceHeight(StrEnum):
    """What a height is compared with; Genant does not fix it (domain rules, section 2)."""

    POSTERIOR_SAME = "posterior_same"
    ADJACENT = "adjacent"
    PREDICTED_POSTERIOR = "predicted_posterior"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrialRules(_Section):
    """Name and registration of the trial."""

    name: str = Field(min_length=1)
    registration: str


class TimePointNames(_Section):
    """Names of the visits as sites write them into Clinical Trial Time Point, in lower case."""

    baseline: tuple[str, ...]
    month12: tuple[str, ...]


class IdentityRules(_Section):
    """Where subject and visit are read from the header, and how an id must look."""

    subject_sources: tuple[Literal["ClinicalTrialSubjectID", "PatientID"], ...] = Field(
        min_length=1
    )
    subject_pattern: str
    time_points: TimePointNames

    @field_validator("subject_pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        re.compile(value)
        return value


class ArmRules(_Section):
    """Years of denosumab that separate the arms."""

    denosumab_years_limit: float = Field(gt=0)


class VisitRules(_Section):
    """Visit windows in days from the first zoledronic acid (day 0 = the infusion)."""

    baseline_first_day: int
    baseline_last_day: int
    month12_target_day: int = Field(gt=0)
    month12_tolerance_days: int = Field(ge=0)
    earliest_latest_minimum_days: int = Field(gt=0)
    earliest_latest_maximum_days: int = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.baseline_first_day > self.baseline_last_day:
            raise ValueError("baseline_first_day must not be later than baseline_last_day")
        if self.earliest_latest_minimum_days > self.earliest_latest_maximum_days:
            raise ValueError("earliest_latest_minimum_days must not exceed the maximum")
        if self.month12_target_day - self.month12_tolerance_days <= self.baseline_last_day:
            raise ValueError("the windows of baseline and month 12 overlap")
        return self


class CrossCalibration(_Section):
    """BMD of `to_serial` = slope x BMD of `from_serial` + intercept, with the record's name."""

    from_serial: str
    to_serial: str
    slope: float = Field(gt=0)
    intercept_g_per_cm2: float
    record: str = Field(min_length=1)


class DxaRules(_Section):
    """Tolerances, least significant change and comparability of densitometry."""

    total_tolerance_g_per_cm2: float = Field(gt=0)
    region_tolerance_g_per_cm2: float = Field(gt=0)
    lsc_l1_l4_g_per_cm2: float = Field(gt=0)
    lsc_factor_3_vertebrae: float = Field(ge=1)
    lsc_factor_2_vertebrae: float = Field(ge=1)
    lsc_factor_1_vertebra: float = Field(ge=1)
    minimum_vertebrae: int = Field(ge=1, le=4)
    outlier_t_score_difference: float = Field(gt=0)
    exclude_outliers: bool
    implausible_change_pct: float = Field(gt=0)
    cross_calibrations: tuple[CrossCalibration, ...] = ()

    def lsc_g_per_cm2(self, vertebrae: int) -> float:
        """Least significant change for 1-4 lumbar vertebrae, in g/cm2 (Rosen 2024)."""
        factors = {
            4: 1.0,
            3: self.lsc_factor_3_vertebrae,
            2: self.lsc_factor_2_vertebrae,
            1: self.lsc_factor_1_vertebra,
        }
        return self.lsc_l1_l4_g_per_cm2 * factors[vertebrae]


class FractureRules(_Section):
    """Thresholds of a fracture and of its change (domain rules, sections 2-4)."""

    mild_loss: float = Field(gt=0, lt=1)
    moderate_loss: float = Field(gt=0, lt=1)
    severe_loss: float = Field(gt=0, lt=1)
    reference_height: ReferenceHeight
    borderline_counts_as: Literal["0", "1"]
    height_change_fraction: float = Field(gt=0, lt=1)
    height_change_mm: float = Field(gt=0)
    scale_difference_warning_pct: float = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.mild_loss < self.moderate_loss < self.severe_loss:
            raise ValueError("mild_loss < moderate_loss < severe_loss must hold")
        return self


class ModelRules(_Section):
    """When the model's word is taken, and when a reader must look."""

    minimum_level_probability: float = Field(ge=0, le=1)
    maximum_ratio_sd: float = Field(gt=0)
    flag_probability: float = Field(ge=0, le=1)


class ReadingRules(_Section):
    """The reading paradigm (FDA, imaging endpoint process standards, April 2018).

    `worklist`: subjects that the model flags come first, or all in one hidden order.
    `model_suggestion`: the model's outlines and grades are shown from the start, only after the
    reader's own answer, or never. `repeat_share` of the cases come twice, unannounced, so that a
    reader's agreement with herself is known. `discordance`: what goes to the adjudicator, any
    difference of the counted grade, or only one across grade 1; evaluability always counts.
    """

    readers: int = Field(ge=1)
    blind_visit_order: bool
    worklist: Literal["flagged_first", "all"] = "flagged_first"
    model_suggestion: Literal["before", "after", "never"] = "before"
    repeat_share: float = Field(default=0.10, ge=0, le=1)
    discordance: Literal["grade", "fracture"] = "grade"


class AnalysisRules(_Section):
    """The statistical claim; `margin_is_assumed` until the trial's own plan confirms the margin."""

    non_inferiority_margin_pct_points: float = Field(gt=0)
    margin_is_assumed: bool = True


class Charter(_Section):
    """All rules of one trial."""

    trial: TrialRules
    identity: IdentityRules
    arms: ArmRules
    visits: VisitRules
    dxa: DxaRules
    fracture: FractureRules
    model: ModelRules
    reading: ReadingRules
    analysis: AnalysisRules


def default_charter_path() -> Path:
    """`zoom.toml` as installed with the package, else the one of the source checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_charters" / "zoom.toml"
    return installed if installed.is_file() else package.parent / "charters" / "zoom.toml"


def load_charter(path: Path | None = None) -> Charter:
    """Read and validate a charter; CharterError names the file and every broken rule."""
    source = path if path is not None else default_charter_path()
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise CharterError(
            f"charter {source} cannot be read ({error.strerror})", remedy="check --charter"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CharterError(f"charter {source} is not valid TOML ({error})") from error
    try:
        return Charter.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'charter'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise CharterError(f"charter {source} breaks its schema: {faults}") from error
