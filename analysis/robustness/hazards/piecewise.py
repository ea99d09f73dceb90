"""A marker's hazard ratio in each period of follow-up, the test that it is one, and what that says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few, numbers
from analysis.kernels.times import n_times_to
from analysis.robustness.stability import difference_test, with_slopes
from analysis.strata.marker_designs import adjust_problems, read_marker_design
from analysis.survival.cox import ChiSquare, CoxFit, CoxModel, Design, fit_design, hazard_ratios
from analysis.survival.rows import listed, times_given

FEWEST_EVENTS = 50
DOUBT = 0.05
N_TESTS = 2
NEEDED = ("hazard_ratio", "conf_low", "conf_high", "n_event")

Departure = Literal["undecided", "not shown", "shown", "opposite sides"]


@dataclass(frozen=True, eq=False)
class PiecewiseEffects(errors.RowAccount):
    """A marker's hazard ratio by period, and the row account.

    Attributes
    ----------
    periods : DataFrame
        start, stop (NaN where a period has no end), n_risk (at risk after its start), n_event, hazard_ratio, conf_low,
        conf_high, statistic (z), p_value.
    constant : DataFrame
        One row with the hazard ratio over the whole follow-up: hazard_ratio, conf_low, conf_high, statistic, p_value.
    test : ChiSquare
        Likelihood ratio of a hazard ratio by period against a constant one; df is the number of periods less 1.
    marker, adjust, strata
        What was asked.
    fit : CoxFit
        The model by period; its rows are spells.
    n_event : int
    """

    periods: pd.DataFrame
    constant: pd.DataFrame
    test: ChiSquare
    marker: str
    adjust: tuple[str, ...]
    strata: tuple[str, ...]
    fit: CoxFit
    n_event: int


@dataclass(frozen=True)
class Verdict:
    """Whether a departure from proportional hazards was shown, and the sentence that says how far the data go.

    Attributes
    ----------
    departure : {"undecided", "not shown", "shown", "opposite sides"}
    sentence : str
    """

    departure: Departure
    sentence: str


def piecewise_effects(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    cuts: ArrayLike,
    adjust: str | Sequence[str] = (),
    strata: str | Sequence[str] | None = None,
    conf_level: float = 0.95,
) -> PiecewiseEffects:
    """Estimate a marker's hazard ratio in each period of follow-up.

    Parameters
    ----------
    cohort, endpoint
        As in `fit_cox`; late entry is respected.
    marker : str
        A numeric column.
    cuts : array of float
        Inner ends of the periods, fixed beforehand; a period holds the events after its start up to its stop.
    adjust : str or sequence of str
        Columns or formula terms, whose effects stay constant.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own.
    conf_level : float

    Returns
    -------
    PiecewiseEffects

    Raises
    ------
    CohortError, InputError
        Faults of the columns, terms and options, all at once.
    NotEstimable
        A period without events (named); otherwise as `fit_cox`.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents, Separation, ManyTies
        As `fit_cox`.

    Notes
    -----
    Rows are split at the cuts, and the marker times the indicator of each period enters the model. As R's
    ``coxph(Surv(tstart, tstop, event) ~ x:strata(period) + ..., survSplit(..., cut = cuts))``. Therneau, Crowson and
    Atkinson, "Using time dependent covariates" (vignette of survival), on step functions of time.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, load_cohort
    >>> result = piecewise_effects(load_cohort(), OVERALL_SURVIVAL, "age", cuts=[6, 12])
    >>> result.periods[["start", "stop", "n_event"]].to_numpy().tolist()
    [[0.0, 6.0, 108.0], [6.0, 12.0, 92.0], [12.0, nan, 102.0]]
    """
    terms, strata_names = listed(adjust), listed(strata)
    errors.raise_all(errors.level_problems(conf_level) + adjust_problems(marker, terms), errors.InputError)
    at = _cuts(cuts)
    design = read_marker_design(cohort, endpoint, marker, terms, strata_names)
    at = _snapped(at, np.unique(design.data.time))
    start, stop = np.r_[0.0, at], np.r_[at, np.inf]
    spells, period = split_rows(design, at)
    n_event = np.bincount(period[spells.data.event], minlength=len(start))
    _refuse_empty(start, stop, n_event, endpoint)
    model = CoxModel(endpoint, (marker, *terms), strata=strata_names)
    constant = fit_design(design, model)
    fit = fit_design(with_slopes(spells, marker, period, [f"{marker}, after {low:g}" for low in start]), model)
    errors.warn_all(fit.warnings)
    time, entry = design.data.time, design.data.entry
    n_risk = [int(((time > low) & (entry <= low)).sum()) for low in start]
    times = {"start": start, "stop": np.where(np.isfinite(stop), stop, np.nan)}
    head = pd.DataFrame({**times, "n_risk": n_risk, "n_event": n_event})
    ratios = hazard_ratios(fit, conf_level=conf_level).iloc[: len(start)].drop(columns="term")
    whole = hazard_ratios(constant, conf_level=conf_level)
    return PiecewiseEffects(
        periods=pd.concat([head, ratios.reset_index(drop=True)], axis=1),
        constant=whole[whole["term"] == design.terms[design.columns[str(marker)][0]]].drop(columns="term"),
        test=difference_test(fit, constant, len(start)),
        marker=marker,
        adjust=terms,
        strata=strata_names,
        fit=fit,
        n_event=constant.n_event,
        **constant.account | {"warnings": fit.warnings},
    )


def _cuts(cuts: ArrayLike) -> FloatArray:
    """The cuts, ascending; zero is no inner end of a period, and none may stand twice."""
    at = np.sort(times_given(cuts, name="cuts"))
    if at[0] <= 0 or (np.diff(at) == 0).any():
        raise errors.InputError(f"cuts: {first_few(f'{cut:g}' for cut in at)} must be above 0, each given once")
    return at


def _snapped(at: FloatArray, times: FloatArray) -> FloatArray:
    """The cuts, one that differs from a follow-up time by rounding only being that time."""
    before, up_to = n_times_to(times, at, side="left"), n_times_to(times, at)
    return np.where(up_to > before, times[np.minimum(before, len(times) - 1)], at)


def split_rows(design: Design, at: FloatArray) -> tuple[Design, IntArray]:
    """The rows of a design split at times, and the period of each new row.

    A row gives one spell to each period in which it is at risk; the event belongs to the last one.
    """
    data, rows, periods, entries, times = design.data, [], [], [], []
    for number, (low, high) in enumerate(pairwise(np.r_[-np.inf, at, np.inf])):
        inside = np.flatnonzero((data.time > low) & (data.entry < high))
        rows.append(inside)
        periods.append(np.full(len(inside), number))
        entries.append(np.maximum(data.entry[inside], low))
        times.append(np.minimum(data.time[inside], high))
    row, time = np.concatenate(rows), np.concatenate(times)
    event = data.event[row] & (time == data.time[row])
    spells = replace(data.take(row), time=time, event=event, entry=np.concatenate(entries))
    return replace(design, data=spells, x=design.x[row]), np.concatenate(periods)


def _refuse_empty(start: FloatArray, stop: FloatArray, n_event: IntArray, endpoint: Endpoint) -> None:
    """An error that names the periods without events."""
    empty = [
        f"after {low:g}" + (f" up to {high:g}" if np.isfinite(high) else "")
        for low, high, count in zip(start, stop, n_event, strict=True)
        if not count
    ]
    if empty:
        raise errors.NotEstimable(f"cuts: no events of {endpoint.name!r} {first_few(empty)}; choose other cuts")


def proportional_hazards_verdict(periods: pd.DataFrame, *, score_p_value: float, period_p_value: float) -> Verdict:
    """Say whether tests and hazard ratios by period show a departure from proportional hazards.

    The rule, in this order: with fewer than 50 events, or a period without an interval, nothing is decided. When twice
    the smaller p-value (Bonferroni, for two tests) is 0.05 or more, no departure could be shown, and the sentence names
    the hazard ratios by period that the data are compatible with. Otherwise a departure was shown; to opposite sides
    only when the interval of one period lies below 1 and that of another above 1.

    Parameters
    ----------
    periods : DataFrame
        hazard_ratio, conf_low, conf_high and n_event of each period, as `piecewise_effects` gives them.
    score_p_value : float
        Of the marker in `proportional_hazards_test`.
    period_p_value : float
        Of the likelihood-ratio test by period.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        When a column is missing, or there is no period.

    Notes
    -----
    A test that finds nothing is no proof of proportional hazards. The verdict chooses no summary of the effect: an
    estimand that a test chose has no known error rates, so the plan names it before the outcome is seen. Campbell and
    Dean (2014), Stat Med 33:1042, on conclusions after a test of proportional hazards. The thresholds are the
    constants of this module.

    Examples
    --------
    >>> periods = pd.DataFrame(
    ...     {"hazard_ratio": [1.4, 1.3], "conf_low": [1.1, 0.9], "conf_high": [1.8, 1.9], "n_event": [60, 50]}
    ... )
    >>> verdict = proportional_hazards_verdict(periods, score_p_value=0.4, period_p_value=0.7)
    >>> verdict.departure
    'not shown'
    >>> verdict.sentence.split(": ")[1]
    'the hazard ratio by period (1.40, 1.30) is compatible with values from 0.90 to 1.90.'
    """
    if periods.empty or not set(NEEDED) <= set(periods):
        raise errors.InputError(f"periods: needs rows with {', '.join(NEEDED)}; give the frame of piecewise_effects")
    problems: list[str] = []
    columns = {name: numbers(periods, name, problems) for name in NEEDED}
    errors.raise_all([f"periods: {problem}" for problem in problems], errors.InputError)
    periods = pd.DataFrame(columns)
    n_event, limits = int(np.nansum(periods["n_event"])), periods[["conf_low", "conf_high"]]
    shown = first_few((f"{ratio:.2f}" for ratio in periods["hazard_ratio"]), 12)
    tests = f"p {score_p_value:.2g} by the score test, {period_p_value:.2g} by period, the smaller to be doubled"
    if n_event < FEWEST_EVENTS or periods.isna().any(axis=None):
        return Verdict(
            "undecided",
            f"With {n_event} events in {len(periods)} periods the data cannot tell whether hazards are proportional"
            " (fewer than 50 in all, or a period without an interval): a hazard ratio is an average over this"
            " follow-up.",
        )
    if N_TESTS * min(score_p_value, period_p_value) >= DOUBT:
        return Verdict(
            "not shown",
            f"No departure from proportional hazards could be shown with {n_event} events ({tests}): the hazard ratio"
            f" by period ({shown}) is compatible with values from {limits['conf_low'].min():.2f} to"
            f" {limits['conf_high'].max():.2f}.",
        )
    if (limits["conf_high"] < 1).any() and (limits["conf_low"] > 1).any():
        return Verdict(
            "opposite sides",
            f"The hazard ratio changes over time, to opposite sides of 1: {shown} by period, the intervals of two"
            f" periods excluding 1 on opposite sides ({tests}). A single one is an average over this follow-up that"
            " describes no part of it; see the ratios by period and survival at milestones beside it.",
        )
    return Verdict(
        "shown",
        f"The hazard ratio changes over time: {shown} by period ({tests}). A single one is an average over this"
        " follow-up, and another follow-up would give another; see the ratios by period and the difference in"
        " restricted means beside it.",
    )
