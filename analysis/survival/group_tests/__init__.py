"""Tests between groups: the log-rank family, trend, pairwise, permutation."""
