"""A Cox model of more rows than memory holds: passes over a Parquet file, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import get_args

import numpy as np

from analysis.cohort.columns import Endpoint
from analysis.errors import InputError, dropped_warnings, raise_all, warn_all
from analysis.kernels.cox_registry import LargeRows, climb_large, event_times, large_problem, sample_start
from analysis.survival.cox import (
    CoxFit,
    CoxModel,
    assembled_without_rows,
    list_problems,
    refuse_constant,
    refuse_no_events,
)
from analysis.survival.registry.cox_file_rows import first_pass, later_pass, parquet_rows, spread
from analysis.survival.rows import (
    ApproximateTies,
    check_roles,
    choice_problems,
    count_problems,
    listed,
    zero_time_warnings,
)


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
    raise_all(
        choice_problems("ties", ties, get_args(ApproximateTies)) + count_problems("chunk_rows", chunk_rows), InputError
    )
    check_roles(endpoint, strata_names)
    if not isinstance(path, (str, PathLike)):
        raise InputError(f"path: expected the path of a Parquet file or folder, got {type(path).__name__}; see fit_cox")
    if isinstance(covariates, str):
        raise InputError(
            f"covariates={covariates!r}: give a list of numeric columns; a formula needs all rows at once (fit_cox), or"
            " their counts (fit_cox_counts)"
        )
    names = listed(covariates)
    raise_all(list_problems(names, endpoint), InputError)
    source = parquet_rows(Path(path), endpoint, names, strata_names, chunk_rows)
    known = first_pass(source)
    refuse_no_events(known.rows.n_event, known.rows.n_used)
    refuse_constant(np.array([known.rows.low, known.rows.high]), source.covariates)
    centre, scale = spread(known)
    start = sample_start(known.rows.sample._replace(ties=ties), centre, scale)
    events, place = event_times(known.rows.tally)
    rows = LargeRows(lambda: later_pass(source, known, events, place), events, centre, scale, ties == "efron")
    problem = large_problem(rows, start)
    model = CoxModel(
        endpoint=endpoint, covariates=source.covariates, ties=ties, strata=strata_names, cluster=None, weights=None,
        robust=False, engine="kernel",
    )  # fmt: skip
    fit = assembled_without_rows(
        problem, climb_large(problem), model, what=f"the file {Path(path).name!r}",
        terms=source.covariates, columns={term: (k,) for k, term in enumerate(source.covariates)},
        n=known.rows.n_used, n_read=known.n_read, dropped=known.dropped,
        warnings=(
            *dropped_warnings(known.n_read, known.rows.n_used, known.dropped),
            *zero_time_warnings(known.rows.n_censored_at_zero, endpoint),
        ),
    )  # fmt: skip
    warn_all(fit.warnings)
    return fit
