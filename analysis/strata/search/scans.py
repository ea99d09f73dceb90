"""Two ways to search a cut: by log-rank scores, as maxstat does, or within strata and beside covariates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.errors import NotEstimable
from analysis.kernels.cox import fit_arrays
from analysis.kernels.cutpoints import (
    CutRows,
    CutScores,
    ModelRows,
    chi_squares,
    cut_of_resamples,
    cut_rows,
    cut_scores,
    first_maximum,
    grouped_log_hazard_ratios,
    log_hazard_ratios,
    logrank_scores,
    model_scores,
    permuted_maxima,
    redrawn_maxima,
    standardised,
)

MOST_CUTS_AGAIN = 50
"""Beside covariates, resamples search among this many of the cuts, evenly spread."""

EXACT = "exact where the marker is related to neither outcome nor censoring"
"""The condition of a permutation test, which shuffles the marker over times and events together."""


class Scan(Protocol):
    """What a search asks of a way to scan: rows in the order of the marker, and answers on their resamples."""

    @property
    def marker(self) -> FloatArray:
        """The marker of each row, ascending."""

    @property
    def cut(self) -> FloatArray:
        """The admissible cuts."""

    @property
    def n_low(self) -> IntArray:
        """Rows at or below each of them."""

    @property
    def permutation(self) -> str:
        """What `maxima` permutes, and what level that gives."""

    def table(self) -> pd.DataFrame:
        """A row a cut: cut n_low statistic chi_square log_hazard_ratio."""

    def maxima(self, n_permutations: int, stream: np.random.SeedSequence) -> FloatArray:
        """The largest statistic in each of many random data sets without an effect of the marker."""

    def at(self, n_low: IntArray) -> Scan:
        """The same rows scanned at other cuts, told by the rows at or below them (increasing)."""

    def cuts_of(self, counts: FloatArray) -> FloatArray:
        """The cut found in each resample, of which `counts` (resamples, rows) tells the rows; NaN for none."""

    def hazard_of(self, high: BoolArray, counts: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Log hazard ratio and standard error of each grouping (groupings, rows), in all rows or in resamples."""


