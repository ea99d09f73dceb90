"""Profile-likelihood limits, which stay finite on one side when a coefficient does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.survival.cox.maximum import CoxRows, Maximum, climb, evaluator
from analysis.survival.cox.separation import rising_direction, split_strata

MOST_DOUBLINGS = 60


def profile_limits(rows: CoxRows, maximum: Maximum, term: int, *, conf_level: float) -> tuple[float, float]:
    """Where twice the profile log-likelihood of a coefficient lies a chi-square quantile below its supremum.

    Parameters
    ----------
    rows : CoxRows
    maximum : Maximum
        Of these rows, with `term` not estimable.
    term : int
        The column of ``rows.x``.
    conf_level : float

    Returns
    -------
    low, high : float
        NaN on the side on which the likelihood rises for ever; on both when it does so on both, as other coefficients
        follow.
    """
    from scipy.special import chdtri

    nowhere = (float("nan"), float("nan"))
    for direction in maximum.directions:
        side = float(np.sign(direction[term]))
        if side:
            break
        rows = replace(rows, strata=split_strata(rows.x, rows.strata, direction))
    else:
        return nowhere
    back = np.zeros(rows.x.shape[1])
    back[term] = -side
    if rising_direction(rows.problem(), back, exact=rows.ties == "exact") is not None:
        return nowhere
    drop, scale = float(chdtri(1, 1 - conf_level)), float(rows.x[:, term].std())

    def excess(units: float) -> float:
        """How far the likelihood at this many units towards infinity lies below the limit's level."""
        return 2 * (maximum.log_likelihood - _profile(rows, term, side * units / scale)) - drop

    limit = side * _crossing(excess) / scale
    return (limit, float("nan")) if side > 0 else (float("nan"), limit)


def _crossing(excess: object) -> float:
    """Where a falling function crosses zero."""
    from scipy.optimize import brentq

    assert callable(excess)
    step = 1.0 if excess(0.0) > 0 else -1.0
    near, far = 0.0, step
    for _ in range(MOST_DOUBLINGS):
        if excess(far) * step < 0:
            return float(brentq(excess, min(near, far), max(near, far), xtol=1e-12, rtol=1e-12))
        near, far = far, 2 * far
    return float("nan")


def _profile(rows: CoxRows, term: int, coef: float) -> float:
    """The largest log-likelihood with one coefficient held fixed."""
    fixed = rows.x[:, term] * coef
    others = np.delete(rows.x, term, axis=1)
    held = replace(rows, x=others, offset=fixed)
    problem = held.problem()
    null = evaluator(problem, rows.ties)(np.zeros(others.shape[1]))
    return climb(held, problem, null).point.log_likelihood if others.shape[1] else null.log_likelihood
