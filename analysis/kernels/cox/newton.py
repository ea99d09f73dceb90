"""Newton's method for a log partial likelihood, with an eye on coefficients that run off to infinity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from analysis.arrays import FloatArray

CONVERGED = 1e-12
"""Newton's last step, squared and in standard errors; what is left after it is of the order of its square."""
WEAK = 1e-4
"""An information this small beside that at zero says that a coefficient may be running off to infinity."""


@dataclass(frozen=True, eq=False)
class CoxPoint:
    """The log partial likelihood, its gradient and its information at coefficients `beta` of the scaled covariates."""

    beta: FloatArray
    log_likelihood: float
    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True, eq=False)
class CoxSolution:
    """The end of Newton's way: at the maximum (`converged`), or left because the information fades (`weak`)."""

    point: CoxPoint
    converged: bool
    weak: bool
    n_steps: int


def maximise(
    evaluate_at: Callable[[FloatArray], CoxPoint],
    start: CoxPoint,
    *,
    watch: bool = True,
    max_steps: int = 100,
    unit: float = 1.0,
    settled: float = 0.0,
) -> CoxSolution:
    """Newton's method with step halving.

    Parameters
    ----------
    evaluate_at : callable
        A log-likelihood with its derivatives, at coefficients of shape (p,).
    start : CoxPoint
    watch : bool
        Leave early when the information fades, as it does when a coefficient runs off to infinity.
    max_steps : int
    unit : float
        What an event weighs; with small weights all of the likelihood is small, and so must the last step be.
    settled : float
        When no coefficient moves more than this in a last step, the likelihood is not evaluated again after it.

    Returns
    -------
    CoxSolution
    """
    point = start
    for n_steps in range(1, max_steps + 1):
        if watch and n_steps > 3 and fades(point.information, start.information):
            return CoxSolution(point, False, True, n_steps)
        step = newton_step(point.information, point.gradient)
        decrement = float(point.gradient @ step)
        ends = decrement < CONVERGED * min(unit, 1.0)
        if ends and np.abs(step).max(initial=0.0) < settled:
            point = replace(point, beta=point.beta + step)
        else:
            point = _halving(evaluate_at, point, step)
        if ends:
            return CoxSolution(point, True, watch and fades(point.information, start.information), n_steps)
    return CoxSolution(point, False, watch, max_steps)


def _halving(evaluate_at: Callable[[FloatArray], CoxPoint], point: CoxPoint, step: FloatArray) -> CoxPoint:
    """The first of the step, its half, its quarter, ... that does not lose likelihood (but for rounding)."""
    floor = point.log_likelihood - 1e-12 * (1 + abs(point.log_likelihood))
    for _ in range(30):
        with np.errstate(all="ignore"):
            tried = evaluate_at(point.beta + step)
        if _is_finite(tried) and tried.log_likelihood >= floor:
            return tried
        step = step / 2
    return point


def _is_finite(point: CoxPoint) -> bool:
    """Whether a point can be stepped on from; a step too far can overflow the derivatives before the likelihood."""
    return all(np.isfinite(part).all() for part in (point.log_likelihood, point.gradient, point.information))


def newton_step(information: FloatArray, gradient: FloatArray) -> FloatArray:
    """Solve for the step, in the directions in which there is information."""
    values, vectors = np.linalg.eigh(information)
    firm = values > 1e-13 * values.max(initial=0.0)
    return np.asarray(vectors[:, firm] @ ((vectors[:, firm].T @ gradient) / values[firm]), dtype=np.float64)


def fades(information: FloatArray, at_start: FloatArray) -> bool:
    """Whether in some direction the information is far below what it was at the start."""
    return least_share(information, at_start) < WEAK


def least_share(information: FloatArray, at_start: FloatArray) -> float:
    """The information as a share of what it was at the start, in the direction in which it is smallest.

    Examples
    --------
    >>> least_share(np.diag([1.0, 3.0]), np.diag([4.0, 4.0]))
    0.25
    """
    values, vectors = np.linalg.eigh(at_start)
    firm = values > 1e-12 * values.max(initial=0.0)
    if not firm.any():
        return np.inf
    root = vectors[:, firm] / np.sqrt(values[firm])
    return float(np.linalg.eigvalsh(root.T @ information @ root)[0])
