"""Kaplan-Meier curves as tidy frames: one row for each distinct follow-up time of each stratum."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, InputError, NotSupported
from analysis.kernels.counts import ConfType, Counts, greenwood, interval, jackknife_variance, survival_curve
from analysis.survival import rows
from analysis.survival.rows import CohortCounts, Engine, SurvivalData

GREENWOOD, JACKKNIFE = "greenwood", "infinitesimal jackknife"


def kaplan_meier(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str | None = None,
    weights: str | None = None,
    cluster: str | None = None,
    conf_level: float = 0.95,
    conf_type: ConfType = "log-log",
    engine: Engine = "auto",
) -> pd.DataFrame:
    """Kaplan-Meier curves with pointwise intervals, one for each stratum.

    S(t) is the product over times s <= t of 1 - d(s) / n(s), with d events among n rows at risk (entry < s <= time;
    events come before censorings). Weights that are whole numbers count as replicates.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient, or a row a spell when the endpoint has an entry column (see `cluster`). Never changed.
    endpoint : Endpoint
        Where the outcome is.
    by : str, optional
        Column of strata; without it there is one, "all".
    weights : str, optional
        Column of positive weights.
    cluster : str, optional
        Column of the patients where a row is a spell: only a row after which its patient is not followed on at once
        counts in n_censor. A patient who leaves and comes back is censored and enters again. Survival, n_risk and
        errors are the same without it.
    conf_level : float
        Between 0 and 1.
    conf_type : {"log-log", "log", "plain"}
        Scale on which the interval is symmetric. SAS and lifelines use log-log by default, R uses log.
    engine : {"auto", "lifelines", "kernel"}
        What computes S(t). "auto" is lifelines up to 20,000 rows and the kernel above, or where lifelines does not
        offer the estimate (fractional weights; late entry that leaves nobody at risk for a while). Counts and standard
        errors are the kernel's.

    Returns
    -------
    DataFrame
        Columns stratum (ordered categorical), time, n_risk, n_event, n_censor (whole numbers without weights, else
        weighted sums), survival, std_error, conf_low, conf_high, conf_type, conf_level, variance. Each stratum begins
        with a row at time 0, survival 1; then comes each distinct follow-up time. With late entry the first n_risk is
        that just after 0. std_error is of S(t): Greenwood's, or with fractional weights the infinitesimal jackknife,
        as `variance` says. Where S is 0, std_error and limits are NaN; where it is 1, the limits are 1.

    Raises
    ------
    CohortError
        When the columns cannot be used; every fault is named.
    InputError
        When an option is not one of those allowed.
    NotSupported
        When lifelines is asked for by name and does not offer the estimate.

    Warns
    -----
    RowsDropped, EarlyZero
    SuspiciousValues
        Also when rows look like spells and no `cluster` was given: when two or more rows enter late, and each of these
        begins where the row before it ends without an event, or rows with the same value of a column follow on one
        another, more often than by chance. A column of patients with a value of its own in every row says otherwise.

    Notes
    -----
    Equals ``survfit(Surv(time, event) ~ by, conf.type = )`` of R, with ``id =`` the cluster. Kaplan and Meier, J Am
    Stat Assoc 53 (1958) 457; Greenwood, Rep Public Health Med Subj 33 (1926).

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, kaplan_meier
    >>> cohort = pd.DataFrame({"months": [2.0, 3.0, 3.0, 5.0], "died": [1, 0, 1, 0]})
    >>> curve = kaplan_meier(cohort, Endpoint("months", "died"))
    >>> curve[["time", "n_risk", "n_event", "n_censor", "survival"]].round(4)
       time  n_risk  n_event  n_censor  survival
    0   0.0       4        0         0      1.00
    1   2.0       4        1         0      0.75
    2   3.0       3        1         1      0.50
    3   5.0       1        0         1      0.50
    """
    check_curve_options(conf_level, conf_type, engine)
    by_name, weighted = engine == "lifelines", weights is not None
    read = rows.read_counts(cohort, endpoint, by=by, weights=weights, cluster=cluster, with_rows=by_name)
    data, counts = read.rows, read.counts
    spells: tuple[AnalysisWarning, ...] = ()
    if data is not None and cluster is not None:
        lost = rows.patient_rows(data, cluster).ended & ~data.event
        counts = replace(counts, n_censor=rows.counts_of_rows(data, lost, weighted=weighted).n_event)
    elif data is not None and endpoint.entry is not None:
        spells = rows.spell_warnings(cohort, endpoint, data)
    fractional = data is not None and bool((data.weights % 1 != 0).any())
    by_lifelines = _engine(engine, read, fractional=fractional) == "lifelines"
    curves, early = curves_of_counts(
        counts,
        read.labels,
        at_start(read),
        survival=_lifelines(data, counts) if data is not None and by_lifelines else None,
        jackknife=_jackknife(data, counts) if data is not None and fractional else None,
        weighted=weighted,
        conf_level=conf_level,
        conf_type=conf_type,
    )
    errors.warn_all((*read.warnings, *spells, *early))
    return curves


def check_curve_options(conf_level: float, conf_type: str, engine: str = "auto") -> None:
    """Refuse options that mean nothing, all at once."""
    problems = errors.level_problems(conf_level) + errors.choice_problems("conf_type", conf_type, get_args(ConfType))
    errors.raise_all(problems + errors.choice_problems("engine", engine, get_args(Engine)), InputError)


def at_start(read: CohortCounts) -> FloatArray | IntArray:
    """Who is under observation just after 0, by stratum: entry is never negative, so those with entry 0 are."""
    if read.rows is None:
        return read.sizes
    there = read.rows.weights * (read.rows.entry <= 0)
    return np.asarray(np.bincount(read.rows.by.codes, there, len(read.labels)), dtype=np.float64)


def curves_of_counts(
    counts: Counts,
    labels: Sequence[str],
    at_start: FloatArray | IntArray,
    *,
    conf_level: float,
    conf_type: str,
    survival: FloatArray | None = None,
    jackknife: FloatArray | None = None,
    weighted: bool = False,
) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """The curves of counts whose segments are the strata, and their warnings.

    `at_start` is under observation just after 0; S(t) and its variance are the kernel's and Greenwood's unless given.
    """
    by_kernel = _by_segment(counts, survival_curve)
    early = [
        label for label, segment in zip(labels, counts.segments, strict=True) if (by_kernel[segment][:-1] == 0).any()
    ]
    survival = by_kernel if survival is None else survival
    variance = _by_segment(counts, greenwood) if jackknife is None else jackknife
    with np.errstate(invalid="ignore"):
        std_error = np.where(survival > 0, survival * np.sqrt(variance), np.nan)
    starts = counts.start[:-1]
    whole = np.float64 if weighted else np.int64
    survival, std_error = np.insert(survival, starts, 1.0), np.insert(std_error, starts, 0.0)
    low, high = interval(survival, std_error, conf_level=conf_level, conf_type=conf_type)
    same = np.zeros(len(survival), dtype=np.int8)
    kind = GREENWOOD if jackknife is None else JACKKNIFE
    frame = pd.DataFrame(
        {
            "stratum": rows.code_column(np.repeat(np.arange(len(labels)), np.diff(counts.start) + 1), labels),
            "time": np.insert(counts.time, starts, 0.0),
            "n_risk": np.insert(counts.n_risk[:, 0], starts, at_start).astype(whole),
            "n_event": np.insert(counts.n_event[:, 0], starts, 0.0).astype(whole),
            "n_censor": np.insert(counts.n_censor[:, 0], starts, 0.0).astype(whole),
            "survival": survival,
            "std_error": std_error,
            "conf_low": low,
            "conf_high": high,
            "conf_type": rows.code_column(same, [conf_type], ordered=False),
            "conf_level": float(conf_level),
            "variance": rows.code_column(same, [kind], ordered=False),
        },
        copy=False,  # the arrays are the frame's alone
    )
    return frame, _early_zero(early)


def _engine(engine: str, read: CohortCounts, *, fractional: bool) -> str:
    """The engine that computes S(t); lifelines by name is refused where it does not offer the estimate."""
    staying = (read.counts.n_risk - read.counts.n_event - read.counts.n_censor)[:, 0] > 0
    segments = zip(read.labels, read.counts.segments, strict=True)
    emptied = [label for label, segment in segments if not staying[segment.start : segment.stop - 1].all()]
    refusal = "fractional weights" if fractional else ""
    if emptied and not refusal:
        refusal = f"a risk set that empties while others are still to enter ({first_few(emptied)})"
    if engine == "lifelines" and refusal:
        raise NotSupported(f"engine='lifelines' does not offer {refusal}; use engine='kernel' or 'auto'")
    if engine != "auto":
        return engine
    return "kernel" if refusal or read.n_used > rows.MOST_ROWS_FOR_LIFELINES else "lifelines"


def _by_segment(counts: Counts, estimate: Callable[[FloatArray, FloatArray], FloatArray]) -> FloatArray:
    """A function of n_risk and n_event, curve by curve."""
    n_risk, n_event = counts.n_risk[:, 0], counts.n_event[:, 0]
    return np.concatenate([estimate(n_risk[segment], n_event[segment]) for segment in counts.segments])


def _lifelines(data: SurvivalData, counts: Counts) -> FloatArray:
    """S(t) by ``lifelines.KaplanMeierFitter``, curve by curve; numpy's error state is left as it was."""
    from lifelines import KaplanMeierFitter

    late, weighted = rows.late_entry(data) is not None, bool((data.weights != 1).any())
    curves = []
    for code, segment in enumerate(counts.segments):
        own = data.by.codes == code
        roles = {"entry": data.entry[own] if late else None, "weights": data.weights[own] if weighted else None}
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):  # whole weights beyond int64
            fitter = KaplanMeierFitter().fit(data.time[own], event_observed=data.event[own], **roles)
        steps = fitter.survival_function_
        last = np.searchsorted(steps.index.to_numpy(dtype=np.float64), counts.time[segment], side="right") - 1
        curves.append(steps.iloc[:, 0].to_numpy(dtype=np.float64)[last])
    return np.concatenate(curves)


def _jackknife(data: SurvivalData, counts: Counts) -> FloatArray:
    """The infinitesimal jackknife variance of log S(t), curve by curve."""
    variances = []
    for code, segment in enumerate(counts.segments):
        own = data.by.codes == code
        risk = counts.time[segment], counts.n_risk[segment, 0], counts.n_event[segment, 0]
        each = {"row_time": data.time, "row_event": data.event, "row_entry": data.entry, "row_weight": data.weights}
        variances.append(jackknife_variance(*risk, **{name: values[own] for name, values in each.items()}))
    return np.concatenate(variances)


def _early_zero(strata: list[str]) -> tuple[AnalysisWarning, ...]:
    """A warning when late entry lets a curve reach zero before everybody was seen."""
    if not strata:
        return ()
    return (
        errors.EarlyZero(
            f"stratum {first_few(strata)}: all at risk had the event while others were still to enter, so the curve is"
            " zero from there on; begin at a time when enough are at risk: landmark(cohort, endpoint, at)"
        ),
    )
