"""Cox models of many resamples of the same rows, in compiled loops."""
