"""One cut or several: which number separates survival most, with one p-value for all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint
from analysis.errors import InputError, NotEstimable, RowAccount, warn_all
from analysis.kernels.cutpoints import logrank_scores
from analysis.kernels.tolerances import SAME_STATISTIC
from analysis.strata.cutpoints import Cutpoints
from analysis.strata.search import correction, scans
from analysis.survival.rows import check_endpoint

MOST_CANDIDATES = 60
MOST_CUTS = 4
AT_ONCE = 2_000_000


@dataclass(frozen=True, eq=False)
class CutpointsSearch(RowAccount):
    """The best partitions of a marker by one, two, ... cuts, and one p-value for having looked at all of them.

    Attributes
    ----------
    cuts : tuple of float
        Of the number of cuts that stands out most; groups are closed on the right.
    p_permutation : float
        Corrected for the locations and for the number of cuts: the largest `excess` in `steps`, against the largest in
        permutations of the scores.
    steps : DataFrame
        A row a number of cuts: n_cuts, cuts, statistic, excess (the statistic less its mean and over its standard
        deviation in the permutations), p_permutation (corrected for the locations alone).
    endpoint, marker, fractions, n_permutations, seed
        The options; `fractions` are `min_fraction` and `max_fraction`.

    And the row account.
    """

    cuts: tuple[float, ...]
    p_permutation: float
    steps: pd.DataFrame
    endpoint: Endpoint
    marker: str
    fractions: tuple[float, float]
    n_permutations: int
    seed: int

    def cutpoints(self, labels: Sequence[str] | None = None, *, unit: str = "") -> Cutpoints:
        """The cuts for `stratify`, marked as searched; groups are "group 1", "group 2", ... from the lowest."""
        named = tuple(labels or (f"group {number}" for number in range(1, len(self.cuts) + 2)))
        return correction.searched_cutpoints(
            self.cuts, named, unit, n_used=self.n_used, endpoint=self.endpoint, p_value=self.p_permutation
        )


def search_cutpoints(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    max_cuts: int = 2,
    min_fraction: float = 0.1,
    max_fraction: float = 0.9,
    n_permutations: int = 9999,
    seed: int,
) -> CutpointsSearch:
    """Search the best 1, 2, ..., `max_cuts` cuts of a marker, with one p-value for the whole search.

    A partition into groups g with n_g rows and log-rank scores that sum to S_g (scores centred, their squares summing
    to Q) has the statistic (n - 1) / Q times the sum of S_g^2 / n_g: about chi-square with one degree of freedom a cut
    if it had been given. For one cut it is the square of the statistic of `search_cutpoint`. For each number of cuts
    the best partition is found by dynamic programming and compared with the best in permutations of the scores. The
    number of cuts is the one whose statistic stands out most, in standard deviations of the permutations, and that
    largest excess is in turn compared with the largest in each permutation (max-T: Westfall and Young, Resampling-Based
    Multiple Testing, 1993).

    Parameters
    ----------
    cohort, endpoint, marker
        As in `search_cutpoint`.
    max_cuts : int
        1 to 4.
    min_fraction, max_fraction : float
        The lowest cut has at least `min_fraction`, the highest at most `max_fraction` of the rows at or below it; a
        group between two cuts holds at least `min_fraction` too. When a marker has more than 60 admissible cuts, 60
        are candidates, evenly spread over them.
    n_permutations : int
    seed : int

    Returns
    -------
    CutpointsSearch

    Raises
    ------
    CohortError, InputError, NotEstimable
        As `search_cutpoint`; NotEstimable too when no partition leaves enough rows in every group.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, load_cohort
    >>> cohort = load_cohort().dropna(subset=["magnesium"])
    >>> found = search_cutpoints(cohort, OVERALL_SURVIVAL, "magnesium", n_permutations=99, seed=1)
    >>> found.steps["n_cuts"].tolist()
    [1, 2]
    """
    fractions = (min_fraction, max_fraction)
    scans.check_options(marker, fractions=fractions, n_permutations=n_permutations, seed=seed)
    if isinstance(max_cuts, bool) or not isinstance(max_cuts, Integral) or not 1 <= max_cuts <= MOST_CUTS:
        raise InputError(f"max_cuts={max_cuts!r} must be a whole number from 1 to {MOST_CUTS}")
    check_endpoint(endpoint)
    if endpoint.entry is not None:
        raise InputError(f"endpoint {endpoint.name!r} has late entry, which a search of several cuts does not take")
    rows = scans.search_rows(cohort, endpoint, marker, fractions=fractions)
    cut, n_low = _candidates(rows.scan)
    scores = logrank_scores(rows.scan.rows.time, rows.scan.rows.event)
    scores = scores - scores.mean()
    apart = n_low - n_low[:, None] >= max(1, int(rows.n_used * min_fraction))

    statistic, chosen = best_partitions(scores[None], n_low, apart, max_cuts)
    if np.isneginf(statistic[-1, 0]):
        raise NotEstimable(
            f"marker {marker!r}: no {max_cuts} cuts leave {min_fraction:.0%} of the rows in every group; lower max_cuts"
            " or min_fraction"
        )
    orders = _random_orders(scores, n_permutations, seed, at_once=AT_ONCE // max(len(scores), len(cut) ** 2))
    permuted = [best_partitions(some, n_low, apart, max_cuts)[0] for some in orders]
    steps, p_permutation = _compared(np.concatenate([statistic, *permuted], axis=1))
    steps.insert(0, "cuts", [tuple(cut[positions].tolist()) for positions in chosen])
    steps.insert(0, "n_cuts", range(1, max_cuts + 1))
    warn_all(rows.warnings)
    return CutpointsSearch(
        cuts=steps["cuts"].iloc[int(steps["excess"].argmax())],
        p_permutation=p_permutation,
        steps=steps,
        endpoint=endpoint,
        marker=marker,
        fractions=fractions,
        n_permutations=n_permutations,
        seed=seed,
        **rows.account,
    )


def _candidates(scan: scans.Scan) -> tuple[FloatArray, IntArray]:
    """The cuts to choose among and the rows at or below each, evenly spread when there are many."""
    n = len(scan.cut)
    some = np.unique(np.linspace(0, n - 1, min(MOST_CANDIDATES, n)).round().astype(np.int64))
    return scan.cut[some], scan.n_low[some]


def best_partitions(
    scores: FloatArray, n_low: IntArray, apart: BoolArray, max_cuts: int
) -> tuple[FloatArray, list[IntArray]]:
    """The best statistic for 1, 2, ... cuts of each order of the scores, and the positions of the first order's cuts.

    Parameters
    ----------
    scores : ndarray, shape (r, n)
        Orders of the centred scores.
    n_low : ndarray of int, shape (k,)
        Rows at or below each candidate cut.
    apart : ndarray of bool, shape (k, k)
        Which pairs of cuts leave enough rows between.
    max_cuts : int

    Returns
    -------
    statistic : ndarray, shape (max_cuts, r)
        Minus infinity where no partition is allowed.
    chosen : list of ndarray of int
    """
    n = scores.shape[1]
    sums = np.cumsum(scores, axis=1)[:, n_low - 1]
    factor = (n - 1) / np.maximum(np.einsum("ij,ij->i", scores, scores), SAME_STATISTIC)
    below = sums**2 / n_low  # the lowest group
    above = sums**2 / (n - n_low)  # the highest: its scores sum to minus those below
    rows_between = np.where(apart, n_low - n_low[:, None], 1)
    statistic, chosen, links = [], [], []
    for number in range(max_cuts):
        if number:
            between = (sums[:, None, :] - sums[:, :, None]) ** 2 / rows_between
            joined = np.where(apart, below[:, :, None] + between, -np.inf)
            links.append(joined[0].argmax(axis=0))
            below = joined.max(axis=1)
        total = below + above
        statistic.append(total.max(axis=1) * factor)
        positions = [int(np.argmax(total[0] >= total[0].max() * (1 - SAME_STATISTIC)))]
        for link in reversed(links):
            positions.append(int(link[positions[-1]]))
        chosen.append(np.array(positions[::-1]))
    return np.array(statistic), chosen


def _random_orders(scores: FloatArray, n_permutations: int, seed: int, *, at_once: int) -> Iterator[FloatArray]:
    """Random orders of the scores, some of them at a time."""
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    for start in range(0, n_permutations, max(1, at_once)):
        orders = np.tile(scores, (min(max(1, at_once), n_permutations - start), 1))
        yield rng.permuted(orders, axis=1)


def _compared(statistic: FloatArray) -> tuple[pd.DataFrame, float]:
    """Each number of cuts and the largest excess among them, against permutations: the first column is the data's."""
    excess = (statistic - statistic.mean(axis=1, keepdims=True)) / statistic.std(axis=1, keepdims=True)
    largest = excess.max(axis=0)
    steps = {
        "statistic": statistic[:, 0],
        "excess": excess[:, 0],
        "p_permutation": (statistic >= statistic[:, :1] * (1 - SAME_STATISTIC)).mean(axis=1),
    }
    return pd.DataFrame(steps), float((largest >= largest[0] - SAME_STATISTIC).mean())
