"""Resamples as counts: against counting one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.random_draws import times_drawn


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(0, 5), st.integers(1, 12), st.integers(0, 99))
def test_counts_are_those_of_counting(n, size, m, seed):
    drawn = np.random.default_rng(seed).integers(0, n, (size, m))
    counts = times_drawn(drawn, n)
    assert counts.shape == (size, n)
    assert counts.tolist() == [[int((row == k).sum()) for k in range(n)] for row in drawn]
