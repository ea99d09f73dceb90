"""One cut or several: which number separates survival most, with one p-value for all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint
from analysis.errors import AnalysisWarning, InputError, NotEstimable, warn_all
from analysis.kernels.cutpoints import SAME, logrank_scores
from analysis.strata.cutpoints import Cutpoints
from analysis.strata.search.rows import check_options, search_rows
from analysis.strata.search.scans import LogRankScan
from analysis.survival.rows import check_endpoint

MOST_CANDIDATES = 60
MOST_CUTS = 4
AT_ONCE = 2_000_000


@dataclass(frozen=True, eq=False)
class CutpointsSearch:
    """The best partitions of a marker by one, two, ... cuts, and one p-value for having looked at all of them.

    Attributes
    ----------
    cuts : tuple of float
        Of the number of cuts that stands out most; groups are closed on the right.
    p_permutation : float
        Corrected for the places and for the number of cuts: the largest `excess` in `steps`, against the largest in
        permutations of the scores.
    steps : DataFrame
        A row a number of cuts: n_cuts, cuts, statistic, excess (the statistic less its mean and over its standard
        deviation in the permutations), p_permutation (corrected for the places alone).
    endpoint, marker, fractions, n_permutations, seed
        What was asked; `fractions` are `min_fraction` and `max_fraction`.
    n_read, n_used, dropped, warnings
        Rows given, rows used, rows left out by reason, and what is worth a word.
    """

    cuts: tuple[float, ...]
    p_permutation: float
    steps: pd.DataFrame
    endpoint: Endpoint
    marker: str
    fractions: tuple[float, float]
    n_permutations: int
    seed: int
    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]

    def cutpoints(self, labels: Sequence[str] | None = None, *, unit: str = "") -> Cutpoints:
        """The cuts for `stratify`, marked as searched; groups are "group 1", "group 2", ... from the lowest."""
        named = tuple(labels or (f"group {number}" for number in range(1, len(self.cuts) + 2)))
        source = (
            f"searched in {self.n_used} patients of these data for {self.endpoint.name}, p = {self.p_permutation:.2g}"
            " by permutation of the search"
        )
        return Cutpoints(self.cuts, named, unit=unit, source=source, rule="searched", closed="right")


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
    check_options(
        marker, (), fractions=fractions, n_permutations=n_permutations, n_bootstrap=0, seed=seed, conf_level=0.95
    )
    if isinstance(max_cuts, bool) or not isinstance(max_cuts, Integral) or not 1 <= max_cuts <= MOST_CUTS:
        raise InputError(f"max_cuts={max_cuts!r} must be a whole number from 1 to {MOST_CUTS}")
    check_endpoint(endpoint)
    if endpoint.entry is not None:
        raise InputError(f"endpoint {endpoint.name!r} has late entry, which a search of several cuts does not take")
    rows = search_rows(cohort, endpoint, marker, adjust=(), strata=(), fractions=fractions)
    scan = rows.scan
    assert isinstance(scan, LogRankScan)  # nothing is adjusted for
    candidates = _candidates(scan, max(1, int(rows.n_used * min_fraction)))
    scores = logrank_scores(scan.rows.time, scan.rows.event)
    scores = scores - scores.mean()

    statistic, ends = candidates.best(scores[None], max_cuts)
    if np.isneginf(statistic[-1, 0]):
        raise NotEstimable(
            f"marker {marker!r}: no {max_cuts} cuts leave {min_fraction:.0%} of the rows in every group; lower max_cuts"
            " or min_fraction"
        )
    null = _null(candidates, scores, max_cuts, n_permutations, seed)
    steps, p_permutation = _compared(np.concatenate([statistic, null], axis=1))
    steps.insert(0, "cuts", [tuple(candidates.cut[places].tolist()) for places in ends])
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
        n_read=rows.n_read,
        n_used=rows.n_used,
        dropped=rows.dropped,
        warnings=rows.warnings,
    )


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Candidate cuts, and which pairs of them leave enough rows between."""

    cut: FloatArray
    n_low: IntArray
    n: int
    apart: BoolArray

    def best(self, scores: FloatArray, max_cuts: int) -> tuple[FloatArray, list[IntArray]]:
        """The best statistic for 1, 2, ... cuts of each order of the scores, and the places of the first order's cuts.

        Shapes: scores (r, n), statistics (max_cuts, r).
        """
        sums = np.cumsum(scores, axis=1)[:, self.n_low - 1]
        factor = (self.n - 1) / np.maximum(np.einsum("ij,ij->i", scores, scores), SAME)
        below = sums**2 / self.n_low  # the lowest group
        above = sums**2 / (self.n - self.n_low)  # the highest: its scores sum to minus those below
        rows_between = np.where(self.apart, self.n_low - self.n_low[:, None], 1)
        statistic, chosen, links = [], [], []
        for number in range(max_cuts):
            if number:
                between = (sums[:, None, :] - sums[:, :, None]) ** 2 / rows_between
                joined = np.where(self.apart, below[:, :, None] + between, -np.inf)
                links.append(joined[0].argmax(axis=0))
                below = joined.max(axis=1)
            total = below + above
            statistic.append(total.max(axis=1) * factor)
            place = int(np.argmax(total[0] >= total[0].max() * (1 - SAME)))
            places = [place]
            for link in reversed(links):
                places.append(int(link[places[-1]]))
            chosen.append(np.array(places[::-1]))
        return np.array(statistic), chosen


def _candidates(scan: LogRankScan, fewest: int) -> _Candidates:
    """The cuts to choose among, evenly spread when there are many."""
    some = np.unique(np.linspace(0, len(scan.cut) - 1, min(MOST_CANDIDATES, len(scan.cut))).round().astype(np.int64))
    cut, n_low = scan.cut[some], scan.n_low[some]
    return _Candidates(cut, n_low, len(scan.marker), n_low - n_low[:, None] >= fewest)


def _null(candidates: _Candidates, scores: FloatArray, max_cuts: int, n_permutations: int, seed: int) -> FloatArray:
    """The best statistics of random orders of the scores: shape (max_cuts, n_permutations)."""
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    size = max(1, AT_ONCE // max(len(scores), len(candidates.cut) ** 2))
    parts = []
    for start in range(0, n_permutations, size):
        orders = np.tile(scores, (min(size, n_permutations - start), 1))
        parts.append(candidates.best(rng.permuted(orders, axis=1), max_cuts)[0])
    return np.concatenate(parts, axis=1)


def _compared(statistic: FloatArray) -> tuple[pd.DataFrame, float]:
    """Each number of cuts and the largest excess among them, against permutations: the first column is the data's."""
    excess = (statistic - statistic.mean(axis=1, keepdims=True)) / statistic.std(axis=1, keepdims=True)
    largest = excess.max(axis=0)
    steps = {
        "statistic": statistic[:, 0],
        "excess": excess[:, 0],
        "p_permutation": (statistic >= statistic[:, :1] * (1 - SAME)).mean(axis=1),
    }
    return pd.DataFrame(steps), float((largest >= largest[0] - SAME).mean())
