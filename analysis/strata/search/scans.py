"""From a cohort to the scan of its cuts: by log-rank scores as maxstat does, or within strata and beside covariates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.kernels import cox, cutpoints
from analysis.strata.marker_designs import adjust_problems, read_marker_design
from analysis.survival.cox import CoxFit, CoxModel, fit_design
from analysis.survival.rows import spell_warnings

MOST_CUTS_IN_A_RESAMPLE = 50
"""Beside covariates, resamples search among this many of the cuts, evenly spread."""
FEW_EVENTS = 20
"""Below this many events no search is to be trusted."""
FEW_EVENTS_EACH = 10
"""Beside covariates, below this many events for each coefficient, the cut's among them, it is warned of."""
EXACT = "exact where the marker is related to neither outcome nor censoring"
"""The condition of a permutation test, which shuffles the marker over times and events together."""


@dataclass(frozen=True, eq=False)
class Scan(ABC):
    """A way to scan the cuts of a marker: rows in the order of the marker, and answers on their resamples."""

    rows: cutpoints.ModelRows
    cuts: cutpoints.CutRows
    fractions: tuple[float, float]

    @property
    def marker(self) -> FloatArray:
        """The marker of each row, ascending."""
        return self.rows.marker

    @property
    def cut(self) -> FloatArray:
        """The admissible cuts."""
        return self.cuts.cut

    @property
    def n_low(self) -> IntArray:
        """Rows at or below each of them."""
        return self.cuts.n_low

    def at(self, n_low: IntArray) -> Scan:
        """The same rows scanned at other cuts, given by the number of rows at or below them (increasing)."""
        return replace(self, cuts=replace(self.cuts, cut=self.marker[n_low - 1], n_low=n_low))

    def table(self) -> pd.DataFrame:
        """A row a cut: cut n_low statistic chi_square log_hazard_ratio."""
        statistic, chi_square, log_ratio = self.statistics()
        return pd.DataFrame(
            {
                "cut": self.cut,
                "n_low": self.n_low.astype(np.int64),
                "statistic": np.abs(statistic),
                "chi_square": chi_square,
                "log_hazard_ratio": log_ratio,
            }
        )

    @property
    @abstractmethod
    def permutation(self) -> str:
        """What `maxima` permutes, and what level that gives."""

    @abstractmethod
    def statistics(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Standardised statistic, chi-square and log hazard ratio of every cut."""

    @abstractmethod
    def maxima(self, n_permutations: int, stream: np.random.SeedSequence) -> FloatArray:
        """The largest statistic in each of many random data sets without an effect of the marker."""

    @abstractmethod
    def cuts_of(self, counts: FloatArray) -> FloatArray:
        """The cut searched in each resample, which holds the rows as often as `counts` (resamples, rows); NaN: none."""

    @abstractmethod
    def hazard_of(self, high: BoolArray, counts: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Log hazard ratio and standard error of each grouping (groupings, rows), in all rows or in resamples."""


class LogRankScan(Scan):
    """The search of R's maxstat: scores are ranked anew in each resample, hazard ratios are of one indicator."""

    @property
    def permutation(self) -> str:
        """What `maxima` permutes."""
        return f"log-rank scores over the marker; {EXACT}"

    @property
    def scores(self) -> FloatArray:
        """The log-rank scores of the rows."""
        return cutpoints.logrank_scores(self.rows.time, self.rows.event)

    def statistics(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Standardised sums of scores, log-rank chi-squares, unadjusted log hazard ratios."""
        statistic = cutpoints.standardised(self.scores, self.n_low)
        return statistic, cutpoints.chi_squares(self.cuts), cutpoints.log_hazard_ratios(self.cuts)

    def maxima(self, n_permutations: int, stream: np.random.SeedSequence) -> FloatArray:
        """Of permutations of the scores over the marker."""
        key = int(stream.generate_state(1, np.uint64)[0])
        return cutpoints.permuted_maxima(self.scores, self.n_low, n_permutations=n_permutations, key=key)

    def cuts_of(self, counts: FloatArray) -> FloatArray:
        """The cut of the largest statistic."""
        low, high = self.fractions
        rows = self.rows
        return cutpoints.cut_of_resamples(
            self.marker, rows.time, rows.event, counts, min_fraction=low, max_fraction=high
        )

    def hazard_of(self, high: BoolArray, counts: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Cox models of the indicator alone."""
        return cutpoints.grouped_log_hazard_ratios(self.rows.time, self.rows.event, high, counts)


class AdjustedScan(Scan):
    """The search beside covariates, within strata, or with late entry."""

    @property
    def permutation(self) -> str:
        """What `maxima` permutes."""
        within = " within strata" if len(np.unique(self.rows.strata)) > 1 else ""
        if self.rows.x.shape[1]:
            return f"residuals of the marker given the covariates{within}; large-sample level"
        return f"log-rank scores over the marker{within}; {EXACT}{within}"

    @cached_property
    def scores(self) -> cutpoints.CutScores:
        """The scores that are searched."""
        scores = cutpoints.cut_scores(self.rows, self.n_low)
        if scores is None:
            raise errors.NotEstimable("the model without the marker is not estimable; take fewer covariates")
        return scores

    def statistics(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Score statistics, their squares (those of the Cox model in strata too), adjusted log hazard ratios."""
        tested = self.scores if self.rows.x.shape[1] else cutpoints.model_scores(self.rows, self.n_low)
        assert tested is not None  # there are events
        return self.scores.statistic, tested.statistic**2, self.hazard_of(self.marker > self.cut[:, None])[0]

    def maxima(self, n_permutations: int, stream: np.random.SeedSequence) -> FloatArray:
        """Of permutations of the marker within strata, of its residuals beside covariates."""
        rng = np.random.default_rng(stream)
        return cutpoints.redrawn_maxima(self.rows, self.scores, n_permutations=n_permutations, rng=rng)

    def cuts_of(self, counts: FloatArray) -> FloatArray:
        """The cut of the largest statistic; the model without the marker is fitted anew in each resample."""
        everyone = np.arange(len(self.marker))
        return np.array([self._cut_of(self.rows.take(np.repeat(everyone, n))) for n in counts.astype(np.int64)])

    def _cut_of(self, rows: cutpoints.ModelRows) -> float:
        """The cut searched in one resample."""
        low, high = self.fractions
        cuts = cutpoints.cut_rows(rows.marker, rows.time, rows.event, min_fraction=low, max_fraction=high)
        if not len(cuts.cut):
            return float("nan")
        n = len(cuts.cut)
        some = np.unique(np.linspace(0, n - 1, min(MOST_CUTS_IN_A_RESAMPLE, n)).astype(np.int64))
        scores = cutpoints.cut_scores(rows, cuts.n_low[some])
        return float("nan") if scores is None else float(cuts.cut[some][cutpoints.first_maximum(scores.statistic)])

    def hazard_of(self, high: BoolArray, counts: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Cox models of the indicator beside the covariates."""
        everyone = np.arange(len(self.marker))
        fits = [
            self._hazard(group, everyone if counts is None else np.repeat(everyone, counts[number].astype(np.int64)))
            for number, group in enumerate(high)
        ]
        return np.array([fit[0] for fit in fits]), np.array([fit[1] for fit in fits])

    def _hazard(self, group: BoolArray, drawn: IntArray) -> tuple[float, float]:
        """One of them, in the rows drawn."""
        rows = self.rows.take(drawn)
        x = np.column_stack([group[drawn], rows.x])
        coef, covariance, _ = cox.fit_arrays(x, rows.time, rows.event, entry=rows.entry, strata=rows.strata)
        return float(coef[0]), float(np.sqrt(covariance[0, 0]))


def check_options(
    marker: str,
    *,
    fractions: tuple[float, float],
    n_permutations: int,
    seed: int,
    n_bootstrap: int = 0,
    adjust: Sequence[str] = (),
    conf_level: float = 0.95,
) -> None:
    """Every fault of the options that can be seen without the data."""
    problems = errors.level_problems(conf_level)
    for name, value in zip(("min_fraction", "max_fraction"), fractions, strict=True):
        wrong = errors.number_problems(name, value, low=0, open_low=True)
        problems += wrong or ([] if value < 1 else [f"{name}={value!r} must be below 1"])
    if not problems and fractions[0] >= fractions[1]:
        problems.append(f"min_fraction={fractions[0]!r} must be below max_fraction={fractions[1]!r}")
    problems += errors.count_problems("n_permutations", n_permutations)
    problems += errors.count_problems("n_bootstrap", n_bootstrap, low=0)
    problems += errors.count_problems("seed", seed, low=0)
    errors.raise_all(problems + adjust_problems(marker, adjust), errors.InputError)


@dataclass(frozen=True, eq=False)
class SearchRows(errors.RowAccount):
    """The rows of a search: a way to scan them, and the model that searches nothing, for comparison."""

    scan: Scan
    continuous: CoxFit
    marker_sd: float


def search_rows(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    adjust: Sequence[str] = (),
    strata: Sequence[str] = (),
    fractions: tuple[float, float],
) -> SearchRows:
    """The rows that a search can use, in an order that does not depend on theirs.

    Raises
    ------
    CohortError
        Faults of the columns, all at once; no value of the marker.
    NotEstimable
        One value of the marker, no admissible cut, no events, nobody to compare, constant or collinear covariates.
    """
    design = read_marker_design(cohort, endpoint, marker, adjust, strata)
    column = design.columns[str(marker)][0]
    values, others, data = design.x[:, column], np.delete(design.x, column, axis=1), design.data
    _refuse_uncuttable(values, marker, fractions)
    model = CoxModel(endpoint, (marker, *adjust), "efron", tuple(strata), None, None, robust=False, engine="kernel")
    continuous = fit_design(design, model)
    stratum = data.strata.codes_as_text
    order = np.lexsort((*others.T, stratum, data.entry, data.event, data.time, values))
    rows = cutpoints.ModelRows(values, data.time, data.event, data.entry, stratum, others).take(order)
    cuts = cutpoints.cut_rows(rows.marker, rows.time, rows.event, min_fraction=fractions[0], max_fraction=fractions[1])
    spells = spell_warnings(
        cohort,
        endpoint,
        data,
        wrong="permutations and resamples are of rows, not patients",
        remedy="give one row a patient",
    )
    few = _few_events(int(rows.event.sum()), others.shape[1])
    way = AdjustedScan if adjust or strata or endpoint.entry is not None else LogRankScan
    return SearchRows(
        scan=way(rows, cuts, fractions),
        continuous=continuous,
        marker_sd=float(rows.marker.std(ddof=1)),
        **data.account | {"warnings": (*data.warnings, *spells, *few)},
    )


def _refuse_uncuttable(values: FloatArray, marker: str, fractions: tuple[float, float]) -> None:
    """An error when no value of the marker leaves enough rows on either side."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) == 1:
        raise errors.NotEstimable(
            f"marker {marker!r}: one value ({distinct[0]:g}) in all {len(values)} rows; nothing to cut"
        )
    n = len(values)
    n_low = np.cumsum(counts)[:-1]
    low, high = max(1, int(n * fractions[0])), min(n - 1, int(n * fractions[1]))
    if not ((n_low >= low) & (n_low <= high)).any():
        shown = first_few(f"<= {value:g}: {count}" for value, count in zip(distinct[:-1], n_low, strict=True))
        raise errors.NotEstimable(
            f"marker {marker!r}: no admissible cut; {low} to {high} of {n} rows must lie at or below it, but there are"
            f" {shown}; widen min_fraction and max_fraction, or take the values as groups"
        )


def _few_events(n_event: int, n_covariates: int) -> tuple[errors.AnalysisWarning, ...]:
    """A warning when there are too few events to search, or to search beside so many covariates."""
    if n_event < FEW_EVENTS:
        text = f"{n_event} events: a cut searched among fewer than {FEW_EVENTS} is mostly chance"
        return (errors.FewEvents(f"{text}; take one from outside these data"),)
    if n_covariates and n_event < FEW_EVENTS_EACH * (n_covariates + 1):
        text = f"{n_event} events for {n_covariates + 1} coefficients, fewer than {FEW_EVENTS_EACH} each"
        advice = "the adjusted search's p-value and limits hold in large samples; adjust for fewer covariates"
        return (errors.FewEvents(f"{text}: {advice}"),)
    return ()
