"""Weighted spells: the curve they give is the cumulative incidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import NotSupported
from analysis.kernels.counts import competing
from analysis.kernels.counts.competing import aalen_johansen, subdistribution_spells
from analysis.kernels.counts.counting import count
from analysis.kernels.counts.product_limit import survival_curve


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 2)), min_size=1, max_size=25))
@settings(deadline=None, max_examples=100)
def test_the_weighted_curve_is_one_minus_the_cumulative_incidence(rows):
    """Geskus (2011): the product-limit estimate on the weighted rows is the Aalen-Johansen estimate."""
    time, status = np.array(rows, dtype=float).T
    spells = subdistribution_spells(time, status == 1, status == 2)
    counts = count(spells.time, spells.event, entry=spells.entry, weights=spells.weights)
    plain = count(time, status > 0, group=status.astype(int), n_groups=3)
    leave = np.column_stack([plain.n_censor[:, 0], plain.n_event[:, 1:]])
    incidence, _ = aalen_johansen(plain.n_risk.sum(axis=1), leave)
    at = np.searchsorted(plain.time, counts.time)
    seen = counts.n_event[:, 0] > 0
    curve = survival_curve(counts.n_risk[:, 0], counts.n_event[:, 0])
    np.testing.assert_allclose(1 - curve[seen], incidence[at[seen], 0], atol=1e-12)


def test_weights_by_hand():
    """One of six is censored at 2, one of two at 4 (after an event): the competing row weighs 5/6, then 5/12."""
    time, status = np.array([1.0, 2, 3, 4, 4, 5, 3]), np.array([2, 0, 1, 1, 0, 1, 1])
    spells = subdistribution_spells(time, status == 1, status == 2)
    added = slice(len(time), None)
    assert spells.row[added].tolist() == [0, 0]
    assert spells.entry[added].tolist() == [1, 4]
    assert spells.time[added].tolist() == [4, 5]
    np.testing.assert_allclose(spells.weights[added], [5 / 6, 5 / 12], rtol=1e-15)


def test_without_competing_events_the_rows_are_as_they_were():
    time, event = np.array([3.0, 1, 2]), np.array([True, False, True])
    spells = subdistribution_spells(time, event, np.zeros(3, dtype=bool))
    assert spells.time.tolist() == time.tolist()
    assert (spells.weights == 1).all()


def test_too_many_spells_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(competing, "MOST_SPELLS", 1)
    time, status = np.array([1.0, 2, 3, 4, 5]), np.array([2, 0, 1, 0, 1])
    with pytest.raises(NotSupported, match="1 competing events with 2 different weights make 2 rows"):
        subdistribution_spells(time, status == 1, status == 2)
