"""Deaths that compete: cumulative incidence of each first event, and its two kinds of hazard ratio side by side."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd

from analysis.cohort.columns import CompetingEndpoint, Endpoint
from analysis.kernels.tolerances import SAME_TIME
from analysis.present.figures import plot_cumulative_incidence
from analysis.present.text import format_share, in_sentence
from analysis.strata.marker_designs import as_formula
from analysis.study import report
from analysis.study.report import Blocks, Prose, StudyFigure, attempted, table
from analysis.study.study import Study, milestones
from analysis.survival.competing import cumulative_incidence, fit_fine_gray, gray_test
from analysis.survival.cox import fit_cox, hazard_ratios

STATUS, EVENT = "first event", "event of one cause"
CAUSE_SPECIFIC, SUBDISTRIBUTION = "cause-specific (Cox)", "subdistribution (Fine and Gray)"
NOT_NESTED = (
    "No two endpoints of the plan are nested (one the first of the other's event and something earlier, as"
    " progression-free and overall survival are), so no events compete here."
)


@report.section("competing", "Competing events", supplement=True)
def competing_section(study: Study) -> Blocks:
    """Which event came first, by stratum, where one endpoint of the plan is the earlier of another and more."""
    pair = nested_endpoints(study)
    if pair is None:
        yield Prose(NOT_NESTED)
        return
    inner, outer = pair
    competing = _competing(study, inner, outer)
    cohort = study.cohort.assign(**{STATUS: first_event(study.cohort, inner, outer)})
    one, other = competing.causes.values()
    yield Prose(
        f"{inner.name} ends with the first of two events, **{in_sentence(one)}** or **{in_sentence(other)}**, and each"
        " rules out that the other comes first. Kaplan-Meier curves of one event that censor the other describe a world"
        " without the other event; the cumulative incidence describes this one. Two hazard ratios stand side by side."
        " The **cause-specific** hazard ratio compares the rates of an event among those who have had neither; read it"
        " for causes. The **subdistribution** hazard ratio (Fine and Gray) compares cumulative incidences, which also"
        " depend on what the marker does to the other event; read it for prognosis. When the marker acts on both"
        " events, the two can differ, even in direction."
    )
    yield from attempted("Cumulative incidence", _incidence, study, cohort, inner, competing)
    yield from attempted("Hazard ratios of competing events", _ratio_blocks, study, cohort, competing)


def nested_endpoints(study: Study) -> tuple[Endpoint, Endpoint] | None:
    """Two endpoints of which the first never ends later, and always has an event where the second has one."""
    for inner, outer in permutations(study.plan.endpoints, 2):
        if inner.entry is not None or outer.entry is not None or inner.time_unit != outer.time_unit:
            continue
        rows = study.cohort[[*inner.columns, *outer.columns]].dropna().astype(float)
        sooner = rows[inner.duration] <= rows[outer.duration] * (1 + SAME_TIME)
        implied = (rows[outer.event] == 0) | (rows[inner.event] == 1)
        earlier = rows[inner.duration] < rows[outer.duration] * (1 - SAME_TIME)
        if len(rows) and sooner.all() and implied.all() and (earlier & (rows[inner.event] == 1)).any():
            return inner, outer
    return None


def first_event(cohort: pd.DataFrame, inner: Endpoint, outer: Endpoint) -> pd.Series:
    """0 where neither came, 1 where the inner endpoint ended before the outer's event, 2 where that came first."""
    rows = cohort[[*inner.columns, *outer.columns]].astype(float)
    together = np.isclose(rows[inner.duration], rows[outer.duration], rtol=SAME_TIME, atol=0.0)
    status = np.where(rows[inner.event] == 0, 0.0, np.where(together & (rows[outer.event] == 1), 2.0, 1.0))
    return pd.Series(np.where(rows.isna().any(axis=1), np.nan, status), index=cohort.index)


def _competing(study: Study, inner: Endpoint, outer: Endpoint) -> CompetingEndpoint:
    """The two causes under the plan's words for the event columns."""
    first, second = study.label(inner.event), study.label(outer.event)
    causes = {1: first if first != inner.event else f"{inner.event} before {second}", 2: f"{second} first"}
    return CompetingEndpoint(inner.duration, STATUS, causes=causes, label=inner.name, time_unit=inner.time_unit)


