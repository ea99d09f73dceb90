"""Proportional hazards: the effect by period, over horizons and at milestones; the checks, of it and of the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import NotEstimable
from analysis.present.figures import plot_difference_curve, plot_hazard_ratio_over_time
from analysis.present.text import format_number, format_p, in_sentence
from analysis.robustness.hazards import FEWEST_AT_RISK, PiecewiseEffects, max_combo, restricted_mean_curve
from analysis.study import report
from analysis.study.models import (
    StudyModel,
    estimate_text,
    fit_models,
    leading_model,
    marker_hazard_ratios,
    marker_verdict,
    period_effects,
)
from analysis.study.report import Blocks, Prose, attempted, slug, table
from analysis.study.report.sections.about import NOT_EVIDENCE
from analysis.study.study import Study, common_follow_up, horizon, milestones, with_difference_targets
from analysis.survival.cox import coefficient_over_time, cox_residuals, proportional_hazards_test
from analysis.survival.curves import survival_difference
from analysis.truth.estimands import TrueEstimands


@report.section("hazards", "Proportional hazards", supplement=True)
def hazards_section(study: Study) -> Blocks:
    """What remains to be said when one hazard ratio may not hold for the whole follow-up."""
    yield Prose(
        "One hazard ratio summarises the whole follow-up. Here the effect may change: by period; as months lived within"
        " every horizon; as survival at milestones; and by MaxCombo, the largest of four tests that weight early and"
        f" late differences differently. The plan, not a test, names the main summary ({study.plan.summary})."
        " Proportional hazards are not judged with fewer than 50 events; a departure counts as shown when the smaller"
        " of two p-values, doubled, is below 0.05, and as an effect that changes sides only when the intervals of two"
        " periods exclude 1 on opposite sides."
    )
    of_strata = {"differences over time": _differences, "MaxCombo": _max_combo} if study.compared else {}
    yield from report.by_endpoint(study, {"hazard ratios by period": _periods} | of_strata)


def _periods(study: Study, endpoint: Endpoint) -> Blocks:
    """The marker's hazard ratio by period, and whether a departure was shown."""
    effects = period_effects(study, endpoint)
    if effects is None:
        yield Prose(f"{endpoint.name}: too few events to split the follow-up (10 in each period are needed).")
        return
    if verdict := marker_verdict(study, endpoint, effects):
        yield Prose(f"**{endpoint.name}.** {verdict.sentence}")
    frame, name = _period_rows(study, endpoint, effects), f"{slug(endpoint.name)}-periods"
    words = "; ".join(f"{row['label']}: {estimate_text(row)}" for row in frame.to_dict("records"))
    test = f"Likelihood-ratio test against one hazard ratio: p {format_p(effects.test.p_value)}."
    yield report.forest(
        study, name, f"{endpoint.name}: the hazard ratio of {study.marker_label} by period", frame,
        alt=f"Forest plot, per {study.step}. {words}. {test}",
        caption=f"Points with 95% intervals, adjusted as the plan says. {test}",
    )  # fmt: skip
    title = f"{endpoint.name}: hazard ratio per {study.step} by period ({endpoint.time_unit})"
    yield table(name, title, effects.periods, note=test, kinds={"start": "plain", "stop": "plain"})


def _period_rows(study: Study, endpoint: Endpoint, effects: PiecewiseEffects) -> pd.DataFrame:
    """Periods and the constant ratio as the forest plot takes them."""
    group, unit = f"{endpoint.name}, per {study.step}", endpoint.time_unit
    rows = []
    for row in effects.periods.to_dict("records"):
        span = f"{row['start']:g} to {row['stop']:g} {unit}" if row["stop"] > 0 else f"after {row['start']:g} {unit}"
        rows.append(report.estimate_row(group, f"{span} ({row['n_event']} events)", "adjusted", row))
    whole = f"one for all ({effects.n_event} events)"
    rows.append(report.estimate_row(group, whole, "crude", effects.constant.iloc[0].to_dict()))
    return report.forest_frame(rows)


