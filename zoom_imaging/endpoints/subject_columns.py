"""Columns of endpoints.csv, one row a subject: arms, BMD, incident fractures, bone markers."""

from __future__ import annotations

from collections.abc import Iterator

from zoom_imaging.anatomy import GRADED_LEVELS, LUMBAR_DXA_LEVELS, Arm
from zoom_imaging.endpoints.column import Column, Kind
from zoom_imaging.endpoints.status import EndpointStatus, EventState

VISIT_WORDS: tuple[tuple[str, str], ...] = (("baseline", "baseline"), ("month12", "month 12"))
GRADED_COUNT = len(GRADED_LEVELS)

SITE_PREFIXES: tuple[tuple[str, str, str], ...] = (
    ("th", "total_hip", "total hip"),
    ("fn", "femoral_neck", "femoral neck"),
)
MARKERS: tuple[tuple[str, str, str], ...] = (
    ("ctx", "CTX", "C-terminal telopeptide of type I collagen"),
    ("p1np", "P1NP", "procollagen type I N-terminal propeptide"),
)

_REPORT = "DXA report"
_DERIVED_DXA = "derived from DXA reports"
_DERIVED_FILM = "derived from changes.csv"
_CLINICAL = "clinical table"


def _bmd(prefix: str, site: str, visit: str, word: str, *, definition: str, source: str) -> Column:
    return Column(
        name=f"{prefix}_bmd_{visit}_g_per_cm2",
        label=f"BMD of {site} at {word}",
        kind=Kind.DECIMAL,
        unit="g/cm2",
        decimals=4,
        minimum=0,
        definition=definition,
        source=source,
    )


def _t_score(prefix: str, site: str, visit: str, word: str, note: str = "") -> Column:
    return Column(
        name=f"{prefix}_tscore_{visit}",
        label=f"T-score of {site} at {word}",
        kind=Kind.DECIMAL,
        unit="SD",
        decimals=2,
        definition="T-score as printed by the scanner against its own reference population; never "
        "recomputed." + note,
        source=_REPORT,
    )


def _change(prefix: str, site: str) -> Column:
    return Column(
        name=f"{prefix}_bmd_change_pct",
        label=f"Change of BMD of {site}",
        kind=Kind.DECIMAL,
        unit="%",
        decimals=4,
        definition="100 x (month 12 - baseline) / baseline, from unrounded values. Empty unless "
        "the pair is comparable: same scanner, scan mode, analysis version, regions and reference, "
        "or a cross-calibration record in the charter.",
        source=_DERIVED_DXA,
    )


def _reason(name: str, of_what: str) -> Column:
    return Column(
        name=name,
        label=f"Why {of_what} is missing",
        kind=Kind.TEXT,
        definition=f"Sentence that says why a value or the change of {of_what} is not given, or "
        "what to know about it. Empty where nothing is missing.",
        source="this program",
    )


def _identity() -> Iterator[Column]:
    yield Column(
        name="subject_id",
        label="Subject",
        kind=Kind.TEXT,
        definition="Identifier as written, without outer blanks and NUL, leading zeros kept. Text "
        "that a spreadsheet would take for a formula has an apostrophe before it in every table.",
        source="clinical table, or DICOM header by the charter's subject_sources",
        required=True,
    )
    for name, label, definition in (
        ("arm_planned", "Planned arm", "Treatment by exposure as the clinical table gives it."),
        (
            "arm_actual",
            "Actual treatment",
            "Planned arm, changed where the second dose was replaced or not given.",
        ),
    ):
        yield Column(
            name=name,
            label=label,
            kind=Kind.CODE,
            codes=tuple(arm.value for arm in Arm),
            definition=definition + " Not randomised (NCT05361408). Empty where it is not known.",
            source=_CLINICAL,
        )
    yield Column(
        name="endpoint_status",
        label="Standing of the endpoints",
        kind=Kind.CODE,
        codes=tuple(status.value for status in EndpointStatus),
        definition="provisional = model only; read_once = at least one reader has signed; final = "
        "all readings are signed, differences adjudicated and the subject locked. Only run "
        "--readings gives another than provisional, and only for the films that were read.",
        source="this program",
        required=True,
        assumed=True,
    )


def _lumbar() -> Iterator[Column]:
    site = "lumbar spine"
    for visit, word in VISIT_WORDS:
        yield _bmd(
            "ls",
            site,
            visit,
            word,
            definition="BMD of the vertebrae in ls_bmd_levels, the same at both visits: the "
            "printed total where each visit's report has one of exactly these, else BMC over "
            "area, summed, at both; a vertebra with an incident fracture leaves both.",
            source=_DERIVED_DXA,
        )
    yield _change("ls", site)
    yield Column(
        name="ls_bmd_levels",
        label="Vertebrae behind the lumbar BMD",
        kind=Kind.TEXT,
        definition="Ranges joined by commas: L1-L4, L1-L3, L1-L2,L4.",
        source=_DERIVED_DXA,
    )
    yield _reason("ls_bmd_reason", site)
    for visit, word in VISIT_WORDS:
        yield _t_score(
            "ls", site, visit, word, " Given only where the report's total is of ls_bmd_levels."
        )
    for level in LUMBAR_DXA_LEVELS:
        for visit, word in VISIT_WORDS:
            yield _bmd(
                level.value.lower(),
                level.value,
                visit,
                word,
                definition=f"BMD of {level.value} in the visit's accepted lumbar report, also "
                "where it is left out of the total.",
                source=_REPORT,
            )
    for level in LUMBAR_DXA_LEVELS:
        for visit, word in VISIT_WORDS:
            yield _t_score(level.value.lower(), level.value, visit, word)
    yield Column(
        name="ls_bmd_change_exceeds_lsc",
        label="Lumbar change reaches the LSC",
        kind=Kind.FLAG,
        definition="Y where the absolute change is at least the least significant change for "
        "so many vertebrae (Rosen 2024). Empty without a change. Precision error by the charter.",
        source=_DERIVED_DXA,
        assumed=True,
    )


