"""Reading the frames of curves that functions hand to one another, stratum by stratum."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import column_problems, first_few, numbers, rows_where, with_columns
from analysis.errors import InputError, NotEstimable, raise_all
from analysis.kernels.times import n_times_to
from analysis.survival.rows import group_rows, label_problems

CURVE_COLUMNS = ("stratum", "time", "n_risk", "n_event", "survival", "std_error", "conf_low", "conf_high")
EVENT_TIMES, QUANTILES, CHOSEN_TIMES = "event times", "quantiles of event times", "chosen times"
"""What the rows of adjusted curves stand at, in their column `rows_at`."""


def strata_of(curves: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each stratum, in stratum order; a frame that holds no curves is refused."""
    if not isinstance(curves, pd.DataFrame):
        raise InputError(f"curves: expected the frame that kaplan_meier returns, got {type(curves).__name__}")
    missing = [name for name in CURVE_COLUMNS if name not in curves]
    if missing:
        raise InputError(f"curves: no columns {', '.join(missing)}; give the frame that kaplan_meier returns")
    if curves.empty:
        raise InputError("curves: the frame has no rows")
    raise_all([f"curves: {problem}" for problem in column_problems(curves, CURVE_COLUMNS)], InputError)
    typed = _typed(curves)
    return {str(label): rows for label, rows in typed.groupby("stratum", observed=True, sort=True)}


def _typed(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves whose columns are numbers and whose times go up in each stratum; from a file, they may not be."""
    problems = label_problems(curves["stratum"])
    columns = {name: numbers(curves, name, problems) for name in CURVE_COLUMNS[1:]}
    for name, missing in (
        ("stratum", curves["stratum"].isna().to_numpy(dtype=bool)),
        ("time", np.isnan(columns["time"])),
    ):
        problems += [f"column {name!r}: missing in {rows_where(missing)}"] if missing.any() else []
    if not problems:
        falls = pd.Series(columns["time"]).groupby(group_rows(curves, ["stratum"]).codes).diff() < 0
        problems += (
            [f"times fall within a stratum in {rows_where(falls.to_numpy())}; sort the rows"] if falls.any() else []
        )
    raise_all([f"curves: {problem}" for problem in problems], InputError)
    odd = {name: columns[name] for name in columns if not _is_plain(curves[name])}
    return with_columns(curves, odd) if odd else curves


def _is_plain(column: pd.Series) -> bool:
    """Whether numpy holds the numbers of a column."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf"


def steps_of(curves: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The same of curves that hold every step; those at chosen times are refused, as they fell between their rows."""
    strata = strata_of(curves)
    if _at_chosen_times(curves):
        raise InputError(f"curves: their rows stand at chosen times only, and {_BETWEEN}")
    return strata


def strata_at(curves: pd.DataFrame, at: FloatArray, *, extend: bool) -> dict[str, pd.DataFrame]:
    """The same of curves that are read at given times; the values of those at chosen times hold at these alone."""
    strata = strata_of(curves)
    if not _at_chosen_times(curves):
        return strata
    unknown = np.zeros(len(at), dtype=bool)
    for rows in strata.values():
        times = rows["time"].to_numpy(dtype=np.float64)
        following = n_times_to(times, at, side="left")
        unknown |= (n_times_to(times, at) == following) & (extend | (following < len(times)))
    if unknown.any():
        shown = first_few(f"{time:g}" for time in at[unknown])
        raise InputError(f"curves: no row at {shown}, only at chosen times, and {_BETWEEN}")
    return strata


_BETWEEN = (
    "what happened between those is not in the frame; leave times out of adjusted_curves to have every event time"
)


def _at_chosen_times(curves: pd.DataFrame) -> bool:
    """Whether the frame says that its rows are not the steps of the curves."""
    return "rows_at" in curves and bool((curves["rows_at"] == CHOSEN_TIMES).any())


def pairs_of(labels: list[str]) -> list[tuple[str, str]]:
    """Every pair of strata in stratum order; one stratum alone has nothing to be compared with."""
    if len(labels) < 2:
        raise NotEstimable(f"need at least 2 strata to compare, the curves hold {len(labels)} ({labels[0]!r})")
    return list(combinations(labels, 2))
