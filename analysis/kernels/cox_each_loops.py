"""One Cox model a stratum, as machine code; see `analysis.kernels.cox_each`."""

from __future__ import annotations

import numpy as np

from analysis.kernels.compiled import jit
from analysis.kernels.cox_resampled_loops import Layout, room_for, take
from analysis.kernels.cox_resampled_newton import evaluate_resample, newton
from analysis.kernels.cox_risk_sets import IntArray
from analysis.kernels.times import FloatArray


@jit
def fit_strata(
    layout: Layout, times: IntArray, coef: FloatArray, at_start: FloatArray, information: FloatArray, fallen: FloatArray
) -> None:
    """The model of each stratum by itself, sought from `coef`; `times` tells where its event times start."""
    for s in range(len(times) - 1):
        start, end = layout.strata[s], layout.strata[s + 1]
        first, last = times[s], times[s + 1]
        part = Layout(
            np.arange(end - start), layout.x[start:end], layout.first[start:end] - first,
            layout.last[start:end] - first, np.array([0, end - start]), layout.starts[first:last] - start,
            layout.tied[first:last], layout.opens[first:last], layout.entering[:0], layout.efron,
        )  # fmt: skip
        held = room_for(part)
        n = take(part, np.ones(end - start, np.int64), held)
        ended, share = newton(part, held, n, coef[s], at_start[s], information[s])
        fallen[s] = share if ended else np.nan
        if ended:  # Newton's way ends a step after the information was last worked out
            evaluate_resample(part, held, n, coef[s], np.empty(coef.shape[1]), information[s])
