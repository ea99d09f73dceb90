"""Confounding: how unlike the strata are, what is left once they are adjusted, and what the unseen would need."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import NotEstimable
from analysis.present.canvas import breaks_for
from analysis.present.figures import plot_adjusted, plot_balance, plot_confounder_bias, plot_overlap
from analysis.present.pages import Prose
from analysis.present.text import format_number, format_ratio, format_share
from analysis.robustness.confounding import (
    AdjustedCurves,
    AdjustmentMethod,
    BalanceWeights,
    EValue,
    adjusted_curves,
    balance_weights,
    confounder_bias,
    covariate_balance,
    e_value,
)
from analysis.study.blocks import attempted, table
from analysis.study.models import ADJUSTED, STRATA, fit_models
from analysis.study.report import Block, StudyFigure, StudySection, slug, time_axis
from analysis.study.report.sections.confounding_models import level_words, weighted_cox
from analysis.study.report.sections.confounding_tables import (
    logrank_table,
    mean_difference_table,
    milestone_difference_table,
    milestone_table,
    standardised_truth,
)
from analysis.study.study import Study
from analysis.survival.cox import hazard_ratios
from analysis.survival.curves import kaplan_meier, risk_table

SHARES = dict.fromkeys(("crude", "standardised", "weighted", "crude_target", "adjusted_target"), "share")
BALANCED = 0.1
"""The standardised difference up to which a covariate is often called balanced."""
RARE = 0.15
"""The share with an event up to which an outcome is rare for an E-value."""
WORDS = (
    "The crude curves show with whom a low marker goes. Here the strata are adjusted for what was measured, in two"
    " ways: by standardisation, which averages what a Cox model predicts for the whole cohort put in each stratum, and"
    " by weighting each patient by the inverse of the probability of the stratum they are in. The first leans on the"
    " model of the outcome (one hazard ratio a stratum), the second on the model of the stratum; where they differ,"
    " neither is reliable. Both know only the covariates of the plan."
)


def confounding_section(study: Study) -> StudySection:
    """Balance and overlap, adjusted curves beside crude ones, and E-values."""
    blocks: list[Block] = [Prose(WORDS + level_words(study))]
    if not study.compared or not adjusted_for(study):
        blocks = [Prose("The plan compares no strata, or adjusts for nothing: nothing can be adjusted.")]
        return StudySection("confounding", "Confounding", tuple(blocks))
    found = attempted("Weighting the strata", lambda: [weights_of(study)])
    for weights in found:
        blocks += _balance_blocks(study, weights)
    for endpoint in study.plan.endpoints:
        blocks += attempted(f"{endpoint.name}, adjusted curves", partial(_curve_blocks, study, endpoint, found))
        for weights in found:
            what = f"{endpoint.name}, the weighted Cox models"
            blocks += attempted(what, partial(_one_block, study, endpoint, weights))
    blocks += attempted("E-values", partial(_e_value_blocks, study))
    return StudySection("confounding", "Confounding", tuple(blocks))


def _one_block(study: Study, endpoint: Endpoint, weights: BalanceWeights) -> list[Block]:
    """The weighted models, as the list that `attempted` takes."""
    return [weighted_cox(study, endpoint, weights)]


def adjusted_for(study: Study) -> tuple[str, ...]:
    """The terms and the columns that the plan adjusts for."""
    return (*study.plan.model.covariates, *study.plan.model.strata)


def weights_of(study: Study) -> BalanceWeights:
    """The weights of the study's strata."""
    return balance_weights(study.cohort, adjusted_for(study), by=study.stratum_column)


def _balance_blocks(study: Study, weights: BalanceWeights) -> list[Block]:
    """The Love plot with its table, the overlap with its table."""
    plan = study.plan
    balance = covariate_balance(study.cohort, adjusted_for(study), by=study.stratum_column, weights=weights)
    balance = balance.assign(covariate=balance["covariate"].map(partial(_in_words, study)))
    words = balance_words(balance)
    love = StudyFigure(
        name="balance",
        title="How unlike the strata are",
        alt=f"Standardised mean differences by covariate and pair of strata, before and after weighting. {words}",
        caption=f"{words} Within the shaded {BALANCED:g} a difference is often called balanced.",
        draw=partial(plot_balance, balance, synthetic=plan.synthetic),
    )
    worth = "; ".join(
        f"{row['stratum']}: {row['n']} patients are worth {row['effective_n']:.0f} once weighted,"
        f" {format_share(row['share_outside'], digits=0)} of the others lie outside its range of propensity scores"
        for row in weights.summary.to_dict("records")
    )
    overlap = StudyFigure(
        name="overlap",
        title="Whether every kind of patient occurs in every stratum",
        alt=f"Histograms of the probability of each stratum, in it and outside it. {worth}.",
        caption=f"{worth}. Pale: less likely to be in the stratum than everybody who is.",
        draw=partial(plot_overlap, overlap_frame(study, weights), synthetic=plan.synthetic),
    )
    return [
        love,
        table("balance", "Standardised mean differences (b less a)", balance, kinds={"difference": "number"}),
        overlap,
        table("weights", "What weighting costs", weights.summary, kinds={"share_outside": "share"}),
    ]


