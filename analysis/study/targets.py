"""Each estimate beside its own target: what the same analysis gives in a million simulated patients."""

from __future__ import annotations

import pandas as pd

from analysis.cohort.endpoints import Endpoint
from analysis.truth.estimands import TrueEstimands


def with_survival_targets(points: pd.DataFrame, truth: TrueEstimands | None, endpoint: Endpoint) -> pd.DataFrame:
    """Survival at fixed times with the column `target`, after the interval; unchanged where no truth is known."""
    if truth is None:
        return points
    curves = truth.curves[truth.curves["endpoint"] == endpoint.name]
    known = curves.set_index([curves["stratum"].astype(str), "time"])["survival"]
    return with_targets(
        points, [_value(known, key) for key in zip(points["stratum"].astype(str), points["time"], strict=True)]
    )


def with_restricted_mean_targets(
    means: pd.DataFrame, truth: TrueEstimands | None, endpoint: Endpoint, horizon: float
) -> pd.DataFrame:
    """Restricted means with the column `target`; unchanged where no truth is known."""
    if truth is None:
        return means
    known = _restricted_means(truth, endpoint, horizon)
    return with_targets(means, [_value(known, label) for label in means["stratum"].astype(str)])


def with_difference_targets(
    differences: pd.DataFrame, truth: TrueEstimands | None, endpoint: Endpoint, horizon: float
) -> pd.DataFrame:
    """Differences of restricted means (b less a) with the column `target`; unchanged where no truth is known."""
    if truth is None:
        return differences
    known = _restricted_means(truth, endpoint, horizon)
    first, second = (differences[name].astype(str) for name in ("stratum_a", "stratum_b"))
    return with_targets(differences, [_value(known, b) - _value(known, a) for a, b in zip(first, second, strict=True)])


def hazard_ratio_target(truth: TrueEstimands, endpoint: Endpoint, target: str) -> float:
    """A hazard ratio among the true estimands, by the name of its target; NaN where there is none."""
    ratios = truth.log_hazard_ratios
    return _value(ratios[ratios["endpoint"] == endpoint.name].set_index("target")["hazard_ratio"], target)


def with_targets(frame: pd.DataFrame, targets: list[float]) -> pd.DataFrame:
    """A copy with the column `target` after the interval."""
    placed = frame.copy()
    placed.insert(list(placed.columns).index("conf_high") + 1, "target", targets)
    return placed


def _restricted_means(truth: TrueEstimands, endpoint: Endpoint, horizon: float) -> pd.Series:
    """The true restricted means of one endpoint and horizon, by stratum."""
    means = truth.restricted_means
    mine = means[(means["endpoint"] == endpoint.name) & (means["horizon"] == horizon)]
    return mine.set_index(mine["stratum"].astype(str))["restricted_mean"]


def _value(known: pd.Series, key: object) -> float:
    """A known value as a float; NaN where it is not known."""
    return float(known.get(key, float("nan")))
