"""Missing values: with whom they are missing, and what becomes of the estimate imputed, and with deltas added."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import NotEstimable, collected, warn_all
from analysis.present.figures import plot_shifts
from analysis.present.text import baseline_display
from analysis.robustness.missing import Imputations, PooledCox, column_of, impute_cohort, pool_cox
from analysis.strata.cutpoints import stratify
from analysis.study import report
from analysis.study.models import ADJUSTED, StudyModel, estimate_text, leading_model, marker_step
from analysis.study.prepare import model_columns
from analysis.study.report import RATIO, Block, Blocks, Prose, StudyFigure, attempted, table
from analysis.study.report.sections.cohort import characteristics
from analysis.study.study import Study, hazard_ratio_target, milestones, with_survival_targets
from analysis.survival.cox import fit_cox, formula_columns, hazard_ratios
from analysis.survival.curves import kaplan_meier, survival_at

COMPLETE, IMPUTED = "complete rows", "imputed"
NORMAL_975 = 1.959963984540054
DELTAS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Added to the imputed values of the marker, in steps of the plan."""

Fitted = tuple[StudyModel, Imputations, PooledCox]


@report.section("missing", "Missing values", supplement=True)
def missing_section(study: Study) -> Blocks:
    """What is missing and with whom, then the marker's hazard ratio of complete rows, imputed, and with deltas."""
    columns, predictors = imputation_terms(study)
    if not columns:
        yield Prose("No value is missing in the columns that the models use: complete rows are all rows.")
        return
    yield Prose(
        "An analysis of complete rows leaves out patients with a missing value. It is valid where, given the model's"
        " terms, a missing value says nothing about the outcome; incomplete charts of early deaths break that."
        " **Multiple imputation** draws each missing value many times from a regression on the model's terms, the"
        " events and cumulative hazards of every endpoint, and pools the models by Rubin's rules. It is valid where"
        " values are missing for reasons that these columns hold. Neither can be checked from these rows alone; so the"
        f" last figure asks how far the answer moves if patients without a value had a lower or higher"
        f" {study.marker_label} than imputed."
    )
    if study.cohort[study.plan.marker.column].isna().any():
        yield from attempted("Who lacks the marker", _with_whom, study)
    yield from attempted("Multiple imputation", _imputation, study, columns, predictors)


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


def _with_whom(study: Study) -> Blocks:
    """Those with and without a value of the marker: their covariates and their survival."""
    label = study.plan.marker.label
    by = f"{label} known"
    known = study.cohort[study.plan.marker.column].notna()
    cohort = study.cohort.assign(**{by: known.map({True: "known", False: "missing"})})
    patients = f"patients with and without a value of {study.marker_label}"
    if study.plan.model.covariates or study.plan.model.strata:
        frame = characteristics(study, cohort, by)
        shown = baseline_display(frame, labels=study.plan.labels)
        note = "SMD: standardised mean difference; above 0.1 is often called imbalanced."
        yield table("missing-with-whom", f"P{patients[1:]}", frame, display=shown, note=note)
    curves = kaplan_meier(cohort, study.primary, by=by, cluster=study.cluster)
    points = survival_at(curves, milestones(study, study.primary))
    yield table("missing-survival", f"{study.primary.name} of {patients}", points)


def _imputation(study: Study, columns: tuple[str, ...], predictors: tuple[str, ...]) -> Blocks:
    """Complete rows beside imputed ones for every endpoint, and each with deltas added."""
    fitted: list[Fitted] = []
    rows: list[tuple[object, ...]] = []
    for endpoint in study.plan.endpoints:
        if model := leading_model(study, endpoint):
            imputed = _imputed(study, endpoint, model, columns, predictors)
            pooled = pooled_model(study, model, imputed)
            warn_all(pooled.warnings)
            fitted.append((model, imputed, pooled))
            rows += _comparison(study, *fitted[-1])
    if not fitted:
        raise NotEstimable("no model of the continuous marker could be fitted")
    frame = pd.DataFrame(rows, columns=["endpoint", "analysis", "n", "n_event", *RATIO, "fraction_missing", "target"])
    model, imputed, _ = fitted[0]
    yield _forest(study, frame, model)
    yield _comparison_table(study, frame, imputed)
    if study.cohort[study.plan.marker.column].isna().any():
        deltas = pd.concat([_delta_adjusted(study, *one) for one in fitted], ignore_index=True)
        yield _delta_figure(study, imputed.endpoint, deltas, frame)
        yield table("imputed-shifts", "Hazard ratio by what is added to imputed values", deltas)
        yield _survival_table(study, imputed)


