"""Cox models of many resamples of the same rows, in compiled loops."""

from __future__ import annotations

from analysis.kernels.cox_resamples.fits import FALLEN, baseline_batch, fit_weighted_batch
