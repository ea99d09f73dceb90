"""A fitted Cox model, and its hazard ratios."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, InputError, NotEstimable, NotSupported, RowAccount, raise_all, warn_all
from analysis.kernels.cox import CoxProblem, concordance_influence, jackknife_error
from analysis.survival.cox.model import ChiSquare, CoxRows, Design, Maximum, Ties
from analysis.survival.cox.separation import profile_limits
from analysis.survival.printing import Printed, chi_square_text, p_text, rows_text, significant
from analysis.survival.rows import Engine

LARGEST_LOGARITHM = float(np.log(np.finfo(np.float64).max))


@dataclass(frozen=True)
class CoxModel:
    """The options of a Cox model, and the engine that fitted it."""

    endpoint: Endpoint
    covariates: str | tuple[str, ...]
    ties: Ties = "efron"
    strata: tuple[str, ...] = ()
    cluster: str | None = None
    weights: str | None = None
    robust: bool = False
    engine: Engine = "kernel"
    subdistribution: bool = False
    """Whether it is Fine and Gray's: on spells weighted for censoring, with ratios of subdistribution hazards."""

    @property
    def title(self) -> str:
        """What was modelled, and how, in a line."""
        covariates = self.covariates if isinstance(self.covariates, str) else " + ".join(map(str, self.covariates))
        how = [f"ties {self.ties}", *(f"strata {name}" for name in self.strata)]
        if self.subdistribution:
            how.append("weighted by the inverse probability of censoring")
        else:
            how += [f"weights {self.weights}"] * (self.weights is not None)
            how += [f"cluster {self.cluster}"] * (self.cluster is not None)
        how += ["robust standard errors"] * self.robust
        kind = "Fine-Gray model of the subdistribution hazard" if self.subdistribution else "Cox model"
        return f"{kind} of {self.endpoint.name} ~ {covariates} ({', '.join(how)})"