def _imputed(
    study: Study, endpoint: Endpoint, model: StudyModel, columns: tuple[str, ...], predictors: tuple[str, ...]
) -> Imputations:
    """The cohort imputed for one endpoint, by the other endpoints too that are known wherever this one is."""
    rows = study.cohort[study.cohort[list(endpoint.columns)].notna().all(axis=1)]
    others = (other for other in study.plan.endpoints if other != endpoint)
    return impute_cohort(
        study.cohort, endpoint, columns,
        predictors=predictors, strata=[name for name in model.strata or () if name in predictors],
        other_endpoints=[other for other in others if rows[list(other.columns)].notna().all(axis=None)],
        n_imputations=study.plan.robustness.n_imputations, seed=study.plan.robustness.seed,
    )  # fmt: skip


def pooled_model(study: Study, model: StudyModel, imputed: Imputations) -> PooledCox:
    """A model of the study fitted to every imputed cohort, pooled."""
    marker, step = study.plan.marker.column, marker_step(study)
    fits = []
    with collected():  # the pooled model carries each of them once
        for cohort in imputed.cohorts:
            stepped = cohort.assign(**{study.marker_term: cohort[marker] / step})
            fits.append(fit_cox(stepped, imputed.endpoint, model.covariates, strata=model.strata, engine="kernel"))
    return pool_cox(fits)


def _comparison(
    study: Study, model: StudyModel, imputed: Imputations, pooled: PooledCox
) -> Iterator[tuple[object, ...]]:
    """Complete rows and imputed ones, each beside the target."""
    endpoint, fit = imputed.endpoint, model.fit
    kind = "conditional" if model.adjustment == ADJUSTED else "crude"
    target = hazard_ratio_target(study.truth, endpoint, f"{kind}, measured magnesium")
    share = float(pooled.coefficients.set_index("term")["fraction_missing"][study.marker_term])
    for analysis, counts, ratios, fraction in (
        (COMPLETE, (fit.n, fit.n_event), hazard_ratios(fit), float("nan")),
        (IMPUTED, (pooled.n_used, pooled.n_event), pooled.hazard_ratios, share),
    ):
        yield (endpoint.name, analysis, *counts, *_of_marker(study, ratios), fraction, target)


def _of_marker(study: Study, ratios: pd.DataFrame) -> list[float]:
    """The marker's hazard ratio with its limits."""
    mine = ratios.set_index("term")
    return [float(mine[name][study.marker_term]) for name in RATIO]


def _forest(study: Study, frame: pd.DataFrame, model: StudyModel) -> StudyFigure:
    """Complete rows, imputed, target, by endpoint."""
    rows = []
    for row in frame.to_dict("records"):
        kind, group = "crude" if row["analysis"] == COMPLETE else "adjusted", row["endpoint"]
        rows.append(report.estimate_row(group, f"{row['analysis']} (n {row['n']})", kind, row))
        if row["analysis"] == IMPUTED and pd.notna(row["target"]):
            rows.append(report.target_row(group, "true value", row["target"]))
    caption = f"The {model.adjustment} model's hazard ratio per {study.step} with 95% intervals."
    if study.truth is not None:
        caption += " Open marks: what the same model gives in a million simulated patients without missing values."
    title = "Complete rows, and missing values imputed"
    return report.forest(study, "imputed-forest", title, report.forest_frame(rows), caption=caption)


def _comparison_table(study: Study, frame: pd.DataFrame, imputed: Imputations) -> Block:
    """The same in numbers, with what was imputed."""
    shown = frame if study.truth is not None else frame.drop(columns="target")
    counts = "; ".join(
        f"{study.label(row['column'])}: {row['n_missing']} of {row['n']}" for row in imputed.missing.to_dict("records")
    )
    note = (
        f"{imputed.n_imputations} imputations ({imputed.n_recommended} by the rule of one for each percent of rows with"
        f" a missing value); imputed: {counts}."
    )
    title = f"Hazard ratio of {study.marker_label} per {study.step}"
    return table(
        "imputed",
        title,
        shown,
        note=note,
        kinds={"fraction_missing": "share"},
        headings={"fraction_missing": "Fraction of missing information"},
    )


