"""Random draws: splitmix64's own sequence, even over their range; resamples counted one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.random_draws import GOLDEN, random_bits, random_halves, times_drawn


def test_they_are_those_of_splitmix64():
    # the first numbers of Vigna's splitmix64.c from the seed 1234567
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    with np.errstate(over="ignore"):
        counter = np.uint64(1234567) + np.arange(1, 5, dtype=np.uint64) * GOLDEN
    assert random_bits(counter).tolist() == published
    upper, lower = random_halves(counter)
    assert ((upper << np.uint64(32)) | lower).tolist() == published


def test_they_fill_their_range_evenly():
    with np.errstate(over="ignore"):
        halves = random_halves(np.arange(160_000, dtype=np.uint64) * GOLDEN)
    for words in halves:
        counts = np.bincount((words >> np.uint64(28)).astype(np.int64), minlength=16)
        assert ((counts - 10_000) ** 2 / 10_000).sum() < 44.26  # chi-square of 15 df, 0.0001


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(0, 5), st.integers(1, 12), st.integers(0, 99))
def test_counts_are_those_of_counting(n, size, m, seed):
    drawn = np.random.default_rng(seed).integers(0, n, (size, m))
    counts = times_drawn(drawn, n)
    assert counts.shape == (size, n)
    assert counts.tolist() == [[int((row == k).sum()) for k in range(n)] for row in drawn]