@dataclass(frozen=True, eq=False)
class LogRankScan:
    """The search of R's maxstat."""

    marker: FloatArray
    rows: CutRows
    fractions: tuple[float, float]

    @property
    def cut(self) -> FloatArray:
        """The admissible cuts."""
        return self.rows.cut

    @property
    def n_low(self) -> IntArray:
        """Rows at or below each of them."""
        return self.rows.n_low

    @property
    def permutation(self) -> str:
        """What `maxima` permutes."""
        return f"log-rank scores over the marker; {EXACT}"

    def table(self) -> pd.DataFrame:
        """A row a cut."""
        scores = logrank_scores(self.rows.time, self.rows.event)
        columns = (
            self.cut,
            self.n_low,
            np.abs(standardised(scores, self.n_low)),
            chi_squares(self.rows),
            log_hazard_ratios(self.rows),
        )
        return _table(*columns)

    def maxima(self, n_permutations: int, stream: np.random.SeedSequence) -> FloatArray:
        """Permutations of the scores over the marker."""
        scores = logrank_scores(self.rows.time, self.rows.event)
        key = int(stream.generate_state(1, np.uint64)[0])
        return permuted_maxima(scores, self.n_low, n_permutations=n_permutations, key=key)

    def at(self, n_low: IntArray) -> LogRankScan:
        """Scanned at other cuts."""
        return replace(self, rows=replace(self.rows, cut=self.marker[n_low - 1], n_low=n_low))

    def cuts_of(self, counts: FloatArray) -> FloatArray:
        """Scores are ranked anew in each resample."""
        low, high = self.fractions
        rows = self.rows
        return cut_of_resamples(self.marker, rows.time, rows.event, counts, min_fraction=low, max_fraction=high)

    def hazard_of(self, high: BoolArray, counts: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Cox models of one indicator."""
        return grouped_log_hazard_ratios(self.rows.time, self.rows.event, high, counts)


@dataclass(frozen=True, eq=False)
class AdjustedScan:
    """The search beside covariates, within strata, or with late entry."""

    rows: ModelRows
    cut: FloatArray
    n_low: IntArray
    fractions: tuple[float, float]

    @property
    def marker(self) -> FloatArray:
        """The marker of each row, ascending."""
        return self.rows.marker

    @property
    def permutation(self) -> str:
        """What `maxima` permutes."""
        within = " within strata" if len(np.unique(self.rows.strata)) > 1 else ""
        if self.rows.x.shape[1]:
            return f"residuals of the marker given the covariates{within}; large-sample level"
        return f"log-rank scores over the marker{within}; {EXACT}{within}"

    @cached_property
    def scores(self) -> CutScores:
        """The scores that are searched."""
        found = cut_scores(self.rows, self.n_low)
        if found is None:
            raise NotEstimable("the model without the marker is not estimable; take fewer covariates")
        return found

    def table(self) -> pd.DataFrame:
        """A row a cut."""
        tested = self.scores if self.rows.x.shape[1] else model_scores(self.rows, self.n_low)
        assert tested is not None  # there are events
        log_ratio = self.hazard_of(self.marker > self.cut[:, None])[0]
        return _table(self.cut, self.n_low, np.abs(self.scores.statistic), tested.statistic**2, log_ratio)

    def maxima(self, n_permutations: int, stream: np.random.SeedSequence) -> FloatArray:
        """Permutations of the marker within strata, of its residuals beside covariates."""
        rng = np.random.default_rng(stream)
        return redrawn_maxima(self.rows, self.scores, n_permutations=n_permutations, rng=rng)

    def at(self, n_low: IntArray) -> AdjustedScan:
        """Scanned at other cuts."""
        return AdjustedScan(self.rows, self.marker[n_low - 1], n_low, self.fractions)

    def cuts_of(self, counts: FloatArray) -> FloatArray:
        """The model without the marker is fitted anew in each resample."""
        return np.array([self._cut_of(np.repeat(np.arange(len(held)), held)) for held in counts.astype(np.int64)])

    def _cut_of(self, places: IntArray) -> float:
        """The cut found in one resample."""
        rows = self.rows.take(places)
        low, high = self.fractions
        found = cut_rows(rows.marker, rows.time, rows.event, min_fraction=low, max_fraction=high)
        if not len(found.cut):
            return float("nan")
        some = np.unique(np.linspace(0, len(found.cut) - 1, min(MOST_CUTS_AGAIN, len(found.cut))).astype(np.int64))
        scores = cut_scores(rows, found.n_low[some])
        return float("nan") if scores is None else float(found.cut[some][first_maximum(scores.statistic)])

    def hazard_of(self, high: BoolArray, counts: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Cox models of the indicator beside the covariates."""
        everyone = np.arange(len(self.marker))
        fits = [
            self._hazard(group, everyone if counts is None else np.repeat(everyone, counts[place].astype(np.int64)))
            for place, group in enumerate(high)
        ]
        return np.array([fit[0] for fit in fits]), np.array([fit[1] for fit in fits])

    def _hazard(self, group: BoolArray, places: IntArray) -> tuple[float, float]:
        """One of them."""
        rows = self.rows.take(places)
        x = np.column_stack([group[places], rows.x])
        coef, covariance, _ = fit_arrays(x, rows.time, rows.event, entry=rows.entry, strata=rows.strata)
        return float(coef[0]), float(np.sqrt(covariance[0, 0]))


def _table(
    cut: FloatArray, n_low: IntArray, statistic: FloatArray, chi_square: FloatArray, log_ratio: FloatArray
) -> pd.DataFrame:
    """The scan as a frame."""
    return pd.DataFrame(
        {
            "cut": cut,
            "n_low": n_low.astype(np.int64),
            "statistic": statistic,
            "chi_square": chi_square,
            "log_hazard_ratio": log_ratio,
        }
    )
