"""Survival of patients with given covariates under a Cox model, with its intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import column_problems, first_few, rows_where
from analysis.errors import InputError, NotEstimable, NotSupported, raise_all, warn_all
from analysis.kernels import cox as kernel
from analysis.kernels.counts import ConfType, interval, quantile
from analysis.kernels.times import n_times_to, reached
from analysis.survival.cox import CoxFit, fitted_problem, linear_predictor, matrix_of_rows
from analysis.survival.rows import group_rows, label_problems, times_given


def predict_survival(
    fit: CoxFit, rows: pd.DataFrame, times: ArrayLike, *, conf_level: float = 0.95, conf_type: ConfType = "log-log"
) -> pd.DataFrame:
    """Survival at given times of patients with given covariates.

    S(t | x) = exp(-H0(t) exp(x'b)), with H0 the cumulative baseline hazard of the patient's stratum. The variance of
    its logarithm is exp(2 x'b) (sum of the steps' variances + d'Vd), d the sum over the events up to t of the step of
    the hazard times x less the mean covariates of those at risk, V the covariance of the coefficients (robust when the
    fit's is).

    Parameters
    ----------
    fit : CoxFit
    rows : DataFrame
        A row a patient, with the columns of the model's covariates and strata; others are ignored. Never changed.
    times : number or sequence of numbers
        In the unit of the follow-up.
    conf_level : float
    conf_type : {"log-log", "log", "plain"}

    Returns
    -------
    DataFrame
        row (position in `rows`, from 0), time, survival, std_error, conf_low, conf_high; the times in the order given.
        NaN beyond the follow-up of the patient's stratum.

    Raises
    ------
    CohortError
        With every fault at once: columns that are not there, missing values, levels or strata that no row of the model
        has.
    InputError
        Options that are not offered; times that are none.
    NotEstimable
        When coefficients are infinite, or the covariates lie so far from the model's that the hazard overflows.
    NotSupported
        For a fit of Fine and Gray's model, whose hazard is that of a subdistribution.

    Warns
    -----
    BeyondFollowUp
        Times beyond the follow-up of a stratum.

    Notes
    -----
    As R's ``summary(survfit(fit, newdata = rows, conf.type =), times =)``. Tsiatis (1981), Annals of Statistics 9:93;
    Therneau and Grambsch (2000), section 10.2.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox, load_example
    >>> lung = load_example("lung").dropna(subset=["ecog"])
    >>> fit = fit_cox(lung, Endpoint("os_days", "os_event"), ["age", "sex", "ecog"])
    >>> patients = pd.DataFrame({"age": [50, 72], "sex": [1, 1], "ecog": [0, 2]})
    >>> predict_survival(fit, patients, 365)[["survival", "conf_low", "conf_high"]].round(3)
       survival  conf_low  conf_high
    0     0.541     0.408      0.657
    1     0.138     0.064      0.241
    """
    at = times_given(times)
    _check(conf_level, conf_type)
    predictor = predictor_of(fit, rows)
    survival, std_error = predictor.curves(at)
    beyond = predictor.beyond(at)
    survival[beyond] = std_error[beyond] = np.nan
    warn_all(_beyond_warnings(predictor, beyond, at))
    return _frame(at, survival, std_error, conf_level, conf_type)


def predict_quantile(
    fit: CoxFit,
    rows: pd.DataFrame,
    probability: float = 0.5,
    *,
    conf_level: float = 0.95,
    conf_type: ConfType = "log-log",
) -> pd.DataFrame:
    """The time by which a proportion of patients like these has had the event: the median survival by default.

    Parameters
    ----------
    fit, rows, conf_level, conf_type
        As in `predict_survival`.
    probability : float
        From 0 to 1.

    Returns
    -------
    DataFrame
        row, probability, time, conf_low, conf_high; NaN where the curve, or its limit, does not fall that low.

    Raises
    ------
    CohortError, InputError, NotEstimable, NotSupported
        As `predict_survival`.

    Notes
    -----
    As R's ``quantile(survfit(fit, newdata = rows, conf.type =), probability)``.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox, load_example
    >>> lung = load_example("lung").dropna(subset=["ecog"])
    >>> fit = fit_cox(lung, Endpoint("os_days", "os_event"), ["age", "sex", "ecog"])
    >>> predict_quantile(fit, pd.DataFrame({"age": [50], "sex": [1], "ecog": [0]})).iloc[0].tolist()
    [0.0, 0.5, 428.0, 310.0, 567.0]
    """
    problems = errors.number_problems("probability", probability, low=0)
    if not problems and probability > 1:
        problems = [f"probability={probability!r} must lie between 0 and 1"]
    raise_all(problems, InputError)
    _check(conf_level, conf_type)
    predictor = predictor_of(fit, rows)
    records = []
    for stratum in range(len(predictor.labels)):
        mine = np.flatnonzero(predictor.stratum == stratum)
        if not len(mine):
            continue
        steps = np.r_[0.0, predictor.steps(stratum).times]
        survival, std_error = predictor.curves(steps, mine)
        low, high = _limits(survival, std_error, conf_level, conf_type)
        for position, *curve in zip(mine.tolist(), survival, low, high, strict=True):
            records.append((position, float(probability), *(quantile(steps, part, probability) for part in curve)))
    table = pd.DataFrame(records, columns=["row", "probability", "time", "conf_low", "conf_high"])
    return table.sort_values("row", ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Steps:
    """The steps of one stratum's baseline hazard, at its centred covariates.

    `hazard` and `variance` have an element an event time, `means` a row: the step times the mean covariates at risk.
    """

    times: FloatArray
    hazard: FloatArray
    variance: FloatArray
    means: FloatArray
    last: float


@dataclass(frozen=True, eq=False)
class Predictor:
    """A model and the patients it predicts: `x` their centred and scaled covariates, `stratum` their baseline."""

    x: FloatArray
    eta: FloatArray
    stratum: IntArray
    covariance: FloatArray
    labels: tuple[str, ...]
    baselines: tuple[_Steps, ...]

    def steps(self, stratum: int) -> _Steps:
        """The baseline of a stratum."""
        return self.baselines[stratum]

    def beyond(self, at: FloatArray) -> BoolArray:
        """Whether a time lies beyond the follow-up of a patient's stratum: shape (n, m)."""
        return np.array([~reached(at, self.baselines[code].last) for code in self.stratum], dtype=bool)

    def survival(self, at: FloatArray) -> FloatArray:
        """Survival of the patients at the times, carried on flat beyond a stratum's follow-up: shape (n, m)."""
        hazard = np.empty((len(self.eta), len(at)))
        for code in np.unique(self.stratum):
            steps, mine = self.baselines[code], self.stratum == code
            upto = np.concatenate([[0.0], np.cumsum(steps.hazard)])[n_times_to(steps.times, at)]
            with np.errstate(over="ignore"):
                hazard[mine] = np.exp(self.eta[mine])[:, None] * upto
        return np.exp(-hazard)

    def curves(self, at: FloatArray, rows: IntArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Survival and its standard error of patients at the times: shapes (n, m)."""
        chosen = np.arange(len(self.eta)) if rows is None else rows
        survival, std_error = (np.empty((len(chosen), len(at))) for _ in range(2))
        for code in np.unique(self.stratum[chosen]):
            mine = np.flatnonzero(self.stratum[chosen] == code)
            survival[mine], std_error[mine] = self._of_stratum(self.baselines[code], chosen[mine], at)
        return survival, std_error

    def _of_stratum(self, steps: _Steps, rows: IntArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The same of patients who share a baseline."""
        upto = n_times_to(steps.times, at)
        hazard, variance, means = (
            np.concatenate([np.zeros_like(part[:1]), np.cumsum(part, axis=0)])[upto]
            for part in (steps.hazard, steps.variance, steps.means)
        )
        with np.errstate(over="ignore", invalid="ignore"):
            ratio = np.exp(self.eta[rows])[:, None]
            moved = hazard[None, :, None] * self.x[rows][:, None, :] - means[None, :, :]
            spread = variance + np.einsum("ijk,kl,ijl->ij", moved, self.covariance, moved)
            cumulative = ratio * hazard
            std_error = ratio * np.sqrt(np.maximum(spread, 0.0))
        lost = ~np.isfinite(cumulative).all(axis=1)
        if lost.any():
            raise NotEstimable(
                f"prediction: the hazard overflows in {rows_where(np.isin(np.arange(len(self.eta)), rows[lost]))};"
                " their covariates lie too far from those of the model"
            )
        survival = np.exp(-cumulative)
        return survival, np.where(cumulative == 0, 0.0, survival * std_error)


def _check(conf_level: float, conf_type: str) -> None:
    """Errors on options."""
    problems = errors.level_problems(conf_level) + errors.choice_problems("conf_type", conf_type, get_args(ConfType))
    raise_all(problems, InputError)


def predictor_of(fit: CoxFit, rows: pd.DataFrame) -> Predictor:
    """A model, and the patients in its terms."""
    if fit.model.subdistribution:
        raise NotSupported(
            "prediction: a model of Fine and Gray has hazards of a subdistribution, not of survival; fit each cause"
            " with fit_cox, or read the incidence off cumulative_incidence"
        )
    problem, beta = fitted_problem(fit, "prediction")
    x = matrix_of_rows(fit.design, rows)
    stratum = _strata_of_rows(fit, rows)
    scaled = (x - problem.centre[stratum]) / problem.scale
    scale = np.where(np.isinf(problem.scale), 0.0, problem.scale)
    return Predictor(
        x=scaled,
        eta=linear_predictor(scaled, beta),
        stratum=stratum,
        covariance=fit.covariance * np.outer(scale, scale),
        labels=fit.design.data.strata.labels,
        baselines=_baselines(fit, problem, beta),
    )


def _strata_of_rows(fit: CoxFit, rows: pd.DataFrame) -> IntArray:
    """The stratum of each patient, which the model must know."""
    names, known = list(fit.model.strata), fit.design.data.strata.labels
    if not names:
        return np.zeros(len(rows), dtype=np.int64)
    problems = column_problems(rows, names)
    if not problems:
        for name in names:
            absent = rows[name].isna().to_numpy(dtype=bool)
            problems += [f"column {name!r}: missing in {rows_where(absent)}"] if absent.any() else []
            problems += label_problems(rows[name])
    raise_all(problems)
    groups = group_rows(rows, names)
    unknown = [label for label in groups.labels if label not in known]
    if unknown:
        where = np.isin(groups.codes, [groups.labels.index(label) for label in unknown])
        raise errors.CohortError(
            f"strata {', '.join(names)}: the model has no baseline for {first_few(map(repr, unknown))},"
            f" {rows_where(where)}; it has those of {first_few(map(repr, known), 12)}"
        )
    return np.array([known.index(label) for label in groups.labels], dtype=np.int64)[groups.codes]


def _baselines(fit: CoxFit, problem: kernel.CoxProblem, beta: FloatArray) -> tuple[_Steps, ...]:
    """The steps of the baseline hazards, stratum by stratum."""
    sets, sums = problem.sets, kernel.moments(problem, beta)
    with np.errstate(over="ignore", under="ignore"):
        step = sums.hazard * np.exp(-sums.risks.log_scale[sets.at])
    hazard = kernel.event_sums(sets, step)
    variance = kernel.event_sums(sets, step**2 / problem.event_weight)
    means = kernel.event_sums(sets, step[:, None] * sums.mean)
    time, code = fit.rows.time, fit.rows.strata
    parts = []
    for stratum in range(len(fit.design.data.strata.labels)):
        mine = sets.stratum == stratum
        last = float(time[code == stratum].max())
        parts.append(_Steps(sets.times[mine], hazard[mine], variance[mine], means[mine], last))
    return tuple(parts)


def _beyond_warnings(predictor: Predictor, beyond: BoolArray, at: FloatArray) -> list[errors.AnalysisWarning]:
    """Warning of times at which a stratum is no longer followed."""
    out = sorted(set(predictor.stratum[beyond.any(axis=1)].tolist()))
    if not out:
        return []
    ends = first_few(f"{predictor.labels[code]} ends at {predictor.baselines[code].last:g}" for code in out)
    asked = first_few(f"{time:g}" for time in at)
    return [errors.BeyondFollowUp(f"survival at {asked}: stratum {ends}; undefined beyond it")]


def _limits(
    survival: FloatArray, std_error: FloatArray, conf_level: float, conf_type: ConfType
) -> tuple[FloatArray, FloatArray]:
    """Limits of the same shape as the curves."""
    low, high = interval(survival.ravel(), std_error.ravel(), conf_level=conf_level, conf_type=conf_type)
    return low.reshape(survival.shape), high.reshape(survival.shape)


def _frame(
    at: FloatArray, survival: FloatArray, std_error: FloatArray, conf_level: float, conf_type: ConfType
) -> pd.DataFrame:
    """A row a patient and time."""
    low, high = _limits(survival, std_error, conf_level, conf_type)
    n = len(survival)
    return pd.DataFrame(
        {
            "row": np.repeat(np.arange(n), len(at)),
            "time": np.tile(at, n),
            "survival": survival.ravel(),
            "std_error": std_error.ravel(),
            "conf_low": low.ravel(),
            "conf_high": high.ravel(),
        }
    )
