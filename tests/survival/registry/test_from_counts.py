"""Counts of a cohort, wherever it lies, and what is estimated from them: the row-level result to the last bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis import (
    EarlyZero,
    Endpoint,
    InputError,
    add_counts,
    event_counts,
    kaplan_meier,
    kaplan_meier_from_counts,
    logrank_test,
    logrank_test_from_counts,
    restricted_mean,
    risk_table,
    risk_table_from_counts,
)

PLAIN, LATE = Endpoint("time", "event"), Endpoint("time", "event", entry="entry")
AT = [0, 0.5, 1, 2, 2.0000001, 6, 11, 40]
quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@st.composite
def cohorts(draw: st.DrawFn) -> pd.DataFrame:
    """A cohort with ties, near-ties, entry times, missing values and two hospitals; its groups ordered or text."""
    n, seed = draw(st.integers(1, 40)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, draw(st.integers(1, 5)), n) / 2
    time = entry + rng.integers(1, draw(st.integers(2, 20)), n) / 2
    rows = pd.DataFrame(
        {
            "time": time * (1 + draw(st.sampled_from([0, 1e-12, 3e-9])) * rng.integers(-1, 2, n)),
            "event": (rng.random(n) < draw(st.sampled_from([0.2, 0.7, 1]))).astype(float),
            "entry": entry,
            "arm": pd.Categorical(rng.choice(["low", "mid", "high"], n), categories=["low", "mid", "high", "none"]),
            "hospital": rng.choice(["north", "south"], n),
        }
    )
    if draw(st.booleans()):
        rows["arm"] = rows["arm"].astype(str)
    for column in draw(st.sets(st.sampled_from(["time", "event", "entry", "arm"]))):
        rows.loc[rng.random(n) < 0.15, column] = np.nan
    return rows


def attempt(work, *arguments, **options):
    """A result, or the first words of the fault that was told instead."""
    try:
        return work(*arguments, **options)
    except InputError as error:
        return type(error).__name__, str(error).split(":")[0]


def counted(rows: pd.DataFrame, endpoint: Endpoint) -> list[pd.DataFrame]:
    """The counts of each hospital that has any to give."""
    parts = [attempt(event_counts, part, endpoint, by="arm") for _, part in rows.groupby("hospital")]
    return [part for part in parts if isinstance(part, pd.DataFrame)]


@quiet
@settings(deadline=None, max_examples=150)
@given(rows=cohorts(), endpoint=st.sampled_from([PLAIN, LATE]))
def test_what_is_estimated_from_counts_equals_the_row_level_result(rows: pd.DataFrame, endpoint: Endpoint) -> None:
    counts = attempt(event_counts, rows, endpoint, by="arm")
    curves = attempt(kaplan_meier, rows, endpoint, by="arm", engine="kernel")
    if isinstance(counts, tuple):
        assert counts == curves
        return
    pd.testing.assert_frame_equal(kaplan_meier_from_counts(counts), curves, check_exact=True)
    pd.testing.assert_frame_equal(
        risk_table_from_counts(counts, times=AT), risk_table(rows, endpoint, times=AT, by="arm"), check_exact=True
    )
    same_test(attempt(logrank_test_from_counts, counts), attempt(logrank_test, rows, endpoint, by="arm"))


@quiet
@settings(deadline=None, max_examples=100)
@given(rows=cohorts(), endpoint=st.sampled_from([PLAIN, LATE]))
def test_hospitals_add_up_to_the_pooled_rows(rows: pd.DataFrame, endpoint: Endpoint) -> None:
    whole, parts = attempt(event_counts, rows, endpoint, by="arm"), counted(rows, endpoint)
    if isinstance(whole, tuple) or sum(part["n_entry"].sum() for part in parts) < whole["n_entry"].sum():
        return
    pd.testing.assert_frame_equal(add_counts(*parts), whole)
    pd.testing.assert_frame_equal(add_counts(*parts[::-1]), whole)
    within = attempt(logrank_test, rows, endpoint, by="arm", strata="hospital")
    same_test(attempt(logrank_test_from_counts, *parts), within)


def same_test(found: object, wanted: object) -> None:
    """Two tests that are equal to the last bit, or the same fault."""
    if isinstance(wanted, tuple):
        assert found[0] == wanted[0]
        return
    assert (found.df, found.n_used, found.test) == (wanted.df, wanted.n_used, wanted.test)
    np.testing.assert_array_equal([found.statistic, found.log10_p], [wanted.statistic, wanted.log10_p])
    pd.testing.assert_frame_equal(found.groups, wanted.groups, check_exact=True)


@pytest.mark.parametrize("weighting", ["gehan-breslow", "tarone-ware", "peto", "modified-peto", "fleming-harrington"])
def test_weighted_tests_equal_those_of_the_rows(weighting: str) -> None:
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        {"time": rng.integers(1, 30, 200), "event": rng.integers(0, 2, 200), "arm": [1, 2, 10, 11] * 50}
    )
    rho = 1.0 if weighting == "fleming-harrington" else 0.0
    found = logrank_test_from_counts(event_counts(rows, PLAIN, by="arm"), weighting=weighting, rho=rho)
    same_test(found, logrank_test(rows, PLAIN, by="arm", weighting=weighting, rho=rho))
    assert list(found.groups["stratum"]) == ["1", "2", "10", "11"]


def test_restricted_means_and_other_levels_work_on_curves_from_counts() -> None:
    rows = pd.DataFrame({"time": [2, 3, 3, 5, 8.0], "event": [1, 0, 1, 0, 1]})
    curves = kaplan_meier_from_counts(event_counts(rows, PLAIN), conf_level=0.9, conf_type="log")
    pd.testing.assert_frame_equal(curves, kaplan_meier(rows, PLAIN, conf_level=0.9, conf_type="log", engine="kernel"))
    # 2 + 0.8 + 2 * 0.6, by hand
    assert restricted_mean(curves, 5)["restricted_mean"].tolist() == pytest.approx([4.0])


def test_early_zero_is_told() -> None:
    rows = pd.DataFrame({"time": [1.0, 5], "event": [1, 1], "entry": [0.0, 2]})
    with pytest.warns(EarlyZero, match="all at risk had the event"):
        kaplan_meier_from_counts(event_counts(rows, LATE))


def test_times_that_two_hospitals_round_differently_are_one_time() -> None:
    rows = pd.DataFrame({"time": [0.1 + 0.2, 1, 0.3, 2], "event": 1, "place": list("aabb")})
    a, b = (event_counts(part, PLAIN) for _, part in rows.groupby("place"))
    together = add_counts(a, b)
    assert len(together) == 5
    pd.testing.assert_frame_equal(kaplan_meier_from_counts(together), kaplan_meier(rows, PLAIN, engine="kernel"))


def test_an_exit_just_after_zero_is_no_tie_with_entries_at_zero():
    """Nobody enters late, so time 0 is no time of the cohort, and 1e-9 is not merged into it."""
    cohort = pd.DataFrame({"time": [1e-9, 5.0, 20.0, 35.0], "event": [1, 0, 1, 0]})
    curve = kaplan_meier_from_counts(event_counts(cohort, PLAIN))
    assert curve["time"].tolist() == [0.0, 1e-9, 5.0, 20.0, 35.0]
    assert curve["n_event"].tolist() == [0, 1, 0, 1, 0]
    assert curve["survival"].tolist()[:2] == [1.0, 0.75]
    assert_frame_equal(curve, kaplan_meier(cohort, PLAIN, engine="kernel"))
