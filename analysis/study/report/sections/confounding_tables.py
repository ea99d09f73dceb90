"""Crude, standardised and weighted estimates side by side, each beside its own target where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.robustness.confounding import (
    AdjustedCurves,
    adjusted_logrank,
    adjusted_restricted_mean,
    adjusted_survival_difference,
)
from analysis.study.study import Study, horizon, milestones
from analysis.survival.curves import restricted_mean_difference, survival_at, survival_difference
from analysis.survival.group_tests import LogRank, logrank_test
from analysis.truth.estimands import TrueEstimands

CRUDE = "crude"
NAMES = {"standardisation": "standardised", "weighting": "weighted"}
PAIR = ["stratum_a", "stratum_b"]
LIMITS = ("conf_low", "conf_high")
TRUTHS = ("survival", "standardised_survival")


def milestone_table(
    study: Study, endpoint: Endpoint, crude: pd.DataFrame, methods: Sequence[AdjustedCurves]
) -> pd.DataFrame:
    """Survival at the milestones: stratum time n_risk crude standardised weighted, limits, targets of both kinds."""
    times = list(milestones(study, endpoint))
    found = survival_at(crude, times)
    parts = {CRUDE: found} | {NAMES[one.method]: survival_at(one.curves, times) for one in methods}
    table = _side_by_side(parts, ["stratum", "time"], "survival")
    table.insert(2, "n_risk", found["n_risk"])
    if study.truth is None:
        return table
    crude_truth, adjusted_truth = (_curves(study.truth, endpoint, name) for name in TRUTHS)
    return _with_targets(table, crude_truth, adjusted_truth)


def milestone_difference_table(
    study: Study, endpoint: Endpoint, crude: pd.DataFrame, methods: Sequence[AdjustedCurves]
) -> pd.DataFrame:
    """Differences of survival (b less a) at the milestones, in the same columns, for every pair of strata."""
    times = list(milestones(study, endpoint))
    parts = {CRUDE: pd.concat([survival_difference(crude, time) for time in times], ignore_index=True)}
    for one in methods:
        differences = [adjusted_survival_difference(one, time) for time in times]
        parts[NAMES[one.method]] = pd.concat(differences, ignore_index=True)
    table = _side_by_side(parts, [*PAIR, "time"], "difference")
    if study.truth is None:
        return table
    crude_truth, adjusted_truth = (_curves(study.truth, endpoint, name) for name in TRUTHS)
    return _with_targets(table, crude_truth, adjusted_truth)


def mean_difference_table(
    study: Study, endpoint: Endpoint, crude: pd.DataFrame, methods: Sequence[AdjustedCurves]
) -> pd.DataFrame:
    """Differences of restricted means (b less a), in the same columns, for every pair of strata."""
    end = horizon(study, endpoint)
    parts = {CRUDE: restricted_mean_difference(crude, end)}
    parts |= {NAMES[one.method]: adjusted_restricted_mean(one, end).differences for one in methods}
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
    strata = (model.strata or None) if model.covariates else None
    tests = {
        CRUDE: logrank_test(used, endpoint, by=by),
        "weighted": adjusted_logrank(used, endpoint, (*covariates, *(strata or ())), by=by),
    }
    if strata:
        within = " and ".join(map(study.label, strata))
        tests[f"weighted, within {within}"] = adjusted_logrank(used, endpoint, covariates, by=by, strata=strata)
    return pd.DataFrame([_test_row(name, test) for name, test in tests.items()])


def standardised_truth(study: Study, endpoint: Endpoint) -> pd.DataFrame | None:
    """What adjusted curves estimate: stratum time survival; None where the truth is not known."""
    if study.truth is None:
        return None
    curves = study.truth.curves
    mine = curves[(curves["endpoint"] == endpoint.name) & curves["stratum"].astype(str).isin(study.strata_labels)]
    wanted = mine[["stratum", "time", "standardised_survival"]].rename(columns={"standardised_survival": "survival"})
    return wanted.reset_index(drop=True) if len(wanted) else None


def _side_by_side(parts: Mapping[str, pd.DataFrame], keys: list[str], estimate: str) -> pd.DataFrame:
    """The estimates of several methods with their limits, a column of each a method."""
    first = next(iter(parts.values()))
    table = first[keys].copy()
    for name, part in parts.items():
        mine = part.set_index(keys).reindex(pd.MultiIndex.from_frame(first[keys])).reset_index()
        table[name] = mine[estimate].to_numpy()
        for limit in LIMITS:
            table[f"{name}_{limit}"] = mine[limit].to_numpy()
    return table


def _curves(truth: TrueEstimands, endpoint: Endpoint, column: str) -> pd.Series:
    """One column of the true curves of an endpoint, by stratum and time."""
    curves = truth.curves[truth.curves["endpoint"] == endpoint.name]
    return pd.Series(curves.set_index([curves["stratum"].astype(str), "time"])[column])


def _with_targets(table: pd.DataFrame, crude: pd.Series, adjusted: pd.Series) -> pd.DataFrame:
    """The table with the targets of crude and of adjusted estimates; of a pair, the difference b less a."""

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


def _test_row(name: str, test: LogRank) -> dict[str, object]:
    """One test as a row."""
    return {"test": name, "n": test.n_used, "statistic": test.statistic, "df": test.df, "p_value": test.p_value}
