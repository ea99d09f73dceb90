"""Cox models of many resamples or groupings of the same rows, in compiled loops."""

from analysis.kernels.cox_resamples.fits import baseline_batch, fit_groupings, fit_weighted_batch
