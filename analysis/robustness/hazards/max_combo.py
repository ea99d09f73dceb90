"""The MaxCombo test: the largest of several weighted log-rank tests, with a p-value that pays for the choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.kernels import counts, tails
from analysis.survival import group_tests, rows

RHO_GAMMA = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
NO_RANK = 1e-10
LOG2_DIRECTIONS = 16


@dataclass(frozen=True, eq=False)
class MaxCombo(errors.RowAccount):
    """The largest of several weighted log-rank tests, and the row account.

    Attributes
    ----------
    statistic : float
        The largest absolute z.
    p_value : float
        Of so large a one among all of them, by their joint normal distribution.
    components : DataFrame
        rho, gamma, statistic (z; positive where the second group has more events than expected), p_value (of this test
        alone), in the order asked for.
    correlation : ndarray, shape (m, m)
        Of the components.
    groups : tuple of str
        The two groups; the second is compared with the first.
    strata : tuple of str
        Columns within whose levels the comparison was made.
    n_event : int
    """

    statistic: float
    p_value: float
    components: pd.DataFrame
    correlation: FloatArray
    groups: tuple[str, str]
    strata: tuple[str, ...]
    n_event: int


def max_combo(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str,
    strata: str | Sequence[str] | None = None,
    rho_gamma: Sequence[tuple[float, float]] = RHO_GAMMA,
) -> MaxCombo:
    """Compare two groups by the largest of several of Fleming and Harrington's log-rank tests.

    The plain log-rank test is at its best under proportional hazards, and loses power where hazards differ late or
    early only. Instead of choosing a weight by looking at the curves, all are tried, and the p-value pays for it.

    Parameters
    ----------
    cohort, endpoint
        As in `kaplan_meier`; late entry is respected.
    by : str
        Column of the two groups.
    strata : str or sequence of str, optional
        Columns within whose combinations the groups are compared; scores and covariance are summed over them.
    rho_gamma : sequence of (float, float)
        The weights S(t-)^rho (1 - S(t-))^gamma: by default constant, late, early and middle.

    Returns
    -------
    MaxCombo

    Raises
    ------
    CohortError
        When the columns cannot be used; InputError when a weight is none.
    NotEstimable
        Without events, with other than 2 groups, or without an event time at which both were at risk.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents
        With fewer than 10 events, or when a weight is zero wherever both groups are at risk: that component is NaN.
    SmallStratum
        When a group has fewer than 5 rows.

    Notes
    -----
    Under equal hazards the scores are jointly normal with the covariance sum of w_i w_j d (n - d) / (n - 1) p (1 - p).
    The p-value is the mean, over directions u of the normal vector, of the tail of its length beyond
    statistic / max |component(u)|: exact along the length, so small p-values keep their digits, and over 65,536 Sobol
    directions with a fixed seed, so it repeats; it is good to about 4 digits. Karrison, Stata J 16 (2016) 678; Lin et
    al., Stat Biopharm Res 12 (2020) 187.

    Examples
    --------
    >>> from analysis import Endpoint, logrank_test, max_combo
    >>> cohort = pd.DataFrame({"months": range(1, 21), "died": 1, "arm": ["a", "b"] * 5 + ["b", "b"] * 5})
    >>> test = max_combo(cohort, Endpoint("months", "died"), by="arm")
    >>> plain = logrank_test(cohort, Endpoint("months", "died"), by="arm")
    >>> bool(np.isclose(test.components["statistic"][0] ** 2, plain.statistic)), test.p_value > plain.p_value / 4
    (True, True)
    """
    pairs = _pairs(rho_gamma)
    data = rows.survival_data(cohort, endpoint, by=by, strata=strata)
    labels, n_event = data.by.labels, int(data.event.sum())
    carried = [*data.warnings, *group_tests.checked_groups(labels, data.by.sizes, n_event, by)]
    if len(labels) != 2:
        raise errors.NotEstimable(
            f"column {by!r} holds {len(labels)} groups ({first_few(labels)}): MaxCombo compares two; choose the rows of"
            " two groups first"
        )
    scores, covariance = counts.fleming_harrington_scores(rows.counts_of_rows(data, compared=True), pairs)
    variance = np.diag(covariance)
    usable = variance > 0
    if not usable.any():
        raise errors.NotEstimable(
            f"no information: at no event time were both groups of {by!r} at risk with weight above 0"
        )
    if not usable.all():
        void = first_few(f"({pairs[index][0]:g}, {pairs[index][1]:g})" for index in np.flatnonzero(~usable))
        text = f"the weight of {void} is zero wherever both groups are at risk; it takes no part"
        carried.append(errors.FewEvents(text))
    z = scores / np.sqrt(np.where(usable, variance, np.nan))
    statistic = float(np.nanmax(np.abs(z)))
    scale = np.where(usable, variance, np.nan)
    correlation = covariance / np.sqrt(np.outer(scale, scale))
    errors.warn_all(carried)
    rho, gamma = zip(*pairs, strict=True)
    p_values = [tails.two_sided(value) if np.isfinite(value) else np.nan for value in z.tolist()]
    return MaxCombo(
        statistic=statistic,
        p_value=largest_of_normals(statistic, correlation[np.ix_(usable, usable)]),
        components=pd.DataFrame({"rho": rho, "gamma": gamma, "statistic": z, "p_value": p_values}),
        correlation=correlation,
        groups=(labels[0], labels[1]),
        strata=rows.listed(strata),
        n_event=n_event,
        **data.account | {"warnings": tuple(carried)},
    )


def _pairs(rho_gamma: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The weights asked for, each a pair of numbers of zero or more."""
    if not isinstance(rho_gamma, Iterable):
        raise errors.InputError(f"rho_gamma={rho_gamma!r}: give pairs (rho, gamma), as [(0, 0), (0, 1)]")
    given = [tuple(pair) if isinstance(pair, (tuple, list)) else (pair,) for pair in rho_gamma]
    problems = [] if given else ["rho_gamma: give at least one pair (rho, gamma)"]
    for pair in given:
        if len(pair) != 2:
            problems.append(f"rho_gamma: {pair!r} is no pair (rho, gamma)")
            continue
        problems += errors.number_problems("rho", pair[0], low=0) + errors.number_problems("gamma", pair[1], low=0)
    errors.raise_all(problems, errors.InputError)
    return [(float(rho), float(gamma)) for rho, gamma in given]


def largest_of_normals(statistic: float, correlation: FloatArray) -> float:
    """The probability that the largest absolute value of correlated standard normals is at least `statistic`.

    Parameters
    ----------
    statistic : float
        Zero or more.
    correlation : ndarray, shape (m, m)
        May be singular: the constant weight is the sum of the early and the late one.

    Returns
    -------
    float

    Examples
    --------
    >>> round(largest_of_normals(1.959963984540054, np.ones((1, 1))), 9)
    0.05
    >>> round(largest_of_normals(1.959963984540054, np.eye(2)), 4) == round(1 - 0.95**2, 4)
    True
    """
    from scipy.special import chdtrc, ndtri
    from scipy.stats import qmc

    values, vectors = np.linalg.eigh(correlation)
    kept = values > NO_RANK * values.max()
    root = vectors[:, kept] * np.sqrt(values[kept])
    uniform = qmc.Sobol(root.shape[1], seed=0).random_base2(LOG2_DIRECTIONS)
    normal = ndtri(uniform)
    length = np.linalg.norm(normal, axis=1)
    farthest = np.abs(normal @ root.T).max(axis=1) / length
    return float(chdtrc(root.shape[1], (statistic / farthest) ** 2).mean())
