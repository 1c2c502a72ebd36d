"""Columns of vertebrae.csv, changes.csv and dxa.csv: what was measured on one film or report."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from zoom_imaging.anatomy import (
    Grade,
    GradeSource,
    Level,
    Shape,
    SpacingSource,
    VertebraState,
    Visit,
)
from zoom_imaging.change.record import ChangeKind
from zoom_imaging.dxa.result import DxaSource, ResultState, Side, Site
from zoom_imaging.endpoints.column import Column, Kind

_FILM = "spine radiograph, measured"
_REPORT = "DXA report"


def subject_column() -> Column:
    """The key that joins every table."""
    return Column(
        name="subject_id",
        label="Subject",
        kind=Kind.TEXT,
        definition="As in endpoints.csv.",
        source="clinical table or DICOM header",
        required=True,
    )


def visit_column(required: bool = True) -> Column:
    """Baseline or month 12."""
    return Column(
        name="visit",
        label="Visit",
        kind=Kind.CODE,
        codes=tuple(visit.value for visit in Visit),
        definition="By Clinical Trial Time Point, else by the day from the first zoledronic acid "
        "and the charter's windows." + ("" if required else " Empty where it is about no visit."),
        source="DICOM header",
        required=required,
        assumed=True,
    )


def level_column(required: bool = True) -> Column:
    """A vertebral level."""
    return Column(
        name="level",
        label="Vertebral level",
        kind=Kind.CODE,
        codes=tuple(level.value for level in Level),
        definition="C7 to S1; T13 and L6 are transitional."
        + ("" if required else " Empty where it is about no level."),
        source="this program" if not required else _FILM,
        required=required,
    )


def reason_column(definition: str) -> Column:
    """The sentence beside a state."""
    return Column(
        name="reason", label="Reason", kind=Kind.TEXT, definition=definition, source="this program"
    )


def uid_column(required: bool) -> Column:
    """The DICOM object that a row comes from."""
    return Column(
        name="sop_instance_uid",
        label="SOP Instance UID",
        kind=Kind.TEXT,
        definition="DICOM (0008,0018) of the object behind the row.",
        source="DICOM header",
        required=required,
    )


def _code(
    name: str,
    label: str,
    codes: type[StrEnum],
    definition: str,
    source: str,
    *,
    required: bool = True,
) -> Column:
    return Column(
        name=name,
        label=label,
        kind=Kind.CODE,
        codes=tuple(member.value for member in codes if member.value),
        definition=definition,
        source=source,
        required=required,
    )


def _number(
    name: str,
    label: str,
    definition: str,
    *,
    unit: str = "",
    decimals: int = 4,
    minimum: float | None = None,
    maximum: float | None = None,
    source: str = _FILM,
    assumed: bool = False,
) -> Column:
    return Column(
        name=name,
        label=label,
        kind=Kind.DECIMAL,
        unit=unit,
        decimals=decimals,
        minimum=minimum,
        maximum=maximum,
        definition=definition,
        source=source,
        assumed=assumed,
    )


def _text(name: str, label: str, definition: str, source: str) -> Column:
    return Column(name=name, label=label, kind=Kind.TEXT, definition=definition, source=source)


def _vertebrae() -> Iterator[Column]:
    yield subject_column()
    yield visit_column()
    yield level_column()
    yield _code(
        "state",
        "Whether the level can be judged",
        VertebraState,
        "evaluable, or why not. A level that is not evaluable has no grade and is never normal.",
        _FILM,
    )
    yield reason_column("Why the level is not evaluable, or what to know about it.")
    for name in ("anterior", "middle", "posterior"):
        yield _number(
            f"height_{name}_mm",
            f"{name.capitalize()} height",
            "Distance between the paired endplate points in millimetres of the plane that "
            "spacing_source stands for. Empty without a scale.",
            unit="mm",
            decimals=2,
            minimum=0,
        )
    yield _code(
        "spacing_source",
        "Source of the millimetres",
        SpacingSource,
        "fiducial, geometry, imager_over_magnification: true at the spine; imager_raw: at the "
        "detector, too large; none: no millimetres. Empty without a film.",
        "DICOM header",
        required=False,
    )
    yield _number("ratio_anterior_posterior", "Ha/Hp", "Anterior over posterior height.", minimum=0)
    yield _number("ratio_middle_posterior", "Hm/Hp", "Middle over posterior height.", minimum=0)
    yield _number(
        "ratio_posterior_neighbours",
        "Hp over neighbours",
        "Posterior height over the mean posterior height of the evaluable neighbours.",
        minimum=0,
    )
    yield _number(
        "ratio_sd",
        "Scatter of the ratios",
        "Standard deviation of the height ratios between repeated readings by the model. Empty "
        "where a reader placed the points.",
        minimum=0,
    )
    yield _code(
        "genant_grade",
        "Genant grade",
        Grade,
        "0, 0.5 (readers only), 1, 2, 3; indeterminate or not_evaluable are no grades.",
        _FILM,
    )
    yield _code(
        "genant_shape",
        "Shape of the deformity",
        Shape,
        "wedge = anterior, biconcave = middle, crush = posterior loss too; none without a loss. "
        "Empty without a grade.",
        _FILM,
        required=False,
    )
    for grade in range(4):
        yield _number(
            f"p_grade{grade}",
            f"Probability of grade {grade}",
            "Calibrated probability by the model. Empty where a reader gave the grade.",
            minimum=0,
            maximum=1,
        )
    yield _code(
        "grade_source",
        "Who gave the grade",
        GradeSource,
        "model, reader or adjudicator, also where one of the latter says that there is no grade; "
        "empty where the model gave none.",
        "this program",
        required=False,
    )
    yield uid_column(required=False)


def _changes() -> Iterator[Column]:
    yield subject_column()
    yield level_column()
    for visit in Visit:
        yield _code(
            f"grade_{visit.value}",
            f"Genant grade at {'baseline' if visit is Visit.BASELINE else 'month 12'}",
            Grade,
            "As in vertebrae.csv.",
            "vertebrae.csv",
        )
    yield _code(
        "change",
        "Change of the level",
        ChangeKind,
        "new = 0 to at least 1; worsening = 1 or 2 to a higher grade; ceiling = 3 at baseline; "
        "improved = lower than at baseline, raises a query; not_evaluable = cannot be told.",
        "derived from vertebrae.csv",
    )
    yield reason_column("Why it cannot be told, or what to know about it.")
    yield _number(
        "height_change_max_pct",
        "Largest loss of height",
        "Largest of 100 x (h0 - h1) / h0 over anterior, middle, posterior height; "
        "a loss is positive.",
        unit="%",
        decimals=2,
    )
    yield _number(
        "height_change_max_mm",
        "Largest loss of height in mm",
        "Largest of h0 - h1; empty unless both films have millimetres at the spine.",
        unit="mm",
        decimals=2,
    )
    yield Column(
        name="morphometric_change",
        label="Loss of height meets the criterion",
        kind=Kind.FLAG,
        definition="Any height lost at least 20 %, and at least 4 mm where calibrated (Lunt 2002); "
        "thresholds from the charter. Empty where it cannot be told.",
        source="derived from vertebrae.csv",
        assumed=True,
    )
    yield Column(
        name="confirmed",
        label="Grade and height agree",
        kind=Kind.FLAG,
        definition="Y where the level is new or worsening and morphometric_change is Y.",
        source="derived from changes.csv",
    )
    yield _number(
        "p_incident",
        "Probability of an incident fracture",
        "By the model; not an endpoint. Empty where a reader gave a grade.",
        minimum=0,
        maximum=1,
    )
    yield Column(
        name="flagged",
        label="For the readers first",
        kind=Kind.FLAG,
        definition="Y where p_incident reaches the charter's flag_probability, or a rule asks: a "
        "step of the grade, or a loss of height without one. For a final subject Y only where the "
        "grade is lower at month 12, which stays a query.",
        source="this program",
        required=True,
        assumed=True,
    )


def _dxa() -> Iterator[Column]:
    yield subject_column()
    yield visit_column()
    yield _code("site", "Site", Site, "The scanned site.", _REPORT)
    yield Column(
        name="region",
        label="Region",
        kind=Kind.TEXT,
        definition="L1 to L4, a lumbar total named by its levels (L1-L2,L4), or the report's name.",
        source=_REPORT,
        required=True,
    )
    yield _number("area_cm2", "Area", "As printed.", unit="cm2", decimals=3, source=_REPORT)
    yield _number("bmc_g", "BMC", "As printed.", unit="g", decimals=3, source=_REPORT)
    yield _number("bmd_g_per_cm2", "BMD", "As printed.", unit="g/cm2", source=_REPORT)
    yield _number("t_score", "T-score", "As printed.", unit="SD", decimals=2, source=_REPORT)
    yield _number("z_score", "Z-score", "As printed.", unit="SD", decimals=2, source=_REPORT)
    yield _text("reference", "Reference population", "The name in the report.", _REPORT)
    yield _text("scanner_model", "Scanner model", "The densitometer.", _REPORT)
    yield _text("scanner_serial", "Scanner serial number", "Decides comparability.", _REPORT)
    yield _text("scan_mode", "Scan mode", "Decides comparability.", _REPORT)
    yield _text("analysis_version", "Analysis version", "Decides comparability.", _REPORT)
    yield _code("source", "Format", DxaSource, "Which format the numbers were read from.", _REPORT)
    yield uid_column(required=False)
    yield _code(
        "state",
        "Whether the value may be used",
        ResultState,
        "Only accepted values reach endpoints.csv. quarantined: a person must confirm; superseded: "
        "an older analysis; history: an earlier exam repeated in the report; withheld: no value.",
        "this program",
    )
    yield reason_column("Why the value is not accepted.")
    yield _code(
        "side",
        "Side",
        Side,
        "left or right hip or forearm; mean = the report's own mean of both; empty for the spine.",
        _REPORT,
        required=False,
    )


VERTEBRA_COLUMNS: tuple[Column, ...] = tuple(_vertebrae())
"""vertebrae.csv from left to right."""

CHANGE_COLUMNS: tuple[Column, ...] = tuple(_changes())
"""changes.csv from left to right."""

DXA_COLUMNS: tuple[Column, ...] = tuple(_dxa())
"""dxa.csv from left to right."""
