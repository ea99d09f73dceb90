"""Reading the frames of curves that functions hand to one another, stratum by stratum."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError, NotEstimable

CURVE_COLUMNS = ("stratum", "time", "n_risk", "n_event", "survival", "std_error", "conf_low", "conf_high")


def strata_of(curves: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each stratum, in stratum order; a frame that holds no curves is refused."""
    if not isinstance(curves, pd.DataFrame):
        raise InputError(f"curves: expected the frame that kaplan_meier returns, got {type(curves).__name__}")
    missing = [name for name in CURVE_COLUMNS if name not in curves]
    if missing:
        raise InputError(f"curves: no columns {', '.join(missing)}; give the frame that kaplan_meier returns")
    if curves.empty:
        raise InputError("curves: the frame has no rows")
    return {str(label): rows for label, rows in curves.groupby("stratum", observed=True, sort=True)}


def pairs_of(labels: list[str]) -> list[tuple[str, str]]:
    """Every pair of strata in stratum order; one stratum alone has nothing to be compared with."""
    if len(labels) < 2:
        raise NotEstimable(f"need at least 2 strata to compare, the curves hold {len(labels)} ({labels[0]!r})")
    return list(combinations(labels, 2))


def label_column(values: Sequence[str], labels: Sequence[str]) -> pd.Series:
    """Stratum labels as an ordered categorical column in stratum order."""
    return pd.Series(values, dtype=pd.CategoricalDtype(list(labels), ordered=True))


def code_column(codes: NDArray[np.integer], labels: Sequence[str], *, ordered: bool = True) -> pd.Series:
    """The same from codes, without a string for each row."""
    kind = pd.CategoricalDtype(list(labels), ordered=ordered)
    return pd.Series(pd.Categorical.from_codes(cast("Sequence[int]", codes), dtype=kind))
