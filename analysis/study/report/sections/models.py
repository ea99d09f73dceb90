"""The Cox models: crude and adjusted, continuous marker before the cut, the target beside the estimate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.figures import plot_forest
from analysis.present.pages import Prose, TableBlock
from analysis.present.text import hazard_ratio_display
from analysis.study.blocks import table
from analysis.study.models import ADJUSTED, CONTINUOUS, StudyModel, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.report import Block, StudyFigure, StudySection, hazard_ratio_table, slug
from analysis.study.study import Study
from analysis.survival.cox import hazard_ratios
from analysis.truth.estimands import TrueEstimands


def models_section(study: Study) -> StudySection:
    """Hazard ratios of every endpoint in one figure and one table, then each adjusted model whole."""
    models = {endpoint: fit_models(study, endpoint) for endpoint in study.plan.endpoints}
    fitted = {endpoint: of_one for endpoint, of_one in models.items() if of_one}
    blocks: list[Block] = [
        Prose(
            f"Cox models with Efron's handling of ties. The continuous marker, per {study.step}, comes first; strata"
            f" against {study.reference} follow. Crude models hold the marker alone; adjusted ones hold what the plan"
            " named."
        )
    ]
    if fitted:
        ratios = pd.concat(
            [marker_hazard_ratios(study, endpoint, of_one) for endpoint, of_one in fitted.items()], ignore_index=True
        )
        blocks += [
            _forest(study, ratios),
            _ratio_table(study, fitted),
            table("hazard-ratios", f"Hazard ratios of {study.plan.marker.label}", ratios),
        ]
    for endpoint, of_one in fitted.items():
        blocks += _terms_table(study, endpoint, of_one)
    return StudySection("models", "Models", tuple(blocks))


def _ratio_table(study: Study, fitted: Mapping[Endpoint, tuple[StudyModel, ...]]) -> TableBlock:
    """Crude and adjusted hazard ratios side by side, with their reference rows."""
    parts = [hazard_ratio_table(study, endpoint, models) for endpoint, models in fitted.items()]
    frame = pd.concat(parts, ignore_index=True)
    return TableBlock(
        name="hazard-ratio-table",
        title=f"Crude and adjusted hazard ratios of {study.plan.marker.label}",
        frame=frame,
        display=hazard_ratio_display(frame, counted=study.counted),
        note=_ratio_note(study, frame),
    )


def _ratio_note(study: Study, frame: pd.DataFrame) -> str:
    """What the adjusted models hold, and on how many patients they rest where that is fewer."""
    note, model = "Cox models, Efron's ties, Wald intervals.", study.plan.model
    adjusted = frame[frame["adjustment"] == ADJUSTED]
    if adjusted.empty:
        return note
    note += f" Adjusted for: {'; '.join(map(study.label, model.covariates))}." if model.covariates else ""
    note += f" Stratified by: {'; '.join(map(study.label, model.strata))}." if model.strata else ""
    fewer = [
        f"{row['endpoint']} {row['n']} ({row['n_event']} events)"
        for row in adjusted[adjusted["marker"] == CONTINUOUS].to_dict("records")
        if row["n"] < frame.loc[(frame["endpoint"] == row["endpoint"]) & (frame["marker"] == CONTINUOUS), "n"].max()
    ]
    return note + (f" Patients with every covariate known: {'; '.join(fewer)}." if fewer else "")


def _terms_table(study: Study, endpoint: Endpoint, models: tuple[StudyModel, ...]) -> list[TableBlock]:
    """Every term of the continuous marker's fullest model."""
    continuous = [model for model in models if model.marker == CONTINUOUS]
    if not continuous:
        return []
    last = continuous[-1]
    terms = hazard_ratios(last.fit)
    title = f"{endpoint.name}: every term of the {last.adjustment} model ({last.fit.n_event} events)"
    return [table(f"{slug(endpoint.name)}-model", title, terms.assign(term=terms["term"].map(study.label)))]


def forest_frame(study: Study, ratios: pd.DataFrame) -> pd.DataFrame:
    """Crude, adjusted and target as the forest plot takes them: group label kind hazard_ratio conf_low conf_high."""
    rows = []
    for row in ratios.to_dict("records"):
        group = f"{row['endpoint']}: {str(row['term']).removeprefix(study.plan.marker.label + ', ')}"
        rows.append(
            (group, row["adjustment"], row["adjustment"], row["hazard_ratio"], row["conf_low"], row["conf_high"])
        )
        if study.truth is not None and pd.notna(row["target"]):
            rows.append((group, f"target, {row['adjustment']}", "truth", row["target"], float("nan"), float("nan")))
            if row["marker"] == CONTINUOUS and row["adjustment"] == ADJUSTED:
                rows += [
                    (group, name, "truth", ratio, float("nan"), float("nan")) for name, ratio in _planted(study.truth)
                ]
    return pd.DataFrame(rows, columns=["group", "label", "kind", "hazard_ratio", "conf_low", "conf_high"])


def _planted(truth: TrueEstimands) -> list[tuple[str, float]]:
    """What was planted on the transitions, as labels and hazard ratios."""
    ratios = truth.log_hazard_ratios
    planted = ratios[ratios["target"].str.startswith("planted")].drop_duplicates("target")
    return list(zip(planted["target"], planted["hazard_ratio"].astype(float), strict=True))


def _forest(study: Study, ratios: pd.DataFrame) -> StudyFigure:
    """The forest plot of all endpoints."""
    frame = forest_frame(study, ratios)
    words = "; ".join(f"{row['group']}, {row['label']}: {estimate_text(row)}" for row in frame.to_dict("records"))
    caption = "Points with 95% intervals; logarithmic axis."
    if study.truth is not None:
        caption += " Open marks: the target of each model, which is what it gives in a million simulated patients, and"
        caption += " what was planted on each transition."
    return StudyFigure(
        name="forest",
        title=f"Hazard ratios of {study.plan.marker.label}",
        alt=f"Forest plot. {words}.",
        caption=caption,
        draw=partial(plot_forest, frame, synthetic=study.plan.synthetic),
    )
