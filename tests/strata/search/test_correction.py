"""What a search may claim: closed p-values within bounds, the correction and the size of resamples by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.kernels.tails import two_sided
from analysis.strata.search.correction import (
    Effect,
    corrected,
    cut_range,
    lausen_1992,
    lausen_1994,
    less_optimism,
    searched_gain,
)


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


# --- The correction


@pytest.mark.parametrize(("naive", "estimate"), [(0.8, 0.8 - 0.35), (-0.8, -0.8 + 0.35)])
def test_an_effect_is_corrected_towards_zero_by_what_the_search_added_twice_less_what_it_added_again(naive, estimate):
    added, added_again = np.array([0.2, 0.4, np.nan, 0.3]), np.array([0.1, np.nan, 0.3, 0.35])  # means 0.3 and 0.25
    effect = less_optimism(Effect(naive, 0.3), added, added_again, np.array([0.5, 0.9, np.nan, 0.1]))
    assert effect.estimate == pytest.approx(estimate)
    variance = ((0.5 - 0.5) ** 2 + (0.9 - 0.5) ** 2 + (0.1 - 0.5) ** 2) / 3
    assert effect.std_error == pytest.approx((0.3**2 + variance / 2) ** 0.5)


def test_without_an_effect_in_any_resample_nothing_is_known():
    nothing = np.full(3, np.nan)
    effect = less_optimism(Effect(0.8, 0.3), nothing, nothing, nothing)
    assert np.isnan([effect.estimate, effect.std_error]).all()


class FixedScan:
    """A scan of four rows that counts the rows of its resamples, whose cut and effects are known beforehand."""

    marker = np.array([1.0, 2.0, 3.0, 4.0])

    def __init__(self, cut=2.0):
        self.cut, self.resamples = cut, []

    def cuts_of(self, counts):
        self.resamples.append(counts)
        return np.full(len(counts), self.cut)

    def hazard_of(self, high, counts=None):
        """0.1 a row in the high group, and 1 more in a resample with the first row."""
        effect = 0.1 * high.sum(axis=1)
        return (effect if counts is None else effect + (counts[:, 0] > 0)), np.full(len(high), 0.5)


def test_what_a_search_adds_is_its_effect_in_the_resample_less_that_of_the_same_cut_where_it_was_drawn_from():
    counts = np.array([[1.0, 1, 1, 1], [0, 2, 1, 1]])
    gain, elsewhere = searched_gain(FixedScan(), counts, None)
    assert gain == pytest.approx([1.0, 0.0])
    assert elsewhere == pytest.approx([0.2, 0.2])
    gain, elsewhere = searched_gain(FixedScan(), counts, counts[::-1])
    assert gain == pytest.approx([1.0, -1.0])
    assert elsewhere == pytest.approx([0.2, 1.2])


def test_second_resamples_are_drawn_from_first_ones_and_both_hold_as_many_rows():
    scan = FixedScan()
    effect = corrected(scan, Effect(0.5, 0.1), np.random.SeedSequence(1), n_bootstrap=200)
    first, second = scan.resamples
    assert first.shape == second.shape == (200, 4)
    assert (first.sum(axis=1) == 4).all()
    assert (second.sum(axis=1) == 4).all()
    assert ((second > 0) <= (first > 0)).all()
    added, added_again = (first[:, 0] > 0).mean(), (second[:, 0] > 0).mean() - (first[:, 0] > 0).mean()
    assert effect.estimate == pytest.approx(0.5 - (2 * added - added_again))


@pytest.mark.parametrize(("n", "size"), [(2, 2), (32, 16), (480, 140), (1024, 256)])  # 32**0.8 = 16, 1024**0.8 = 256
def test_resamples_for_the_range_of_a_cut_hold_n_to_the_power_of_four_fifths_rows(n, size):
    scan = FixedScan()
    scan.marker = np.arange(float(n))
    assert cut_range(scan, np.random.SeedSequence(1), n_bootstrap=5, conf_level=0.95) == (2.0, 2.0)
    (counts,) = scan.resamples
    assert counts.sum(axis=1).tolist() == [size] * 5
