"""Confounding: balance of the strata, what is left after adjustment, and what an unmeasured confounder would need."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import NotEstimable
from analysis.present import figures
from analysis.present.canvas import breaks_for
from analysis.present.text import format_number, format_ratio, format_share, in_sentence
from analysis.robustness import confounding
from analysis.robustness.confounding import AdjustedCurves, AdjustmentMethod, BalanceWeights, EValue
from analysis.study import report
from analysis.study.models import ADJUSTED, STRATA, fit_models
from analysis.study.report import Blocks, Prose, StudyFigure, attempted, computed, slug, table
from analysis.study.report.sections import confounding_tables
from analysis.study.report.sections.bench import level_words
from analysis.study.study import Study
from analysis.survival.cox import hazard_ratios
from analysis.survival.curves import kaplan_meier, risk_table

SHARES = dict.fromkeys(("crude", "standardised", "weighted", "crude_target", "adjusted_target"), "share")
BALANCED = 0.1
"""The standardised difference up to which a covariate is often called balanced."""
RARE = 0.15
"""The share with an event up to which an outcome is rare for an E-value."""
WORDS = (
    "The crude curves show an association. Here the strata are adjusted for the measured covariates in two"
    " ways: by standardisation, which averages what a Cox model predicts for the whole cohort put in each stratum, and"
    " by weighting each patient by the inverse of the probability of the stratum they are in. The first leans on the"
    " model of the outcome (one hazard ratio a stratum), the second on the model of the stratum; where they differ,"
    " neither is reliable. Both know only the covariates of the plan."
)
WEIGHTED_COX = (
    "The strata alone in the model, on the rows that have a weight. Errors are robust in every row, so that the crude"
    " intervals differ a little from those under Models; they take the weights as known. A weighted hazard ratio"
    " averages over the cohort; the adjusted one above is given the covariates, and the two differ even where both are"
    " right."
)
E_VALUE_HEADINGS = {"e_value": "E-value", "e_value_of_limit": "E-value of the limit"}
E_VALUES = (
    "The smallest risk ratio that an unmeasured confounder would need with both stratum and outcome, beyond the"
    " measured covariates, to move the hazard ratio, or the nearer limit, to 1. A limit's E-value of 1: the interval"
    " contains 1 already."
)


@report.section("confounding", "Confounding", supplement=True)
def confounding_section(study: Study) -> Blocks:
    """Balance and overlap, adjusted curves beside crude ones, and E-values."""
    if not study.compared or not study.adjusts:
        yield Prose("The plan compares no strata, or adjusts for nothing: nothing can be adjusted.")
        return
    yield Prose(WORDS + level_words(study))
    weights = computed("Weighting the strata", weights_of, study)
    if weights is not None:
        yield from _balance_blocks(study, weights)
    for endpoint in study.plan.endpoints:
        yield from attempted(f"{endpoint.name}, adjusted curves", _curve_blocks, study, endpoint, weights)
        if weights is not None:
            yield from attempted(f"{endpoint.name}, the weighted Cox models", _weighted_cox, study, endpoint, weights)
    yield from attempted("E-values", _e_value_blocks, study)


def weights_of(study: Study) -> BalanceWeights:
    """The weights of the study's strata."""
    return confounding.balance_weights(study.cohort, adjusted_for(study), by=study.stratum_column)


def adjusted_for(study: Study) -> tuple[str, ...]:
    """The terms and the columns that the plan adjusts for."""
    return (*study.plan.model.covariates, *study.plan.model.strata)


def _balance_blocks(study: Study, weights: BalanceWeights) -> Blocks:
    """The Love plot with its table, the overlap with its table."""
    balance = confounding.covariate_balance(study.cohort, adjusted_for(study), by=study.stratum_column, weights=weights)
    balance = balance.assign(covariate=balance["covariate"].map(partial(_in_words, study)))
    words = balance_words(balance)
    yield report.figure(
        study, "balance", "Balance before and after weighting", figures.plot_balance, balance,
        alt=f"Standardised mean differences by covariate and pair of strata, before and after weighting. {words}",
        caption=f"{words} Shaded: differences up to {BALANCED:g}, often called balanced.",
    )  # fmt: skip
    title = "Standardised mean differences (b less a)"
    yield table("balance", title, balance, kinds={"difference": "number"})
    sizes = "; ".join(
        f"{row['stratum']}: effective sample size {row['effective_n']:.0f} of {row['n']},"
        f" {format_share(row['share_outside'], digits=0)} of the others outside its range of propensity scores"
        for row in weights.summary.to_dict("records")
    )
    yield report.figure(
        study, "overlap", "Overlap of propensity scores", figures.plot_overlap,
        overlap_frame(study, weights),
        alt=f"Histograms of the probability of each stratum, in it and outside it. {sizes}.",
        caption=f"{sizes}. Pale: propensity scores below those of all patients in the stratum.",
    )  # fmt: skip
    headings = {"share_outside": "Others outside its range"}
    yield table("weights", "Effective sample sizes after weighting", weights.summary, headings=headings)


