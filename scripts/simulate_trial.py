"""A whole simulated trial as tables: 114 subjects with known truth, through the real comparison.

Densitometry reports and readings of films are made up as objects, not as files, and go through
everything that a run does after reading: reconciliation, change, endpoints, ADaM. Beside the tables
lies truth.json: what was put in.

python scripts/simulate_trial.py --out trial [--subjects 114] [--seed 1]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from zoom_imaging.anatomy import (
    GRADED_LEVELS,
    LUMBAR_DXA_LEVELS,
    Arm,
    Grade,
    Level,
    Shape,
    SixPoints,
    SpacingSource,
    VertebraState,
    View,
    Visit,
)
from zoom_imaging.batch.folder import write_results
from zoom_imaging.batch.progress import Voice
from zoom_imaging.batch.study import Outcome
from zoom_imaging.batch.subject import assemble
from zoom_imaging.charter import Charter, default_charter_path, load_charter
from zoom_imaging.dxa.result import DxaReport, DxaSource, Side
from zoom_imaging.endpoints.results import RunMetadata, SubjectResults, TrialResults
from zoom_imaging.ingest.catalogue import (
    Catalogue,
    CatalogueEntry,
    Disposition,
    FileKind,
    SourceFile,
)
from zoom_imaging.ingest.clinical import ClinicalRow
from zoom_imaging.morphometry.reading import FilmReading, Heights, Ratios, VertebraReading
from zoom_imaging.provenance import uid_from
from zoom_imaging.radiograph.film import Scale
from zoom_imaging.simulate.densitometry import exam_of, results_of
from zoom_imaging.simulate.fracture import grade_of_loss
from zoom_imaging.simulate.proportions import NORMAL

CHANGE_PCT = {Arm.ONCE: -2.6, Arm.TWICE: -2.9}
CHANGE_SD = 3.2
LOST_TO_FOLLOW_UP = 0.06
RISEDRONATE = 0.12
NEW_FRACTURE = 0.008
"""Per vertebra and year."""
OLD_FRACTURE = 0.02
NOT_EVALUABLE = 0.015
MM_PER_PX = 0.25


@dataclass(frozen=True)
class Person:
    """What is true of one subject; `new` and `old` are losses of height by level."""

    subject_id: str
    arm: Arm
    clinical: ClinicalRow
    baseline_g_per_cm2: tuple[float, float, float, float]
    change_pct: float
    old: Mapping[Level, float]
    new: Mapping[Level, float]
    returned: bool
    hidden: frozenset[tuple[Visit, Level]]


def person(number: int, arm: Arm, rng: np.random.Generator) -> Person:
    """Draw one subject."""
    subject_id = f"SIM-{number:03d}"
    zol1 = date(2024, 1, 15) + timedelta(days=int(rng.integers(0, 300)))
    risedronate = arm is Arm.TWICE and rng.random() < RISEDRONATE
    zol2 = zol1 + timedelta(days=int(rng.integers(175, 195)))
    twice = arm is Arm.TWICE and not risedronate
    ctx = float(np.exp(rng.normal(np.log(0.25), 0.35)))
    p1np = float(np.exp(rng.normal(np.log(25.0), 0.3)))
    clinical = ClinicalRow(
        subject_id,
        arm,
        denosumab_years=round(
            float(rng.uniform(2.6, 8.0) if arm is Arm.TWICE else rng.uniform(0.5, 2.4)), 1
        ),
        zol1_date=zol1,
        zol2_date=zol2 if twice else None,
        second_dose="zoledronic_acid" if twice else "risedronate" if risedronate else "",
        ctx_m6=round(ctx, 3),
        ctx_m12=round(ctx * float(np.exp(rng.normal(0.3, 0.2))), 3),
        p1np_m6=round(p1np, 1),
        p1np_m12=round(p1np * float(np.exp(rng.normal(0.25, 0.2))), 1),
    )
    level_bmd = 0.84 + 0.09 * rng.normal() + np.array([-0.05, -0.01, 0.02, 0.04])
    old = {level: rng.uniform(0.2, 0.45) for level in GRADED_LEVELS if rng.random() < OLD_FRACTURE}
    new = {
        level: rng.uniform(0.24, 0.5)
        for level in GRADED_LEVELS
        if level not in old and rng.random() < NEW_FRACTURE
    }
    first, second, third, fourth = (float(value) for value in level_bmd)
    return Person(
        subject_id=subject_id,
        arm=arm,
        clinical=clinical,
        baseline_g_per_cm2=(first, second, third, fourth),
        change_pct=float(rng.normal(CHANGE_PCT[arm], CHANGE_SD)),
        old={level: float(loss) for level, loss in old.items()},
        new={level: float(loss) for level, loss in new.items()},
        returned=bool(rng.random() >= LOST_TO_FOLLOW_UP),
        hidden=frozenset(
            (visit, level)
            for visit in Visit
            for level in GRADED_LEVELS
            if rng.random() < NOT_EVALUABLE
        ),
    )


def outcomes_of(who: Person, rng: np.random.Generator) -> dict[Visit, tuple[Outcome, Outcome]]:
    """The report and the reading of each visit that took place."""
    start = who.clinical.zol1_date or date(2024, 1, 15)
    days = {
        Visit.BASELINE: start - timedelta(days=int(rng.integers(0, 20))),
        Visit.MONTH12: start + timedelta(days=365 + int(rng.integers(-20, 21))),
    }
    found = {}
    for visit, day in days.items():
        if visit is Visit.MONTH12 and not who.returned:
            continue
        report = Outcome(Disposition.USED, report=_report(who, visit, day))
        film = Outcome(Disposition.USED, films=(_film(who, visit, rng),))
        found[visit] = (report, film)
    return found


def _report(who: Person, visit: Visit, day: date) -> DxaReport:
    factor = 1.0 if visit is Visit.BASELINE else 1 + who.change_pct / 100
    bmd = np.array(who.baseline_g_per_cm2) * factor
    if visit is Visit.MONTH12:
        # A fracture squeezes bone: the vertebra reads denser than it is.
        for at, level in enumerate(LUMBAR_DXA_LEVELS):
            bmd[at] *= 1 + 0.5 * who.new.get(level, 0.0)
    change = 0.0 if visit is Visit.BASELINE else 0.5 * who.change_pct
    exam = exam_of(who.subject_id, day, [float(value) for value in bmd], hip_change_pct=change)
    hip = exam.hip_lines(Side.LEFT)
    return DxaReport(
        path=f"{who.subject_id}/{visit.value}/dxa",
        sop_instance_uid=uid_from("trial dxa", who.subject_id, visit.value),
        source=DxaSource.HOLOGIC_TEXT,
        scan_date=day,
        scanner=exam.scanner,
        scan_mode="f Lumbar Spine",
        analysis_version=exam.scanner.software,
        reference=exam.reference.name,
        included_levels=LUMBAR_DXA_LEVELS,
        results=(*results_of(exam.spine_lines()), *results_of(hip, Side.LEFT)),
        subject_id=who.subject_id,
        analysed_at=datetime.combine(day, time(10, 0)),
        scan_id=exam.scan_id(),
    )


def _film(who: Person, visit: Visit, rng: np.random.Generator) -> FilmReading:
    uid = uid_from("trial film", who.subject_id, visit.value)
    own = np.random.default_rng([int.from_bytes(who.subject_id.encode()[-3:], "big"), 5])
    vertebrae = []
    row = 60.0
    for level in GRADED_LEVELS:
        size = float(own.normal(1.0, 0.02))
        loss = who.old.get(level, 0.0)
        if visit is Visit.MONTH12:
            loss = who.new.get(level, loss)
        vertebrae.append(
            _vertebra(level, loss, size, row, uid=uid, hidden=(visit, level) in who.hidden, rng=rng)
        )
        row += (NORMAL[level].posterior_height_mm + NORMAL[level].disc_height_mm) / MM_PER_PX
    scale = Scale(SpacingSource.GEOMETRY, MM_PER_PX, MM_PER_PX, "simulated")
    return FilmReading(
        path=f"{who.subject_id}/{visit.value}/film",
        sop_instance_uid=uid,
        scale=scale,
        vertebrae=tuple(vertebrae),
        view=View.LATERAL.value,
    )


def _vertebra(
    level: Level,
    loss: float,
    size: float,
    row: float,
    *,
    uid: str,
    hidden: bool,
    rng: np.random.Generator,
) -> VertebraReading:
    """A wedge of the given loss, read with a scatter of one percent."""
    if hidden:
        return VertebraReading(level, VertebraState.OBSCURED, "hidden by the shoulders")
    normal = NORMAL[level]
    read = 1 + rng.normal(0, 0.01, 3)
    anterior = normal.anterior_height_mm * size * (1 - loss) * read[0]
    middle = normal.middle_height_mm * size * (1 - 0.6 * loss) * read[1]
    posterior = normal.posterior_height_mm * size * read[2]
    grade = grade_of_loss(loss)
    if grade is Grade.BORDERLINE:
        grade = Grade.NORMAL
    chances = [0.02, 0.02, 0.02, 0.02]
    chances[int(grade.number)] = 0.94
    return VertebraReading(
        level=level,
        state=VertebraState.EVALUABLE,
        reason="",
        six_points=_points(row, normal.depth_mm * size, (anterior, middle, posterior)),
        sd_px=(0.5,) * 6,
        heights=Heights(anterior, middle, posterior),
        ratios=Ratios(anterior / posterior, middle / posterior, None),
        ratio_sd=0.02,
        losses=(loss, 0.6 * loss, 0.0),
        grade=grade,
        shape=Shape.WEDGE if grade.number >= 1 else Shape.NONE,
        p_grades=(chances[0], chances[1], chances[2], chances[3]),
        sop_instance_uid=uid,
    )


def _points(row: float, depth_mm: float, heights: tuple[float, float, float]) -> SixPoints:
    left = 200.0
    columns = [left, left + depth_mm / 2 / MM_PER_PX, left + depth_mm / MM_PER_PX]
    halves = [height / 2 / MM_PER_PX for height in heights]
    above = [(column, row - half) for column, half in zip(columns, halves, strict=True)]
    below = [(column, row + half) for column, half in zip(columns, halves, strict=True)]
    return SixPoints.from_array(np.array(above + below))


def simulated_trial(
    subjects: int, seed: int, charter: Charter
) -> tuple[TrialResults, list[Person]]:
    """The results of a run over a trial that never had files, and what is true of it."""
    rng = np.random.default_rng(seed)
    people = [
        person(number + 1, Arm.ONCE if number % 2 == 0 else Arm.TWICE, rng)
        for number in range(subjects)
    ]
    results: list[SubjectResults] = []
    entries: list[CatalogueEntry] = []
    for who in people:
        own, outcomes = [], {}
        for visit, pair in outcomes_of(who, rng).items():
            kinds = (FileKind.DXA_REPORT, FileKind.SPINE_RADIOGRAPH)
            for kind, outcome in zip(kinds, pair, strict=True):
                path = f"{who.subject_id}/{visit.value}/{kind.value}"
                own.append(_entry(path, kind, who.subject_id, visit))
                outcomes[path] = outcome
        results.append(assemble(who.subject_id, who.clinical, own, outcomes, charter))
        entries += own
    queries = tuple(query for one in results for query in one.queries)
    return (
        TrialResults(
            charter=charter,
            catalogue=Catalogue(tuple(sorted(entries, key=lambda entry: entry.source.path))),
            clinical=tuple(who.clinical for who in people),
            subjects=tuple(results),
            queries=tuple({query.query_id: query for query in queries}.values()),
            run=RunMetadata({}, "simulated readings", "", "", "", "none", {}),
        ),
        people,
    )


def _entry(path: str, kind: FileKind, subject_id: str, visit: Visit) -> CatalogueEntry:
    source = SourceFile(path, path)
    return CatalogueEntry(source, "", kind, Disposition.USED, subject_id=subject_id, visit=visit)


def truth_of(people: list[Person]) -> dict[str, Any]:
    """What was put in, by subject."""
    return {
        who.subject_id: {
            "arm": who.arm.value,
            "change_pct": round(who.change_pct, 4),
            "returned": who.returned,
            "old": sorted(level.value for level in who.old),
            "new": sorted(level.value for level in who.new) if who.returned else [],
        }
        for who in people
    }


def main(
    *,
    out: Annotated[Path, typer.Option(file_okay=False)],
    subjects: Annotated[int, typer.Option(min=4)] = 114,
    seed: int = 1,
) -> None:
    """Write the tables of a simulated trial, and its truth."""
    trial, people = simulated_trial(subjects, seed, load_charter())
    out.mkdir(parents=True, exist_ok=True)
    write_results(out, trial, default_charter_path(), Voice(quiet=True))
    truth = json.dumps(truth_of(people), indent=1)
    (out / "truth.json").write_text(truth + "\n", encoding="utf-8")
    typer.echo(f"{len(people)} subjects in {out}")


if __name__ == "__main__":
    typer.run(main)
