"""Rules that call for caution: each with its threshold, what was observed, and the section where it matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from analysis.cohort.columns import Endpoint, holds_numbers
from analysis.present.text import format_share, in_sentence
from analysis.study.blocks import attempted
from analysis.study.models import ADJUSTED, fit_models, marker_verdict, period_effects
from analysis.study.study import Study, horizon
from analysis.survival.cox import EVENTS_PER_PARAMETER
from analysis.survival.curves import median_follow_up, risk_table
from analysis.survival.formulas import columns_of, parse_terms

THIN_TAIL = 10
"""Patients at risk below which a curve's tail is thin."""
MUCH_MISSING_MARKER = 0.05
MUCH_LEFT_OUT = 0.10
MANY_LEVELS = 12
"""Levels of a category above which they are likely sparse."""


@dataclass(frozen=True)
class Caution:
    """One rule applied: where it matters, what it looks at, its threshold, what was observed, whether it is raised.

    `text` is what a reader sees when it is raised; empty where a warning of the analysis says it already.
    """

    section: str
    subject: str
    endpoint: str
    threshold: str
    observed: str
    raised: bool
    text: str = ""


def study_cautions(study: Study) -> tuple[Caution, ...]:
    """Every rule applied to a study.

    Parameters
    ----------
    study : Study
        A prepared study.

    Returns
    -------
    tuple of Caution
        Those of the whole study first, then endpoint by endpoint; a rule whose estimate the rows do not allow is left
        out, with a `NotComputed` warning.
    """
    cautions = [_cut(study), _missing_marker(study), *sparse_levels(study)]
    for endpoint in study.plan.endpoints:
        for name, rule in _RULES.items():
            cautions += attempted(f"{endpoint.name}, the caution on {name}", rule, study, endpoint)
    return tuple(cautions)


def caution_table(cautions: tuple[Caution, ...]) -> pd.DataFrame:
    """The rules as a frame: subject, endpoint, threshold, observed_value, raised ("yes" or "no")."""
    rows = [(one.subject, one.endpoint, one.threshold, one.observed, "yes" if one.raised else "no") for one in cautions]
    return pd.DataFrame(rows, columns=["subject", "endpoint", "threshold", "observed_value", "raised"])


def _cut(study: Study) -> Caution:
    """Whether the cut was set by others."""
    rule = study.cutpoints.rule
    text = (
        f"The cut of {study.marker_label} was not set by others: {study.cutpoints.source}. A cut that was"
        " searched, or that is this sample's quantile, is not a threshold of biology and seldom holds elsewhere."
    )
    return Caution("strata", "where the cut comes from", "", "set by others", rule, rule != "clinical", text)


def _missing_marker(study: Study) -> Caution:
    """The share of patients without the marker."""
    share = float(study.cohort[study.plan.marker.column].isna().mean())
    text = (
        f"{study.plan.marker.label} is missing in {format_share(share)} of patients, who are in no stratum. Section"
        ' "Missing values" shows whether they resemble the others.'
    )
    wanted, raised = f"at most {MUCH_MISSING_MARKER:.0%}", share > MUCH_MISSING_MARKER
    return Caution("cohort", "missing marker", "", wanted, format_share(share), raised, text)


def sparse_levels(study: Study) -> tuple[Caution, ...]:
    """Whether a category that the plan adjusts for has so many levels that they are sparse.

    Parameters
    ----------
    study : Study
        A prepared study.

    Returns
    -------
    tuple of Caution
        One for each category of the models, covariates first.
    """
    model = study.plan.model
    names = columns_of(parse_terms(model.covariates, map(str, study.cohort.columns)))
    cautions = []
    for name in dict.fromkeys((*names, *model.strata)):
        if holds_numbers(study.cohort[name]):
            continue
        sizes = study.cohort[name].value_counts()
        sizes = sizes[sizes > 0]
        text = (
            f"column {name!r}: {len(sizes)} levels, the rarest with {sizes.min()} of {sizes.sum()} patients; sparse"
            " levels: join them. Each has a coefficient of its own in every model, which makes the study slow."
        )
        wanted, raised = f"at most {MANY_LEVELS}", len(sizes) > MANY_LEVELS
        cautions.append(
            Caution("models", f"levels of {in_sentence(study.label(name))}", "", wanted, str(len(sizes)), raised, text)
        )
    return tuple(cautions)


