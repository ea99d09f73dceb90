"""Tail probabilities against closed forms and R."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.kernels.tails import chi_square_tail, normal_quantile, two_sided


@pytest.mark.parametrize("statistic", [0.1, 3.0, 50.0, 900.0])
def test_closed_forms_for_two_and_four_degrees_of_freedom(statistic):
    half = statistic / 2
    assert chi_square_tail(statistic, 2)[1] == pytest.approx(-half / math.log(10), rel=1e-12)
    assert chi_square_tail(statistic, 4)[1] == pytest.approx((math.log1p(half) - half) / math.log(10), rel=1e-12)


# R: pchisq(x, df, lower.tail = FALSE, log.p = TRUE) / log(10)
@pytest.mark.parametrize(
    ("statistic", "df", "log10_p"),
    [(10, 1, -2.80537404407), (2000, 1, -436.043273716), (1e5, 3, -21712.3221508), (7, 9, -0.195779165757)],
)
def test_the_logarithm_of_a_p_value_that_underflows(statistic, df, log10_p):
    p_value, result = chi_square_tail(statistic, df)
    assert result == pytest.approx(log10_p, rel=1e-10)
    assert p_value == pytest.approx(10**log10_p, rel=1e-9)


def test_no_evidence_is_a_p_value_of_one():
    assert chi_square_tail(0.0, 3) == (1.0, 0.0)


def test_two_sided_is_twice_a_tail():
    assert two_sided(0.0) == 1
    assert two_sided(-1.959963984540054) == pytest.approx(0.05, rel=1e-12)
    assert math.isnan(two_sided(np.nan))


def test_quantiles_of_the_normal_distribution():
    assert normal_quantile(0.95) == pytest.approx(1.959963984540054, rel=1e-14)
    assert normal_quantile(0.9) == pytest.approx(1.6448536269514722, rel=1e-14)


def test_the_logarithm_of_a_p_value_is_never_above_zero():
    """Summed tails may exceed one by a rounding error: so they do at 39 degrees of freedom."""
    statistics = [0.002453751106639807, *np.logspace(-12, -1, 40).tolist()]
    assert max(chi_square_tail(statistic, df)[1] for statistic in statistics for df in (3, 4, 20, 39)) == 0.0
