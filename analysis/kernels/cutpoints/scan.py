"""Every admissible cut of a marker in one pass: log-rank statistics and hazard ratios, and their permutation null."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels import random_draws
from analysis.kernels.counts import count
from analysis.kernels.cutpoints.resamples import grouped_log_hazard_ratios
from analysis.kernels.random_draws import GOLDEN, draw_in_step, random_halves
from analysis.kernels.times import dense_rank
from analysis.kernels.tolerances import SAME_STATISTIC

COMPILED_FROM = 40_000
"""Above this many cuts times events the compiled loop pays for importing numba."""
SMALL_BLOCK = 32


@dataclass(frozen=True, eq=False)
class CutRows:
    """Rows in the order of the marker, then of time and event, and the cuts that are admissible among them.

    Attributes
    ----------
    time : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    order : ndarray of int, shape (n,)
        The index of each row in the arrays that were sorted.
    cut : ndarray, shape (k,)
        The low group of a cut holds the rows with marker <= cut.
    n_low : ndarray of int, shape (k,)
        Rows in the low group: the first `n_low` of the sorted rows.
    """

    time: FloatArray
    event: BoolArray
    order: IntArray
    cut: FloatArray
    n_low: IntArray


def cut_rows(
    marker: FloatArray, time: FloatArray, event: BoolArray, *, min_fraction: float, max_fraction: float
) -> CutRows:
    """Sort the rows by the marker and find the cuts that leave enough of them on either side.

    Admissible is each observed value with floor(n min_fraction) <= n_low <= floor(n max_fraction), and at least one row
    on either side: the rule of R's maxstat.

    Parameters
    ----------
    marker, time : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    min_fraction, max_fraction : float

    Returns
    -------
    CutRows

    Examples
    --------
    >>> marker, time = np.array([3.0, 1.0, 2.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0])
    >>> rows = cut_rows(marker, time, np.ones(4, dtype=bool), min_fraction=0.1, max_fraction=0.9)
    >>> rows.cut.tolist(), rows.n_low.tolist()
    ([1.0, 2.0], [1, 3])
    """
    order = np.lexsort((event, time, marker))
    ordered = marker[order]
    n = len(ordered)
    last = np.flatnonzero(ordered[1:] != ordered[:-1])
    n_low = last + 1
    kept = (n_low >= max(1, int(n * min_fraction))) & (n_low <= min(n - 1, int(n * max_fraction)))
    return CutRows(time[order], event[order], order, ordered[last[kept]], n_low[kept])


def logrank_scores(time: FloatArray, event: BoolArray, entry: FloatArray | None = None) -> FloatArray:
    """Log-rank scores of the rows: the event, less the hazard over its time at risk, d / (m + 1) at each event time.

    With d events and m rows at risk after the tie: the sum over events j of 1 / (n - r_j + 1), r_j the largest rank of
    the event's time among its ties (Hothorn and Lausen, Comput Stat Data Anal 43 (2003) 121).

    Parameters
    ----------
    time : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    entry : ndarray, shape (n,), optional

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> logrank_scores(np.array([1.0, 2.0, 2.0]), np.array([True, True, False])).round(4).tolist()
    [0.6667, -0.3333, -1.3333]
    """
    counts = count(time, event, entry=entry)
    died, left = counts.n_event[:, 0], counts.n_event[:, 0] + counts.n_censor[:, 0]
    hazard = np.cumsum(np.append(0.0, died / (counts.n_risk[:, 0] - left + 1)))
    seen = hazard[np.searchsorted(counts.time, time, side="right")]
    if entry is not None:
        seen -= hazard[np.searchsorted(counts.time, entry, side="right")]
    return np.asarray(event - seen, dtype=np.float64)


def standardised(scores: FloatArray, n_low: IntArray) -> FloatArray:
    """The sum of the first `n_low` scores, less its mean and over its standard deviation among all orders of them.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        In the order of the marker.
    n_low : ndarray of int, shape (k,)

    Returns
    -------
    ndarray, shape (k,)
        Positive where low markers have the higher hazard; 0 where all scores are equal.
    """
    n = len(scores)
    centred = scores - scores.mean()
    spread = deviation(centred, n_low)
    sums = np.cumsum(centred)[n_low - 1]
    statistic: FloatArray = np.divide(sums, spread, out=np.zeros(len(n_low)), where=spread > SAME_STATISTIC * n)
    return statistic


def deviation(centred: FloatArray, n_low: IntArray) -> FloatArray:
    """The standard deviation of the sum of `n_low` of the centred scores drawn without replacement: shape (k,)."""
    n = len(centred)
    return np.asarray(np.sqrt(n_low * (n - n_low) / (n * (n - 1.0)) * (centred**2).sum()), dtype=np.float64)


def first_maximum(statistic: FloatArray) -> int:
    """The index of the largest absolute value; the first one of several that differ only by rounding.

    Examples
    --------
    >>> first_maximum(np.array([1.0, -3.0, 3.0 + 1e-14]))
    1
    """
    size = np.abs(statistic)
    return int(np.argmax(size >= size.max() * (1 - SAME_STATISTIC)))


def chi_squares(rows: CutRows) -> FloatArray:
    """The log-rank chi-square of the two groups of every cut, its variance hypergeometric.

    With n at risk and d events at t, v = d (n - d) / (n - 1) and n1 of the low group at risk, the variance is the sum
    over t of v n1 (n - n1) / n^2. With A and B the running sums of v / n and v / n^2, it is the sum of A(t_i) over the
    low group less the sum of B(min(t_i, t_j)) over its pairs; in the order of the marker both only grow.

    Parameters
    ----------
    rows : CutRows

    Returns
    -------
    ndarray, shape (k,)
        NaN where no event time compares the groups.

    Notes
    -----
    ``survdiff(Surv(time, event) ~ (marker <= cut))$chisq`` of R at every cut, in O(n log(n)^2).
    """
    counts = count(rows.time, rows.event)
    n, d = counts.n_risk[:, 0], counts.n_event[:, 0]
    spread = d * (n - d) / np.maximum(n - 1, 1)
    rank = np.searchsorted(counts.time, rows.time)
    expected = np.cumsum(d / n)[rank]
    single, pair = np.cumsum(spread / n)[rank], np.cumsum(spread / n**2)[rank]
    variance = np.cumsum(single - pair - 2 * _minima_with_earlier(pair))[rows.n_low - 1]
    score = np.cumsum(rows.event - expected)[rows.n_low - 1]
    informative = variance > SAME_STATISTIC * max(float(spread.sum()), SAME_STATISTIC)
    statistic: FloatArray = np.divide(score**2, variance, out=np.full(len(variance), np.nan), where=informative)
    return statistic


def _minima_with_earlier(values: FloatArray) -> FloatArray:
    """For each i the sum over the j before it of min(values[i], values[j]).

    Small blocks are summed outright, then joined two by two, as in a merge sort: with both sorted together, a value of
    the right block takes the sum of the smaller ones of the left block, and itself for each of the others.
    """
    n = len(values)
    blocks = np.pad(values, (0, -n % SMALL_BLOCK)).reshape(-1, SMALL_BLOCK)
    earlier = np.tri(SMALL_BLOCK, k=-1)
    inside = np.minimum(blocks[:, :, None], blocks[:, None, :]) * earlier
    sums: FloatArray = inside.sum(axis=2).ravel()[:n]
    ascending = np.argsort(values, kind="stable")
    index = np.arange(n)
    width = SMALL_BLOCK
    while width < n:
        block = ascending // (2 * width)
        short = block.astype(np.int16) if n < 2 * width * 2**15 else block  # short numbers sort fast
        joined = ascending[np.argsort(short, kind="stable")]
        ordered = values[joined]
        left = (joined // width) % 2 == 0
        start = index - index % (2 * width)
        below = np.concatenate([[0.0], np.cumsum(np.where(left, ordered, 0.0))])
        n_below = np.concatenate([[0], np.cumsum(left)])
        smaller, n_smaller = below[1:] - below[start], n_below[1:] - n_below[start]
        right = ~left
        sums[joined[right]] += (smaller + ordered * (width - n_smaller))[right]
        width *= 2
    return sums


def log_hazard_ratios(rows: CutRows) -> FloatArray:
    """The log hazard ratio (Cox, Efron's ties) of the rows above each cut against those at or below it.

    Parameters
    ----------
    rows : CutRows

    Returns
    -------
    ndarray, shape (k,)
        NaN where the likelihood has no maximum: no event of one group while the other was at risk.

    Notes
    -----
    ``coxph(Surv(time, event) ~ (marker > cut))`` of R at every cut; each costs O(events).
    """
    if int(rows.event.sum()) * len(rows.n_low) <= COMPILED_FROM:
        high = np.arange(len(rows.time)) >= rows.n_low[:, None]
        return grouped_log_hazard_ratios(rows.time, rows.event, high)[0]
    from analysis.kernels.cutpoints.scan_loop import two_groups_loop

    times, rank = dense_rank(rows.time[rows.event])
    at_time = np.searchsorted(times, rows.time, side="right") - 1
    at = np.sort(rank)
    fraction = (np.arange(len(at)) - np.searchsorted(at, at)) / np.bincount(at)[at]
    return two_groups_loop(at_time, rows.event, rows.n_low, at, fraction, len(times))


def permuted_maxima(scores: FloatArray, n_low: IntArray, *, n_permutations: int, key: int) -> FloatArray:
    """The maximum of the absolute standardised statistic in random orders of the scores.

    Each permutation is a shuffle (Fisher and Yates) from the front as far as the last cut, whose sums are taken on the
    way. Its random numbers are a counter, from `key` on, hashed by splitmix64 (Steele, Lea and Flood, OOPSLA 2014):
    they depend on nothing but the key and their number, so that numpy and the compiled loop draw the same.

    Parameters
    ----------
    scores : ndarray, shape (n,)
    n_low : ndarray of int, shape (k,)
        Increasing.
    n_permutations : int
    key : int
        64 random bits.

    Returns
    -------
    ndarray, shape (n_permutations,)
        Zeros where all scores are equal.

    Examples
    --------
    >>> scores = np.array([1.0, 0.0, 0.0, -1.0])  # half of all orders begin with 1 or -1
    >>> maxima = permuted_maxima(scores, np.array([1]), n_permutations=3000, key=1)
    >>> np.unique(maxima.round(3)).tolist(), round(float(np.mean(maxima > 1)), 1)
    ([0.0, 1.414], 0.5)
    """
    centred = scores - scores.mean()
    spread = deviation(centred, n_low)
    weight = np.zeros(int(n_low[-1]))
    weight[n_low - 1] = np.divide(1.0, spread, out=np.zeros(len(n_low)), where=spread > SAME_STATISTIC * len(scores))
    if n_permutations * len(weight) > random_draws.COMPILED_FROM:
        from analysis.kernels.permutation_loops import permuted_maxima_loop

        return permuted_maxima_loop(centred, weight, n_permutations, np.uint64(key))
    size = max(1, random_draws.AT_ONCE // len(centred))
    starts = range(0, n_permutations, size)
    parts = [_maxima(centred, weight, np.arange(start, min(start + size, n_permutations)), key) for start in starts]
    return np.concatenate(parts)


def _maxima(scores: FloatArray, weight: FloatArray, which: IntArray, key: int) -> FloatArray:
    """Those of some of the permutations, all shuffled in step."""
    shuffled = np.tile(scores[:, None], len(which))
    counter = np.uint64(key) + which.astype(np.uint64) * np.uint64(len(weight)) * GOLDEN
    total, largest = np.zeros(len(which)), np.zeros(len(which))
    for i, factor in enumerate(weight):
        counter += GOLDEN
        total += draw_in_step(shuffled, i, len(scores), random_halves(counter)[0])
        np.maximum(largest, np.abs(total) * factor, out=largest)
    return largest


def corrected_p_values(statistic: FloatArray, maxima: FloatArray) -> FloatArray:
    """The chance that the largest statistic of a search reaches each of those seen: (1 + reached) / (1 + drawn).

    The single-step max-T adjustment of Westfall and Young (Resampling-Based Multiple Testing, 1993).

    Parameters
    ----------
    statistic : ndarray, shape (k,)
        Absolute.
    maxima : ndarray, shape (m,)
        The largest of each random data set without an effect.

    Returns
    -------
    ndarray, shape (k,)

    Examples
    --------
    >>> corrected_p_values(np.array([0.0, 2.0, 9.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 0.75, 0.25]
    """
    reached = len(maxima) - np.searchsorted(np.sort(maxima), statistic * (1 - SAME_STATISTIC))
    return np.asarray((1 + reached) / (1 + len(maxima)), dtype=np.float64)


def critical_value(maxima: FloatArray, level: float = 0.05) -> float:
    """The limit that a statistic must exceed for its corrected p-value to be at most `level`.

    Infinite where there are too few draws for any p-value to be as small.

    Examples
    --------
    >>> critical_value(np.arange(1.0, 100.0)), critical_value(np.arange(5.0))
    (95.0, inf)
    """
    allowed = int(level * (1 + len(maxima)) * (1 + SAME_STATISTIC)) - 1
    return float(np.sort(maxima)[len(maxima) - 1 - allowed]) if allowed >= 0 else float("inf")
