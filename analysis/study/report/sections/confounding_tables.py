"""Crude, standardised and weighted estimates side by side, each beside its own target where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.robustness import confounding
from analysis.robustness.confounding import AdjustedCurves, BalanceWeights
from analysis.study import report
from analysis.study.study import Study, horizon, milestones
from analysis.survival.cox import fit_cox, hazard_ratios
from analysis.survival.curves import restricted_mean_difference, survival_at, survival_difference
from analysis.survival.group_tests import logrank_test

CRUDE, WEIGHTED = "crude", "weighted"
NAMES = {"standardisation": "standardised", "weighting": WEIGHTED}
PAIR = ["stratum_a", "stratum_b"]
WEIGHT = "(weight of the stratum)"

Methods = Sequence[AdjustedCurves]


def milestone_table(study: Study, endpoint: Endpoint, crude: pd.DataFrame, methods: Methods) -> pd.DataFrame:
    """Survival at the milestones: stratum time n_risk crude standardised weighted, limits, targets of both kinds."""
    times = list(milestones(study, endpoint))
    points = survival_at(crude, times)
    parts = {CRUDE: points} | {NAMES[one.method]: survival_at(one.curves, times) for one in methods}
    table = _side_by_side(parts, ["stratum", "time"], "survival")
    table.insert(2, "n_risk", points["n_risk"])
    return _with_targets(table, *_true_survival(study, endpoint))


def milestone_difference_table(study: Study, endpoint: Endpoint, crude: pd.DataFrame, methods: Methods) -> pd.DataFrame:
    """Differences of survival (b less a) at the milestones, in the same columns, for every pair of strata."""
    times = milestones(study, endpoint)
    parts = {CRUDE: pd.concat([survival_difference(crude, time) for time in times], ignore_index=True)}
    for one in methods:
        differences = [confounding.adjusted_survival_difference(one, time) for time in times]
        parts[NAMES[one.method]] = pd.concat(differences, ignore_index=True)
    return _with_targets(_side_by_side(parts, [*PAIR, "time"], "difference"), *_true_survival(study, endpoint))


def mean_difference_table(study: Study, endpoint: Endpoint, crude: pd.DataFrame, methods: Methods) -> pd.DataFrame:
    """Differences of restricted means (b less a), in the same columns, for every pair of strata."""
    end = horizon(study, endpoint)
    parts = {CRUDE: restricted_mean_difference(crude, end)}
    parts |= {NAMES[one.method]: confounding.adjusted_restricted_mean(one, end).differences for one in methods}
    table = _side_by_side(parts, PAIR, "difference")
    table.insert(2, "horizon", end)
    if study.truth is None:
        return table
    means = study.truth.restricted_means
    mine = means[(means["endpoint"] == endpoint.name) & (means["horizon"] == end)]
    known = mine.set_index(mine["stratum"].astype(str))
    return _with_targets(table, known["restricted_mean"], known["standardised_restricted_mean"])


def logrank_table(study: Study, endpoint: Endpoint, used: pd.DataFrame) -> pd.DataFrame:
    """The log-rank test as it is and by weight, on the same rows: test n statistic df p_value."""
    by, model = study.stratum_column, study.plan.model
    covariates = model.covariates or model.strata
    strata = model.strata if model.covariates else ()
    tests = {
        CRUDE: logrank_test(used, endpoint, by=by),
        WEIGHTED: confounding.adjusted_logrank(used, endpoint, (*covariates, *strata), by=by),
    }
    if strata:
        test = confounding.adjusted_logrank(used, endpoint, covariates, by=by, strata=strata)
        tests[f"{WEIGHTED}, within {study.within}"] = test
    return report.frame_of_tests(tests)


def weighted_cox_table(study: Study, endpoint: Endpoint, weights: BalanceWeights) -> pd.DataFrame:
    """The hazard ratio of each stratum, crude and weighted by the inverse probability of the stratum.

    Parameters
    ----------
    study : Study
        A prepared study.
    endpoint : Endpoint
    weights : BalanceWeights
        Of the study's strata.

    Returns
    -------
    DataFrame
        analysis ("crude", "weighted", and "weighted, within" the plan's strata), term, n, n_event, hazard_ratio,
        conf_low, conf_high, statistic, p_value; errors are robust (the sandwich) in all of them.
    """
    terms = [study.contrast(label) for label in study.compared]
    known = weights.weights.notna()
    rows = study.cohort[known.reindex(study.cohort.index, fill_value=False)].copy()
    rows[WEIGHT] = weights.weights[known]
    strata = study.plan.model.strata if study.plan.model.covariates else ()
    analyses: list[tuple[str, str | None, tuple[str, ...] | None]] = [(CRUDE, None, None), (WEIGHTED, WEIGHT, None)]
    if strata:
        analyses.append((f"{WEIGHTED}, within {study.within}", WEIGHT, strata))
    parts = []
    for name, weight, within in analyses:
        fit = fit_cox(rows, endpoint, terms, weights=weight, strata=within, robust=True)
        parts.append(hazard_ratios(fit).assign(analysis=name, n=fit.n_used, n_event=fit.n_event))
    order = ["analysis", "term", "n", "n_event"]
    frame = pd.concat(parts, ignore_index=True)
    return frame[[*order, *frame.columns.drop(order)]]


def _side_by_side(parts: Mapping[str, pd.DataFrame], keys: list[str], estimate: str) -> pd.DataFrame:
    """The estimates of several methods with their limits, a column of each a method."""
    table = next(iter(parts.values()))[keys].copy()
    rows = pd.MultiIndex.from_frame(table)
    for name, part in parts.items():
        mine = part.set_index(keys).reindex(rows).reset_index()
        for column, values in ((name, estimate), (f"{name}_conf_low", "conf_low"), (f"{name}_conf_high", "conf_high")):
            table[column] = mine[values].to_numpy()
    return table


def _true_survival(study: Study, endpoint: Endpoint) -> tuple[pd.Series | None, pd.Series | None]:
    """The true curves of an endpoint, crude and standardised, by stratum and time; None where they are not known."""
    if study.truth is None:
        return None, None
    curves = study.truth.curves[study.truth.curves["endpoint"] == endpoint.name]
    known = curves.set_index([curves["stratum"].astype(str), "time"])
    return known["survival"], known["standardised_survival"]


def _with_targets(table: pd.DataFrame, crude: pd.Series | None, adjusted: pd.Series | None) -> pd.DataFrame:
    """The table with the targets of crude and of adjusted estimates, where they are known; of a pair b less a."""
    if crude is None or adjusted is None:
        return table

    def value(known: pd.Series, row: Mapping[object, object], stratum: str) -> float:
        """One target, by stratum, and by time where the table has times."""
        label = str(row[stratum])
        return float(known.get((label, row["time"]) if "time" in row else label, float("nan")))

    def target(known: pd.Series, row: Mapping[object, object]) -> float:
        """The target of a row."""
        if "stratum" in row:
            return value(known, row, "stratum")
        return value(known, row, "stratum_b") - value(known, row, "stratum_a")

    rows = table.to_dict("records")
    return table.assign(
        crude_target=[target(crude, row) for row in rows], adjusted_target=[target(adjusted, row) for row in rows]
    )
