"""Cox models with more error added to the marker, and the quadratic that leads back to none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import FloatArray
from analysis.errors import NotEstimable
from analysis.kernels.cox import cox_problem, fit_problem, risk_sets
from analysis.robustness.measurement.error import MeasurementError
from analysis.survival.cox import Design

DEGREE = 2


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The least-squares quadratic through values at the multiples of `grid`, as weights of these values.

    Examples
    --------
    >>> Quadratic(np.array([0.0, 1.0, 2.0])).at_none.round(9).tolist()  # through three points: 3, -3, 1
    [3.0, -3.0, 1.0]
    """

    grid: FloatArray

    @property
    def at_none(self) -> FloatArray:
        """The weights of the values in what is read at -1, where no error is left."""
        return np.asarray(self.weights(np.array([-1.0]))[0], dtype=np.float64)

    def weights(self, places: FloatArray) -> FloatArray:
        """The weights of the values in what is read at some places: shape (places, grid)."""
        powers = np.vander(places, DEGREE + 1) @ np.linalg.pinv(np.vander(self.grid, DEGREE + 1))
        return np.asarray(powers, dtype=np.float64)

    def read(self, values: FloatArray, places: FloatArray) -> FloatArray:
        """The quadratic at some places."""
        return np.asarray(self.weights(places) @ values, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class ErrorDraws:
    """Models with error added: coefficients and variances, shapes (B, multiples, p)."""

    coefs: FloatArray
    variances: FloatArray

    def sound(self) -> ErrorDraws:
        """Those in which every model could be estimated."""
        held = np.asarray(~np.isnan(self.coefs).any(axis=(1, 2)))
        if held.sum() < 2:
            raise NotEstimable(f"{held.sum()} of {len(held)} simulations could be fitted; two are the least")
        return ErrorDraws(self.coefs[held], self.variances[held])

    def extrapolated(
        self, coef: FloatArray, variance: FloatArray, quadratic: Quadratic
    ) -> tuple[FloatArray, FloatArray]:
        """Coefficients and variances where no error is left.

        Parameters
        ----------
        coef, variance : ndarray, shape (p,)
            As measured.
        quadratic : Quadratic
            With 0, as measured, as its first multiple.

        Returns
        -------
        coef, variance : ndarray, shape (p,)
            The variance is that of the model less that of the coefficients over the simulations; NaN where what is
            extrapolated is not positive.
        """
        means = np.vstack([coef, self.coefs.mean(axis=0)])
        less = np.vstack([variance, self.variances.mean(axis=0) - self.coefs.var(axis=0, ddof=1)])
        found = quadratic.at_none @ less
        return quadratic.at_none @ means, np.where(found > 0, found, np.nan)


def draw_errors(
    design: Design, place: int, error: MeasurementError, multiples: FloatArray, n_simulations: int, seed: int
) -> ErrorDraws:
    """The model with errors added to the marker; one set of errors a simulation, scaled to each multiple.

    Parameters
    ----------
    design : Design
    place : int
        The marker's column of ``design.x``.
    error : MeasurementError
        Of one measurement.
    multiples : ndarray, shape (k,)
        Of its variance.
    n_simulations, seed : int
        Rows are put in canonical order before any draw.

    Returns
    -------
    ErrorDraws
        NaN where a model could not be estimated.
    """
    data = design.data
    columns = (data.time, data.event, data.entry, data.strata.codes, *design.x.T)
    order = np.lexsort(columns)
    time, event, entry, strata = (column[order] for column in columns[:4])
    sets = risk_sets(time, event, entry=entry, strata=strata)
    x = design.x[order]
    values = x[:, place].copy()
    coefs = np.empty((n_simulations, len(multiples), x.shape[1]))
    variances = np.empty_like(coefs)
    for draw, child in enumerate(np.random.SeedSequence(seed).spawn(n_simulations)):
        for step, multiple in enumerate(multiples):
            x[:, place] = error.times(float(multiple)).added(values, np.random.default_rng(child))
            coefs[draw, step], covariance, _ = fit_problem(cox_problem(x, sets))
            variances[draw, step] = np.diag(covariance)
    return ErrorDraws(coefs, variances)
