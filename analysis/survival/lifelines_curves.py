"""The Kaplan-Meier estimate as lifelines computes it."""

from __future__ import annotations

import warnings

import numpy as np

from analysis.cohort.columns import BoolArray, FloatArray


def lifelines_survival(
    time: FloatArray, event: BoolArray, entry: FloatArray | None, weights: FloatArray | None, *, at: FloatArray
) -> FloatArray:
    """S(t) by ``lifelines.KaplanMeierFitter`` at times of its own timeline; numpy's error state is left as it was."""
    from lifelines import KaplanMeierFitter

    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):  # whole weights beyond int64
        fitter = KaplanMeierFitter().fit(time, event_observed=event, entry=entry, weights=weights)
    curve = fitter.survival_function_
    timeline = curve.index.to_numpy(dtype=np.float64)
    survival = curve.iloc[:, 0].to_numpy(dtype=np.float64)
    return np.asarray(survival[np.searchsorted(timeline, at, side="right") - 1], dtype=np.float64)
