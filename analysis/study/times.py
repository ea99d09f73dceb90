"""The times at which a study is read off, when its plan leaves them open."""

from __future__ import annotations

import math

from analysis.cohort.endpoints import Endpoint
from analysis.study.study import Study

_CUSTOMARY = {
    "days": (90.0, 180.0, 365.0, 730.0, 1095.0, 1825.0, 3650.0),
    "weeks": (13.0, 26.0, 52.0, 104.0, 156.0, 260.0, 520.0),
    "months": (3.0, 6.0, 12.0, 24.0, 36.0, 60.0, 120.0),
    "years": (1.0, 2.0, 3.0, 5.0, 10.0, 20.0),
}


def common_follow_up(study: Study, endpoint: Endpoint) -> float:
    """The last time at which every stratum is still followed: the shortest of the strata's longest times."""
    cohort = study.cohort[[study.stratum_column, endpoint.duration, endpoint.event]].dropna()
    longest = cohort.groupby(study.stratum_column, observed=True)[endpoint.duration].max()
    return float(longest.min())


def milestones(study: Study, endpoint: Endpoint) -> tuple[float, ...]:
    """The plan's milestones, else up to four customary times within the common follow-up."""
    if study.plan.milestones:
        return study.plan.milestones
    limit = common_follow_up(study, endpoint)
    within = [time for time in _CUSTOMARY.get(endpoint.time_unit, ()) if time <= limit]
    return tuple(within[-4:]) or (_round_down(limit),)


def horizon(study: Study, endpoint: Endpoint) -> float:
    """The plan's horizon, else the longest customary time within the common follow-up."""
    return study.plan.horizon or milestones(study, endpoint)[-1]


def _round_down(limit: float) -> float:
    """The limit to its two leading digits, never above it."""
    scale = 10.0 ** (math.floor(math.log10(limit)) - 1) if limit > 0 else 1.0
    return math.floor(limit / scale) * scale
