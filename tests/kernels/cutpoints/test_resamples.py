"""Searches and hazard ratios on resamples: those of the repeated rows, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cutpoints import resamples
from analysis.kernels.cutpoints.resamples import cut_of_resamples, grouped_log_hazard_ratios
from analysis.kernels.cutpoints.scan import cut_rows, first_maximum, logrank_scores, standardised


@pytest.mark.parametrize("digits", [1, 6])
def test_the_cut_of_a_resample_is_that_of_its_rows(digits, monkeypatch):
    rng = np.random.default_rng(4)
    marker, time = np.sort(rng.normal(size=60).round(digits)), rng.exponential(5.0, 60).round(1)
    event = rng.random(60) < 0.6
    counts = rng.multinomial(45, np.full(60, 1 / 60), size=8).astype(float)
    monkeypatch.setattr(resamples, "MOST_CELLS", 150)  # several batches
    result = cut_of_resamples(marker, time, event, counts, min_fraction=0.2, max_fraction=0.8)
    for index in range(8):
        again = np.repeat(np.arange(60), counts[index].astype(int))
        rows = cut_rows(marker[again], time[again], event[again], min_fraction=0.2, max_fraction=0.8)
        statistic = standardised(logrank_scores(rows.time, rows.event), rows.n_low)
        assert result[index] == rows.cut[first_maximum(statistic)]


def test_a_resample_that_holds_one_value_or_no_event_has_no_cut():
    marker, time, event = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]), np.array([True, False, False])
    counts = np.array([[3.0, 0.0, 0.0], [0.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
    result = cut_of_resamples(marker, time, event, counts, min_fraction=0.1, max_fraction=0.9)
    assert np.isnan(result).tolist() == [True, True, False]


@pytest.mark.parametrize("ties", [False, True])
def test_resampled_groupings_are_those_of_repeated_rows(ties):
    rng = np.random.default_rng(5)
    time, event = rng.exponential(10.0, 40), rng.random(40) < 0.7
    time = np.ceil(time) if ties else time
    counts = rng.multinomial(40, np.full(40, 1 / 40), size=6).astype(float)
    high = rng.random((6, 40)) < 0.4
    coef, std_error = grouped_log_hazard_ratios(time, event, high, counts)
    for index in range(6):
        again = np.repeat(np.arange(40), counts[index].astype(int))
        x = high[index][again][:, None].astype(float)
        expected, covariance, _ = fit_arrays(x, time[again], event[again])
        assert_allclose([coef[index], std_error[index]], [expected[0], covariance[0, 0] ** 0.5], rtol=1e-7)


def test_groupings_without_events_have_no_hazard_ratio():
    coef, std_error = grouped_log_hazard_ratios(np.arange(1.0, 5), np.zeros(4, dtype=bool), np.eye(4, dtype=bool))
    assert np.isnan(coef).all()
    assert np.isnan(std_error).all()
