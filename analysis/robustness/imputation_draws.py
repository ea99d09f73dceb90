"""One imputation of a matrix: scikit-learn's chained equations, each regression with coefficients drawn once."""

from __future__ import annotations

import numpy as np

from analysis.cohort.columns import FloatArray

FLAT = 1e6
"""Hyperparameter of BayesianRidge that leaves coefficients without shrinkage, as a flat prior does."""


class DrawnRegression:
    """The regression that the imputer asks for a mean and a standard deviation, its coefficients drawn at each fit.

    BayesianRidge's own predictive deviation holds the doubt about the coefficients, but row by row; values of one
    imputation must share it, or the imputations differ too little. So the residual variance is drawn first, then
    intercept and coefficients given it, and what is left for the imputer to draw is the residual.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def __sklearn_clone__(self) -> DrawnRegression:
        """Itself, for a copy would draw the same numbers again."""
        return self

    def fit(self, x: FloatArray, y: FloatArray) -> DrawnRegression:
        """Draw a regression from its posterior.

        Parameters
        ----------
        x : ndarray, shape (n, p)
        y : ndarray, shape (n,)

        Returns
        -------
        DrawnRegression
            Itself.
        """
        from sklearn.linear_model import BayesianRidge

        self.centre, middle = x.mean(axis=0), y.mean()
        model = BayesianRidge(fit_intercept=False, lambda_2=FLAT).fit(x - self.centre, y - middle)
        df = max(len(y) - x.shape[1] - 1, 1)
        precision = model.alpha_ * self.rng.chisquare(df) / df
        covariance = model.sigma_ * model.alpha_ / precision
        self.coef = self.rng.multivariate_normal(model.coef_, covariance, method="eigh")
        self.deviation = 1 / np.sqrt(precision)
        self.middle = middle + self.deviation / np.sqrt(len(y)) * self.rng.standard_normal()
        return self

    def predict(self, x: FloatArray, return_std: bool = True) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002
        """Means and residual standard deviations, as the imputer asks for them: shapes (n,)."""
        return self.middle + (x - self.centre) @ self.coef, np.full(len(x), self.deviation)


def draw_imputation(
    matrix: FloatArray, low: FloatArray, high: FloatArray, *, n_rounds: int, seed: np.random.SeedSequence
) -> FloatArray:
    """The matrix with its missing values drawn.

    Parameters
    ----------
    matrix : ndarray, shape (n, k)
        NaN where missing, columns of similar spread.
    low, high : ndarray, shape (k,)
        Between which draws of each column must lie.
    n_rounds : int
        Rounds of the chain.
    seed : SeedSequence

    Returns
    -------
    ndarray, shape (n, k)

    Examples
    --------
    >>> matrix = np.column_stack([[0.1, 0.2, 0.35, np.nan], [1.0, 2.0, 3.0, 4.0]])
    >>> bounds = np.array([-np.inf, -np.inf]), np.array([np.inf, np.inf])
    >>> filled = draw_imputation(matrix, *bounds, n_rounds=1, seed=np.random.SeedSequence(1))
    >>> bool(np.isnan(filled).any()), filled[:3, 0].tolist()
    (False, [0.1, 0.2, 0.35])
    """
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    for_coefficients, for_values = seed.spawn(2)
    imputer = IterativeImputer(
        DrawnRegression(np.random.default_rng(for_coefficients)),
        sample_posterior=True,
        skip_complete=True,
        max_iter=n_rounds,
        min_value=low,
        max_value=high,
        random_state=int(for_values.generate_state(1)[0]),
    )
    return np.asarray(imputer.fit_transform(matrix), dtype=np.float64)
