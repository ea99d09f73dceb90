"""What a search may claim: the hazard ratio of a cut on patients who did not choose it, and how far the cut moves."""

from __future__ import annotations

import numpy as np

from analysis.cohort.columns import FloatArray
from analysis.strata.search_scans import Scan

N_SPLITS = 20
N_FOLDS = 5
SHARE_POWER = 0.9
"""A resample for the place of the cut holds n to this power rows."""


def cross_fitted(scan: Scan, stream: np.random.SeedSequence) -> tuple[float, float]:
    """The log hazard ratio of the searched cut, cross-fitted, and its standard error.

    The rows are split into folds; the cut that puts a row above or below is searched in the other folds; one Cox model
    takes all rows. Over several splits the estimates b are averaged; the squared error is the mean of the models' own
    plus the spread between splits, se^2 + (b - mean)^2 (Chernozhukov et al., Econometrics J 21 (2018) C1, section 3.4).

    Parameters
    ----------
    scan : Scan
    stream : SeedSequence

    Returns
    -------
    estimate, std_error : float
        NaN when no split could be estimated.
    """
    n = len(scan.marker)
    n_folds = min(N_FOLDS, n)
    rng = np.random.default_rng(stream)
    fold = rng.permuted(np.tile(np.arange(n) % n_folds, (N_SPLITS, 1)), axis=1)
    others = (fold[:, None, :] != np.arange(n_folds)[:, None]).reshape(-1, n).astype(np.float64)
    cuts = scan.cuts_of(others).reshape(N_SPLITS, n_folds)
    found = ~np.isnan(cuts).any(axis=1)
    if not found.any():
        return float("nan"), float("nan")
    high = scan.marker > np.take_along_axis(cuts, fold, axis=1)
    estimate, std_error = scan.hazard_of(high[found])
    known = ~np.isnan(estimate)
    if not known.any():
        return float("nan"), float("nan")
    centre = float(estimate[known].mean())
    squared = std_error[known] ** 2 + (estimate[known] - centre) ** 2
    return centre, float(np.sqrt(squared.mean()))


def cut_range(
    scan: Scan, stream: np.random.SeedSequence, *, n_bootstrap: int, conf_level: float, power: float = SHARE_POWER
) -> tuple[float, float]:
    """Between which values the cut falls when the search is repeated on resamples of the rows.

    Parameters
    ----------
    scan : Scan
    stream : SeedSequence
    n_bootstrap : int
        Resamples; 0 gives NaN.
    conf_level : float
        The share of the cuts between the limits.
    power : float
        Each resample draws n to this power rows with replacement.

    Returns
    -------
    cut_low, cut_high : float
        Observed values of the marker.
    """
    n = len(scan.marker)
    rng = np.random.default_rng(stream)
    size = max(2, min(n, round(n**power)))
    drawn = rng.integers(0, n, (n_bootstrap, size)) + np.arange(n_bootstrap)[:, None] * n
    counts = np.bincount(drawn.ravel(), minlength=n_bootstrap * n).reshape(n_bootstrap, n)
    cuts: FloatArray = scan.cuts_of(counts.astype(np.float64)) if n_bootstrap else np.empty(0)
    cuts = cuts[~np.isnan(cuts)]
    if not len(cuts):
        return float("nan"), float("nan")
    low, high = np.quantile(cuts, [(1 - conf_level) / 2, (1 + conf_level) / 2], method="inverted_cdf")
    return float(low), float(high)
