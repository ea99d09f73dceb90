"""Cox models of a table of counts, and of files that memory does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, column_problems, numbers, rows_where
from analysis.errors import InputError, NotEstimable, NotSupported
from analysis.kernels import cox_registry as kernel
from analysis.kernels.cox import CoxSolution
from analysis.survival import cox, rows
from analysis.survival.cox import CoxFit, CoxModel, Design
from analysis.survival.registry.passes import first_pass, later_pass, parquet_rows, spread
from analysis.survival.rows import ApproximateTies, listed


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
    errors.raise_all(errors.choice_problems("ties", ties, get_args(ApproximateTies)), InputError)
    if not isinstance(count, str):
        raise InputError(f"count={count!r}: name the column of counts")
    errors.raise_all(column_problems(counts, [count]))
    patients, strata_names = _whole(counts, count), listed(strata)
    design = cox.read_design(counts, endpoint, covariates, strata=strata_names, weights=count)
    data = design.data
    cox.refuse_no_events(int(data.event.sum()), data.n_used)
    cox.refuse_constant(design.x, design.terms)
    codes = data.strata.codes
    arrays = kernel.CoxArrays(
        design.x, data.time, data.event, entry=rows.late_entry(data), strata=codes if codes.any() else None,
        weights=data.weights, ties=ties, replicates=True,
    )  # fmt: skip
    n_read, n_used = int(patients.sum()), int(data.weights.sum())
    dropped = _patients_dropped(counts, patients, data.dropped)
    warnings = (*errors.dropped_warnings(n_read, n_used, dropped), *errors.but_for_dropped(data.warnings))
    named = covariates if isinstance(covariates, str) else tuple(covariates)
    return _without_rows(
        *kernel.fit_large(arrays), CoxModel(endpoint, named, ties, strata_names), design.terms, design.columns,
        errors.RowAccount(n_read=n_read, n_used=n_used, dropped=dropped, warnings=warnings), source="a table of counts",
    )  # fmt: skip


def _whole(counts: pd.DataFrame, name: str) -> FloatArray:
    """The counts, once they are known to be whole numbers above zero."""
    problems: list[str] = []
    values = numbers(counts, name, problems, role="count column")
    errors.raise_all(problems)
    wrong = {
        "missing": np.isnan(values),
        "zero or negative": values <= 0,
        "not whole": np.isfinite(values) & (values != np.rint(values)),
    }
    errors.raise_all(
        [
            f"count column {name!r}: {what} in {rows_where(rows)}; a count is a whole number of patients above zero"
            for what, rows in wrong.items()
            if rows.any()
        ]
    )
    return values


def _patients_dropped(counts: pd.DataFrame, patients: FloatArray, dropped: Mapping[str, int]) -> dict[str, int]:
    """The patients of the rows left out, by the reasons for which the rows were, in their order."""
    left, of_patients = np.ones(len(counts), dtype=bool), {}
    for reason in dropped:
        absent = counts[reason.removeprefix("missing ")].isna().to_numpy(dtype=bool) & left
        of_patients[reason] = int(patients[absent].sum())
        left &= ~absent
    return of_patients


def fit_cox_file(
    path: str | Path,
    endpoint: Endpoint,
    covariates: Sequence[str],
    *,
    strata: str | Sequence[str] | None = None,
    ties: ApproximateTies = "efron",
    chunk_rows: int = 500_000,
) -> CoxFit:
    """Fit a Cox model to a Parquet file that memory does not hold: exactly the model of its rows.

    The file is read anew in each pass, a chunk at a time: once to count the events at each time, then twice for each of
    Newton's steps (some three, from the maximum of a systematic sample of some 25,000 rows). Beside a chunk, memory
    holds the number of covariates + 1 sums for each distinct time and stratum.

    Parameters
    ----------
    path : str or Path
        A Parquet file, or a folder whose ``*.parquet`` files are read as one.
    endpoint : Endpoint
    covariates : sequence of str
        Numeric columns, taken as they are.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own.
    ties : {"efron", "breslow"}
    chunk_rows : int
        Rows in memory at a time, at most (a row group of the file that is larger is read whole).

    Returns
    -------
    CoxFit
        What needs rows (residuals, concordance, the baseline hazard, tests of proportional hazards) raises
        `NotSupported`.

    Raises
    ------
    CohortError
        Faults of the columns, with the rows of the file in which they were found; a file that is not there.
    InputError
        Options that are not offered; no covariate.
    NotEstimable
        No events, constant or collinear covariates, separation.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents, ManyTies, SuspiciousValues

    Notes
    -----
    As `fit_cox` and R's ``coxph(Surv(time, event) ~ x)`` of all rows. Where covariates have few distinct values, let a
    database count their combinations and use `fit_cox_counts`, which needs one scan.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from analysis import fit_cox, fit_cox_file, load_cohort
    >>> cohort, endpoint = load_cohort().dropna(subset=["magnesium"]), Endpoint("os_months", "os_event")
    >>> with TemporaryDirectory() as folder:
    ...     cohort.to_parquet(f"{folder}/cohort.parquet")
    ...     fit = fit_cox_file(f"{folder}/cohort.parquet", endpoint, ["magnesium", "age"], chunk_rows=100)
    >>> rows = fit_cox(cohort, endpoint, ["magnesium", "age"])
    >>> bool(np.isclose(fit.coefficients["coef"], rows.coefficients["coef"], rtol=1e-8).all())
    True
    """
    strata_names = listed(strata)
    problems = errors.choice_problems("ties", ties, get_args(ApproximateTies))
    errors.raise_all(problems + errors.count_problems("chunk_rows", chunk_rows), InputError)
    rows.check_roles(endpoint, strata_names)
    if not isinstance(path, (str, PathLike)):
        raise InputError(f"path: expected the path of a Parquet file or folder, got {type(path).__name__}; see fit_cox")
    if isinstance(covariates, str):
        raise InputError(
            f"covariates={covariates!r}: give a list of numeric columns; a formula needs all rows at once (fit_cox), or"
            " their counts (fit_cox_counts)"
        )
    names = listed(covariates)
    errors.raise_all(cox.list_problems(names, endpoint), InputError)
    source = parquet_rows(Path(path), endpoint, names, strata_names, chunk_rows)
    known = first_pass(source)
    cox.refuse_no_events(known.rows.n_event, known.rows.n_used)
    cox.refuse_constant(np.array([known.rows.low, known.rows.high]), names)
    centre, scale = spread(known)
    start = kernel.sample_start(known.rows.sample._replace(ties=ties), centre, scale)
    events, at = kernel.event_times(known.rows.tally)
    large = kernel.LargeRows(lambda: later_pass(source, known, events, at), events, centre, scale, ties == "efron")
    problem = kernel.large_problem(large, start)
    n_used = known.rows.n_used
    warnings = (
        *errors.dropped_warnings(known.n_read, n_used, known.dropped),
        *rows.zero_time_warnings(known.rows.n_censored_at_zero, endpoint),
    )
    return _without_rows(
        problem, kernel.maximise_large(problem), CoxModel(endpoint, names, ties, strata_names), names,
        {term: (index,) for index, term in enumerate(names)},
        errors.RowAccount(n_read=known.n_read, n_used=n_used, dropped=known.dropped, warnings=warnings),
        source=f"the file {Path(path).name!r}",
    )  # fmt: skip


class RowsNotHeld:
    """Stands where a fit keeps its rows; whatever needs them raises with what to do."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotSupported(
            f"the fit was made from {self._source} and holds no rows, which residuals, baseline hazards, concordance"
            " and tests of proportional hazards need: use fit_cox on the rows, or on a random sample that fits into"
            " memory"
        )


