"""A plan made ready to analyse: the cohort read, checked and cut, with the columns that the models use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from analysis.cohort.columns import with_columns
from analysis.cohort.likely_errors import missing_codes
from analysis.cohort.reading import CellRules, MissingCodes, read_cohort, typed_table
from analysis.cohort.remedies import remedies_for
from analysis.cohort.schema import Column, Schema, checked
from analysis.errors import AnalysisWarning, InputError, PlanError, collected, raise_all, warn_all
from analysis.strata.cutpoints import Cutpoints, quantile_cutpoints, stratify
from analysis.study.plan import StudyPlan, check_columns, coded_events, planned_rows, with_made_columns
from analysis.study.study import Study
from analysis.study.synthetic_data import read_truth
from analysis.survival.cox import formula_columns
from analysis.survival.rows import grouping_problems, patient_rows, refuse_spells, survival_data


def prepare_study(plan: StudyPlan) -> Study:
    """Read, check and cut the cohort of a plan.

    Parameters
    ----------
    plan : StudyPlan
        A plan whose file is there.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        With every fault of the file, the columns, the values or the cut-points.
    """
    with remedies_for("plan"):
        return _prepared(plan)


def _prepared(plan: StudyPlan) -> Study:
    """As `prepare_study`, whatever the language of remedies."""
    with collected() as caught:
        cohort = _read(plan)
        labs = _read_labs(plan, cohort)
        cutpoints = _cutpoints(plan, cohort)
        cohort = stratify(cohort, cutpoints, marker=plan.marker.column, into=plan.marker.stratum_column)
    strata = cohort[plan.marker.stratum_column].cat.remove_unused_categories().cat.categories
    study = Study(
        plan=plan,
        cohort=cohort,
        cutpoints=cutpoints,
        reference=_reference(plan, list(strata)),
        labs=labs,
        truth=read_truth(plan.truth) if plan.truth else None,
        notes=tuple({str(warning): warning for warning in caught}.values()),  # reading and checking may both see it
    )
    _check_outcomes(study)
    return replace(study, cohort=_with_terms(study))


def _check_outcomes(study: Study) -> None:
    """Every fault of the endpoints' rows, for without curves there is no report."""
    problems: list[str] = []
    for endpoint in study.plan.endpoints:
        try:
            data = survival_data(study.cohort, endpoint, by=study.stratum_column, cluster=study.cluster)
            patient_rows(data, study.cluster)
        except InputError as error:
            problems += [f"{endpoint.name}: {problem}" for problem in error.problems]
            continue
        try:
            refuse_spells(study.cohort, endpoint, data, study.cluster)
        except InputError as error:
            problems += [f"{endpoint.name}: {problem}" for problem in error.problems]
    raise_all(problems)


def _read(plan: StudyPlan) -> pd.DataFrame:
    """The plan's columns of its file, typed and checked; other columns are left as they are."""
    data = plan.data
    table, warned = planned_rows(data)
    cohort, _, done = typed_table(
        table,
        CellRules(data.decimal, data.limits, data.thousands),
        missing=_missing_of(plan, table.frame),
        event_codes=data.event_codes,
        numbers=data.numbers,
        dates=data.dates,
        units=plan.marker.units(plan.marker.column) if plan.marker.column in table.frame else None,
    )
    cohort, made = with_made_columns(_with_digits_as_numbers(cohort, plan), plan.made, data.id)
    coded = coded_events(plan, cohort)
    cohort, warnings = checked(cohort, cohort_schema(plan, cohort), coded=coded)
    covariates = model_columns(plan, cohort)
    done = [warning for warning in done if not _is_settled(plan, warning)]
    warn_all([*warned, *done, *made, *warnings, *check_columns(plan, cohort, covariates)])
    for name in dict.fromkeys((plan.marker.column, *covariates)):
        if pd.api.types.is_float_dtype(cohort[name].dtype):
            warn_all(missing_codes(cohort[name].to_numpy(), name))
    problems = [problem for name in _group_columns(plan) for problem in grouping_problems(cohort[name])]
    raise_all([f"[robustness] {problem}" for problem in problems], PlanError)
    return cohort


def _with_digits_as_numbers(cohort: pd.DataFrame, plan: StudyPlan) -> pd.DataFrame:
    """The cohort with times and the marker as numbers where every cell is digits: "0007" is a name elsewhere."""
    times = [name for one in plan.endpoints for name in (one.duration, one.entry)]
    sources = [name for one in plan.made for name in one.durations]
    columns = {}
    for name in (plan.marker.column, *times, *sources):
        if name in cohort and pd.api.types.is_object_dtype(cohort[name].dtype):
            numbers = pd.to_numeric(cohort[name], errors="coerce")
            if numbers.notna().equals(cohort[name].notna()):
                columns[name] = numbers
    return with_columns(cohort, columns)


def _is_settled(plan: StudyPlan, warning: AnalysisWarning) -> bool:
    """Whether a warning is on how dates can be read that the plan reads."""
    dates = [name for one in plan.made for name in (one.start, *one.ends)]
    return any(str(warning).startswith(f"column {name!r}: dates") for name in dates)


