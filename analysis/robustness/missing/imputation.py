"""Multiple imputation by chained equations, with the outcome in the imputation model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis import errors
from analysis.cohort.columns import Endpoint, first_few, with_columns
from analysis.robustness.missing import model
from analysis.robustness.missing.draws import draw_imputation
from analysis.survival.rows import listed

__all__ = ["Imputations", "impute_cohort"]

ROUNDS = 5
"""Rounds of the chain where several columns are imputed in turn, as mice; a single column needs one."""
MOST_MISSING = 0.5


@dataclass(frozen=True, eq=False)
class Imputations(errors.RowAccount):
    """A cohort with its missing values imputed, many times over, and the account of the rows imputed or used for it.

    Attributes
    ----------
    cohorts : tuple of DataFrame
        The cohort with the imputed columns complete, once for each imputation; all other columns as they were.
    missing : DataFrame
        column, kind ("number", "logarithm", "0/1", "category"), n, n_missing, share.
    imputed : DataFrame
        Which cells were imputed: True or False, a column for each column imputed, on the cohort's index.
    columns, predictors : tuple of str
        As asked for.
    endpoint : Endpoint
    other_endpoints : tuple of Endpoint
    n_imputations, n_recommended : int
        Imputations drawn, and as many as the percentage of rows with a missing value, a rule of thumb.
    delta : Mapping[str, float]
        What was added to imputed values, by column, in its unit.
    seed : int
    """

    cohorts: tuple[pd.DataFrame, ...]
    missing: pd.DataFrame
    imputed: pd.DataFrame
    columns: tuple[str, ...]
    predictors: tuple[str, ...]
    endpoint: Endpoint
    other_endpoints: tuple[Endpoint, ...]
    n_imputations: int
    n_recommended: int
    delta: Mapping[str, float]
    seed: int

    def shifted(self, delta: float, *, column: str | None = None) -> Imputations:
        """The same imputations with a number more added to the imputed values of a column, for a sensitivity analysis.

        Parameters
        ----------
        delta : float
            In the column's unit.
        column : str, optional
            A number; the first column imputed by default.

        Returns
        -------
        Imputations
        """
        kinds = dict(zip(self.missing["column"], self.missing["kind"], strict=True))
        name = column or next(iter(kinds))
        errors.raise_all(_delta_problems({name: delta}, kinds), errors.InputError)
        more = np.where(self.imputed[name], delta, 0.0)
        cohorts = tuple(with_columns(cohort, {name: cohort[name] + more}) for cohort in self.cohorts)
        return replace(self, cohorts=cohorts, delta={**self.delta, name: self.delta.get(name, 0.0) + delta})


def impute_cohort(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    columns: str | Sequence[str],
    *,
    predictors: str | Sequence[str],
    strata: str | Sequence[str] | None = None,
    other_endpoints: Endpoint | Sequence[Endpoint] = (),
    n_imputations: int = 20,
    delta: float | Mapping[str, float] = 0.0,
    seed: int,
) -> Imputations:
    """Impute missing values by chained equations, the event and its cumulative hazard among the predictors.

    Each column is regressed on all others, on the predictors, on the event, and on two cumulative hazards at the row's
    time: Nelson-Aalen's, and that of a Cox model of the predictors. Numbers (on their scale) by linear regression, 0/1
    columns and labels by logistic regression, multinomial for three labels or more. Coefficients are drawn first, from
    their posterior under a flat prior (residual variance, intercept and coefficients) or the normal distribution about
    their maximum (logistic), then each missing value given them. Without the outcome among the predictors an imputed
    marker would be too weakly related to it. The likelihood of a row with hazard ratio exp(b x) depends on x as
    b x (event - cumulative hazard given the predictors) to first order in b, which is why the second hazard is there:
    where the predictors act strongly, Nelson-Aalen's alone attenuates.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed. Values must be missing at random given what is in the model; `delta` is for
        the case that they are not.
    endpoint : Endpoint
        Of the model that will be fitted. Rows without it are not imputed, and counted.
    columns : str or sequence of str
        What to impute: columns, or logarithms of columns, as "log2(crp)", that are drawn on that scale. Numbers are
        drawn within the range of the known values, and not rounded.
    predictors : str or sequence of str
        Columns or formula terms without missing values: all of the model's covariates and strata, and whatever tells
        why values are missing. Terms that stand in `columns` too are in the imputation model already.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own in the model that will be fitted; predictors too.
    other_endpoints : Endpoint or sequence of Endpoint
        Further outcomes, known in every row whose `endpoint` is: their events and cumulative hazards are predictors
        too. Name survival here where progression is the outcome and values are missing by early death.
    n_imputations : int
        At least two. As many as the percentage of rows with a missing value is a rule of thumb.
    delta : float or mapping
        Added to imputed values in the unit of the column: for the first column, or by column.
    seed : int

    Returns
    -------
    Imputations

    Raises
    ------
    CohortError
        Faults of the columns: not there, without any value, infinite; logarithms of zero.
    InputError
        Predictors that are incomplete, or made from a column that is imputed; options that cannot be.
    NotEstimable
        No events; fewer known values than the regression has coefficients.

    Warns
    -----
    RowsDropped
        Rows without an outcome, a predictor or a stratum: they are left as they were.
    MuchMissing
        More than half of a column is missing, or there are fewer imputations than the rule of thumb asks for.
    AnalysisWarning
        Nothing is missing.

    Notes
    -----
    R's ``mice`` with ``method = c("norm", "logreg", "polyreg")`` (whose polyreg does not draw its coefficients), and
    its rows of small weight against separation. White and Royston (2009), Statistics in Medicine 28:1982 (event and
    cumulative hazard); White, Royston and Wood (2011), Statistics in Medicine 30:377 (number of imputations, logistic
    models); White, Daniel and Royston (2010), Computational Statistics and Data Analysis 54:2267 (separation).

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, simulate_cohort
    >>> cohort = simulate_cohort(seed=1).cohort
    >>> result = impute_cohort(cohort, OVERALL_SURVIVAL, "magnesium", predictors=["albumin", "log2(crp)"], seed=1)
    >>> len(result.cohorts), int(result.cohorts[0]["magnesium"].isna().sum())
    (20, 0)
    """
    terms, others = listed(columns), listed(predictors)
    _check_options(terms, n_imputations, seed)
    imputed = model.read_columns(cohort, terms)
    deltas = _deltas(delta, imputed)
    further = (other_endpoints,) if isinstance(other_endpoints, Endpoint) else tuple(other_endpoints)
    rows = model.read_rows(cohort, endpoint, imputed, others, listed(strata), further)
    missing = _missing_table(rows)
    n_recommended = _recommended(rows)
    carried = (*rows.data.warnings, *_missing_warnings(missing, n_imputations, n_recommended))
    errors.warn_all(carried)
    used = np.isin(np.arange(len(cohort)), rows.position)
    return Imputations(
        cohorts=tuple(
            _completed(cohort, rows, deltas, child) for child in np.random.SeedSequence(seed).spawn(n_imputations)
        ),
        missing=missing,
        imputed=pd.DataFrame({column.name: column.missing & used for column in imputed}, index=cohort.index),
        columns=terms,
        predictors=others,
        endpoint=endpoint,
        other_endpoints=further,
        n_imputations=n_imputations,
        n_recommended=n_recommended,
        delta=deltas,
        seed=seed,
        **rows.data.account | {"warnings": carried},
    )


def _check_options(terms: Sequence[str], n_imputations: int, seed: int) -> None:
    """Refuse columns that are none or named twice, and numbers that cannot be."""
    problems = errors.count_problems("n_imputations", n_imputations, low=2) + errors.count_problems("seed", seed, low=0)
    if not terms:
        problems.append("columns: none given; name the columns whose missing values are to be imputed")
    names = [model.column_of(term) for term in terms]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    problems += [f"columns: {first_few(map(repr, twice))} given twice"] * bool(twice)
    errors.raise_all(problems, errors.InputError)


def _deltas(delta: float | Mapping[str, float], columns: Sequence[model.ImputedColumn]) -> dict[str, float]:
    """The delta adjustment of each column."""
    kinds = {column.name: column.kind for column in columns}
    added = dict(delta) if isinstance(delta, Mapping) else {columns[0].name: delta} if delta else {}
    errors.raise_all(_delta_problems(added, kinds), errors.InputError)
    return {name: float(value) for name, value in added.items()}


def _delta_problems(added: Mapping[str, float], kinds: Mapping[str, str]) -> list[str]:
    """What is wrong with a delta adjustment: of a column that is not imputed or holds labels, by what is no number."""
    problems = []
    for name, value in added.items():
        if name not in kinds:
            problems.append(f"delta: {name!r} is not imputed; imputed are {first_few(map(repr, kinds))}")
        elif kinds[name] in (model.INDICATOR, model.CATEGORY):
            problems.append(f"delta: {name!r} is not a number ({kinds[name]}), and nothing can be added to it")
        problems += errors.number_problems("delta", value)
    return problems


def _completed(
    cohort: pd.DataFrame, rows: model.ImputationRows, deltas: Mapping[str, float], seed: np.random.SeedSequence
) -> pd.DataFrame:
    """One imputed cohort."""
    if not any(np.isnan(column).any() for column in rows.drawn):
        return cohort.copy()
    n_rounds = ROUNDS if len(rows.columns) > 1 else 1
    labels = [column.is_label for column in rows.columns]
    filled = draw_imputation(rows.drawn, labels, rows.x, n_rounds=n_rounds, seed=seed)
    parts = {
        column.name: column.completed(cohort[column.name], values, rows.position, deltas.get(column.name, 0.0))
        for column, values in zip(rows.columns, filled, strict=True)
    }
    return with_columns(cohort, parts)


def _missing_table(rows: model.ImputationRows) -> pd.DataFrame:
    """What is missing among the rows with a known outcome: column kind n n_missing share."""
    n, table = rows.data.n_used, []
    for column in rows.columns:
        n_missing = int(column.missing[rows.data.position].sum())
        table.append((str(column.name), column.kind, n, n_missing, n_missing / n))
    return pd.DataFrame(table, columns=["column", "kind", "n", "n_missing", "share"])


def _recommended(rows: model.ImputationRows) -> int:
    """Imputations by the rule of thumb: as many as the percentage of rows with a missing value, and two at least."""
    incomplete = np.isnan(np.column_stack(rows.drawn)).any(axis=1).mean()
    return max(int(np.ceil(100 * incomplete)), 2)


def _missing_warnings(missing: pd.DataFrame, n_imputations: int, n_recommended: int) -> list[errors.AnalysisWarning]:
    """Warnings when nothing is missing, when more than half of a column is, and of too few imputations."""
    if not missing["n_missing"].any():
        text = f"nothing is missing in {first_few(map(repr, missing['column']))}; nothing is imputed"
        return [errors.AnalysisWarning(text)]
    warnings: list[errors.AnalysisWarning] = []
    for row in missing[missing["share"] > MOST_MISSING].to_dict("records"):
        text = f"column {row['column']!r}: {row['share']:.0%} missing; the answer leans on the imputation model"
        warnings.append(errors.MuchMissing(text))
    if n_imputations < n_recommended:
        text = f"{n_recommended}% of rows miss a value, and there are {n_imputations} imputations; take {n_recommended}"
        warnings.append(errors.MuchMissing(text))
    return warnings
