"""Many rows counted straight from their columns: the same results, words and refusals as row by row."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis import (
    Endpoint,
    kaplan_meier,
    logrank_test,
    logrank_trend,
    median_follow_up,
    pairwise_logrank,
    risk_table,
)
from analysis.survival.rows import one_pass, read_counts

OS = Endpoint("os", "dead")
N = 40
FRAMES = {
    "kaplan_meier": lambda cohort, by="arm": kaplan_meier(cohort, OS, by=by, engine="kernel"),
    "kaplan_meier of all": lambda cohort, by="arm": kaplan_meier(cohort, OS, engine="kernel"),
    "pairwise_logrank": lambda cohort, by="arm": pairwise_logrank(cohort, OS, by=by),
    "median_follow_up": lambda cohort, by="arm": median_follow_up(cohort, OS, by=by),
    "risk_table": lambda cohort, by="arm": risk_table(cohort, OS, times=[0, 0.3, 2, 99], by=by),
}
TESTS = {
    "logrank_test": lambda cohort, by="arm": logrank_test(cohort, OS, by=by),
    "stratified": lambda cohort, by="arm": logrank_test(cohort, OS, by=by, strata=["site", "sex"]),
    "weighted": lambda cohort, by="arm": logrank_test(cohort, OS, by=by, weighting="peto"),
    "logrank_trend": lambda cohort, by="arm": logrank_trend(cohort, OS, by=by),
}


def count_in_one_pass_from(patch, n_rows):
    """Cohorts of so many rows are counted in one pass over their columns."""
    for module in (one_pass, sys.modules["analysis.survival.rows.survival_data"]):
        patch.setattr(module, "MANY_ROWS", n_rows)


def two_ways(run, cohort, **options):
    """What a function gives and says, row by row and in one pass."""
    answers = []
    for many in (10**9, 1):
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            count_in_one_pass_from(patch, many)
            try:
                answer = run(cohort, **options)
            except ValueError as error:
                answer = (type(error), str(error))
        answers.append((answer, [(each.category, str(each.message)) for each in said]))
    return answers


def in_one_pass(cohort):
    """Whether the columns need no closer look."""
    with pytest.MonkeyPatch.context() as patch:
        count_in_one_pass_from(patch, 1)
        return read_counts(cohort, OS, by="arm").rows is None


def rows(draw, values):
    return draw(st.lists(values, min_size=N, max_size=N))


@st.composite
def cohorts(draw):
    """Sound columns of many kinds, with missing values, levels nobody has, and times that differ by rounding."""
    whole = st.sampled_from([0, 1, 2, 2, 3, 9])
    fractions = st.sampled_from([0.0, 0.3, 0.1 + 0.2, 1.5, 7.25, np.nan])
    labels = {
        "text": st.sampled_from(["b", "a", "c"]),
        "numbers": st.sampled_from([2, 10, 1]),
        "missing": st.sampled_from(["b", "a", None]),
    }[draw(st.sampled_from(["text", "numbers", "missing"]))]
    arm = pd.Series(rows(draw, labels))
    if arm.dtype == object and draw(st.booleans()):
        arm = arm.astype(pd.CategoricalDtype(["nobody", "c", "b", "a"]))
    event = st.sampled_from([0, 1] if draw(st.booleans()) else [0.0, 1.0, np.nan])
    return pd.DataFrame(
        {
            "os": rows(draw, draw(st.sampled_from([whole, fractions]))),
            "dead": rows(draw, event),
            "arm": arm,
            "site": rows(draw, st.sampled_from(["x", "y"])),
            "sex": rows(draw, st.sampled_from([0, 1])),
        }
    )


@pytest.mark.parametrize("name", FRAMES)
@given(cohorts())
@settings(deadline=None, max_examples=25)
def test_frames_are_the_same_to_the_last_bit(name, cohort):
    (slow, said_slowly), (fast, said_fast) = two_ways(FRAMES[name], cohort)
    assert said_fast == said_slowly
    if isinstance(slow, tuple):
        assert fast == slow
    else:
        assert_frame_equal(fast, slow, check_exact=True)


@pytest.mark.parametrize("name", TESTS)
@given(cohorts())
@settings(deadline=None, max_examples=25)
def test_tests_are_the_same_to_the_last_bit(name, cohort):
    (slow, said_slowly), (fast, said_fast) = two_ways(TESTS[name], cohort)
    assert said_fast == said_slowly
    if isinstance(slow, tuple):
        assert fast == slow
        return
    assert_frame_equal(fast.groups, slow.groups, check_exact=True)
    for each in ("statistic", "df", "p_value", "n_read", "n_used", "dropped"):
        np.testing.assert_equal(getattr(fast, each), getattr(slow, each))


def cohort(**columns):
    """A sound cohort, some columns replaced."""
    place = np.arange(N)
    sound = {"os": 1 + place % 7, "dead": place % 3 % 2, "arm": np.where(place % 2, "a", "b"), "site": "x", "sex": 1}
    return pd.DataFrame({**sound, **columns})


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"os": (1 + np.arange(N) % 7).astype(np.int32)},
        {"os": pd.array([1, 2, None, 4] * 10, dtype="Int64")},
        {"os": (1 + np.arange(N)) / 30.4375},
        {"dead": np.arange(N) % 2 == 0},
        {"dead": pd.array([True, False, None, True] * 10, dtype="boolean")},
        {"arm": np.arange(N) % 3},
        {"arm": pd.array(["u", "v", None, "v"] * 10, dtype="string")},
        {"arm": np.arange(N) % 2 == 0},
    ],
)
def test_columns_of_every_sound_type_take_one_pass(columns):
    assert in_one_pass(cohort(**columns))
    for run in (FRAMES["kaplan_meier"], FRAMES["risk_table"]):
        (slow, said_slowly), (fast, said_fast) = two_ways(run, cohort(**columns))
        assert said_fast == said_slowly
        assert_frame_equal(fast, slow, check_exact=True)


@pytest.mark.parametrize(
    "columns",
    [
        {"os": [-1] + [2] * (N - 1), "dead": [2] + [1] * (N - 1)},
        {"os": [np.inf] + [2.5] * (N - 1)},
        {"os": 0},
        {"os": np.nan},
        {"os": "12 days"},
        {"dead": ["yes", "no"] * (N // 2)},
        {"dead": [0, 2] * (N // 2)},
        {"dead": np.nan},
        {"dead": 0},
        {"arm": np.arange(N) / 7},
        {"arm": [1, "1"] * (N // 2)},
        {"arm": None},
        {"arm": "a"},
    ],
)
@pytest.mark.parametrize("name", [*FRAMES, *TESTS])
def test_faults_are_told_in_the_same_words(columns, name):
    (slow, said_slowly), (fast, said_fast) = two_ways({**FRAMES, **TESTS}[name], cohort(**columns))
    assert said_fast == said_slowly
    if isinstance(slow, tuple):
        assert fast == slow
    elif name in FRAMES:
        assert_frame_equal(fast, slow, check_exact=True)


@pytest.mark.parametrize("name", [*FRAMES, *TESTS])
@pytest.mark.parametrize("given_cohort", [None, [1, 2], cohort().drop(columns="os"), cohort().iloc[:0]])
def test_frames_that_are_none_are_refused_alike(name, given_cohort):
    (slow, _), (fast, _) = two_ways({**FRAMES, **TESTS}[name], given_cohort)
    assert isinstance(slow, tuple)
    assert fast == slow


def test_late_entry_weights_and_lifelines_look_at_the_rows(monkeypatch):
    count_in_one_pass_from(monkeypatch, 1)
    table = cohort(w=2, entry=0.5)
    late = Endpoint("os", "dead", entry="entry")
    assert read_counts(table, late, by="arm").rows is not None
    assert (kaplan_meier(table, late, by="arm")["n_risk"].iloc[0]) == 0
    assert kaplan_meier(table, OS, weights="w")["n_risk"].iloc[0] == 2 * N
    rows_of_lifelines = []
    module = sys.modules["analysis.survival.curves.kaplan_meier"]
    by_rows = module._lifelines
    monkeypatch.setattr(
        module, "_lifelines", lambda data, counts: rows_of_lifelines.append(data.n_used) or by_rows(data, counts)
    )
    by_lifelines = kaplan_meier(table, OS, engine="lifelines")
    assert rows_of_lifelines == [N]
    np.testing.assert_allclose(by_lifelines["survival"], kaplan_meier(table, OS, engine="kernel")["survival"])


def test_missing_strata_are_counted_row_by_row():
    table = cohort(site=["x", "y", None, "y", "x"] * 8)
    (slow, _), (fast, _) = two_ways(TESTS["stratified"], table)
    assert fast.dropped == slow.dropped == {"missing site": 8}
    assert fast.statistic == slow.statistic


def test_the_cohort_is_not_changed(monkeypatch):
    count_in_one_pass_from(monkeypatch, 1)
    table = cohort(os=np.arange(1, N + 1) / 3)
    before = table.copy(deep=True)
    kaplan_meier(table, OS, by="arm", engine="kernel")
    logrank_test(table, OS, by="arm")
    assert_frame_equal(table, before)


def test_a_cohort_of_usual_size_imports_no_compiler():
    lines = [
        "import sys, numpy as np, pandas as pd",
        "from analysis import Endpoint, kaplan_meier, logrank_test",
        "cohort = pd.DataFrame({'t': np.arange(60_000) % 99 + 1, 'e': 1, 'g': np.arange(60_000) % 2})",
        "kaplan_meier(cohort, Endpoint('t', 'e'), by='g')",
        "logrank_test(cohort, Endpoint('t', 'e'), by='g')",
        "assert not {'numba', 'lifelines'} & set(sys.modules)",
    ]
    assert subprocess.run([sys.executable, "-c", "\n".join(lines)], check=False).returncode == 0
