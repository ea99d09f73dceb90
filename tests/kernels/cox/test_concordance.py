"""Concordance against its definition, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.cox.concordance import concordance_influence, jackknife_error
from tests.reference import rows


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_counts_are_those_of_all_pairs(seed: int, late: bool, stratified: bool) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    score, event = rng.integers(0, 6, n).astype(float), rng.random(n) < 0.6
    entry = rng.integers(0, 3, n).astype(float) if late else np.full(n, -np.inf)
    time = np.maximum(entry, 0) + rng.integers(1, 6, n)
    strata = rng.integers(0, 3, n) if stratified else np.zeros(n, dtype=int)
    weights, time_weights = rng.uniform(0.5, 2, n), rng.uniform(0.5, 2, n)
    result = concordance_influence(
        score, time, event, entry=entry, strata=strata, weights=weights, time_weights=time_weights
    )
    expected = np.zeros((3, n))
    for i in np.flatnonzero(event):
        for j in range(n):
            later = time[j] > time[i] or (time[j] == time[i] and not event[j])
            if strata[i] == strata[j] and entry[j] < time[i] and later:
                kind = 0 if score[i] > score[j] else 1 if score[i] < score[j] else 2
                expected[kind, i] += weights[j] * time_weights[i]
                expected[kind, j] += weights[i] * time_weights[i]
    for ours, theirs in zip((result.concordant, result.discordant, result.tied), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_aml_counts() -> None:
    # 24 concordant, 14 discordant, 2 tied pairs, counted by hand for the maintained group with these scores
    maintained = rows("aml").iloc[:11]
    score = np.array([1.0, 6, 2, 7, 3, 7, 3, 8, 4, 4, 5])
    time, event = maintained["time"].to_numpy(float), maintained["status"].to_numpy(bool)
    result = concordance_influence(-score, time, event)
    assert [result.concordant.sum() / 2, result.discordant.sum() / 2, result.tied.sum() / 2] == [24, 14, 2]


def test_clusters_of_one_change_nothing_and_no_pair_has_no_answer() -> None:
    rng = np.random.default_rng(1)
    score, time, event = rng.normal(size=30), rng.random(30), rng.random(30) < 0.5
    counts = concordance_influence(score, time, event)
    plain = jackknife_error(counts, np.ones(30))
    assert jackknife_error(counts, np.ones(30), np.arange(30)) == pytest.approx(plain)
    alone = concordance_influence(score[:1], time[:1], np.ones(1, dtype=bool))
    assert np.isnan(jackknife_error(alone, np.ones(1))).all()