def balance_words(balance: pd.DataFrame) -> str:
    """The largest standardised difference of each pair of strata, as it is and weighted."""
    size = balance.assign(before=balance["difference"].abs(), after=balance["weighted_difference"].abs())
    largest = size.groupby(["stratum_a", "stratum_b"], sort=False, observed=True)[["before", "after"]].max()
    pairs = [f"{a} and {b}" for a, b in largest.index]
    found = "; ".join(
        f"{pair} {format_number(before)} as it is, {format_number(after)} weighted"
        for pair, before, after in zip(pairs, largest["before"], largest["after"], strict=True)
    )
    words = f"The largest standardised difference: {found}."
    apart = ", ".join(pair for pair, after in zip(pairs, largest["after"], strict=True) if after > BALANCED)
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
    table = pd.concat(parts, ignore_index=True)
    return table.assign(stratum=pd.Categorical(table["stratum"], categories=list(known.columns), ordered=True))


def adjusted(study: Study, endpoint: Endpoint, method: AdjustmentMethod) -> AdjustedCurves:
    """The adjusted curves of one endpoint, as the plan adjusts."""
    plan = study.plan
    return adjusted_curves(
        study.cohort,
        endpoint,
        plan.model.covariates or plan.model.strata,
        by=study.stratum_column,
        method=method,
        strata=plan.model.strata if plan.model.covariates else None,
        n_bootstrap=plan.robustness.n_bootstrap,
        seed=plan.robustness.seed,
    )


def _curve_blocks(study: Study, endpoint: Endpoint, weights: list[BalanceWeights]) -> list[Block]:
    """One endpoint: the figure, and the tables that set crude, standardised and weighted side by side."""
    name, label, unit = slug(endpoint.name), endpoint.name, endpoint.time_unit
    standardised = adjusted(study, endpoint, "standardisation")
    weighted = attempted(f"{label}, weighted curves", lambda: [adjusted(study, endpoint, "weighting")])
    used = study.cohort.dropna(subset=[study.stratum_column])
    if weights:
        used = used[weights[0].weights.loc[used.index].notna()]
    crude = kaplan_meier(used, endpoint, by=study.stratum_column, cluster=study.cluster)
    methods = [standardised, *weighted]
    blocks: list[Block] = [_figure(study, endpoint, standardised, crude, used)]
    for key, words, compute in (
        ("milestones", f"at milestones ({unit})", milestone_table),
        ("milestone-differences", f"differences at milestones ({unit})", milestone_difference_table),
        ("mean-differences", f"differences in mean {unit}", mean_difference_table),
    ):
        frames = attempted(f"{label}, adjusted {words}", partial(_one, compute, study, endpoint, crude, methods))
        kinds = SHARES if "milestone" in key else None
        heading = f"{label}, {words}: crude and adjusted"
        blocks += [table(f"{name}-adjusted-{key}", heading, one, kinds=kinds, note=_note(methods)) for one in frames]
    title = f"{label}: log-rank tests, crude and weighted"
    tests = attempted(title, partial(_one, logrank_table, study, endpoint, used))
    return [*blocks, *(table(f"{name}-adjusted-log-rank", title, one) for one in tests)]


def _one(compute: Callable[..., pd.DataFrame], *given: object) -> list[pd.DataFrame]:
    """What a table's function gives, as the list that `attempted` takes."""
    return [compute(*given)]


def _note(methods: list[AdjustedCurves]) -> str:
    """Where the intervals come from, and how many resamples failed."""
    counts = "; ".join(f"{one.method}: {one.n_failed} of {one.n_bootstrap} failed" for one in methods)
    return f"Differences are stratum b less stratum a. Adjusted intervals by resampling the patients ({counts})."


