"""Rows into strata: where an edge, a missing value and rounding land, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import (
    CohortError,
    Cutpoints,
    EmptyStratum,
    RowsDropped,
    SmallStratum,
    clinical_cutpoints,
    convert_magnesium,
    stratify,
)

CUT = Cutpoints((0.75,), ("low", "not low"), unit="mmol/L", source="our laboratory")
SPREAD = [0.60, 0.65, 0.70, 0.72, 0.74, 0.75, 0.80, 0.85, 0.90, 0.95]


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
