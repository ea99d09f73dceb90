"""Counts added up, checked and written to files: by hand, in the order of their strata, with every fault."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CohortError,
    Endpoint,
    InputError,
    NotEstimable,
    add_counts,
    event_counts,
    kaplan_meier_from_counts,
    logrank_test_from_counts,
)
from analysis.errors import AnalysisWarning

PLAIN = Endpoint("time", "event")


def table(**columns) -> pd.DataFrame:
    """Counts of one stratum."""
    return pd.DataFrame({"stratum": "all", **columns})


def test_two_hospitals_by_hand() -> None:
    """Events at 2 (of 4) and 3 (of 3): S = 3/4, 1/2."""
    north, south = (
        table(time=[0, 2, 3], n_entry=[2, 0, 0], n_event=[0, 1, 0], n_censor=[0, 0, 1]),
        table(time=[0, 3, 5], n_entry=[2, 0, 0], n_event=[0, 1, 0], n_censor=[0, 0, 1]),
    )
    curve = kaplan_meier_from_counts(add_counts(north, south))
    assert curve["n_risk"].tolist() == [4, 4, 3, 1]
    assert curve["survival"].tolist() == [1, 0.75, 0.5, 0.5]


def test_counts_survive_a_file(tmp_path) -> None:
    rows = pd.DataFrame({"time": [2, 0.1 + 0.2, 3, 5], "event": [1, 0, 1, 0], "arm": list("abab")})
    counts = event_counts(rows, PLAIN, by="arm")
    counts.to_csv(tmp_path / "counts.csv", index=False)
    read = pd.read_csv(tmp_path / "counts.csv", float_precision="round_trip")
    pd.testing.assert_frame_equal(add_counts(read), counts)
    pd.testing.assert_frame_equal(kaplan_meier_from_counts(read), kaplan_meier_from_counts(counts))


@pytest.mark.parametrize(
    ("levels", "together"),
    [
        ([["high", "low"], ["mid"]], ["high", "low", "mid"]),
        ([["2", "10"], ["1", "10"]], ["1", "2", "10"]),
        ([["10", "2"], ["1"]], ["1", "10", "2"]),
        ([["low", "mid", "high"], ["high"], ["low", "no"]], ["low", "mid", "high", "no"]),
        ([["high"], ["low", "mid", "high"]], ["low", "mid", "high"]),
    ],
)
def test_strata_keep_the_order_that_hospitals_share(levels: list[list[str]], together: list[str]) -> None:
    parts = [
        pd.DataFrame(
            {
                "stratum": pd.Categorical(labels, categories=labels, ordered=True),
                "time": 0.0,
                "n_entry": 1,
                "n_event": 1,
                "n_censor": 0,
            }
        )
        for labels in levels
    ]
    for given_parts in (parts, parts[::-1]):
        assert list(add_counts(*given_parts)["stratum"].cat.categories) == together


GOOD = table(time=[0.0, 2, 3], n_entry=[2, 0, 0], n_event=[0, 1, 0], n_censor=[0, 0, 1])


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([1], "counts 1: expected the frame that event_counts returns, got list"),
        (GOOD.drop(columns="n_entry"), "no column 'n_entry'"),
        (GOOD.iloc[:0], "no rows"),
        (GOOD.assign(time=[0, -2, 3]), r"column 'time': negative in 1 row \(2\)"),
        (GOOD.assign(time=[0, np.nan, np.inf]), r"(?s)column 'time': infinite.*column 'time': missing"),
        (GOOD.assign(n_event=[0, 1.5, 0]), "column 'n_event': not whole in 1 row"),
        (GOOD.assign(n_censor=[0, -1, 1]), "column 'n_censor': negative in 1 row"),
        (GOOD.assign(n_event="x"), "3 values are not numbers"),
        (GOOD.assign(stratum=["all", None, "all"]), r"column 'stratum': missing in 1 row \(2\)"),
        (GOOD.assign(n_entry=[3, 0, 0]), "in stratum 'all': 3 enter, 2 leave"),
        (GOOD.assign(n_entry=0, n_event=0, n_censor=0), "the counts hold nobody"),
        (GOOD.assign(n_entry=[0, 0, 2]), "more leave at time 2 than are at risk"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts: pd.DataFrame, words: str) -> None:
    with pytest.raises(CohortError, match=words):
        kaplan_meier_from_counts(counts)


def test_no_counts_and_odd_options_are_refused() -> None:
    with pytest.raises(InputError, match="no counts given"):
        add_counts()
    with pytest.raises(InputError, match="no counts given"):
        logrank_test_from_counts()
    with pytest.raises(InputError, match="belong to weighting='fleming-harrington'"):
        logrank_test_from_counts(GOOD, rho=1)
    with pytest.raises(NotEstimable, match="need at least 2 groups"):
        logrank_test_from_counts(GOOD)
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        kaplan_meier_from_counts(GOOD, conf_level=95)


def test_counting_changes_nothing_that_was_given() -> None:
    rows = pd.DataFrame({"time": [2, 3, 3, 5.0], "event": [1, 0, 1, np.nan], "arm": list("abab")})
    before = rows.copy(deep=True)
    with pytest.warns(AnalysisWarning, match="1 of 4 rows dropped: 1 for missing event"):
        counts = event_counts(rows, PLAIN, by="arm")
    held = counts.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnalysisWarning)
        add_counts(counts, counts)
        logrank_test_from_counts(counts, counts)
    kaplan_meier_from_counts(counts)
    pd.testing.assert_frame_equal(rows, before)
    pd.testing.assert_frame_equal(counts, held)
