"""Log-rank tests of every pair of groups, with p-values adjusted for their number."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Literal, get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import FewEvents, InputError, raise_all, warn_all
from analysis.kernels.counts import logrank_sums, score_chi_square
from analysis.kernels.tails import chi_square_tail
from analysis.survival.group_tests.logrank import checked_sizes
from analysis.survival.rows import choice_problems, counted_groups, label_column

Adjustment = Literal["holm", "bh", "bonferroni"]


def pairwise_logrank(cohort: pd.DataFrame, endpoint: Endpoint, *, by: str, adjust: Adjustment = "holm") -> pd.DataFrame:
    """Log-rank tests of every pair of groups, each on the rows of the pair alone, with adjusted p-values.

    Parameters
    ----------
    cohort, endpoint, by
        As in `logrank_test`.
    adjust : {"holm", "bh", "bonferroni"}
        Holm (family-wise error), Benjamini and Hochberg (false discovery rate) or Bonferroni.

    Returns
    -------
    DataFrame
        Columns stratum_a, stratum_b, statistic, p_value, p_adjusted; pairs in stratum order. A pair that holds no
        information (no events) is NaN, with a warning, and does not count in the adjustment.

    Raises
    ------
    CohortError, InputError, NotEstimable
        As `logrank_test`.

    Warns
    -----
    RowsDropped, SmallStratum, FewEvents

    Notes
    -----
    Equals ``survdiff`` of R pair by pair and ``p.adjust``.

    Examples
    --------
    >>> from analysis import Endpoint, pairwise_logrank
    >>> cohort = pd.DataFrame({"months": range(1, 31), "died": 1, "arm": ["a", "a", "b", "c", "b", "c"] * 5})
    >>> pairwise_logrank(cohort, Endpoint("months", "died"), by="arm")[["stratum_a", "stratum_b"]].to_numpy().tolist()
    [['a', 'b'], ['a', 'c'], ['b', 'c']]
    """
    raise_all(choice_problems("adjust", adjust, get_args(Adjustment)), InputError)
    counts, groups = counted_groups(cohort, endpoint, by=by)
    labels = groups.labels
    found = checked_sizes(labels, groups.sizes, int(counts.n_event.sum()), by)
    pairs = list(combinations(range(len(labels)), 2))
    statistics = np.full(len(pairs), np.nan)
    for place, pair in enumerate(pairs):
        sums = logrank_sums(replace(counts, n_risk=counts.n_risk[:, list(pair)], n_event=counts.n_event[:, list(pair)]))
        statistics[place] = score_chi_square(sums.observed - sums.expected, sums.covariance)[0]
    silent = [
        f"{labels[a]} and {labels[b]}" for (a, b), value in zip(pairs, statistics, strict=True) if np.isnan(value)
    ]
    if silent:
        found.append(FewEvents(f"pairs of {by!r} that hold no information, left undefined: {first_few(silent)}"))
    p_values = np.array([np.nan if np.isnan(value) else chi_square_tail(value, 1)[0] for value in statistics])
    warn_all((*groups.warnings, *found))
    return pd.DataFrame(
        {
            "stratum_a": label_column([labels[a] for a, _ in pairs], labels),
            "stratum_b": label_column([labels[b] for _, b in pairs], labels),
            "statistic": statistics,
            "p_value": p_values,
            "p_adjusted": adjusted(p_values, adjust),
        }
    )


def adjusted(p_values: FloatArray, method: str) -> FloatArray:
    """P-values adjusted for their number (those that are not NaN), as ``p.adjust`` of R.

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.03]), "holm").round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    held = np.flatnonzero(~np.isnan(p_values))
    order = held[np.argsort(p_values[held], kind="stable")]
    n, rank = len(order), np.arange(1, len(order) + 1)
    p_sorted = p_values[order]
    if method == "bonferroni":
        values = p_sorted * n
    elif method == "holm":
        values = np.maximum.accumulate(p_sorted * (n - rank + 1))
    else:
        values = np.minimum.accumulate((p_sorted * n / rank)[::-1])[::-1]
    result = np.full(len(p_values), np.nan)
    result[order] = np.minimum(values, 1.0)
    return result
