"""What a Cox model refuses, in words, and what it warns of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few
from analysis.errors import (
    AnalysisWarning,
    FewEvents,
    ManyTies,
    NotEstimable,
    RobustErrors,
    Separation,
    SuspiciousValues,
    raise_all,
)
from analysis.kernels.cox import CoxPoint, RiskSets, at_risk_sums

EVENTS_PER_PARAMETER = 5
MOST_TIED = 0.5
EXTREME_WEIGHT = 50
EXACT = "compare with fit_cox(..., ties='exact')"
FINER_TIMES = "use finer times where they were recorded, or round them and see whether the estimate moves"
COLLINEAR = 1e-11
"""The share of a column's variance that the others must leave to it (R's ``toler.chol`` is of this order)."""


def refuse_constant(x: FloatArray, terms: Sequence[str]) -> None:
    """An error that names every constant covariate."""
    suspects = np.flatnonzero((x[:1000] == x[0]).all(axis=0)).tolist()
    constant = [place for place in suspects if (x[:, place] == x[0, place]).all()]
    raise_all(
        [
            f"covariate {terms[place]!r} is constant ({x[0, place]:g} in every row used); leave it out"
            for place in constant
        ],
        NotEstimable,
    )


def refuse_no_events(n_event: int, n_used: int) -> None:
    """An error when nothing happened."""
    if not n_event:
        raise NotEstimable(f"no events among {n_used} rows: a Cox model needs events")


def refuse_one_cluster(name: str, labels: Sequence[str]) -> None:
    """An error when all rows are of one cluster, which leaves no variation between clusters."""
    if len(labels) == 1:
        raise NotEstimable(f"cluster column {name!r}: one cluster only ({labels[0]}); a robust variance needs several")


def refuse_no_comparison(sets: RiskSets) -> None:
    """An error when at every event everybody at risk had the event, so that nobody is compared with anybody."""
    at_risk = at_risk_sums(sets, np.ones(len(sets.rows)))
    if (at_risk[sets.at] > sets.n_tied).any():
        return
    if len(sets.times) == 1:
        raise NotEstimable(
            f"no information: all events at one time ({sets.times[0]:g}), and nobody else at risk then;"
            " there is no order of events to learn from"
        )
    raise NotEstimable("no information: at every event time, everybody at risk had the event")


def refuse_collinear(null: CoxPoint, n_event: int, terms: Sequence[str]) -> None:
    """An error that names covariates without variation among those at risk, and sets that determine one another."""
    from scipy.linalg import qr

    information = np.diag(null.information)
    flat = information <= COLLINEAR * n_event
    raise_all(
        [
            f"covariate {terms[place]!r} does not vary among those at risk at any event (within strata); leave it out"
            for place in np.flatnonzero(flat).tolist()
        ],
        NotEstimable,
    )
    root = np.sqrt(information)
    _, triangle, order = qr(null.information / np.outer(root, root), pivoting=True)
    rank = int((np.abs(np.diag(triangle)) > COLLINEAR).sum())
    problems = []
    for place in range(rank, len(order)):
        share = np.linalg.solve(triangle[:rank, :rank], triangle[:rank, place])
        members = sorted([*order[:rank][np.abs(share) > 1e-6], order[place]])
        named = first_few([repr(terms[member]) for member in members], 12)
        problems.append(f"covariates {named} are collinear: each follows from the others; leave one out")
    raise_all(problems, NotEstimable)


def robust_warning(weights: FloatArray) -> RobustErrors:
    """What a model with fractional weights says of its errors when nobody asked for robust ones."""
    fractional = int((weights % 1 != 0).sum())
    return RobustErrors(
        f"weights: {fractional} of {len(weights)} are fractional, so tests and limits use robust standard errors;"
        " robust=True asks for them by name, and std_error stays model-based"
    )


def cox_warnings(
    n_event: int,
    tied: float,
    weights: FloatArray,
    terms: Sequence[str],
    coef: FloatArray,
    *,
    ties: str,
    remedy: str = EXACT,
) -> tuple[AnalysisWarning, ...]:
    """What is worth a word about a fitted model, of whose events the share `tied` is tied with another.

    `remedy` says what can be done about ties: not every model can be fitted with exact ones.
    """
    found: list[AnalysisWarning] = []
    lost = [repr(terms[place]) for place in np.flatnonzero(np.isnan(coef)).tolist()]
    if lost:
        found.append(
            Separation(
                f"not estimable: {first_few(lost, 12)} (the likelihood rises for ever as the coefficient grows, as"
                " when a group has no event); judge by the likelihood-ratio test and the one-sided limits of"
                " hazard_ratios"
            )
        )
    p = len(terms)
    if n_event < EVENTS_PER_PARAMETER * p:
        found.append(
            FewEvents(
                f"{n_event} events for {p} parameter{'s' if p > 1 else ''} ({n_event / p:.1f} events per parameter)"
            )
        )
    if tied > MOST_TIED and ties != "exact":
        found.append(ManyTies(f"{tied:.0%} of events are tied with another; {remedy}"))
    if weights.max() > EXTREME_WEIGHT and weights.max() > weights.min():
        effective = weights.sum() ** 2 / (weights @ weights)
        found.append(
            SuspiciousValues(
                f"extreme weights: the largest is {weights.max():.3g};"
                f" {len(weights)} rows count as {effective:.1f} (effective n)"
            )
        )
    return tuple(found)
