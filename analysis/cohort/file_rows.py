"""The row of the file in which each row of a cohort stands, as a spreadsheet numbers them: for messages only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_KEY = "file_rows"


def set_file_rows(cohort: pd.DataFrame, numbers: Sequence[int]) -> None:
    """Note the rows of the file in `cohort.attrs`: runs of rows that follow one another, and how many rows there are.

    Examples
    --------
    >>> cohort = pd.DataFrame({"x": [1, 2, 3]})
    >>> set_file_rows(cohort, [2, 3, 7])
    >>> cohort.attrs["file_rows"], file_rows(cohort).tolist()
    ([3, [0, 2], [2, 7]], [2, 3, 7])
    """
    given = np.asarray(numbers, dtype=np.int64)
    starts = np.flatnonzero(np.diff(given, prepend=given[:1] - 2) != 1)
    cohort.attrs[_KEY] = [len(given), *([int(start), int(given[start])] for start in starts)]


def file_rows(data: pd.DataFrame | pd.Series) -> NDArray[np.int64] | None:
    """The row of the file of each row; None where the rows are no longer those of a file, or in another order."""
    noted = data.attrs.get(_KEY)
    index = data.index
    if not noted or not pd.api.types.is_integer_dtype(index.dtype) or not index.is_unique or not len(index):
        return None
    n_rows, *runs = noted
    places = np.asarray(index, dtype=np.int64)
    renumbered = len(places) < n_rows and bool((places == np.arange(len(places))).all())  # the first rows, or any
    if renumbered or places.min() < 0 or places.max() >= n_rows:
        return None
    starts = np.array([start for start, _ in runs])
    run = np.searchsorted(starts, places, side="right") - 1
    firsts = np.array([number for _, number in runs], dtype=np.int64)
    return np.asarray(firsts[run] + places - starts[run], dtype=np.int64)
