"""The Cox models of a study: crude and adjusted, the marker continuous and as strata, by period; its error."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import AnalysisWarning, NotComputed, Separation, but_for_dropped, collected, warn_all
from analysis.present.text import format_ratio, format_share
from analysis.robustness.hazards import PiecewiseEffects, Verdict, piecewise_effects, proportional_hazards_verdict
from analysis.robustness.measurement import MAGNESIUM_ERROR, Attenuation, ErrorScale, SimulationExtrapolation
from analysis.strata.marker_designs import as_formula
from analysis.study.blocks import computed, recorded
from analysis.study.study import Study, hazard_ratio_target, milestones, with_targets
from analysis.survival.cox import CoxFit, fit_cox, hazard_ratios, proportional_hazards_test

CONTINUOUS, STRATA = "continuous", "strata"
CRUDE, ADJUSTED = "crude", "adjusted"
FEWEST_IN_PERIOD = 10
"""Events on either side of a milestone that parts two periods."""
_RATIOS = [
    "endpoint", "marker", "adjustment", "term", "n", "n_event",
    "hazard_ratio", "conf_low", "conf_high", "statistic", "p_value",
]  # fmt: skip
_AS_TERMS = {CONTINUOUS: "the marker continuous", STRATA: "the marker as strata"}


@dataclass(frozen=True, eq=False)
class StudyModel:
    """One fitted model: how the marker enters it, what it adjusts for, its terms, its strata, and the fit."""

    marker: str
    adjustment: str
    covariates: str | list[str]
    strata: tuple[str, ...] | None
    fit: CoxFit


def fit_models(study: Study, endpoint: Endpoint) -> tuple[StudyModel, ...]:
    """The crude and the adjusted model of one endpoint, each with the continuous marker and with strata.

    Parameters
    ----------
    study : Study
        A prepared study; it fits its models once.
    endpoint : Endpoint
        One of its endpoints.

    Returns
    -------
    tuple of StudyModel
        The continuous marker first; no adjusted models when the plan has neither covariates nor strata. A model that
        the rows do not allow is left out, with a `NotComputed` warning; adjusted models that rest on fewer rows than
        the crude ones (a covariate is missing) are named in an `AnalysisWarning`.
    """
    models, warnings = study.fits[endpoint.name]
    warn_all(warnings)
    return models


def leading_model(study: Study, endpoint: Endpoint) -> StudyModel | None:
    """The continuous marker's adjusted model, or the crude one where that is all; None where none was fitted."""
    continuous = [model for model in fit_models(study, endpoint) if model.marker == CONTINUOUS]
    return continuous[-1] if continuous else None


def fitted_models(study: Study, endpoint: Endpoint) -> tuple[tuple[StudyModel, ...], tuple[AnalysisWarning, ...]]:
    """The models of one endpoint, with the warnings of fitting kept for everybody who asks for them."""
    terms = {CONTINUOUS: [study.marker_term], STRATA: [study.contrast(label) for label in study.compared]}
    adjustments = [CRUDE, ADJUSTED] if study.plan.model.covariates or study.plan.model.strata else [CRUDE]
    with collected() as caught:
        attempts = [
            computed(
                f"{endpoint.name}, the {adjustment} Cox model ({_AS_TERMS[marker]})",
                _fitted, study, endpoint, marker, terms[marker], adjustment,
            )
            for marker, adjustment in product(terms if study.compared else [CONTINUOUS], adjustments)
        ]  # fmt: skip
    models = tuple(model for model in attempts if model is not None)
    return models, (*but_for_dropped(caught), *_fewer_rows(endpoint, models))


def _fewer_rows(endpoint: Endpoint, models: Sequence[StudyModel]) -> list[AnalysisWarning]:
    """A warning when the adjusted models rest on fewer rows than the crude ones beside them."""
    used = {(model.marker, model.adjustment): model.fit for model in models}
    for marker in (CONTINUOUS, STRATA):
        crude, adjusted = used.get((marker, CRUDE)), used.get((marker, ADJUSTED))
        if crude is not None and adjusted is not None and adjusted.n_used < crude.n_used:
            reasons = [f"{n} for {reason}" for reason, n in adjusted.dropped.items() if reason not in crude.dropped]
            text = f"{endpoint.name}: the adjusted models rest on {adjusted.n_used} rows, the crude ones on"
            return [AnalysisWarning(f"{text} {crude.n_used} ({', '.join(reasons)} left out)")]
    return []


def _fitted(study: Study, endpoint: Endpoint, marker: str, terms: list[str], adjustment: str) -> StudyModel:
    """One model; the adjusted one has the plan's formula terms and strata."""
    covariates: str | list[str] = terms
    strata = None
    if adjustment == ADJUSTED:
        covariates = as_formula([*terms, *study.plan.model.covariates], study.cohort)
        strata = study.plan.model.strata or None
    fit = fit_cox(study.cohort, endpoint, covariates, strata=strata)
    return StudyModel(marker, adjustment, covariates, strata, fit)


