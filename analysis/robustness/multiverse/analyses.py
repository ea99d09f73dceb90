"""The analyses of a multiverse: their rows read once, fitted with every guard, and fast with the marker permuted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.batches import in_batches
from analysis.cohort.columns import Endpoint, holds_numbers, numbers, with_columns
from analysis.errors import InputError, NotEstimable
from analysis.kernels.cox_resamples import fit_groupings
from analysis.robustness.multiverse.choices import COMPLETE, DIMENSIONS, HIGHEST, LOWEST, MEDIAN, Choices
from analysis.strata.cutpoints import Cutpoints, stratum_codes
from analysis.survival.cox import CoxFit, CoxModel, Design, fit_design, read_term_design
from analysis.survival.rows import survival_data

Contrast = Literal["rest", "next"]
"""The lowest stratum against all others, or against the next one up."""
BATCH = 25
"""Permutations that travel together to a worker."""
DECIMALS = 9
"""Log hazard ratios are compared to so many decimals: the order of a sum, which threads may change, plays no part."""


@dataclass(frozen=True, eq=False)
class Setting:
    """An analysis but for its cut: its rows, complete in all columns but the marker, and the terms it adjusts for.

    Attributes
    ----------
    endpoint : Endpoint
    adjustment, exclusion, missing : str
        The other choices.
    design : Design or None
        None when no row is left.
    position : ndarray of int
        The positions of its rows in the cohort.
    n_excluded, n_incomplete : int
        Rows that the exclusion left out, and rows of the others that miss an outcome or a term.
    constant : tuple of str
        Columns to adjust for that hold one value in what the exclusion leaves, and so are not needed.
    error : str
        Why there is no design.
    """

    endpoint: Endpoint
    adjustment: str
    exclusion: str
    missing: str
    design: Design | None
    position: IntArray
    n_excluded: int
    n_incomplete: int
    constant: tuple[str, ...] = ()
    error: str = ""

    def codes(self, cut: Cutpoints, codes: IntArray, values: FloatArray) -> IntArray:
        """The stratum of each row, -1 where the rule for missing values drops it.

        Parameters
        ----------
        cut : Cutpoints
        codes : ndarray of int, shape (n,)
            Strata of the whole cohort, -1 where the marker is missing.
        values : ndarray, shape (n,)
            The marker of the whole cohort.

        Returns
        -------
        ndarray of int, shape (k,)
        """
        own = codes[self.position]
        if self.missing == COMPLETE or (own >= 0).all():
            return own
        known = values[self.position]
        if self.missing != MEDIAN:
            filler = {LOWEST: 0, HIGHEST: len(cut.labels) - 1}[self.missing]
        elif np.isnan(known).all():
            filler = -1
        else:
            filler = int(stratum_codes(np.array([np.nanmedian(known)]), cut)[0])
        return np.where(own < 0, filler, own)


@dataclass(frozen=True, eq=False)
class Universe:
    """Every analysis: settings crossed with cuts, over one marker.

    Attributes
    ----------
    settings : tuple of Setting
    cuts : dict of str to Cutpoints
    codes : dict of str to ndarray of int, shape (n,)
        The stratum of every row of the cohort at each cut, -1 where the marker is missing.
    values : ndarray, shape (n,)
        The marker.
    blocks : ndarray of int, shape (n,)
        The stratum within which the marker is permuted.
    contrast : {"rest", "next"}
    """

    settings: tuple[Setting, ...]
    cuts: dict[str, Cutpoints]
    codes: dict[str, IntArray]
    values: FloatArray
    blocks: IntArray
    contrast: Contrast

    def __len__(self) -> int:
        """How many analyses there are."""
        return len(self.cuts) * len(self.settings)


def read_setting(
    cohort: pd.DataFrame, marker: str, choices: Choices, strata: Sequence[str], names: tuple[str, str, str, str]
) -> Setting:
    """The rows of one endpoint, adjustment, exclusion and rule for missing values.

    Parameters
    ----------
    cohort : DataFrame
        Its columns known to be sound.
    marker : str
    choices : Choices
        Whose exclusions follow the cohort's rows.
    strata : sequence of str
    names : tuple of str
        Of the choices.
    """
    endpoint, (adjustment, exclusion, rule) = choices.endpoints[names[0]], names[1:]
    rows = np.flatnonzero(~choices.exclusions[exclusion])
    kept, n_excluded = cohort.iloc[rows], len(cohort) - len(rows)
    if kept.empty:
        error = f"exclusion {exclusion!r} leaves no row"
        return Setting(endpoint, adjustment, exclusion, rule, None, rows, n_excluded, 0, error=error)
    if rule == MEDIAN:
        kept = with_medians(kept, kept_as_is={marker, *endpoint.columns, *strata})
    terms = choices.adjustments[adjustment]
    constant = tuple(term for term in terms if term in kept.columns and kept[term].nunique() < 2)
    try:
        design = read_terms(kept, endpoint, [term for term in terms if term not in constant], strata)
    except InputError as problem:
        unread = (None, rows[:0], n_excluded, len(rows))
        return Setting(endpoint, adjustment, exclusion, rule, *unread, error=str(problem))
    position = rows[design.data.position]
    n_incomplete = len(rows) - len(position)
    return Setting(endpoint, adjustment, exclusion, rule, design, position, n_excluded, n_incomplete, constant)


def read_terms(cohort: pd.DataFrame, endpoint: Endpoint, terms: Sequence[str], strata: Sequence[str]) -> Design:
    """The design of the terms to adjust for; without terms, the rows alone."""
    if terms:
        return read_term_design(cohort, endpoint, terms, strata=strata)
    data = survival_data(cohort, endpoint, strata=strata)
    return Design(data, data.covariates, (), {})


def with_medians(cohort: pd.DataFrame, *, kept_as_is: set[str]) -> pd.DataFrame:
    """Missing numbers set to their column's median, anything else that is missing to its most frequent value.

    Examples
    --------
    >>> cohort = pd.DataFrame({"crp": [1.0, None, 3.0, 8.0], "site": ["b", None, "b", "a"]})
    >>> with_medians(cohort, kept_as_is=set()).values.tolist()
    [[1.0, 'b'], [3.0, 'b'], [3.0, 'b'], [8.0, 'a']]
    """
    filled: dict[Any, Any] = {}
    for name, column in cohort.items():
        if name in kept_as_is or not column.isna().any() or column.isna().all():
            continue
        if holds_numbers(column) and pd.api.types.infer_dtype(column, skipna=True) != "boolean":
            values = as_numbers(column)
            filled[name] = np.where(np.isnan(values), np.nanmedian(values), values)
        else:
            filled[name] = column.fillna(column.mode().iloc[0])
    return with_columns(cohort, filled) if filled else cohort


def as_numbers(column: pd.Series) -> FloatArray:
    """A column as numbers in whose order its values stand."""
    if holds_numbers(column):
        return numbers(column.to_frame("values"), "values", [])
    return np.asarray(pd.factorize(column.astype("string"), sort=True)[0], dtype=np.float64)


def fitted_analyses(universe: Universe) -> list[dict[str, object]]:
    """Each analysis as a row: its choices, counts, log hazard ratio with its error, or why there is none.

    Cuts vary slowest, in the order of the choices.
    """
    return [_fitted(universe, setting, name) for name in universe.cuts for setting in universe.settings]


def _fitted(universe: Universe, setting: Setting, name: str) -> dict[str, object]:
    """The estimate of one analysis."""
    choices = (name, setting.endpoint.name, setting.adjustment, setting.exclusion, setting.missing)
    row: dict[str, object] = dict(zip(DIMENSIONS, choices, strict=True)) | {
        "n": 0,
        "n_event": 0,
        "n_low": 0,
        "n_parameter": 0,
        "n_excluded": setting.n_excluded,
        "n_missing": setting.n_incomplete,
        "coef": np.nan,
        "std_error": np.nan,
        "note": "",
        "error": setting.error,
    }
    if setting.design is None:
        return row
    cut = universe.cuts[name]
    codes = setting.codes(cut, universe.codes[name], universe.values)
    kept = codes >= 0
    event = setting.design.data.event[kept]
    row |= {"n": int(kept.sum()), "n_event": int(event.sum()), "n_low": int((codes == 0).sum())}
    row |= {"n_missing": setting.n_incomplete + int((~kept).sum())}
    try:
        _refuse_empty(codes[kept], event, cut, universe.contrast)
        fit, constant = _fit(setting.endpoint, setting.design, cut, codes, universe.contrast)
    except InputError as problem:
        return row | {"error": str(problem)}
    constant = [*setting.constant, *constant]
    note = f"constant here, so not adjusted for: {', '.join(constant)}" if constant else ""
    if np.isnan(fit.coef[0]):
        error = "monotone likelihood (separation): the estimate is infinite; adjust for less, or cut elsewhere"
        return row | {"note": note, "error": error}
    std_error = float(np.sqrt(fit.covariance[0, 0]))
    return row | {"coef": float(fit.coef[0]), "std_error": std_error, "n_parameter": len(fit.terms), "note": note}


def _fit(
    endpoint: Endpoint, design: Design, cut: Cutpoints, codes: IntArray, contrast: Contrast
) -> tuple[CoxFit, list[str]]:
    """The model of the contrast and the terms that vary in rows of a stratum, and the terms that do not."""
    kept = codes >= 0
    columns, others = contrast_columns(codes[kept], cut, contrast), design.x[kept]
    columns, varies = columns[:, _varying(columns)], _varying(others)
    terms = np.asarray(design.terms, dtype=object)
    names = (*(f"contrast {number}" for number in range(1, columns.shape[1] + 1)), *terms[varies])
    x = np.column_stack([columns, others[:, varies]])
    own = Design(design.data.take(kept), x, names, {term: (column,) for column, term in enumerate(names)})
    return fit_design(own, CoxModel(endpoint, names)), terms[~varies].tolist()


def _varying(x: FloatArray) -> BoolArray:
    """The columns that are not constant."""
    return np.asarray(x.min(axis=0) < x.max(axis=0), dtype=bool)


def contrast_columns(codes: IntArray, cut: Cutpoints, contrast: Contrast) -> FloatArray:
    """Indicators, along one more axis, of the lowest stratum and, against the next one up, of each beyond that."""
    strata = [0] if contrast == "rest" else [0, *range(2, len(cut.labels))]
    return np.asarray(codes[..., None] == np.asarray(strata), dtype=np.float64)


def _compared_with(codes: IntArray, contrast: Contrast) -> BoolArray:
    """The rows that the lowest stratum is compared with."""
    return codes > 0 if contrast == "rest" else codes == 1


def _refuse_empty(codes: IntArray, event: BoolArray, cut: Cutpoints, contrast: Contrast) -> None:
    """An error when one side of the comparison holds no row, or no event so that the ratio is not finite."""
    others = "the other strata" if contrast == "rest" and len(cut.labels) > 2 else f"stratum {cut.labels[1]!r}"
    for side, name in ((codes == 0, f"stratum {cut.labels[0]!r}"), (_compared_with(codes, contrast), others)):
        if not side.any():
            raise NotEstimable(f"{name} holds no row")
        if not event[side].any():
            raise NotEstimable(f"no event in {name}: the hazard ratio is not finite")


def log_hazard_ratios(universe: Universe, orders: IntArray) -> FloatArray:
    """The log hazard ratio of every analysis with the marker in other orders; NaN where it is not estimable.

    Parameters
    ----------
    universe : Universe
    orders : ndarray of int, shape (b, n)
        In order k, row i is given the marker of row ``orders[k, i]``; whoever misses the marker still misses it.

    Returns
    -------
    ndarray, shape (b, len(universe))
        Analyses in the order of `fitted_analyses`.
    """
    ratios = [_of_setting(universe, setting, orders) for setting in universe.settings]
    return np.round(np.stack(ratios, axis=2).reshape(len(orders), len(universe)), DECIMALS)


def _of_setting(universe: Universe, setting: Setting, orders: IntArray) -> FloatArray:
    """The log hazard ratios of one setting, all orders and cuts in step: shape (b, cuts)."""
    ratios, design, contrast = np.full((len(orders), len(universe.cuts)), np.nan), setting.design, universe.contrast
    if design is None:
        return ratios
    for column, (name, cut) in enumerate(universe.cuts.items()):
        codes = np.array([setting.codes(cut, universe.codes[name][o], universe.values[o]) for o in orders])
        kept = codes[0] >= 0  # whoever misses the marker, misses it at every cut and in every order
        data, others = design.data.take(kept), design.x[kept]
        at_events = codes[:, kept][:, data.event]
        both_sides = (at_events == 0).any(axis=1) & _compared_with(at_events, contrast).any(axis=1)
        estimable = np.flatnonzero(both_sides)
        if not len(estimable):
            continue
        columns = contrast_columns(np.arange(len(cut.labels)), cut, contrast)
        ratios[estimable, column] = fit_groupings(
            codes[estimable][:, kept],
            columns,
            others[:, _varying(others)],
            data.time,
            data.event,
            entry=data.entry,
            strata=data.strata.codes,
        )[:, 0]
        for order in estimable[np.isnan(ratios[estimable, column])].tolist():
            ratios[order, column] = _with_guards(setting.endpoint, design, cut, codes[order], contrast)
    return ratios


def _with_guards(endpoint: Endpoint, design: Design, cut: Cutpoints, codes: IntArray, contrast: Contrast) -> float:
    """The log hazard ratio where Newton's plain way does not end, as when another term of the model separates."""
    try:
        return float(_fit(endpoint, design, cut, codes, contrast)[0].coef[0])
    except InputError:
        return float("nan")


