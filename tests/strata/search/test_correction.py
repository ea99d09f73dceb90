"""Closed p-values of a maximum: within bounds, falling, and no correction where nothing was searched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.kernels.tails import two_sided
from analysis.strata.search.correction import lausen_1992, lausen_1994


@given(st.floats(0, 60), st.floats(0.01, 0.45))
def test_p_values_are_probabilities(statistic, fraction):
    n_low = np.arange(1 + int(100 * fraction), 100 - int(100 * fraction))
    values = [
        lausen_1992(statistic, min_fraction=fraction, max_fraction=1 - fraction),
        lausen_1994(statistic, n_low=n_low, n=100),
    ]
    assert all(0 <= value <= 1 for value in values)


@pytest.mark.parametrize("statistic", [0.5, 1.96, 4.0])
def test_one_cut_is_an_ordinary_test(statistic):
    assert lausen_1994(statistic, n_low=np.array([30]), n=100) == pytest.approx(two_sided(statistic))


def test_more_cuts_cost_more():
    few, many = np.array([30, 60]), np.arange(10, 91)
    assert two_sided(3.0) < lausen_1994(3.0, n_low=few, n=100) < lausen_1994(3.0, n_low=many, n=100) < 0.2
    narrow = lausen_1992(3.0, min_fraction=0.4, max_fraction=0.6)
    assert narrow < lausen_1992(3.0, min_fraction=0.05, max_fraction=0.95)


def test_no_statistic_is_no_evidence():
    assert lausen_1992(0.0, min_fraction=0.1, max_fraction=0.9) == 1
