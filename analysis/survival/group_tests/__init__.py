"""Log-rank tests between groups: weighted, stratified, for trend, pairwise, by permutation."""

from analysis.survival.group_tests.logrank import (
    LogRank,
    check_weighting,
    checked_groups,
    chi_square_result,
    lifelines_logrank,
    logrank_of_counts,
    logrank_test,
    logrank_trend,
    pairwise_logrank,
)
from analysis.survival.group_tests.permutation import permutation_logrank
