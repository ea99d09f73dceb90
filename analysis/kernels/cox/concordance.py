"""Concordance of scores with survival on arrays: each row's pairs, counted in O(n log^2 n)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PairCounts:
    """For each row, the weight of its comparable pairs: of the other row times that of the earlier event's time.

    Attributes
    ----------
    concordant, discordant, tied : ndarray, shape (n,)
        Where the row that failed first had the higher score, the lower one, the same.
    """

    concordant: FloatArray
    discordant: FloatArray
    tied: FloatArray


def concordance_influence(
    score: FloatArray,
    time: FloatArray,
    event: BoolArray,
    *,
    entry: FloatArray | None = None,
    strata: IntArray | None = None,
    weights: FloatArray | None = None,
    time_weights: FloatArray | None = None,
) -> PairCounts:
    """Count each row's pairs: i and j compare when i has the event while j, of the same stratum, is at risk.

    An event and a censoring at one time compare, two events do not.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Higher is riskier.
    time, entry, weights : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    strata : ndarray of int, shape (n,), optional
    time_weights : ndarray, shape (n,), optional
        The weight of a pair whose earlier event is this row's.

    Returns
    -------
    PairCounts

    Examples
    --------
    >>> counts = concordance_influence(np.array([3.0, 2.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.ones(3, dtype=bool))
    >>> counts.concordant.tolist(), counts.tied.tolist()
    ([2.0, 1.0, 1.0], [0.0, 1.0, 1.0])
    """
    n = len(time)
    codes = np.zeros(n, dtype=np.int64) if strata is None else strata
    weight = np.ones(n) if weights is None else weights
    timed = weight if time_weights is None else weight * time_weights
    _, value = np.unique(score, return_inverse=True)
    value = np.asarray(value, dtype=np.int64).ravel()
    until, since, most = _clock(time, event, entry)
    after = [(codes, most - until, value, weight, np.ones(n, dtype=bool), most - until)]
    before = [(codes, until, value, timed, event, until)]
    if entry is not None and np.isfinite(entry).any():
        after.append((codes, most - since, value, weight, since >= 0, most - until + 1))
        before.append((codes, until, value, timed, event, since + 1))
    later = _signed_sums(after)
    earlier = _signed_sums(before)
    factor = np.where(event, 1.0 if time_weights is None else time_weights, 0.0)
    return PairCounts(
        concordant=factor * later[0] + earlier[2],
        discordant=factor * later[2] + earlier[0],
        tied=factor * later[1] + earlier[1],
    )


def _clock(time: FloatArray, event: BoolArray, entry: FloatArray | None) -> tuple[IntArray, IntArray, int]:
    """Ends of follow-up (censorings after events) and entries as positions on one clock, and its last position."""
    starts = np.full(len(time), -np.inf) if entry is None else entry
    distinct = np.unique(np.concatenate([time, starts[np.isfinite(starts)]]))
    until = 2 * np.searchsorted(distinct, time) + ~event
    since = np.where(np.isfinite(starts), 2 * np.searchsorted(distinct, starts), -1)
    return until.astype(np.int64), since.astype(np.int64), 2 * len(distinct) + 1


def _signed_sums(
    parts: list[tuple[IntArray, IntArray, IntArray, FloatArray, BoolArray, IntArray]],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The sums of the first part less those of the second: masses below, equal to and above each row's value."""
    sums = [_dominance(*part) for part in parts]
    if len(sums) == 1:
        return sums[0]
    (below, equal, above), (less_below, less_equal, less_above) = sums
    return below - less_below, equal - less_equal, above - less_above


def _dominance(
    codes: IntArray, position: IntArray, value: IntArray, mass: FloatArray, counted: BoolArray, limit: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """For each row, the mass of counted rows of its stratum before `limit`: with lower, equal, higher value."""
    width = int(max(position.max(), limit.max())) + 2
    positions, values = codes * width + position, codes * (int(value.max()) + 1) + value
    order = np.flatnonzero(counted)
    order = order[np.argsort(positions[order], kind="stable")]
    n_before = np.searchsorted(positions[order], codes * width + limit)
    total = np.concatenate([[0.0], np.cumsum(mass[order])])
    earlier_strata = total[np.searchsorted(positions[order], codes * width)]
    below, equal = _prefix_sums(values[order], mass[order], n_before, values)
    below -= earlier_strata
    return below, equal, total[n_before] - earlier_strata - below - equal


def _prefix_sums(
    value: IntArray, mass: FloatArray, n_before: IntArray, sought: IntArray
) -> tuple[FloatArray, FloatArray]:
    """For each value sought, the mass among the first `n_before` points with a lower value, and with the same.

    A prefix is cut into blocks of 1, 2, 4, ... points by the binary digits of its length; the blocks of one size are
    sorted together, each by value, and looked up at once.
    """
    below, equal = np.zeros(len(n_before)), np.zeros(len(n_before))
    span, index = int(sought.max()) + 1, np.arange(len(value))
    for level in range(len(value).bit_length()):
        keys = (index >> level) * span + value
        order = np.argsort(keys)
        keys = keys[order]
        total = np.concatenate([[0.0], np.cumsum(mass[order])])
        query = np.flatnonzero((n_before >> level) & 1)
        block = (n_before[query] >> level) - 1
        key = block * span + sought[query]
        ascending = np.argsort(key)  # looked up in order, neighbours are found in cache
        query, block, key = query[ascending], block[ascending], key[ascending]
        low, high = np.searchsorted(keys, key), np.searchsorted(keys, key, side="right")
        below[query] += total[low] - total[block << level]
        equal[query] += total[high] - total[low]
    return below, equal


def jackknife_error(counts: PairCounts, weights: FloatArray, cluster: IntArray | None = None) -> tuple[float, float]:
    """The concordance and its infinitesimal jackknife standard error.

    Parameters
    ----------
    counts : PairCounts
    weights : ndarray, shape (n,)
    cluster : ndarray of int, shape (n,), optional
        Influences are summed by cluster.

    Returns
    -------
    concordance, std_error : float
        NaN when no pair can be compared.
    """
    value, influence = pair_influence(counts, weights)
    if cluster is not None:
        influence = np.bincount(cluster, influence).astype(np.float64)
    return value, float(np.sqrt(influence @ influence))


def pair_influence(counts: PairCounts, weights: FloatArray) -> tuple[float, FloatArray]:
    """The concordance, and the influence of each row on it, times its weight; NaN when no pair can be compared."""
    pairs = counts.concordant + counts.discordant + counts.tied
    n_pairs = float(weights @ pairs) / 2
    if n_pairs <= 0:
        return float("nan"), np.full(len(weights), np.nan)
    difference = counts.concordant - counts.discordant
    somers = float(weights @ difference) / 2 / n_pairs
    return (somers + 1) / 2, weights * (difference - somers * pairs) / n_pairs / 2
