"""The figures of a model as Markdown: one table of everything, one by level, grade and person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

MEASURES = {
    "vertebrae": ("Vertebrae", 0),
    "recall": ("Found", 3),
    "named_rightly": ("Named rightly, of those whose name was given", 3),
    "evaluable": ("Evaluable", 3),
    "dice": ("Dice of the outline", 3),
    "landmark_mm_median": ("Distance of the six points, median (mm)", 2),
    "landmark_mm_95": ("Distance of the six points, 95th percentile (mm)", 2),
    "ratio_error_points": ("Height ratios, mean absolute error (points)", 2),
    "bias_anterior_points": ("Anterior ratio, bias (points)", 2),
    "bias_middle_points": ("Middle ratio, bias (points)", 2),
    "ratio_z_rms": ("Error over stated deviation, RMS (1 = honest)", 2),
    "auroc_grade2": ("AUROC, grade 2 and more", 3),
    "auroc_grade1": ("AUROC, grade 1 and more", 3),
    "sensitivity_grade1": ("Sensitivity, grade 1 and more", 3),
    "specificity_grade1": ("Specificity, grade 1 and more", 3),
    "calibration_error": ("Expected calibration error of the fracture probability", 3),
}
BY_GROUP = {
    "vertebrae": ("n", 0),
    "recall": ("found", 2),
    "evaluable": ("evaluable", 2),
    "named_rightly": ("named", 2),
    "dice": ("Dice", 3),
    "landmark_mm_median": ("mm", 2),
    "ratio_error_points": ("ratio", 1),
    "bias_anterior_points": ("bias ant.", 1),
    "bias_middle_points": ("bias mid.", 1),
    "sensitivity_grade1": ("sens. grade 1+", 2),
    "specificity_grade1": ("spec. grade 1+", 2),
}
PAIRS = {
    "subjects": ("Pairs of films", 0),
    "vertebrae": ("Vertebrae T4-L4", 0),
    "compared": ("Compared (evaluable at both)", 3),
    "incident": ("Incident fractures among them", 0),
    "sensitivity": ("Sensitivity of the flag, compared vertebrae", 3),
    "sensitivity_of_all": ("Sensitivity of the flag, all vertebrae", 3),
    "false_flags_per_subject": ("False flags a subject", 3),
    "auroc": ("AUROC of the probability", 3),
    "calibration_error": ("Expected calibration error of the probability", 3),
    "loss_error_points": ("Largest loss of height, mean absolute error (points)", 2),
    "height_cv": ("Repositioning precision of a height, RMS CV, grades 0 and 1", 3),
    "height_cv_grade2": ("Repositioning precision of a height, RMS CV, grades 2 and 3", 3),
}
AGAINST_BASELINES = (
    "recall",
    "evaluable",
    "dice",
    "landmark_mm_median",
    "ratio_error_points",
    "auroc_grade2",
    "auroc_grade1",
    "sensitivity_grade1",
    "specificity_grade1",
    "calibration_error",
)
WHOLE = {
    "all": "all",
    "without_doubtful": "without doubtful truth",
    "evaluable": "evaluable only",
}


def markdown(report: Mapping[str, Any]) -> str:
    """A report of `evaluate_model.py`, as made or as kept in JSON; intervals are over people."""
    groups = report["figures"]
    wholes = [name for name in WHOLE if name in groups]
    lines = [
        f"{report['people']} people, {report['images']} films; {report['images_refused']} films "
        f"refused, {report['images_all_named']} with every name right, {report['false_finds']} "
        f"finds where no vertebra is, {report['names_wrong_and_sure']} wrong names without a doubt "
        f"stated. {report['seconds_median']:.2f} s a film (largest "
        f"{report['seconds_largest']:.2f}).",
        "",
        *_head(["", *(WHOLE[name] for name in wholes), "95 % interval of all"]),
    ]
    for key, (words, digits) in MEASURES.items():
        low, high = (shown(bound, digits) for bound in report["intervals"][key])
        interval = low if low == high else f"{low} to {high}"
        cells = [shown(groups[name][key], digits) for name in wholes]
        lines.append(_row([words, *cells, interval]))
    lines += ["", *_head(["", *(words for words, _ in BY_GROUP.values())])]
    for name, found in groups.items():
        if name not in WHOLE:
            cells = [shown(found[key], digits) for key, (_, digits) in BY_GROUP.items()]
            lines.append(_row([name, *cells]))
    if report.get("baselines"):
        sets = {"this model": groups["all"], **report["baselines"]}
        lines += ["", *side_by_side(sets, AGAINST_BASELINES)]
    if report.get("pairs"):
        lines += ["", *_pairs({"two films of one person": report["pairs"]})]
    return "\n".join(lines) + "\n"


def side_by_side(sets: Mapping[str, Mapping[str, float | None]], keys: Sequence[str]) -> list[str]:
    """Lines of a table with one column a set; a dash where a set lacks a figure."""
    lines = _head(["", *sets])
    for key in keys:
        words, digits = MEASURES[key]
        lines.append(_row([words, *(shown(found.get(key), digits) for found in sets.values())]))
    return lines


def pair_table(report: Mapping[str, float | None]) -> str:
    """Figures of `evaluate_pairs.py`."""
    return "\n".join(_pairs({"": report})) + "\n"


def _pairs(reports: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    lines = _head(["", *reports])
    for key, (words, digits) in PAIRS.items():
        lines.append(_row([words, *(shown(report[key], digits) for report in reports.values())]))
    return lines


def write_figures(path: Path, report: Mapping[str, Any]) -> None:
    """As JSON; null where a set has no figure."""
    text = json.dumps(report, indent=1).replace("NaN", "null")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def shown(value: float | None, digits: int) -> str:
    """A figure, or a dash where the set has none."""
    return "–" if value is None or isnan(value) else f"{value:.{digits}f}"


def _head(cells: list[str]) -> list[str]:
    return [_row(cells), "|" + "---|" * len(cells)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
