"""Table 1: the cohort by group, with standardised mean differences in place of p-values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import cast

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import column_problems, holds_numbers, numbers
from analysis.errors import dropped_warnings, raise_all, warn_all
from analysis.kernels import tolerances
from analysis.survival.rows import Groups, group_rows, grouping_problems, label_problems, listed, no_rows_left

COLUMNS = (
    "variable", "level", "stratum", "n", "n_missing",
    "mean", "std", "median", "q25", "q75", "count", "share", "smd",
)  # fmt: skip

Row = dict[str, object]


def baseline_table(cohort: pd.DataFrame, *, by: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Describe a cohort by group: numbers by moments and quartiles, labels and indicators by counts.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    by : str
        The column of group labels; rows where it is missing are left out.
    columns : sequence of str, optional
        What to describe, in this order; without it every column but `by`, dates, lists, and text that differs in
        every row.

    Returns
    -------
    DataFrame
        One row for each number and group, and for each level of anything else and group: variable, level ("" for a
        number), stratum, n (values known), n_missing, mean, std (n - 1), median, q25, q75 (type 7), count and share
        (of n) of the level, smd. Columns that do not apply are NaN; smd is the same on every row of a variable.

    Raises
    ------
    CohortError
        With every fault: missing columns, infinite values, dates, `by` a measurement or missing throughout.

    Warns
    -----
    RowsDropped
        When `by` is missing in some rows.

    Notes
    -----
    smd is the largest standardised difference between two groups; 0.1 is often taken as the bound of balance. A number:
    |m1 - m2| / sqrt((s1^2 + s2^2) / 2). An indicator: |p1 - p2| / sqrt((p1 (1 - p1) + p2 (1 - p2)) / 2). K levels: with
    the shares of all but one level as vectors p and q, sqrt((p - q)' S^-1 (p - q)), where S is the mean of both groups'
    multinomial covariances, diag(p) - p p'; which level is left out changes nothing. Where groups that differ do not
    vary it is undefined (NaN), as it is where a group has fewer than two known numbers, or no known label.

    Sources: Austin, Statistics in Medicine 2009;28:3083; Yang and Dalton, SAS Global Forum 2012, paper 335. For two
    groups and a number it is R's ``tableone::ExtractSmd``.

    Examples
    --------
    >>> cohort = pd.DataFrame({"arm": ["a", "a", "b", "b"], "age": [60, 62, 63, 65], "ppi": [0, 1, 1, 1]})
    >>> table = baseline_table(cohort, by="arm")
    >>> table[["variable", "level", "stratum", "mean", "count", "smd"]].round(2)
      variable level stratum  mean  count   smd
    0      age             a  61.0    NaN  2.12
    1      age             b  64.0    NaN  2.12
    2      ppi     0       a   NaN    1.0  1.41
    3      ppi     0       b   NaN    0.0  1.41
    4      ppi     1       a   NaN    1.0  1.41
    5      ppi     1       b   NaN    2.0  1.41
    """
    names = list(cohort.columns) if columns is None and isinstance(cohort, pd.DataFrame) else list(listed(columns))
    raise_all(column_problems(cohort, [by, *names]))
    raise_all(grouping_problems(cohort[by]))
    used = cohort[cohort[by].notna()]
    n_dropped = len(cohort) - len(used)
    if used.empty:
        raise no_rows_left({f"missing {by}": n_dropped})
    groups = group_rows(used, [by])
    problems: list[str] = []
    rows: list[Row] = []
    for name in _describable(used, by) if columns is None else dict.fromkeys(names):
        rows += _described(used, name, groups, problems)
    raise_all(problems)
    warn_all(dropped_warnings(len(cohort), len(used), {f"missing {by}": n_dropped} if n_dropped else {}))
    table = pd.DataFrame(rows, columns=pd.Index(COLUMNS))
    return table.astype({"stratum": pd.CategoricalDtype(list(groups.labels), ordered=True)})


def _describable(cohort: pd.DataFrame, by: str) -> list[str]:
    """The columns worth a line: neither groups, nor dates, nor names of patients."""
    chosen = []
    for name, column in cohort.items():
        if name == by or _is_date(column):
            continue
        if holds_numbers(column) or (not label_problems(column) and not column.nunique() == len(column) > 1):
            chosen.append(cast("str", name))
    return chosen


def _is_date(column: pd.Series) -> bool:
    """Whether a column holds dates or time spans."""
    return pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype)


