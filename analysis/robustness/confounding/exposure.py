"""The rows of an adjusted comparison: the groups to be compared, and what they are adjusted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, first_few, with_columns
from analysis.errors import CohortError, InputError, NotEstimable, raise_all
from analysis.strata.marker_designs import adjust_problems, as_formula, listed
from analysis.survival.cox import Design, formula_columns, read_term_design
from analysis.survival.rows import Groups, SurvivalData, check_roles, group_rows, grouping_problems, survival_data


@dataclass(frozen=True, eq=False)
class ExposureRows:
    """The complete rows of an adjusted comparison, in input order.

    Attributes
    ----------
    data : SurvivalData
        The outcome; ``data.strata`` are the combinations of the strata columns.
    exposure : Groups
        The groups that are compared.
    within : Groups
        The combinations of the strata columns other than that of the groups.
    x : ndarray, shape (n, p)
        The covariates' columns, without those of the groups.
    terms : tuple of str
        Their names.
    design : Design
        For a Cox model: with the groups' indicators (against the first group), unless they are among the strata.
    formula : str
        Of that model.
    """

    data: SurvivalData
    exposure: Groups
    within: Groups
    x: FloatArray
    terms: tuple[str, ...]
    design: Design
    formula: str

    @property
    def propensity_columns(self) -> FloatArray:
        """The covariates with an indicator of each stratum but the first."""
        return np.column_stack([self.x, np.eye(len(self.within.labels))[self.within.codes][:, 1:]])

    @property
    def order(self) -> IntArray:
        """Rows in an order that does not depend on the one they came in."""
        data = self.data
        keys = (data.time, data.event, data.entry, self.exposure.codes, data.strata.codes, *self.x.T)
        return np.lexsort(keys[::-1]).astype(np.int64)


def read_exposure(
    cohort: pd.DataFrame,
    endpoint: Endpoint | None,
    covariates: str | Sequence[str],
    *,
    by: str,
    strata: str | Sequence[str] | None = None,
) -> ExposureRows:
    """Check the columns of an adjusted comparison and drop its incomplete rows.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint or None
        None where only weights are asked for: then no row is dropped for its outcome.
    covariates : str or sequence of str
        Columns, or terms of a formula as in `fit_cox`.
    by : str
        The column of groups.
    strata : str or sequence of str, optional
        Columns whose combinations are strata.

    Returns
    -------
    ExposureRows

    Raises
    ------
    CohortError, InputError
        Faults of the columns and of the terms, all at once.
    NotEstimable
        Fewer than two groups on the complete rows.
    """
    terms, strata_names = listed(covariates), listed(strata)
    frame, outcome = (cohort, endpoint) if endpoint is not None else _without_outcome(cohort)
    check_roles(outcome, strata_names, by=by)
    raise_all(column_problems(frame, [*outcome.columns, by, *strata_names]))
    _check_terms(frame, by, terms, strata_names)
    labelled = _labelled(frame, by)
    named = [by, *terms] if by not in strata_names else [*terms]
    complete = survival_data(labelled, outcome, strata=strata_names, complete=formula_columns(named, labelled))
    used = labelled.iloc[complete.position]
    exposure = group_rows(used, [by])
    if len(exposure.labels) < 2:
        raise NotEstimable(
            f"need at least 2 groups to compare, column {by!r} holds {len(exposure.labels)}"
            f" ({first_few(exposure.labels)}) in the {complete.n_used} complete rows"
        )
    design = read_term_design(labelled, outcome, named, strata=strata_names)
    within = group_rows(used, [name for name in strata_names if name != by])
    kept = [place for place in range(design.x.shape[1]) if place not in design.columns.get(str(by), ())]
    names = tuple(design.terms[place] for place in kept)
    return ExposureRows(design.data, exposure, within, design.x[:, kept], names, design, as_formula(named, labelled))


def _labelled(cohort: pd.DataFrame, by: str) -> pd.DataFrame:
    """The cohort with its groups as labels in their order, so that a formula reads them as groups."""
    missing = cohort[by].isna().to_numpy(dtype=bool)
    groups = group_rows(cohort[~missing], [by])
    codes = np.full(len(cohort), -1)
    codes[~missing] = groups.codes
    labelled = pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(groups.labels))
    return with_columns(cohort, {by: labelled})


def _without_outcome(cohort: pd.DataFrame) -> tuple[pd.DataFrame, Endpoint]:
    """The cohort with an outcome that drops no row: the reader of designs asks for one."""
    raise_all(column_problems(cohort, []))
    time, event = "(followed)", "(event)"
    return with_columns(cohort, {time: 1.0, event: 0}), Endpoint(time, event)


def _check_terms(cohort: pd.DataFrame, by: str, terms: Sequence[str], strata: Sequence[str]) -> None:
    """Covariates must be there, and be neither the groups nor strata as well."""
    problems = adjust_problems(by, terms, argument="covariates", role="what is compared")
    if not terms:
        problems.append("covariates: none given; name what to adjust for")
    problems += [
        f"covariates: {term!r} is among the strata too; leave it out of one" for term in terms if term in strata
    ]
    raise_all(problems, InputError)
    if cohort[by].isna().all():
        raise CohortError(f"no rows left: column {by!r} is missing throughout")
    raise_all(grouping_problems(cohort[by]))
