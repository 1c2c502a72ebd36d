"""ADSL, ADBMD, ADVFX and ADBTM: every variable with its meaning, for every format.

Record flags are "Y" or null, population flags "Y" or "N" (ADaM IG 1.3). A value that is missing is
null, and REASON says why.
"""

from __future__ import annotations

from zoom_imaging.adam.variable import Dataset, Kind, Origin, Variable
from zoom_imaging.anatomy import GRADED_LEVELS, LUMBAR_DXA_LEVELS, Arm, GradeSource, Level
from zoom_imaging.endpoints.status import EndpointStatus, EventState

ARMS = {
    Arm.ONCE: "Zoledronic acid once",
    Arm.TWICE: "Zoledronic acid twice",
    Arm.ONCE_THEN_RISEDRONATE: "Zoledronic acid once, then risedronate",
}
VISITS = (("BASELINE", "0"), ("MONTH 6", "6"), ("MONTH 12", "12"))
YES = (("Y", "Yes"),)
YES_NO = (("Y", "Yes"), ("N", "No"))
EVENTS = tuple((state.value.upper(), state.value.replace("_", " ")) for state in EventState)


def level_code(level: Level) -> str:
    """SQT04 ... SQL04."""
    return f"SQ{level.value[0]}{int(level.value[1:]):02d}"


BMD_PARAMETERS = {
    "LSBMD": "Lumbar spine BMD, same vertebrae (g/cm2)",
    "LSTSC": "Lumbar spine T-score",
    "THBMD": "Total hip BMD (g/cm2)",
    "THTSC": "Total hip T-score",
    "FNBMD": "Femoral neck BMD (g/cm2)",
    "FNTSC": "Femoral neck T-score",
    **{f"{level.value}BMD": f"{level.value} BMD (g/cm2)" for level in LUMBAR_DXA_LEVELS},
}
FRACTURE_PARAMETERS = {
    **{level_code(level): f"Genant grade of {level.value}" for level in GRADED_LEVELS},
    "SDI": "Spinal Deformity Index",
    "NEVALV": "Levels T4-L4 with a grade",
    "NEVALB": "Levels T4-L4 evaluable at both visits",
    "INCVF": "New vertebral fracture",
    "NWVF": "New vertebral fractures",
    "WSVF": "Worsening vertebral fractures",
    "MVF": "Two or more new or worsening fractures",
}
MARKER_PARAMETERS = {"CTX": "C-telopeptide (ng/mL)", "P1NP": "P1NP (ng/mL)"}


def _text(
    name: str,
    label: str,
    method: str,
    length: int = 40,
    *,
    origin: Origin = Origin.DERIVED,
    codes: tuple[tuple[str, str], ...] = (),
    required: bool = False,
) -> Variable:
    return Variable(name, label, Kind.TEXT, origin, method, length, codes, required=required)


def _float(name: str, label: str, method: str, decimals: int = 4) -> Variable:
    return Variable(name, label, Kind.FLOAT, Origin.DERIVED, method, decimals=decimals)


def _integer(
    name: str, label: str, method: str, *, origin: Origin = Origin.DERIVED, required: bool = False
) -> Variable:
    return Variable(name, label, Kind.INTEGER, origin, method, required=required)


def _date(name: str, label: str, method: str, origin: Origin = Origin.COLLECTED) -> Variable:
    return Variable(name, label, Kind.DATE, origin, method)


def _criterion(number: int, where: str, rule: str) -> tuple[Variable, Variable]:
    """A criterion in words, and whether a record meets it."""
    return (
        _text(f"CRIT{number}", f"Analysis Criterion {number}", where, 60, origin=Origin.ASSIGNED),
        _text(
            f"CRIT{number}FL",
            f"Criterion {number} Evaluation Result Flag",
            rule,
            1,
            codes=YES_NO,
        ),
    )


_STUDY = _text(
    "STUDYID",
    "Study Identifier",
    "trial.name of the charter",
    20,
    origin=Origin.ASSIGNED,
    required=True,
)
_SUBJECT = _text(
    "USUBJID",
    "Unique Subject Identifier",
    "STUDYID and SUBJID, joined by a hyphen",
    100,
    required=True,
)
_ARM_CODES = tuple((text, text) for text in ARMS.values())
_PLANNED = _text(
    "TRT01P",
    "Planned Treatment for Period 01",
    "arm of the clinical table; by exposure, not randomised",
    40,
    origin=Origin.COLLECTED,
    codes=_ARM_CODES,
)
_ACTUAL = _text(
    "TRT01A",
    "Actual Treatment for Period 01",
    "TRT01P, changed where the second dose was replaced by risedronate",
    40,
    codes=_ARM_CODES,
)
_REASON = _text(
    "REASON",
    "Reason why a Value is Missing",
    "sentence of the program, cut to 200 characters",
    200,
)
_SOURCE = _text(
    "SRCUID",
    "Source SOP Instance UID",
    "DICOM object that the value was read from; empty for values over several objects",
    64,
)


def _params(parameters: dict[str, str]) -> tuple[Variable, ...]:
    codes = tuple(parameters.items())
    return (
        _text(
            "PARAM",
            "Parameter",
            "decode of PARAMCD",
            40,
            origin=Origin.ASSIGNED,
            codes=tuple((text, text) for text in parameters.values()),
            required=True,
        ),
        _text(
            "PARAMCD",
            "Parameter Code",
            "assigned",
            8,
            origin=Origin.ASSIGNED,
            codes=codes,
            required=True,
        ),
        _text(
            "AVISIT",
            "Analysis Visit",
            "visit by the windows of the charter",
            8,
            codes=tuple((visit, visit.capitalize()) for visit, _ in VISITS),
            required=True,
        ),
        _integer("AVISITN", "Analysis Visit (N)", "months of AVISIT", required=True),
    )


