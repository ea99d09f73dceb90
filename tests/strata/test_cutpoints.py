"""Cut-points: published, one's own, and the sample's quantiles against R; what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import (
    CohortError,
    Cutpoints,
    InputError,
    NotEstimable,
    TiedEdges,
    clinical_cutpoints,
    quantile_cutpoints,
    stratify,
)
from tests import reference

SOURCE = "our laboratory"


@pytest.mark.parametrize(
    ("edges", "labels", "options", "message"),
    [
        ((0.95, 0.75), ("a", "b", "c"), {}, r"edges 0.95, 0.75 must increase"),
        ((0.75, 0.75), ("a", "b", "c"), {}, r"edges 0.75, 0.75 must increase, each given once"),
        ((math.nan,), ("a", "b"), {}, r"edges must be finite numbers, got nan"),
        ((0.75, math.inf), ("a", "b", "c"), {}, r"finite numbers, got inf"),
        (("0.75",), ("a", "b"), {}, r"finite numbers, got '0.75'"),
        ((True,), ("a", "b"), {}, r"finite numbers, got True"),
        ((), ("all",), {}, r"no edges"),
        ((0.75,), ("low", "mid", "high"), {}, r"1 edge make 2 groups, but there are 3 labels"),
        ((0.75, 0.95), ("low", "high"), {}, r"2 edges make 3 groups, but there are 2 labels"),
        ((0.75,), "low", {}, r"there are 1 labels"),
        ((0.75,), ("low", "low"), {}, r"labels must differ, 'low'"),
        ((0.75,), ("low", " "), {}, r"labels must be text, got ' '"),
        ((0.75,), (0, 1), {}, r"labels must be text, got 0, 1"),
        ((0.75,), ("low", "high"), {"source": " "}, r"source is empty"),
        (
            (0.75,),
            ("low", "high"),
            {"rule": "guess"},
            r"rule='guess'; choose one of 'clinical', 'quantile', 'searched'",
        ),
        ((0.75,), ("low", "high"), {"closed": "both"}, r"closed='both'; choose one of 'left', 'right'"),
    ],
)
def test_unfit_cutpoints_say_what_is_wrong(edges, labels, options, message):
    with pytest.raises(InputError, match=message):
        Cutpoints(edges, labels, **({"source": SOURCE} | options))


def test_one_error_lists_all_problems():
    with pytest.raises(InputError, match="must increase") as caught:
        Cutpoints((2, 1), ("a", "a"), source="", closed="both")
    assert len(caught.value.problems) == 5


def test_lists_and_whole_numbers_are_taken():
    cut = Cutpoints([1, 2], ["a", "b", "c"], source=SOURCE)
    assert cut == Cutpoints((1.0, 2.0), ("a", "b", "c"), source=SOURCE)
    assert hash(cut)


@pytest.mark.parametrize(
    ("closed", "spans"),
    [("left", ("< 1", "1 to < 2.5", "≥ 2.5")), ("right", ("≤ 1", "> 1 to 2.5", "> 2.5"))],
)
def test_intervals_say_where_an_edge_belongs(closed, spans):
    assert Cutpoints((1, 2.5), ("a", "b", "c"), source=SOURCE, closed=closed).intervals() == spans


@pytest.mark.parametrize(
    ("edges", "first"),
    [
        ((10 / 24.305 * 1.7,), "< 0.6994"),
        ((0.10001, 0.10002), "< 0.10001"),
        ((123456.7,), "< 123500"),
        ((1e-7,), "< 0.0000001"),
    ],
)
def test_intervals_show_four_digits_or_as_many_as_tell_edges_apart(edges, first):
    labels = tuple("abc"[: len(edges) + 1])
    assert Cutpoints(edges, labels, source=SOURCE).intervals()[0] == first


@pytest.mark.parametrize(
    ("name", "edges", "labels", "unit", "rule", "source"),
    [
        ("nhanes-1", (0.75, 0.95), ("low", "reference", "high"), "mmol/L", "clinical", "28140318"),
        ("rcpa-aacb", (0.70, 1.10), ("low", "reference", "high"), "mmol/L", "clinical", "RCPA"),
        ("mayo", (1.7,), ("low", "not low"), "mg/dL", "clinical", "10.1038/s41408-021-00452-0"),
        ("ejc-2024", (0.79,), ("lower", "higher"), "mmol/L", "searched", "39489925"),
    ],
)
def test_published_cutpoints(name, edges, labels, unit, rule, source):
    cut = clinical_cutpoints(name)
    assert (cut.edges, cut.labels, cut.unit, cut.rule, cut.closed) == (edges, labels, unit, rule, "left")
    assert source in cut.source


def test_the_default_is_the_reference_interval_of_nhanes():
    assert clinical_cutpoints() is clinical_cutpoints("nhanes-1")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"no clinical cut-points 'nhanes'; choose one of 'nhanes-1', 'rcpa-aacb'"):
        clinical_cutpoints("nhanes")


def test_another_unit_keeps_everything_but_the_edges():
    mayo = clinical_cutpoints("mayo")
    converted = mayo.to_unit("mmol/L")
    assert converted.edges == pytest.approx((1.7 * 10 / 24.305,), rel=1e-15)
    assert (converted.labels, converted.closed, converted.unit) == (mayo.labels, mayo.closed, "mmol/L")
    assert converted.source.endswith("(given as 1.7 mg/dL)")
    assert mayo.to_unit("mEq/L").edges == pytest.approx((2 * 17 / 24.305,), rel=1e-15)
    assert mayo.to_unit("mg/dL") is mayo


def test_only_magnesium_units_convert():
    with pytest.raises(InputError, match=r"unit='U/L' is no unit of magnesium"):
        Cutpoints((250,), ("a", "b"), unit="U/L", source=SOURCE).to_unit("mmol/L")
    with pytest.raises(InputError, match=r"to='g/L' is no unit of magnesium"):
        clinical_cutpoints().to_unit("g/L")


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
