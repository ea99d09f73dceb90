"""Work in batches: in order, whatever they are, and with the faults of the work."""

from __future__ import annotations

from functools import partial

import pytest
from joblib import parallel_config

from analysis.batches import batch_bounds, in_batches


@pytest.mark.parametrize("share", [True, False])
def test_results_come_in_the_order_of_the_batches(share):
    with parallel_config(backend="threading", n_jobs=2):
        assert in_batches(str, [3, 1, 2], sizes=[1, 1, 1], label="words", share=share) == ["3", "1", "2"]
        assert in_batches(str, [], sizes=[], label="words", share=share) == []


@pytest.mark.parametrize("share", [True, False])
def test_faults_come_through(share):
    with pytest.raises(ZeroDivisionError, match="by zero"):
        in_batches(partial(divmod, 1), [1, 0], sizes=[1, 1], label="quotients", share=share)


@pytest.mark.parametrize(("total", "size"), [(10, 3), (9, 3), (1, 5), (0, 2)])
def test_bounds_cover_everything_once(total, size):
    bounds = batch_bounds(total, size)
    assert [place for first, end in bounds for place in range(first, end)] == list(range(total))
    assert all(0 < end - first <= size for first, end in bounds)
