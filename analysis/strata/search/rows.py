"""From a cohort to the scan of its cuts: options checked, rows read and put in one order, hopeless searches refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, FewEvents, InputError, NotEstimable, raise_all
from analysis.kernels.cutpoints import CutRows, ModelRows, cut_rows
from analysis.strata.marker_designs import adjust_problems, read_marker_design
from analysis.strata.search.scans import AdjustedScan, LogRankScan, Scan
from analysis.survival.cox import CoxFit, CoxModel, fit_design
from analysis.survival.rows import level_problems, number_problems, spell_warnings

FEW_EVENTS = 20
"""Below this many events no search is to be trusted."""
FEW_EVENTS_EACH = 10
"""Beside covariates, below this many events for each coefficient, the cut's among them, it is warned of."""


@dataclass(frozen=True, eq=False)
class SearchRows:
    """The rows of a search: a way to scan them, and the model that searches nothing, for comparison."""

    scan: Scan
    continuous: CoxFit
    marker_sd: float
    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]


def check_options(
    marker: str,
    adjust: Sequence[str],
    *,
    fractions: tuple[float, float],
    n_permutations: int,
    n_bootstrap: int,
    seed: int,
    conf_level: float,
) -> None:
    """Every fault of the options that can be seen without the data."""
    problems = level_problems(conf_level)
    for name, value in (("min_fraction", fractions[0]), ("max_fraction", fractions[1])):
        wrong = number_problems(name, value, low=0, open_low=True)
        problems += wrong or ([] if value < 1 else [f"{name}={value!r} must be below 1"])
    if not problems and fractions[0] >= fractions[1]:
        problems.append(f"min_fraction={fractions[0]!r} must be below max_fraction={fractions[1]!r}")
    for name, number, low in (
        ("n_permutations", n_permutations, 1),
        ("n_bootstrap", n_bootstrap, 0),
        ("seed", seed, 0),
    ):
        if isinstance(number, bool) or not isinstance(number, Integral) or number < low:
            problems.append(f"{name}={number!r} must be a whole number of at least {low}")
    problems += adjust_problems(marker, adjust)
    raise_all(problems, InputError)


def search_rows(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    adjust: Sequence[str],
    strata: Sequence[str],
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
    place = design.columns[str(marker)][0]
    values = design.x[:, place]
    _refuse_uncuttable(values, marker, fractions)
    model = CoxModel(endpoint, (marker, *adjust), "efron", tuple(strata), None, None, robust=False, engine="kernel")
    continuous = fit_design(design, model)
    data = design.data
    others = np.delete(design.x, place, axis=1)
    stratum = data.strata.codes_as_text
    order = np.lexsort((*others.T, stratum, data.entry, data.event, data.time, values))
    marker_values, time, event = values[order], data.time[order], data.event[order]
    rows = cut_rows(marker_values, time, event, min_fraction=fractions[0], max_fraction=fractions[1])
    spells = spell_warnings(
        cohort, endpoint, data, wrong="permutations and resamples are of rows, not patients",
        remedy="give one row a patient",
    )  # fmt: skip
    scan: Scan
    if adjust or strata or endpoint.entry is not None:
        all_rows = ModelRows(marker_values, time, event, data.entry[order], stratum[order], others[order])
        scan = AdjustedScan(all_rows, rows.cut, rows.n_low, fractions)
    else:
        scan = LogRankScan(marker_values, CutRows(time, event, rows.order, rows.cut, rows.n_low), fractions)
    return SearchRows(
        scan=scan,
        continuous=continuous,
        marker_sd=float(marker_values.std(ddof=1)),
        n_read=data.n_read,
        n_used=data.n_used,
        dropped=data.dropped,
        warnings=(*data.warnings, *spells, *_few_events(int(event.sum()), others.shape[1])),
    )


def _refuse_uncuttable(values: FloatArray, marker: str, fractions: tuple[float, float]) -> None:
    """An error when no value of the marker leaves enough rows on either side."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) == 1:
        raise NotEstimable(f"marker {marker!r}: one value ({distinct[0]:g}) in all {len(values)} rows; nothing to cut")
    n = len(values)
    n_low = np.cumsum(counts)[:-1]
    low, high = max(1, int(n * fractions[0])), min(n - 1, int(n * fractions[1]))
    if not ((n_low >= low) & (n_low <= high)).any():
        shown = first_few(f"<= {value:g}: {count}" for value, count in zip(distinct[:-1], n_low, strict=True))
        raise NotEstimable(
            f"marker {marker!r}: no admissible cut; {low} to {high} of {n} rows must lie at or below it, but there are"
            f" {shown}; widen min_fraction and max_fraction, or take the values as groups"
        )


def _few_events(n_event: int, n_covariates: int) -> tuple[AnalysisWarning, ...]:
    """A warning when there are too few events to search, or to search beside so many covariates."""
    if n_event < FEW_EVENTS:
        text = f"{n_event} events: a cut searched among fewer than {FEW_EVENTS} is mostly chance"
        return (FewEvents(f"{text}; take one from outside these data"),)
    if n_covariates and n_event < FEW_EVENTS_EACH * (n_covariates + 1):
        text = f"{n_event} events for {n_covariates + 1} coefficients, fewer than {FEW_EVENTS_EACH} each"
        return (
            FewEvents(
                f"{text}: the adjusted search's p-value and limits hold in large samples; adjust for fewer covariates"
            ),
        )
    return ()
