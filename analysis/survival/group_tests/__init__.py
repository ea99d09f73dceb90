"""Tests between groups: the log-rank family, trend, pairwise, permutation."""

from __future__ import annotations

from analysis.survival.group_tests.logrank import (
    LogRank,
    check_weighting,
    checked_groups,
    chi_square_result,
    logrank_of_counts,
    logrank_test,
)
from analysis.survival.group_tests.pairwise import pairwise_logrank
