"""Counts of entries, events and censorings, and what follows from them: product limits, log-rank, incidence."""

from analysis.kernels.counts.competing import Spells, aalen_johansen, gray_scores, subdistribution_spells
from analysis.kernels.counts.life_table import (
    MANY_ROWS,
    ConfType,
    Counts,
    Exits,
    areas,
    count,
    counts_of,
    greenwood,
    interval,
    jackknife_variance,
    quantile,
    survival_curve,
)
from analysis.kernels.counts.logrank import (
    LogRankSums,
    Shuffles,
    Weighting,
    fleming_harrington_scores,
    logrank_scores,
    logrank_sums,
    permuted_statistics,
    score_chi_square,
    shuffles,
    statistic_of,
)
