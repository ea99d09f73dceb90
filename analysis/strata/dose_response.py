"""The hazard along a continuous marker, as a smooth curve: nothing is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, InputError, RowAccount, SuspiciousValues, raise_all, warn_all
from analysis.kernels.tails import normal_quantile
from analysis.strata import marker_designs, splines
from analysis.survival.cox import ChiSquare, CoxFit, CoxModel, Design, chi_square, fit_design
from analysis.survival.rows import level_problems, listed, number_problems

CURVE_POINTS = 101


@dataclass(frozen=True, eq=False)
class DoseResponse(RowAccount):
    """A marker's hazard curve and its tests.

    Attributes
    ----------
    curve : DataFrame
        marker, log_hazard_ratio, std_error, hazard_ratio, conf_low, conf_high: each value of the marker against
        `reference`, pointwise limits.
    overall_test, nonlinear_test : ChiSquare
        Likelihood ratios: the curve against no effect of the marker, and against a straight line.
    log_likelihood : float
        Of the model with the curve.
    knots : tuple of float
        In the marker's unit.
    coefficients : DataFrame
        term, coef, std_error of the basis: the marker itself, then one term a bend ("marker'", "marker''", ...).
    reference, conf_level : float
    endpoint : Endpoint
    marker : str
    adjust, strata : tuple of str
    n_event : int

    And the row account.
    """

    curve: pd.DataFrame
    overall_test: ChiSquare
    nonlinear_test: ChiSquare
    log_likelihood: float
    knots: tuple[float, ...]
    coefficients: pd.DataFrame
    reference: float
    conf_level: float
    endpoint: Endpoint
    marker: str
    adjust: tuple[str, ...]
    strata: tuple[str, ...]
    n_event: int


def dose_response(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    knots: int | Sequence[float] = 4,
    adjust: str | Sequence[str] = (),
    strata: str | Sequence[str] | None = None,
    reference: float | None = None,
    at: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> DoseResponse:
    """The log hazard ratio along a marker, as a restricted cubic spline in a Cox model.

    log h(t | x, z) = log h0(t) + f(x) + g'z, where f is a cubic polynomial between neighbouring knots, with two
    continuous derivatives, and a straight line beyond the outer knots. The curve is f(x) - f(reference), its variance
    d'Vd with d the difference of the two rows of the basis and V the covariance of its coefficients.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    endpoint : Endpoint
    marker : str
        A numeric column.
    knots : int or sequence of float
        3 to 7 knots at Harrell's default places among the rows used, or the places themselves in the marker's unit.
    adjust : str or sequence of str
        Numeric or categorical columns, or terms of a formula as in `fit_cox` ("log2(crp)", "age:sex").
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own.
    reference : float, optional
        Where the hazard ratio is 1; the median of the rows used by default.
    at : array-like, optional
        Marker values of the curve; 101 from the smallest to the largest by default.
    conf_level : float
        Of the pointwise limits.

    Returns
    -------
    DoseResponse

    Raises
    ------
    CohortError
        Faults of the columns, all at once.
    InputError
        Options that cannot be: a number of knots other than 3 to 7, knots that do not increase or lie outside the
        range of the marker, a reference outside it, `adjust` with the marker in it.
    NotEstimable
        Fewer than three distinct knots; no events; constant or collinear covariates.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents, ManyTies, Separation
        As `fit_cox`.
    TiedKnots
        When default knots coincide, as those of a count often do: the curve has fewer.
    SuspiciousValues
        When `at` reaches beyond the marker's values, where the curve is a straight line by construction.

    Notes
    -----
    As R's ``cph(Surv(time, event) ~ rcs(x, 4) + z)`` of package rms, its ``Predict(fit, x, ref.zero = TRUE)``, and the
    likelihood ratios of nested ``coxph`` fits (ties by Efron). Durrleman and Simon (1989), Stat Med 8:551; Harrell
    (2015), Regression Modeling Strategies, 2nd edition, section 2.4.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, simulate_cohort
    >>> cohort = simulate_cohort(seed=1).cohort.dropna(subset=["magnesium"])
    >>> found = dose_response(cohort, OVERALL_SURVIVAL, "magnesium", at=[0.7, 0.8, 0.9])
    >>> found.curve["marker"].tolist(), found.nonlinear_test.df
    ([0.7, 0.8, 0.9], 2)
    """
    terms, strata_names = listed(adjust), listed(strata)
    _check_options(marker, knots, terms, reference, conf_level)
    points = None if at is None else _points(at)
    design = marker_designs.read_marker_design(cohort, endpoint, marker, terms, strata_names)
    scale = _scale(design, marker, knots, reference, points)
    model = CoxModel(endpoint, (marker, *terms), "efron", strata_names, None, None, robust=False, engine="auto")
    fit, straight, without = _nested_fits(design, marker, scale, model)
    tied = splines.knot_warnings(scale.values, knots, scale.knots, marker)
    account = fit.account | {"warnings": (*fit.warnings, *tied, *_extrapolated(scale, marker))}
    warn_all(account["warnings"])
    bends = len(scale.knots) - 2
    return DoseResponse(
        curve=_curve(fit, scale, conf_level),
        overall_test=chi_square(2 * (fit.log_likelihood - without), bends + 1),
        nonlinear_test=chi_square(2 * (fit.log_likelihood - straight), bends),
        log_likelihood=fit.log_likelihood,
        knots=tuple(scale.knots.tolist()),
        coefficients=fit.coefficients.loc[:bends, ["term", "coef", "std_error"]],
        reference=scale.reference,
        conf_level=conf_level,
        endpoint=endpoint,
        marker=marker,
        adjust=terms,
        strata=strata_names,
        n_event=fit.n_event,
        **account,
    )


@dataclass(frozen=True, eq=False)
class _Scale:
    """The marker's values in the rows used, and where on their scale the knots, the reference and the curve lie."""

    values: FloatArray
    knots: FloatArray
    reference: float
    points: FloatArray


