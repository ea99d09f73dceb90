"""Every defensible cut of a marker at once: all analyses in order, and one p-value for the whole of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, numbers
from analysis.kernels import tails, tolerances
from analysis.robustness.multiverse import analyses as fits
from analysis.robustness.multiverse.analyses import Contrast, Universe
from analysis.robustness.multiverse.choices import COMPLETE, DIMENSIONS, Choices, Condition, read_choices
from analysis.strata.cutpoints import Cutpoints, column_precision, range_problems, stratum_codes
from analysis.survival.cox import EVENTS_PER_PARAMETER
from analysis.survival.rows import listed

__all__ = ["Multiverse", "cutpoint_multiverse"]


@dataclass(frozen=True, eq=False)
class Multiverse(errors.RowAccount):
    """The estimate of every analysis of a multiverse, and how often chance alone finds as much.

    Attributes
    ----------
    analyses : DataFrame
        A row an analysis: analysis (numbered from 1), cutpoint, endpoint, adjustment, exclusion, missing; n, n_event,
        n_low (rows in the lowest stratum), n_excluded, n_missing; hazard_ratio of the lowest stratum, conf_low,
        conf_high, log_hazard_ratio, std_error, p_value (Wald); note, and error: why there is no estimate, empty when
        there is one.
    curve : DataFrame
        The estimates in increasing order: rank, analysis, hazard_ratio, conf_low, conf_high, p_value; and null_low,
        null_median, null_high: where the hazard ratio of that rank lies in permutations (pointwise, at `conf_level`).
    grid : DataFrame
        rank, analysis, dimension, choice: which choices stand behind each rank, a row a dimension.
    median_hazard_ratio : float
        Of the analyses with an estimate.
    share_below_one : float
        Of the analyses with an estimate, those with a hazard ratio below 1.
    p_value : float
        By permutation, of all analyses together: how often the median log hazard ratio lies as far out; NaN without
        permutations. 1 / (1 + n_permutations) is the least it can be.
    tests : DataFrame
        The same for each adjustment alone, from the same permutations: adjustment, n_analyses (with an estimate),
        median_hazard_ratio, p_value. Where marker and outcome share causes, only an adjustment for them makes this a
        test of the marker.
    null_medians : ndarray, shape (n_permutations,)
        The permuted median log hazard ratios.
    marker, contrast, strata, conf_level, n_permutations, seed
        As asked for; and the row account, of rows in at least one analysis.
    """

    analyses: pd.DataFrame
    curve: pd.DataFrame
    grid: pd.DataFrame
    median_hazard_ratio: float
    share_below_one: float
    p_value: float
    tests: pd.DataFrame
    null_medians: FloatArray
    marker: str
    contrast: Contrast
    strata: tuple[str, ...]
    conf_level: float
    n_permutations: int
    seed: int


def cutpoint_multiverse(
    cohort: pd.DataFrame,
    endpoints: Endpoint | Sequence[Endpoint],
    marker: str,
    *,
    cutpoints: Mapping[str, Cutpoints | float | Sequence[float]],
    adjustments: Mapping[str, str | Sequence[str]] | None = None,
    exclusions: Mapping[str, Condition] | None = None,
    missing: str | Sequence[str] = COMPLETE,
    contrast: Contrast = "rest",
    strata: str | Sequence[str] | None = None,
    n_permutations: int = 499,
    seed: int,
    conf_level: float = 0.95,
) -> Multiverse:
    """Fit every combination of cut, endpoint, adjustment, exclusion and rule for missing values.

    Each analysis is a Cox model (ties by Efron) of the lowest stratum's indicator and the terms to adjust for, with its
    log hazard ratio b. The curve is all b in order; its statistic is their median. The permutation test deals the
    measured values out again among the rows that have one (within `strata`), runs every analysis, and counts how often
    the median lies as far from the centre, the mean of the observed and all permuted medians, as the observed one:
    p = (1 + count) / (1 + n_permutations), two-sided.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    endpoints : Endpoint or sequence of Endpoint
    marker : str
        A numeric column.
    cutpoints : mapping of str to Cutpoints, number or numbers
        Cuts by name, in the marker's unit; bare edges belong to the stratum above them. A cut searched in these rows
        does not belong here: the search would have to be run again in every permutation.
    adjustments : mapping of str to str or sequence of str, optional
        Sets of columns or of formula terms, as in `fit_cox`; ``{"none": ()}`` by default.
    exclusions : mapping of str to condition, optional
        Which rows to leave out: a condition ("ecog == 2 | 60 < age < 70 | site in ['a', 'b']"), values by column
        (``{"ppi": 1}``, any of several columns), a function of the cohort that answers row by row, or None for nobody,
        the default. Where the condition is undefined the row stays. Conditions may not read the marker.
    missing : str or sequence of str
        - "complete case": rows that miss the marker, an outcome or a term are left out.
        - "median imputation": the marker's and the terms' missing numbers are set to their median among the rows not
          excluded, other terms to their most frequent value. A single imputation: its intervals are too narrow.
        - "missing as lowest", "missing as highest": rows without a marker count to the lowest or to the highest
          stratum, the two extremes of what they could be; otherwise as complete case.
    contrast : {"rest", "next"}
        The lowest stratum against all others together, or against the next one up.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own in every model; the marker is permuted within.
    n_permutations : int
        0 leaves out the test.
    seed : int
    conf_level : float

    Returns
    -------
    Multiverse

    Raises
    ------
    CohortError
        Faults of the columns, all at once; a cut with no edge in the marker's range.
    InputError
        Choices or options that cannot be, all at once.

    Warns
    -----
    RowsDropped
        Rows in no analysis.
    FewEvents
        When analyses have fewer than 5 events per parameter.
    SuspiciousValues
        When an exclusion leaves out nobody, so that its analyses repeat others.
    AnalysisWarning
        When analyses have no estimate.

    Notes
    -----
    Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4:1208 (specification curve, its joint test by
    permutation); Steegen et al. (2016), Perspectives on Psychological Science 11:702 (multiverse). What is tested is
    that the marker is related to nothing, within the strata: where it shares causes with the outcome, confounding alone
    makes the p of unadjusted analyses small, and that of all analyses together; look at `tests`, by adjustment. The
    least p of N permutations is 1 / (1 + N): Phipson and Smyth (2010), Stat Appl Genet Mol Biol 9:39. A constant term
    (ECOG 2 where those are excluded) is left out of a model and noted.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, simulate_cohort
    >>> cohort = simulate_cohort(seed=1).cohort.dropna(subset=["magnesium"])
    >>> result = cutpoint_multiverse(
    ...     cohort, OVERALL_SURVIVAL, "magnesium", cutpoints={"0.75": 0.75, "0.79": 0.79},
    ...     adjustments={"none": (), "age and ECOG": ["age", "ecog"]}, strata="treatment", n_permutations=19, seed=1,
    ... )
    >>> len(result.analyses), result.curve["rank"].tolist(), result.p_value
    (4, [1, 2, 3, 4], 0.05)
    """
    strata_names = listed(strata)
    _check_options(contrast, conf_level, n_permutations, seed)
    errors.raise_all(column_problems(cohort, [marker, *strata_names]))
    choices = read_choices(
        cohort,
        marker,
        cutpoints=cutpoints,
        endpoints=endpoints,
        adjustments=adjustments or {"none": ()},
        exclusions=exclusions or {"none": None},
        missing=missing,
    )
    universe = _universe(cohort, marker, choices, strata_names, contrast)
    analyses = _analysis_table(fits.fitted_analyses(universe), conf_level)
    observed = fits.log_hazard_ratios(universe, np.arange(len(cohort))[None, :])[0]
    nulls = fits.null_curves(universe, n_permutations=n_permutations, seed=seed)
    medians = np.array([_median(curve) for curve in nulls])
    curve = _curve_table(analyses, nulls, conf_level)
    account = _account(universe, _warnings(analyses, choices))
    errors.warn_all(account.warnings)
    return Multiverse(
        analyses=analyses.drop(columns="n_parameter"),
        curve=curve,
        grid=_decision_grid(curve, analyses),
        median_hazard_ratio=float(np.exp(_median(observed))),
        share_below_one=float((curve["hazard_ratio"] < 1).mean()),
        p_value=_permutation_p(_median(observed), medians),
        tests=_tests(analyses["adjustment"], observed, nulls),
        null_medians=medians,
        marker=marker,
        contrast=contrast,
        strata=strata_names,
        conf_level=conf_level,
        n_permutations=n_permutations,
        seed=seed,
        **account.account,
    )


def _check_options(contrast: str, conf_level: float, n_permutations: int, seed: int) -> None:
    """Refuse options that mean nothing, all at once."""
    problems = errors.choice_problems("contrast", contrast, get_args(Contrast)) + errors.level_problems(conf_level)
    problems += errors.count_problems("n_permutations", n_permutations, low=0)
    errors.raise_all(problems + errors.count_problems("seed", seed, low=0), errors.InputError)


def _universe(
    cohort: pd.DataFrame, marker: str, choices: Choices, strata: Sequence[str], contrast: Contrast
) -> Universe:
    """Every analysis, its columns checked on the cohort as given, its rows then in a canonical order."""
    problems: list[str] = []
    values = numbers(cohort, marker, problems, role="marker column")
    errors.raise_all(problems)
    for name, cut in choices.cutpoints.items():
        problems += [f"{name!r}: {problem}" for problem in range_problems(values, cut, marker)]
    errors.raise_all(problems)
    for endpoint in choices.endpoints.values():
        filled = fits.with_medians(cohort, kept_as_is={marker, *endpoint.columns, *strata})
        for terms in choices.adjustments.values():
            fits.read_terms(filled, endpoint, terms, strata)
    order = _canonical_order(cohort, values, choices, strata)
    rows, values, precision = cohort.iloc[order], values[order], column_precision(cohort[marker])
    ordered = replace(choices, exclusions={name: mask[order] for name, mask in choices.exclusions.items()})
    return Universe(
        settings=tuple(fits.read_setting(rows, marker, ordered, strata, names) for names in choices.settings()),
        cuts=choices.cutpoints,
        codes={name: stratum_codes(values, cut, precision) for name, cut in choices.cutpoints.items()},
        values=values,
        blocks=_permutation_blocks(rows, strata, values),
        contrast=contrast,
    )


def _canonical_order(cohort: pd.DataFrame, values: FloatArray, choices: Choices, strata: Sequence[str]) -> IntArray:
    """An order of the rows that follows from what they hold, so that shuffled rows get the same permutations."""
    outcomes = [name for endpoint in choices.endpoints.values() for name in endpoint.columns]
    text = " ".join(str(term) for terms in choices.adjustments.values() for term in terms)
    used = [name for name in cohort.columns if str(name) in text or name in (*outcomes, *strata)]
    return np.lexsort([*choices.exclusions.values(), *(fits.as_numbers(cohort[name]) for name in used), values])


def _permutation_blocks(cohort: pd.DataFrame, strata: Sequence[str], values: FloatArray) -> IntArray:
    """The rows among which the marker is permuted: those of one stratum in which it was measured.

    Who misses the marker stays as it is, so that missing values that tell of the outcome do not pass for the marker's.
    """
    absent = np.isnan(values).astype(np.int64)
    if not strata:
        return absent
    return absent + 2 * np.asarray(cohort.groupby(list(strata), dropna=False, observed=True).ngroup(), dtype=np.int64)


def _account(universe: Universe, further: Sequence[errors.AnalysisWarning]) -> errors.RowAccount:
    """The rows in at least one analysis: with a marker, but where a rule for missing values does without."""
    used = np.zeros(len(universe.values), dtype=bool)
    for setting in universe.settings:
        measured = ~np.isnan(universe.values[setting.position])
        used[setting.position[measured | (setting.missing != COMPLETE)]] = True
    n_read, n_used = len(used), int(used.sum())
    dropped = {"in no analysis": n_read - n_used} if n_used < n_read else {}
    carried = (*errors.dropped_warnings(n_read, n_used, dropped), *further)
    return errors.RowAccount(n_read=n_read, n_used=n_used, dropped=dropped, warnings=carried)


def _analysis_table(rows: list[dict[str, object]], conf_level: float) -> pd.DataFrame:
    """The analyses as a frame, with limits and p-values by Wald."""
    from scipy.special import erfc

    table = pd.DataFrame(rows)
    table.insert(0, "analysis", np.arange(1, len(table) + 1))
    coef, std_error = table["coef"].to_numpy(np.float64), table["std_error"].to_numpy(np.float64)
    reach = tails.normal_quantile(conf_level) * std_error
    table = table.assign(
        hazard_ratio=np.exp(coef),
        conf_low=np.exp(coef - reach),
        conf_high=np.exp(coef + reach),
        log_hazard_ratio=coef,
        p_value=erfc(np.abs(coef / std_error) / np.sqrt(2)),
    )
    counts = ["n", "n_event", "n_low", "n_excluded", "n_missing"]
    estimates = ["hazard_ratio", "conf_low", "conf_high", "log_hazard_ratio", "std_error", "p_value"]
    return table[["analysis", *DIMENSIONS, *counts, *estimates, "note", "error", "n_parameter"]]


def _curve_table(analyses: pd.DataFrame, nulls: FloatArray, conf_level: float) -> pd.DataFrame:
    """The estimates in order, each rank beside what permutations find there."""
    estimated = analyses[analyses["error"] == ""].sort_values(["log_hazard_ratio", "analysis"])
    ranks = np.arange(1, len(estimated) + 1)
    columns = ["analysis", "hazard_ratio", "conf_low", "conf_high", "p_value"]
    curve = estimated[columns].reset_index(drop=True)
    curve.insert(0, "rank", ranks)
    ordered = [curve for curve in (_at_ranks(null, len(estimated)) for null in nulls) if curve is not None]
    levels = [(1 - conf_level) / 2, 0.5, (1 + conf_level) / 2]
    limits = (
        np.quantile(ordered, levels, axis=0) if ordered and len(estimated) else np.full((3, len(estimated)), np.nan)
    )
    low, middle, high = np.exp(limits)
    return curve.assign(null_low=low, null_median=middle, null_high=high)


def _at_ranks(null: FloatArray, n_ranks: int) -> FloatArray | None:
    """A permuted curve in order, stretched to the ranks of the observed one where fewer or more are estimable."""
    known = null[~np.isnan(null)]
    return np.quantile(known, np.linspace(0, 1, n_ranks)) if len(known) else None


def _decision_grid(curve: pd.DataFrame, analyses: pd.DataFrame) -> pd.DataFrame:
    """The choices behind every rank, a row a dimension."""
    chosen = curve[["rank", "analysis"]].merge(analyses[["analysis", *DIMENSIONS]], on="analysis")
    grid = chosen.melt(
        id_vars=["rank", "analysis"], value_vars=list(DIMENSIONS), var_name="dimension", value_name="choice"
    )
    kind = pd.CategoricalDtype(list(DIMENSIONS), ordered=True)
    return grid.astype({"dimension": kind}).sort_values(["rank", "dimension"], ignore_index=True)


def _median(curve: FloatArray) -> float:
    """The median of the analyses with an estimate; NaN when there is none."""
    known = curve[~np.isnan(curve)]
    return float(np.median(known)) if len(known) else float("nan")


def _tests(adjustment: pd.Series, observed: FloatArray, nulls: FloatArray) -> pd.DataFrame:
    """The permutation test of the median among the analyses of each adjustment."""
    rows = []
    for name in adjustment.unique():
        mine = (adjustment == name).to_numpy(dtype=bool)
        median = _median(observed[mine])
        medians = np.array([_median(null[mine]) for null in nulls])
        n_known = int((~np.isnan(observed[mine])).sum())
        rows.append((name, n_known, float(np.exp(median)), _permutation_p(median, medians)))
    return pd.DataFrame(rows, columns=["adjustment", "n_analyses", "median_hazard_ratio", "p_value"])


def _permutation_p(observed: float, medians: FloatArray) -> float:
    """(1 + count) / (1 + permutations); a permutation without any estimate counts as reaching the observed median."""
    if not len(medians) or np.isnan(observed):
        return float("nan")
    centre = float(np.nanmean([observed, *medians]))
    nearer = np.abs(medians - centre) < abs(observed - centre) * (1 - tolerances.SAME_PERMUTED)
    return float((1 + (~nearer).sum()) / (1 + len(medians)))


def _warnings(analyses: pd.DataFrame, choices: Choices) -> list[errors.AnalysisWarning]:
    """Warnings of analyses without an estimate or with few events, and of exclusions that leave out nobody."""
    warnings: list[errors.AnalysisWarning] = []
    total, failed = len(analyses), int((analyses["error"] != "").sum())
    few = int((analyses["n_event"] < EVENTS_PER_PARAMETER * analyses["n_parameter"]).sum())
    if failed:
        text = f"{failed} of {total} analyses have no estimate; their column 'error' says why"
        warnings.append(errors.AnalysisWarning(text))
    if few:
        text = f"{few} of {total} analyses have fewer than {EVENTS_PER_PARAMETER} events per parameter"
        warnings.append(errors.FewEvents(text))
    idle = [name for name, mask in choices.exclusions.items() if not mask.any()]
    if len(idle) > 1:
        text = f"exclusions {', '.join(map(repr, idle))} leave out nobody and repeat each other"
        warnings.append(errors.SuspiciousValues(text))
    return warnings
