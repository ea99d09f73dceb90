"""Counts of entries, events and censorings, and what follows from them: product limits, log-rank, incidence."""

from __future__ import annotations

from analysis.kernels.counts.competing import Spells, aalen_johansen, gray_scores, subdistribution_spells
from analysis.kernels.counts.counting import Counts, count, counts_of
from analysis.kernels.counts.logrank import (
    LogRankSums,
    Weighting,
    fleming_harrington_scores,
    logrank_sums,
    score_chi_square,
)
from analysis.kernels.counts.logrank_permutation import (
    Shuffles,
    logrank_scores,
    permuted_statistics,
    shuffles,
    statistic_of,
)
from analysis.kernels.counts.one_pass import MANY_ROWS, Exits, count_exits
from analysis.kernels.counts.product_limit import (
    ConfType,
    areas,
    greenwood,
    interval,
    jackknife_variance,
    quantile,
    survival_curve,
)
