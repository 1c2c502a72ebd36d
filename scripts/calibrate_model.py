"""Fit temperatures and deviations on simulated films held apart, and write them into the bundle.

Uses the films with even numbers; `evaluate_model.py` scores those with odd ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

Folder = Annotated[Path, typer.Option(file_okay=False)]


def main(heldapart: Folder, out: Folder = Path("models/spine_lateral"), limit: int = 100) -> None:
    """Calibrate the bundle OUT on films of HELDAPART."""
    import warnings

    from evaluate_model import simulated_cases

    from zoom_imaging.anatomy import TYPICAL_LEVELS
    from zoom_imaging.vision.bundle import load_bundle
    from zoom_imaging.vision.engine import make_engine
    from zoom_imaging.vision.read import SpineReader
    from zoom_imaging.vision.training.calibrate import (
        fit_grades,
        fit_name_temperature,
        fit_spread,
    )
    from zoom_imaging.vision.training.release import release_calibration

    warnings.filterwarnings("ignore")
    bundle = load_bundle(out)
    reader = SpineReader(bundle, make_engine("torch", bundle))
    floor_px = bundle.calibration.spread_floor_px
    logits, grades, excess, errors, chains = [], [], [], [], []
    for _, _, film, truth in simulated_cases(heldapart, limit, 0):
        trace = reader.trace(film)
        if trace.canvas is None:
            continue
        levels: list[int] = []
        for d in trace.found:
            centre = trace.canvas.to_film(d.centre)
            near = [float(np.hypot(*(t.six[[0, 2, 3, 5]].mean(0) - centre))) for t in truth]
            best = int(np.argmin(near)) if near else 0
            if not near or near[best] * trace.canvas.mm > 8:
                levels.append(-1)
                continue
            true = truth[best]
            levels.append(TYPICAL_LEVELS.index(true.level))
            if d.seen < bundle.parameters.delineate.seen_probability:
                continue
            floor = floor_px * float(np.hypot(*d.frame.matrix[:, 0]))
            wide = np.sqrt(np.maximum(d.spread**2 - floor**2, (0.25 * floor) ** 2))
            step = float(np.sqrt(trace.canvas.step[0] * trace.canvas.step[1]))
            excess.append(wide * step)
            errors.append(np.hypot(*(trace.canvas.to_film(d.six) - true.six).T))
            logits.append(d.grade_logits)
            grades.append(true.grade)
        whole = np.array(levels)
        if len(whole) > 3 and (whole >= 0).all() and (np.diff(whole) == 1).all():
            chains.append((trace.log_probabilities, trace.gaps, whole))
    temperature, bias = fit_grades(np.array(logits), np.array(grades))
    names, right = fit_name_temperature(chains, bundle.parameters.name)
    calibration = bundle.calibration.model_copy(
        update={
            "grade_temperature": round(temperature, 4),
            "grade_bias": tuple(round(value, 4) for value in bias),
            "name_temperature": names,
            "spread_scale": round(fit_spread(np.ravel(excess), np.ravel(errors)), 4),
        }
    )
    release_calibration(out, calibration)
    typer.echo(json.dumps(calibration.model_dump()))
    typer.echo(f"{len(grades)} vertebrae, {len(chains)} chains, {right:.3f} named rightly")


if __name__ == "__main__":
    typer.run(main)
