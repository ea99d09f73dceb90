"""The compiled scan of hazard ratios against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels.cutpoints import cut_rows, log_hazard_ratios, scan


@pytest.mark.parametrize("ties", [False, True])
def test_the_compiled_loop_gives_the_hazard_ratios_of_numpy(ties, monkeypatch):
    rng = np.random.default_rng(3)
    time, marker, event = rng.exponential(10.0, 60), rng.normal(size=60).round(1 if ties else 12), rng.random(60) < 0.7
    rows = cut_rows(marker, np.ceil(time) if ties else time, event, min_fraction=0.1, max_fraction=0.9)
    expected = log_hazard_ratios(rows)
    monkeypatch.setattr(scan, "COMPILED_FROM", 0)
    assert_allclose(log_hazard_ratios(rows), expected, rtol=1e-9, atol=1e-12)
