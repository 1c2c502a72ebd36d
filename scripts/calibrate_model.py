"""Fit temperatures and deviations on simulated films held apart, and write them into the bundle.

Uses the films with even numbers; `evaluate_model.py` scores those with odd ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from evaluate_model import simulated_cases, simulated_films

from zoom_imaging.anatomy import TYPICAL_LEVELS
from zoom_imaging.vision.bundle import Bundle, Calibration
from zoom_imaging.vision.delineate import Delineation
from zoom_imaging.vision.read import SpineReader, Trace
from zoom_imaging.vision.training.calibrate import (
    NamedChain,
    fit_grades,
    fit_name_temperature,
    fit_ratio,
    fit_spread,
)
from zoom_imaging.vision.training.score import TrueVertebra

Folder = Annotated[Path, typer.Option(file_okay=False)]

NEAR_MM = 8.0
"""A finding within this distance of a true centre is that vertebra."""


@dataclass
class Seen:
    """Delineations with the true vertebra of each, errors of points, and chains with true names."""

    pairs: list[tuple[Delineation, TrueVertebra]] = field(default_factory=list)
    excess: list[np.ndarray] = field(default_factory=list)
    errors: list[np.ndarray] = field(default_factory=list)
    chains: list[NamedChain] = field(default_factory=list)

    def add(self, trace: Trace, truth: list[TrueVertebra], bundle: Bundle) -> None:
        """Everything of one film."""
        if trace.canvas is None:
            return
        levels: list[int] = []
        step = float(np.sqrt(trace.canvas.step[0] * trace.canvas.step[1]))
        for d in trace.found:
            centre = trace.canvas.to_film(d.centre)
            near = [float(np.hypot(*(t.six[[0, 2, 3, 5]].mean(0) - centre))) for t in truth]
            best = int(np.argmin(near)) if near else 0
            if not near or near[best] * trace.canvas.mm > NEAR_MM:
                levels.append(-1)
                continue
            true = truth[best]
            index = TYPICAL_LEVELS.index(true.level)
            # A second body on one vertebra is a fault of the tracker: it has no right name.
            levels.append(-1 if index in levels else index)
            if not true.evaluable or d.seen < bundle.parameters.delineate.seen_probability:
                continue
            floor = bundle.calibration.spread_floor_px * _pitch(d)
            self.excess.append(
                np.sqrt(np.maximum(d.spread**2 - floor**2, (0.25 * floor) ** 2)) * step
            )
            self.errors.append(np.hypot(*(trace.canvas.to_film(d.six) - true.six).T))
            self.pairs.append((d, true))
        whole = np.array(levels)
        if (whole >= 0).sum() > 3:
            opinions = trace.log_probabilities, trace.gaps, trace.above, trace.below
            self.chains.append(NamedChain(*opinions, whole))


def _pitch(d: Delineation) -> float:
    return float(np.hypot(*d.frame.matrix[:, 0]))


def fitted(seen: Seen, bundle: Bundle) -> tuple[Calibration, float]:
    """The calibration, and the share of chains that it names rightly."""
    from zoom_imaging.vision.uncertainty import point_sd, ratios_of, raw_ratio_sd

    temperature, bias = fit_grades(
        np.array([d.grade_logits for d, _ in seen.pairs]),
        np.array([true.grade for _, true in seen.pairs]),
    )
    names, right = fit_name_temperature(seen.chains, bundle.parameters.name)
    scale = round(fit_spread(np.ravel(seen.excess), np.ravel(seen.errors)), 4)
    points = bundle.calibration.model_copy(update={"spread_scale": scale})
    raw = [
        raw_ratio_sd(d.six, d.repeats, point_sd(d.spread, d.repeats, _pitch(d), points))
        for d, _ in seen.pairs
    ]
    off = np.array([ratios_of(d.six) - np.array(true.ratios) for d, true in seen.pairs])
    floor, factor = fit_ratio(np.array(raw), off)
    values = {
        "grade_temperature": round(temperature, 4),
        "grade_bias": tuple(round(value, 4) for value in bias),
        "name_temperature": names,
        "ratio_floor": round(floor, 4),
        "ratio_scale": round(factor, 4),
    }
    return points.model_copy(update=values), right


def main(heldapart: Folder, out: Folder = Path("models/spine_lateral"), limit: int = 100) -> None:
    """Calibrate the bundle OUT on films of HELDAPART."""
    import warnings

    from zoom_imaging.vision.training.release import release_calibration

    warnings.filterwarnings("ignore")
    reader = SpineReader.load(out)
    seen = Seen()
    for case in simulated_cases(simulated_films(heldapart, 0)[:limit]):
        seen.add(reader.trace(case.film), case.truth, reader.bundle)
    calibration, right = fitted(seen, reader.bundle)
    release_calibration(out, calibration)
    typer.echo(json.dumps(calibration.model_dump()))
    typer.echo(f"{len(seen.pairs)} vertebrae, {len(seen.chains)} chains, {right:.3f} named rightly")


if __name__ == "__main__":
    typer.run(main)