@dataclass(frozen=True, eq=False, repr=False)
class CoxFit(Printed, RowAccount):
    """A fitted model, Cox's or Fine and Gray's; it prints as its hazard ratios with 95 % intervals.

    Attributes
    ----------
    coefficients : DataFrame
        term, coef (log hazard ratio), std_error (model-based), robust_std_error (NaN when not asked for),
        statistic (z), p_value; the last two by the robust error when it was asked for.
    covariance : ndarray, shape (p, p)
        Of the coefficients; robust when that was asked for.
    n, n_event : int
        Rows and events analysed.
    log_likelihood, log_likelihood_null : float
        Log partial likelihood at the coefficients (under separation: its supremum), and at zero.
    likelihood_ratio_test, wald_test, score_test : ChiSquare
        Against all coefficients zero.
    model : CoxModel
        Its options; and the row account.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox, load_example
    >>> lung = load_example("lung").dropna(subset=["ecog"])
    >>> fit_cox(lung, Endpoint("os_days", "os_event", label="Overall survival"), ["age", "sex", "ecog"])
    Cox model of Overall survival ~ age + sex + ecog (ties efron)
    n = 227, number of events = 164
    term hazard ratio lower .95 upper .95      z       p
     age        1.011    0.9929      1.03  1.194    0.23
     sex       0.5754    0.4142    0.7994 -3.294 0.00099
    ecog         1.59     1.273     1.986  4.083 4.4e-05
    Likelihood ratio test = 30.5 on 3 df, p = 1.1e-06
    """

    coefficients: pd.DataFrame
    covariance: FloatArray
    n: int
    n_event: int
    log_likelihood: float
    log_likelihood_null: float
    likelihood_ratio_test: ChiSquare
    wald_test: ChiSquare
    score_test: ChiSquare
    model: CoxModel
    design: Design
    rows: CoxRows
    maximum: Maximum

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the coefficients."""
        return self.design.terms

    @property
    def coef(self) -> FloatArray:
        """The coefficients, NaN where not estimable."""
        return self.maximum.coef

    @property
    def linear_predictor(self) -> FloatArray:
        """Covariates times coefficients, row by row; under separation only its order means something."""
        return self.maximum.score

    @property
    def events_per_parameter(self) -> float:
        """Events over coefficients."""
        return self.n_event / len(self.terms)

    @property
    def concordance(self) -> float:
        """Harrell's concordance of the linear predictor, within strata, as R's ``concordance(fit)``."""
        return self._discrimination[0]

    @property
    def concordance_std_error(self) -> float:
        """Its infinitesimal jackknife standard error, summed by cluster."""
        return self._discrimination[1]

    def _printed(self) -> tuple[list[str], pd.DataFrame, list[str]]:
        name = "subdistribution hazard ratio" if self.model.subdistribution else "hazard ratio"
        with errors.collected():
            ratios = hazard_ratios(self)
        ratios = ratios.set_axis(["term", name, "lower .95", "upper .95", "z", "p"], axis="columns")
        table = ratios.set_index("term").map(significant).assign(p=[p_text(p_value) for p_value in ratios["p"]])
        test, name = (
            (self.wald_test, "Wald test")
            if self.model.robust
            else (self.likelihood_ratio_test, "Likelihood ratio test")
        )
        head = [self.model.title, rows_text(self.n, self.n_event, self.dropped)]
        return head, table.reset_index(), [chi_square_text(name, test.statistic, test.df, test.p_value)]

    @cached_property
    def _discrimination(self) -> tuple[float, float]:
        """Concordance and standard error, computed when first asked for."""
        counts = concordance_influence(
            self.linear_predictor,
            self.rows.time,
            self.rows.event,
            entry=self.rows.entry,
            strata=self.rows.strata,
            weights=self.rows.weights,
        )
        cluster = self.design.data.cluster.codes if self.model.cluster is not None else None
        return jackknife_error(counts, self.rows.weights, cluster)


def fitted_problem(fit: CoxFit, what: str, *, ties: bool = False) -> tuple[CoxProblem, FloatArray]:
    """The partial likelihood of a fit and its scaled coefficients, for a diagnostic that needs them finite.

    With `ties`, exact ties are refused: the diagnostic knows Efron's and Breslow's only.
    """
    if fit.maximum.directions:
        lost = first_few(repr(term) for term, coef in zip(fit.terms, fit.coef, strict=True) if np.isnan(coef))
        raise NotEstimable(f"{what}: the coefficients of {lost} are not finite (separation); leave the terms out")
    if ties and fit.model.ties == "exact":
        raise NotSupported(f"{what}: not defined for ties='exact'; fit with ties='efron'")
    return fit.maximum.problem, fit.maximum.beta


def hazard_ratios(fit: CoxFit, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Hazard ratios with Wald intervals, by the robust variance when the fit has one.

    Parameters
    ----------
    fit : CoxFit
    conf_level : float

    Returns
    -------
    DataFrame
        term, hazard_ratio, conf_low, conf_high, statistic, p_value. A term that is not estimable has NaN, but for the
        side of its interval that the profile likelihood bounds.

    Raises
    ------
    InputError
        When `conf_level` is not between 0 and 1.

    Warns
    -----
    Separation
        When the search for a limit by the profile likelihood does not converge.
    SuspiciousValues
        When a ratio for one unit, too large a step, leaves the range of numbers (above it: NaN, below it: 0).

    Notes
    -----
    exp(coef) and exp(coef +- z std_error), as R's ``exp(coef(fit))`` and ``exp(confint(fit))``. Of a model by
    `fit_fine_gray` they are ratios of subdistribution hazards.

    Examples
    --------
    >>> from analysis import fit_cox
    >>> cohort = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8.0], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    >>> hazard_ratios(fit)["hazard_ratio"].round(3).tolist()
    [5.349]
    """
    from scipy.special import ndtri

    raise_all(errors.level_problems(conf_level), InputError)
    reach = float(ndtri((1 + conf_level) / 2)) * np.sqrt(np.diag(fit.covariance))
    low, high = fit.coef - reach, fit.coef + reach
    missed: list[AnalysisWarning] = []
    for term in np.flatnonzero(np.isnan(fit.coef)):
        try:
            low[term], high[term] = profile_limits(fit.rows, fit.maximum, int(term), conf_level=conf_level)
        except NotEstimable:
            words = f"{fit.model.endpoint.name}: the one-sided limit of {fit.terms[term]!r} was not reached"
            words += "; take the logarithm of wide covariates"
            missed.append(errors.Separation(words))
    logarithms = np.array([fit.coef, low, high])
    ratios = np.exp(np.where(logarithms > LARGEST_LOGARITHM, np.nan, logarithms))
    warn_all([*missed, *_unit_warnings(fit.terms, logarithms)])
    return pd.DataFrame(
        {
            "term": list(fit.terms),
            "hazard_ratio": ratios[0],
            "conf_low": ratios[1],
            "conf_high": ratios[2],
            "statistic": fit.coefficients["statistic"].to_numpy(),
            "p_value": fit.coefficients["p_value"].to_numpy(),
        }
    )


def _unit_warnings(terms: tuple[str, ...], logarithms: FloatArray) -> list[AnalysisWarning]:
    """A warning on terms whose ratio for one unit, or a limit of it, leaves the range of numbers."""
    beyond = np.asarray((np.abs(logarithms) > LARGEST_LOGARITHM).any(axis=0))
    if not beyond.any():
        return []
    named = first_few(repr(term) for term, out in zip(terms, beyond, strict=True) if out)
    return [
        errors.SuspiciousValues(
            f"hazard ratios of {named}: one unit of the covariate is too large a step (logarithms beyond"
            f" {LARGEST_LOGARITHM:.0f}); divide the covariate by a step that patients differ by, and fit again"
        )
    ]
