"""A marker's hazard ratio in subgroups, each with the test of whether it differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import BoolArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, first_few
from analysis.strata.marker_designs import adjust_problems, read_marker_design
from analysis.survival import cox
from analysis.survival.rows import Groups, group_rows, grouping_problems, listed

ALL = "all"
RATIO = ["hazard_ratio", "conf_low", "conf_high"]
TEST = ["interaction_p_value", "interaction_statistic", "interaction_df"]


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
    >>> result = subgroup_effects(load_cohort(), OVERALL_SURVIVAL, "age", subgroups=["treatment"])
    >>> result[["level", "n", "n_event"]].to_numpy().tolist()
    [['all', 480, 302], ['checkpoint inhibitor', 320, 220], ['CAR T cells', 160, 82]]
    """
    groups, terms, strata_names = listed(subgroups), listed(adjust), listed(strata)
    errors.raise_all(errors.level_problems(conf_level) + adjust_problems(marker, terms), errors.InputError)
    _check_groups(cohort, endpoint, marker, groups)
    design = read_marker_design(cohort, endpoint, marker, terms, strata_names)
    whole = cox.fit_design(design, cox.CoxModel(endpoint, (marker, *terms), strata=strata_names))
    ratio = cox.hazard_ratios(whole, conf_level=conf_level).iloc[design.columns[str(marker)][0]][RATIO]
    everybody = {"subgroup": ALL, "level": ALL, "n": whole.n, "n_event": whole.n_event, **ratio.astype(float)}
    frames = [pd.DataFrame([everybody]).assign(**dict.fromkeys(TEST, np.nan))]
    carried = [*whole.warnings]
    for name in groups:
        others = tuple(term for term in terms if set(cox.formula_columns([term], cohort)) != {name})
        within = (*(column for column in strata_names if column != name), name)
        frame, warnings = _by_level(cohort, endpoint, marker, name, others, within, conf_level)
        frames.append(frame)
        carried += warnings
    errors.warn_all({str(warning): warning for warning in carried}.values())
    return pd.concat(frames, ignore_index=True)


def _check_groups(cohort: pd.DataFrame, endpoint: Endpoint, marker: str, groups: Sequence[str]) -> None:
    """Subgroups that are no groups of a cohort: none, one twice, a measurement, the marker or the outcome itself."""
    problems = [] if groups else ["subgroups: none given; name at least one column"]
    problems += [f"subgroups: {name!r} is named twice" for name in dict.fromkeys(groups) if groups.count(name) > 1]
    errors.raise_all(column_problems(cohort, [marker]))
    taken = {marker: "marker", **dict.fromkeys(getattr(endpoint, "columns", ()), "outcome")}
    problems += [f"subgroups: {name!r} is the {taken[name]} itself" for name in groups if name in taken]
    problems += column_problems(cohort, [name for name in groups if name not in taken])
    errors.raise_all(problems, errors.InputError)
    errors.raise_all([problem for name in groups for problem in grouping_problems(cohort[name])])


def _by_level(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    name: str,
    terms: Sequence[str],
    strata: tuple[str, ...],
    conf_level: float,
) -> tuple[pd.DataFrame, list[errors.AnalysisWarning]]:
    """The rows of one subgroup, with the warnings of its model and of levels that have no hazard ratio."""
    design = read_marker_design(cohort, endpoint, marker, terms, strata)
    levels = group_rows(cohort.iloc[design.data.position], [name])
    if len(levels.labels) < 2:
        raise errors.NotEstimable(f"subgroup {name!r} holds one level only ({first_few(levels.labels)}); leave it out")
    informative = _informative(design, marker, levels)
    kept = np.asarray(levels.labels, dtype=object)[informative].tolist()
    slope = np.where(informative, np.cumsum(informative) - 1, -1)[levels.codes]
    model = cox.CoxModel(endpoint, (marker, *terms), strata=strata)
    one = cox.fit_design(design, model)
    fit = cox.fit_design(
        with_slopes(design, marker, slope, [f"{marker} where {name} is {level}" for level in kept]), model
    )
    ratios = cox.hazard_ratios(fit, conf_level=conf_level)[RATIO].iloc[: len(kept)].set_index(pd.Index(kept))
    frame = pd.DataFrame(
        {
            "subgroup": name,
            "level": levels.labels,
            "n": levels.sizes,
            "n_event": np.bincount(levels.codes[design.data.event], minlength=len(levels.labels)),
        }
    )
    frame = pd.concat([frame, ratios.reindex(list(levels.labels)).reset_index(drop=True)], axis=1)
    test = difference_test(fit, one, len(kept)) if len(kept) > 1 else None
    frame[TEST] = (test.p_value, test.statistic, test.df) if test else (np.nan, np.nan, np.nan)
    lost = [label for label in levels.labels if label not in kept]
    text = f"subgroup {name!r}: no hazard ratio of {marker!r} where it is {first_few(lost)} (no events, or one value)"
    return frame, [*fit.warnings, *([errors.FewEvents(text)] if lost else [])]


def _informative(design: cox.Design, marker: str, levels: Groups) -> BoolArray:
    """Which levels have an event and more than one value of the marker."""
    values = design.x[:, design.columns[str(marker)][0]]
    rows_of = [levels.codes == code for code in range(len(levels.labels))]
    return np.array([bool(design.data.event[rows].any() and np.ptp(values[rows]) > 0) for rows in rows_of])


def with_slopes(design: cox.Design, marker: str, group: IntArray, terms: Sequence[str]) -> cox.Design:
    """The design with the marker's column in as many copies as there are groups, each zero outside its own.

    Parameters
    ----------
    design : Design
        ``columns[marker]`` is one column.
    marker : str
    group : ndarray of int, shape (n,)
        The group of each row, an index of `terms`; -1 where it has none.
    terms : sequence of str
        The names of the new columns; they come first, in this order.

    Returns
    -------
    Design
    """
    (index,) = design.columns[str(marker)]
    inside = group[:, None] == np.arange(len(terms))
    slopes = np.where(inside, design.x[:, [index]], 0.0)
    return replace(
        design,
        x=np.hstack([slopes, np.delete(design.x, index, axis=1)]),
        terms=(*terms, *design.terms[:index], *design.terms[index + 1 :]),
        columns={term: (column,) for column, term in enumerate(terms)},
    )


def difference_test(several: cox.CoxFit, one: cox.CoxFit, n_groups: int) -> cox.ChiSquare:
    """The likelihood-ratio test of a coefficient for each group against one for all."""
    return cox.chi_square(2 * max(several.log_likelihood - one.log_likelihood, 0.0), n_groups - 1)