def _delta_adjusted(study: Study, model: StudyModel, imputed: Imputations, pooled: PooledCox) -> pd.DataFrame:
    """An endpoint's hazard ratio by what is added to imputed values: shift, the ratio with its limits, endpoint."""
    rows, marker = [], study.plan.marker
    for step in DELTAS:
        delta = step * marker.per
        moved = pooled_model(study, model, imputed.shifted(delta, column=marker.column)) if step else pooled
        rows.append((delta, *_of_marker(study, moved.hazard_ratios)))
    return pd.DataFrame(rows, columns=["shift", *RATIO]).assign(endpoint=imputed.endpoint.name)


def _delta_figure(study: Study, endpoint: Endpoint, deltas: pd.DataFrame, frame: pd.DataFrame) -> StudyFigure:
    """The hazard ratios if those without a value had more, or less, than the imputation says; one endpoint drawn."""
    label, own = study.marker_label, frame[frame["endpoint"] == endpoint.name].set_index("analysis")
    lines = [
        (COMPLETE, "crude", own.loc[COMPLETE, "hazard_ratio"]),
        ("true value", "truth", own.loc[IMPUTED, "target"]),
    ]
    drawn = deltas[deltas["endpoint"] == endpoint.name]
    words = "; ".join(f"{row['shift']:+g}: {estimate_text(row)}" for row in drawn.to_dict("records"))
    return report.figure(
        study, "imputed-shifts", f"If patients without a value had more, or less, {label} than imputed", plot_shifts,
        drawn,
        beside=pd.DataFrame(lines, columns=["label", "kind", "hazard_ratio"]).dropna(),
        x_label=f"Added to each imputed value of {label}{study.in_unit}",
        y_label=f"Hazard ratio per {study.step}",
        alt=f"Hazard ratio against what is added to imputed values. {words}.",
        caption=f"{endpoint.name}, hazard ratio per {study.step} with its 95% band; the data cannot show"
        " which shift is right.",
    )  # fmt: skip


def _survival_table(study: Study, imputed: Imputations) -> Block:
    """Survival by stratum of complete rows, and of everybody with the marker imputed, beside the true value."""
    note = (
        "Imputed: mean survival over the imputed cohorts, each cut anew, with Rubin's variance on a log-log interval."
        " Where early deaths lack the marker, survival of complete rows is too high in every stratum; a hazard ratio"
        " compares strata and is less affected."
    )
    title = f"{imputed.endpoint.name} by stratum of {study.marker_label}: complete rows, and imputed"
    return table("imputed-survival", title, survival_frame(study, imputed), note=note)


def survival_frame(study: Study, imputed: Imputations) -> pd.DataFrame:
    """Survival at milestones: stratum time analysis survival conf_low conf_high, and target where truth is known."""
    endpoint, by, times = imputed.endpoint, study.stratum_column, milestones(study, imputed.endpoint)
    keys, columns = ["stratum", "time"], ["survival", "std_error"]
    cut = partial(stratify, cutpoints=study.cutpoints, marker=study.plan.marker.column, into=by)

    def at(cohort: pd.DataFrame) -> pd.DataFrame:
        """One cohort's survival."""
        return survival_at(kaplan_meier(cohort, endpoint, by=by, engine="kernel"), times)

    with collected():  # the section on survival gives them; twenty times are no help
        complete = at(study.cohort)
        draws = [at(cut(cohort.drop(columns=by))).set_index(keys)[columns] for cohort in imputed.cohorts]
    whole = complete.set_index(keys)[columns]
    values, errors = (np.array([draw.reindex(whole.index)[name] for draw in draws]) for name in columns)
    survival = values.mean(axis=0)
    error = np.sqrt((errors**2).mean(axis=0) + (1 + 1 / len(draws)) * values.var(axis=0, ddof=1))
    with np.errstate(all="ignore"):
        reach = np.exp(NORMAL_975 * error / np.abs(survival * np.log(survival)))
        pooled = complete.assign(survival=survival, conf_low=survival**reach, conf_high=survival ** (1 / reach))
    both = pd.concat([complete.assign(analysis=COMPLETE), pooled.assign(analysis=IMPUTED)], ignore_index=True)
    ordered = both[[*keys, "analysis", "survival", "conf_low", "conf_high"]]
    ordered = ordered.sort_values(keys, kind="stable", ignore_index=True)
    return with_survival_targets(ordered, study.truth, endpoint)
