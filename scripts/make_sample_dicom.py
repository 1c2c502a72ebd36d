"""Make data/sample_dicom: a small simulated trial with its truth. The same bytes every time."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Annotated

import typer
from sample_cohort import COHORT, SubjectPlan
from sample_densitometry import lumbar_truth, write_reports
from sample_films import write_films
from sample_strangers import write_strangers

from zoom_imaging.anatomy import GRADED_LEVELS, Level, Visit

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "data" / "sample_dicom"
VISIT_FOLDER = {Visit.BASELINE: "baseline", Visit.MONTH12: "month12"}
CLINICAL_COLUMNS = (
    "subject_id",
    "arm",
    "denosumab_years",
    "zol1_date",
    "zol2_date",
    "second_dose",
    "ctx_m6",
    "ctx_m12",
    "p1np_m6",
    "p1np_m12",
)


def clinical_row(plan: SubjectPlan) -> dict[str, str]:
    """What the site's table says about a subject."""
    second = plan.second_infusion
    values = (
        plan.subject_id,
        plan.arm,
        f"{plan.denosumab_years:.1f}",
        plan.first_infusion.isoformat(),
        second.isoformat() if second else "",
        plan.second_dose,
        f"{plan.markers_m6[0]:.2f}",
        f"{plan.markers_m12[0]:.2f}",
        f"{plan.markers_m6[1]:.1f}",
        f"{plan.markers_m12[1]:.1f}",
    )
    return dict(zip(CLINICAL_COLUMNS, values, strict=True))


def fracture_truth(plan: SubjectPlan, evaluable: int) -> dict[str, str]:
    """New and worsening fractures of the plan, by the rules of the endpoint table."""
    new = [level for level in plan.at_month12 if level not in plan.at_baseline]
    worsening = [level for level in plan.at_month12 if level in plan.at_baseline]
    return {
        "levels_evaluable_both": str(evaluable),
        "incident_vf": _event(len(new), 1, evaluable),
        "new_vf_count": str(len(new)) if evaluable else "",
        "worsening_vf_count": str(len(worsening)) if evaluable else "",
        "multiple_vf": _event(len(new) + len(worsening), 2, evaluable),
        "incident_levels": ";".join(level.value for level in sorted(new, key=_place)),
    }


def _event(seen: int, needed: int, evaluable: int) -> str:
    if seen >= needed:
        return "yes"
    if not evaluable:
        return "not_evaluable"
    hidden = len(GRADED_LEVELS) - evaluable
    return "no" if seen + hidden < needed else "undetermined"


def _place(level: Level) -> int:
    return GRADED_LEVELS.index(level)


def _write_table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(out: Annotated[Path, typer.Option(file_okay=False)] = DEFAULT_OUT) -> None:
    """Write every subject's films and reports, strangers, clinical.csv and truth.csv into OUT."""
    from zoom_imaging.simulate.parametric import parametric_skeleton

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    skeleton = parametric_skeleton()
    truth: list[dict[str, str]] = []
    for plan in COHORT:
        shown = set(GRADED_LEVELS)
        for visit, name in VISIT_FOLDER.items():
            folder = out / plan.subject_id / name
            folder.mkdir(parents=True)
            shown &= write_films(folder, plan, visit, skeleton)
            write_reports(folder, plan, visit)
        truth.append(
            {
                "subject_id": plan.subject_id,
                "arm_planned": plan.arm,
                "arm_actual": plan.arm_actual,
            }
            | lumbar_truth(plan)
            | fracture_truth(plan, len(shown))
        )
        typer.echo(f"{plan.subject_id}: {plan.situation} ({len(shown)} levels at both visits)")
    write_strangers(out)
    _write_table(out / "clinical.csv", [clinical_row(plan) for plan in COHORT])
    _write_table(out / "truth.csv", truth)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    typer.echo(f"{out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    typer.run(main)
