"""Rows into strata by a marker's cut-points."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import column_problems, numbers
from analysis.errors import AnalysisWarning, EmptyStratum, RowsDropped, SmallStratum, raise_all, warn_all
from analysis.strata.cutpoints import Cutpoints

FEWEST_ROWS = 5
SMALLEST_SHARE = 0.10
ROUNDING_UNITS = 8
DOUBLE = float(np.finfo(np.float64).eps)


def stratify(cohort: pd.DataFrame, cutpoints: Cutpoints, *, marker: str, into: str = "stratum") -> pd.DataFrame:
    """Add the stratum of every row by its marker.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    cutpoints : Cutpoints
        In the marker's unit. A value that differs from an edge only by rounding (8 units in the last place of the
        column's own precision) is at that edge.
    marker : str
        A numeric column.
    into : str
        Name of the new column.

    Returns
    -------
    DataFrame
        The cohort with one more column: an ordered categorical of the labels, from the lowest group to the highest.
        Where the marker is missing the stratum is missing too; the row stays.

    Raises
    ------
    CohortError
        With every fault: no such column, `into` taken already, values that are no finite numbers, all of them missing,
        no edge within the range of the values.

    Warns
    -----
    RowsDropped
        When the marker is missing: how many rows are in no stratum.
    EmptyStratum
        When a stratum holds no row.
    SmallStratum
        When a stratum holds fewer than 5 rows, or less than a tenth of those with a marker.

    Examples
    --------
    >>> cohort = pd.DataFrame({"magnesium": [0.70, 0.74, 0.75, 0.80, 0.85] * 5})
    >>> cut = Cutpoints((0.75,), ("low", "not low"), unit="mmol/L", source="our laboratory")
    >>> stratify(cohort, cut, marker="magnesium")["stratum"].value_counts(sort=False).to_dict()
    {'low': 10, 'not low': 15}
    """
    problems = column_problems(cohort, [marker])
    if isinstance(cohort, pd.DataFrame) and into in cohort.columns:
        problems.append(f"column {into!r} is there already; choose another name with into=, or drop it first")
    raise_all(problems)
    values = numbers(cohort, marker, problems, role="marker column")
    raise_all(problems)
    raise_all(range_problems(values, cutpoints, marker))
    codes = stratum_codes(values, cutpoints, column_precision(cohort[marker]))
    result = cohort.copy()
    result[into] = pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(cutpoints.labels), ordered=True)
    warn_all(_stratum_warnings(codes, cutpoints, marker))
    return result


def range_problems(values: FloatArray, cutpoints: Cutpoints, marker: str) -> list[str]:
    """A problem when there are no cut-points, no values of the marker, or no cut-point among the values."""
    if not isinstance(cutpoints, Cutpoints):
        return [f"cutpoints: expected Cutpoints(edges, labels, ...) or clinical_cutpoints(name), got {cutpoints!r}"]
    present = values[~np.isnan(values)]
    if not len(present):
        return [f"no non-missing values in {marker!r}"]
    low, high = present.min(), present.max()
    if any(low <= edge <= high for edge in cutpoints.edges):
        return []
    edges = ", ".join(f"{edge:g}" for edge in cutpoints.edges)
    plural = "s" if len(cutpoints.edges) > 1 else ""
    unit = f" {cutpoints.unit}" if cutpoints.unit else ""
    return [
        f"cut{plural} {edges}{unit}: outside the range {low:g}-{high:g} of column {marker!r}; are both in one unit?"
        ' Magnesium cut-points change theirs with cutpoints.to_unit("mmol/L"), columns with convert_magnesium'
    ]


def column_precision(column: pd.Series) -> float:
    """The relative rounding of the column's own floats (single or double)."""
    single = str(column.dtype).lower().startswith(("float32", "float[", "float16", "half"))
    return float(np.finfo(np.float32).eps) if single else DOUBLE


def stratum_codes(values: FloatArray, cutpoints: Cutpoints, precision: float = DOUBLE) -> IntArray:
    """The position of each value's stratum among the labels, -1 where the value is missing.

    Parameters
    ----------
    values : ndarray, shape (n,)
    cutpoints : Cutpoints
    precision : float
        The relative rounding of the values; one that is this close to an edge, 8 times over, is at the edge.

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> cut = Cutpoints((0.75,), ("low", "not low"), source="our laboratory")
    >>> stratum_codes(np.array([0.7, 0.75, np.nan]), cut).tolist()
    [0, 1, -1]
    """
    edges = np.asarray(cutpoints.edges, dtype=np.float64)
    nearest = edges[np.abs(values[:, None] - edges[None, :]).argmin(axis=1)]
    at_edge = np.abs(values - nearest) <= ROUNDING_UNITS * precision * np.abs(nearest)
    snapped = np.where(at_edge, nearest, values)
    codes = np.searchsorted(edges, snapped, side="right" if cutpoints.closed == "left" else "left")
    return np.where(np.isnan(values), -1, codes).astype(np.int64)


def _stratum_warnings(codes: IntArray, cutpoints: Cutpoints, marker: str) -> list[AnalysisWarning]:
    """Warnings when rows are in no stratum, and when strata hold no rows or few."""
    n_read, n_used = len(codes), int((codes >= 0).sum())
    warnings: list[AnalysisWarning] = []
    if n_used < n_read:
        warnings.append(RowsDropped(n_read, n_used, {f"missing {marker}": n_read - n_used}))
    counts = np.bincount(codes[codes >= 0], minlength=len(cutpoints.labels))
    for label, interval, count in zip(cutpoints.labels, cutpoints.intervals(), counts.tolist(), strict=True):
        stratum = f"stratum {label!r} ({marker} {interval})"
        if count == 0:
            warnings.append(EmptyStratum(f"{stratum} holds no row"))
        elif count < FEWEST_ROWS or count < SMALLEST_SHARE * n_used:
            warnings.append(SmallStratum(f"{stratum} holds {count} of {n_used} rows; its estimates will be unstable"))
    return warnings
