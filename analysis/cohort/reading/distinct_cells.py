"""The different cells of a column, each typed once, and the rules by which numbers are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import FloatArray
from analysis.cohort.columns import rows_where
from analysis.cohort.reading.formats import FileFormat

DecimalMark = Literal[".", ","]
ThousandsMark = Literal["", ",", ".", " ", "'"]
Limits = Literal["error", "bound", "missing"]


@dataclass(frozen=True)
class CellRules:
    """How numbers are written: their marks, and what becomes of values beyond a limit ("<0.5")."""

    decimal: str = "."
    limits: Limits = "error"
    thousands: str = ""


USUAL_RULES = CellRules()


@dataclass(frozen=True, eq=False)
class DistinctCells:
    """The different cells of a column (None: missing), which of them each row holds, and each as a number (or NaN)."""

    column: pd.Series
    cells: list[object]
    codes: NDArray[np.intp]
    as_number: FloatArray
    file_format: FileFormat
    rules: CellRules

    @property
    def name(self) -> str:
        """The column's name."""
        return str(self.column.name)

    def count(self, wanted: Sequence[bool] | NDArray[np.bool_]) -> int:
        """How many rows hold one of the wanted cells."""
        return int(self._rows(wanted).sum())

    def rows(self, wanted: Sequence[bool] | NDArray[np.bool_]) -> str:
        """How many rows hold one of the wanted cells, and which."""
        return rows_where(self._rows(wanted), self.column)

    def _rows(self, wanted: Sequence[bool] | NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows hold one of the wanted cells."""
        return np.append(np.asarray(wanted, dtype=bool), False)[self.codes]

    @property
    def present(self) -> list[object]:
        """The cells that are not missing."""
        return [cell for cell in self.cells if cell is not None]

    @property
    def others(self) -> list[object]:
        """The cells that are neither missing nor numbers."""
        return [
            cell
            for cell, number in zip(self.cells, self.as_number, strict=True)
            if cell is not None and np.isnan(number)
        ]
