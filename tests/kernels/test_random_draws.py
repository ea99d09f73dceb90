"""The random words: splitmix64's own sequence, and even over their range."""

from __future__ import annotations

import numpy as np

from analysis.kernels.random_draws import GOLDEN, random_halves, random_words


def test_they_are_the_upper_halves_of_splitmix64():
    # the first numbers of Vigna's splitmix64.c from the seed 1234567
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    with np.errstate(over="ignore"):
        counter = np.uint64(1234567) + np.arange(1, 5, dtype=np.uint64) * GOLDEN
    assert random_words(counter).tolist() == [word >> 32 for word in published]
    upper, lower = random_halves(counter)
    assert ((upper << np.uint64(32)) | lower).tolist() == published


def test_they_fill_their_range_evenly():
    with np.errstate(over="ignore"):
        halves = random_halves(np.arange(160_000, dtype=np.uint64) * GOLDEN)
    for words in halves:
        counts = np.bincount((words >> np.uint64(28)).astype(np.int64), minlength=16)
        assert ((counts - 10_000) ** 2 / 10_000).sum() < 44.26  # chi-square of 15 df, 0.0001
