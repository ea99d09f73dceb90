"""Table 1: counts by hand, standardised differences by hand, by R and by what cannot change them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import CohortError, RowsDropped, baseline_table
from tests import reference

COHORT = pd.DataFrame(
    {
        "patient_id": list("abcdefgh"),
        "arm": ["x", "x", "x", "x", "y", "y", "y", "y"],
        "age": [60.0, 62.0, 64.0, np.nan, 63.0, 65.0, 67.0, 69.0],
        "ppi": [1, 0, 0, 0, 1, 1, 1, 0],
        "sex": ["m", "m", "f", None, "f", "f", "m", "f"],
    }
)


def rows_of(table, variable, level=""):
    return table[(table["variable"] == variable) & (table["level"] == level)].set_index("stratum")


def smd_of(table, variable):
    (value,) = table.loc[table["variable"] == variable, "smd"].unique()
    return value


def test_columns_order_and_what_is_described():
    table = baseline_table(COHORT, by="arm")
    names = "variable level stratum n n_missing mean std median q25 q75 count share smd"
    assert table.columns.tolist() == names.split()
    assert table["variable"].unique().tolist() == ["age", "ppi", "sex"]
    assert table["stratum"].cat.categories.tolist() == ["x", "y"]


def test_numbers_by_hand():
    age = rows_of(baseline_table(COHORT, by="arm"), "age")
    assert age.loc["x", ["n", "n_missing", "mean", "std", "median", "q25", "q75"]].tolist() == [3, 1, 62, 2, 62, 61, 63]
    assert age.loc["y", ["n", "n_missing", "mean", "median", "q25", "q75"]].tolist() == [4, 0, 66, 66, 64.5, 67.5]
    assert age["std"].loc["y"] == pytest.approx(np.sqrt(20 / 3), rel=1e-14)
    # |62 - 66| / sqrt((4 + 20/3) / 2)
    assert age["smd"].tolist() == pytest.approx([4 / np.sqrt(16 / 3)] * 2, rel=1e-14)
    assert age[["count", "share"]].isna().all(axis=None)


def test_levels_by_hand():
    table = baseline_table(COHORT, by="arm")
    male = rows_of(table, "sex", "m")
    assert male[["n", "n_missing", "count"]].to_numpy().tolist() == [[3, 1, 2], [4, 0, 1]]
    assert male["share"].tolist() == [2 / 3, 1 / 4]
    # |2/3 - 1/4| / sqrt((2/9 + 3/16) / 2)
    assert smd_of(table, "sex") == pytest.approx((5 / 12) / np.sqrt((2 / 9 + 3 / 16) / 2), rel=1e-12)
    assert smd_of(table, "ppi") == pytest.approx(0.5 / np.sqrt(3 / 16), rel=1e-12)
    assert table.loc[table["variable"] == "ppi", "level"].tolist() == ["0", "0", "1", "1"]
    assert male[["mean", "std", "median", "q25", "q75"]].isna().all(axis=None)


def test_three_levels_by_hand():
    # shares (1/2, 1/4, 1/4) and (1/4, 1/4, 1/2); without the first level p - q = (0, -1/4) and
    # S = [[3/16, -3/32], [-3/32, 7/32]], of determinant 33/1024, so that its inverse holds 64/11 in the last place
    site = ["a", "a", "b", "c", "a", "b", "c", "c"]
    table = baseline_table(COHORT.assign(site=site), by="arm", columns=["site"])
    assert smd_of(table, "site") == pytest.approx(np.sqrt(64 / 11 / 16), rel=1e-12)


def test_with_three_groups_the_largest_pair_counts():
    cohort = pd.DataFrame({"by": list("aabbcc"), "x": [0.0, 2.0, 1.0, 3.0, 5.0, 7.0]})
    assert smd_of(baseline_table(cohort, by="by"), "x") == pytest.approx(5 / np.sqrt(2), rel=1e-14)


MEASUREMENTS = [case for case in reference.cases("table1") if reference.rows(case.dataset)[case.args["x"]].max() > 1]


@pytest.mark.parametrize("case", MEASUREMENTS, ids=str)
def test_numbers_are_those_of_r(case):
    marker, group = case.args["x"], case.args["group"]
    cohort = reference.cohort(case, marker, group)
    rows = rows_of(baseline_table(cohort, by=group, columns=[marker]), marker)
    for stratum, expected in case.expected["groups"].items():
        ours = rows.loc[stratum, ["n", "mean", "std", "median", "q25", "q75"]].astype(float)
        theirs = [expected[name] for name in ("n", "mean", "sd", "median", "q1", "q3")]
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)
    if len(case.expected["groups"]) == 2:
        np.testing.assert_allclose(rows["smd"], case.expected["smd"], rtol=1e-8)


@pytest.mark.parametrize(
    ("values", "smd"),
    [
        ([5, 5, 5, 5, 5, 5, 5, 5], 0.0),  # nothing varies, nothing differs
        ([5, 5, 5, 5, 6, 6, 6, 6], np.nan),  # infinitely different
        ([5, np.nan, np.nan, np.nan, 1, 2, 3, 4], np.nan),  # one known value has no spread
        (list("mmmmffff"), np.nan),
        (list("aaaabbcc"), np.nan),  # no level in common
        (list("mfmfmfmf"), 0.0),
        ([None] * 4 + list("mfmf"), np.nan),
        ([0, 0, 0, 0, 0, 0, 0, 0], 0.0),
        ([np.nan] * 8, np.nan),
        ([True, False] * 4, 0.0),
    ],
)
def test_differences_that_have_no_number_are_missing(values, smd):
    table = baseline_table(COHORT.assign(x=values), by="arm", columns=["x"])
    np.testing.assert_equal(table["smd"].unique(), [smd])


def test_one_group_has_no_difference():
    assert np.isnan(smd_of(baseline_table(COHORT.assign(arm="x"), by="arm"), "age"))


def test_groups_and_levels_keep_the_order_of_their_categories():
    arm = pd.Categorical(COHORT["arm"], categories=["z", "y", "x"], ordered=True)
    sex = pd.Categorical(COHORT["sex"], categories=["m", "f", "x"])
    table = baseline_table(COHORT.assign(arm=arm, sex=sex), by="arm", columns=["sex", "age"])
    assert table["stratum"].cat.categories.tolist() == ["y", "x"]
    assert table["level"].tolist() == ["m", "m", "f", "f", "", ""]


def test_rows_without_a_group_are_left_out_and_counted():
    cohort = COHORT.assign(arm=["x", "x", "x", None, "y", "y", "y", "y"])
    with pytest.warns(RowsDropped, match=r"1 of 8 rows dropped: 1 for missing arm"):
        table = baseline_table(cohort, by="arm", columns=["age"])
    assert table["n_missing"].tolist() == [0, 0]


def test_dates_and_names_are_not_described_unless_asked_for():
    cohort = COHORT.assign(seen=pd.Timestamp(2024, 1, 31), code=range(8))
    assert "seen" not in set(baseline_table(cohort, by="arm")["variable"])
    with pytest.raises(CohortError, match=r"column 'seen': holds dates, which Table 1 cannot describe"):
        baseline_table(cohort, by="arm", columns=["seen"])
    assert len(baseline_table(cohort, by="arm", columns=["patient_id"])) == 16


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({}, {"by": "am"}, r"no column 'am'; did you mean 'arm'\?"),
        ({}, {"by": "arm", "columns": ["agee"]}, r"no column 'agee'; did you mean 'age'\?"),
        ({"arm": None}, {"by": "arm"}, r"no rows left: 8 dropped for missing arm"),
        ({"age": np.inf}, {"by": "arm"}, r"column 'age': infinite values in 8 rows"),
    ],
)
def test_what_cannot_be_described_says_why(changes, options, message):
    with pytest.raises(CohortError, match=message):
        baseline_table(COHORT.assign(**changes), **options)


def test_a_measurement_makes_no_groups():
    cohort = pd.DataFrame({"mg": np.linspace(0.5, 1, 30), "age": range(30)})
    with pytest.raises(CohortError, match=r"column 'mg' holds 30 different numbers: a measurement, not groups"):
        baseline_table(cohort, by="mg")


@settings(max_examples=60, deadline=None)
@given(
    levels=st.lists(st.sampled_from("abcd"), min_size=6, max_size=40),
    order=st.permutations("abcd"),
    seed=st.integers(0, 2**32 - 1),
)
def test_neither_the_order_of_rows_nor_that_of_levels_changes_a_difference(levels, order, seed):
    arm = ["x", "y"] * len(levels)
    cohort = pd.DataFrame({"arm": arm[: len(levels)], "site": levels})
    first = smd_of(baseline_table(cohort, by="arm"), "site")
    relabelled = pd.Categorical(cohort["site"], categories=list(order))
    shuffled = cohort.assign(site=relabelled).sample(frac=1, random_state=seed)
    assert smd_of(baseline_table(shuffled, by="arm"), "site") == pytest.approx(first, rel=1e-6, abs=1e-7, nan_ok=True)
    swapped = cohort.assign(arm=cohort["arm"].map({"x": "y", "y": "x"}))
    assert smd_of(baseline_table(swapped, by="arm"), "site") == pytest.approx(first, rel=1e-6, abs=1e-7, nan_ok=True)


def test_the_cohort_is_not_changed():
    before = COHORT.copy(deep=True)
    baseline_table(COHORT, by="arm")
    pd.testing.assert_frame_equal(COHORT, before)
