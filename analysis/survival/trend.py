"""The log-rank test for a trend over ordered groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.cohort.columns import FloatArray, first_few
from analysis.cohort.endpoints import Endpoint
from analysis.errors import AnalysisWarning, InputError, NotEstimable, SuspiciousValues, warn_all
from analysis.kernels.counts.logrank import logrank_sums, score_chi_square
from analysis.survival.group_tests.logrank import LogRank, checked_sizes, chi_square_result, no_information
from analysis.survival.rows.counts import counted_groups


def logrank_trend(
    cohort: pd.DataFrame, endpoint: Endpoint, *, by: str, scores: Sequence[float] | None = None
) -> LogRank:
    """Log-rank test for a trend of the hazard over ordered groups, 1 degree of freedom.

    With scores s, the statistic is (s'(O - E))^2 / (s'Vs), V being the covariance of the log-rank test.

    Parameters
    ----------
    cohort, endpoint, by
        As in `logrank_test`; the groups in stratum order.
    scores : sequence of float, optional
        One a group; 1, 2, ..., k by default.

    Returns
    -------
    LogRank

    Raises
    ------
    InputError
        When there is not one finite score a group, or all are equal; otherwise as `logrank_test`.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    SuspiciousValues
        When the groups are text that reads as numbers ("1", "10", "2"), whose order is the alphabet's.
    FewEvents, SmallStratum
        As `logrank_test`.

    Notes
    -----
    Tarone, Biometrika 62 (1975) 679. From ``survdiff(Surv(time, event) ~ by)`` of R, its obs, exp and var.

    Examples
    --------
    >>> from analysis import Endpoint, logrank_trend
    >>> cohort = pd.DataFrame({"months": range(1, 16), "died": 1, "level": [3, 3, 2, 2, 1, 1] * 2 + [3, 2, 1]})
    >>> round(logrank_trend(cohort, Endpoint("months", "died"), by="level").statistic, 4)
    1.5002
    """
    counts, groups = counted_groups(cohort, endpoint, by=by)
    labels = groups.labels
    found = checked_sizes(labels, groups.sizes, int(counts.n_event.sum()), by)
    score = np.arange(1.0, len(labels) + 1) if scores is None else _scores(scores, labels)
    sums = logrank_sums(counts)
    variance = float(score @ sums.covariance @ score)
    if score_chi_square(sums.observed - sums.expected, sums.covariance)[1] == 0 or variance <= 0:
        raise NotEstimable(no_information(counts, by, ()))
    statistic = float(score @ (sums.observed - sums.expected)) ** 2 / variance
    found += _text_order(cohort[by], labels)
    test = chi_square_result(groups, statistic, 1, sums, test="trend", strata=(), found=found)
    warn_all(test.warnings)
    return test


def _text_order(column: pd.Series, labels: Sequence[str]) -> tuple[AnalysisWarning, ...]:
    """A warning when labels are text that reads as numbers, and stand in another order than the numbers."""
    numbers = pd.to_numeric(pd.Series(labels), errors="coerce")
    if isinstance(column.dtype, pd.CategoricalDtype) or numbers.isna().any() or numbers.is_monotonic_increasing:
        return ()
    return (
        SuspiciousValues(
            f"groups of {column.name!r} are text in alphabetical order, {first_few(labels)}, which is not that of the"
            " numbers they read as: convert the column to numbers, or to a categorical in the order meant"
        ),
    )


def _scores(scores: Sequence[float], labels: Sequence[str]) -> FloatArray:
    """The scores as given, if they can order the groups."""
    given = np.asarray(scores)
    if given.shape == (len(labels),) and given.dtype.kind in "iuf":
        values = given.astype(np.float64)
        if np.isfinite(values).all() and (values != values[0]).any():
            return values
    raise InputError(
        f"scores={scores!r}: give a number to each of the {len(labels)} groups ({first_few(labels)}), not all equal"
    )
