"""The rows that a resample holds: by their definition, one event time after the other."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.kernels.cox import cox_problem, risk_sets
from analysis.kernels.cox_resamples.fits import read_layout
from analysis.kernels.cox_resamples.resample import N_LATE, N_ROWS, N_TIES, N_TIMES, room_for, take


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_resample_has_the_event_times_and_risk_sets_of_its_rows(seed, late):
    rng = np.random.default_rng(seed)
    n, p = 40, 2
    time, event, strata = rng.integers(1, 9, n) + 0.0, rng.random(n) < 0.5, rng.integers(0, 3, n)
    entry = np.where(rng.random(n) < 0.5, np.floor(time * rng.random(n)), -np.inf) if late else np.full(n, -np.inf)
    x, weights = rng.normal(size=(n, p)), rng.multinomial(n, np.full(n, 1 / n))
    layout = read_layout(cox_problem(x, risk_sets(time, event, entry=entry, strata=strata)), efron=True)
    rows = room_for(layout.x.shape[1], len(layout.tied), p, len(layout.entering))
    take(layout, weights, rows)

    n_rows, n_times = rows.size[N_ROWS], rows.size[N_TIMES]
    cohort_row = layout.rows[rows.row[:n_rows]]
    since = np.zeros(n_rows, dtype=np.int64)
    since[rows.late[: rows.size[N_LATE]]] = rows.since[: rows.size[N_LATE]]
    stratum_of_time = np.cumsum(rows.opens[:n_times]) - 1
    of_code = [event & (strata == code) & (weights > 0) for code in range(3)]
    times = [(code, at) for code in range(3) for at in np.unique(time[of_code[code]])]
    assert n_times == len(times)
    assert rows.size[N_TIES] == (rows.n_tied[:n_times] > 1).sum()
    assert weights[cohort_row].tolist() == rows.weight[:n_rows].tolist()
    for k, (code, at) in enumerate(times):
        tied = (strata == code) & (time == at) & event
        assert rows.n_tied[k] == weights[tied].sum()
        assert set(cohort_row[rows.begin[k] : rows.end[k]]) == set(np.flatnonzero(tied & (weights > 0)))
        ends = np.flatnonzero(stratum_of_time == stratum_of_time[k])[-1]
        stays = np.arange(rows.begin[k], rows.begin[ends + 1])
        at_risk = (strata == code) & (entry < at) & (at <= time) & (weights > 0)
        assert set(cohort_row[stays[since[stays] <= k]]) == set(np.flatnonzero(at_risk))
