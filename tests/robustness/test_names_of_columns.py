"""Columns of whatever name give the numbers that plain names give, in every list of what to adjust for."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import (
    AnalysisWarning,
    Endpoint,
    NotEstimable,
    adjusted_curves,
    adjusted_logrank,
    balance_weights,
    covariate_balance,
    cutpoint_multiverse,
    dose_response,
    impute_cohort,
    leave_one_out,
    piecewise_effects,
    search_cutpoint,
    simulation_extrapolation,
    subgroup_effects,
)

EP = Endpoint("t", "e")
N = 60
SEARCH = {"n_permutations": 9, "n_bootstrap": 0, "seed": 1}
USES = {
    "dose_response": lambda rows, m, a, g: dose_response(rows, EP, m, adjust=[a, g], at=[0.7, 0.9]).curve,
    "search_cutpoint": lambda rows, m, a, g: search_cutpoint(rows, EP, m, adjust=[a, g], **SEARCH).scan,
    "simulation_extrapolation": lambda rows, m, a, g: (
        simulation_extrapolation(rows, EP, m, adjust=[a, g], n_simulations=10, seed=1).hazard_ratios
    ),
    "subgroup_effects": lambda rows, m, a, g: subgroup_effects(rows, EP, m, subgroups=["arm"], adjust=[a, g]),
    "piecewise_effects": lambda rows, m, a, g: piecewise_effects(rows, EP, m, cuts=[20], adjust=[a, g]).periods,
    "balance_weights": lambda rows, m, a, g: balance_weights(rows, [m, a, g], by="arm").propensity,
    "covariate_balance": lambda rows, m, a, g: covariate_balance(rows, [m, a, g], by="arm"),
    "adjusted_curves": lambda rows, m, a, g: (
        adjusted_curves(rows, EP, [m, a, g], by="arm", n_bootstrap=0, seed=1).curves
    ),
    "adjusted_logrank": lambda rows, m, a, g: adjusted_logrank(rows, EP, [m, a, g], by="arm").groups,
    "cutpoint_multiverse": lambda rows, m, a, g: (
        cutpoint_multiverse(
            rows, EP, m, cutpoints={"x": 0.8}, adjustments={"all": [a, g]}, n_permutations=3, seed=1
        ).analyses
    ),
    "leave_one_out": lambda rows, m, a, g: leave_one_out(rows, EP, [m, a], by="arm"),
    "impute_cohort": lambda rows, m, a, g: impute_cohort(
        rows.assign(t=rows["t"]), EP, columns=[m], predictors=[a, g], n_imputations=2, seed=1
    ).cohorts[0][[m]],
}


def rows_of() -> pd.DataFrame:
    """A marker, a number and a category to adjust for, and two arms."""
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "t": rng.permutation(N) + 1.0,
            "e": np.arange(N) % 4 > 0,
            "mg": rng.normal(0.8, 0.1, N).round(3),
            "age": rng.normal(60, 9, N).round(),
            "site": rng.choice(list("abc"), N),
            "arm": rng.choice(list("uv"), N),
        }
    )


def numbers_of(frame: pd.DataFrame) -> np.ndarray:
    """The numbers of a table, which the names do not change."""
    return frame.select_dtypes("number").to_numpy(dtype=float)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize(
    "names", [("1", "C", "log"), ("Intercept", "a~b", "`"), (7, 8, 9), ("np", "1", "__import__('os')")], ids=str
)
def test_names_change_no_number(use, names):
    rows = rows_of()
    if use is USES["impute_cohort"]:
        rows.loc[:3, "mg"] = np.nan
    renamed = rows.rename(columns=dict(zip(("mg", "age", "site"), names, strict=True)))
    before = renamed.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnalysisWarning)
        expected, found = use(rows, "mg", "age", "site"), use(renamed, *names)
    np.testing.assert_array_equal(numbers_of(found), numbers_of(expected))
    pd.testing.assert_frame_equal(renamed, before)


@pytest.mark.parametrize("use", ["balance_weights", "adjusted_curves", "adjusted_logrank"])
def test_a_confounder_that_is_constant_is_an_error_that_names_it(use):
    with pytest.raises(NotEstimable, match=r"covariate 'age' is constant \(60 in every row used\)"):
        USES[use](rows_of().assign(age=60.0), "mg", "age", "site")
