"""Arrays to arrays: counting, log-rank, Cox and resampling, with numpy, and numba for the loops."""
