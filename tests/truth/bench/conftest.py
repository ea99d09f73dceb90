"""The true estimands of the planted world, once for all tests of the benches."""

import pytest

from analysis import true_estimands
from tests.truth.bench.planted import PLANTED, SEED, N


@pytest.fixture(scope="package")
def truth():
    return true_estimands(PLANTED, n=N, seed=SEED)
