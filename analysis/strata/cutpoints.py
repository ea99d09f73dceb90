"""Where a continuous marker is cut, and who says so; published cut-points, the sample's quantiles; rows into strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from itertools import pairwise
from math import isfinite
from numbers import Real
from typing import Literal, cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import column_problems, first_few, numbers
from analysis.cohort.units import MagnesiumUnit, convert_magnesium

Rule = Literal["clinical", "quantile", "searched"]
Closed = Literal["left", "right"]

FEWEST_DIGITS, MOST_DIGITS = 4, 17
FEWEST_ROWS = 5
SMALLEST_SHARE = 0.10
ROUNDING_UNITS = 8
DOUBLE = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Cutpoints:
    """Inner edges that cut a marker into groups, with the group's labels and the source of the edges.

    Parameters
    ----------
    edges : sequence of float
        Finite, increasing, in `unit`.
    labels : sequence of str
        From the lowest group to the highest; one more than edges.
    unit : str
        The marker's unit, as "mmol/L"; empty where it has none.
    source : str
        Who says so: a reference, a laboratory, a protocol, "the sample's quartiles".
    rule : {"clinical", "quantile", "searched"}
        How the edges were found. A searched cut was chosen by looking at outcomes: its effect is overstated in the
        data it was found in.
    closed : {"left", "right"}
        Where a value equal to an edge belongs: "left" makes groups [edge, next edge), "right" (edge, next edge].

    Raises
    ------
    InputError
        With every fault: edges that are no finite increasing numbers, another number of labels than edges + 1,
        labels used twice, no source, an unknown rule or side.

    Examples
    --------
    >>> cut = Cutpoints((0.75,), ("low", "not low"), unit="mmol/L", source="our laboratory's lower limit")
    >>> cut.intervals()
    ('< 0.75 mmol/L', '≥ 0.75 mmol/L')
    """

    edges: tuple[float, ...]
    labels: tuple[str, ...]
    _: KW_ONLY
    unit: str = ""
    source: str
    rule: Rule = "clinical"
    closed: Closed = "left"

    def __post_init__(self) -> None:
        edges = tuple(np.ravel(np.asarray(self.edges, dtype=object)))
        labels = (self.labels,) if isinstance(self.labels, str) else tuple(self.labels)
        errors.raise_all(
            _edge_problems(edges) + _label_problems(labels, len(edges)) + self._word_problems(), errors.InputError
        )
        object.__setattr__(self, "edges", tuple(float(edge) for edge in edges))
        object.__setattr__(self, "labels", labels)

    def _word_problems(self) -> list[str]:
        """What is wrong with source, rule and closed."""
        problems = []
        if not str(self.source).strip():
            problems.append(
                "cut-points: source is empty; say who set the edges (a reference, a laboratory, a protocol)"
            )
        for name, value, choices in (("rule", self.rule, get_args(Rule)), ("closed", self.closed, get_args(Closed))):
            if value not in choices:
                problems.append(f"cut-points: {name}={value!r}; choose one of {first_few(map(repr, choices))}")
        return problems

    def intervals(self) -> tuple[str, ...]:
        """What each group spans, in words for legends and tables.

        Returns
        -------
        tuple of str
            One a label, in the same order; the edges with four digits, or as many as keep them apart.

        Examples
        --------
        >>> clinical_cutpoints("nhanes-1").intervals()
        ('< 0.75 mmol/L', '0.75 to < 0.95 mmol/L', '≥ 0.95 mmol/L')
        """
        shown = edges_as_text(self.edges)
        pairs = list(pairwise(shown))
        if self.closed == "left":
            spans = [f"< {shown[0]}", *(f"{low} to < {high}" for low, high in pairs), f"≥ {shown[-1]}"]
        else:
            spans = [f"≤ {shown[0]}", *(f"> {low} to {high}" for low, high in pairs), f"> {shown[-1]}"]
        return tuple(f"{span} {self.unit}".strip() for span in spans)

    def to_unit(self, unit: str) -> Cutpoints:
        """The same cut-points of a magnesium concentration in another unit.

        Parameters
        ----------
        unit : {"mmol/L", "mg/dL", "mEq/L"}
            The unit wanted: 1 mg/dL = 10/24.305 mmol/L, 1 mEq/L = 0.5 mmol/L.

        Returns
        -------
        Cutpoints
            Its source tells the edges as first given.

        Raises
        ------
        InputError
            When either unit is none of the three.

        Examples
        --------
        >>> mayo = clinical_cutpoints("mayo").to_unit("mmol/L")
        >>> [round(edge, 4) for edge in mayo.edges]
        [0.6994]
        """
        if unit == self.unit:
            return self
        converted = convert_magnesium(
            np.asarray(self.edges, dtype=np.float64), unit=cast(MagnesiumUnit, self.unit), to=cast(MagnesiumUnit, unit)
        )
        as_given = f"given as {', '.join(edges_as_text(self.edges))} {self.unit}"
        return replace(
            self, edges=tuple(np.asarray(converted).tolist()), unit=unit, source=f"{self.source} ({as_given})"
        )


def _edge_problems(edges: Sequence[object]) -> list[str]:
    """What is wrong with the edges."""
    if not edges:
        return ["cut-points: no edges; give at least one"]
    unfit = [edge for edge in edges if not isinstance(edge, Real) or isinstance(edge, bool) or not isfinite(edge)]
    if unfit:
        return [f"cut-points: edges must be finite numbers, got {first_few(map(repr, unfit))}"]
    values = np.asarray(edges, dtype=np.float64)
    if (np.diff(values) > 0).all():
        return []
    return [f"cut-points: edges {first_few(f'{edge:g}' for edge in values)} must increase, each given once; sort them"]


def _label_problems(labels: Sequence[object], n_edges: int) -> list[str]:
    """What is wrong with the labels."""
    problems = []
    if len(labels) != n_edges + 1:
        counts = f"{n_edges} edge{'s' * (n_edges != 1)} make {n_edges + 1} groups, but there are {len(labels)} labels"
        problems.append(f"cut-points: {counts} ({first_few(map(repr, labels))})")
    unfit = [label for label in labels if not isinstance(label, str) or not label.strip()]
    if unfit:
        problems.append(f"cut-points: labels must be text, got {first_few(map(repr, unfit))}")
    twice = [label for label in dict.fromkeys(labels) if list(labels).count(label) > 1]
    if twice:
        problems.append(f"cut-points: labels must differ, {first_few(map(repr, twice))} is given more than once")
    return problems


def edges_as_text(edges: Sequence[float]) -> list[str]:
    """The edges with four significant digits, or as many more as tell them apart."""
    for digits in range(FEWEST_DIGITS, MOST_DIGITS):
        shown = [np.format_float_positional(edge, precision=digits, fractional=False, trim="-") for edge in edges]
        if len(set(shown)) == len(shown):
            return shown
    return [repr(edge) for edge in edges]


Published = Literal["nhanes-1", "rcpa-aacb", "mayo", "ejc-2024"]
CLINICAL_NAMES: tuple[Published, ...] = get_args(Published)


def clinical_cutpoints(name: Published = "nhanes-1") -> Cutpoints:
    """Published cut-points of serum magnesium.

    Parameters
    ----------
    name : {"nhanes-1", "rcpa-aacb", "mayo", "ejc-2024"}
        - "nhanes-1": 0.75 and 0.95 mmol/L; low, reference, high. The reference interval drawn from NHANES I.
        - "rcpa-aacb": 0.70 and 1.10 mmol/L; low, reference, high. The harmonised interval of Australasian laboratories.
        - "mayo": 1.7 mg/dL; low, not low. The lower limit of the Mayo Clinic's laboratory, in its own unit.
        - "ejc-2024": 0.79 mmol/L; lower, higher. Searched in the data of its paper (`rule` is "searched") and inside
          every reference interval above: a patient at 0.78 is lower, not hypomagnesaemic.

    Returns
    -------
    Cutpoints
        A value equal to an edge belongs to the group above it.

    Raises
    ------
    InputError
        For another name.

    Examples
    --------
    >>> cut = clinical_cutpoints("rcpa-aacb")
    >>> cut.edges, cut.labels, cut.unit
    ((0.7, 1.1), ('low', 'reference', 'high'), 'mmol/L')
    """
    if name not in CLINICAL_NAMES:
        raise errors.InputError(
            f"no clinical cut-points {name!r}; choose one of {first_few(map(repr, CLINICAL_NAMES))}"
        )
    return _PUBLISHED[name]


_REFERENCE_LABELS = ("low", "reference", "high")

_PUBLISHED: dict[Published, Cutpoints] = {
    "nhanes-1": Cutpoints(
        (0.75, 0.95),
        _REFERENCE_LABELS,
        unit="mmol/L",
        source="Costello et al., Adv Nutr 2016 (PubMed 28140318): reference interval from NHANES I",
    ),
    "rcpa-aacb": Cutpoints(
        (0.70, 1.10),
        _REFERENCE_LABELS,
        unit="mmol/L",
        source="RCPA/AACB harmonised reference interval for adults (Australasia)",
    ),
    "mayo": Cutpoints(
        (1.7,),
        ("low", "not low"),
        unit="mg/dL",
        source="Gile et al., Blood Cancer J 2021;11:65 (DOI 10.1038/s41408-021-00452-0): the laboratory's lower limit",
    ),
    "ejc-2024": Cutpoints(
        (0.79,),
        ("lower", "higher"),
        unit="mmol/L",
        source="Eur J Cancer 2024;213:115069 (PubMed 39489925): an optimal cut-off searched in that paper's own data",
        rule="searched",
    ),
}


def cutpoint_table(*cutpoints: Cutpoints) -> pd.DataFrame:
    """Every edge of several cut-points, with who says so.

    Parameters
    ----------
    *cutpoints : Cutpoints
        In one unit; convert with `Cutpoints.to_unit` first.

    Returns
    -------
    DataFrame
        edge, label (the edge with its unit), source, searched (whether it was found by looking at outcomes); by edge.

    Examples
    --------
    >>> from analysis import clinical_cutpoints
    >>> cutpoint_table(clinical_cutpoints("nhanes-1"))[["edge", "searched"]].values.tolist()
    [[0.75, False], [0.95, False]]
    """
    rows = [
        (edge, f"{edge:.3g} {cut.unit}".strip(), cut.source, cut.rule == "searched")
        for cut in cutpoints
        for edge in cut.edges
    ]
    frame = pd.DataFrame(rows, columns=["edge", "label", "source", "searched"])
    return frame.sort_values("edge", kind="stable", ignore_index=True)


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
        raise errors.InputError(f"n_groups={n_groups!r}; give a whole number of at least 2")
    present = _sorted_values(values)
    edges = [_quantile(present, number, n_groups) for number in range(1, n_groups)]
    kept = _separating(edges, present)
    if not kept:
        raise errors.NotEstimable(
            f"{n_groups} quantile groups: every edge equals the smallest or the largest of {len(present)} values"
            f" ({present[0]:g}, {present[-1]:g}); the marker has too many ties to be cut at quantiles"
        )
    labels = _merged_labels(kept, n_groups)
    if len(kept) < len(edges):
        text = f"{n_groups} quantile groups asked for, {len(labels)} made ({first_few(labels)}): ties in the values"
        errors.warn_all([errors.TiedEdges(text)])
    source = f"the sample's {n_groups}-quantiles, n = {len(present)}"
    return Cutpoints(tuple(kept.values()), labels, source=source, rule="quantile", closed="right")


def _sorted_values(values: ArrayLike | pd.Series) -> FloatArray:
    """The non-missing values as sorted float64."""
    array = values if isinstance(values, pd.Series) else np.asarray(values)
    if array.ndim != 1:
        raise errors.InputError(
            f"values: expected one column of numbers, got {type(values).__name__} of shape {array.shape}; give one, as"
            " cohort[marker], and rename it first when its name stands twice"
        )
    column = pd.Series(array)
    name = "values" if column.name is None else str(column.name)
    problems: list[str] = []
    numeric = numbers(column.to_frame(name), name, problems)
    errors.raise_all(problems, errors.CohortError)
    present = np.sort(numeric[~np.isnan(numeric)])
    if not len(present):
        raise errors.CohortError(f"no non-missing values in {name!r}")
    return present


def _quantile(present: FloatArray, number: int, n_groups: int) -> float:
    """The type-7 quantile at number / n_groups, its position in whole numbers so that no rounding shifts it."""
    below, rest = divmod(number * (len(present) - 1), n_groups)
    if not rest:
        return float(present[below])
    share = rest / n_groups
    return float((1 - share) * present[below] + share * present[below + 1])


def _separating(edges: Sequence[float], present: FloatArray) -> dict[int, float]:
    """The edges that part values, by their number (1 is the first); of equal edges the last."""
    by_value = {edge: number for number, edge in enumerate(edges, start=1) if present[0] < edge < present[-1]}
    return {number: edge for edge, number in by_value.items()}


def _merged_labels(kept: dict[int, float], n_groups: int) -> tuple[str, ...]:
    """The group's name, "Q1", or "Q1-Q2" where the edge between was dropped."""
    ends = [*kept, n_groups]
    starts = [1, *(number + 1 for number in kept)]
    return tuple(f"Q{a}" if a == b else f"Q{a}-Q{b}" for a, b in zip(starts, ends, strict=True))


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
    errors.raise_all(problems)
    values = numbers(cohort, marker, problems, role="marker column")
    errors.raise_all(problems)
    errors.raise_all(range_problems(values, cutpoints, marker))
    codes = stratum_codes(values, cutpoints, column_precision(cohort[marker]))
    result = cohort.copy()
    result[into] = pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(cutpoints.labels), ordered=True)
    errors.warn_all(_stratum_warnings(codes, cutpoints, marker))
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


def _stratum_warnings(codes: IntArray, cutpoints: Cutpoints, marker: str) -> list[errors.AnalysisWarning]:
    """Warnings when rows are in no stratum, and when strata hold no rows or few."""
    n_read, n_used = len(codes), int((codes >= 0).sum())
    warnings: list[errors.AnalysisWarning] = []
    if n_used < n_read:
        warnings.append(errors.RowsDropped(n_read, n_used, {f"missing {marker}": n_read - n_used}))
    counts = np.bincount(codes[codes >= 0], minlength=len(cutpoints.labels))
    for label, interval, count in zip(cutpoints.labels, cutpoints.intervals(), counts.tolist(), strict=True):
        stratum = f"stratum {label!r} ({marker} {interval})"
        if count == 0:
            warnings.append(errors.EmptyStratum(f"{stratum} holds no row"))
        elif count < FEWEST_ROWS or count < SMALLEST_SHARE * n_used:
            warnings.append(
                errors.SmallStratum(f"{stratum} holds {count} of {n_used} rows; its estimates will be unstable")
            )
    return warnings