def _without_rows(
    problem: kernel.LargeProblem,
    solution: CoxSolution,
    model: CoxModel,
    terms: tuple[str, ...],
    columns: Mapping[str, tuple[int, ...]],
    account: errors.RowAccount,
    *,
    source: str,
) -> CoxFit:
    """The result of passes over rows that are not kept, with its warnings emitted; `source` is where they came from."""
    n_tied = problem.events.n_tied
    n_event = int(n_tied.sum())
    if not problem.compared:
        raise NotEstimable("no information: at every event time, everybody at risk had the event")
    cox.refuse_collinear(problem.null, n_event, terms)
    if solution.weak:
        raise NotEstimable(
            "the likelihood has no maximum that can be reached: look for a group without events (separation); leave its"
            " covariate out, or use fit_cox on rows in memory, which says which it is"
        )
    absent = cast(Any, RowsNotHeld(source))
    maximum = cox.attained(absent, solution.point, problem.scale)
    tied = float(n_tied[n_tied > 1].sum() / n_tied.sum())
    fit = cox.assembled(
        Design(absent, absent, terms, columns), problem.null, tied, maximum, model, account,
        n_event=n_event, weights=np.ones(1), remedy=f"{cox.EXACT} on a sample of the rows",
    )  # fmt: skip
    errors.warn_all(fit.warnings, stacklevel=4)
    return fit
