"""Passes over tiles of rows: their sums by definition, in tiles that are full and one that is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels.cox_tiles import TILE, Rows, add_expected, add_risks, visit_event_times

P, N_TIMES = 3, 5


def rows_of(n: int, *, late: bool, weighted: bool, stratified: bool) -> Rows:
    """Random rows of which some are at risk at no event time."""
    rng = np.random.default_rng(n)
    nowhere = np.empty(0, dtype=np.int64)
    return Rows(
        x=rng.normal(size=(P, n)),
        cell=rng.integers(0, 2 * N_TIMES + 2, n),
        missed=rng.integers(0, N_TIMES + 1, n) if late else nowhere,
        weight=rng.uniform(0.5, 2, n) if weighted else np.empty(0),
        stratum=rng.integers(0, 2, n) if stratified else nowhere,
    )


CENTRE, FACTOR = np.array([[0.1, -0.2, 0.3], [1.0, 0.5, 0.0]]), np.array([2.0, 0.5, 1.0])
BETAS = np.array([[0.0, 0.0, 0.0], [0.4, -0.3, 0.2]])


def written_out(rows: Rows, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The centred and scaled covariates (n, p), and the risks."""
    stratum = rows.stratum if len(rows.stratum) else np.zeros(rows.x.shape[1], dtype=np.int64)
    x = (rows.x.T - CENTRE[stratum]) * FACTOR
    return x, np.exp(x @ beta) * (rows.weight if len(rows.weight) else 1.0)


@pytest.mark.parametrize("n", [7, TILE, 2 * TILE + 31])
@pytest.mark.parametrize(("late", "weighted", "stratified"), [(False, False, False), (True, True, True)])
def test_both_passes_add_up_what_each_row_has(n, late, weighted, stratified):
    rows = rows_of(n, late=late, weighted=weighted, stratified=stratified)
    rng = np.random.default_rng(9)
    seen, before = rng.uniform(1, 2, (2, 2 * N_TIMES + 2)), rng.uniform(0, 1, (2, N_TIMES + 1))
    sums, entries = np.zeros((2, 2 * N_TIMES + 2, P + 1)), np.zeros((2, N_TIMES + 1 if late else 0, P + 1))
    expected, products = np.zeros((2, P)), np.zeros((2, P, P))
    add_risks(rows, CENTRE, FACTOR, BETAS, sums, entries)
    add_expected(rows, CENTRE, FACTOR, BETAS, seen, before, expected, products)
    for k, beta in enumerate(BETAS):
        x, risk = written_out(rows, beta)
        weighed = np.column_stack([x, np.ones(n)]) * risk[:, None]
        for cell in range(2 * N_TIMES + 2):
            assert_allclose(sums[k, cell], weighed[rows.cell == cell].sum(axis=0), rtol=1e-11, atol=1e-12)
        for missed in range(len(entries[k])):
            assert_allclose(entries[k, missed], weighed[rows.missed == missed].sum(axis=0), rtol=1e-11, atol=1e-12)
        hazard = risk * (seen[k][rows.cell] - (before[k][rows.missed] if late else 0.0))
        assert_allclose(expected[k], x.T @ hazard, rtol=1e-11, atol=1e-11)
        assert_allclose(np.tril(products[k]), np.tril((x * hazard[:, None]).T @ x), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("efron", [True, False])
def test_event_times_by_hand(efron):
    """Two strata: two of three have the event at one time and the last later; alone in its stratum, one more."""
    at_risk = {1: ([1.0, 2.0], 1), 2: ([4.0], 2), 3: ([8.0], 3)}  # risks by event time: of the events, at it
    sums = np.zeros((8, 2))
    for k, (risks, _) in at_risk.items():
        sums[2 * k + 1] = [0.0, sum(risks)]
    opens, n_tied = np.array([True, False, True]), np.array([2, 1, 1])
    seen, before, information = np.zeros(8), np.zeros(4), np.zeros((1, 1))
    logarithm = visit_event_times(sums, np.zeros((0, 2)), opens, n_tied, np.ones(3), efron, seen, before, information)
    second = 7 - 3 / 2 if efron else 7.0  # half of the tie has failed when its second event is counted
    assert_allclose(logarithm, np.log([7, second, 4, 8]).sum())
    first = 1 / 7 + 1 / second
    assert_allclose(before[1:], [first, first + 1 / 4, 1 / 8])
    own = 0.5 / second if efron else 0.0
    assert_allclose(seen[2:], [first, first - own, first + 1 / 4, first + 1 / 4, 1 / 8, 1 / 8])
    assert information[0, 0] == 0