def estimate_text(row: Mapping[Hashable, Any]) -> str:
    """A hazard ratio with its interval, where it has one, as in "1.34 (1.10 to 1.62)"."""
    return format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"])


def marker_hazard_ratios(study: Study, endpoint: Endpoint, models: tuple[StudyModel, ...]) -> pd.DataFrame:
    """The marker's hazard ratios of all models, each beside its target where the truth is known.

    Returns
    -------
    DataFrame
        endpoint, marker, adjustment, term, n, n_event, hazard_ratio, conf_low, conf_high, target (a hazard
        ratio, for a synthetic cohort only), statistic, p_value.
    """
    terms, parts = [study.marker_term, *map(study.contrast, study.compared)], []
    for model in models:
        ratios = hazard_ratios(model.fit)
        row: dict[str, Any] = {"endpoint": endpoint.name, "marker": model.marker}
        row |= {"adjustment": model.adjustment, "n": model.fit.n, "n_event": model.fit.n_event}
        parts.append(ratios[ratios["term"].isin(terms)].assign(**row)[_RATIOS])
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_RATIOS)
    if study.truth is None:
        return frame
    names = [_target(row["marker"], row["adjustment"], row["term"]) for row in frame.to_dict("records")]
    return with_targets(frame, [hazard_ratio_target(study.truth, endpoint, name) for name in names])


def not_estimable(study: Study) -> list[AnalysisWarning]:
    """What the models of the plan cannot estimate: the `NotComputed` and `Separation` warnings of each endpoint."""

    def ratios(endpoint: Endpoint) -> pd.DataFrame:
        """The hazard ratios of one endpoint."""
        return marker_hazard_ratios(study, endpoint, fit_models(study, endpoint))

    problems: list[AnalysisWarning] = []
    for endpoint in study.plan.endpoints:
        _, warnings = recorded(f"{endpoint.name}, the hazard ratios", ratios, endpoint)
        problems += [warning for warning in warnings if isinstance(warning, NotComputed | Separation)]
    return problems


def _target(marker: str, adjustment: str, term: str) -> str:
    """The name, among the true estimands, of what a model estimates."""
    if marker == STRATA:
        return f"{term}, {adjustment}"
    return "crude, measured magnesium" if adjustment == CRUDE else "conditional, measured magnesium"


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
    cuts = period_cuts(study, endpoint)
    if not cuts:
        return None
    return piecewise_effects(study.cohort, endpoint, study.marker_term, cuts=cuts, **study.adjustment)


def marker_verdict(study: Study, endpoint: Endpoint, effects: PiecewiseEffects) -> Verdict | None:
    """Whether a departure was shown in the last model of the continuous marker; None where none could be fitted."""
    model = leading_model(study, endpoint)
    if model is None:
        return None
    p_value = proportional_hazards_test(model.fit).set_index("term")["p_value"][study.marker_term]
    return proportional_hazards_verdict(
        effects.periods, score_p_value=float(p_value), period_p_value=effects.test.p_value
    )


@dataclass(frozen=True)
class StatedError:
    """The error of one measurement, as the functions of `robustness` take it, and where it comes from."""

    size: float
    scale: ErrorScale
    words: str


def stated_error(study: Study) -> StatedError | None:
    """The plan's error of measurement; for magnesium without one the published coefficient of variation; else None.

    Parameters
    ----------
    study : Study
        A prepared study.

    Returns
    -------
    StatedError or None
    """
    planned = study.plan.robustness.measurement_error
    if planned is not None:
        unit = f" {study.unit}" if study.unit else ""
        return StatedError(planned, "absolute", f"standard deviation {planned:g}{unit}, as the plan says")
    if study.plan.marker.analyte == "magnesium":
        words = f"coefficient of variation {MAGNESIUM_ERROR:.1%}, as published for serum magnesium; the plan gives none"
        return StatedError(MAGNESIUM_ERROR, "relative", words)
    return None


def marker_step(study: Study) -> float:
    """What a log hazard ratio per unit of the marker is multiplied by, to be per step of the plan."""
    return study.plan.marker.per * (-1.0 if study.plan.marker.direction == "lower" else 1.0)


def reliability_words(result: Attenuation | SimulationExtrapolation) -> str:
    """A reliability with its interval, as in "87.2% (85.4% to 88.8%)"."""
    shares = (result.reliability, result.reliability_low, result.reliability_high)
    ratio, low, high = (format_share(share) for share in shares)
    return f"{ratio} ({low} to {high})"
