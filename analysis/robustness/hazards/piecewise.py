"""A marker's hazard ratio in each of several periods of follow-up, and the test that it is one and the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, InputError, NotEstimable, raise_all, warn_all
from analysis.kernels.times import n_times_to
from analysis.robustness.stability import difference_test, fitted, with_slopes
from analysis.strata.marker_designs import adjust_problems, as_formula, listed, read_marker_design
from analysis.survival.cox import ChiSquare, CoxFit, Design, hazard_ratios
from analysis.survival.rows import Groups, level_problems, times_given


@dataclass(frozen=True, eq=False)
class PiecewiseEffects:
    """A marker's hazard ratio by period.

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
    n_read, n_used, dropped, warnings
        Rows given, rows analysed, rows left out by reason, and what is worth a word.
    """

    periods: pd.DataFrame
    constant: pd.DataFrame
    test: ChiSquare
    marker: str
    adjust: tuple[str, ...]
    strata: tuple[str, ...]
    fit: CoxFit
    n_event: int
    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]


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
    >>> found = piecewise_effects(load_cohort(), OVERALL_SURVIVAL, "age", cuts=[6, 12])
    >>> found.periods[["start", "stop", "n_event"]].to_numpy().tolist()
    [[0.0, 6.0, 108.0], [6.0, 12.0, 92.0], [12.0, nan, 102.0]]
    """
    terms, strata_names = listed(adjust), listed(strata)
    raise_all(level_problems(conf_level) + adjust_problems(marker, terms), InputError)
    at = _cuts(cuts)
    design = read_marker_design(cohort, endpoint, marker, terms, strata_names)
    at = _snapped(at, np.unique(design.data.time))
    start, stop = np.r_[0.0, at], np.r_[at, np.inf]
    rows, period = split_rows(design, at)
    counts = np.bincount(period[rows.data.event], minlength=len(start))
    _refuse_empty(start, stop, counts, endpoint)
    formula = as_formula([marker, *terms], cohort)
    constant = fitted(design, endpoint, strata_names, formula)
    names = [f"{marker}, after {low:g}" for low in start]
    fit = fitted(with_slopes(rows, marker, period, names), endpoint, strata_names, formula)
    ratios = hazard_ratios(fit, conf_level=conf_level).iloc[: len(start)]
    whole = hazard_ratios(constant, conf_level=conf_level)
    warn_all(fit.warnings)
    return PiecewiseEffects(
        periods=_with_periods(ratios, design, start, stop, counts),
        constant=whole[whole["term"] == design.terms[design.columns[str(marker)][0]]].drop(columns="term"),
        test=difference_test(fit, constant, len(start)),
        marker=marker,
        adjust=terms,
        strata=strata_names,
        fit=fit,
        n_event=constant.n_event,
        n_read=constant.n_read,
        n_used=constant.n_used,
        dropped=constant.dropped,
        warnings=fit.warnings,
    )


def _cuts(cuts: ArrayLike) -> FloatArray:
    """The cuts, ascending; zero is no inner end of a period, and none may stand twice."""
    at = np.sort(times_given(cuts, name="cuts"))
    if at[0] <= 0 or (np.diff(at) == 0).any():
        raise InputError(f"cuts: {first_few(f'{cut:g}' for cut in at)} must be above 0, each given once")
    return at


def _snapped(at: FloatArray, times: FloatArray) -> FloatArray:
    """The cuts, one that differs from a follow-up time by rounding only being that time."""
    before, up_to = n_times_to(times, at, side="left"), n_times_to(times, at)
    return np.where(up_to > before, times[np.minimum(before, len(times) - 1)], at)


def split_rows(design: Design, at: FloatArray) -> tuple[Design, IntArray]:
    """The rows of a design split at times, and the period of each new row.

    A row gives one spell to each period in which it is at risk; the event belongs to the last one.
    """
    data, spells, periods = design.data, [], []
    edges = np.r_[-np.inf, at, np.inf]
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = np.flatnonzero((data.time > low) & (data.entry < high))
        spells.append((inside, np.maximum(data.entry[inside], low), np.minimum(data.time[inside], high)))
        periods.append(np.full(len(inside), number))
    row = np.concatenate([spell[0] for spell in spells])
    entry, time = (np.concatenate([spell[part] for spell in spells]) for part in (1, 2))
    split = replace(
        data,
        time=time,
        event=data.event[row] & (time == data.time[row]),
        entry=entry,
        weights=data.weights[row],
        covariates=data.covariates[row],
        by=_of(data.by, row),
        strata=_of(data.strata, row),
        cluster=_of(data.cluster, row),
        position=data.position[row],
    )
    return replace(design, data=split, x=design.x[row]), np.concatenate(periods)


def _of(groups: Groups, row: IntArray) -> Groups:
    """The groups of some rows, each label in use as before."""
    return Groups(groups.codes[row], groups.labels)


def _refuse_empty(start: FloatArray, stop: FloatArray, counts: IntArray, endpoint: Endpoint) -> None:
    """An error that names the periods without events."""
    empty = [
        f"after {low:g}" + (f" up to {high:g}" if np.isfinite(high) else "")
        for low, high, count in zip(start, stop, counts, strict=True)
        if not count
    ]
    if empty:
        raise NotEstimable(f"cuts: no events of {endpoint.name!r} {first_few(empty)}; choose other cuts")


def _with_periods(
    ratios: pd.DataFrame, design: Design, start: FloatArray, stop: FloatArray, counts: IntArray
) -> pd.DataFrame:
    """The ratios by period with their times and counts."""
    data = design.data
    head = pd.DataFrame(
        {
            "start": start,
            "stop": np.where(np.isfinite(stop), stop, np.nan),
            "n_risk": [int(((data.time > low) & (data.entry <= low)).sum()) for low in start],
            "n_event": counts,
        }
    )
    return pd.concat([head, ratios.drop(columns="term").reset_index(drop=True)], axis=1)