def balance_words(balance: pd.DataFrame) -> str:
    """The largest standardised difference of each pair of strata, before and after weighting."""
    size = balance.assign(before=balance["difference"].abs(), after=balance["weighted_difference"].abs())
    largest = size.groupby(["stratum_a", "stratum_b"], sort=False, observed=True)[["before", "after"]].max()
    largest.index = pd.Index([f"{a} and {b}" for a, b in largest.index])
    each = "; ".join(
        f"{pair} {format_number(before)} before weighting, {format_number(after)} after"
        for pair, before, after in largest.itertuples()
    )
    words = f"Largest standardised differences: {each}."
    apart = ", ".join(largest.index[largest["after"] > BALANCED])
    return f"{words} Weighting leaves differences above {BALANCED:g} between {apart}." if apart else words


def _in_words(study: Study, term: str) -> str:
    """A covariate as the plan calls it; of a category, its name and the level."""
    name, _, level = term.partition("[")
    return study.label(term) if not level or term in study.plan.labels else f"{study.label(name)}: {level[:-1]}"


def overlap_frame(study: Study, weights: BalanceWeights) -> pd.DataFrame:
    """A row for each weighted patient and stratum: stratum member probability."""
    known = weights.propensity.dropna()
    own = study.cohort.loc[known.index, study.stratum_column].astype(str)
    parts = [
        pd.DataFrame({"stratum": label, "member": own == label, "probability": known[label]}) for label in known.columns
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(stratum=pd.Categorical(frame["stratum"], categories=list(known.columns), ordered=True))


def adjusted(study: Study, endpoint: Endpoint, method: AdjustmentMethod) -> AdjustedCurves:
    """The adjusted curves of one endpoint, as the plan adjusts."""
    model, robustness = study.plan.model, study.plan.robustness
    return confounding.adjusted_curves(
        study.cohort, endpoint, model.covariates or model.strata,
        by=study.stratum_column, method=method, strata=model.strata if model.covariates else None,
        n_bootstrap=robustness.n_bootstrap, seed=robustness.seed,
    )  # fmt: skip


def _curve_blocks(study: Study, endpoint: Endpoint, weights: BalanceWeights | None) -> Blocks:
    """One endpoint: the figure, and the tables that set crude, standardised and weighted side by side."""
    name, label, unit = slug(endpoint.name), endpoint.name, endpoint.time_unit
    standardised = adjusted(study, endpoint, "standardisation")
    weighted = computed(f"{label}, weighted curves", adjusted, study, endpoint, "weighting")
    used = study.cohort.dropna(subset=[study.stratum_column])
    if weights is not None:
        used = used[weights.weights.loc[used.index].notna()]
    crude = kaplan_meier(used, endpoint, by=study.stratum_column, cluster=study.cluster)
    yield _adjusted_figure(study, endpoint, standardised, crude, used)
    methods = [standardised] if weighted is None else [standardised, weighted]
    counts = "; ".join(f"{one.method}: {one.n_failed} of {one.n_bootstrap} failed" for one in methods)
    note = f"Differences are stratum b less stratum a. Adjusted intervals by resampling the patients ({counts})."
    for key, words, compute in (
        ("milestones", f"at milestones ({unit})", confounding_tables.milestone_table),
        ("milestone-differences", f"differences at milestones ({unit})", confounding_tables.milestone_difference_table),
        ("mean-differences", f"differences in mean {unit}", confounding_tables.mean_difference_table),
    ):
        frame = computed(f"{label}, adjusted {words}", compute, study, endpoint, crude, methods)
        if frame is not None:
            title, kinds = f"{label}, {words}: crude and adjusted", SHARES if "milestone" in key else None
            yield table(f"{name}-adjusted-{key}", title, frame, kinds=kinds, note=note)
    title = f"{label}: log-rank tests, crude and weighted"
    tests = computed(title, confounding_tables.logrank_table, study, endpoint, used)
    if tests is not None:
        yield table(f"{name}-adjusted-log-rank", title, tests)


def _adjusted_figure(
    study: Study, endpoint: Endpoint, curves: AdjustedCurves, crude: pd.DataFrame, used: pd.DataFrame
) -> StudyFigure:
    """The curves before and after standardisation, side by side."""
    label, unit = endpoint.name, endpoint.time_unit
    truth = report.true_curves(study, endpoint, "standardised_survival")
    times = breaks_for(float(crude["time"].max()), unit)
    method = f"Standardised over a Cox model, {curves.n_bootstrap} resamples"
    ends = ", ".join(
        f"{stratum} {format_share(float(curves.survival[code][curves.times <= end][-1]), digits=0)} at {end:g}"
        for code, (stratum, end) in enumerate(zip(curves.labels, curves.ends, strict=True))
    )
    caption = (
        f"Before (Kaplan-Meier) and after adjustment. {method}. The numbers at risk are those of the cohort's"
        f" {curves.n_used} patients, not weighted."
    )
    if truth is not None:
        caption += " Dotted: the true curves, every simulated patient put in each stratum."
    return report.figure(
        study, f"adjusted-{slug(label)}", f"{label}, adjusted", figures.plot_adjusted, curves.curves, crude,
        risk=risk_table(used, endpoint, times=times, by=study.stratum_column, cluster=study.cluster), truth=truth,
        descriptions=study.descriptions, title=f"{label} before and after adjustment",
        subtitle=f"{study.plan.title}. {method}.",
        x_label=report.time_axis(study, unit), y_label=label, time_unit=unit,
        alt=f"Curves of {in_sentence(label)} by stratum with bands, before and after adjustment. Survival: {ends}.",
        caption=caption,
    )  # fmt: skip


def _weighted_cox(study: Study, endpoint: Endpoint, weights: BalanceWeights) -> Blocks:
    """Hazard ratios of the strata, crude and weighted by the inverse probability of the stratum, with robust errors."""
    frame = confounding_tables.weighted_cox_table(study, endpoint, weights)
    title = f"{endpoint.name}: Cox models of the strata, crude and weighted"
    yield table(f"{slug(endpoint.name)}-weighted-cox", title, frame, note=WEIGHTED_COX)


def _e_value_blocks(study: Study) -> Blocks:
    """E-values of the adjusted hazard ratios, and the bias plot of the primary endpoint's first one."""
    values = [
        (endpoint, str(ratio["term"]), _e_value(study, endpoint, ratio))
        for endpoint in study.plan.endpoints
        for ratio in _adjusted_ratios(study, endpoint)
    ]
    if not values:
        raise NotEstimable("no adjusted hazard ratio of a stratum with an interval")
    yield _bias_figure(study, *values[0])
    rows = [
        (endpoint.name, term, one.hazard_ratio, one.conf_low, one.conf_high, one.outcome, one.estimate, one.limit)
        for endpoint, term, one in values
    ]
    names = ["endpoint", "contrast", *report.RATIO, "outcome", "e_value", "e_value_of_limit"]
    kinds = dict.fromkeys(names[-2:], "ratio")
    frame = pd.DataFrame(rows, columns=names)
    yield table(
        "e-values",
        "E-values of the adjusted hazard ratios",
        frame,
        kinds=kinds,
        note=E_VALUES,
        headings=E_VALUE_HEADINGS,
    )


def _e_value(study: Study, endpoint: Endpoint, ratio: dict[str, float]) -> EValue:
    """The E-value of one hazard ratio."""
    rare = float(study.cohort[endpoint.event].mean()) < RARE
    return confounding.e_value(
        ratio["hazard_ratio"],
        conf_low=ratio["conf_low"],
        conf_high=ratio["conf_high"],
        outcome="rare" if rare else "common",
    )


def _adjusted_ratios(study: Study, endpoint: Endpoint) -> list[dict[str, float]]:
    """The adjusted hazard ratios of the strata that have both limits."""
    terms = [study.contrast(label) for label in study.compared]
    return [
        {str(name): value for name, value in row.items()}
        for model in fit_models(study, endpoint)
        if (model.marker, model.adjustment) == (STRATA, ADJUSTED)
        for row in hazard_ratios(model.fit).dropna(subset=report.RATIO).to_dict("records")
        if row["term"] in terms
    ]


def _bias_figure(study: Study, endpoint: Endpoint, term: str, value: EValue) -> StudyFigure:
    """What confounders of every strength would leave of one hazard ratio."""
    limit = value.conf_low if value.hazard_ratio >= 1 else value.conf_high
    bias = partial(
        confounding.confounder_bias, strengths=np.linspace(1.0, max(3.0, 1.5 * value.estimate), 61),
        outcome=value.outcome,
    )  # fmt: skip
    marks = [("E-value", value.estimate), *([("of the limit", value.limit)] if value.limit > 1 else [])]
    words = f"{endpoint.name}, {term}: E-value {format_ratio(value.estimate)}, of the limit {format_ratio(value.limit)}"
    return report.figure(
        study, "confounder-bias", "How strong an unmeasured confounder would have to be", figures.plot_confounder_bias,
        bias(value.hazard_ratio),
        limit=bias(limit) if value.limit > 1 else None, e_values=marks, title=f"{endpoint.name}: {term}",
        alt=f"Strength of an unmeasured confounder with exposure and outcome, and what it would leave. {words}.",
        caption=f"{words}. Shaded: confounders that would explain the estimate away; thin lines: the risk ratio left.",
    )  # fmt: skip
