"""Missing values: with whom they are missing, and what becomes of the estimate when they are imputed, or shifted."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import NotEstimable, collected, warn_all
from analysis.present.figures import plot_forest, plot_shifts
from analysis.present.pages import Prose, TableBlock
from analysis.present.text import baseline_display, in_sentence
from analysis.robustness.missing import Imputations, PooledCox, column_of, impute_cohort, pool_cox
from analysis.strata.groups import stratify
from analysis.study.blocks import attempted, table
from analysis.study.models import ADJUSTED, CONTINUOUS, StudyModel, estimate_text, fit_models
from analysis.study.prepare import model_columns
from analysis.study.report import Block, StudyFigure, StudySection
from analysis.study.study import Study, hazard_ratio_target, milestones, with_survival_targets
from analysis.survival.baseline_table import baseline_table
from analysis.survival.cox import fit_cox, formula_columns, hazard_ratios
from analysis.survival.curves import kaplan_meier, survival_at

COMPLETE, IMPUTED = "complete rows", "imputed"
NORMAL_975 = 1.959963984540054
RATIO = ["hazard_ratio", "conf_low", "conf_high"]
SHIFTS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Of the imputed values of the marker, in steps of the plan."""


def missing_section(study: Study) -> StudySection:
    """What is missing and with whom, then the marker's hazard ratio of complete rows, imputed, and shifted."""
    blocks: list[Block] = []
    columns, predictors = imputation_terms(study)
    if not columns:
        words = "No value is missing in the columns that the models use: complete rows are all rows."
        return StudySection("missing", "Missing values", (Prose(words),))
    blocks.append(_opening(study))
    if study.cohort[study.plan.marker.column].isna().any():
        blocks += attempted("Who lacks the marker", partial(_whom_blocks, study))
    blocks += attempted("Multiple imputation", partial(_imputation_blocks, study, columns, predictors))
    return StudySection("missing", "Missing values", tuple(blocks))


