"""A marker's hazard ratio in subgroups, each with the test of whether it differs between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray
from analysis.cohort.columns import Endpoint, column_problems, first_few
from analysis.errors import AnalysisWarning, FewEvents, InputError, NotEstimable, raise_all, warn_all
from analysis.robustness.stability.slopes import difference_test, fitted, with_slopes
from analysis.strata.marker_designs import adjust_problems, as_formula, listed, read_marker_design
from analysis.survival.cox import CoxFit, Design, formula_columns, hazard_ratios
from analysis.survival.rows import Groups, group_rows, grouping_problems, level_problems

ALL = "all"
COLUMNS = (
    "subgroup", "level", "n", "n_event", "hazard_ratio", "conf_low", "conf_high", "interaction_p_value",
    "interaction_statistic", "interaction_df",
)  # fmt: skip


def subgroup_effects(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    subgroups: str | Sequence[str],
    adjust: str | Sequence[str] = (),
    strata: str | Sequence[str] | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate a marker's hazard ratio in every level of some subgroups, with a test of each difference.

    What counts is the interaction test, not whether one interval holds 1 and another does not. A marker whose hazard
    ratio is alike in all treatments is prognostic: it goes with the outcome whatever is given. Only one whose hazard
    ratio differs between treatments could be predictive, and treatments that were not randomised cannot show it.

    Parameters
    ----------
    cohort, endpoint
        As in `fit_cox`.
    marker : str
        A numeric column.
    subgroups : str or sequence of str
        Columns of groups, the one of interest first.
    adjust : str or sequence of str
        Columns or formula terms; one that holds nothing but the subgroup is left out of that subgroup's model, whose
        baseline hazards are its levels' own.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own.
    conf_level : float

    Returns
    -------
    DataFrame
        Columns subgroup, level, n, n_event, hazard_ratio, conf_low, conf_high, interaction_p_value,
        interaction_statistic, interaction_df (likelihood ratio, the same in all rows of a subgroup). The first row is
        everybody: subgroup and level "all", no interaction. A level without events, or with one value of the marker,
        has no hazard ratio and no part in the test.

    Raises
    ------
    CohortError, InputError
        Faults of the columns, terms and options, all at once: a subgroup that is a measurement or the marker, too.
    NotEstimable
        A subgroup with fewer than 2 levels; otherwise as `fit_cox`.

    Warns
    -----
    RowsDropped
        One warning, of the rows of all analyses: those that miss the marker, the outcome or an adjustment; and one for
        each subgroup with values of its own missing.
    FewEvents
        Levels without a hazard ratio; otherwise as `fit_cox`, as are Separation and ManyTies.

    Notes
    -----
    One model a subgroup: the marker in each level, the adjustments with one coefficient for all, baseline hazards by
    level. As R's ``coxph(Surv(time, event) ~ x:level + ... + strata(level))``, tested against ``x + ... +
    strata(level)``. Lagakos, N Engl J Med 354 (2006) 1667.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, load_cohort
    >>> found = subgroup_effects(load_cohort(), OVERALL_SURVIVAL, "age", subgroups=["treatment"])
    >>> found[["level", "n", "n_event"]].to_numpy().tolist()
    [['all', 480, 302], ['checkpoint inhibitor', 320, 220], ['CAR T cells', 160, 82]]
    """
    groups, terms, strata_names = listed(subgroups), listed(adjust), listed(strata)
    raise_all(level_problems(conf_level) + adjust_problems(marker, terms), InputError)
    _check_groups(cohort, endpoint, marker, groups)
    whole_design = read_marker_design(cohort, endpoint, marker, terms, strata_names)
    whole = fitted(whole_design, endpoint, strata_names, as_formula([marker, *terms], cohort))
    ratio = hazard_ratios(whole, conf_level=conf_level).iloc[whole_design.columns[str(marker)][0]]
    undefined = (np.nan, np.nan, np.nan)
    frames = [pd.DataFrame([(ALL, ALL, whole.n, whole.n_event, *_limits(ratio), *undefined)], columns=list(COLUMNS))]
    found: list[AnalysisWarning] = [*whole.warnings]
    for name in groups:
        others = tuple(term for term in terms if set(formula_columns([term], cohort)) != {name})
        within = (*(column for column in strata_names if column != name), name)
        frame, fit, told = _by_level(cohort, endpoint, marker, name, others, within, conf_level)
        frames.append(frame)
        found += [*fit.warnings, *told]
    warn_all({str(one): one for one in found}.values())
    return pd.concat(frames, ignore_index=True)


