"""How well a score orders patients by survival: Harrell's and Uno's concordance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint
from analysis.errors import InputError, NotEstimable, NotSupported, RowAccount, raise_all, warn_all
from analysis.kernels.cox import concordance_influence, jackknife_error
from analysis.survival.printing import Printed, rows_text, significant
from analysis.survival.rows import SurvivalData, check_endpoint, choice_problems, listed, survival_data

PairWeighting = Literal["harrell", "uno"]


@dataclass(frozen=True, eq=False, repr=False)
class Concordance(Printed, RowAccount):
    """The share of comparable pairs that a score orders rightly, ties of the score counting half.

    Attributes
    ----------
    concordance, std_error : float
        1 is perfect, 0.5 is chance; the infinitesimal jackknife error.
    weighting : str
        "harrell" or "uno"; and the row account.

    Examples
    --------
    >>> from analysis import load_example
    >>> concordance(load_example("lung"), Endpoint("os_days", "os_event"), "age")
    Concordance = 0.5502, se = 0.02514 (Harrell)
    n = 228
    """

    concordance: float
    std_error: float
    weighting: PairWeighting

    def _printed(self) -> tuple[list[str], pd.DataFrame, list[str]]:
        line = f"Concordance = {significant(self.concordance)}, se = {significant(self.std_error)}"
        return (
            [f"{line} ({self.weighting.capitalize()})", rows_text(self.n_used, None, self.dropped)],
            pd.DataFrame(),
            [],
        )


def concordance(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    score: str,
    *,
    weighting: PairWeighting = "harrell",
    strata: str | Sequence[str] | None = None,
    weights: str | None = None,
) -> Concordance:
    """The concordance of a score with survival.

    Two rows are compared when one has the event while the other is at risk (an event and a censoring at one time are
    compared, two events are not).

    Parameters
    ----------
    cohort : DataFrame
        Never changed.
    endpoint : Endpoint
    score : str
        A numeric column; higher is riskier.
    weighting : {"harrell", "uno"}
        Harrell counts each pair once; Uno by 1/G(t-)^2 of the earlier event, G the curve of the censoring times, which
        makes the estimate independent of censoring. Uno's has no limit in time here.
    strata : str or sequence of str, optional
        Rows are compared within strata.
    weights : str, optional
        Column of positive case weights.

    Returns
    -------
    Concordance

    Raises
    ------
    CohortError
        Faults of the columns.
    NotEstimable
        When no two rows can be compared.
    NotSupported
        Uno's with entry times or strata.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.

    Notes
    -----
    As R's ``concordance(Surv(time, event) ~ score, reverse=TRUE)``, with ``timewt="n/G2"`` for Uno's. Harrell et al.
    (1982), JAMA 247:2543; Uno et al. (2011), Statistics in Medicine 30:1105.

    Examples
    --------
    >>> cohort = pd.DataFrame({"time": [1, 2, 3, 4], "event": [1, 1, 0, 1], "score": [3.0, 1.0, 2.0, 0.5]})
    >>> concordance(cohort, Endpoint("time", "event"), "score").concordance  # 4 of 5 pairs
    0.8
    """
    raise_all(choice_problems("weighting", weighting, get_args(PairWeighting)), InputError)
    check_endpoint(endpoint)
    if weighting == "uno" and (endpoint.entry is not None or listed(strata)):
        raise NotSupported("weighting='uno' is not defined with entry times or strata; use weighting='harrell'")
    data = survival_data(cohort, endpoint, strata=strata, weights=weights, covariates=[score])
    counts = concordance_influence(
        data.covariates[:, 0],
        data.time,
        data.event,
        entry=data.entry,
        strata=data.strata.codes,
        weights=data.weights,
        time_weights=uno_weights(data) if weighting == "uno" else None,
    )
    value, std_error = jackknife_error(counts, data.weights)
    if np.isnan(value):
        raise NotEstimable(
            f"no two of {data.n_used} rows can be compared: {int(data.event.sum())} events, nobody at risk after one"
        )
    warn_all(data.warnings)
    return Concordance(value, std_error, weighting, **data.account)


def uno_weights(data: SurvivalData) -> FloatArray:
    """1/G(t-)^2 at each row's time, G the Kaplan-Meier curve of the censoring (events leave before censorings)."""
    distinct, index = np.unique(data.time, return_inverse=True)
    n_event = np.bincount(index, data.weights * data.event)
    n_censor = np.bincount(index, data.weights * ~data.event)
    n_risk = np.cumsum((n_event + n_censor)[::-1])[::-1] - n_event
    staying = 1 - np.divide(n_censor, n_risk, out=np.zeros(len(distinct)), where=n_censor > 0)
    before = np.concatenate([[1.0], np.cumprod(staying)[:-1]])
    return np.asarray(1 / np.maximum(before, np.finfo(np.float64).tiny)[index] ** 2, dtype=np.float64)
