"""Every defensible cut of a marker at once: a specification curve, and one p-value for the whole of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, numbers
from analysis.errors import (
    AnalysisWarning,
    FewEvents,
    InputError,
    SuspiciousValues,
    dropped_warnings,
    raise_all,
    warn_all,
)
from analysis.robustness.multiverse.analyses import Universe, fitted_analyses, log_hazard_ratios, null_curves
from analysis.robustness.multiverse.choices import COMPLETE, Choices, Condition, read_choices
from analysis.robustness.multiverse.settings import (
    Contrast,
    Setting,
    canonical_order,
    permutation_blocks,
    read_settings,
    read_terms,
    with_medians,
)
from analysis.robustness.multiverse.specification_curve import analysis_table, curve_table, decision_grid
from analysis.strata.cutpoints import Cutpoints
from analysis.strata.groups import column_precision, range_problems, stratum_codes
from analysis.strata.marker_designs import listed
from analysis.survival.cox import EVENTS_PER_PARAMETER
from analysis.survival.rows import choice_problems, count_problems, level_problems

__all__ = ["Multiverse", "cutpoint_multiverse"]

AS_LARGE = 1 - 1e-9
"""A permuted median this close to the observed one's distance from the centre counts as reaching it."""


@dataclass(frozen=True, eq=False)
class Multiverse:
    """What every analysis of a multiverse found, and how often chance alone finds as much.

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
        As asked for.
    n_read, n_used, dropped, warnings
        Rows given, rows in at least one analysis, rows in none, and what is worth a word.
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
    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]


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
    >>> found = cutpoint_multiverse(
    ...     cohort, OVERALL_SURVIVAL, "magnesium", cutpoints={"0.75": 0.75, "0.79": 0.79},
    ...     adjustments={"none": (), "age and ECOG": ["age", "ecog"]}, strata="treatment", n_permutations=19, seed=1,
    ... )
    >>> len(found.analyses), found.curve["rank"].tolist(), found.p_value
    (4, [1, 2, 3, 4], 0.05)
    """
    strata_names = listed(strata)
    _check_options(contrast, conf_level, n_permutations, seed)
    raise_all(column_problems(cohort, [marker, *strata_names]))
    choices = read_choices(
        cohort, marker, cutpoints=cutpoints, endpoints=endpoints, adjustments=adjustments or {"none": ()},
        exclusions=exclusions or {"none": None}, missing=missing,
    )  # fmt: skip
    universe = _universe(cohort, marker, choices, strata_names, contrast)
    analyses = analysis_table(fitted_analyses(universe), conf_level)
    observed = log_hazard_ratios(universe, np.arange(len(cohort))[None, :])[0]
    nulls = null_curves(universe, n_permutations=n_permutations, seed=seed)
    medians = np.array([_median(curve) for curve in nulls])
    curve = curve_table(analyses, nulls, conf_level)
    n_used = _rows_used(universe)
    dropped = {"in no analysis": len(cohort) - n_used} if n_used < len(cohort) else {}
    found = (*dropped_warnings(len(cohort), n_used, dropped), *_warnings(analyses, choices))
    warn_all(found)
    return Multiverse(
        analyses=analyses.drop(columns="n_parameter"),
        curve=curve,
        grid=decision_grid(curve, analyses),
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
        n_read=len(cohort),
        n_used=n_used,
        dropped=dropped,
        warnings=found,
    )


def _check_options(contrast: str, conf_level: float, n_permutations: int, seed: int) -> None:
    """Every fault of the options."""
    problems = choice_problems("contrast", contrast, get_args(Contrast)) + level_problems(conf_level)
    problems += count_problems("n_permutations", n_permutations, low=0) + count_problems("seed", seed, low=0)
    raise_all(problems, InputError)


def _universe(
    cohort: pd.DataFrame, marker: str, choices: Choices, strata: Sequence[str], contrast: Contrast
) -> Universe:
    """Every analysis, its columns checked on the cohort as given, its rows then in a canonical order."""
    problems: list[str] = []
    values = numbers(cohort, marker, problems, role="marker column")
    raise_all(problems)
    for name, cut in choices.cutpoints.items():
        problems += [f"{name!r}: {problem}" for problem in range_problems(values, cut, marker)]
    raise_all(problems)
    for endpoint in choices.endpoints.values():
        filled = with_medians(cohort, kept_as_is={marker, *endpoint.columns, *strata})
        for terms in choices.adjustments.values():
            read_terms(filled, endpoint, terms, strata)
    order = canonical_order(cohort, values, choices, strata)
    held = replace(choices, exclusions={name: mask[order] for name, mask in choices.exclusions.items()})
    rows, precision = cohort.iloc[order], column_precision(cohort[marker])
    return Universe(
        settings=read_settings(rows, marker, held, strata),
        cuts=choices.cutpoints,
        codes={name: stratum_codes(values[order], cut, precision) for name, cut in choices.cutpoints.items()},
        values=values[order],
        blocks=permutation_blocks(rows, strata, values[order]),
        contrast=contrast,
    )


def _rows_used(universe: Universe) -> int:
    """Rows in at least one analysis."""
    used = np.zeros(len(universe.values), dtype=bool)
    for setting in universe.settings:
        used[_with_marker(setting, universe.values)] = True
    return int(used.sum())


def _with_marker(setting: Setting, values: FloatArray) -> IntArray:
    """The rows of a setting that its rule for missing values keeps."""
    if setting.missing != COMPLETE:
        return setting.position
    return setting.position[~np.isnan(values[setting.position])]


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
    nearer = np.abs(medians - centre) < abs(observed - centre) * AS_LARGE
    return float((1 + (~nearer).sum()) / (1 + len(medians)))


def _warnings(analyses: pd.DataFrame, choices: Choices) -> list[AnalysisWarning]:
    """What is worth a word about the analyses."""
    found: list[AnalysisWarning] = []
    total, failed = len(analyses), int((analyses["error"] != "").sum())
    few = int((analyses["n_event"] < EVENTS_PER_PARAMETER * analyses["n_parameter"]).sum())
    if failed:
        found.append(AnalysisWarning(f"{failed} of {total} analyses have no estimate; their column 'error' says why"))
    if few:
        found.append(
            FewEvents(f"{few} of {total} analyses have fewer than {EVENTS_PER_PARAMETER} events per parameter")
        )
    idle = [name for name, mask in choices.exclusions.items() if not mask.any()]
    if len(idle) > 1:
        found.append(
            SuspiciousValues(f"exclusions {', '.join(map(repr, idle))} leave out nobody and repeat each other")
        )
    return found