def _described(cohort: pd.DataFrame, name: str, groups: Groups, problems: list[str]) -> list[Row]:
    """The rows of one variable; adds to `problems` why it has none."""
    column = cohort[name]
    if _is_date(column):
        problems.append(f"column {name!r}: holds dates, which Table 1 cannot describe; leave it out with columns=")
        return []
    if not holds_numbers(column):
        cells = label_problems(column)
        if cells:
            problems += cells
            return []
        known = column.notna().to_numpy(dtype=bool)
        levels = group_rows(cohort[known], [name]) if known.any() else Groups(np.empty(0, dtype=np.int64), ())
        codes = np.full(len(column), -1)
        codes[known] = levels.codes
        return _level_rows(name, Groups(codes, levels.labels), groups)
    before = len(problems)
    values = numbers(cohort, name, problems)
    if len(problems) > before:
        return []
    if np.isin(values[~np.isnan(values)], (0, 1)).all() and not np.isnan(values).all():
        codes = np.where(np.isnan(values), -1, values).astype(np.int64)
        return _level_rows(name, Groups(codes, ("0", "1")), groups)
    return _number_rows(name, values, groups)


def _number_rows(name: str, values: FloatArray, groups: Groups) -> list[Row]:
    """One row a group: moments and quartiles."""
    parts = [values[(groups.codes == code) & ~np.isnan(values)] for code in range(len(groups.labels))]
    smd = _largest([_number_difference(a, b) for a, b in combinations(parts, 2)])
    rows: list[Row] = []
    for code, (stratum, part) in enumerate(zip(groups.labels, parts, strict=True)):
        q25, median, q75 = np.quantile(part, (0.25, 0.5, 0.75)) if len(part) else (np.nan,) * 3
        rows.append(
            {
                "variable": str(name),
                "level": "",
                "stratum": stratum,
                "n": len(part),
                "n_missing": int((groups.codes == code).sum()) - len(part),
                "mean": part.mean() if len(part) else np.nan,
                "std": part.std(ddof=1) if len(part) > 1 else np.nan,
                "median": median,
                "q25": q25,
                "q75": q75,
                "smd": smd,
            }
        )
    return rows


def _level_rows(name: str, levels: Groups, groups: Groups) -> list[Row]:
    """One row a level and group: counts and shares; a level's code is -1 where it is missing."""
    shape = (len(groups.labels), len(levels.labels))
    known = levels.codes >= 0
    counts = np.zeros(shape)
    np.add.at(counts, (groups.codes[known], levels.codes[known]), 1)
    n_known = counts.sum(axis=1)
    n_rows = np.bincount(groups.codes, minlength=shape[0])
    shares = np.divide(counts, n_known[:, None], out=np.full(shape, np.nan), where=n_known[:, None] > 0)
    smd = _largest([_share_difference(a, b) for a, b in combinations(shares, 2)])
    return [
        {
            "variable": str(name),
            "level": level,
            "stratum": stratum,
            "n": int(n_known[row]),
            "n_missing": int(n_rows[row] - n_known[row]),
            "count": counts[row, index],
            "share": shares[row, index],
            "smd": smd,
        }
        for index, level in enumerate(levels.labels)
        for row, stratum in enumerate(groups.labels)
    ]


def _largest(differences: Sequence[float]) -> float:
    """The largest difference; NaN when one is undefined, or there is no pair of groups."""
    return max(differences) if differences and not np.isnan(differences).any() else float("nan")


def _number_difference(a: FloatArray, b: FloatArray) -> float:
    """The difference of two means over the root of the mean variance; 0 where equal groups do not vary."""
    if min(len(a), len(b)) < 2:
        return float("nan")
    if a.min() == a.max() and b.min() == b.max():  # asked of the values, whose computed variance may be rounding
        return 0.0 if a[0] == b[0] else float("nan")
    power = -int(np.frexp(max(np.abs(a).max(), np.abs(b).max()))[1])  # squares of tiny values would be 0
    a, b = np.ldexp(a, power), np.ldexp(b, power)
    return float(abs(a.mean() - b.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))


def _share_difference(p: FloatArray, q: FloatArray) -> float:
    """The Mahalanobis distance of two sets of shares over their mean covariance; NaN where it is infinite."""
    if np.isnan(p).any() or np.isnan(q).any():
        return float("nan")
    present = (p + q) > 0
    p, q = p[present], q[present]
    difference = p - q
    if np.allclose(difference, 0, rtol=0, atol=tolerances.NO_DIFFERENCE):
        return 0.0
    covariance = sum(np.diag(shares) - np.outer(shares, shares) for shares in (p, q)) / 2
    solution = np.linalg.lstsq(covariance, difference, rcond=tolerances.SINGULAR)[0]  # shares sum to one
    reached = np.allclose(covariance @ solution, difference, rtol=0, atol=tolerances.SPANNED)
    return float(np.sqrt(difference @ solution)) if reached else float("nan")