def _incidence(study: Study, cohort: pd.DataFrame, inner: Endpoint, competing: CompetingEndpoint) -> Blocks:
    """Cumulative incidence at the milestones by stratum, and Gray's test of each cause."""
    by, unit = study.stratum_column, competing.time_unit
    curves = cumulative_incidence(cohort, competing, by=by)
    rows = [_at(curves, time) for time in milestones(study, inner)]
    yield _incidence_figure(study, curves, competing, rows[-1])
    title = f"Cumulative incidence of the first event at milestones ({unit})"
    yield table("competing-incidence", title, pd.concat(rows))
    if study.compared:
        tests = {cause: gray_test(cohort, competing, by=by, cause=cause) for cause in competing.causes.values()}
        frame = report.frame_of_tests(tests, key="cause")
        yield table("competing-gray", "Gray's test of equal incidence in all strata", frame)


def _incidence_figure(
    study: Study, curves: pd.DataFrame, competing: CompetingEndpoint, last: pd.DataFrame
) -> StudyFigure:
    """The curves of every cause; `last` is their reading at the last milestone, for those who cannot see them."""
    unit = competing.time_unit
    words = "; ".join(
        f"{row['cause']}, {row['stratum']}: {format_share(row['incidence'])} by {row['time']:g} {unit}"
        for row in last.to_dict("records")
    )
    return report.figure(
        study, "competing-incidence", "Cumulative incidence of each first event", plot_cumulative_incidence, curves,
        descriptions=study.descriptions, x_label=report.time_axis(study, unit), time_unit=unit,
        alt=f"Rising curves of cumulative incidence, a panel for each event and a curve for each stratum. {words}.",
        caption="Cumulative incidence (Aalen and Johansen) with 95% bands, both panels on one scale. At any time the"
        " two incidences of a stratum and its event-free share add up to 100%. Pale where fewer than 10 are at risk.",
    )  # fmt: skip


def _at(curves: pd.DataFrame, time: float) -> pd.DataFrame:
    """The last row of each curve at or before a time, for curves followed so long."""
    groups = [rows for _, rows in curves.groupby(["stratum", "cause"], observed=True, sort=False)]
    last = [rows[rows["time"] <= time].tail(1).assign(time=time) for rows in groups if rows["time"].max() >= time]
    return pd.concat(last)[["stratum", "cause", "time", "incidence", "conf_low", "conf_high"]].reset_index(drop=True)


def _ratio_blocks(study: Study, cohort: pd.DataFrame, competing: CompetingEndpoint) -> Blocks:
    """Both kinds of hazard ratio of the marker, continuous and as strata, for each cause."""
    frame = ratio_table(study, cohort, competing)
    yield report.forest(
        study,
        "competing-hazard-ratios",
        "Cause-specific and subdistribution hazard ratios",
        frame.rename(columns={"model": "label"}).assign(
            group=frame["cause"] + ": " + frame["term"].str.removeprefix(f"{study.plan.marker.label}, "),
            kind=frame["model"].map({CAUSE_SPECIFIC: "adjusted", SUBDISTRIBUTION: "crude"}),
        ),
        caption="Points with 95% intervals, both adjusted for the plan's covariates and for its strata as covariates.",
    )
    yield table("competing-hazard-ratios", "Two kinds of hazard ratio of each first event", frame)


def ratio_table(study: Study, cohort: pd.DataFrame, competing: CompetingEndpoint) -> pd.DataFrame:
    """Cause-specific and Fine-Gray hazard ratios: cause term model n_event hazard_ratio conf_low conf_high p_value."""
    sets = [[study.marker_term], [study.contrast(label) for label in study.compared]]
    rows = [_ratios(study, cohort, competing, code, terms) for code in competing.causes for terms in sets if terms]
    return pd.concat(rows, ignore_index=True)[["cause", "term", "model", "n_event", *report.RATIO, "p_value"]]


def _ratios(
    study: Study, cohort: pd.DataFrame, competing: CompetingEndpoint, code: int, terms: list[str]
) -> pd.DataFrame:
    """The terms of one model in both kinds, one kind under the other."""
    cause, model = competing.causes[code], study.plan.model
    rows = cohort.assign(**{EVENT: (cohort[STATUS] == code).astype(float).where(cohort[STATUS].notna())})
    formula = as_formula([*terms, *model.covariates, *model.strata], rows)
    specific = Endpoint(competing.duration, EVENT, label=cause, time_unit=competing.time_unit)
    fits = {
        CAUSE_SPECIFIC: fit_cox(rows, specific, formula),
        SUBDISTRIBUTION: fit_fine_gray(rows, competing, formula, cause=cause),
    }
    both = [
        hazard_ratios(fit).iloc[: len(terms)].assign(cause=cause, model=name, n_event=fit.n_event)
        for name, fit in fits.items()
    ]
    return pd.concat(both).sort_index(kind="stable")
