"""Concordance by hand, by what must not change it, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import CohortError, Endpoint, InputError, NotEstimable, NotSupported, RowsDropped, concordance

PLAIN = Endpoint("time", "event")
FIVE = pd.DataFrame({"time": [1, 2, 2, 3, 4], "event": [1, 1, 0, 0, 1], "score": [3.0, 1.0, 1.0, 2.0, 0.0]})


def test_by_hand() -> None:
    # the first outlives nobody: 4 pairs, all concordant; the second has the censored one at its own time (tied score)
    # and those at 3 (discordant) and 4 (concordant): 7 pairs, 5 right, 1 tied
    found = concordance(FIVE, PLAIN, "score")
    assert found.concordance == pytest.approx((5 + 0.5) / 7)
    assert (found.n_read, found.n_used, found.dropped) == (5, 5, {})


def test_uno_by_hand() -> None:
    # G(1-) = 1, G(2-) = 1: both events that are followed count once; weights of the last event never enter a pair
    assert concordance(FIVE, PLAIN, "score", weighting="uno").concordance == pytest.approx(5.5 / 7)
    # one censoring at 1 of 4 at risk then: the event at 2 counts (4/3)^2
    cohort = pd.DataFrame({"time": [0.5, 1, 2, 3, 4], "event": [1, 0, 1, 0, 0], "score": [1.0, 0, 2, 3, 0]})
    first, second = (2 * 1 + 0 * 2), 1 * (4 / 3) ** 2  # concordant: 1 > 0 twice; at 2: 2 > 0 once, 2 < 3 once
    assert concordance(cohort, PLAIN, "score", weighting="uno").concordance == pytest.approx(
        (first + second) / (4 + 2 * (4 / 3) ** 2)
    )


def test_without_censoring_uno_is_harrell() -> None:
    rng = np.random.default_rng(0)
    cohort = pd.DataFrame({"time": rng.random(40), "event": 1, "score": rng.integers(0, 5, 40)})
    harrell, uno = (concordance(cohort, PLAIN, "score", weighting=name) for name in ("harrell", "uno"))
    assert uno.concordance == pytest.approx(harrell.concordance, rel=1e-12)
    assert uno.std_error == pytest.approx(harrell.std_error, rel=1e-12)


@pytest.mark.parametrize("weighting", ["harrell", "uno"])
def test_order_scale_and_sign(weighting: str) -> None:
    rng = np.random.default_rng(1)
    cohort = pd.DataFrame({"time": rng.integers(1, 9, 50), "event": rng.random(50) < 0.7, "score": rng.random(50)})
    before = cohort.copy(deep=True)
    found = concordance(cohort, PLAIN, "score", weighting=weighting)
    moved = cohort.sample(frac=1, random_state=2).assign(score=lambda rows: np.exp(rows["score"]) * 3)
    again = concordance(moved, PLAIN, "score", weighting=weighting)
    flipped = concordance(cohort.assign(score=-cohort["score"]), PLAIN, "score", weighting=weighting)
    assert (again.concordance, again.std_error) == pytest.approx((found.concordance, found.std_error), rel=1e-12)
    assert (1 - flipped.concordance, flipped.std_error) == pytest.approx((found.concordance, found.std_error))
    pd.testing.assert_frame_equal(cohort, before)


def test_strata_keep_pairs_apart_and_missing_scores_are_counted() -> None:
    both = pd.concat([FIVE.assign(site=1), FIVE.assign(site=2, time=FIVE["time"] + 9)], ignore_index=True)
    assert concordance(both, PLAIN, "score", strata="site").concordance == pytest.approx(5.5 / 7)
    assert concordance(both, PLAIN, "score").concordance != pytest.approx(5.5 / 7)
    with_gap = pd.concat([FIVE, FIVE.head(1).assign(score=np.nan)], ignore_index=True)
    with pytest.warns(RowsDropped, match="1 of 6 rows dropped: 1 for missing score"):
        found = concordance(with_gap, PLAIN, "score")
    assert found.dropped == {"missing score": 1}


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({}, {"weighting": "uni"}, InputError, "weighting='uni'; choose"),
        ({"event": 0}, {}, NotEstimable, "no two of 5 rows can be compared: 0 events"),
        ({"time": 3, "event": 1}, {}, NotEstimable, "5 events, nobody at risk after one"),
        ({"score": "high"}, {}, CohortError, "column 'score': 5 values are not numbers"),
        ({"site": 1}, {"weighting": "uno", "strata": "site"}, NotSupported, "not defined with entry times or strata"),
    ],
)
def test_refused(change: dict[str, object], options: dict[str, str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        concordance(FIVE.assign(**change), PLAIN, "score", **options)
