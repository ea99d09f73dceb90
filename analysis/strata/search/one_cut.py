"""The search for a cut-point of a continuous marker, with p-values, an effect and limits that take it into account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import RowAccount, warn_all
from analysis.kernels.cutpoints import corrected_p_values, critical_value, first_maximum
from analysis.kernels.tails import two_sided
from analysis.strata.cutpoints import Cutpoints
from analysis.strata.search import correction, scans
from analysis.survival.rows import listed


@dataclass(frozen=True, eq=False)
class CutpointSearch(RowAccount):
    """A searched cut with the p-values, the hazard ratio and the limits that take the search into account.

    The p-value that ignores the search is given only by `summary`, beside those that do not.

    Attributes
    ----------
    cut : float
        Low group: marker <= cut.
    statistic : float
        The maximum over the cuts of the absolute standardised log-rank statistic.
    p_lausen92, p_lausen94 : float
        Lausen and Schumacher (1992); Lausen, Sauerbrei and Schumacher (1994). Within [0, 1].
    p_permutation : float
        (1 + permutations that reach the statistic) / (1 + permutations).
    permutation : str
        What was permuted, and whether the level of `p_permutation` is exact or holds in large samples.
    critical_value : float
        What the largest statistic exceeds in 5 % of the permutations; infinite with fewer than 19 of them.
    hazard_ratio_naive : float
        Above the cut against at or below it, as found: overstated, for the cut was chosen to make it large. NaN when
        one group has no event.
    hazard_ratio_corrected, conf_low, conf_high : float
        The same, less what the search added to it, with limits; NaN with ``n_bootstrap=0``.
    cut_low, cut_high : float
        Where the cut falls in the central `conf_level` of resamples; NaN with ``n_bootstrap=0``.
    scan : DataFrame
        Every admissible cut: cut, n_low, statistic (absolute, standardised), chi_square (log-rank), log_hazard_ratio
        (above against at or below; NaN where one group has no event).
    comparison : DataFrame
        What `summary` shows.
    endpoint, marker, adjust, strata, fractions, n_permutations, n_bootstrap, seed, conf_level
        What was asked; `fractions` are `min_fraction` and `max_fraction`.

    And the row account.
    """

    cut: float
    statistic: float
    p_lausen92: float
    p_lausen94: float
    p_permutation: float
    permutation: str
    critical_value: float
    hazard_ratio_naive: float
    hazard_ratio_corrected: float
    conf_low: float
    conf_high: float
    cut_low: float
    cut_high: float
    scan: pd.DataFrame
    comparison: pd.DataFrame
    endpoint: Endpoint
    marker: str
    adjust: tuple[str, ...]
    strata: tuple[str, ...]
    fractions: tuple[float, float]
    n_permutations: int
    n_bootstrap: int
    seed: int
    conf_level: float

    def summary(self) -> pd.DataFrame:
        """The cut as found, corrected for the search, and the marker left continuous, side by side.

        Returns
        -------
        DataFrame
            analysis, contrast, hazard_ratio, conf_low, conf_high, p_naive, p_corrected. The last is the permutation
            p-value of the search; the marker as it is was not searched, so both its p-values are that of its test.

        Examples
        --------
        >>> from analysis import OVERALL_SURVIVAL, load_cohort
        >>> cohort = load_cohort().dropna(subset=["magnesium"])
        >>> found = search_cutpoint(cohort, OVERALL_SURVIVAL, "magnesium", n_permutations=99, seed=1)
        >>> found.summary()["analysis"].tolist()
        ['searched cut, as found', 'searched cut, corrected', 'continuous marker']
        """
        return self.comparison.copy()

    def cutpoints(self, labels: Sequence[str] = ("lower", "higher"), *, unit: str = "") -> Cutpoints:
        """The cut as cut-points for `stratify`, marked as searched; the cut itself belongs to the lower group.

        Examples
        --------
        >>> from analysis import OVERALL_SURVIVAL, load_cohort
        >>> cohort = load_cohort().dropna(subset=["magnesium"])
        >>> found = search_cutpoint(cohort, OVERALL_SURVIVAL, "magnesium", n_permutations=99, seed=1)
        >>> found.cutpoints().rule
        'searched'
        """
        return correction.searched_cutpoints(
            [self.cut], labels, unit, n_used=self.n_used, endpoint=self.endpoint, p_value=self.p_permutation
        )


def search_cutpoint(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    min_fraction: float = 0.1,
    max_fraction: float = 0.9,
    n_permutations: int = 9999,
    n_bootstrap: int = 500,
    seed: int,
    adjust: str | Sequence[str] = (),
    strata: str | Sequence[str] | None = None,
    conf_level: float = 0.95,
) -> CutpointSearch:
    """Search the cut of a marker that separates survival most, and say what the search makes of its p-value and effect.

    The statistic of a cut is the sum of the log-rank scores of the rows at or below it, less its mean and over its
    standard deviation among all orders of the scores; the cut found has the largest absolute one. Its p-value is that
    of the largest of as many correlated statistics.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed. Rows with a missing value in a column used are dropped and counted.
    endpoint : Endpoint
    marker : str
        A numeric column.
    min_fraction, max_fraction : float
        Admissible cuts have between these shares of the rows at or below them.
    n_permutations : int
        For `p_permutation`.
    n_bootstrap : int
        Resamples for the corrected hazard ratio, its limits and the range of the cut; 0 skips all three. Beside
        covariates or strata each takes several Cox fits: seconds, not milliseconds.
    seed : int
        The same rows, in any order, with the same seed give the same result.
    adjust : str or sequence of str
        Columns, or terms of a formula ("log2(crp)"): the statistics are then score tests of the indicator of the low
        group in a Cox model with these covariates, and hazard ratios are adjusted for them.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own: scores are those of each stratum by itself, and
        permutations stay within strata.
    conf_level : float

    Returns
    -------
    CutpointSearch

    Raises
    ------
    CohortError
        Faults of the columns, all at once: an infinite marker, for one.
    InputError
        Options that cannot be.
    NotEstimable
        One value of the marker, no admissible cut, no events.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents
        Fewer than 20 events; with `adjust`, fewer than ten for each coefficient.
    Separation
        One group of the cut found has no event while the other was at risk.

    Notes
    -----
    Scan and closed p-values as ``maxstat.test(Surv(time, event) ~ x, smethod = "LogRank", pmethod = "Lau92")`` of R;
    `chi_square` as ``survdiff``, `log_hazard_ratio` as ``coxph``. With strata the statistic is that of
    ``coin::maxstat_test(score ~ x | block)``, log-rank scores computed and centred in each block. The chi-square of a
    cut (hypergeometric variance) and the square of its standardised statistic (permutation variance) differ when
    censoring is heavy.

    Permutations: the scores are shuffled over the marker, within strata; the level of `p_permutation` is then exact, up
    to its Monte-Carlo error, if censoring and late entry have nothing to do with the marker. With `adjust` a shuffle
    would break the tie between marker and covariates: the marker's normal scores are regressed on the covariates within
    strata, and the residuals are shuffled (`redrawn_maxima`). The level is then a large-sample one. Measured where
    magnesium does nothing, with ten covariates and treatment as stratum: docs/calibration.md. The closed p-values rest
    on the same maximum, as approximations.

    Corrected hazard ratio: an iterated bootstrap of what the search adds (`correction.corrected`). In simulation it
    leaves at most a sixth of the bias, with an effect or none, along the marker or at a threshold, confounded or not. A
    single bootstrap leaves about a quarter without an effect, and errs as much. Cross-fitting (the effect of cuts
    searched in the other folds) does as well where the effect is much the same at every cut, but falls short of a
    larger one at the cut found: at a confounded threshold by half and more of what the search overstates, with limits
    that cover in 82 to 92 of 100 data sets. docs/calibration.md and docs/corrections.md have the figures.

    Range of the cut-point: the bootstrap is not consistent for it. Resamples of n^0.8 rows cover a true threshold more
    often than resamples of n; where there is no threshold, the range only tells how the cut moves.

    References: Hothorn and Lausen (2003), Comput Stat Data Anal 43:121; Hollander, Sauerbrei and Schumacher (2004),
    Stat Med 23:1701; Bickel, Goetze and van Zwet (1997), Statistica Sinica 7:1; Hall and Martin (1988), Biometrika
    75:661.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, load_cohort
    >>> cohort = load_cohort().dropna(subset=["magnesium"])
    >>> found = search_cutpoint(cohort, OVERALL_SURVIVAL, "magnesium", n_permutations=199, seed=1)
    >>> 0 < found.p_permutation <= 1, len(found.scan) > 10
    (True, True)
    """
    terms, within, fractions = listed(adjust), listed(strata), (min_fraction, max_fraction)
    options: dict[str, Any] = {"n_permutations": n_permutations, "n_bootstrap": n_bootstrap, "seed": seed}
    options |= {"adjust": terms, "fractions": fractions, "conf_level": conf_level}
    scans.check_options(marker, **options)
    rows = scans.search_rows(cohort, endpoint, marker, adjust=terms, strata=within, fractions=fractions)
    scan, table = rows.scan, rows.scan.table()
    statistic, best = table["statistic"].to_numpy(), first_maximum(table["statistic"].to_numpy())
    largest, cut = float(statistic.max()), float(scan.cut[best])
    permuting, correcting, resampling = np.random.SeedSequence(seed).spawn(3)
    maxima = scan.maxima(n_permutations, permuting)
    table["p_adjusted"] = corrected_p_values(statistic, maxima)
    naive = correction.Effect(*(float(values[0]) for values in scan.hazard_of((scan.marker > cut)[None])))
    effect = correction.corrected(scan, naive, correcting, n_bootstrap=n_bootstrap)
    cut_low, cut_high = correction.cut_range(scan, resampling, n_bootstrap=n_bootstrap, conf_level=conf_level)
    p_values = (two_sided(sqrt(table["chi_square"].iloc[best])), float(table["p_adjusted"].iloc[best]))
    compared = correction.comparison(rows, marker, cut, (naive, effect), p_values, conf_level)
    account = rows.account | {"warnings": (*rows.warnings, *correction.separated(naive.estimate, marker, cut))}
    warn_all(account["warnings"])
    return CutpointSearch(
        cut=cut,
        statistic=largest,
        p_lausen92=correction.lausen_1992(largest, min_fraction=min_fraction, max_fraction=max_fraction),
        p_lausen94=correction.lausen_1994(largest, n_low=scan.n_low, n=rows.n_used),
        p_permutation=p_values[1],
        permutation=scan.permutation,
        critical_value=critical_value(maxima),
        hazard_ratio_naive=exp(naive.estimate),
        hazard_ratio_corrected=exp(effect.estimate),
        conf_low=compared["conf_low"].iloc[1],
        conf_high=compared["conf_high"].iloc[1],
        cut_low=cut_low,
        cut_high=cut_high,
        scan=table,
        comparison=compared,
        endpoint=endpoint,
        marker=marker,
        strata=within,
        **options | account,
    )