def _differences(study: Study, endpoint: Endpoint) -> Blocks:
    """Months lived by horizon, and survival at milestones."""
    curves = report.study_curves(study, endpoint)
    for part, compute in (
        ("restricted means over horizons", _over_horizons),
        ("differences at milestones", _at_milestones),
    ):
        yield from attempted(f"{endpoint.name}, {part}", compute, study, endpoint, curves)


def _at_milestones(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> Blocks:
    """Differences in survival at the milestones that every stratum reaches."""
    end, unit = common_follow_up(study, endpoint), endpoint.time_unit
    at = [time for time in milestones(study, endpoint) if time <= end]
    if not at:
        raise NotEstimable(f"no milestone lies within the {end:.3g} {unit} that every stratum is followed")
    differences = pd.concat([survival_difference(curves, time) for time in at], ignore_index=True)
    name, title = slug(endpoint.name), f"{endpoint.name}: differences in survival at milestones ({unit})"
    note = "Each row: stratum b less stratum a, crude."
    yield table(f"{name}-milestone-differences", title, differences, note=note, kinds={"difference": "share"})


def _over_horizons(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> Blocks:
    """Months lived by horizon, the stratum of interest against the reference."""
    pair, seed = curves[curves["stratum"].isin([study.contrasted, study.reference])], study.plan.robustness.seed
    curve = restricted_mean_curve(pair, seed=seed)
    a, b = str(curve["stratum_a"].iloc[0]), str(curve["stratum_b"].iloc[0])
    unit, planned = endpoint.time_unit, horizon(study, endpoint)
    end = min(planned, float(curve["horizon"].iloc[-1]))
    at = restricted_mean_curve(pair, horizons=end, seed=seed).iloc[0]
    difference, low, high = (format_number(at[name]) for name in ("difference", "conf_low", "conf_high"))
    words = f"{b} less {a} at {end:.3g} {unit}: {difference} ({low} to {high})"
    if end < planned:
        words += f", the last with {FEWEST_AT_RISK} at risk in both, short of the horizon of {planned:g}"
    yield report.figure(
        study, f"{slug(endpoint.name)}-restricted-mean-curve", f"{endpoint.name}: {unit} lived within every horizon",
        plot_difference_curve, curve,
        truth=_difference_targets(study, endpoint, curve), sides=(b, a), time_unit=unit,
        title=f"{endpoint.name}, crude",
        alt=f"Difference in restricted mean survival over horizons, with its pointwise limits and its band. {words}.",
        caption=f"Difference in restricted means, crude. {words}. The curve ends where fewer than {FEWEST_AT_RISK} are"
        " at risk in either stratum; in large samples its band covers all horizons at once, in small ones less often.",
    )  # fmt: skip


def _difference_targets(study: Study, endpoint: Endpoint, curve: pd.DataFrame) -> dict[float, float] | None:
    """The true differences at the horizons that the truth knows, within the curve's."""
    if study.truth is None:
        return None
    known = study.truth.restricted_means["horizon"].unique()
    within = sorted(float(time) for time in known if time <= curve["horizon"].max())
    row = curve.iloc[[0]]
    targets = {time: with_difference_targets(row, study.truth, endpoint, time)["target"].item() for time in within}
    return {time: value for time, value in targets.items() if np.isfinite(value)} or None


def _max_combo(study: Study, endpoint: Endpoint) -> Blocks:
    """MaxCombo of each stratum against the reference: the components by name, then the largest; absolute z."""
    rows: list[tuple[object, ...]] = []
    for label in study.compared:
        two = study.cohort[study.cohort[study.stratum_column].isin([label, study.reference])]
        test = max_combo(two, endpoint, by=study.stratum_column, strata=study.plan.model.strata or None)
        contrast, names = f"{label} against {study.reference}", ("constant", "late", "early", "middle")
        parts = zip(names, test.components["statistic"].abs(), test.components["p_value"], strict=True)
        rows += [*((contrast, *part) for part in parts), (contrast, "MaxCombo", test.statistic, test.p_value)]
    frame = pd.DataFrame(rows, columns=["contrast", "test", "statistic", "p_value"])
    note = (
        "Weights of the event times: constant, late, early, middle (Fleming and Harrington). MaxCombo is the largest of"
        " the four, its p-value corrected for being the largest."
    ) + (f" Within {study.within}." if study.within else "")
    title = f"{endpoint.name}: log-rank tests with early and late weights"
    yield table(f"{slug(endpoint.name)}-max-combo", title, frame, note=note, headings={"statistic": "|z|"})


@report.section("checks", "Checks", supplement=True)
def checks_section(study: Study) -> Blocks:
    """What would have to hold for the models to be believed, and whether it does."""
    for endpoint in study.plan.endpoints:
        if model := leading_model(study, endpoint):
            what = f"{endpoint.name}, the check of proportional hazards ({model.adjustment} model)"
            yield from attempted(what, _proportional_hazards, study, endpoint, model)
    if study.truth is not None:
        yield from _truth_blocks(study, study.truth)


def _proportional_hazards(study: Study, endpoint: Endpoint, model: StudyModel) -> Blocks:
    """The score test of one endpoint and the marker's hazard ratio over time."""
    term = study.marker_term
    test = proportional_hazards_test(model.fit)
    residuals = cox_residuals(model.fit, "scaled-schoenfeld")[["time", term]]
    smooth = coefficient_over_time(model.fit, term)
    p_value = float(test.set_index("term")["p_value"][term])
    yield report.figure(
        study, f"proportional-hazards-{slug(endpoint.name)}",
        f"{endpoint.name}: the hazard ratio of {study.marker_label} over time", plot_hazard_ratio_over_time,
        smooth, residuals.rename(columns={term: "value"}),
        constant=float(model.fit.coefficients.set_index("term")["coef"][term]), term=term,
        time_unit=endpoint.time_unit, title=endpoint.name,
        alt=f"Scaled Schoenfeld residuals of {in_sentence(term)} against time with a smooth and its band; score test p"
        f" {p_value:.3g}.",
        caption="A flat smooth means proportional hazards; the dashed line is the fitted constant.",
    )  # fmt: skip
    title = f"{endpoint.name}: score test of proportional hazards ({model.adjustment} model)"
    named = test.assign(term=test["term"].map(study.label))
    yield table(f"{slug(endpoint.name)}-proportional-hazards", title, named)


def recovery_table(study: Study) -> pd.DataFrame:
    """Each hazard ratio beside its own target, and whether its interval covers it."""
    ratios = pd.concat(
        [marker_hazard_ratios(study, endpoint, fit_models(study, endpoint)) for endpoint in study.plan.endpoints],
        ignore_index=True,
    )
    covered = (ratios["conf_low"] <= ratios["target"]) & (ratios["target"] <= ratios["conf_high"])
    columns = ["endpoint", "term", "adjustment", *report.RATIO, "target"]
    return ratios[columns].assign(covered=covered.map({True: "yes", False: "no"}))


def _truth_blocks(study: Study, truth: TrueEstimands) -> Blocks:
    """The targets, and what was planted."""
    yield Prose(
        "Each estimate is compared with its own true value: what the same analysis gives in a million simulated"
        " patients. The crude true value is the larger one, because what lowers magnesium also shortens survival in"
        " other ways. The adjusted true value is not the effect built into each transition: an endpoint mixes"
        " transitions (an earlier progression also brings an earlier death), and magnesium is measured with error. An"
        f" interval misses its true value in one cohort of twenty by chance. {NOT_EVIDENCE}"
    )
    yield table("recovery", "Estimates beside their true values", recovery_table(study))
    title, note = "What the simulation holds: planted effects and true values", f"{truth.n:,} simulated patients."
    yield table("targets", title, truth.log_hazard_ratios, note=note, headings={"target": "True value of"})
