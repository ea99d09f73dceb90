"""What a fitted Cox model is checked with: residuals, the baseline hazard, tests of proportional hazards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.errors import InputError, NotEstimable, choice_problems, level_problems, number_problems, raise_all
from analysis.kernels import cox as kernel
from analysis.survival.cox.model import chi_square
from analysis.survival.cox.result import CoxFit, fitted_problem
from analysis.survival.rows import times_given

Residual = Literal["martingale", "deviance", "score", "schoenfeld", "scaled-schoenfeld", "dfbeta"]
Transform = Literal["km", "identity", "rank", "log"]
GRID = 40


def cox_residuals(fit: CoxFit, kind: Residual) -> pd.DataFrame:
    """Residuals of a Cox model, of one kind.

    Parameters
    ----------
    fit : CoxFit
    kind : {"martingale", "deviance", "score", "schoenfeld", "scaled-schoenfeld", "dfbeta"}
        Martingale: events less expected events. Deviance: the same, made symmetric. Score: a row's part of the score.
        Schoenfeld: covariates of an event less their mean at risk; scaled: times covariance and number of events, plus
        the coefficient. dfbeta: how far the coefficients would move, about, without the row (case weights included).

    Returns
    -------
    DataFrame
        One row a row used, its position in the cohort as the index: column residual (martingale, deviance), or a column
        a term (score, dfbeta); after `fit_fine_gray`, one row a weighted spell. The Schoenfeld kinds: time and a column
        a term, one row an event, by stratum and time.

    Raises
    ------
    InputError
        For another kind.
    NotEstimable
        When coefficients are infinite.
    NotSupported
        Score, dfbeta and Schoenfeld residuals with exact ties.

    Notes
    -----
    As R's ``residuals(fit, type=)``, with the fit's ties throughout, the model-based covariance, and weights in dfbeta
    only. Therneau, Grambsch and Fleming (1990), Biometrika 77:147; Grambsch and Therneau (1994), Biometrika 81:515.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox
    >>> cohort = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 1, 1, 1], "x": [1.0, 0, 0, 1]})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    >>> abs(round(float(cox_residuals(fit, "martingale")["residual"].sum()), 9))
    0.0
    """
    raise_all(choice_problems("kind", kind, get_args(Residual)), InputError)
    if kind in ("martingale", "deviance"):
        return _one_column(fit, kind)
    problem, beta = fitted_problem(fit, f"{kind} residuals", ties=True)
    if "schoenfeld" in kind:
        values = kernel.schoenfeld_residuals(problem, beta) * problem.scale
        if kind == "scaled-schoenfeld":
            values = values @ fit.maximum.covariance * fit.n_event + fit.coef
        table = pd.DataFrame(values, columns=list(fit.terms))
        table.insert(0, "time", problem.sets.times[problem.sets.at], allow_duplicates=True)
        return table
    values = kernel.score_residuals(problem, beta, len(fit.rows.time)) * problem.scale
    if kind == "dfbeta":
        values = (fit.rows.weights[:, None] * values) @ fit.maximum.covariance
    return pd.DataFrame(values, columns=list(fit.terms), index=_row_index(fit))


def _one_column(fit: CoxFit, kind: Residual) -> pd.DataFrame:
    """Martingale or deviance residuals."""
    problem, beta = fitted_problem(fit, f"{kind} residuals")
    residuals = kernel.deviance_residuals if kind == "deviance" else kernel.martingale_residuals
    return pd.DataFrame({"residual": residuals(problem, beta, len(fit.rows.time))}, index=_row_index(fit))


def _row_index(fit: CoxFit) -> pd.Index:
    """The positions of the rows used in the cohort, from 0."""
    return pd.Index(fit.design.data.position, name="row")


def baseline_hazard(fit: CoxFit) -> pd.DataFrame:
    """The cumulative hazard of somebody whose covariates are all zero.

    Parameters
    ----------
    fit : CoxFit

    Returns
    -------
    DataFrame
        time, cumulative_hazard (a right-continuous step at every event time; 0 before the first), and stratum when the
        model is stratified.

    Raises
    ------
    NotEstimable
        When coefficients are infinite, or zero lies so far from the data that the hazard leaves the range of numbers.

    Notes
    -----
    Efron's or Breslow's sum of weight over risk sum, as the fit's ties (exact: Breslow's); R's
    ``basehaz(fit, centered=FALSE)``. Efron (1977), JASA 72:557; Therneau and Grambsch (2000), section 10.2.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox
    >>> cohort = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 1, 1, 1], "x": [1.0, 0, 0, 1]})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    >>> ratio = (5**0.5 - 1) / 2  # the hazard ratio, by hand
    >>> bool(np.isclose(baseline_hazard(fit)["cumulative_hazard"].iloc[0], 1 / (2 + 2 * ratio)))
    True
    """
    problem, beta = fitted_problem(fit, "baseline hazard")
    sets = problem.sets
    sums = kernel.moments(problem, beta)
    centre = np.repeat(problem.centre @ fit.coef, np.diff(sets.strata))
    with np.errstate(over="ignore", under="ignore"):
        steps = kernel.event_sums(sets, sums.hazard) * np.exp(-(sums.risks.log_scale + centre))
        hazard = kernel.cumulated(sets, steps)
    last = hazard[sets.strata[1:] - 1]
    if not (np.isfinite(last).all() and (last > 0).all()):
        raise NotEstimable(
            "baseline hazard: covariates of zero lie too far from the data (the hazard overflows);"
            " centre the covariates and fit again"
        )
    table = pd.DataFrame({"time": sets.times, "cumulative_hazard": hazard})
    if fit.model.strata:
        labels = fit.design.data.strata.labels
        table["stratum"] = pd.Categorical.from_codes(sets.stratum.tolist(), categories=pd.Index(labels), ordered=True)
    return table


def proportional_hazards_test(fit: CoxFit, *, transform: Transform = "km") -> pd.DataFrame:
    """The score test of proportional hazards: for each term of beta + theta g(t), that theta is zero, and for all.

    Parameters
    ----------
    fit : CoxFit
    transform : {"km", "identity", "rank", "log"}
        g(t): 1 - S(t-) of the pooled Kaplan-Meier curve; t; its rank among the follow-up times; log t.

    Returns
    -------
    DataFrame
        term, statistic, df, p_value; the last row GLOBAL. The levels of one category are tested together.

    Raises
    ------
    InputError
        For another transform, or log with an event at time 0.
    NotEstimable
        When coefficients are infinite, or all events fall at one time.
    NotSupported
        For exact ties.

    Notes
    -----
    The score test of the columns g(t) x added to the model, as R's ``cox.zph(fit, transform=)`` since survival 3.0 (not
    the older approximation from correlations with scaled Schoenfeld residuals). Robust variances are not used, as in R.
    Grambsch and Therneau (1994), Biometrika 81:515; Therneau and Grambsch (2000), section 6.2.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox
    >>> cohort = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 1, 1, 1], "x": [1.0, 0, 0, 1]})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    >>> proportional_hazards_test(fit)["term"].tolist()
    ['x', 'GLOBAL']
    """
    raise_all(choice_problems("transform", transform, get_args(Transform)), InputError)
    problem, beta = fitted_problem(fit, "proportional-hazards test", ties=True)
    sets = problem.sets
    g = _transformed(fit, sets, transform)
    if np.ptp(g) == 0:
        raise NotEstimable("proportional-hazards test: all events fall at one time")
    g = g - g[sets.at].mean()
    weighted = (g[sets.at] * problem.weights[sets.events])[:, None]
    score = (weighted * kernel.schoenfeld_residuals(problem, beta)).sum(axis=0)
    sums = kernel.moments(problem, beta)
    plain, once, twice = (
        kernel.evaluate(problem, beta).information,
        *(kernel.timed_information(problem, sums, g**k) for k in (1, 2)),
    )
    variance = twice - once @ np.linalg.solve(plain, once)
    tests = [(name, list(columns)) for name, columns in _named_terms(fit).items()]
    tests.append(("GLOBAL", list(range(len(score)))))
    rows = []
    for name, columns in tests:
        part = score[columns]
        test = chi_square(part @ kernel.newton_step(variance[np.ix_(columns, columns)], part), len(columns))
        rows.append((name, test.statistic, test.df, test.p_value))
    return pd.DataFrame(rows, columns=["term", "statistic", "df", "p_value"])


def _named_terms(fit: CoxFit) -> dict[str, Sequence[int]]:
    """Readable names of the terms, with their columns."""
    named: dict[str, Sequence[int]] = {}
    for term, columns in fit.design.columns.items():
        name = fit.terms[columns[0]] if len(columns) == 1 else re.sub(r"C\((\w+)\)", r"\1", term)
        named[name] = columns
    return named


def _transformed(fit: CoxFit, sets: kernel.RiskSets, transform: Transform) -> FloatArray:
    """g(t) at the model's event times, stratum after stratum."""
    rows, times = fit.rows, sets.times
    if transform == "identity":
        return times
    if transform == "log":
        if (times == 0).any():
            raise InputError("transform='log': an event at time 0 has no logarithm; use another transform")
        return np.log(times)
    if transform == "rank":
        distinct, counts = np.unique(rows.time, return_counts=True)
        average = np.cumsum(counts) - (counts - 1) / 2
        return np.asarray(average[np.searchsorted(distinct, times)], dtype=np.float64)
    pooled = kernel.risk_sets(rows.time, rows.event, entry=rows.entry)
    n_event = np.diff(np.append(pooled.event_starts, len(pooled.events)))
    surviving = np.cumprod(1 - n_event / kernel.at_risk_sums(pooled, np.ones(len(pooled.rows))))
    return 1 - np.concatenate([[1.0], surviving])[np.searchsorted(pooled.times, times)]