def null_curves(universe: Universe, *, n_permutations: int, seed: int) -> FloatArray:
    """The log hazard ratios of every analysis with the marker permuted within its blocks.

    Each permutation has a seed of its own, so that neither the workers nor their number change a value: under
    ``joblib.parallel_config(n_jobs=2)``, or with a cluster's back end, the same call runs in parallel.

    Parameters
    ----------
    universe : Universe
        Its rows in a canonical order.
    n_permutations : int
    seed : int

    Returns
    -------
    ndarray, shape (n_permutations, len(universe))
    """
    seeds = np.random.SeedSequence(seed).spawn(n_permutations)
    batches = [seeds[start : start + BATCH] for start in range(0, n_permutations, BATCH)]
    sizes = [len(batch) for batch in batches]
    ratios = in_batches(partial(_batch, universe), batches, sizes=sizes, label="permutations")
    return np.concatenate([np.empty((0, len(universe))), *ratios])


def _batch(universe: Universe, seeds: Sequence[np.random.SeedSequence]) -> FloatArray:
    """The curves of some permutations."""
    orders = np.array([permuted(universe.blocks, np.random.default_rng(seed)) for seed in seeds])
    return log_hazard_ratios(universe, orders)


def permuted(blocks: IntArray, rng: np.random.Generator) -> IntArray:
    """A random order of the rows that leaves every row in its block.

    Examples
    --------
    >>> blocks = np.array([0, 1, 0, 1])
    >>> bool((blocks[permuted(blocks, np.random.default_rng(1))] == blocks).all())
    True
    """
    order = np.empty(len(blocks), dtype=np.int64)
    order[np.argsort(blocks, kind="stable")] = np.lexsort((rng.random(len(blocks)), blocks))
    return order
