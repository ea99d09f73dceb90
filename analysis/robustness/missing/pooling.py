"""Rubin's rules: one Cox model out of many, each fitted to the same cohort imputed anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few
from analysis.errors import InputError, RowAccount, raise_all
from analysis.survival.cox import CoxFit
from analysis.survival.rows import level_problems

__all__ = ["PooledCox", "pool_cox"]

SMALLEST_SHARE = 1e-4
"""Of the variance, taken to lie between the imputations; degrees of freedom stay finite (as mice does)."""


@dataclass(frozen=True, eq=False)
class PooledCox(RowAccount):
    """Cox models of imputed cohorts, pooled; the row account is that of the first model, with the warnings of all.

    Attributes
    ----------
    coefficients : DataFrame
        term, coef (log hazard ratio), std_error, df, statistic (t), p_value, fraction_missing (of the information),
        within, between (the two parts of the variance), monte_carlo_error (of the coefficient, for want of more
        imputations). A term that one of the models could not estimate is NaN.
    hazard_ratios : DataFrame
        term, hazard_ratio, conf_low, conf_high, statistic, p_value.
    covariance : ndarray, shape (p, p)
        Of the pooled coefficients.
    n_imputations : int
    conf_level : float
    n_event : int
        Of the first model.
    """

    coefficients: pd.DataFrame
    hazard_ratios: pd.DataFrame
    covariance: FloatArray
    n_imputations: int
    conf_level: float
    n_event: int


def pool_cox(fits: Iterable[CoxFit], *, conf_level: float = 0.95) -> PooledCox:
    """Pool Cox models of imputed cohorts by Rubin's rules.

    With m estimates b_i and their variances u_i, the coefficient is their mean, its variance T = W + (1 + 1/m) B, where
    W is the mean of u_i and B the variance of b_i. Intervals are Student's with Barnard and Rubin's degrees of freedom:
    with l = (1 + 1/m) B / T, old = (m - 1) / l^2 and, of a complete cohort with d = events - coefficients,
    seen = (d + 1) / (d + 3) d (1 - l), they are old seen / (old + seen). The fraction of missing information is
    (r + 2 / (df + 3)) / (r + 1), where r = (1 + 1/m) B / W.

    Parameters
    ----------
    fits : iterable of CoxFit
        The same model of each imputed cohort; robust variances are pooled where the models have them.
    conf_level : float

    Returns
    -------
    PooledCox

    Raises
    ------
    InputError
        Fewer than two models; models of other terms, or that rest on other numbers of rows or events.

    Notes
    -----
    R's ``mice::pool``. Rubin (1987), Multiple Imputation for Nonresponse in Surveys, chapter 3; Barnard and Rubin
    (1999), Biometrika 86:948.

    Examples
    --------
    >>> import warnings
    >>> from analysis import Endpoint, fit_cox
    >>> rows = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8.0], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fits = [fit_cox(rows.assign(x=rows["x"] + more), Endpoint("time", "event"), ["x"]) for more in (0, 0.1)]
    >>> pool_cox(fits).coefficients["between"].round(9).tolist()  # moving a covariate changes no coefficient
    [0.0]
    """
    models = list(fits) if isinstance(fits, Iterable) else [fits]
    raise_all([*level_problems(conf_level), *_fit_problems(models)], InputError)
    first = models[0]
    coefs, variances = np.array([fit.coef for fit in models]), np.array([fit.covariance for fit in models])
    within, between = variances.mean(axis=0), np.atleast_2d(np.cov(coefs, rowvar=False))
    df_complete = max(first.n_event - len(first.terms), 1)
    table = _coefficient_table(first.terms, coefs, np.diag(within), np.diag(between), df_complete)
    distinct = {str(warning): warning for fit in models for warning in fit.warnings}
    return PooledCox(
        coefficients=table,
        hazard_ratios=_ratio_table(table, conf_level),
        covariance=within + (1 + 1 / len(models)) * between,
        n_imputations=len(models),
        conf_level=conf_level,
        n_event=first.n_event,
        **first.account | {"warnings": tuple(distinct.values())},
    )


def _fit_problems(models: list[CoxFit]) -> list[str]:
    """What is wrong with a list of models: too few, no models, or not of the same terms and rows."""
    strangers = [type(fit).__name__ for fit in models if not isinstance(fit, CoxFit)]
    if strangers:
        return [f"fits: expected models of fit_cox, got {first_few(dict.fromkeys(strangers))}"]
    if len(models) < 2:
        return [f"fits: {len(models)} model(s) given; Rubin's rules need two or more, one for each imputed cohort"]
    problems = []
    if len({fit.terms for fit in models}) > 1:
        other = next(fit for fit in models if fit.terms != models[0].terms)
        problems.append(
            f"fits: the models have different terms ({first_few(models[0].terms, 12)}; {first_few(other.terms, 12)});"
            " fit one formula to every imputed cohort"
        )
    sizes = {(fit.n, fit.n_event) for fit in models}
    if len(sizes) > 1:
        rows = first_few(f"{n} rows with {n_event} events" for n, n_event in sorted(sizes))
        problems.append(
            f"fits: the models rest on different rows ({rows}); Rubin's rules pool imputations of one cohort"
        )
    return problems


def _coefficient_table(
    terms: tuple[str, ...], coefs: FloatArray, within: FloatArray, between: FloatArray, df_complete: int
) -> pd.DataFrame:
    """A row a term, from the estimates (one row an imputation) and the two parts of their variance."""
    from scipy.special import stdtr

    m = len(coefs)
    coef, added = coefs.mean(axis=0), (1 + 1 / m) * between
    total = within + added
    share = np.maximum(added / total, SMALLEST_SHARE)
    old = (m - 1) / share**2
    seen = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    df = old * seen / (old + seen)
    statistic, increase = coef / np.sqrt(total), added / within
    return pd.DataFrame(
        {
            "term": list(terms),
            "coef": coef,
            "std_error": np.sqrt(total),
            "df": df,
            "statistic": statistic,
            "p_value": 2 * stdtr(df, -np.abs(statistic)),
            "fraction_missing": (increase + 2 / (df + 3)) / (increase + 1),
            "within": within,
            "between": between,
            "monte_carlo_error": np.sqrt(between / m),
        }
    )


def _ratio_table(table: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    """The coefficients as hazard ratios, with Student's intervals."""
    from scipy.special import stdtrit

    reach = stdtrit(table["df"], (1 + conf_level) / 2) * table["std_error"]
    return pd.DataFrame(
        {
            "term": table["term"],
            "hazard_ratio": np.exp(table["coef"]),
            "conf_low": np.exp(table["coef"] - reach),
            "conf_high": np.exp(table["coef"] + reach),
            "statistic": table["statistic"],
            "p_value": table["p_value"],
        }
    )
