"""Cut-points at the sample's own quantiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few, numbers
from analysis.errors import CohortError, InputError, NotEstimable, TiedEdges, raise_all, warn_all
from analysis.strata.cutpoints import Cutpoints


def quantile_cutpoints(values: ArrayLike | pd.Series, n_groups: int) -> Cutpoints:
    """Cut-points at the sample's own quantiles.

    The edge after i of k groups is the type-7 quantile (1 - h) x[j] + h x[j+1] of the n sorted values, with j + h the
    exact fraction i (n - 1) / k. An edge equal to another edge, or to the smallest or the largest value, would make an
    empty group and is dropped; the labels tell which groups were merged ("Q1-Q2").

    Parameters
    ----------
    values : array-like of float, shape (n,)
        The marker; missing values are left out.
    n_groups : int
        2 for halves, 4 for quarters, ...

    Returns
    -------
    Cutpoints
        With `rule="quantile"` and `closed="right"`, labels "Q1" ... "Qk".

    Raises
    ------
    CohortError
        When a value is no finite number, or all are missing.
    NotEstimable
        When no edge is left.
    InputError
        When `values` is more than one column, or `n_groups` is no whole number of at least 2.

    Warns
    -----
    TiedEdges
        When edges were dropped.

    Notes
    -----
    As R's ``cut(x, unique(quantile(x, 0:k/k)), include.lowest = TRUE)``. The quantile is definition 7 of Hyndman and
    Fan, The American Statistician 1996;50:361.

    Examples
    --------
    >>> cut = quantile_cutpoints([4, 1, 3, 2], 2)
    >>> cut.edges, cut.intervals()
    ((2.5,), ('≤ 2.5', '> 2.5'))
    """
    if isinstance(n_groups, bool) or not isinstance(n_groups, (int, np.integer)) or n_groups < 2:
        raise InputError(f"n_groups={n_groups!r}; give a whole number of at least 2")
    present = _sorted_values(values)
    edges = [_quantile(present, place, n_groups) for place in range(1, n_groups)]
    kept = _separating(edges, present)
    if not kept:
        raise NotEstimable(
            f"{n_groups} quantile groups: every edge equals the smallest or the largest of {len(present)} values"
            f" ({present[0]:g}, {present[-1]:g}); the marker has too many ties to be cut at quantiles"
        )
    labels = _merged_labels(kept, n_groups)
    if len(kept) < len(edges):
        text = f"{n_groups} quantile groups asked for, {len(labels)} made ({first_few(labels)}): ties in the values"
        warn_all([TiedEdges(text)])
    source = f"the sample's {n_groups}-quantiles, n = {len(present)}"
    return Cutpoints(tuple(kept.values()), labels, source=source, rule="quantile", closed="right")


def _sorted_values(values: ArrayLike | pd.Series) -> FloatArray:
    """The non-missing values as sorted float64."""
    array = values if isinstance(values, pd.Series) else np.asarray(values)
    if array.ndim != 1:
        raise InputError(
            f"values: expected one column of numbers, got {type(values).__name__} of shape {array.shape}; give one, as"
            " cohort[marker], and rename it first when its name stands twice"
        )
    column = pd.Series(array)
    name = "values" if column.name is None else str(column.name)
    problems: list[str] = []
    found = numbers(column.to_frame(name), name, problems)
    raise_all(problems, CohortError)
    present = np.sort(found[~np.isnan(found)])
    if not len(present):
        raise CohortError(f"no non-missing values in {name!r}")
    return present


def _quantile(present: FloatArray, place: int, n_groups: int) -> float:
    """The type-7 quantile at place / n_groups, its position found in whole numbers so that no rounding shifts it."""
    below, rest = divmod(place * (len(present) - 1), n_groups)
    if not rest:
        return float(present[below])
    share = rest / n_groups
    return float((1 - share) * present[below] + share * present[below + 1])


def _separating(edges: Sequence[float], present: FloatArray) -> dict[int, float]:
    """The edges that part values, by their place (1 is the first); of equal edges the last."""
    by_value = {edge: place for place, edge in enumerate(edges, start=1) if present[0] < edge < present[-1]}
    return {place: edge for edge, place in by_value.items()}


def _merged_labels(kept: dict[int, float], n_groups: int) -> tuple[str, ...]:
    """The group's name, "Q1", or "Q1-Q2" where the edge between was dropped."""
    ends = [*kept, n_groups]
    starts = [1, *(place + 1 for place in kept)]
    return tuple(f"Q{a}" if a == b else f"Q{a}-Q{b}" for a, b in zip(starts, ends, strict=True))
