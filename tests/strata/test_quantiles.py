"""Quantile cut-points, held to R's quantile(type = 7) and cut."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import CohortError, InputError, NotEstimable, TiedEdges, quantile_cutpoints, stratify
from tests import reference

N_GROUPS = {"halves": 2, "tertiles": 3, "quartiles": 4, "quintiles": 5}


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("case", reference.cases("quantile_groups"), ids=str)
@pytest.mark.parametrize("name", N_GROUPS)
def test_edges_and_counts_are_those_of_r(case, name):
    marker = case.args["x"]
    cohort = reference.cohort(case, marker)
    cut = quantile_cutpoints(cohort[marker], N_GROUPS[name])
    np.testing.assert_allclose(cut.edges, np.unique(case.expected[name]["breaks"])[1:-1], rtol=1e-8)
    strata = stratify(cohort, cut, marker=marker)["stratum"]
    assert strata.value_counts(sort=False).tolist() == case.expected[name]["counts"]


@pytest.mark.parametrize(
    ("values", "n_groups", "edges", "labels"),
    [
        # the smallest value is the first quartile too: its group would be empty
        ([1, 1, 1, 1, 2, 3, 4, 5, 6], 4, (2.0, 4.0), ("Q1-Q2", "Q3", "Q4")),
        # two fifths fall together at 2
        ([0, 1, 1, 2, 2, 2, 2, 3, 4, 4, 5], 5, (1.0, 2.0, 4.0), ("Q1", "Q2-Q3", "Q4", "Q5")),
        # the largest value is the last quartile too
        ([1, 2, 3, 4, 5, 6, 6, 6, 6], 4, (3.0, 5.0), ("Q1", "Q2", "Q3-Q4")),
    ],
)
def test_tied_edges_are_dropped_and_the_labels_say_so(values, n_groups, edges, labels):
    with pytest.warns(TiedEdges, match=rf"{n_groups} quantile groups asked for, {len(labels)} made"):
        cut = quantile_cutpoints(values, n_groups)
    assert (cut.edges, cut.labels) == (edges, labels)


def test_what_a_quantile_cut_says_of_itself():
    cut = quantile_cutpoints(pd.Series([3.0, 1.0, None, 2.0, 4.0], name="mg"), 4)
    assert cut.edges == (1.75, 2.5, 3.25)
    assert cut.labels == ("Q1", "Q2", "Q3", "Q4")
    assert (cut.rule, cut.closed, cut.source) == ("quantile", "right", "the sample's 4-quantiles, n = 4")


@pytest.mark.parametrize(
    ("values", "n_groups", "error", "message"),
    [
        ([1, 2, 3], 1, InputError, r"n_groups=1; give a whole number of at least 2"),
        ([1, 2, 3], 2.5, InputError, r"n_groups=2.5"),
        ([1, 2, 3], True, InputError, r"n_groups=True"),
        ([np.nan, np.nan], 2, CohortError, r"no non-missing values in 'values'"),
        ([1, np.inf], 2, CohortError, r"'values': infinite values in 1 row \(2\)"),
        (["low", "high"], 2, CohortError, r"2 values are not numbers \('low', 'high'\)"),
        (pd.Series(["0,82"], name="mg"), 2, CohortError, r"'mg': 1 values are not numbers \('0,82'\)"),
        ([5, 5, 5, 5], 2, NotEstimable, r"every edge equals the smallest or the largest of 4 values \(5, 5\)"),
        ([0, 0, 0, 1], 2, NotEstimable, r"too many ties"),
    ],
)
def test_unfit_values_say_what_is_wrong(values, n_groups, error, message):
    with pytest.raises(error, match=message):
        quantile_cutpoints(values, n_groups)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=200, unique=True), st.integers(2, 6))
def test_without_ties_groups_differ_by_at_most_one_and_rounding_shifts_no_row(values, n_groups):
    if len(values) < n_groups:
        return
    cut = quantile_cutpoints(values, n_groups)
    sizes = np.bincount(np.searchsorted(cut.edges, values, side="left"), minlength=n_groups)
    assert sizes.max() - sizes.min() <= 1
    assert len(cut.labels) == n_groups


@pytest.mark.parametrize(
    "values",
    [
        pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["x", "x"])["x"],
        pd.DataFrame([[1.0, 2.0]], columns=pd.MultiIndex.from_tuples([("x", "a"), ("x", "b")]))["x"],
        np.ones((2, 2)),
        1.0,
    ],
)
def test_what_is_not_one_column_is_refused(values):
    with pytest.raises(InputError, match=r"values: expected one column of numbers, got \w+ of shape"):
        quantile_cutpoints(values, 2)
