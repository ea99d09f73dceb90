"""Event times of many rows: tallies of parts, and positions by their definition."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from analysis.kernels.cox_registry.event_times import (
    add_tallies,
    event_times,
    positions_in,
    positions_missed,
    tally_rows,
)


def rows_of(n=900, *, digits=1):
    """Times and entries with ties, strata and weights."""
    rng = np.random.default_rng(1)
    time = np.round(rng.exponential(5, n), digits) + 1
    entry = np.where(rng.random(n) < 0.5, np.round(time * rng.random(n) * 0.6, digits), -np.inf)
    return (
        time,
        rng.random(n) < 0.6,
        np.where(entry < time, entry, -np.inf),
        rng.integers(0, 3, n),
        rng.uniform(0.2, 3, n),
    )


def test_tallies_of_parts_add_up_to_that_of_the_whole():
    time, event, _, strata, weights = rows_of()
    whole, key = tally_rows(time, event, strata=strata, weights=weights)
    parts, keys = zip(
        *(
            tally_rows(time[rows], event[rows], strata=strata[rows], weights=weights[rows])
            for rows in (slice(0, 100), slice(100, 101), slice(101, None))
        ),
        strict=True,
    )
    added = add_tallies(parts)
    for name in ("stratum", "time", "n_event", "event_weight"):
        assert_allclose(getattr(added, name), getattr(whole, name), rtol=1e-12)
    index = np.concatenate([positions_in(added, part)[own] for part, own in zip(parts, keys, strict=True)])
    assert (index == key).all()


def test_positions_by_their_definition():
    time, event, entry, strata, _ = rows_of(200, digits=0)
    tally, key = tally_rows(time, event, strata=strata)
    events, index = event_times(tally)
    missed = positions_missed(events, entry, strata)
    for row in range(len(time)):
        own = events.stratum == strata[row]
        before = int((events.stratum < strata[row]).sum())
        lived, late = (int((own & (events.times <= at)).sum()) for at in (time[row], entry[row]))
        assert index[key[row]] == (before + lived if lived else 0)
        assert missed[row] == (before + late if late else 0)
