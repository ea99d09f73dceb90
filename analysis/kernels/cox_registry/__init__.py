"""The Cox likelihood of very many rows, in tiles of compiled loops."""

from __future__ import annotations

from analysis.kernels.cox_registry.event_times import (
    EventTimes,
    Tally,
    add_tallies,
    event_times,
    positions_in,
    positions_missed,
    tally_rows,
)
from analysis.kernels.cox_registry.likelihood import (
    SAMPLE,
    CoxArrays,
    LargeProblem,
    LargeRows,
    fit_large,
    large_problem,
    maximise_large,
    moments_within,
    sample_start,
)