def _missing_of(plan: StudyPlan, frame: pd.DataFrame) -> MissingCodes:
    """The plan's codes of missing values in the cohort's file; a column that stands in [labs] only is left to them."""
    missing, labs = plan.data.missing, plan.labs
    if labs is None or not isinstance(missing, Mapping):
        return missing
    of_labs = (labs.key, labs.time, labs.value)
    return {name: codes for name, codes in missing.items() if name in frame.columns or name not in of_labs}


def cohort_schema(plan: StudyPlan, cohort: pd.DataFrame) -> Schema:
    """The columns that a plan uses, as a schema; what the plan does not say of a column is taken from its values."""
    marker = plan.marker
    described = Column(marker.column, "number", marker.label, marker.inner_unit, required=False, analyte=marker.analyte)
    columns = {marker.column: described}
    for endpoint in plan.endpoints:
        for name in (endpoint.duration, endpoint.entry):
            if name is not None:
                columns[name] = Column(name, "number", "", unit=endpoint.time_unit, low=0, required=False)
        columns[endpoint.event] = Column(endpoint.event, "indicator", "", required=False)
    for name in (*model_columns(plan, cohort), *plan.model.strata, *_group_columns(plan)):
        columns.setdefault(name, _described(name, cohort))
    return Schema(plan.title, tuple(columns.values()))


def _described(name: str, cohort: pd.DataFrame) -> Column:
    """A covariate as a column of a schema: a number, or a category of the levels that it holds."""
    if name not in cohort.columns or pd.api.types.is_numeric_dtype(cohort[name].dtype):
        return Column(name, "number", "", required=False)
    values = cohort[name].dropna()
    ordered = isinstance(values.dtype, pd.CategoricalDtype)
    levels = map(str, values.cat.categories) if ordered else sorted(map(str, values.unique()))
    return Column(name, "category", "", levels=tuple(levels), required=False)


def model_columns(plan: StudyPlan, cohort: pd.DataFrame) -> tuple[str, ...]:
    """The columns that the plan's formula terms name."""
    if not plan.model.covariates:
        return ()
    try:
        return tuple(sorted(map(str, formula_columns(plan.model.covariates, cohort))))
    except InputError as error:
        raise PlanError([f"[model] {problem}" for problem in error.problems]) from None


def _group_columns(plan: StudyPlan) -> tuple[str, ...]:
    """The columns of groups that the checks of robustness look into."""
    return (*plan.robustness.subgroups, *([plan.robustness.site] if plan.robustness.site is not None else []))


def _read_labs(plan: StudyPlan, cohort: pd.DataFrame) -> pd.DataFrame | None:
    """The marker's repeated values, typed; their key is the cohort's."""
    labs, data, missing = plan.labs, plan.data, plan.data.missing
    if labs is None:
        return None
    wanted = (labs.key, labs.time, labs.value)
    if isinstance(missing, Mapping):
        missing = {name: codes for name, codes in missing.items() if name in wanted}
    units = plan.marker.units(labs.value)
    frame = read_cohort(labs.path, decimal=data.decimal, thousands=data.thousands, units=units, missing=missing)
    problems = [f"[labs] {labs.path.name} has no column {name!r}" for name in wanted if name not in frame.columns]
    problems += [] if labs.key in cohort.columns else [f"[labs] key {labs.key!r} is no column of the cohort"]
    raise_all(problems, PlanError)
    return frame


def _cutpoints(plan: StudyPlan, cohort: pd.DataFrame) -> Cutpoints:
    """The plan's cut-points in the marker's inner unit, or the sample's quantiles."""
    if plan.strata.cutpoints is None:
        return quantile_cutpoints(_first_values(plan, cohort), plan.strata.n_groups or 2)
    if plan.marker.analyte == "magnesium":
        return plan.strata.cutpoints.to_unit(plan.marker.inner_unit)
    return plan.strata.cutpoints


def _reference(plan: StudyPlan, labels: Sequence[str]) -> str:
    """The stratum that the others are compared with: the plan's, else "reference", else the healthiest end."""
    for wanted in (plan.strata.reference, "reference"):
        if wanted in labels:
            return str(wanted)
    return labels[-1] if plan.marker.direction == "lower" else labels[0]


def _with_terms(study: Study) -> pd.DataFrame:
    """The cohort with the marker in steps of the plan, and an indicator for each stratum but the reference."""
    cohort, marker = study.cohort.copy(), study.plan.marker
    sign = -1.0 if marker.direction == "lower" else 1.0
    cohort[study.marker_term] = sign * cohort[marker.column] / marker.per
    missing = cohort[study.stratum_column].isna()
    for label in study.compared:
        inside = (cohort[study.stratum_column] == label).astype(float)
        cohort[study.contrast(label)] = inside.where(~missing)
    return cohort


def _first_values(plan: StudyPlan, cohort: pd.DataFrame) -> pd.Series:
    """The marker's first known value of each patient, where the plan says whose rows they are; else of each row."""
    key, entries = plan.data.id, [endpoint.entry for endpoint in plan.endpoints if endpoint.entry is not None]
    if key is None or not entries:
        return cohort[plan.marker.column]
    known = cohort[cohort[plan.marker.column].notna()].sort_values(entries[0], kind="stable")
    return known[known[key].isna() | ~known[key].duplicated()][plan.marker.column]
