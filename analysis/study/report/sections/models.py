"""The Cox models: crude and adjusted, continuous marker before the cut, the true value beside the estimate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.text import hazard_ratio_display
from analysis.study import report
from analysis.study.models import ADJUSTED, CONTINUOUS, StudyModel, fit_models, leading_model, marker_hazard_ratios
from analysis.study.prepare import model_columns
from analysis.study.report import Blocks, Prose, StudyFigure, slug, table
from analysis.study.study import Study
from analysis.survival.cox import hazard_ratios
from analysis.truth.estimands import TrueEstimands

RATIO_COLUMNS = (
    "endpoint", "marker", "label", "reference", "adjustment", "n", "n_event",
    "hazard_ratio", "conf_low", "conf_high", "p_value",
)  # fmt: skip
REFERENCE = (1.0, float("nan"), float("nan"), float("nan"))


@report.section("models", "Models")
def models_section(study: Study) -> Blocks:
    """Hazard ratios of every endpoint in one figure and one table, then each adjusted model whole."""
    models = {endpoint: fit_models(study, endpoint) for endpoint in study.plan.endpoints}
    fitted = {endpoint: of_one for endpoint, of_one in models.items() if of_one}
    label = study.marker_label
    yield Prose(
        f"Cox models with Efron's handling of ties. The continuous marker, per {study.step}, comes first; strata"
        f" against {study.reference} follow. Crude models contain the marker alone; adjusted models also contain the"
        " covariates named in the plan."
    )
    if fitted:
        ratios = pd.concat([marker_hazard_ratios(study, *of_one) for of_one in fitted.items()], ignore_index=True)
        paper = pd.concat([hazard_ratio_table(study, *of_one) for of_one in fitted.items()], ignore_index=True)
        title, shown = (
            f"Crude and adjusted hazard ratios of {label}",
            hazard_ratio_display(paper, counted=study.counted),
        )
        yield _forest(study, ratios)
        yield table("hazard-ratio-table", title, paper, display=shown, note=_ratio_note(study, paper))
        yield table("hazard-ratios", f"Hazard ratios of {label}", ratios)
    for endpoint in fitted:
        yield from _terms_table(study, endpoint)


def hazard_ratio_table(study: Study, endpoint: Endpoint, models: Sequence[StudyModel]) -> pd.DataFrame:
    """The marker's hazard ratios of one endpoint, crude and adjusted, with a row for the reference stratum.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
    models : sequence of StudyModel
        As `fit_models` gives them.

    Returns
    -------
    DataFrame
        endpoint, marker, label (the step of the marker, or a stratum), reference (whether it is the reference
        stratum), adjustment, n, n_event, hazard_ratio (1 for the reference), conf_low, conf_high, p_value. Counts are
        of the rows that each model rests on.
    """
    rows = [row for model in models for row in _model_rows(study, endpoint, model)]
    return pd.DataFrame(rows, columns=pd.Index(RATIO_COLUMNS))


def _model_rows(study: Study, endpoint: Endpoint, model: StudyModel) -> Iterator[tuple[object, ...]]:
    """The rows of one model: its one line for the continuous marker, else a line for each stratum."""
    ratios = hazard_ratios(model.fit).set_index("term")[[*report.RATIO, "p_value"]]
    head = (endpoint.name, model.marker)
    if model.marker == CONTINUOUS:
        counts = (model.fit.n, model.fit.n_event)
        yield (*head, study.marker_term, False, model.adjustment, *counts, *ratios.loc[study.marker_term])
        return
    columns = [*model_columns(study.plan, study.cohort), *study.plan.model.strata]
    counted = report.stratum_counts(study, endpoint, complete=columns if model.adjustment == ADJUSTED else ())
    for label, counts in counted.items():
        named = (f"{label} ({study.descriptions[label]})", label == study.reference, model.adjustment)
        estimate = REFERENCE if label == study.reference else ratios.loc[study.contrast(label)]
        yield (*head, *named, *counts, *estimate)


def _ratio_note(study: Study, frame: pd.DataFrame) -> str:
    """What the adjusted models hold, and on how many patients they rest where that is fewer."""
    note, model = "Cox models, Efron's ties, Wald intervals.", study.plan.model
    continuous = frame[frame["marker"] == CONTINUOUS]
    if not (frame["adjustment"] == ADJUSTED).any():
        return note
    note += f" Adjusted for: {study.listed(model.covariates)}." if model.covariates else ""
    note += f" Stratified by: {study.listed(model.strata)}." if model.strata else ""
    fewer = [
        f"{row['endpoint']} {row['n']} ({row['n_event']} events)"
        for row in continuous[continuous["adjustment"] == ADJUSTED].to_dict("records")
        if row["n"] < continuous.loc[continuous["endpoint"] == row["endpoint"], "n"].max()
    ]
    return note + (f" Patients with every covariate known: {'; '.join(fewer)}." if fewer else "")


def _terms_table(study: Study, endpoint: Endpoint) -> Blocks:
    """Every term of the continuous marker's fullest model."""
    if model := leading_model(study, endpoint):
        terms = hazard_ratios(model.fit)
        title = f"{endpoint.name}: every term of the {model.adjustment} model ({model.fit.n_event} events)"
        yield table(f"{slug(endpoint.name)}-model", title, terms.assign(term=terms["term"].map(study.label)))


def forest_rows(study: Study, ratios: pd.DataFrame) -> pd.DataFrame:
    """Crude, adjusted and true values for the forest plot: group label kind hazard_ratio conf_low conf_high."""
    rows = []
    for row in ratios.to_dict("records"):
        group = f"{row['endpoint']}: {str(row['term']).removeprefix(study.plan.marker.label + ', ')}"
        when = report.WHEN[str(row["adjustment"])]
        rows.append(report.estimate_row(group, when, row["adjustment"], row))
        if study.truth is not None and pd.notna(row["target"]):
            rows.append(report.target_row(group, f"true value, {when}", row["target"]))
            if row["marker"] == CONTINUOUS and row["adjustment"] == ADJUSTED:
                rows += [report.target_row(group, *planted) for planted in _planted(study.truth)]
    return report.forest_frame(rows)


def _planted(truth: TrueEstimands) -> list[tuple[str, float]]:
    """The effects that the simulation has on its transitions, as labels and hazard ratios."""
    ratios = truth.log_hazard_ratios
    planted = ratios[ratios["target"].str.startswith("planted")].drop_duplicates("target")
    names = planted["target"].str.replace("planted on", "simulated effect on")
    return list(zip(names, planted["hazard_ratio"].astype(float), strict=True))


def _forest(study: Study, ratios: pd.DataFrame) -> StudyFigure:
    """The forest plot of all endpoints."""
    caption = "Points with 95% intervals; logarithmic axis."
    if study.truth is not None:
        caption += (
            " Open marks: the true value of each model, which is what it gives in a million simulated patients, and"
        )
        caption += " the effects that the simulation has on each transition."
    title = f"Hazard ratios of {study.marker_label}"
    return report.forest(study, "forest", title, forest_rows(study, ratios), caption=caption)