def _check_options(
    marker: str, knots: object, adjust: Sequence[str], reference: float | None, conf_level: float
) -> None:
    """Every fault of the options that can be seen without the data."""
    problems = level_problems(conf_level) + splines.knot_problems(knots)
    if reference is not None:
        problems += number_problems("reference", reference)
    raise_all(problems + marker_designs.adjust_problems(marker, adjust), InputError)


def _points(at: ArrayLike) -> FloatArray:
    """The marker values asked for."""
    given = np.atleast_1d(np.asarray(at))
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "iuf" or not np.isfinite(given).all():
        raise InputError(f"at={at!r}: give finite numbers in the unit of the marker")
    return given.astype(np.float64)


def _scale(
    design: Design, marker: str, knots: int | Sequence[float], reference: float | None, points: FloatArray | None
) -> _Scale:
    """Knots, reference and points of the curve, given or from the rows used."""
    values = design.x[:, design.columns[str(marker)][0]]
    low, high = float(values.min()), float(values.max())
    if reference is not None and not low <= reference <= high:
        raise InputError(splines.outside("reference", [reference], values, marker))
    return _Scale(
        values=values,
        knots=splines.place_knots(values, knots, marker),
        reference=float(np.median(values)) if reference is None else float(reference),
        points=np.linspace(low, high, CURVE_POINTS) if points is None else points,
    )


def _nested_fits(design: Design, marker: str, scale: _Scale, model: CoxModel) -> tuple[CoxFit, float, float]:
    """The fit of the curve, and the log-likelihoods with a straight line in its place and without the marker."""
    column = design.columns[str(marker)][0]
    others = np.delete(design.x, column, axis=1)
    named = design.terms[:column] + design.terms[column + 1 :]

    def fitted(part: FloatArray) -> CoxFit:
        """The model with these columns for the marker, the marker's bends named as in rms."""
        terms = (*(str(marker) + "'" * bend for bend in range(part.shape[1])), *named)
        columns = {term: (number,) for number, term in enumerate(terms)}
        return fit_design(replace(design, x=np.column_stack([part, others]), terms=terms, columns=columns), model)

    fit = fitted(splines.spline_basis(scale.values, scale.knots))
    straight = fitted(scale.values[:, None]).log_likelihood
    return fit, straight, fitted(np.empty((len(others), 0))).log_likelihood if named else fit.log_likelihood_null


def _extrapolated(scale: _Scale, marker: str) -> tuple[AnalysisWarning, ...]:
    """Warning when points of the curve lie where nobody was observed."""
    low, high = scale.values.min(), scale.values.max()
    beyond = scale.points[(scale.points < low) | (scale.points > high)]
    if not len(beyond):
        return ()
    where = f"{first_few(f'{point:g}' for point in beyond)} outside the range {low:g}-{high:g} of {marker!r}"
    return (SuspiciousValues(f"at: {where}, where the curve is a straight line that nobody's data support"),)


def _curve(fit: CoxFit, scale: _Scale, conf_level: float) -> pd.DataFrame:
    """The points against the reference, with pointwise limits."""
    contrast = splines.spline_basis(scale.points, scale.knots) - splines.spline_basis([scale.reference], scale.knots)
    size = contrast.shape[1]
    log_ratio = contrast @ fit.coef[:size]
    std_error = np.sqrt(np.maximum(((contrast @ fit.maximum.covariance[:size, :size]) * contrast).sum(axis=1), 0.0))
    reach = normal_quantile(conf_level) * std_error
    return pd.DataFrame(
        {
            "marker": scale.points,
            "log_hazard_ratio": log_ratio,
            "std_error": std_error,
            "hazard_ratio": np.exp(log_ratio),
            "conf_low": np.exp(log_ratio - reach),
            "conf_high": np.exp(log_ratio + reach),
        }
    )
