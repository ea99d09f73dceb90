"""Survival by stratum: curves, medians, milestones, restricted means, log-rank."""

from __future__ import annotations

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.text import survival_display
from analysis.study import report
from analysis.study.report import Blocks, Prose, attempted, slug, table
from analysis.study.study import (
    Study,
    horizon,
    milestones,
    with_difference_targets,
    with_restricted_mean_targets,
    with_survival_targets,
)
from analysis.survival.curves import restricted_mean, restricted_mean_difference, survival_at, survival_quantile
from analysis.survival.group_tests import logrank_test, pairwise_logrank
from analysis.survival.incidence_rates import incidence_rates

PER_100_YEARS = {
    "days": (36_525.0, "100 person-years"),
    "weeks": (36_525.0 / 7, "100 person-years"),
    "months": (1_200.0, "100 person-years"),
    "years": (100.0, "100 person-years"),
}
"""Person-time of 100 years in each unit, and its words."""
CHI_SQUARE = {"statistic": "Chi-square"}


@report.section("survival", "Survival by stratum")
def survival_section(study: Study) -> Blocks:
    """Curves and what is read off them, endpoint by endpoint."""
    yield Prose(
        "Kaplan-Meier curves by stratum, with pointwise log-log intervals. The curves are not adjusted: they show an"
        " association, not an effect. Restricted means compare the areas under the curves up to a horizon that every"
        " stratum reaches, and do not assume proportional hazards."
    )
    yield from attempted("Incidence rates", _rates, study)
    for endpoint in study.plan.endpoints:
        yield from _endpoint_blocks(study, endpoint)


def _rates(study: Study) -> Blocks:
    """Person-time and incidence rates of every endpoint."""
    note = (
        "Events over the time at risk, with exact Poisson limits, which take the rate to be constant over follow-up;"
        " everybody: with or without a known marker."
    )
    yield table("incidence-rates", "Person-time and incidence rates", rate_table(study), note=note)


def rate_table(study: Study) -> pd.DataFrame:
    """Incidence rates of every endpoint, of everybody and by stratum.

    Parameters
    ----------
    study : Study
        A prepared study.

    Returns
    -------
    DataFrame
        endpoint, stratum ("everybody" first), n, n_event, person_time (in the endpoint's time unit, named in `unit`),
        unit, rate, conf_low, conf_high, per: what the rate is given for.
    """
    parts = []
    marked = study.cohort[study.cohort[study.stratum_column].notna()]
    for endpoint in study.plan.endpoints:
        factor, per = PER_100_YEARS.get(endpoint.time_unit, (100.0, f"100 {endpoint.time_unit}"))
        whole = incidence_rates(study.cohort, endpoint, per=factor).assign(stratum="everybody")
        strata = incidence_rates(marked, endpoint, by=study.stratum_column, per=factor)
        both = pd.concat([whole, strata.assign(stratum=strata["stratum"].astype(str))], ignore_index=True)
        both.insert(0, "endpoint", endpoint.name)
        both.insert(5, "unit", endpoint.time_unit)
        parts.append(both.assign(per=per))
    return pd.concat(parts, ignore_index=True)


def _endpoint_blocks(study: Study, endpoint: Endpoint) -> Blocks:
    """The curves of one endpoint and the tables read off them."""
    name, label, unit = slug(endpoint.name), endpoint.name, endpoint.time_unit
    curves = report.study_curves(study, endpoint)
    yield report.survival_figure(study, endpoint, curves)
    paper = report.survival_table(study, endpoint, curves)
    yield table(
        f"{name}-survival-table",
        f"{label} by stratum of {study.marker_label}",
        paper,
        display=survival_display(paper, time_unit=unit, counted=study.counted),
        note="Kaplan-Meier estimates with log-log intervals; means are areas under the curves. NR: not reached.",
    )
    yield table(f"{name}-medians", f"{label}: medians in {unit}", medians(study, endpoint, curves))
    points = with_survival_targets(survival_at(curves, milestones(study, endpoint)), study.truth, endpoint)
    yield table(f"{name}-milestones", f"{label} at milestones ({unit})", points)
    yield from attempted(f"{label}, restricted means", _restricted_means, study, endpoint, curves)
    if study.compared:
        yield from attempted(f"{label}, the log-rank test", _logrank_tests, study, endpoint)


def medians(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> pd.DataFrame:
    """Rows, events and the median of each stratum: stratum n n_event median conf_low conf_high."""
    quantiles = survival_quantile(curves, 0.5).rename(columns={"time": "median"}).drop(columns="probability")
    return report.with_counts(study, endpoint, quantiles)


def _restricted_means(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> Blocks:
    """Restricted means of the strata, and their differences where there are two strata or more."""
    end, name = horizon(study, endpoint), slug(endpoint.name)
    reach = f"mean {endpoint.time_unit} within the first {end:g}"
    means = with_restricted_mean_targets(restricted_mean(curves, end), study.truth, endpoint, end)
    yield table(f"{name}-restricted-means", f"{endpoint.name}: {reach}", means)
    if study.compared:
        differences = with_difference_targets(restricted_mean_difference(curves, end), study.truth, endpoint, end)
        title, note = f"{endpoint.name}: differences in {reach}", "Each row: stratum b less stratum a."
        yield table(f"{name}-restricted-mean-differences", title, differences, note=note)


def _logrank_tests(study: Study, endpoint: Endpoint) -> Blocks:
    """The log-rank tests over all strata, and by pairs where there are three strata or more."""
    name, label = slug(endpoint.name), endpoint.name
    yield table(f"{name}-log-rank", f"{label}: log-rank tests", logrank_table(study, endpoint))
    if len(study.compared) > 1:
        pairs = pairwise_logrank(study.cohort, endpoint, by=study.stratum_column)
        yield table(
            f"{name}-log-rank-pairs", f"{label}: log-rank by pairs, p adjusted by Holm", pairs, headings=CHI_SQUARE
        )


def logrank_table(study: Study, endpoint: Endpoint) -> pd.DataFrame:
    """The log-rank test over all strata, plain and within the plan's strata: test n statistic df p_value."""
    tests = {f"all {study.counted}": logrank_test(study.cohort, endpoint, by=study.stratum_column)}
    if strata := study.plan.model.strata:
        within = logrank_test(study.cohort, endpoint, by=study.stratum_column, strata=strata)
        tests[f"stratified by {study.within}"] = within
    return report.frame_of_tests(tests)
