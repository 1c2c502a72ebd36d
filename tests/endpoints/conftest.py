"""Subjects as a run finds them, built from records without any file."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    Arm,
    Grade,
    Level,
    Shape,
    SixPoints,
    SpacingSource,
    VertebraState,
    Visit,
)
from zoom_imaging.change.match import compare_films
from zoom_imaging.change.record import BmdChange
from zoom_imaging.change.subject import summarise_fractures
from zoom_imaging.charter import load_charter
from zoom_imaging.endpoints.results import (
    BMD_SITES,
    RunMetadata,
    SubjectResults,
    TrialResults,
)
from zoom_imaging.ingest.catalogue import Catalogue
from zoom_imaging.morphometry.reading import FilmReading, Heights, Ratios, VertebraReading
from zoom_imaging.morphometry.spine import merge_films
from zoom_imaging.radiograph.film import Scale

CHARTER = load_charter()
NO_BMD = {site: BmdChange(site, "", None, None, None, None, "no report") for site in BMD_SITES}


@dataclass(frozen=True)
class Clinical:
    """The columns of the clinical table that rows of endpoints.csv read."""

    subject_id: str = "0012"
    ctx_baseline: float | None = None
    ctx_m6: float | None = None
    ctx_m12: float | None = None
    p1np_baseline: float | None = None
    p1np_m6: float | None = None
    p1np_m12: float | None = None


def vertebra(level, loss=0.0, grade=Grade.NORMAL, uid="1.2"):
    """A body 40 px wide and 30 px high, with `loss` of the anterior and middle height."""
    top = 100.0 * GRADED_LEVELS.index(level)
    lost = 30 * loss
    points = [[0, top + lost], [20, top + lost], [40, top], [0, top + 30], [20, top + 30]]
    return VertebraReading(
        level=level,
        state=VertebraState.EVALUABLE,
        reason="",
        six_points=SixPoints.from_array([*points, [40, top + 30]]),
        polygon=((0.0, top), (40.0, top), (40.0, top + 30.123), (0.0, top + 30)),
        sd_px=(1.0,) * 6,
        heights=Heights(30 - lost, 30 - lost, 30),
        ratios=Ratios(1 - loss, 1 - loss, 1.0),
        ratio_sd=0.01,
        grade=grade,
        shape=Shape.NONE if grade is Grade.NORMAL else Shape.WEDGE,
        p_grades=(0.7, 0.1, 0.1, 0.1),
        sop_instance_uid=uid,
    )


def film(uid, grades, levels=GRADED_LEVELS):
    """A lateral film of `levels`; `grades` maps a level to loss and grade."""
    return FilmReading(
        path=f"{uid}.dcm",
        sop_instance_uid=uid,
        scale=Scale(SpacingSource.GEOMETRY, 1.0, 1.0, "made for a test"),
        vertebrae=tuple(
            vertebra(level, *grades.get(level, (0.0, Grade.NORMAL)), uid=uid) for level in levels
        ),
        view="lateral",
    )


def subject(baseline=(), month12=(), clinical=None, **changes):
    """A subject with these films and no densitometry, unless `changes` say otherwise."""
    comparison = compare_films(baseline, month12, CHARTER, subject_id="0012")
    vertebrae = {Visit.BASELINE: merge_films(baseline), Visit.MONTH12: merge_films(month12)}
    parts = {
        "subject_id": "0012",
        "clinical": clinical,
        "arm_planned": Arm.ONCE,
        "arm_actual": None,
        "dxa": dict.fromkeys(Visit, ()),
        "films": {Visit.BASELINE: tuple(baseline), Visit.MONTH12: tuple(month12)},
        "film_sources": dict.fromkeys(Visit, ()),
        "vertebrae": vertebrae,
        "changes": comparison.changes,
        "fractures": summarise_fractures(comparison.changes, *vertebrae.values(), CHARTER.fracture),
        "bmd_changes": NO_BMD,
        "queries": comparison.queries,
    }
    return SubjectResults(**(parts | changes))


def trial(*subjects, catalogue=None, queries=()):
    """A run with these subjects."""
    return TrialResults(
        charter=CHARTER,
        catalogue=catalogue or Catalogue(()),
        clinical=(),
        subjects=subjects,
        queries=tuple(queries),
        run=RunMetadata({}, "", "", "", "", "torch", {}),
    )


@pytest.fixture
def fractured():
    """New moderate wedge of T12 at month 12; T4 is on no film of month 12."""
    before = film("1.1", {})
    after = film("1.2", {Level.T12: (0.35, Grade.MODERATE)}, GRADED_LEVELS[1:])
    return subject([before], [after])
