"""Survival by stratum: curves, medians, milestones, restricted means, log-rank."""

from __future__ import annotations

from functools import partial

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.pages import Prose, TableBlock
from analysis.present.text import survival_display
from analysis.study.blocks import attempted, table
from analysis.study.report import Block, StudySection, slug, stratum_counts, survival_figure, survival_table
from analysis.study.study import (
    Study,
    horizon,
    milestones,
    with_difference_targets,
    with_restricted_mean_targets,
    with_survival_targets,
)
from analysis.survival.curves import (
    kaplan_meier,
    restricted_mean,
    restricted_mean_difference,
    survival_at,
    survival_quantile,
)
from analysis.survival.group_tests import LogRank, logrank_test, pairwise_logrank
from analysis.survival.incidence_rates import incidence_rates


def survival_section(study: Study) -> StudySection:
    """Curves and what is read off them, endpoint by endpoint."""
    blocks: list[Block] = [
        Prose(
            "Kaplan-Meier curves by stratum, with pointwise log-log intervals. A curve is crude: it shows with whom the"
            " marker goes, not what it does. Restricted means compare the areas under the curves up to a horizon that"
            " every stratum reaches, and need no proportional hazards."
        )
    ]
    blocks += attempted("Incidence rates", lambda: [_rates(study)])
    for endpoint in study.plan.endpoints:
        blocks += _endpoint_blocks(study, endpoint)
    return StudySection("survival", "Survival by stratum", tuple(blocks))


def _rates(study: Study) -> TableBlock:
    """Person-time and incidence rates of every endpoint."""
    note = (
        "Events over the time at risk, with exact Poisson limits, which take the rate to be constant over follow-up;"
        " everybody: with or without a known marker."
    )
    return table("incidence-rates", "Person-time and incidence rates", rate_table(study), note=note)


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
    for endpoint in study.plan.endpoints:
        factor, per = PER_100_YEARS.get(endpoint.time_unit, (100.0, f"100 {endpoint.time_unit}"))
        whole = incidence_rates(study.cohort, endpoint, per=factor).assign(stratum="everybody")
        marked = study.cohort[study.cohort[study.stratum_column].notna()]
        strata = incidence_rates(marked, endpoint, by=study.stratum_column, per=factor)
        both = pd.concat([whole, strata.assign(stratum=strata["stratum"].astype(str))], ignore_index=True)
        both.insert(0, "endpoint", endpoint.name)
        both.insert(5, "unit", endpoint.time_unit)
        parts.append(both.assign(per=per))
    return pd.concat(parts, ignore_index=True)


PER_100_YEARS = {
    "days": (36_525.0, "100 person-years"),
    "weeks": (36_525.0 / 7, "100 person-years"),
    "months": (1_200.0, "100 person-years"),
    "years": (100.0, "100 person-years"),
}
"""Person-time of 100 years in each unit, and its words."""


def _endpoint_blocks(study: Study, endpoint: Endpoint) -> list[Block]:
    """Figure and tables of one endpoint."""
    name, label = slug(endpoint.name), endpoint.name
    curves = kaplan_meier(study.cohort, endpoint, by=study.stratum_column, cluster=study.cluster)
    unit = endpoint.time_unit
    blocks: list[Block] = [
        survival_figure(study, endpoint, curves),
        _survival_table(study, endpoint, curves),
        table(f"{name}-medians", f"{label}: medians in {unit}", medians(study, endpoint, curves)),
        table(f"{name}-milestones", f"{label} at milestones ({unit})", milestone_table(study, endpoint, curves)),
    ]
    blocks += attempted(f"{label}, restricted means", partial(_restricted_mean_tables, study, endpoint, curves))
    if study.compared:
        blocks += attempted(f"{label}, the log-rank test", partial(_logrank_tables, study, endpoint))
    return blocks


def _survival_table(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> TableBlock:
    """What a paper tells of one endpoint, by stratum."""
    frame = survival_table(study, endpoint, curves)
    note = "Kaplan-Meier estimates with log-log intervals; means are areas under the curves. NR: not reached."
    return TableBlock(
        name=f"{slug(endpoint.name)}-survival-table",
        title=f"{endpoint.name} by stratum of {study.plan.marker.label}",
        frame=frame,
        display=survival_display(frame, time_unit=endpoint.time_unit, counted=study.counted),
        note=note,
    )


def _restricted_mean_tables(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> list[Block]:
    """Restricted means of the strata, and their differences where there are two strata or more."""
    end, name, unit = horizon(study, endpoint), slug(endpoint.name), endpoint.time_unit
    means = with_restricted_mean_targets(restricted_mean(curves, end), study.truth, endpoint, end)
    tables: list[Block] = [
        table(f"{name}-restricted-means", f"{endpoint.name}: mean {unit} within the first {end:g}", means)
    ]
    if study.compared:
        differences = with_difference_targets(restricted_mean_difference(curves, end), study.truth, endpoint, end)
        title = f"{endpoint.name}: differences in mean {unit} within the first {end:g}"
        note = "Each row: stratum b less stratum a."
        tables.append(table(f"{name}-restricted-mean-differences", title, differences, note=note))
    return tables


def _logrank_tables(study: Study, endpoint: Endpoint) -> list[Block]:
    """The log-rank tests over all strata, and by pairs where there are three strata or more."""
    name, label = slug(endpoint.name), endpoint.name
    tables: list[Block] = [table(f"{name}-log-rank", f"{label}: log-rank tests", logrank_table(study, endpoint))]
    if len(study.compared) > 1:
        pairs = pairwise_logrank(study.cohort, endpoint, by=study.stratum_column)
        tables.append(table(f"{name}-log-rank-pairs", f"{label}: log-rank by pairs, p adjusted by Holm", pairs))
    return tables


def medians(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> pd.DataFrame:
    """Rows, events and the median of each stratum: stratum n n_event median conf_low conf_high."""
    counts = stratum_counts(study, endpoint)
    quantiles = survival_quantile(curves, 0.5).rename(columns={"time": "median"}).drop(columns="probability")
    for place, name in enumerate(("n", "n_event")):
        quantiles.insert(1 + place, name, [counts[label][place] for label in quantiles["stratum"].astype(str)])
    return quantiles


def milestone_table(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> pd.DataFrame:
    """Survival at the milestones, beside the truth where it is known."""
    return with_survival_targets(survival_at(curves, milestones(study, endpoint)), study.truth, endpoint)


def logrank_table(study: Study, endpoint: Endpoint) -> pd.DataFrame:
    """The log-rank test over all strata, plain and within the plan's strata: test n statistic df p_value."""
    rows = [_logrank_row(f"all {study.counted}", logrank_test(study.cohort, endpoint, by=study.stratum_column))]
    if study.plan.model.strata:
        within = " and ".join(study.label(name) for name in study.plan.model.strata)
        test = logrank_test(study.cohort, endpoint, by=study.stratum_column, strata=study.plan.model.strata)
        rows.append(_logrank_row(f"stratified by {within}", test))
    return pd.DataFrame(rows)


def _logrank_row(name: str, test: LogRank) -> dict[str, object]:
    """One test as a row."""
    return {
        "test": name,
        "n": test.n_used,
        "statistic": test.statistic,
        "df": test.df,
        "p_value": test.p_value,
    }