def _follow_up(study: Study, endpoint: Endpoint) -> Iterator[Caution]:
    """Whether the median follow-up of every stratum reaches the horizon."""
    end = horizon(study, endpoint)
    medians = median_follow_up(study.cohort, endpoint, by=study.stratum_column, cluster=study.cluster)
    shortest = medians.loc[medians["median"].idxmin()] if medians["median"].notna().any() else None
    raised = shortest is not None and bool(shortest["median"] < end)
    observed = "not reached" if shortest is None else f"{shortest['median']:.4g} in {shortest['stratum']}"
    text = (
        f"{endpoint.name}: median follow-up is {observed}, short of the horizon of {end:g} {endpoint.time_unit}; what"
        " lies beyond rests on those who were followed longest."
    )
    yield Caution("survival", "median follow-up", endpoint.name, f"at least {end:g}", observed, raised, text)


def _thin_tail(study: Study, endpoint: Endpoint) -> Iterator[Caution]:
    """Whether enough patients are at risk at the horizon in every stratum."""
    end = horizon(study, endpoint)
    at_risk = risk_table(study.cohort, endpoint, times=[end], by=study.stratum_column, cluster=study.cluster)
    thin = at_risk[at_risk["n_risk"] < THIN_TAIL]
    least = at_risk.loc[at_risk["n_risk"].idxmin()]
    named = ", ".join(f"{row['stratum']} {row['n_risk']:.0f}" for row in thin.to_dict("records"))
    text = (
        f"{endpoint.name}: few are still at risk at {end:g} {endpoint.time_unit} ({named}); the curves' tails are thin"
        " there, and each step is one patient."
    )
    wanted, observed = f"at least {THIN_TAIL}", f"{least['n_risk']:.0f} in {least['stratum']}"
    yield Caution("survival", f"at risk at {end:g}", endpoint.name, wanted, observed, len(thin) > 0, text)


def _events(study: Study, endpoint: Endpoint) -> Iterator[Caution]:
    """Events per parameter of the largest model, and terms that are not estimable; warnings say both."""
    models = fit_models(study, endpoint)
    if not models:
        return
    ratios = [model.fit.n_event / len(model.fit.coefficients) for model in models]
    few = min(ratios) < EVENTS_PER_PARAMETER
    wanted = f"at least {EVENTS_PER_PARAMETER}"
    yield Caution("models", "events per parameter", endpoint.name, wanted, f"{min(ratios):.1f}", few)
    lost = sum(int(model.fit.coefficients["coef"].isna().sum()) for model in models)
    yield Caution("models", "separation: terms not estimable", endpoint.name, "none", str(lost), lost > 0)


def _left_out(study: Study, endpoint: Endpoint) -> Iterator[Caution]:
    """The share of the cohort that the adjusted model leaves out."""
    adjusted = [model for model in fit_models(study, endpoint) if model.adjustment == ADJUSTED]
    if adjusted:
        share = 1 - adjusted[0].fit.n_used / len(study.cohort)
        text = (
            f"{endpoint.name}: the adjusted models leave out {format_share(share)} of patients for missing values; see"
            " the imputed estimate."
        )
        wanted = f"at most {MUCH_LEFT_OUT:.0%}"
        subject = "left out of the adjusted models"
        yield Caution("models", subject, endpoint.name, wanted, format_share(share), share > MUCH_LEFT_OUT, text)


def _proportional(study: Study, endpoint: Endpoint) -> Iterator[Caution]:
    """Whether a departure from proportional hazards was shown, by the verdict that the hazards are reported with."""
    effects = period_effects(study, endpoint)
    verdict = marker_verdict(study, endpoint, effects) if effects is not None else None
    if verdict is None:
        return
    text = f"{endpoint.name}: {verdict.sentence} The main summary stays the one that the plan names."
    raised = verdict.departure in ("shown", "opposite sides")
    yield Caution(
        "checks", "proportional hazards", endpoint.name, "no departure shown", verdict.departure, raised, text
    )


_RULES: dict[str, Callable[[Study, Endpoint], Iterator[Caution]]] = {
    "follow-up": _follow_up,
    "numbers at risk": _thin_tail,
    "events": _events,
    "rows left out": _left_out,
    "proportional hazards": _proportional,
}
