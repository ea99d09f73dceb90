"""The marker's hazard ratio by period, and what it and the score test say of proportional hazards."""

from __future__ import annotations

import numpy as np

from analysis.cohort.endpoints import Endpoint
from analysis.robustness.hazards import PiecewiseEffects, Verdict, piecewise_effects, proportional_hazards_verdict
from analysis.study.models import CONTINUOUS, fit_models
from analysis.study.study import Study, milestones
from analysis.survival.cox import proportional_hazards_test

FEWEST_IN_PERIOD = 10


def period_cuts(study: Study, endpoint: Endpoint) -> list[float]:
    """The milestones that leave at least 10 events on either side of each: inner ends of the periods."""
    used = study.cohort[[study.marker_term, endpoint.duration, endpoint.event]].dropna()
    times = used.loc[used[endpoint.event].astype(bool), endpoint.duration].to_numpy(dtype=np.float64)
    cuts, last = [], 0.0
    for time in milestones(study, endpoint):
        enough = ((times > last) & (times <= time)).sum() >= FEWEST_IN_PERIOD
        if enough and (times > time).sum() >= FEWEST_IN_PERIOD:
            cuts.append(time)
            last = time
    return cuts


def period_effects(study: Study, endpoint: Endpoint) -> PiecewiseEffects | None:
    """The hazard ratio of each period, adjusted as the plan says; None where there are too few events to split."""
    cuts, model = period_cuts(study, endpoint), study.plan.model
    if not cuts:
        return None
    return piecewise_effects(
        study.cohort, endpoint, study.marker_term, cuts=cuts, adjust=model.covariates, strata=model.strata or None
    )


def marker_verdict(study: Study, endpoint: Endpoint, effects: PiecewiseEffects) -> Verdict | None:
    """Whether a departure was shown in the last model of the continuous marker; None where none could be fitted."""
    fitted = [model for model in fit_models(study, endpoint) if model.marker == CONTINUOUS]
    if not fitted:
        return None
    p_value = proportional_hazards_test(fitted[-1].fit).set_index("term")["p_value"][study.marker_term]
    return proportional_hazards_verdict(
        effects.periods, score_p_value=float(p_value), period_p_value=effects.test.p_value
    )
