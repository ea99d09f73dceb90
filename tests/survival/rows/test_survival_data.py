"""The gate of the estimators: what passes, what is dropped and counted, and what is refused in words, by all alike."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    CohortError,
    Endpoint,
    RowsDropped,
    SuspiciousValues,
    concordance,
    fit_cox,
    hazard_ratios,
    kaplan_meier,
    logrank_test,
    median_follow_up,
    pairwise_logrank,
    risk_table,
)
from analysis.survival.rows.survival_data import group_rows, survival_data

OS = Endpoint("os", "dead")
LATE = Endpoint("os", "dead", entry="entry")

ESTIMATORS = {
    "survival_data": lambda cohort, endpoint=OS: survival_data(cohort, endpoint, by="arm", covariates=["x"]),
    "kaplan_meier": lambda cohort, endpoint=OS: kaplan_meier(cohort, endpoint, by="arm"),
    "risk_table": lambda cohort, endpoint=OS: risk_table(cohort, endpoint, times=[1, 5], by="arm"),
    "logrank_test": lambda cohort, endpoint=OS: logrank_test(cohort, endpoint, by="arm"),
    "fit_cox": lambda cohort, endpoint=OS: fit_cox(cohort, endpoint, ["x"]),
    "concordance": lambda cohort, endpoint=OS: concordance(cohort, endpoint, "x"),
}
UNTRUNCATED = {
    "median_follow_up": lambda cohort, endpoint=OS: median_follow_up(cohort, endpoint, by="arm"),
    "pairwise_logrank": lambda cohort, endpoint=OS: pairwise_logrank(cohort, endpoint, by="arm"),
}


def rows(n=40, **changes):
    """A sound cohort with columns replaced; a dictionary replaces single rows, counted from 0."""
    place = np.arange(n)
    cohort = pd.DataFrame(
        {
            "os": 1.0 + (place * 7) % n,
            "dead": (place % 3 > 0).astype(int),
            "arm": np.where(place % 2 == 0, "a", "b"),
            "x": np.cos(place),
            "w": 1.0 + place % 2,
            "entry": 0.5 * (place % 2),
            "who": place // 2,
        }
    )
    for name, values in changes.items():
        if isinstance(values, dict):
            column = cohort[name].astype(object)
            for row, value in values.items():
                column.iloc[row] = value
            values = column.infer_objects()
        cohort[name] = values
    return cohort


# --- Refused by every estimator ---------------------------------------------------------------------

REFUSED = [
    ({"os": {3: -1, 8: -2.5}}, r"time column 'os': negative values \(-1, -2.5\) in 2 rows \(4, 9\)"),
    ({"os": {3: np.inf}}, r"time column 'os': infinite values in 1 row \(4\)"),
    ({"os": {3: -np.inf}}, r"time column 'os': infinite values in 1 row \(4\)"),
    ({"os": {3: "12,5"}}, r"time column 'os': 1 values are not numbers \('12,5'\); read the file with read_cohort"),
    ({"os": pd.Timestamp(2024, 1, 31)}, r"time column 'os': holds dates .*use time_from_dates"),
    ({"os": "2024-01-31"}, r"time column 'os': 40 values are not numbers \('2024-01-31'\); .*use time_from_dates"),
    ({"os": pd.Timedelta(days=5)}, r"time column 'os': holds dates or time spans; .*use time_from_dates"),
    ({"os": 0}, r"time column 'os': every follow-up time is 0; nobody was followed"),
    ({"os": np.nan}, r"no rows left: 40 dropped for missing os"),
    (
        {"dead": ["dead", "alive"] * 20},
        r"event column 'dead': 40 values are text.*event_codes=\{'dead': \{'dead': 1, 'alive': 0\}\}",
    ),
    ({"dead": ["0", "1"] * 20}, r"event column 'dead': 40 values are text.*event_codes=\{'dead': \{'0': 0, '1': 1\}\}"),
    ({"dead": [1, 2] * 20}, r"values 1, 2, expected 0 and 1; read with event_codes=\{'dead': \{1: 0, 2: 1\}\}"),
    ({"dead": [0, 1, 2, 1] * 10}, r"values 0, 1, 2, expected .*CompetingEndpoint and cumulative_incidence"),
    ({"dead": {3: 0.5}}, r"event column 'dead': values 0, 0.5, 1, not binary"),
    ({"dead": np.linspace(1, 9, 40)}, r"event column 'dead': .*not binary; is this an event column\?"),
    ({"dead": {3: -1}}, r"event column 'dead': values -1, 0, 1, not binary"),
]


@pytest.mark.parametrize("estimate", [*ESTIMATORS.values(), *UNTRUNCATED.values()], ids=[*ESTIMATORS, *UNTRUNCATED])
@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_every_estimator_refuses_in_the_same_words(estimate, changes, message):
    with pytest.raises(CohortError, match=message):
        estimate(rows(**changes))


@pytest.mark.parametrize("estimate", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({3: -1.0}, r"entry column 'entry': negative values \(-1\) in 1 row \(4\)"),
        ({3: 1e6}, r"entry column 'entry': entry is at or after 'os' in 1 row \(4\)"),
        ({0: 1.0}, r"at or after 'os' in 1 row \(1\); a row must come under observation before it ends"),
        ({3: "early"}, r"entry column 'entry': 1 values are not numbers"),
        ({3: np.inf}, r"entry column 'entry': infinite values"),
    ],
)
def test_late_entry_is_checked_by_every_estimator(estimate, entry, message):
    with pytest.raises(CohortError, match=message):
        estimate(rows(entry=entry), LATE)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({3: 0.0, 5: -1.0}, r"weights column 'w': zero or negative in 2 rows \(4, 6\); weights must be positive"),
        ({3: np.inf}, r"column 'w': infinite values"),
        ({3: "heavy"}, r"column 'w': 1 values are not numbers \('heavy'\)"),
    ],
)
def test_weights_are_checked(weights, message):
    cohort = rows(w=weights)
    for estimate in (
        lambda: survival_data(cohort, OS, weights="w"),
        lambda: kaplan_meier(cohort, OS, weights="w"),
        lambda: fit_cox(cohort, OS, ["x"], weights="w"),
    ):
        with pytest.raises(CohortError, match=message):
            estimate()


@pytest.mark.parametrize("estimate", ESTIMATORS.values(), ids=ESTIMATORS)
def test_names_are_checked_by_every_estimator(estimate):
    with pytest.raises(CohortError, match=r"no column 'os'; did you mean 'os2'\?"):
        estimate(rows().rename(columns={"os": "os2"}))
    with pytest.raises(CohortError, match=r"column 'dead' stands 2 times; rename or drop the copies"):
        estimate(pd.concat([rows(), rows()[["dead"]]], axis=1))
    with pytest.raises(CohortError, match=r"expected a pandas DataFrame, got dict; read files with read_cohort"):
        estimate(rows().to_dict())
    with pytest.raises(CohortError, match=r"the cohort has no rows"):
        estimate(rows().iloc[:0])


def test_all_faults_are_told_at_once():
    with pytest.raises(CohortError, match="negative") as caught:
        survival_data(rows(os={0: -1}, dead={0: 2}, x={0: "a"}, w={0: np.inf}), OS, covariates=["x"], weights="w")
    assert len(caught.value.problems) == 4
    with pytest.raises(CohortError, match="'arn'") as caught:
        survival_data(rows(), Endpoint("o", "d"), by="arn", strata=["y"], cluster="whom", weights="v")
    assert len(caught.value.problems) == 6


def test_a_measurement_makes_no_groups():
    with pytest.raises(CohortError, match=r"column 'x' holds 40 different numbers: a measurement, not groups; cut it"):
        survival_data(rows(), OS, by="x")


# --- Dropped and counted ----------------------------------------------------------------------------


def test_incomplete_rows_are_dropped_and_counted_once_under_their_first_reason():
    cohort = rows(
        os={0: None, 1: None}, dead={1: None, 2: None}, arm={2: None, 3: None}, x={4: None}, w={5: None}, who={6: None}
    )
    data = survival_data(cohort, OS, by="arm", covariates=["x"], weights="w", cluster="who")
    assert data.dropped == {
        "missing os": 2,
        "missing dead": 1,
        "missing w": 1,
        "missing x": 1,
        "missing arm": 1,
        "missing who": 1,
    }
    assert (data.n_read, data.n_used) == (40, 33)
    assert data.position.tolist() == list(range(7, 40))
    (warning,) = data.warnings
    assert isinstance(warning, RowsDropped)


def test_only_columns_that_are_used_are_asked_for():
    cohort = rows(x=np.nan, w=np.nan, entry=np.nan, who=None)
    assert survival_data(cohort, OS, by="arm").n_used == 40


@pytest.mark.parametrize("dtype", ["boolean", "Int64", object, "bool[pyarrow]"])
def test_a_missing_event_is_never_a_censoring(dtype):
    values = [bool(place % 3) for place in range(39)] + [None]
    data = survival_data(rows(dead=pd.Series(values, dtype=dtype)), OS)
    assert data.dropped == {"missing dead": 1}
    assert data.event.tolist() == [bool(place % 3) for place in range(39)]


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_a_missing_stratum_makes_no_group(missing):
    cohort = rows(arm={0: missing, 1: missing})
    with pytest.warns(RowsDropped, match=r"2 of 40 rows dropped: 2 for missing arm"):
        curves = kaplan_meier(cohort, OS, by="arm")
    assert curves["stratum"].unique().tolist() == ["a", "b"]
    with pytest.warns(RowsDropped, match=r"2 of 40 rows dropped: 2 for missing arm"):
        test = logrank_test(cohort, OS, by="arm")
    assert (test.n_read, test.n_used, test.dropped) == (40, 38, {"missing arm": 2})
    assert test.df == 1


def test_a_model_counts_what_it_left_out():
    with pytest.warns(RowsDropped, match="2 of 40 rows dropped: 2 for missing x"):
        fit = fit_cox(rows(x={0: None, 3: np.nan}), OS, ["x"])
    assert (fit.n_read, fit.n_used, fit.dropped) == (40, 38, {"missing x": 2})


def test_no_row_left_says_why():
    cohort = rows(n=4, os={0: None, 1: None}, arm={2: None, 3: None})
    with pytest.raises(CohortError, match=r"no rows left: 2 dropped for missing os, 2 dropped for missing arm"):
        survival_data(cohort, OS, by="arm")


# --- Times at zero ----------------------------------------------------------------------------------


def test_rows_censored_at_zero_are_kept_and_told():
    data = survival_data(rows(os={0: 0, 3: 0}, dead={0: 0, 3: 0}), OS)
    assert data.n_used == 40
    (warning,) = data.warnings
    assert isinstance(warning, SuspiciousValues)
    assert "2 rows censored at time 0, kept" in str(warning)


def test_events_at_zero_drop_the_curve_at_zero():
    cohort = pd.DataFrame({"os": [0, 1, 2, 3], "dead": [1, 0, 0, 0]})
    curve = kaplan_meier(cohort, OS)
    assert curve.loc[curve["time"] == 0, "survival"].tolist()[-1] == pytest.approx(0.75, rel=1e-15)
    assert survival_data(cohort, OS).warnings == ()


# --- The same answer, whatever holds the rows -------------------------------------------------------


def answers(cohort):
    """Numbers of every kind of estimate, for comparison."""
    curves = kaplan_meier(cohort, OS, by="arm")
    test = logrank_test(cohort, OS, by="arm")
    ratios = hazard_ratios(fit_cox(cohort, OS, ["x"]))
    columns = ["time", "n_risk", "n_event", "survival", "conf_low", "conf_high"]
    return np.concatenate(
        [
            curves[columns].to_numpy(dtype=np.float64).ravel(),
            [test.statistic, test.p_value],
            ratios.drop(columns="term").to_numpy(dtype=np.float64).ravel(),
        ]
    )


DTYPES = {
    "nullable": {"os": "Float64", "dead": "Int64", "x": "Float64", "arm": "string"},
    "arrow": {"os": "double[pyarrow]", "dead": "int64[pyarrow]", "x": "double[pyarrow]", "arm": "string[pyarrow]"},
    "boolean": {"dead": "bool"},
    "nullable boolean": {"dead": "boolean"},
    "arrow boolean": {"dead": "bool[pyarrow]"},
    "objects": {"os": object, "dead": object, "x": object, "arm": object},
    "small": {"os": "float32", "dead": "int8"},
    "whole times": {"os": "int64", "dead": "float64"},
    "category": {"arm": pd.CategoricalDtype(["a", "b"])},
    "category with a level not used": {"arm": pd.CategoricalDtype(["a", "b", "c"])},
}


@pytest.mark.parametrize("dtypes", DTYPES.values(), ids=DTYPES)
def test_every_dtype_gives_the_same_estimates(dtypes):
    np.testing.assert_allclose(answers(rows().astype(dtypes)), answers(rows()), rtol=1e-12, equal_nan=True)


def test_booleans_among_objects_are_events():
    cohort = rows()
    cohort["dead"] = pd.Series([np.bool_(value) if value else False for value in cohort["dead"]], dtype=object)
    np.testing.assert_array_equal(answers(cohort), answers(rows()))


@pytest.mark.parametrize("index", [[5] * 40, range(40, 0, -1), [f"row {place}" for place in range(40)]])
def test_the_index_changes_nothing(index):
    np.testing.assert_array_equal(answers(rows().set_axis(index, axis=0)), answers(rows()))


@pytest.mark.parametrize(
    "names", [{"os": "Overall survival (months)", "dead": " dead", "arm": "Mg²⁺ < 0.75", "x": "a b"}]
)
def test_any_name_of_a_column_will_do(names):
    cohort, endpoint = rows().rename(columns=names), Endpoint(names["os"], names["dead"])
    curves = kaplan_meier(cohort, endpoint, by=names["arm"])
    np.testing.assert_array_equal(curves["survival"], kaplan_meier(rows(), OS, by="arm")["survival"])
    assert fit_cox(cohort, endpoint, [names["x"]]).coefficients["term"].tolist() == [names["x"]]


@pytest.mark.parametrize("estimate", [*ESTIMATORS.values(), *UNTRUNCATED.values()], ids=[*ESTIMATORS, *UNTRUNCATED])
def test_no_estimator_changes_its_cohort(estimate):
    cohort = rows().astype({"os": "float32", "dead": "boolean", "arm": "category"})
    before = cohort.copy(deep=True)
    estimate(cohort)
    pd.testing.assert_frame_equal(cohort, before)


def test_float32_times_that_were_equal_stay_equal():
    cohort = pd.DataFrame({"os": np.array([0.1, 0.2, 0.3, 0.3], dtype=np.float32), "dead": 1})
    assert len(np.unique(survival_data(cohort, OS).time)) == 3


def test_times_that_differ_by_rounding_are_one_time():
    cohort = pd.DataFrame({"os": [0.1 + 0.2, 0.3, 1.0], "dead": 1})
    assert survival_data(cohort, OS).time.tolist() == [0.3, 0.3, 1.0]


# --- Groups -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "labels", "codes"),
    [
        (["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        ([10, 2, 10], ("2", "10"), [1, 0, 1]),
        ([2.0, 1.0, 2.0], ("1", "2"), [1, 0, 1]),
        ([1.5, 1.0, 1.5], ("1", "1.5"), [1, 0, 1]),
        (["10", "2", "10"], ("10", "2"), [0, 1, 0]),
        ([True, False, True], ("False", "True"), [1, 0, 1]),
        (pd.Categorical(["low", "high", "low"], ["low", "mid", "high"], ordered=True), ("low", "high"), [0, 1, 0]),
        (pd.Categorical([2, 1, 2], [2, 1]), ("2", "1"), [0, 1, 0]),
        (pd.array([2, 1, 2], dtype="Int64"), ("1", "2"), [1, 0, 1]),
        (pd.array(["b", "a", "b"], dtype="string[pyarrow]"), ("a", "b"), [1, 0, 1]),
    ],
)
def test_labels_are_text_in_the_order_of_the_categories_else_of_the_values(values, labels, codes):
    groups = group_rows(pd.DataFrame({"g": values}), ["g"])
    assert groups.labels == labels
    assert groups.codes.tolist() == codes


def test_labels_do_not_depend_on_how_numbers_are_held():
    for values in ([1, 2], [1.0, 2.0], ["1", "2"], pd.array([1, 2], dtype="Int64"), pd.Categorical([1.0, 2.0])):
        assert group_rows(pd.DataFrame({"g": values}), ["g"]).labels == ("1", "2")


def test_values_of_different_types_that_read_alike_are_refused():
    with pytest.raises(CohortError, match=r"column 'g': values of different types read alike \(1\)"):
        group_rows(pd.DataFrame({"g": [1, "1"]}), ["g"])


def test_several_columns_make_groups_of_their_combinations_in_order():
    cohort = pd.DataFrame({"a": ["y", "x", "y", "x"], "b": [10, 2, 2, 2]})
    groups = group_rows(cohort, ["a", "b"])
    assert groups.labels == ("x, 2", "y, 2", "y, 10")
    assert groups.codes.tolist() == [2, 0, 1, 0]


def test_combinations_whose_labels_read_alike_stay_apart():
    cohort = pd.DataFrame({"a": ["x, 1", "x"], "b": ["2", "1, 2"]})
    groups = group_rows(cohort, ["a", "b"])
    assert groups.labels == ('x, "1, 2"', '"x, 1", 2')
    assert groups.codes.tolist() == [1, 0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[st.text('a, "', max_size=4)] * 3), min_size=1, max_size=20))
def test_as_many_labels_as_combinations(combinations):
    cohort = pd.DataFrame(combinations, columns=["a", "b", "c"], dtype=object)
    assert len(set(group_rows(cohort, ["a", "b", "c"]).labels)) == len(set(combinations))


def test_without_columns_there_is_one_group():
    groups = group_rows(rows(), [])
    assert (groups.labels, set(groups.codes.tolist())) == (("all",), {0})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1, max_size=30))
def test_codes_find_every_row_its_own_label(pairs):
    cohort = pd.DataFrame(pairs, columns=["letter", "number"])
    groups = group_rows(cohort, ["letter", "number"])
    assert [groups.labels[code] for code in groups.codes] == [f"{letter}, {number}" for letter, number in pairs]
    assert sorted(set(groups.codes.tolist())) == list(range(len(groups.labels)))