def _figure(
    study: Study, endpoint: Endpoint, found: AdjustedCurves, crude: pd.DataFrame, used: pd.DataFrame
) -> StudyFigure:
    """The standardised curves over the crude ones."""
    plan, label = study.plan, endpoint.name
    truth = standardised_truth(study, endpoint)
    risk = risk_table(
        used, endpoint, times=breaks_for(float(crude["time"].max()), endpoint.time_unit), by=study.stratum_column,
        cluster=study.cluster,
    )  # fmt: skip
    method = f"Standardised over a Cox model, {found.n_bootstrap} resamples; thin lines are the crude curves"
    ends = ", ".join(
        f"{stratum} {format_share(float(found.survival[code][found.times <= end][-1]), digits=0)} at {end:g}"
        for code, (stratum, end) in enumerate(zip(found.labels, found.ends, strict=True))
    )
    caption = f"{method}. The numbers at risk are those of the cohort's {found.n_used} patients, not weighted."
    if truth is not None:
        caption += " Dotted: the target, every simulated patient put in each stratum."
    return StudyFigure(
        name=f"adjusted-{slug(label)}",
        title=f"{label}, adjusted",
        alt=f"Adjusted curves of {label} by stratum with bands, crude curves behind them. Adjusted survival: {ends}.",
        caption=caption,
        draw=partial(
            plot_adjusted,
            found.curves,
            crude,
            risk=risk,
            truth=truth,
            descriptions=study.descriptions,
            title=f"{label}, adjusted",
            subtitle=f"{plan.title}. {method}.",
            x_label=time_axis(study, endpoint.time_unit),
            y_label=label,
            time_unit=endpoint.time_unit,
            synthetic=plan.synthetic,
        ),
    )


def _e_value_blocks(study: Study) -> list[Block]:
    """E-values of the adjusted hazard ratios, and the bias plot of the primary endpoint's first one."""
    rows, first = [], None
    for endpoint in study.plan.endpoints:
        rare = share_with_event(study, endpoint) < RARE
        for ratio in _adjusted_ratios(study, endpoint):
            found = e_value(
                ratio["hazard_ratio"], conf_low=ratio["conf_low"], conf_high=ratio["conf_high"],
                outcome="rare" if rare else "common"
            )  # fmt: skip
            first = first or (endpoint, str(ratio["term"]), found)
            rows.append((endpoint.name, ratio["term"], found.hazard_ratio, found.conf_low, found.conf_high,
                         found.outcome, found.estimate, found.limit))  # fmt: skip
    if first is None:
        raise NotEstimable("no adjusted hazard ratio of a stratum with an interval")
    names = ["endpoint", "contrast", "hazard_ratio", "conf_low", "conf_high", "outcome", "e_value", "e_value_of_limit"]
    note = (
        "The least risk ratio that something unmeasured would need with both stratum and outcome, beyond what was"
        " measured, to move the hazard ratio, or the nearer limit, to 1. 1 for a limit: the interval holds 1 already."
    )
    frame = pd.DataFrame(rows, columns=names)
    kinds = {"e_value": "ratio", "e_value_of_limit": "ratio"}
    return [
        _bias_figure(study, *first),
        table("e-values", "E-values of the adjusted hazard ratios", frame, kinds=kinds, note=note),
    ]  # fmt: skip


def share_with_event(study: Study, endpoint: Endpoint) -> float:
    """The share of patients with an event."""
    return float(study.cohort[endpoint.event].mean())


def _adjusted_ratios(study: Study, endpoint: Endpoint) -> list[dict[str, float]]:
    """The adjusted hazard ratios of the strata that have both limits."""
    models = [one for one in fit_models(study, endpoint) if (one.marker, one.adjustment) == (STRATA, ADJUSTED)]
    terms = [study.contrast(label) for label in study.compared]
    ratios = pd.concat([hazard_ratios(one.fit) for one in models]) if models else pd.DataFrame({"term": []})
    mine = ratios[ratios["term"].isin(terms)]
    known = mine.dropna(subset=["hazard_ratio", "conf_low", "conf_high"]) if len(mine) else mine
    return [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]


def _bias_figure(study: Study, endpoint: Endpoint, term: str, found: EValue) -> StudyFigure:
    """What confounders of every strength would leave of one hazard ratio."""
    limit = found.conf_low if found.hazard_ratio >= 1 else found.conf_high
    highest = max(3.0, 1.5 * found.estimate)
    strengths = np.linspace(1.0, highest, 61)
    other = confounder_bias(limit, strengths=strengths, outcome=found.outcome) if found.limit > 1 else None
    marks = [("E-value", found.estimate), *([("of the limit", found.limit)] if found.limit > 1 else [])]
    words = f"{endpoint.name}, {term}: E-value {format_ratio(found.estimate)}, of the limit {format_ratio(found.limit)}"
    return StudyFigure(
        name="confounder-bias",
        title="How strong the unseen would have to be",
        alt=f"Strength of an unmeasured confounder with exposure and outcome, and what it would leave. {words}.",
        caption=f"{words}. Shaded: confounders that would explain the estimate away; thin lines: the risk ratio left.",
        draw=partial(
            plot_confounder_bias,
            confounder_bias(found.hazard_ratio, strengths=strengths, outcome=found.outcome),
            limit=other,
            e_values=marks,
            title=f"{endpoint.name}: {term}",
            synthetic=study.plan.synthetic,
        ),
    )
