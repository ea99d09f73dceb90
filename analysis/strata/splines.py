"""Restricted cubic splines: where the knots go, and the basis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import first_few
from analysis.errors import AnalysisWarning, InputError, NotEstimable, TiedKnots
from analysis.survival.rows import number_problems

FEWEST_KNOTS, MOST_KNOTS = 3, 7
TIED_SHARE = 0.05
"""A smallest or largest value in this share of the rows (a detection limit, say) gets no part in the quantiles."""
SMALL_SAMPLE = 100
FEWEST_VALUES = 6


def knot_problems(knots: object) -> list[str]:
    """What is wrong with a number of knots, or with their locations.

    Examples
    --------
    >>> knot_problems(2)
    ['knots=2: give 3 to 7, or their places']
    """
    if isinstance(knots, (int, np.integer)) and not isinstance(knots, bool):
        if FEWEST_KNOTS <= knots <= MOST_KNOTS:
            return []
        return [f"knots={knots}: give {FEWEST_KNOTS} to {MOST_KNOTS}, or their places"]
    if isinstance(knots, (Real, str)) or np.ndim(np.asarray(knots, dtype=object)) != 1:
        return [f"knots={knots!r}: give a whole number from {FEWEST_KNOTS} to {MOST_KNOTS}, or a list of places"]
    locations = list(np.asarray(knots, dtype=object))
    problems = [problem for knot in locations for problem in number_problems("knots: each place", knot)]
    if not problems and len(locations) < FEWEST_KNOTS:
        problems = [f"knots: {len(locations)} given; a spline needs at least {FEWEST_KNOTS}"]
    if not problems and not all(low < high for low, high in pairwise(locations)):
        problems = [f"knots: {first_few(f'{knot:g}' for knot in locations)} must increase, each given once; sort them"]
    return problems


def place_knots(values: FloatArray, knots: int | Sequence[float], marker: str) -> FloatArray:
    """The knots of a marker: at Harrell's default locations, or those given, once they are known to suit the values.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Without missing values.
    knots : int or sequence of float
        Free of `knot_problems`.
    marker : str
        The marker's name, for messages.

    Returns
    -------
    ndarray, shape (k,)

    Raises
    ------
    InputError
        When a knot lies outside the range of the values.
    NotEstimable
        When there are too few distinct values for the knots.

    Examples
    --------
    >>> place_knots(np.arange(10.0), [2, 4.5, 7], "x").tolist()
    [2.0, 4.5, 7.0]
    """
    if isinstance(knots, (int, np.integer)):
        return default_knots(values, int(knots), marker)
    locations, distinct = np.asarray(knots, dtype=np.float64), np.unique(values)
    beyond = locations[(locations < distinct[0]) | (locations > distinct[-1])]
    if len(beyond):
        raise InputError(outside("knots", beyond, values, marker))
    if len(distinct) < len(locations):
        raise NotEstimable(
            f"{len(locations)} knots need at least {len(locations)} distinct values of {marker!r}, and it has"
            f" {len(distinct)} ({first_few((f'{value:g}' for value in distinct), 8)}) in {len(values)} rows; give fewer"
            " knots, or compare groups"
        )
    return locations


def outside(name: str, points: Iterable[float], values: FloatArray, marker: str) -> str:
    """Words on points that lie outside the range of a marker.

    Examples
    --------
    >>> outside("reference", [1.9], np.array([0.55, 1.12]), "mg")
    "reference: 1.9 outside the range 0.55-1.12 of 'mg'; are both in one unit?"
    """
    shown = first_few(f"{point:g}" for point in points)
    return f"{name}: {shown} outside the range {values.min():g}-{values.max():g} of {marker!r}; are both in one unit?"


def default_knots(values: FloatArray, n_knots: int, marker: str = "marker") -> FloatArray:
    """Harrell's default knots: quantiles spread evenly between two outer ones.

    The outer quantiles are 0.10 and 0.90 for 3 knots, 0.05 and 0.95 for 4 to 6, 0.025 and 0.975 for 7; with fewer
    than 100 values the outer knots are the fifth smallest and the fifth largest instead. Where 5 % of the rows or more
    share the smallest (largest) value, and no value between is as common, the knot on that side is the next value, and
    the others are quantiles of what lies beyond it. With at most two distinct values more than knots, the knots are the
    values between the ends. Knots that coincide count once, so there may be fewer than asked for (`knot_warnings`);
    where fewer than three would be left, twice as many quantiles are tried.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Without missing values.
    n_knots : int
        3 to 7.
    marker : str
        The marker's name, for messages.

    Returns
    -------
    ndarray, shape (k,)

    Raises
    ------
    NotEstimable
        When ties leave fewer than three distinct knots.

    Notes
    -----
    As R's ``Hmisc::rcspline.eval(x, nk = n_knots, knots.only = TRUE)``, which ``rms::rcs`` takes.
    Harrell (2015), Regression Modeling Strategies, 2nd edition, section 2.4.6.

    Examples
    --------
    >>> default_knots(np.arange(1.0, 102.0), 4).tolist()
    [6.0, 36.0, 66.0, 96.0]
    """
    knots = np.unique(_default_locations(values, n_knots)[1])
    if len(values) < FEWEST_VALUES or len(knots) < FEWEST_KNOTS:
        n_distinct = len(np.unique(values))
        raise NotEstimable(
            f"{n_knots} knots: {marker!r} has {n_distinct} distinct value{'s' if n_distinct > 1 else ''} in"
            f" {len(values)} rows, whose ties leave {len(knots)} distinct knots; a spline needs {FEWEST_KNOTS} and"
            f" {FEWEST_VALUES} rows; give the places of the knots, take the marker as a line, or compare groups"
        )
    return knots


def knot_warnings(
    values: FloatArray, wanted: int | Sequence[float], knots: FloatArray, marker: str
) -> tuple[AnalysisWarning, ...]:
    """A warning when default knots coincide: where, and how many remain.

    Examples
    --------
    >>> values = np.repeat([0.0, 1, 2, 3, 4, 5, 6, 7], [60, 40, 9, 9, 9, 9, 9, 9])
    >>> print(knot_warnings(values, 5, default_knots(values, 5), "nodes")[0])
    5 knots of 'nodes': 2 fall together at 0; 4 remain (0, 1, 3, 7)
    """
    if not isinstance(wanted, (int, np.integer)):
        return ()
    first = _default_locations(values, int(wanted))[0]
    locations, counts = np.unique(first, return_counts=True)
    if len(locations) == wanted:
        return ()
    together = [
        f"{count} fall together at {knot:g}" for knot, count in zip(locations, counts, strict=True) if count > 1
    ]
    why = first_few(together) if together else f"it has {len(np.unique(values))} distinct values only"
    remain = first_few((f"{knot:g}" for knot in knots), MOST_KNOTS)
    return (TiedKnots(f"{wanted} knots of {marker!r}: {why}; {len(knots)} remain ({remain})"),)


def _default_locations(values: FloatArray, n_knots: int) -> tuple[FloatArray, FloatArray]:
    """Harrell's default knots, of which some may coincide, and those taken in their place: as R's rcspline.eval."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) - 2 <= n_knots:
        return distinct[1:-1], distinct[1:-1]
    low, high = _past_tied_ends(distinct, counts)
    inner = values[(values > max(low, default=-np.inf)) & (values < min(high, default=np.inf))]
    n_left = n_knots - len(low) - len(high)
    outer = 0.1 if n_knots == 3 else 0.05 if n_knots < MOST_KNOTS else 0.025
    first = _even_quantiles(inner, n_left, outer)
    taken = first
    if len(np.unique(first)) < min(n_left, 3):
        taken = np.quantile(inner, np.linspace(outer, 1 - outer, 2 * n_left)) if len(inner) else inner
        if low and len(np.unique(taken)) < FEWEST_KNOTS:
            middle = (low[0] + high[0]) / 2 if high else np.median(inner)
            taken = np.array([*low, middle, *(high or [np.quantile(inner, 1 - outer)])])
        if len(np.unique(taken)) < FEWEST_KNOTS:
            return first, taken
    first, taken = (_fifth_values(knots, inner, n_left, low, high) for knots in (first, taken))
    return np.array([*low, *first, *high]), np.array([*low, *taken, *high])


