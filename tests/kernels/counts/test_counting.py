"""Counts against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.counts import counting
from analysis.kernels.counts.counting import count


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
    for code, place in enumerate(counts.segments):
        here = segment == code
        assert counts.time[place].tolist() == sorted(set(time[here]))
        previous = -np.inf
        for row, t in zip(range(place.start, place.stop), counts.time[place], strict=True):
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
def test_many_rows_in_the_order_of_their_times_are_counted_as_few_are(n_segments, n_groups, monkeypatch):
    rng = np.random.default_rng(n_segments + n_groups)
    time, event = rng.choice(rng.exponential(size=300), 600), rng.random(600) < 0.6
    segment, group = np.arange(600) % n_segments, rng.integers(0, n_groups, 600)
    given = {"segment": segment, "group": group, "n_segments": n_segments, "n_groups": n_groups}
    expected = count(time, event, **given)
    monkeypatch.setattr(counting, "MANY_ROWS", 0)
    monkeypatch.setattr(counting, "count_exits", lambda *_, **__: None)  # as when the distinct times are too many
    for options in (given, given | {"segment": segment.astype(np.int8), "group": group.astype(np.int64)}):
        found = count(time, event, **options)
        for name, values in vars(expected).items():
            assert getattr(found, name).tolist() == values.tolist(), name
    if n_segments == n_groups == 1:
        assert count(time, event).n_risk.tolist() == expected.n_risk.tolist()