def _hips() -> Iterator[Column]:
    for prefix, _, site in SITE_PREFIXES:
        for visit, word in VISIT_WORDS:
            yield _bmd(
                prefix,
                site,
                visit,
                word,
                definition=f"BMD of the {site}, same side at both visits, as in the report.",
                source=_REPORT,
            )
        yield _change(prefix, site)
        yield _reason(f"{prefix}_reason", site)
        for visit, word in VISIT_WORDS:
            yield _t_score(prefix, site, visit, word)


def _count(
    name: str,
    label: str,
    definition: str,
    *,
    maximum: int = GRADED_COUNT,
    minimum: int = 0,
    source: str = _DERIVED_FILM,
) -> Column:
    return Column(
        name=name,
        label=label,
        kind=Kind.INTEGER,
        minimum=minimum,
        maximum=maximum,
        definition=definition,
        source=source,
    )


def _fractures() -> Iterator[Column]:
    events = tuple(state.value for state in EventState)
    rule = (
        "no = it did not happen, whatever a level that could not be compared may hide; "
        "undetermined = not seen among the levels_evaluable_both compared, if fewer than 13; "
        "not_evaluable = none could be compared."
    )
    yield _count(
        "levels_evaluable_both",
        "Levels compared between visits",
        "How many of the 13 levels T4-L4 are evaluable at both visits.",
    )
    yield Column(
        name="incident_vf",
        label="New vertebral fracture",
        kind=Kind.CODE,
        codes=events,
        definition="At least one grade up from grade 0 at any level T4-L4 (FREEDOM, NCT00089791); "
        + rule,
        source=_DERIVED_FILM,
        required=True,
        assumed=True,
    )
    among = " among the levels compared; empty when no level could be compared."
    yield _count("new_vf_count", "New vertebral fractures", "Count of change = new" + among)
    yield _count(
        "worsening_vf_count", "Worsening vertebral fractures", "Count of change = worsening" + among
    )
    yield Column(
        name="multiple_vf",
        label="Two or more new or worsening fractures",
        kind=Kind.CODE,
        codes=events,
        definition="yes = two or more levels new or worsening (Cosman 2022); " + rule,
        source=_DERIVED_FILM,
        required=True,
        assumed=True,
    )
    yield Column(
        name="incident_levels",
        label="Levels with a new fracture",
        kind=Kind.TEXT,
        definition="Levels with change = new from the top down, joined by semicolons (T12;L2).",
        source=_DERIVED_FILM,
    )
    for visit, word in VISIT_WORDS:
        yield _sdi(f"sdi_{visit}", f"Spinal Deformity Index at {word}")
    yield _sdi("sdi_change", "Change of Spinal Deformity Index", minimum=-39)
    for visit, word in VISIT_WORDS:
        yield _count(
            f"sdi_partial_{visit}",
            f"Sum of known grades at {word}",
            "Sum of the grades of the evaluable levels; no index, a lower bound. Empty where no "
            "level is evaluable.",
            maximum=39,
            source="derived from vertebrae.csv",
        )
        yield _count(
            f"sdi_levels_{visit}",
            f"Levels graded at {word}",
            "How many of the 13 levels T4-L4 have a grade at this visit.",
            source="derived from vertebrae.csv",
        )


def _sdi(name: str, label: str, minimum: int = 0) -> Column:
    return _count(
        name,
        label,
        "Sum of the Genant grades T4-L4 (0-39); empty when any level has no grade.",
        maximum=39,
        minimum=minimum,
        source="derived from vertebrae.csv",
    )


def _markers() -> Iterator[Column]:
    for prefix, short, long in MARKERS:
        for visit, word in (("baseline", "baseline"), ("m6", "month 6"), ("m12", "month 12")):
            yield Column(
                name=f"{prefix}_{visit}",
                label=f"{short} at {word}",
                kind=Kind.DECIMAL,
                unit="ng/mL",
                decimals=4,
                minimum=0,
                definition=f"Serum {long} as the clinical table gives it. The unit is assumed.",
                source=_CLINICAL,
                assumed=True,
            )
        for visit, word in (("m6", "month 6"), ("m12", "month 12")):
            yield Column(
                name=f"{prefix}_change_{visit}_pct",
                label=f"Change of {short} to {word}",
                kind=Kind.DECIMAL,
                unit="%",
                decimals=4,
                definition="100 x (value - baseline) / baseline. Empty without a baseline value, "
                "which the registration does not plan; never filled back from month 6.",
                source=_CLINICAL,
            )
        yield _reason(f"{prefix}_reason", short)


def _columns() -> Iterator[Column]:
    yield from _identity()
    yield from _lumbar()
    yield from _hips()
    yield from _fractures()
    yield from _markers()
    yield Column(
        name="query_count",
        label="Open queries",
        kind=Kind.INTEGER,
        minimum=0,
        definition="Rows of queries.csv about this subject.",
        source="queries.csv",
        required=True,
    )


SUBJECT_COLUMNS: tuple[Column, ...] = tuple(_columns())
"""endpoints.csv from left to right."""