def _fifth_values(
    knots: FloatArray, inner: FloatArray, n_left: int, low: Sequence[float], high: Sequence[float]
) -> FloatArray:
    """In small samples the outer knots are the fifth smallest and the fifth largest value, but for tied ends."""
    if n_left == 1 or not FEWEST_VALUES <= len(inner) < SMALL_SAMPLE:
        return knots
    ordered, moved = np.sort(inner), knots.tolist()
    if not low:
        moved[0] = ordered[4]
    if not high:
        moved[n_left - 1 : n_left] = [ordered[-5]]
    return np.array(moved)


def _past_tied_ends(distinct: FloatArray, counts: IntArray) -> tuple[list[float], list[float]]:
    """The first value past a heavily tied smallest one, and the last before a heavily tied largest one."""
    share = counts / counts.sum()
    if share[1:-1].max() >= TIED_SHARE:
        return [], []
    return (
        [float(distinct[1])] if share[0] >= TIED_SHARE else [],
        [float(distinct[-2])] if share[-1] >= TIED_SHARE else [],
    )


def _even_quantiles(values: FloatArray, n_left: int, outer: float) -> FloatArray:
    """The knots that tied ends leave to the quantiles."""
    if not len(values):
        return np.empty(0)
    if n_left == 1:
        return np.array([np.median(values)])
    return np.asarray(np.quantile(values, np.linspace(0.5 if n_left == 2 else outer, 1 - outer, n_left)), np.float64)


def spline_basis(values: ArrayLike, knots: ArrayLike) -> FloatArray:
    """The basis of a restricted cubic spline: cubic between its knots, linear beyond the outer two.

    With knots t1 < ... < tk and u+ = max(u, 0), column 1 is x and column j + 1, for j = 1 ... k - 2, is

        [(x - tj)+^3 - (x - t(k-1))+^3 (tk - tj)/(tk - t(k-1)) + (x - tk)+^3 (t(k-1) - tj)/(tk - t(k-1))] / (tk - t1)^2

    so that every column is in the unit of x.

    Parameters
    ----------
    values : array-like, shape (n,)
    knots : array-like, shape (k,)
        At least 3, increasing.

    Returns
    -------
    ndarray, shape (n, k - 1)

    Notes
    -----
    As R's ``Hmisc::rcspline.eval(x, knots, norm = 2, inclx = TRUE)``. Durrleman and Simon (1989), Stat Med 8:551;
    Harrell (2015), section 2.4.5.

    Examples
    --------
    >>> spline_basis([0.0, 1.0, 2.0], [0.0, 1.0, 2.0]).tolist()
    [[0.0, 0.0], [1.0, 0.25], [2.0, 1.5]]
    """
    x, t = np.asarray(values, dtype=np.float64), np.asarray(knots, dtype=np.float64)
    size = (t[-1] - t[0]) ** (2 / 3)
    cubes = np.maximum((x[:, None] - t) / size, 0.0) ** 3
    last = t[-1] - t[-2]
    bent = cubes[:, :-2] - cubes[:, -2:-1] * ((t[-1] - t[:-2]) / last) + cubes[:, -1:] * ((t[-2] - t[:-2]) / last)
    return np.column_stack([x, bent])
