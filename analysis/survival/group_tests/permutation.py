"""The log-rank test by permutation: a p-value that leans on no approximation, however few the patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.batches import batch_bounds, in_batches
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import InputError, NotEstimable, RowAccount, count_problems, raise_all, warn_all
from analysis.kernels import counts as kernel
from analysis.kernels.tails import chi_square_tail
from analysis.kernels.tolerances import SAME_PERMUTED
from analysis.survival import rows
from analysis.survival.group_tests.logrank import checked_groups
from analysis.survival.rows import SurvivalData, label_column, listed

BATCH_DRAWS = 25_000_000
"""Scores drawn in one batch: about a tenth of a second."""


@dataclass(frozen=True, eq=False)
class PermutationLogRank(RowAccount):
    """A log-rank test by permutation, beside the chi-square test that it does without.

    Attributes
    ----------
    statistic : float
        The groups' observed less expected events as a chi-square, with their covariance over all permutations.
    df : int
    p_value, std_error : float
        (1 + permutations that reach the statistic) / (1 + permutations), and its Monte-Carlo standard error.
    chi_square, chi_square_p_value : float
        The log-rank test of `logrank_test`: its statistic (hypergeometric variance) and its approximate p-value. NaN
        when no two groups were at risk together.
    groups : DataFrame
        Columns stratum, n (patients), observed, expected.
    permuted : ndarray, shape (n_permutations,)
        The statistics of the permutations.
    n_permutations, seed, strata
        The options; and the row account.
    """

    statistic: float
    df: int
    p_value: float
    std_error: float
    chi_square: float
    chi_square_p_value: float
    groups: pd.DataFrame
    permuted: FloatArray
    n_permutations: int
    seed: int
    strata: tuple[str, ...]


def permutation_logrank(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str,
    n_permutations: int,
    seed: int,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
) -> PermutationLogRank:
    """Log-rank test of equal hazards by random permutation of the groups, within strata.

    A row's score is its event less the pooled Nelson-Aalen hazard over its time at risk; the scores stay with the rows,
    the group labels are shuffled. With u the groups' sums (observed less expected events) and V their covariance over
    all permutations, the statistic is u' V^- u. Its p-value is exact in level for any number of rows and events, up to
    Monte-Carlo error, if under the null hypothesis groups differ in censoring (and late entry) as little as in hazard.

    Parameters
    ----------
    cohort, endpoint, by
        As in `logrank_test`.
    n_permutations : int
    seed : int
        The same rows, in any order, with the same seed give the same result, serial or in parallel
        (``joblib.parallel_config``).
    strata : str or sequence of str, optional
        Columns within whose combinations events are expected and groups are shuffled.
    cluster : str, optional
        Column of the patients where a row is a spell: the scores of a patient's rows are added up and the groups of
        patients shuffled; each is in one group (and one stratum) throughout.

    Returns
    -------
    PermutationLogRank

    Raises
    ------
    CohortError
        When the columns cannot be used, a patient's rows are of several groups or strata, or rows look like spells (as
        `kaplan_meier` says) and no `cluster` was given.
    InputError
        When a number is no whole number, or too small.
    NotEstimable
        With fewer than 2 groups, no events, or the same statistic in every permutation.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.

    Notes
    -----
    Without strata equal to ``coin::logrank_test(Surv(time, event) ~ by, distribution = approximate(nresample =))`` of R
    (its z is the root of the statistic for 2 groups). With strata not: coin's ``| block`` permutes within blocks scores
    of all rows together, here each stratum has scores of its own, as in ``survdiff``:
    ``independence_test(score ~ by | block, teststat = "quadratic")`` of coin, with scores by ``logrank_trafo`` in each
    block. The variance over permutations and the hypergeometric one of ``survdiff`` differ when censoring is heavy or
    events are few; the observed less expected events are the same. Strasser and Weber, Mathematical Methods of
    Statistics 8 (1999) 220; the 1 in the p-value: Phipson and Smyth, Stat Appl Genet Mol Biol 9 (2010) 39.

    Examples
    --------
    >>> from analysis import Endpoint, permutation_logrank
    >>> cohort = pd.DataFrame({"months": range(1, 9), "died": 1, "arm": list("aaaabbbb")})
    >>> test = permutation_logrank(cohort, Endpoint("months", "died"), by="arm", n_permutations=1999, seed=1)
    >>> round(test.statistic, 3), abs(test.p_value - 2 / 70) < 4 * test.std_error  # 2 of the 70 ways to share out arms
    (4.268, True)
    """
    raise_all(count_problems("n_permutations", n_permutations) + count_problems("seed", seed, low=0), InputError)
    data = rows.survival_data(cohort, endpoint, by=by, strata=strata, cluster=cluster)
    rows.refuse_spells(cohort, endpoint, data, cluster)
    checked_groups(data.by.labels, data.by.sizes, int(data.event.sum()), by)
    patient = np.arange(data.n_used) if cluster is None else data.cluster.codes
    first = _first_rows(data, patient, cluster, {by: data.by.codes, "strata": data.strata.codes})
    drawn = _shuffles(data, patient, first)
    if drawn.df == 0:
        raise NotEstimable(_no_information(by, listed(strata)))
    statistic = float(kernel.statistic_of(drawn, drawn.sums))
    permuted = _permuted(drawn, n_permutations, seed)
    p_value = (1 + int((permuted >= statistic * (1 - SAME_PERMUTED)).sum())) / (1 + n_permutations)
    sums = kernel.logrank_sums(rows.counts_of_rows(data, compared=True))
    chi_square, df = kernel.score_chi_square(sums.observed - sums.expected, sums.covariance)
    warn_all(data.warnings)
    return PermutationLogRank(
        statistic=statistic,
        df=drawn.df,
        p_value=p_value,
        std_error=float(np.sqrt(p_value * (1 - p_value) / n_permutations)),
        chi_square=chi_square,
        chi_square_p_value=chi_square_tail(chi_square, df)[0] if df else float("nan"),
        groups=_groups(data, first, sums.observed, sums.expected),
        permuted=permuted,
        n_permutations=n_permutations,
        seed=seed,
        strata=listed(strata),
        **data.account,
    )


def _first_rows(
    data: SurvivalData, patient: IntArray, cluster: str | None, constant: Mapping[str, IntArray]
) -> IntArray:
    """A row of each patient, in whom what is shuffled must not change."""
    rows.patient_rows(data, cluster)
    first = np.unique(patient, return_index=True)[1]
    changed = {name: np.unique(patient[codes != codes[first][patient]]) for name, codes in constant.items()}
    raise_all(
        [
            f"{name!r} changes within {len(who)} patient{'s' if len(who) > 1 else ''} of {cluster!r}"
            f" ({first_few(data.cluster.labels[code] for code in who)}); only groups of whole patients can be shuffled"
            for name, who in changed.items()
            if len(who)
        ]
    )
    return first


def _shuffles(data: SurvivalData, patient: IntArray, first: IntArray) -> kernel.Shuffles:
    """What is permuted: the scores of the patients, group labels within strata."""
    strata = data.strata.codes_as_text
    scores = kernel.logrank_scores(data.time, data.event, entry=rows.late_entry(data), strata=strata)
    # In order of entry, so that a sum is the same however the rows are shuffled.
    order = np.lexsort((data.entry, patient))
    sums = np.bincount(patient[order], scores[order]).astype(np.float64)
    return kernel.shuffles(sums, data.by.codes_as_text[first], strata[first], len(data.by.labels))


def _permuted(drawn: kernel.Shuffles, n_permutations: int, seed: int) -> FloatArray:
    """The permuted statistics, in batches when they are many."""
    key = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
    bounds = batch_bounds(n_permutations, max(1, BATCH_DRAWS // int(drawn.sizes.sum())))
    sizes = [end - first for first, end in bounds]
    batches = in_batches(
        partial(_batch, drawn, key), bounds, sizes=sizes, label="permutations", share=len(bounds) > 1
    )  # fmt: skip
    return np.concatenate(batches)


def _batch(drawn: kernel.Shuffles, key: int, bounds: tuple[int, int]) -> FloatArray:
    """The statistics of some permutations."""
    return kernel.permuted_statistics(drawn, n_permutations=bounds[1] - bounds[0], key=key, first=bounds[0])


def _no_information(by: str, strata: tuple[str, ...]) -> str:
    """Why every permutation gives the same statistic."""
    if strata:
        names = first_few(map(repr, strata))
        return f"no information: no stratum of {names} holds two groups of {by!r} and different log-rank scores"
    return "no information: every row has the same log-rank score, as when all had the event at one time"


def _groups(data: SurvivalData, first: IntArray, observed: FloatArray, expected: FloatArray) -> pd.DataFrame:
    """The groups as `logrank_test` shows them."""
    labels = data.by.labels
    n = np.bincount(data.by.codes[first], minlength=len(labels))
    return pd.DataFrame(
        {"stratum": label_column(labels, labels), "n": n, "observed": observed, "expected": expected}
    )  # fmt: skip