_TIMING = (
    _date("ADT", "Analysis Date", "day of the examination as written in its header"),
    _integer("ADY", "Analysis Relative Day", "ADT - TRTSDT, plus 1 from TRTSDT on; no day 0"),
)
_BASE = (
    _float("BASE", "Baseline Value", "AVAL of the record with ABLFL = Y; never filled back"),
    _float("CHG", "Change from Baseline", "AVAL - BASE after baseline"),
    _float("PCHG", "Percent Change from Baseline", "100 x CHG / BASE, of unrounded values"),
    _text("ABLFL", "Baseline Record Flag", "Y on AVISIT = BASELINE with a value", 1, codes=YES),
    _text(
        "ANL01FL",
        "Analysis Flag 01",
        "Y where the value may enter the primary comparison: a comparable pair of visits",
        1,
        codes=YES,
    ),
)

ADSL = Dataset(
    "ADSL",
    "Subject-Level Analysis Dataset",
    "one record per subject",
    "SUBJECT LEVEL ANALYSIS DATASET",
    ("STUDYID", "USUBJID"),
    (
        _STUDY,
        _SUBJECT,
        _text(
            "SUBJID",
            "Subject Identifier for the Study",
            "as in the clinical table or the DICOM header",
            64,
            origin=Origin.COLLECTED,
            required=True,
        ),
        _PLANNED,
        _ACTUAL,
        _date("TRTSDT", "Date of First Exposure to Treatment", "zol1_date of the clinical table"),
        _date("ZOL2DT", "Date of Second Zoledronic Acid", "zol2_date of the clinical table"),
        _text(
            "DOSE2",
            "Second Dose as Reported",
            "second_dose of the clinical table",
            40,
            origin=Origin.COLLECTED,
        ),
        _float("DENOSYR", "Years of Denosumab before Treatment", "clinical table", 2),
        _text(
            "FASFL",
            "Full Analysis Set Population Flag",
            "Y with a planned arm and a lumbar BMD at baseline",
            1,
            codes=YES_NO,
            required=True,
        ),
        _text(
            "PPROTFL",
            "Per-Protocol Population Flag",
            "Y in the full set with TRT01A = TRT01P and a comparable lumbar BMD at month 12",
            1,
            codes=YES_NO,
            required=True,
        ),
        _text(
            "FXEVALFL",
            "Fracture Evaluable Population Flag",
            "Y where all 13 levels T4-L4 are evaluable at both visits",
            1,
            codes=YES_NO,
            required=True,
        ),
        _text(
            "STATUS",
            "Standing of the Endpoints",
            "provisional: the model alone; read_once: a reader has signed; final: all readings "
            "signed, differences adjudicated, subject locked",
            12,
            codes=tuple((status.value, status.value) for status in EndpointStatus),
            required=True,
        ),
    ),
)


def _by_visit(name: str, label: str, parameters: dict[str, str], *variables: Variable) -> Dataset:
    """A dataset of ADaM's basic data structure; `variables` follow those that all of them have."""
    return Dataset(
        name,
        label,
        "one record per subject, parameter and visit",
        "BASIC DATA STRUCTURE",
        ("STUDYID", "USUBJID", "PARAMCD", "AVISITN"),
        (_STUDY, _SUBJECT, _PLANNED, _ACTUAL, *_params(parameters), *variables),
    )


ADBMD = _by_visit(
    "ADBMD",
    "Bone Mineral Density Analysis Dataset",
    BMD_PARAMETERS,
    *_TIMING,
    _float(
        "AVAL",
        "Analysis Value",
        "value of the accepted report; LSBMD over the vertebrae in LEVELS at both visits",
    ),
    *_BASE,
    *_criterion(
        1,
        "assigned to LSBMD at month 12",
        "Y where |CHG| is at least the least significant change of the charter",
    ),
    _text("LEVELS", "Vertebrae or Side behind the Value", "ls_bmd_levels, or the side", 20),
    _REASON,
    _SOURCE,
)

ADVFX = _by_visit(
    "ADVFX",
    "Vertebral Fracture Analysis Dataset",
    FRACTURE_PARAMETERS,
    *_TIMING,
    _float("AVAL", "Analysis Value", "grade, index or count; null where it cannot be told", 1),
    _text(
        "AVALC",
        "Analysis Value (C)",
        "AVAL as text; for INCVF and MVF the state of the event; not_evaluable or "
        "indeterminate for a level without a grade",
        20,
    ),
    *_BASE,
    *_criterion(
        1,
        "assigned to levels at month 12",
        "Y for change = new; N for none, worsening, ceiling; null where not evaluable",
    ),
    *_criterion(
        2,
        "assigned to levels at month 12",
        "Y for change = worsening; N for none, new, ceiling; null where not evaluable",
    ),
    _text("STATE", "Evaluability of the Level", "state of vertebrae.csv", 24),
    _text(
        "GRADESRC",
        "Who Gave the Grade",
        "assigned to levels: who gave the grade, or as a person said that there is none; null "
        "where the model gave none",
        12,
        codes=tuple((source.value, source.value) for source in GradeSource),
    ),
    _REASON,
    _SOURCE,
)

ADBTM = _by_visit(
    "ADBTM",
    "Bone Turnover Marker Analysis Dataset",
    MARKER_PARAMETERS,
    _float("AVAL", "Analysis Value", "value of the clinical table"),
    *_BASE[:4],
    _REASON,
)

DATASETS = (ADSL, ADBMD, ADVFX, ADBTM)
"""In the order in which they are written."""
