"""Make probabilities mean what they say, on simulated people held apart from training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.vision.bundle import NameParameters
from zoom_imaging.vision.name import name_chain

Floats = NDArray[np.float64]

PIECES = 1
"""Short pieces of each chain, beside the whole: most films show most of the spine."""

TEMPERATURES = (
    1.0,
    1.25,
    1.5,
    1.75,
    2.0,
    2.25,
    2.5,
    3.0,
    4.0,
    5.0,
    6.0,
    8.0,
    10.0,
    13.0,
    16.0,
    20.0,
)


@dataclass(frozen=True)
class NamedChain:
    """A chain as the tracker gives it: log-probabilities (n, 19), gaps (n - 1,), the opinions
    beyond both ends (19,), and true level indices (n,), -1 where a body has no name in the truth.
    """

    log_probabilities: Floats
    gaps: Floats
    above: Floats | None
    below: Floats | None
    truth: NDArray[np.integer]


def fit_grades(
    logits: Floats, grades: NDArray[np.integer]
) -> tuple[float, tuple[float, float, float, float]]:
    """Temperature and bias of grade logits (n, 4) with the smallest negative log-likelihood.

    The bias also undoes the weights that training gave to rare grades.
    """
    from scipy.optimize import minimize

    truth = np.asarray(grades, int)

    def cost(values: Floats) -> float:
        bias = np.concatenate([[0.0], values[1:]])
        scaled = logits / np.exp(values[0]) + bias
        chosen = scaled[np.arange(len(truth)), truth]
        ridge = 0.01 * float((values[1:] ** 2).sum())
        return float((np.logaddexp.reduce(scaled, axis=1) - chosen).mean() + ridge)

    best = minimize(cost, np.zeros(4), method="L-BFGS-B").x
    return float(np.exp(best[0])), (0.0, float(best[1]), float(best[2]), float(best[3]))


def fit_spread(excess: Floats, errors: Floats) -> float:
    """Factor from the excess spread of landmark maps to a standard deviation along one axis.

    `excess` (n,) is the spread less its floor, `errors` (n,) the distance to the true point, whose
    mean square has two axes. The largest tenth is left out: gross errors are not Gaussian.
    """
    keep = errors <= np.percentile(errors, 90)
    square = float(np.mean(errors[keep] ** 2)) / 2
    return float(np.sqrt(square / max(float(np.mean(excess[keep] ** 2)), 1e-9)))


def fit_ratio(raw: Floats, errors: Floats) -> tuple[float, float]:
    """Floor and scale of the deviation of the height ratios, by maximum likelihood.

    `raw` (n,) are deviations before calibration, `errors` (n, 2) those of the two ratios. Errors
    are taken as Student's t with four degrees of freedom, so that gross ones do not rule the fit.
    """
    from scipy.optimize import minimize
    from scipy.stats import t

    def cost(values: Floats) -> float:
        sd = np.hypot(np.exp(values[0]), np.exp(values[1]) * raw)[:, None]
        return float(-t.logpdf(errors, df=4, scale=sd / np.sqrt(2)).mean())

    best = minimize(cost, np.log([0.02, 1.0]), method="Nelder-Mead").x
    return float(np.exp(best[0])), float(np.exp(best[1]))


def fit_name_temperature(
    chains: Sequence[NamedChain],
    how: NameParameters,
    seed: int = 5,
) -> tuple[float, float]:
    """Temperature of the summed evidence, and the share of chains named rightly at it.

    Each chain is also cut into shorter pieces, as films of a part of the spine show them.
    """
    rng = np.random.default_rng(seed)
    pieces = []
    for chain in chains:
        log_probabilities, gaps, truth = chain.log_probabilities, chain.gaps, chain.truth
        pieces.append((log_probabilities, gaps, truth, chain.above, chain.below))
        n = len(truth)
        for _ in range(PIECES):
            size = int(rng.integers(4, max(5, n)))
            start = int(rng.integers(0, max(1, n - size + 1)))
            part = slice(start, start + size)
            cut = log_probabilities[part], gaps[start : start + size - 1], truth[part]
            pieces.append((*cut, None, None))
    best, lowest, right = 1.0, np.inf, 0.0
    for temperature in TEMPERATURES:
        losses, hits = [], []
        for log_probabilities, gaps, truth, above, below in pieces:
            names = name_chain(log_probabilities, gaps, temperature, how, above=above, below=below)
            hit = all(
                ours == int(true)
                for ours, true in zip(names.indices, truth, strict=True)
                if true >= 0
            )
            certain = names.certainty
            hits.append(hit)
            losses.append(-np.log(max(certain if hit else 1 - certain, 1e-4)))
        if np.mean(losses) < lowest:
            best, lowest, right = temperature, float(np.mean(losses)), float(np.mean(hits))
    return best, right
