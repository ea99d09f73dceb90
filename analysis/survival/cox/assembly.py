"""A Cox model's result from its maximum; of rows that are held, or of rows that were only passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, cast

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.errors import AnalysisWarning, NotEstimable, NotSupported
from analysis.kernels.cox import CoxPoint, CoxSolution, newton_step
from analysis.kernels.cox_registry import LargeProblem
from analysis.survival.cox.design import Design
from analysis.survival.cox.estimability import EXACT, cox_warnings, refuse_collinear
from analysis.survival.cox.maximum import Maximum, attained
from analysis.survival.cox.result import CoxFit, CoxModel, chi_square


class RowsNotHeld:
    """Stands where a fit keeps its rows; whatever asks for them is told what to do."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotSupported(
            f"the fit was made from {self._what} and holds no rows, which residuals, baseline hazards, concordance and"
            " tests of proportional hazards need: use fit_cox on the rows, or on a random sample that fits into memory"
        )


def assembled(
    design: Design,
    maximum: Maximum,
    null: CoxPoint,
    model: CoxModel,
    *,
    robust: FloatArray | None,
    n: int,
    n_event: int,
    n_read: int,
    dropped: Mapping[str, int],
    warnings: tuple[AnalysisWarning, ...],
) -> CoxFit:
    """Coefficients with their errors, and the three tests; `robust` is the sandwich covariance."""
    coef, df = maximum.coef, len(design.terms)
    covariance = maximum.covariance if robust is None else robust
    robust_error = np.full(df, np.nan) if robust is None else np.sqrt(np.diag(robust))
    score = float(null.gradient @ newton_step(null.information, null.gradient))
    return CoxFit(
        coefficients=_coefficient_table(
            design.terms, coef, maximum.covariance, robust_error, robust=robust is not None
        ),
        covariance=covariance,
        n=n,
        n_event=n_event,
        log_likelihood=maximum.log_likelihood,
        log_likelihood_null=null.log_likelihood,
        likelihood_ratio_test=chi_square(2 * (maximum.log_likelihood - null.log_likelihood), df),
        wald_test=chi_square(_wald(coef, covariance), df),
        score_test=chi_square(score, df),
        model=model,
        n_read=n_read,
        n_used=n,
        dropped=dropped,
        warnings=warnings,
        design=design,
        rows=maximum.rows,
        maximum=maximum,
    )


def assembled_without_rows(
    problem: LargeProblem,
    solution: CoxSolution,
    model: CoxModel,
    *,
    columns: Mapping[str, tuple[int, ...]],
    terms: tuple[str, ...],
    what: str,
    n: int,
    n_read: int,
    dropped: Mapping[str, int],
    warnings: tuple[AnalysisWarning, ...],
) -> CoxFit:
    """The result of passes over rows that are not kept.

    `terms` and `columns` are those of the design; `what` the rows came from, for those who ask for them.

    Raises
    ------
    NotEstimable
        Collinear covariates; nobody to compare with; a likelihood without a maximum.
    """
    n_tied = problem.events.n_tied
    n_event = int(n_tied.sum())
    if not problem.compared:
        raise NotEstimable("no information: at every event time, everybody at risk had the event")
    refuse_collinear(problem.null, n_event, terms)
    if solution.weak:
        raise NotEstimable(
            "the likelihood has no maximum that can be reached: look for a group without events (separation); leave its"
            " covariate out, or use fit_cox on rows in memory, which says which it is"
        )
    absent = cast(Any, RowsNotHeld(what))
    maximum = attained(absent, solution.point, problem.scale)
    design = Design(absent, absent, terms, columns)
    tied = float(n_tied[n_tied > 1].sum() / n_tied.sum())
    remedy = f"{EXACT} on a sample of the rows"
    found = cox_warnings(n_event, tied, np.ones(1), terms, maximum.coef, ties=model.ties, remedy=remedy)
    return assembled(
        design, maximum, problem.null, model,
        robust=None, n=n, n_event=n_event, n_read=n_read, dropped=dropped, warnings=(*warnings, *found),
    )  # fmt: skip


def _coefficient_table(
    terms: Sequence[str], coef: FloatArray, covariance: FloatArray, robust_error: FloatArray, *, robust: bool
) -> pd.DataFrame:
    """A row a term; an error of zero, as score residuals that cancel give a robust one, has no test."""
    from scipy.special import erfc

    std_error = np.sqrt(np.diag(covariance))
    judged = robust_error if robust else std_error
    statistic = np.divide(coef, judged, out=np.full(len(coef), np.nan), where=judged > 0)
    return pd.DataFrame(
        {
            "term": list(terms),
            "coef": coef,
            "std_error": std_error,
            "robust_std_error": robust_error,
            "statistic": statistic,
            "p_value": erfc(np.abs(statistic) / np.sqrt(2)),
        }
    )


def _wald(coef: FloatArray, covariance: FloatArray) -> float:
    """The squared distance of the coefficients from zero, in their covariance; NaN when one has no error."""
    std_error = np.sqrt(np.diag(covariance))
    if not np.isfinite(covariance).all() or not (std_error > 0).all():
        return float("nan")
    correlation = covariance / np.outer(std_error, std_error)
    statistic = coef / std_error
    return float(statistic @ np.linalg.pinv(correlation, rcond=1e-12, hermitian=True) @ statistic)
