"""Is the loss of lumbar BMD after "twice" not inferior to "once"?

Difference (twice - once) of the percentage change at 12 months by analysis of covariance with the
baseline value (domain rules, section 8). Not inferior if the lower bound of the two-sided 95 %
interval lies above minus the margin of the charter, for the full and the per-protocol set. The arms
are not randomised: the exposure defines the arm and cannot be a covariate, so the difference is
a description of two groups and no effect of the second infusion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
LEAST_IN_A_GROUP = 3


@dataclass(frozen=True)
class Difference:
    """Twice - once, in percentage points, with its 95 % interval and what it rests on.

    `margin` is positive; `not_inferior` compares the lower bound with its negative.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    degrees_of_freedom: float
    once: int
    twice: int
    margin: float

    @property
    def not_inferior(self) -> bool:
        """True where the whole interval lies above the negative margin."""
        return self.low > -self.margin


def adjusted_difference(
    change_pct: NDArray[np.float64],
    baseline: NDArray[np.float64],
    is_twice: NDArray[np.bool_],
    margin: float,
    covariates: NDArray[np.float64] | None = None,
) -> Difference:
    """Analysis of covariance over complete cases; all arrays (n,), `covariates` (n, k).

    Raises:
        ConfigurationError: fewer than three complete subjects in an arm, covariates that do not
            differ or say the same, or a margin that is not positive.
    """
    import statsmodels.api as sm

    if margin <= 0:
        raise ConfigurationError(
            "the margin is not positive", expected="percentage points above 0", found=str(margin)
        )
    columns = [np.asarray(is_twice, float), np.asarray(baseline, float)]
    if covariates is not None:
        columns += list(np.asarray(covariates, float).T)
    design = np.column_stack(columns)
    complete = np.isfinite(design).all(1) & np.isfinite(change_pct)
    design, outcome = design[complete], np.asarray(change_pct, float)[complete]
    twice = int(design[:, 0].sum())
    once = len(design) - twice
    _require_enough(once, twice)
    # Centred covariates leave the difference as it is and keep the matrix well conditioned.
    design[:, 1:] -= design[:, 1:].mean(0)
    design = sm.add_constant(design, has_constant="add")
    if np.linalg.matrix_rank(design) < design.shape[1] or len(design) <= design.shape[1]:
        raise ConfigurationError(
            "the difference cannot be told from the covariates",
            expected="baseline values that differ, and more subjects than covariates",
            found=f"{len(design)} subjects",
        )
    fit = sm.OLS(outcome, design).fit()
    low, high = fit.conf_int(alpha=1 - LEVEL)[1]
    return Difference(
        estimate=float(fit.params[1]),
        low=float(low),
        high=float(high),
        standard_error=float(fit.bse[1]),
        degrees_of_freedom=float(fit.df_resid),
        once=once,
        twice=twice,
        margin=margin,
    )


def _require_enough(once: int, twice: int) -> None:
    if min(once, twice) < LEAST_IN_A_GROUP:
        raise ConfigurationError(
            "too few subjects for a comparison",
            expected=f"{LEAST_IN_A_GROUP} or more with both visits in each arm",
            found=f"{once} once, {twice} twice",
        )


def imputed_difference(
    frame: pd.DataFrame, margin: float, imputations: int = 50, seed: int = 20260
) -> Difference:
    """The same with missing changes imputed (chained equations, Rubin's rules), as sensitivity.

    `frame` has one row a subject with `change_pct` (may be missing), `baseline` and `is_twice`
    (complete). It assumes that a follow-up is missing at random, given these. Raises what
    `adjusted_difference` raises for the complete cases.
    """
    import statsmodels.api as sm
    from scipy.stats import t
    from statsmodels.imputation.mice import MICE, MICEData

    known = frame[["change_pct", "baseline", "is_twice"]].astype(float)
    known = known[known[["baseline", "is_twice"]].notna().all(axis=1)].reset_index(drop=True)
    complete = adjusted_difference(
        known["change_pct"].to_numpy(),
        known["baseline"].to_numpy(),
        known["is_twice"].to_numpy() > 0,
        margin,
    )
    if known["change_pct"].notna().all():
        return complete
    data = MICEData(known, k_pmm=5, rng=seed)
    fit = MICE("change_pct ~ is_twice + baseline", sm.OLS, data).fit(5, imputations)
    at = list(fit.model.exog_names).index("is_twice")
    estimate, error = float(fit.params[at]), float(fit.bse[at])
    degrees = float(len(known) - 3)
    reach = error * float(t.ppf((1 + LEVEL) / 2, degrees))
    twice = int(known["is_twice"].sum())
    return Difference(
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        standard_error=error,
        degrees_of_freedom=degrees,
        once=len(known) - twice,
        twice=twice,
        margin=margin,
    )