def imputation_terms(study: Study) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to impute, the marker first (by its logarithm where that is the plan's term), and what predicts it."""
    cohort, plan = study.cohort, study.plan
    wanted = [plan.marker.column, *model_columns(plan, cohort), *plan.model.strata]
    missing = [name for name in dict.fromkeys(wanted) if cohort[name].isna().any()]
    scales = {column_of(term): term for term in plan.model.covariates if column_of(term) in missing}
    complete = [
        term for term in plan.model.covariates if not set(formula_columns([term], cohort)).intersection(missing)
    ]
    strata = [name for name in plan.model.strata if name not in missing]
    return tuple(scales.get(name, name) for name in missing), tuple(dict.fromkeys([*complete, *strata]))


def _opening(study: Study) -> Prose:
    """What is asked, and what each answer assumes."""
    label = study.plan.marker.label
    words = (
        "An analysis of complete rows drops whoever lacks a value. It is right where missing values say nothing of the"
        " outcome once the model's terms are known; a chart that is thin because its patient died early breaks that."
        " **Multiple imputation** draws each missing value many times from a regression on the model's terms, the"
        " events and cumulative hazards of every endpoint, and pools the models by Rubin's rules. It is right where"
        " values are missing for reasons that stand in these columns. Neither can be checked by these rows alone; so"
        f" the last figure asks how far the answer moves if those without a value had {label} lower or higher than the"
        " imputation says."
    )
    return Prose(words)


def _whom_blocks(study: Study) -> list[Block]:
    """Those with and without a value of the marker: their covariates and their survival."""
    label = study.plan.marker.label
    known = f"{label} known"
    words = study.cohort[study.plan.marker.column].notna().map({True: "known", False: "missing"})
    cohort = study.cohort.assign(**{known: words})
    columns = [*study.plan.model.strata, *model_columns(study.plan, study.cohort)]
    blocks: list[Block] = []
    if columns:
        frame = baseline_table(cohort, by=known, columns=list(dict.fromkeys(columns)))
        blocks.append(
            TableBlock(
                name="missing-with-whom",
                title=f"Patients with and without a value of {label}",
                frame=frame,
                display=baseline_display(frame, labels=study.plan.labels),
                note="SMD: standardised mean difference; above 0.1 is often called imbalanced.",
            )
        )
    curves = kaplan_meier(cohort, study.primary, by=known, cluster=study.cluster)
    times = milestones(study, study.primary)
    title = f"{study.primary.name} of patients with and without a value of {label}"
    return [*blocks, table("missing-survival", title, survival_at(curves, times))]


def _imputation_blocks(study: Study, columns: tuple[str, ...], predictors: tuple[str, ...]) -> list[Block]:
    """Complete rows beside imputed ones for every endpoint, and each under shifts."""
    rows, fitted = [], []
    for endpoint in study.plan.endpoints:
        for model in _leading_model(study, endpoint):
            strata = [name for name in model.strata or () if name in predictors]
            imputed = impute_cohort(
                study.cohort, endpoint, columns, predictors=predictors, strata=strata,
                other_endpoints=_other_endpoints(study, endpoint),
                n_imputations=study.plan.robustness.n_imputations, seed=study.plan.robustness.seed,
            )  # fmt: skip
            pooled = pooled_model(study, model, endpoint, imputed)
            warn_all(pooled.warnings)
            rows += _comparison(study, endpoint, model, pooled)
            fitted.append((model, imputed, pooled))
    if not fitted:
        raise NotEstimable("no model of the continuous marker could be fitted")
    frame = pd.DataFrame(rows, columns=["endpoint", "analysis", "n", "n_event", *RATIO, "fraction_missing", "target"])
    model, imputed, _ = fitted[0]
    blocks: list[Block] = [_forest(study, frame, model), _comparison_table(study, frame, imputed)]
    if study.cohort[study.plan.marker.column].isna().any():
        shifts = pd.concat([_shifted(study, *one) for one in fitted], ignore_index=True)
        blocks += _shift_blocks(study, imputed.endpoint, shifts, frame)
        blocks.append(_survival_table(study, imputed))
    return blocks


def _other_endpoints(study: Study, endpoint: Endpoint) -> list[Endpoint]:
    """The study's other endpoints that are known wherever this one is."""
    rows = study.cohort[study.cohort[list(endpoint.columns)].notna().all(axis=1)]
    others = (other for other in study.plan.endpoints if other != endpoint)
    return [other for other in others if rows[list(other.columns)].notna().all(axis=None)]


def _leading_model(study: Study, endpoint: Endpoint) -> list[StudyModel]:
    """The continuous marker's adjusted model, or the crude one where that is all."""
    return [model for model in fit_models(study, endpoint) if model.marker == CONTINUOUS][-1:]


def pooled_model(study: Study, model: StudyModel, endpoint: Endpoint, imputed: Imputations) -> PooledCox:
    """A model of the study fitted to every imputed cohort, pooled."""
    marker = study.plan.marker
    step = marker.per * (-1.0 if marker.direction == "lower" else 1.0)
    fits = []
    with collected():  # the pooled model carries each of them once
        for cohort in imputed.cohorts:
            stepped = cohort.assign(**{study.marker_term: cohort[marker.column] / step})
            fits.append(fit_cox(stepped, endpoint, model.covariates, strata=model.strata, engine="kernel"))
    return pool_cox(fits)


def _comparison(study: Study, endpoint: Endpoint, model: StudyModel, pooled: PooledCox) -> list[tuple[object, ...]]:
    """Complete rows and imputed ones, each beside the target."""
    target = float("nan")
    if study.truth is not None:
        name = "conditional, measured magnesium" if model.adjustment == ADJUSTED else "crude, measured magnesium"
        target = hazard_ratio_target(study.truth, endpoint, name)
    share = float(pooled.coefficients.set_index("term")["fraction_missing"][study.marker_term])
    complete, imputed = _of_marker(study, hazard_ratios(model.fit)), _of_marker(study, pooled.hazard_ratios)
    return [
        (endpoint.name, COMPLETE, model.fit.n, model.fit.n_event, *complete, float("nan"), target),
        (endpoint.name, IMPUTED, pooled.n_used, pooled.n_event, *imputed, share, target),
    ]


def _of_marker(study: Study, ratios: pd.DataFrame) -> tuple[float, float, float]:
    """The marker's hazard ratio with its limits."""
    mine = ratios.set_index("term")
    ratio, low, high = (float(mine[name][study.marker_term]) for name in RATIO)
    return ratio, low, high


def _forest(study: Study, frame: pd.DataFrame, model: StudyModel) -> StudyFigure:
    """Complete rows, imputed, target, by endpoint."""
    rows: list[tuple[object, ...]] = []
    for row in frame.to_dict("records"):
        kind = "crude" if row["analysis"] == COMPLETE else "adjusted"
        rows.append((row["endpoint"], f"{row['analysis']} (n {row['n']})", kind, *(row[name] for name in RATIO)))
        if row["analysis"] == IMPUTED and pd.notna(row["target"]):
            rows.append((row["endpoint"], "target", "truth", row["target"], float("nan"), float("nan")))
    estimates = pd.DataFrame(rows, columns=["group", "label", "kind", *RATIO])
    words = "; ".join(f"{row['group']}, {row['label']}: {estimate_text(row)}" for row in estimates.to_dict("records"))
    caption = f"The {model.adjustment} model's hazard ratio per {study.step} with 95% intervals."
    if study.truth is not None:
        caption += " Open marks: what the same model gives in a million simulated patients without missing values."
    return StudyFigure(
        name="imputed-forest",
        title="Complete rows, and missing values imputed",
        alt=f"Forest plot. {words}.",
        caption=caption,
        draw=partial(plot_forest, estimates, synthetic=study.plan.synthetic),
    )


def _comparison_table(study: Study, frame: pd.DataFrame, imputed: Imputations) -> TableBlock:
    """The same in numbers, with what was imputed."""
    shown = frame if study.truth is not None else frame.drop(columns="target")
    held = "; ".join(
        f"{study.label(row['column'])}: {row['n_missing']} of {row['n']}" for row in imputed.missing.to_dict("records")
    )
    note = (
        f"{imputed.n_imputations} imputations ({imputed.n_recommended} by the rule of one for each percent of rows with"
        f" a missing value); imputed: {held}. The fraction missing is of the information on this coefficient."
    )
    title = f"Hazard ratio of {study.plan.marker.label} per {study.step}"
    return table("imputed", title, shown, note=note, kinds={"fraction_missing": "share"})


def _shifted(study: Study, model: StudyModel, imputed: Imputations, pooled: PooledCox) -> pd.DataFrame:
    """An endpoint's hazard ratio by what is added to imputed values: shift, the ratio with its limits, endpoint."""
    rows, marker = [], study.plan.marker
    for step in SHIFTS:
        moved = imputed.shifted(step * marker.per, column=marker.column)
        found = pooled_model(study, model, imputed.endpoint, moved) if step else pooled
        rows.append((step * marker.per, *_of_marker(study, found.hazard_ratios)))
    return pd.DataFrame(rows, columns=["shift", *RATIO]).assign(endpoint=imputed.endpoint.name)


def _shift_blocks(study: Study, endpoint: Endpoint, every: pd.DataFrame, frame: pd.DataFrame) -> list[Block]:
    """The hazard ratios if those without a value had more, or less, than the imputation says; one endpoint drawn."""
    plan, shifts = study.plan, every[every["endpoint"] == endpoint.name]
    own = frame[frame["endpoint"] == endpoint.name].set_index("analysis")
    lines = [(COMPLETE, "crude", own.loc[COMPLETE, "hazard_ratio"]), ("target", "truth", own.loc[IMPUTED, "target"])]
    beside = pd.DataFrame(lines, columns=["label", "kind", "hazard_ratio"]).dropna()
    words = "; ".join(f"{row['shift']:+g}: {estimate_text(row)}" for row in shifts.to_dict("records"))
    unit = f" ({study.unit})" if study.unit else ""
    figure = StudyFigure(
        name="imputed-shifts",
        title=f"If those without {plan.marker.label} had more, or less, of it than imputed",
        alt=f"Hazard ratio against what is added to imputed values. {words}.",
        caption=f"{endpoint.name}, hazard ratio per {study.step} with its 95% band; nothing in the data tells"
        " which shift is right.",
        draw=partial(
            plot_shifts, shifts, beside=beside,
            x_label=f"Added to each imputed value of {in_sentence(plan.marker.label)}{unit}",
            y_label=f"Hazard ratio per {study.step}", synthetic=plan.synthetic,
        ),
    )  # fmt: skip
    return [figure, table("imputed-shifts", "Hazard ratio by what is added to imputed values", every)]


def _survival_table(study: Study, imputed: Imputations) -> TableBlock:
    """Survival by stratum of complete rows, and of everybody with the marker imputed, beside the target."""
    frame = survival_frame(study, imputed)
    note = (
        "Imputed: mean survival over the imputed cohorts, each cut anew, with Rubin's variance on a log-log interval."
        " Where early deaths lack the marker, complete rows survive too long in every stratum; the hazard ratio between"
        " strata, which compares, suffers less."
    )
    title = f"{imputed.endpoint.name} by stratum of {study.plan.marker.label}: complete rows, and imputed"
    return table("imputed-survival", title, frame, note=note)


def survival_frame(study: Study, imputed: Imputations) -> pd.DataFrame:
    """Survival at milestones: stratum time analysis survival conf_low conf_high, and target where truth is known."""
    endpoint, by, times = imputed.endpoint, study.stratum_column, milestones(study, imputed.endpoint)
    columns = ["survival", "std_error"]
    cut = partial(stratify, cutpoints=study.cutpoints, marker=study.plan.marker.column, into=by)

    def at(cohort: pd.DataFrame) -> pd.DataFrame:
        """One cohort's survival."""
        return survival_at(kaplan_meier(cohort, endpoint, by=by, engine="kernel"), times)

    with collected():  # the section on survival has said it; twenty times are no help
        complete = at(study.cohort)
        draws = [at(cut(cohort.drop(columns=by))).set_index(["stratum", "time"])[columns] for cohort in imputed.cohorts]
    whole = complete.set_index(["stratum", "time"])[columns]
    values, errors = (np.array([draw.reindex(whole.index)[name] for draw in draws]) for name in columns)
    survival = values.mean(axis=0)
    error = np.sqrt((errors**2).mean(axis=0) + (1 + 1 / len(draws)) * values.var(axis=0, ddof=1))
    with np.errstate(all="ignore"):
        reach = np.exp(NORMAL_975 * error / np.abs(survival * np.log(survival)))
        pooled = complete.assign(survival=survival, conf_low=survival**reach, conf_high=survival ** (1 / reach))
    parts = [part.assign(analysis=name) for name, part in ((COMPLETE, complete), (IMPUTED, pooled))]
    both = pd.concat(parts, ignore_index=True)[["stratum", "time", "analysis", "survival", "conf_low", "conf_high"]]
    ordered = both.sort_values(["stratum", "time"], kind="stable", ignore_index=True)
    return with_survival_targets(ordered, study.truth, endpoint)
