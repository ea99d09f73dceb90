"""Counts against their definition, and the product-limit curve by hand: seven rows, in fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.counts import life_table, one_pass
from analysis.kernels.counts.life_table import (
    areas,
    count,
    greenwood,
    interval,
    jackknife_variance,
    quantile,
    survival_curve,
)


def rows(draw, values, n):
    return np.array(draw(st.lists(values, min_size=n, max_size=n)))


@st.composite
def cohorts(draw):
    """Times (whole or not), events, entries before the times, segments and groups all in use, weights."""
    n = draw(st.integers(1, 30))
    time = rows(draw, st.integers(1, 12), n) * draw(st.sampled_from([1.0, 0.25, 1e6, 1 / 3]))
    entry = time * rows(draw, st.sampled_from([-np.inf, 0.0, 0.3, 0.9]), n)
    weights = rows(draw, st.sampled_from([0.5, 1.0, 2.25]), n)
    codes = (np.unique(rows(draw, st.integers(0, 2), n), return_inverse=True)[1] for _ in range(2))
    return time, rows(draw, st.booleans(), n), entry, weights, *codes


@given(cohorts())
@settings(deadline=None, max_examples=80)
def test_counts_follow_their_definition(cohort):
    time, event, entry, weights, segment, group = cohort
    counts = count(
        time, event, entry=entry, weights=weights, segment=segment, group=group,
        n_segments=segment.max() + 1, n_groups=group.max() + 1,
    )  # fmt: skip
    for code, index in enumerate(counts.segments):
        here = segment == code
        assert counts.time[index].tolist() == sorted(set(time[here]))
        previous = -np.inf
        for row, t in zip(range(index.start, index.stop), counts.time[index], strict=True):
            for column in range(group.max() + 1):
                mine = here & (group == column)
                expected = {
                    "n_risk": weights[mine & (entry < t) & (t <= time)].sum(),
                    "n_event": weights[mine & (time == t) & event].sum(),
                    "n_censor": weights[mine & (time == t) & ~event].sum(),
                    "n_entry": weights[mine & (entry < t) & ((entry >= previous) | (previous == -np.inf))].sum(),
                }
                got = {name: getattr(counts, name)[row, column] for name in expected}
                np.testing.assert_allclose(list(got.values()), list(expected.values()), atol=1e-12)
            previous = t


def test_without_late_entry_everybody_comes_at_the_first_time():
    counts = count(np.array([3.0, 1.0, 2.0]), np.array([True, True, False]))
    assert counts.n_entry[:, 0].tolist() == [3, 0, 0]
    assert counts.n_risk[:, 0].tolist() == [3, 2, 1]


def test_the_last_at_risk_are_not_lost_to_rounding():
    """Weights of very different size: the risk set is never smaller than those who leave."""
    time, weights = np.arange(1.0, 5.0), np.array([1e12, 1 / 3, 1e-3, 1 / 7])
    counts = count(time, np.ones(4, dtype=bool), weights=weights)
    assert (counts.n_risk >= counts.n_event).all()
    np.testing.assert_allclose(counts.n_risk[-1, 0], 1 / 7)


@pytest.mark.parametrize("n_segments", [1, 3, 90])
@pytest.mark.parametrize("n_groups", [1, 4])
@pytest.mark.parametrize(
    ("segment_kind", "group_kind"), [(np.int64, np.int64), (np.int8, np.int64), (np.int8, np.int8)]
)
def test_rows_that_one_pass_does_not_serve_are_counted_one_by_one(
    n_segments, n_groups, segment_kind, group_kind, monkeypatch
):
    rng = np.random.default_rng(n_segments + n_groups)
    time, event = rng.choice(rng.exponential(5, 300), 600), rng.random(600) < 0.6
    segment, group = np.arange(600) % n_segments, rng.integers(0, n_groups, 600)
    monkeypatch.setattr(life_table, "MANY_ROWS", 0)
    monkeypatch.setattr(one_pass, "count_exits", lambda *_, **__: None)  # as when the distinct times are too many
    counts = count(
        time, event, segment=segment.astype(segment_kind), group=group.astype(group_kind),
        n_segments=n_segments, n_groups=n_groups,
    )  # fmt: skip
    place = 0
    for code in range(n_segments):
        assert counts.start[code] == place
        for t in np.unique(time[segment == code]):
            assert counts.time[place] == t
            for column in range(n_groups):
                own = (segment == code) & (group == column)
                found = [getattr(counts, name)[place, column] for name in ("n_risk", "n_event", "n_censor")]
                here = own & (time == t)
                assert found == [(own & (time >= t)).sum(), (here & event).sum(), (here & ~event).sum()]
            place += 1
    assert counts.start[n_segments] == place == len(counts.time)


# Events at 1, 6 (twice) and 9; censored at 2, 7 and 10.
TIME = np.array([0.0, 1, 2, 6, 7, 9, 10])
N_RISK, N_EVENT = np.array([7.0, 6, 5, 3, 2, 1]), np.array([1.0, 0, 2, 0, 1, 0])
SURVIVAL = np.array(
    [
        float(s)
        for s in (
            1,
            Fraction(6, 7),
            Fraction(6, 7),
            Fraction(18, 35),
            Fraction(18, 35),
            Fraction(9, 35),
            Fraction(9, 35),
        )
    ]
)


def test_survival_is_a_product_of_fractions():
    np.testing.assert_allclose(survival_curve(N_RISK, N_EVENT), SURVIVAL[1:], rtol=1e-15)


def test_greenwood_is_a_sum_of_fractions():
    sums = [
        Fraction(1, 42),
        Fraction(1, 42),
        Fraction(1, 42) + Fraction(2, 15),
        Fraction(1, 42) + Fraction(2, 15),
        Fraction(1, 42) + Fraction(2, 15) + Fraction(1, 2),
    ]
    np.testing.assert_allclose(greenwood(N_RISK, N_EVENT)[:5], [float(s) for s in sums], rtol=1e-15)


@pytest.mark.parametrize(
    ("probability", "expected"),
    [(1 / 14, 1), (1 / 7, 3.5), (1 / 3, 6), (0.5, 9), (26 / 35, 9.5), (0.9, np.nan), (0, 0)],
)
def test_quantiles_fall_in_the_middle_of_a_flat(probability, expected):
    np.testing.assert_equal(quantile(TIME, SURVIVAL, probability), expected)


def test_the_largest_limit_below_counts_where_a_limit_is_not_monotone():
    limit = np.array([1.0, 0.6, 0.3, 0.45, np.nan])
    assert quantile(np.arange(5.0), limit, 0.5) == 3


@pytest.mark.parametrize("horizon", [0.5, 4, 9, 10, 12])
def test_areas_are_sums_of_rectangles(horizon):
    grid = np.arange(0, horizon, 0.5)
    heights = SURVIVAL[np.searchsorted(TIME, grid, side="right") - 1]
    np.testing.assert_allclose(areas(TIME, SURVIVAL, horizon)[0], heights.sum() * 0.5, rtol=1e-14)


def test_the_area_to_nine_in_fractions():
    expected = 1 + Fraction(6, 7) * 5 + Fraction(18, 35) * 3
    np.testing.assert_allclose(areas(TIME, SURVIVAL, 9)[0], float(expected), rtol=1e-15)


def test_intervals_are_symmetric_on_their_scale():
    s, error, z = 0.6, 0.1, 1.959963984540054
    scales = {"plain": lambda p: p, "log": np.log, "log-log": lambda p: np.log(-np.log(p))}
    slopes = {"plain": 1, "log": 1 / s, "log-log": 1 / (s * np.log(s))}
    for conf_type, scale in scales.items():
        low, high = interval(np.array([s]), np.array([error]), conf_level=0.95, conf_type=conf_type)
        reach = z * error * abs(slopes[conf_type])
        np.testing.assert_allclose(np.sort(scale(np.array([low[0], high[0]]))), [scale(s) - reach, scale(s) + reach])


@pytest.mark.parametrize("conf_type", ["plain", "log", "log-log"])
def test_limits_stay_within_zero_and_one_and_are_undefined_at_zero(conf_type):
    survival = np.array([1.0, 0.99, 0.01, 0.0])
    low, high = interval(survival, np.array([0.0, 0.2, 0.2, np.nan]), conf_level=0.95, conf_type=conf_type)
    assert (low[0], high[0]) == (1, 1)
    assert ((low[1:3] >= 0) & (high[1:3] <= 1)).all()
    assert np.isnan([low[3], high[3]]).all()


@st.composite
def weighted(draw):
    n = draw(st.integers(3, 15))
    column = lambda values: np.array(draw(st.lists(values, min_size=n, max_size=n)))  # noqa: E731
    time = column(st.integers(1, 8)).astype(float)
    entry = np.floor(time * column(st.sampled_from([0.0, 0.2, 0.6])))
    weights = column(st.sampled_from([0.5, 1.25, 2.0, 3.7]))
    return time, column(st.booleans()), np.where(draw(st.booleans()), entry, -np.inf), weights


def log_survival(time, event, entry, weights):
    counts = count(time, event, entry=entry, weights=weights)
    with np.errstate(divide="ignore"):
        return np.log(survival_curve(counts.n_risk[:, 0], counts.n_event[:, 0]))


@given(weighted())
@settings(deadline=None, max_examples=40)
def test_the_jackknife_is_the_sum_of_squared_derivatives(cohort):
    """Each derivative of log S by a weight, by central differences."""
    time, event, entry, weights = cohort
    counts = count(time, event, entry=entry, weights=weights)
    variance = jackknife_variance(
        counts.time, counts.n_risk[:, 0], counts.n_event[:, 0],
        row_time=time, row_event=event, row_entry=entry, row_weight=weights,
    )  # fmt: skip
    step, total = 1e-6, np.zeros(len(counts.time))
    alive = np.isfinite(log_survival(*cohort))
    for row in range(len(time)):
        moved = np.zeros(len(time))
        moved[row] = step
        up, down = (log_survival(time, event, entry, weights + sign * moved)[alive] for sign in (1, -1))
        total[alive] += (weights[row] * (up - down) / (2 * step)) ** 2
    np.testing.assert_allclose(variance[alive], total[alive], rtol=1e-6, atol=1e-9)
    assert np.isnan(variance[~alive]).all()


def test_the_jackknife_does_not_move_between_events():
    """To the last bit: otherwise a limit is not flat where the curve is, and its quantile falls anywhere."""
    rng = np.random.default_rng(8)
    time, event, weights = np.arange(1.0, 41.0), rng.random(40) < 0.3, rng.uniform(0.2, 3, 40)
    counts = count(time, event, weights=weights)
    variance = jackknife_variance(
        counts.time, counts.n_risk[:, 0], counts.n_event[:, 0],
        row_time=time, row_event=event, row_entry=np.full(40, -np.inf), row_weight=weights,
    )  # fmt: skip
    assert len(np.unique(variance)) == event.sum() + (not event[0])


def test_late_entry_leaves_at_risk_whoever_leaves():
    """At 2 one row is at risk; the four that enter there are taken off sums in which 0.1 is not exact."""
    time, entry = np.array([3.0, 2.0, 4.0, 3.0, 3.0]), np.array([2.0, -np.inf, 2.0, 2.0, 2.0])
    counts = count(time, np.ones(5, dtype=bool), entry=entry, weights=np.full(5, 0.1))
    assert counts.n_risk[0, 0] == counts.n_event[0, 0] == 0.1


def test_what_rounding_leaves_at_risk_is_nobody_and_a_billionth_is_somebody():
    nobody = np.array([0.1 + 0.1 + 0.1]), np.array([0.3])  # three weights of 0.1, in another order of sums
    assert survival_curve(*nobody).tolist() == [0.0]
    assert greenwood(*nobody).tolist() == [np.inf]
    somebody = np.array([1.0]), np.array([1 - 1e-9])
    np.testing.assert_allclose(survival_curve(*somebody), 1e-9, rtol=1e-6)
    np.testing.assert_allclose(greenwood(*somebody), 1e9, rtol=1e-6)


def test_a_level_is_reached_within_rounding_and_not_beyond():
    """R's quantile.survfit: within the square root of the machine's epsilon, 1.49e-8."""
    time = np.arange(4.0)
    for near, inner, outer in ((1.4e-8, 1.5, 3.0), (1.6e-8, 2.0, np.nan)):
        assert quantile(time, np.array([1.0, 0.5 + near, 0.4, 0.1]), 0.5) == inner
        np.testing.assert_equal(quantile(time, np.array([1.0, 0.9, 0.8, 0.5 + near]), 0.5), outer)


@pytest.mark.parametrize(("end", "expected"), [(0.5, 2.5), (np.nan, np.nan)])
def test_a_limit_that_ends_at_the_level_and_one_that_is_undefined_after_it(end, expected):
    np.testing.assert_equal(quantile(np.arange(4.0), np.array([1.0, 0.8, 0.5, end]), 0.5), expected)
