"""The analyses of a multiverse: fitted with every guard once, and fast under permutations of the marker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.batches import in_batches
from analysis.errors import InputError
from analysis.kernels.cox_resamples import fit_groupings
from analysis.robustness.multiverse.settings import (
    Setting,
    choice_names,
    chosen_rows,
    contrast_columns,
    refuse_empty,
    setting_codes,
)
from analysis.strata.cutpoints import Cutpoints
from analysis.survival.cox import CoxFit, CoxModel, Design, fit_design

BATCH = 25
"""Permutations that travel together to a worker."""
DECIMALS = 9
"""Log hazard ratios are compared to so many decimals: the order of a sum, which threads may change, plays no part."""


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
    contrast : str
    """

    settings: tuple[Setting, ...]
    cuts: dict[str, Cutpoints]
    codes: dict[str, IntArray]
    values: FloatArray
    blocks: IntArray
    contrast: str

    def __len__(self) -> int:
        """How many analyses there are."""
        return len(self.cuts) * len(self.settings)


def fitted_analyses(universe: Universe) -> list[dict[str, object]]:
    """Each analysis as a row: its choices, counts, log hazard ratio with its error, or why there is none.

    Cuts vary slowest, in the order of the choices.
    """
    return [
        choice_names(setting, name) | _fitted(universe, setting, name)
        for name in universe.cuts
        for setting in universe.settings
    ]


def _fitted(universe: Universe, setting: Setting, name: str) -> dict[str, object]:
    """What one analysis found."""
    empty = {"n": 0, "n_event": 0, "n_low": 0, "n_parameter": 0, "coef": np.nan, "std_error": np.nan, "note": ""}
    counts: dict[str, object] = empty | {"n_excluded": setting.n_excluded, "n_missing": setting.n_incomplete}
    if setting.design is None:
        return counts | {"error": setting.error}
    cut, design = universe.cuts[name], setting.design
    codes = setting_codes(setting, cut, universe.codes[name], universe.values)
    kept = codes >= 0
    event = design.data.event[kept]
    counts |= {
        "n": int(kept.sum()),
        "n_event": int(event.sum()),
        "n_low": int((codes == 0).sum()),
        "n_missing": setting.n_incomplete + int((~kept).sum()),
    }
    try:
        refuse_empty(codes[kept], event, cut, universe.contrast)
        own, left_out = _design(design, cut, codes, universe.contrast)
        fit = _fit(setting, own)
    except InputError as problem:
        return counts | {"error": str(problem)}
    left_out = [*setting.constant, *left_out]
    note = f"constant here, so not adjusted for: {', '.join(left_out)}" if left_out else ""
    if np.isnan(fit.coef[0]):
        return counts | {"note": note, "error": "the likelihood rises for ever as the coefficient grows (separation)"}
    std_error = float(np.sqrt(fit.covariance[0, 0]))
    found = {"coef": float(fit.coef[0]), "std_error": std_error, "n_parameter": len(own.terms), "note": note}
    return counts | found | {"error": ""}


def _design(design: Design, cut: Cutpoints, codes: IntArray, contrast: str) -> tuple[Design, list[str]]:
    """The rows that the cut can use, its contrast before the terms; and the terms that are constant among them."""
    kept = codes >= 0
    columns, others = contrast_columns(codes[kept], cut, contrast), design.x[kept]
    columns = columns[:, _varying(columns)]
    varies = _varying(others)
    named = list(zip(design.terms, varies, strict=True))
    strata = [f"contrast {place}" for place in range(1, columns.shape[1] + 1)]
    terms = (*strata, *(term for term, varied in named if varied))
    x = np.column_stack([columns, others[:, varies]])
    where = {term: (place,) for place, term in enumerate(terms)}
    return Design(chosen_rows(design.data, kept), x, terms, where), [term for term, varied in named if not varied]


def _varying(x: FloatArray) -> BoolArray:
    """The columns that are not constant."""
    return np.asarray(x.min(axis=0) < x.max(axis=0), dtype=bool)


def _fit(setting: Setting, design: Design) -> CoxFit:
    """A Cox model of a design, with every guard."""
    model = CoxModel(setting.endpoint, design.terms, "efron", (), None, None, robust=False, engine="kernel")
    return fit_design(design, model)


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
    found = [_of_setting(universe, setting, orders) for setting in universe.settings]
    return np.round(np.stack(found, axis=2).reshape(len(orders), len(universe)), DECIMALS)


def _of_setting(universe: Universe, setting: Setting, orders: IntArray) -> FloatArray:
    """The log hazard ratios of one setting, all orders and cuts in step: shape (b, cuts)."""
    found = np.full((len(orders), len(universe.cuts)), np.nan)
    if setting.design is None:
        return found
    codes = np.array(
        [
            [setting_codes(setting, cut, universe.codes[name][order], universe.values[order]) for order in orders]
            for name, cut in universe.cuts.items()
        ]
    )  # fmt: skip
    kept, data = codes[0, 0] >= 0, setting.design.data
    event, others = data.event[kept], setting.design.x[kept]
    if not event.any():
        return found
    shared = (others[:, _varying(others)], data.time[kept], event)
    sets = {"entry": data.entry[kept], "strata": data.strata.codes[kept]}
    for place, cut in enumerate(universe.cuts.values()):
        here = codes[place][:, kept]
        asked = np.flatnonzero(_compared(here[:, event], universe.contrast))
        columns = contrast_columns(np.arange(len(cut.labels)), cut, universe.contrast)
        found[asked, place] = fit_groupings(here[asked], columns, *shared, **sets)[:, 0]
        for order in asked[np.isnan(found[asked, place])].tolist():
            found[order, place] = _with_guards(setting, cut, codes[place, order], universe.contrast)
    return found


def _compared(codes: IntArray, contrast: str) -> BoolArray:
    """Whether there are events on both sides of the comparison; `codes` are the events', along the last axis."""
    other = codes > 0 if contrast == "rest" else codes == 1
    return np.asarray((codes == 0).any(axis=-1) & other.any(axis=-1), dtype=bool)


def _with_guards(setting: Setting, cut: Cutpoints, codes: IntArray, contrast: str) -> float:
    """The log hazard ratio where Newton's plain way does not end, as when another term of the model separates."""
    assert setting.design is not None
    try:
        return float(_fit(setting, _design(setting.design, cut, codes, contrast)[0]).coef[0])
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
    found = in_batches(partial(_batch, universe), batches, sizes=sizes, label="permutations")
    return np.concatenate([np.empty((0, len(universe))), *found])


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
