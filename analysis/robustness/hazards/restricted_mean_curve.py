"""The difference in restricted mean survival time at every horizon, with a band over all of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import FloatArray
from analysis.kernels import counts, tails
from analysis.survival.curves import check_horizon, pairs_of, strata_of, with_pairs
from analysis.survival.rows import times_given

N_HORIZONS, EARLIEST_SHARE = 40, 0.1
FEWEST_AT_RISK = 10
"""Patients at risk in both strata up to which the curve goes by default."""


def restricted_mean_curve(
    curves: pd.DataFrame,
    *,
    horizons: ArrayLike | None = None,
    n_draws: int = 10_000,
    seed: int,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Differences in restricted mean survival time as the horizon moves, for every pair of strata.

    One horizon must be chosen beforehand; a curve over all of them shows what hangs on that choice. The pointwise
    limits are those of `restricted_mean_difference` at each horizon. In large samples the band covers the whole curve
    with the confidence asked for, so that it may be looked at everywhere at once; with 26 patients in a stratum a band
    of 95 % covers in 88 to 90 %.

    Parameters
    ----------
    curves : DataFrame
        As `kaplan_meier` returns them, without weights or with whole-number weights.
    horizons : array of float, optional
        Positive times within the follow-up; 40 even steps by default for each pair, from a tenth of the last time at
        which both strata have 10 at risk up to it.
    n_draws : int
        Draws behind the band.
    seed : int
        Of the draws.
    conf_level : float

    Returns
    -------
    DataFrame
        Columns stratum_a, stratum_b, horizon, difference (b - a, in the unit of the follow-up), std_error, conf_low,
        conf_high, band_low, band_high; pairs in stratum order, horizons ascending.

    Raises
    ------
    InputError
        When a horizon is not positive or lies beyond the follow-up of a stratum with S > 0, or an option is not
        allowed; NotEstimable with fewer than 2 strata, or without horizons where a stratum never has 10 at risk.

    Notes
    -----
    The band is difference +- c std_error, c being the quantile of the largest |D(h)| / std_error over the horizons h. D
    has the large-sample covariance of the estimates: of horizons g and h, the sum over strata and event times of
    A(g) A(h) d / (n (n - d)), A(h) being the area under the stratum's curve from the event time to h. It is drawn as
    independent normal deviates, one an event time, and c comes from the draws. Horizons before the first event, where
    nothing varies, take no part. Zhao et al., Biometrics 72 (2016) 215.

    Examples
    --------
    >>> from analysis import Endpoint, kaplan_meier
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5, 4, 6], "died": [1, 0, 1, 1, 1, 0], "arm": list("aabbab")})
    >>> curves = kaplan_meier(cohort, Endpoint("months", "died"), by="arm")
    >>> result = restricted_mean_curve(curves, horizons=[3, 4], seed=1)
    >>> result[["horizon", "difference"]].round(4).to_numpy().tolist()
    [[3.0, 0.3333], [4.0, 0.3333]]
    """
    problems = errors.level_problems(conf_level) + errors.count_problems("n_draws", n_draws, low=100)
    errors.raise_all(problems + errors.count_problems("seed", seed, low=0), errors.InputError)
    strata = strata_of(curves)
    labels = list(strata)
    pairs = pairs_of(labels)
    given = None if horizons is None else _horizons(horizons)
    if given is not None:
        check_horizon(strata, float(given[-1]), extend=False)
    grids = [_up_to_few(strata, pair) if given is None else given for pair in pairs]
    tables = []
    for pair, at, stream in zip(pairs, grids, np.random.SeedSequence(seed).spawn(len(pairs)), strict=True):
        first, second = (_influence(strata[label], at) for label in pair)
        table = _pair_table(first, second, at, conf_level, n_draws, stream)
        tables.append(with_pairs(table, [pair] * len(at), labels))
    return pd.concat(tables, ignore_index=True)


def _horizons(given: ArrayLike) -> FloatArray:
    """The horizons asked for, ascending and each once."""
    at = np.unique(times_given(given, name="horizons"))
    if at[0] <= 0:
        raise errors.InputError("horizons must be above 0: no time is lived before 0")
    return at


def _up_to_few(strata: dict[str, pd.DataFrame], pair: tuple[str, str]) -> FloatArray:
    """Even steps up to the last time at which both strata of a pair have enough at risk."""
    parts = [strata[label] for label in pair]
    ends = [float(part["time"].where(part["n_risk"] >= FEWEST_AT_RISK, 0.0).max()) for part in parts]
    if min(ends) <= 0:
        few = ", ".join(repr(label) for label, end in zip(pair, ends, strict=True) if end <= 0)
        raise errors.NotEstimable(
            f"strata with fewer than {FEWEST_AT_RISK} at risk throughout: {few}; a large-sample band means little"
            " there (give horizons to have one all the same)"
        )
    return np.linspace(EARLIEST_SHARE * min(ends), min(ends), N_HORIZONS)


def _influence(rows: pd.DataFrame, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The restricted mean of one stratum at each horizon, and the weight of each event time in its error.

    Returns
    -------
    tuple of ndarray, shapes (k,) and (k, m)
        The squares of a row of the second sum to the variance.
    """
    time, survival = (rows[name].to_numpy(dtype=np.float64) for name in ("time", "survival"))
    n_risk, n_event = (rows[name].to_numpy(dtype=np.float64) for name in ("n_risk", "n_event"))
    area = np.array([counts.areas(time, survival, horizon) for horizon in at])
    left = n_risk - n_event
    # Once nobody is left the area is zero, and so is the term.
    root = np.sqrt(np.divide(n_event, n_risk * left, out=np.zeros(len(time)), where=left > 0))
    counted = root > 0
    return area[:, 0], area[:, counted] * root[counted]


def _largest_draws(weights: FloatArray, n_draws: int, stream: np.random.SeedSequence) -> FloatArray:
    """The largest standardised deviation over the horizons, draw by draw."""
    error = np.sqrt((weights**2).sum(axis=1))
    varies = error > 0
    if not varies.any():
        return np.zeros(n_draws)
    rng = np.random.default_rng(stream)
    # The deviations at the horizons have this covariance whatever the event times: few draws of few numbers.
    unit = weights[varies] / error[varies, None]
    values, vectors = np.linalg.eigh(unit @ unit.T)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return np.asarray(np.abs(rng.standard_normal((n_draws, len(root))) @ root).max(axis=1), dtype=np.float64)


def _pair_table(
    a: tuple[FloatArray, FloatArray],
    b: tuple[FloatArray, FloatArray],
    at: FloatArray,
    conf_level: float,
    n_draws: int,
    stream: np.random.SeedSequence,
) -> pd.DataFrame:
    """The curve of one pair."""
    difference = b[0] - a[0]
    error = np.sqrt((a[1] ** 2).sum(axis=1) + (b[1] ** 2).sum(axis=1))
    # A band is never narrower than the pointwise limits, as draws could have it where there are few horizons.
    reach = tails.normal_quantile(conf_level)
    largest = _largest_draws(np.hstack([a[1], b[1]]), n_draws, stream)
    wide = max(float(np.quantile(largest, conf_level)), reach)
    return pd.DataFrame(
        {
            "horizon": at,
            "difference": difference,
            "std_error": error,
            "conf_low": difference - reach * error,
            "conf_high": difference + reach * error,
            "band_low": difference - wide * error,
            "band_high": difference + wide * error,
        }
    )
