"""A Cox model of a table of counts: a row for each combination of covariates, time and outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, column_problems, numbers, rows_where
from analysis.errors import InputError, but_for_dropped, dropped_warnings, raise_all, warn_all
from analysis.kernels.cox_registry import CoxArrays, fit_large
from analysis.survival.cox import (
    CoxFit,
    CoxModel,
    assembled_without_rows,
    read_design,
    refuse_constant,
    refuse_no_events,
)
from analysis.survival.rows import ApproximateTies, choice_problems, late_entry, listed


def fit_cox_counts(
    counts: pd.DataFrame,
    endpoint: Endpoint,
    covariates: str | Sequence[str],
    *,
    count: str = "n",
    strata: str | Sequence[str] | None = None,
    ties: ApproximateTies = "efron",
) -> CoxFit:
    """Fit a Cox model to counted patients: exactly the model of their rows.

    A registry of many million patients with few distinct covariate values is a small table of counts, as a database's
    ``GROUP BY`` over covariates, time and event returns it, and tables of several hospitals add up by appending them.
    A count says how often a row is there: Efron's correction counts every patient of a tie, which a case weight of the
    same size (the mean weight of the tie) would not.

    Parameters
    ----------
    counts : DataFrame
        A row for each combination of covariates, strata, time and event that occurs; the same combination may come
        again. Never changed.
    endpoint : Endpoint
    covariates : str or sequence of str
        As in `fit_cox`.
    count : str
        Column of whole numbers above zero: the patients of the row.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own.
    ties : {"efron", "breslow"}

    Returns
    -------
    CoxFit
        `n`, `n_read`, `n_used` and `dropped` count patients. What needs rows (residuals, concordance, the baseline
        hazard, tests of proportional hazards) raises `NotSupported`.

    Raises
    ------
    CohortError
        Faults of the columns; counts that are missing, not whole, or not above zero.
    InputError
        Options that are not offered; a formula that cannot be read.
    NotEstimable
        No events, constant or collinear covariates, separation.

    Warns
    -----
    RowsDropped
        Patients whose row misses a value in a column used.
    FewEvents, ManyTies, SuspiciousValues

    Notes
    -----
    As R's ``coxph(Surv(time, event) ~ x)`` on ``rows[rep(seq_len(nrow(rows)), n), ]``. Memory grows with the rows of
    the table and its distinct times, not with the patients.

    Examples
    --------
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5, 8, 8] * 50, "died": [1, 0, 1, 1, 1, 0] * 50,
    ...                        "old": [1, 0, 1, 0, 1, 0, 0] * 42 + [0] * 6})
    >>> counts = cohort.value_counts().reset_index(name="n")
    >>> len(cohort), len(counts)
    (300, 12)
    >>> import warnings
    >>> from analysis import fit_cox
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fit = fit_cox_counts(counts, Endpoint("months", "died"), ["old"])
    ...     by_rows = fit_cox(cohort, Endpoint("months", "died"), ["old"])
    >>> bool(np.isclose(fit.coefficients["coef"], by_rows.coefficients["coef"], rtol=1e-8).all()), fit.n
    (True, 300)
    """
    raise_all(choice_problems("ties", ties, get_args(ApproximateTies)), InputError)
    if not isinstance(count, str):
        raise InputError(f"count={count!r}: name the column of counts")
    raise_all(column_problems(counts, [count]))
    patients = _whole(counts, count)
    strata_names = listed(strata)
    design = read_design(counts, endpoint, covariates, strata=strata_names, weights=count)
    data = design.data
    refuse_no_events(int(data.event.sum()), data.n_used)
    refuse_constant(design.x, design.terms)
    codes = data.strata.codes
    arrays = CoxArrays(
        design.x, data.time, data.event, entry=late_entry(data), strata=codes if codes.any() else None,
        weights=data.weights, ties=ties, replicates=True,
    )  # fmt: skip
    problem, solution = fit_large(arrays)
    model = CoxModel(
        endpoint=endpoint, covariates=covariates if isinstance(covariates, str) else tuple(covariates), ties=ties,
        strata=strata_names, cluster=None, weights=None, robust=False, engine="kernel",
    )  # fmt: skip
    n, n_read = int(data.weights.sum()), int(patients.sum())
    dropped = _patients_dropped(counts, patients, data.dropped)
    fit = assembled_without_rows(
        problem, solution, model, terms=design.terms, columns=design.columns, what="a table of counts",
        n=n, n_read=n_read, dropped=dropped,
        warnings=(*dropped_warnings(n_read, n, dropped), *but_for_dropped(data.warnings)),
    )  # fmt: skip
    warn_all(fit.warnings)
    return fit


def _whole(counts: pd.DataFrame, name: str) -> FloatArray:
    """The counts, once they are known to be whole numbers above zero."""
    problems: list[str] = []
    values = numbers(counts, name, problems, role="count column")
    raise_all(problems)
    wrong = {
        "missing": np.isnan(values),
        "zero or negative": values <= 0,
        "not whole": np.isfinite(values) & (values != np.rint(values)),
    }
    raise_all(
        [
            f"count column {name!r}: {what} in {rows_where(rows)}; a count is a whole number of patients above zero"
            for what, rows in wrong.items()
            if rows.any()
        ]
    )
    return values


def _patients_dropped(counts: pd.DataFrame, patients: FloatArray, dropped: Mapping[str, int]) -> dict[str, int]:
    """The patients of the rows left out, by the reasons for which the rows were, in their order."""
    left, found = np.ones(len(counts), dtype=bool), {}
    for reason in dropped:
        absent = counts[reason.removeprefix("missing ")].isna().to_numpy(dtype=bool) & left
        found[reason] = int(patients[absent].sum())
        left &= ~absent
    return found
