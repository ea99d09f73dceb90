"""Cut-points: published, one's own, the sample's quantiles against R; rows into strata; what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import (
    CohortError,
    Cutpoints,
    EmptyStratum,
    InputError,
    NotEstimable,
    RowsDropped,
    SmallStratum,
    TiedEdges,
    clinical_cutpoints,
    convert_magnesium,
    quantile_cutpoints,
    stratify,
)
from tests import reference

SOURCE = "our laboratory"
CUT = Cutpoints((0.75,), ("low", "not low"), unit="mmol/L", source="our laboratory")
SPREAD = [0.60, 0.65, 0.70, 0.72, 0.74, 0.75, 0.80, 0.85, 0.90, 0.95]


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


def cohort_of(values, name="magnesium", **options):
    return pd.DataFrame({name: pd.Series(values, **options)})


@pytest.mark.parametrize(("closed", "n_low"), [("left", 10), ("right", 12)])
def test_a_value_at_the_edge_follows_the_stated_rule(closed, n_low):
    cut = Cutpoints(CUT.edges, CUT.labels, source=CUT.source, closed=closed)
    strata = stratify(cohort_of(SPREAD * 2), cut, marker="magnesium")["stratum"]
    assert (strata == "low").sum() == n_low
    assert strata.cat.ordered
    assert strata.cat.categories.tolist() == ["low", "not low"]


def test_a_missing_marker_lands_in_no_stratum_and_is_counted():
    cohort = cohort_of([*SPREAD, None, np.nan])
    with pytest.warns(RowsDropped, match=r"2 of 12 rows dropped: 2 for missing magnesium") as caught:
        result = stratify(cohort, CUT, marker="magnesium")
    assert len(caught) == 1
    assert (caught[0].message.n_read, caught[0].message.n_used) == (12, 10)
    assert len(result) == 12
    assert result["stratum"].isna().tolist() == [False] * 10 + [True] * 2


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "Float64", "Float32", "double[pyarrow]", "float[pyarrow]", object]
)
def test_every_kind_of_number_gives_the_same_strata(dtype):
    edges = Cutpoints((0.7, 0.8, 0.9), ("a", "b", "c", "d"), source="by hand")
    strata = stratify(cohort_of(SPREAD * 3, dtype=dtype), edges, marker="magnesium")["stratum"]
    assert strata.tolist() == ["a", "a", "b", "b", "b", "b", "c", "c", "d", "d"] * 3


@pytest.mark.filterwarnings("ignore::analysis.errors.SmallStratum")
def test_rounding_in_a_change_of_unit_moves_nobody_across_an_edge():
    values = np.round(np.arange(0.50, 1.30, 0.01), 2)
    there = convert_magnesium(convert_magnesium(values, unit="mmol/L", to="mEq/L"), unit="mEq/L", to="mg/dL")
    back = convert_magnesium(there, unit="mg/dL")
    assert (values != back).any()
    for edge in values[1:-1]:
        cut = Cutpoints((edge,), ("low", "high"), unit="mmol/L", source="by hand")
        expected = np.where(values < edge, "low", "high").tolist()
        assert stratify(cohort_of(back), cut, marker="magnesium")["stratum"].tolist() == expected


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([np.nan, np.nan], CohortError, r"no non-missing values in 'magnesium'"),
        ([0.7, np.inf], CohortError, r"marker column 'magnesium': infinite values in 1 row \(2\)"),
        ([-np.inf, 0.7], CohortError, r"infinite values in 1 row \(1\)"),
        (["0,82", "0.7"], CohortError, r"2 values are not numbers \('0,82', '0.7'\); read the file with read_cohort"),
        (["<0.5", 0.7], CohortError, r"1 values are not numbers \('<0.5'\)"),
        ([], CohortError, r"no rows"),
    ],
)
def test_unfit_markers_say_what_is_wrong(values, error, message):
    with pytest.raises(error, match=message):
        stratify(cohort_of(values, dtype=None if values else "float64"), CUT, marker="magnesium")


def test_cuts_outside_the_range_of_the_values_hint_at_the_unit():
    cohort = cohort_of([0.55, 0.80, 1.12])
    with pytest.raises(
        CohortError, match=r"cut 1.9: outside the range 0.55-1.12 of column 'magnesium'; are both in one"
    ):
        stratify(cohort, Cutpoints((1.9,), ("a", "b"), source="by hand"), marker="magnesium")
    with pytest.raises(CohortError, match=r"cut 1.7 mg/dL: outside .* cutpoints.to_unit\(\"mmol/L\"\)"):
        stratify(cohort, clinical_cutpoints("mayo"), marker="magnesium")
    with pytest.raises(CohortError, match=r"cuts 0.1, 0.2: outside"):
        stratify(cohort, Cutpoints((0.1, 0.2), ("a", "b", "c"), source="by hand"), marker="magnesium")


def test_a_stratum_without_rows_is_warned_of_and_stays_a_level():
    with pytest.warns(EmptyStratum, match=r"stratum 'high' \(magnesium ≥ 0.95 mmol/L\) holds no row"):
        strata = stratify(cohort_of(SPREAD[:-1] * 2), clinical_cutpoints(), marker="magnesium")["stratum"]
    assert strata.cat.categories.tolist() == ["low", "reference", "high"]


@pytest.mark.parametrize(
    ("n_low", "n_high", "text"),
    [(4, 20, "holds 4 of 24 rows"), (5, 46, "holds 5 of 51 rows"), (20, 1, "holds 1 of 21 rows")],
)
def test_a_stratum_with_few_rows_is_warned_of(n_low, n_high, text):
    with pytest.warns(SmallStratum, match=text):
        stratify(cohort_of([0.7] * n_low + [0.8] * n_high), CUT, marker="magnesium")


def test_five_rows_and_a_tenth_are_enough():
    assert "stratum" in stratify(cohort_of([0.7] * 5 + [0.8] * 45), CUT, marker="magnesium")


def test_names_are_checked():
    cohort = cohort_of(SPREAD)
    with pytest.raises(CohortError, match=r"no column 'magnesum'; did you mean 'magnesium'\?"):
        stratify(cohort, CUT, marker="magnesum")
    with pytest.raises(CohortError, match=r"column 'stratum' is there already; choose another name with into="):
        stratify(cohort.assign(stratum=1), CUT, marker="magnesium")
    with pytest.raises(CohortError, match=r"'magnesium' stands 2 times"):
        stratify(pd.concat([cohort, cohort], axis=1), CUT, marker="magnesium")
    with pytest.raises(CohortError, match=r"expected a pandas DataFrame, got list"):
        stratify(SPREAD, CUT, marker="magnesium")
    assert "group" in stratify(cohort.assign(stratum=1), CUT, marker="magnesium", into="group")


@pytest.mark.parametrize("name", ["Mg²⁺ (mmol/L)", " mg", "a b", 'quo"te'])
def test_odd_column_names_work(name):
    assert stratify(cohort_of(SPREAD, name), CUT, marker=name)["stratum"].notna().all()


@pytest.mark.parametrize("index", [[7] * 10, list("zyxwvutsrq"), range(9, -1, -1)])
def test_the_index_changes_nothing_and_is_kept(index):
    cohort = cohort_of(SPREAD).set_axis(index, axis=0)
    before = cohort.copy(deep=True)
    result = stratify(cohort, CUT, marker="magnesium")
    assert result["stratum"].tolist() == ["low"] * 5 + ["not low"] * 5
    pd.testing.assert_index_equal(result.index, cohort.index)
    pd.testing.assert_frame_equal(cohort, before)


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@given(
    st.lists(st.floats(0.3, 1.5), min_size=2, max_size=60),
    st.lists(st.integers(4, 14), min_size=1, max_size=4, unique=True),
)
def test_each_row_lies_in_the_interval_of_its_stratum(values, tenths):
    edges = tuple(tenth / 10 + 0.05 for tenth in sorted(tenths))
    if not any(min(values) <= edge <= max(values) for edge in edges):
        return
    labels = tuple(f"group {place}" for place in range(len(edges) + 1))
    strata = stratify(cohort_of(values), Cutpoints(edges, labels, source="by hand"), marker="magnesium")["stratum"]
    bounds = (-np.inf, *edges, np.inf)
    slack = 1e-13
    for value, code in zip(values, strata.cat.codes, strict=True):
        assert bounds[code] - slack <= value < bounds[code + 1]
