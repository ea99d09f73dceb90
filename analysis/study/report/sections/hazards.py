"""Proportional hazards: the effect by period, over horizons and at milestones, and whether a departure was shown."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import NotEstimable
from analysis.present.figures import plot_difference_curve, plot_forest
from analysis.present.pages import Prose, TableBlock
from analysis.present.text import format_number, format_p
from analysis.robustness.hazards import (
    FEWEST_AT_RISK,
    MaxCombo,
    PiecewiseEffects,
    max_combo,
    restricted_mean_curve,
)
from analysis.study.blocks import attempted, table
from analysis.study.models import estimate_text, marker_verdict, period_effects
from analysis.study.report import Block, StudyFigure, StudySection, slug
from analysis.study.study import Study, common_follow_up, horizon, milestones, with_difference_targets
from analysis.survival.curves import kaplan_meier, survival_difference


def hazards_section(study: Study) -> StudySection:
    """What remains to be said when one hazard ratio may not hold for the whole follow-up."""
    words = (
        "A hazard ratio says one thing of the whole follow-up. Here the same effect is looked at without that: by"
        " period; as months lived within every horizon; as survival at milestones; and by MaxCombo, which takes the"
        " largest of four tests that weigh early and late differences differently. The plan, not a test, names the"
        f" summary that leads ({study.plan.summary}). With fewer than 50 events nothing is said of proportional"
        " hazards; a departure is called shown when the smaller of two p-values, doubled, is below 0.05, and one to"
        " opposite sides only when the intervals of two periods exclude 1 on opposite sides."
    )
    blocks: list[Block] = [Prose(words)]
    for endpoint in study.plan.endpoints:
        blocks += attempted(f"{endpoint.name}, hazard ratios by period", partial(_period_blocks, study, endpoint))
        if study.compared:
            blocks += attempted(f"{endpoint.name}, differences over time", partial(_difference_blocks, study, endpoint))
            blocks += attempted(f"{endpoint.name}, MaxCombo", partial(_combined_blocks, study, endpoint))
    return StudySection("hazards", "Proportional hazards", tuple(blocks))


def _period_blocks(study: Study, endpoint: Endpoint) -> list[Block]:
    """The marker's hazard ratio by period, and whether a departure was shown."""
    effects = period_effects(study, endpoint)
    if effects is None:
        return [Prose(f"{endpoint.name}: too few events to split the follow-up (10 in each period are asked for).")]
    verdict = marker_verdict(study, endpoint, effects)
    drawn = _period_frame(study, endpoint, effects)
    words = "; ".join(f"{row['label']}: {estimate_text(row)}" for row in drawn.to_dict("records"))
    name = f"{slug(endpoint.name)}-periods"
    test = f"Likelihood-ratio test against one hazard ratio: p {format_p(effects.test.p_value)}."
    figure = StudyFigure(
        name=name,
        title=f"{endpoint.name}: the hazard ratio of {study.plan.marker.label} by period",
        alt=f"Forest plot, per {study.step}. {words}. {test}",
        caption=f"Points with 95% intervals, adjusted as the plan says. {test}",
        draw=partial(plot_forest, drawn, synthetic=study.plan.synthetic),
    )
    title = f"{endpoint.name}: hazard ratio per {study.step} by period ({endpoint.time_unit})"
    return [
        *([Prose(f"**{endpoint.name}.** {verdict.sentence}")] if verdict is not None else []),
        figure,
        table(name, title, effects.periods, note=test, kinds={"start": "plain", "stop": "plain"}),
    ]


def _period_frame(study: Study, endpoint: Endpoint, effects: PiecewiseEffects) -> pd.DataFrame:
    """Periods and the constant ratio as the forest plot takes them."""
    group, unit = f"{endpoint.name}, per {study.step}", endpoint.time_unit
    rows: list[tuple[object, ...]] = []
    for row in effects.periods.to_dict("records"):
        span = f"{row['start']:g} to {row['stop']:g} {unit}" if row["stop"] > 0 else f"after {row['start']:g} {unit}"
        label = f"{span} ({row['n_event']} events)"
        rows.append((group, label, "adjusted", row["hazard_ratio"], row["conf_low"], row["conf_high"]))
    whole = effects.constant.iloc[0]
    label = f"one for all ({effects.n_event} events)"
    rows.append((group, label, "crude", whole["hazard_ratio"], whole["conf_low"], whole["conf_high"]))
    return pd.DataFrame(rows, columns=["group", "label", "kind", "hazard_ratio", "conf_low", "conf_high"])


