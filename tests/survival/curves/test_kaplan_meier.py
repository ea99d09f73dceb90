"""Kaplan-Meier frames: by hand, by their properties, and on bad input."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import CohortError, EarlyZero, Endpoint, InputError, RowsDropped, SuspiciousValues, kaplan_meier

OS = Endpoint("time", "event")
LATE = Endpoint("time", "event", entry="entry")
COLUMNS = ["stratum", "time", "n_risk", "n_event", "n_censor", "survival", "std_error", "conf_low", "conf_high"]


def frame(time, event, **more) -> pd.DataFrame:
    return pd.DataFrame({"time": time, "event": event} | more)


def values(curves: pd.DataFrame) -> np.ndarray:
    return curves[COLUMNS[1:]].to_numpy(dtype=float)


SEVEN = frame([1.0, 2, 6, 6, 7, 9, 10], [1, 0, 1, 1, 0, 1, 0])


def test_seven_rows_by_hand():
    curves = kaplan_meier(SEVEN, OS)
    assert list(curves.columns) == [*COLUMNS, "conf_type", "conf_level", "variance"]
    assert curves["time"].tolist() == [0, 1, 2, 6, 7, 9, 10]
    assert curves["n_risk"].tolist() == [7, 7, 6, 5, 3, 2, 1]
    assert curves["n_event"].tolist() == [0, 1, 0, 2, 0, 1, 0]
    assert curves["n_censor"].tolist() == [0, 0, 1, 0, 1, 0, 1]
    np.testing.assert_allclose(curves["survival"], [1, 6 / 7, 6 / 7, 18 / 35, 18 / 35, 9 / 35, 9 / 35], rtol=1e-12)
    greenwood = 1 / 42 + 2 / 15
    np.testing.assert_allclose(curves["std_error"].iloc[3], 18 / 35 * greenwood**0.5, rtol=1e-12)
    assert (curves["stratum"] == "all").all()
    assert (curves["conf_type"] == "log-log").all()
    assert (curves["conf_level"] == 0.95).all()


def test_types_are_those_of_the_contract():
    curves = kaplan_meier(
        SEVEN.assign(arm=pd.Categorical(list("xyxyxyx"), categories=["y", "x"], ordered=True)), OS, by="arm"
    )
    assert curves["stratum"].cat.ordered
    assert curves["stratum"].cat.categories.tolist() == ["y", "x"]
    assert {str(curves[name].dtype) for name in ("n_risk", "n_event", "n_censor")} == {"int64"}
    assert curves.groupby("stratum", observed=True)["time"].first().tolist() == [0, 0]


def test_an_event_at_time_zero_comes_after_the_start():
    curves = kaplan_meier(frame([0.0, 1, 2, 3], [1, 0, 1, 0]), OS)
    assert curves["time"].tolist() == [0, 0, 1, 2, 3]
    assert curves["survival"].round(12).tolist() == [1, 0.75, 0.75, 0.375, 0.375]


def test_a_row_censored_at_time_zero_is_kept_with_a_word():
    with pytest.warns(SuspiciousValues, match="time column 'time': 1 row censored at time 0, kept"):
        curves = kaplan_meier(frame([0.0, 1], [0, 1]), OS)
    assert curves["n_risk"].tolist() == [2, 2, 1]


def test_all_censored_is_a_flat_curve_with_no_doubt():
    curves = kaplan_meier(frame([1.0, 2], [0, 0]), OS)
    assert values(curves)[:, 4:].tolist() == [[1, 0, 1, 1]] * 3


def test_all_events_at_one_time_fall_to_zero_with_undefined_limits():
    last = kaplan_meier(frame([3.0] * 4, [1] * 4), OS).iloc[-1]
    assert last["survival"] == 0
    assert last[["std_error", "conf_low", "conf_high"]].isna().all()


def test_without_censoring_the_curve_is_the_share_still_alive():
    rng = np.random.default_rng(1)
    time = rng.integers(1, 20, 50).astype(float)
    curves = kaplan_meier(frame(time, 1), OS)
    np.testing.assert_allclose(curves["survival"], [(time > t).mean() for t in curves["time"]], atol=1e-14)


def test_one_patient_has_a_curve():
    assert kaplan_meier(frame([4.0], [1]), OS)["survival"].tolist() == [1, 0]


def test_late_entry_counts_who_is_under_observation():
    rows = frame([5.0, 3.0, 8.0, 7.0], [1, 1, 0, 1], entry=[0.0, 0.0, 3.0, 4.0])
    curves = kaplan_meier(rows, LATE)
    assert curves["n_risk"].tolist() == [2, 2, 3, 2, 1]
    np.testing.assert_allclose(curves["survival"], [1, 1 / 2, 1 / 3, 1 / 6, 1 / 6], rtol=1e-12)


def test_a_curve_that_late_entry_lets_fall_to_zero_early_says_so():
    rows = frame([2.0, 6.0, 7.0], [1, 1, 0], entry=[0.0, 3.0, 3.0])
    with pytest.warns(EarlyZero, match="stratum all: all at risk had the event while others were still to enter"):
        curves = kaplan_meier(rows, LATE)
    assert curves["survival"].tolist() == [1, 0, 0, 0]


def test_near_equal_times_are_one_time():
    split = kaplan_meier(frame([0.1 + 0.2, 0.3, 1.0], [1, 1, 0]), OS)
    assert split["n_event"].tolist() == [0, 2, 0]


# --- Properties


@st.composite
def cohorts(draw):
    n = draw(st.integers(1, 30))
    column = lambda held: draw(st.lists(held, min_size=n, max_size=n))  # noqa: E731
    time = np.array(column(st.integers(1, 12)), dtype=float)
    return frame(time, column(st.integers(0, 1)), arm=column(st.sampled_from("ab")), w=column(st.integers(1, 4)))


@given(cohorts(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_the_order_of_the_rows_does_not_matter(cohort, random):
    order = list(range(len(cohort)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(
        kaplan_meier(cohort, OS, by="arm"), kaplan_meier(cohort.iloc[order], OS, by="arm"), rtol=1e-12
    )


@given(cohorts(), st.sampled_from([1e-3, 30.4375, 1e6]))
@settings(deadline=None, max_examples=30)
def test_the_unit_of_time_does_not_matter(cohort, unit):
    ours = kaplan_meier(cohort, OS, by="arm")
    scaled = kaplan_meier(cohort.assign(time=cohort["time"] * unit), OS, by="arm")
    pd.testing.assert_frame_equal(ours.assign(time=ours["time"] * unit), scaled, rtol=1e-12)


@given(cohorts())
@settings(deadline=None, max_examples=30)
def test_whole_number_weights_are_replicates(cohort):
    replicated = cohort.loc[cohort.index.repeat(cohort["w"])]
    weighted = kaplan_meier(cohort, OS, by="arm", weights="w")
    np.testing.assert_allclose(values(weighted), values(kaplan_meier(replicated, OS, by="arm")), rtol=1e-12, atol=1e-15)


@given(cohorts())
@settings(deadline=None, max_examples=30)
def test_a_constant_fractional_weight_leaves_the_curve(cohort):
    weighted = kaplan_meier(cohort.assign(w=0.5), OS, weights="w")
    np.testing.assert_allclose(weighted["survival"], kaplan_meier(cohort, OS)["survival"], rtol=1e-12, atol=1e-15)


def test_swapped_labels_swap_the_curves():
    cohort = SEVEN.assign(arm=list("aabbaab"))
    swapped = kaplan_meier(cohort.assign(arm=cohort["arm"].map({"a": "b", "b": "a"})), OS, by="arm")
    ours = kaplan_meier(cohort, OS, by="arm")
    np.testing.assert_array_equal(values(ours[ours["stratum"] == "a"]), values(swapped[swapped["stratum"] == "b"]))


# --- What a spreadsheet may hold, and still be right


EVENT_KINDS = {
    "booleans": lambda e: e.astype(bool),
    "objects": lambda e: e.astype(bool).astype(object),
    "nullable booleans": lambda e: e.astype("boolean"),
    "nullable whole numbers": lambda e: e.astype("Int64"),
    "floats": lambda e: e.astype(float),
    "arrow": lambda e: e.astype("int64[pyarrow]"),
}


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_events_of_any_kind_are_the_same(kind):
    held = SEVEN.assign(event=EVENT_KINDS[kind](SEVEN["event"]))
    pd.testing.assert_frame_equal(kaplan_meier(held, OS), kaplan_meier(SEVEN, OS))


@pytest.mark.parametrize("kind", ["float32", "Float64", "int64", "Int64", "double[pyarrow]"])
def test_times_of_any_kind_are_the_same(kind):
    held = SEVEN.assign(time=SEVEN["time"].astype(kind))
    pd.testing.assert_frame_equal(kaplan_meier(held, OS), kaplan_meier(SEVEN, OS), rtol=1e-12)


@pytest.mark.parametrize("index", [[7, 7, 7, 1, 1, 2, 0], list("gfedcba")], ids=["doubled", "text"])
def test_the_index_does_not_matter(index):
    pd.testing.assert_frame_equal(kaplan_meier(SEVEN.set_axis(index), OS), kaplan_meier(SEVEN, OS))


def test_names_with_blanks_and_signs_are_kept():
    held = SEVEN.rename(columns={"time": " Mg\u00b2\u207a (months)", "event": "gestorben?"})
    pd.testing.assert_frame_equal(
        kaplan_meier(held, Endpoint(" Mg\u00b2\u207a (months)", "gestorben?")), kaplan_meier(SEVEN, OS)
    )


def test_unused_levels_make_no_stratum_and_the_order_of_levels_is_kept():
    arm = pd.Categorical(list("ccaaaac"), categories=["c", "b", "a"], ordered=True)
    assert kaplan_meier(SEVEN.assign(arm=arm), OS, by="arm")["stratum"].cat.categories.tolist() == ["c", "a"]


@pytest.mark.parametrize("arm", [[1.0, 2, 10, 1, 2, 10, 1], [1, 2, 10, 1, 2, 10, 1]])
def test_numbers_are_labels_in_the_order_of_numbers(arm):
    assert kaplan_meier(SEVEN.assign(arm=arm), OS, by="arm")["stratum"].cat.categories.tolist() == ["1", "2", "10"]


def test_missing_values_are_dropped_counted_and_never_a_stratum():
    held = frame(
        [1.0, 2, 3, np.nan, 5, 6], pd.array([1, 0, 1, 1, None, 1], dtype="Int64"), arm=["a", "a", "b", "b", "a", None]
    )
    with pytest.warns(
        RowsDropped, match="3 of 6 rows dropped: 1 for missing time, 1 for missing event, 1 for missing arm"
    ) as told:
        curves = kaplan_meier(held, OS, by="arm")
    assert curves["stratum"].cat.categories.tolist() == ["a", "b"]
    warning = told[0].message
    assert (warning.n_read, warning.n_used) == (6, 3)
    assert warning.dropped == {"missing time": 1, "missing event": 1, "missing arm": 1}


def test_the_cohort_is_not_changed():
    held = SEVEN.assign(arm=list("aabbaab"), w=0.5)
    before = held.copy(deep=True)
    kaplan_meier(held, OS, by="arm", weights="w")
    pd.testing.assert_frame_equal(held, before)


# --- What must be refused


BAD_ROWS = [
    ({"time": [-1.0, 2, -3]}, "time column 'time': negative values (-1, -3) in 2 rows (1, 3)"),
    ({"time": [np.inf, 2, 3]}, "time column 'time': infinite values in 1 row (1)"),
    ({"time": ["1", "2", "x"]}, "time column 'time': 3 values are not numbers"),
    ({"time": pd.to_datetime(["2020-01-01"] * 3)}, "holds dates or time spans; a time must be a number"),
    ({"time": [0.0, 0.0, 0.0]}, "every follow-up time is 0; nobody was followed"),
    (
        {"event": [1, 2, 1]},
        "event column 'event': values 1, 2, expected 0 and 1; read with event_codes={'event': {1: 0, 2: 1}}",
    ),
    ({"event": [0, 1, 2]}, "several causes belong in CompetingEndpoint and cumulative_incidence"),
    ({"event": [0.0, 0.5, 1.0]}, "values 0, 0.5, 1, not binary"),
    ({"event": ["dead", "alive", "dead"]}, "read with event_codes={'event': {'dead': 1, 'alive': 0}}"),
    ({"event": ["0", "1", "0"]}, "3 values are text, not 0 and 1"),
    ({"w": [1.0, 0.0, -2.0]}, "weights column 'w': zero or negative in 2 rows (2, 3); weights must be positive"),
    ({"entry": [0.0, 2.0, 4.0]}, "entry is at or after 'time' in 2 rows (2, 3)"),
    ({"entry": [0.0, -1.0, 0.0]}, "entry column 'entry': negative values (-1) in 1 row (2)"),
    ({"time": [np.nan] * 3}, "no rows left: 3 dropped for missing time"),
]


@pytest.mark.parametrize(("change", "words"), BAD_ROWS, ids=[words[:40] for _, words in BAD_ROWS])
def test_rows_that_cannot_be_used_are_named(change, words):
    held = frame([1.0, 2, 3], [1, 0, 1], w=1.0, entry=0.0).assign(**change)
    with pytest.raises(CohortError, match=re.escape(words)):
        kaplan_meier(held, LATE, weights="w")


def test_all_faults_are_told_at_once():
    with pytest.raises(CohortError, match="negative values") as told:
        kaplan_meier(frame([-1.0, 2], [1, 2]), OS)
    assert len(told.value.problems) == 2


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (SEVEN.rename(columns={"time": "tmie"}), "no column 'time'; did you mean 'tmie'?"),
        (SEVEN.iloc[:0], "the cohort has no rows"),
        (pd.concat([SEVEN, SEVEN[["time"]]], axis=1), "column 'time' stands 2 times"),
        (SEVEN.to_dict(), "expected a pandas DataFrame, got dict"),
    ],
)
def test_frames_that_cannot_be_used_are_refused(held, words):
    with pytest.raises(CohortError, match=re.escape(words)):
        kaplan_meier(held, OS)


def test_a_measurement_is_no_stratum():
    held = frame(np.arange(1.0, 41), 1, mg=np.linspace(0.6, 1.1, 40))
    with pytest.raises(CohortError, match="40 different numbers: a measurement, not groups; cut it first"):
        kaplan_meier(held, OS, by="mg")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"conf_level": 95}, "conf_level=95 must lie between 0 and 1; did you mean 0.95"),
        ({"conf_level": 1}, "conf_level=1 must lie between 0 and 1"),
        ({"conf_level": 0.0}, "must lie between 0 and 1"),
        ({"conf_level": float("nan")}, "must lie between 0 and 1"),
        ({"conf_level": "0.95"}, "must lie between 0 and 1"),
        ({"conf_level": True}, "must lie between 0 and 1"),
        ({"conf_type": "loglog"}, "conf_type='loglog'; choose 'log-log', 'log' or 'plain'; did you mean 'log-log'?"),
        ({"engine": "numpy"}, "engine='numpy'; choose 'auto', 'lifelines' or 'kernel'"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, words):
    with pytest.raises(InputError, match=re.escape(words)):
        kaplan_meier(SEVEN, OS, **options)
