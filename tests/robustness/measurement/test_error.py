"""Errors of measurement: their mean and variance as stated, multiples of them, and the limits of a reliability."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2

from analysis import InputError, NotEstimable
from analysis.robustness.measurement.error import (
    MeasurementError,
    checked_error,
    mean_error,
    refuse_nonpositive,
    reliability,
    reliability_limits,
)


@pytest.mark.parametrize(("scale", "size"), [("relative", 0.05), ("relative", 0.8), ("absolute", 0.3)])
def test_an_error_has_mean_zero_and_the_variance_that_is_stated(scale, size):
    # a relative error multiplies by a log-normal factor of mean 1 and standard deviation `size`
    n, value = 200_000, 2.0
    measured = MeasurementError(size, scale).added(np.full(n, value), np.random.default_rng(1))
    deviation = value * size if scale == "relative" else size
    assert measured.mean() == pytest.approx(value, abs=4 * deviation / np.sqrt(n))
    assert measured.std() == pytest.approx(deviation, rel=0.03)
    assert MeasurementError(size, scale).variance_added(np.full(n, value)) == pytest.approx(deviation**2)


@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_multiples_of_an_error_multiply_its_variance(scale):
    error = MeasurementError(0.05, scale)
    assert error.times(3.0).deviation == pytest.approx(np.sqrt(3) * error.deviation)
    assert error.times(1.0).size == pytest.approx(0.05)


def test_the_scale_on_which_errors_add_and_back():
    values = np.array([0.6, 0.8, 1.1])
    for scale, expected in (("relative", np.log(values)), ("absolute", values)):
        error = MeasurementError(0.05, scale)
        assert_allclose(error.spread(values), expected)
        assert_allclose(error.unspread(expected), values)


@pytest.mark.parametrize("df", [5, 100])
def test_limits_of_a_reliability_are_those_of_a_normal_variance(df):
    low, high = reliability_limits(0.8, df, 0.9)
    # the variance v has df v / sigma^2 chi-square: sigma^2 lies between df v / chi2(0.95) and df v / chi2(0.05)
    expected = [1 - 0.2 * chi2.ppf(share, df) / df for share in (0.95, 0.05)]
    assert_allclose([low, high], expected, rtol=1e-10)


def test_an_error_as_large_as_the_spread_leaves_nothing():
    assert reliability(0.04, 0.01, "mg") == 0.75
    with pytest.raises(NotEstimable, match=r"a standard deviation of 0.2 is as large as that of 'mg' itself \(0.2\)"):
        reliability(0.04, 0.04, "mg")


def test_the_error_of_a_mean_by_hand():
    assert mean_error(np.array([1.0, 2.0, 6.0])) == pytest.approx(np.sqrt((4 + 1 + 9) / 2 / 3))
    assert np.isnan(mean_error(np.array([1.0])))


def test_faults_of_an_error_and_its_draws_are_reported_together():
    with pytest.raises(InputError, match=r"did you mean 0\.035") as raised:
        checked_error(3.5, "relative", n_draws=0, seed=-1)
    assert [problem.split("=")[0] for problem in raised.value.problems] == ["measurement_error", "n_draws", "seed"]
    assert checked_error(3.5, "absolute", n_draws=1, seed=0) == MeasurementError(3.5, "absolute")
    with pytest.raises(InputError, match=r"error_scale='share'; choose 'relative' or 'absolute'"):
        checked_error(0.1, "share", n_draws=1, seed=0)


def test_a_relative_error_needs_positive_values():
    values = np.array([0.8, 0.0, -1.0])
    refuse_nonpositive(values, MeasurementError(0.1, "absolute"), "mg")
    with pytest.raises(InputError, match=r"'mg': 2 values are zero or negative \(0, -1\).*error_scale=\"absolute\""):
        refuse_nonpositive(values, MeasurementError(0.1, "relative"), "mg")