def _check_groups(cohort: pd.DataFrame, endpoint: Endpoint, marker: str, groups: Sequence[str]) -> None:
    """Subgroups that are no groups of a cohort: none, one twice, a measurement, the marker or the outcome itself."""
    problems = [] if groups else ["subgroups: none given; name at least one column"]
    problems += [f"subgroups: {name!r} is named twice" for name in dict.fromkeys(groups) if groups.count(name) > 1]
    raise_all(column_problems(cohort, [marker]))
    taken = {marker: "marker", **dict.fromkeys(getattr(endpoint, "columns", ()), "outcome")}
    problems += [f"subgroups: {name!r} is the {taken[name]} itself" for name in groups if name in taken]
    problems += column_problems(cohort, [name for name in groups if name not in taken])
    raise_all(problems, InputError)
    raise_all([problem for name in groups for problem in grouping_problems(cohort[name])])


def _by_level(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    name: str,
    terms: Sequence[str],
    strata: Sequence[str],
    conf_level: float,
) -> tuple[pd.DataFrame, CoxFit, list[AnalysisWarning]]:
    """The rows of one subgroup, the model behind them, and words on levels that have no hazard ratio."""
    design = read_marker_design(cohort, endpoint, marker, terms, strata)
    levels = group_rows(cohort.iloc[design.data.position], [name])
    if len(levels.labels) < 2:
        raise NotEstimable(f"subgroup {name!r} holds one level only ({first_few(levels.labels)}); leave it out")
    informative = _informative(design, marker, levels)
    formula = as_formula([marker, *terms], cohort)
    one = fitted(design, endpoint, strata, formula)
    kept = [label for label, informs in zip(levels.labels, informative, strict=True) if informs]
    place = np.where(informative, np.cumsum(informative) - 1, -1)
    names = [f"{marker} where {name} is {label}" for label in kept]
    fit = fitted(with_slopes(design, marker, place[levels.codes], names), endpoint, strata, formula)
    ratios = hazard_ratios(fit, conf_level=conf_level).iloc[: len(names)].set_index(pd.Index(kept))
    frame = _level_rows(name, levels, design.data.event, ratios)
    if len(kept) > 1:
        test = difference_test(fit, one, len(names))
        frame[list(COLUMNS[-3:])] = (test.p_value, test.statistic, test.df)
    lost = [label for label in levels.labels if label not in kept]
    words = f"subgroup {name!r}: no hazard ratio of {marker!r} where it is {first_few(lost)} (no events, or one value)"
    return frame, fit, [FewEvents(words)] if lost else []


def _informative(design: Design, marker: str, levels: Groups) -> BoolArray:
    """Which levels have an event and more than one value of the marker."""
    values = design.x[:, design.columns[str(marker)][0]]
    rows_of = [levels.codes == place for place in range(len(levels.labels))]
    return np.array([bool(design.data.event[rows].any() and np.ptp(values[rows]) > 0) for rows in rows_of])


def _level_rows(name: str, levels: Groups, event: BoolArray, ratios: pd.DataFrame) -> pd.DataFrame:
    """The rows of one subgroup, its test still undefined."""
    n_levels = len(levels.labels)
    estimates = ratios.reindex(list(levels.labels))[["hazard_ratio", "conf_low", "conf_high"]].reset_index(drop=True)
    head = pd.DataFrame(
        {
            "subgroup": name,
            "level": levels.labels,
            "n": np.bincount(levels.codes, minlength=n_levels),
            "n_event": np.bincount(levels.codes[event], minlength=n_levels),
        }
    )
    return pd.concat([head, estimates], axis=1).assign(**dict.fromkeys(COLUMNS[-3:], np.nan))


def _limits(ratio: pd.Series) -> tuple[float, float, float]:
    """A hazard ratio with its limits."""
    return float(ratio["hazard_ratio"]), float(ratio["conf_low"]), float(ratio["conf_high"])