def coefficient_over_time(
    fit: CoxFit,
    term: str,
    *,
    transform: Transform = "identity",
    df: int = 4,
    conf_level: float = 0.95,
    at: ArrayLike | None = None,
) -> pd.DataFrame:
    """A coefficient as a smooth function of time: a natural spline through the scaled Schoenfeld residuals.

    Parameters
    ----------
    fit : CoxFit
    term : str
        A term of ``fit.coefficients``.
    transform : {"identity", "km", "rank", "log"}
        The time scale on which the curve is smooth, as in `proportional_hazards_test`.
    df : int
        Degrees of freedom of the spline, 2 (a line) or more.
    conf_level : float
    at : array_like, optional
        Times within the range of the event times; 40 of them, evenly spaced on the transformed scale, by default.

    Returns
    -------
    DataFrame
        time, coefficient, conf_low, conf_high (pointwise). A flat curve means proportional hazards.

    Raises
    ------
    InputError
        An unknown term; times outside the range of the event times.
    NotEstimable
        Fewer different event times than `df`; infinite coefficients.

    Notes
    -----
    The curve of R's ``plot(cox.zph(fit, transform=), df=)``, with knots at its quantiles; R draws two standard errors.
    Grambsch and Therneau (1994), Biometrika 81:515.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox
    >>> cohort = pd.DataFrame({"time": range(1, 13), "event": 1, "x": [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]})
    >>> fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    >>> list(coefficient_over_time(fit, "x", at=[2, 6, 10]).columns)
    ['time', 'coefficient', 'conf_low', 'conf_high']
    """
    raise_all(
        choice_problems("term", term, fit.terms)
        + choice_problems("transform", transform, get_args(Transform))
        + level_problems(conf_level)
        + number_problems("df", df, low=2),
        InputError,
    )
    from scipy.special import ndtri

    residuals = cox_residuals(fit, "scaled-schoenfeld")[["time", term]]
    sets = fitted_problem(fit, "coefficient over time")[0].sets
    times, first = np.unique(sets.times, return_index=True)
    g = _transformed(fit, sets, transform)[first]
    if len(times) < df:
        raise NotEstimable(f"coefficient over time: {len(times)} different event times for df={df}; lower df")
    grid = np.linspace(g[0], g[-1], GRID)
    at_times = np.interp(grid, g, times) if at is None else _within(times_given(at, name="at"), times)
    seen = g[np.searchsorted(times, residuals["time"].to_numpy())]
    knots = np.quantile(np.concatenate([grid, seen]), np.linspace(0, 1, int(df)))
    basis, wanted = natural_spline(seen, knots), natural_spline(np.interp(at_times, times, g), knots)
    orthogonal, triangle = np.linalg.qr(basis)
    half = np.linalg.solve(triangle.T, wanted.T)
    index = list(fit.terms).index(term)
    curve = half.T @ (orthogonal.T @ residuals[term].to_numpy())
    variance = fit.maximum.covariance[index, index] * fit.n_event * (half**2).sum(axis=0)
    reach = float(ndtri((1 + conf_level) / 2)) * np.sqrt(variance)
    return pd.DataFrame({"time": at_times, "coefficient": curve, "conf_low": curve - reach, "conf_high": curve + reach})


def _within(at: FloatArray, times: FloatArray) -> FloatArray:
    """The times asked for, when they lie between the first and the last event."""
    if at.min() < times[0] or at.max() > times[-1]:
        raise InputError(
            f"at: times must lie between the first and the last event ({times[0]:g} to {times[-1]:g}),"
            f" got {at.min():g} to {at.max():g}"
        )
    return at


def natural_spline(values: FloatArray, knots: FloatArray) -> FloatArray:
    """A basis of the natural cubic splines with these knots (linear beyond the outer two): shape (n, knots).

    Examples
    --------
    >>> natural_spline(np.array([0.0, 1.0]), np.array([0.0, 1.0])).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    span = knots[-1] - knots[0]
    unit, ends = (values - knots[0]) / span, (knots - knots[0]) / span
    cubes = np.maximum(unit[:, None] - ends, 0.0) ** 3
    bends = (cubes[:, :-1] - cubes[:, -1:]) / (ends[-1] - ends[:-1])
    return np.column_stack([np.ones(len(unit)), unit, bends[:, :-1] - bends[:, -1:]])