def _difference_blocks(study: Study, endpoint: Endpoint) -> list[Block]:
    """Months lived by horizon, and survival at milestones."""
    curves = kaplan_meier(study.cohort, endpoint, by=study.stratum_column, cluster=study.cluster)
    what = f"{endpoint.name}, restricted means over horizons"
    blocks = attempted(what, lambda: [_over_horizons(study, endpoint, curves)])
    what = f"{endpoint.name}, differences at milestones"
    return [*blocks, *attempted(what, lambda: [_at_milestones(study, endpoint, curves)])]


def _at_milestones(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> TableBlock:
    """Differences in survival at the milestones that every stratum reaches."""
    end = common_follow_up(study, endpoint)
    at = [time for time in milestones(study, endpoint) if time <= end]
    if not at:
        raise NotEstimable(
            f"no milestone lies within the {end:.3g} {endpoint.time_unit} that every stratum is followed"
        )
    differences = pd.concat([survival_difference(curves, time) for time in at], ignore_index=True)
    title = f"{endpoint.name}: differences in survival at milestones ({endpoint.time_unit})"
    note = "Each row: stratum b less stratum a, crude."
    name = f"{slug(endpoint.name)}-milestone-differences"
    return table(name, title, differences, note=note, kinds={"difference": "share"})


def _over_horizons(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> StudyFigure:
    """Months lived by horizon, the stratum of interest against the reference."""
    pair = curves[curves["stratum"].isin([study.contrasted, study.reference])]
    curve = restricted_mean_curve(pair, seed=study.plan.robustness.seed)
    a, b = str(curve["stratum_a"].iloc[0]), str(curve["stratum_b"].iloc[0])
    unit = endpoint.time_unit
    end = min(horizon(study, endpoint), float(curve["horizon"].iloc[-1]))
    at = restricted_mean_curve(pair, horizons=end, seed=study.plan.robustness.seed).iloc[0]
    words = (
        f"{b} less {a} at {end:.3g} {unit}: {format_number(at['difference'])}"
        f" ({format_number(at['conf_low'])} to {format_number(at['conf_high'])})"
    )
    if end < horizon(study, endpoint):
        words += (
            f", the last with {FEWEST_AT_RISK} at risk in both, short of the horizon of {horizon(study, endpoint):g}"
        )
    return StudyFigure(
        name=f"{slug(endpoint.name)}-restricted-mean-curve",
        title=f"{endpoint.name}: {unit} lived within every horizon",
        alt=f"Difference in restricted mean survival over horizons, with its pointwise limits and its band. {words}.",
        caption=f"Difference in restricted means, crude. {words}. The curve ends where fewer than {FEWEST_AT_RISK} are"
        " at risk in either stratum; in large samples its band covers all horizons at once, in small ones less often.",
        draw=partial(
            plot_difference_curve, curve, truth=_difference_targets(study, endpoint, curve), sides=(b, a),
            time_unit=unit, title=f"{endpoint.name}, crude", synthetic=study.plan.synthetic,
        ),
    )  # fmt: skip


def _difference_targets(study: Study, endpoint: Endpoint, curve: pd.DataFrame) -> dict[float, float] | None:
    """The true differences at the horizons that the truth knows, within the curve's."""
    if study.truth is None:
        return None
    held = study.truth.restricted_means["horizon"].unique()
    within = sorted(float(time) for time in held if time <= curve["horizon"].max())
    row = curve.iloc[[0]]
    targets = {time: with_difference_targets(row, study.truth, endpoint, time)["target"].item() for time in within}
    return {time: value for time, value in targets.items() if np.isfinite(value)} or None


def _combined_blocks(study: Study, endpoint: Endpoint) -> list[Block]:
    """MaxCombo of each stratum against the reference."""
    rows = []
    for label in study.compared:
        two = study.cohort[study.cohort[study.stratum_column].isin([label, study.reference])]
        test = max_combo(two, endpoint, by=study.stratum_column, strata=study.plan.model.strata or None)
        rows += _combined_rows(f"{label} against {study.reference}", test)
    frame = pd.DataFrame(rows, columns=["contrast", "test", "statistic", "p_value"])
    note = (
        "Weights of the event times: constant, late, early, middle (Fleming and Harrington). MaxCombo is the largest of"
        " the four, its p-value corrected for being the largest."
    )
    if study.plan.model.strata:
        note += f" Within {' and '.join(study.label(name) for name in study.plan.model.strata)}."
    title = f"{endpoint.name}: log-rank tests with early and late weights"
    return [table(f"{slug(endpoint.name)}-max-combo", title, frame, note=note)]


def _combined_rows(contrast: str, test: MaxCombo) -> list[tuple[object, ...]]:
    """The components by name, then the largest; statistics are absolute z."""
    names = ("constant", "late", "early", "middle")
    parts = zip(names, test.components["statistic"].abs(), test.components["p_value"], strict=True)
    return [*((contrast, *part) for part in parts), (contrast, "MaxCombo", test.statistic, test.p_value)]
