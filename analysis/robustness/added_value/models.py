"""The models without and with the marker: fitted to rows, and applied to the same or to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import NotEstimable
from analysis.kernels import cutpoints
from analysis.survival.cox import CoxFit, CoxModel, fit_design, read_design
from analysis.survival.formulas import quoted
from analysis.survival.prediction import Predictor, predictor_of

ABOVE_CUT = "above the searched cut"
FRACTIONS = (0.1, 0.9)
"""A searched cut leaves at least this share of the rows on either side, as `search_cutpoint` by default."""


@dataclass(frozen=True, eq=False)
class FittedPair:
    """Both models of one set of rows, and the cut that was searched in them (NaN: none)."""

    fits: tuple[CoxFit, CoxFit]
    marker: str
    cut: float

    def of(self, rows: pd.DataFrame) -> tuple[Predictor, Predictor]:
        """The predictions of both models for other rows."""
        marked = with_group(rows, self.marker, self.cut)
        without, with_marker = self.fits
        return predictor_of(without, marked), predictor_of(with_marker, marked)


@dataclass(frozen=True, eq=False)
class ModelPair:
    """What both models hold.

    Attributes
    ----------
    endpoint : Endpoint
    base : str
        The formula without the marker.
    marker : str
        A column, or the terms that stand for the marker.
    strata : tuple of str
    search_cut : bool
        Whether the marker is cut where the log-rank statistic is largest, anew in every set of rows.
    """

    endpoint: Endpoint
    base: str
    marker: str
    strata: tuple[str, ...]
    search_cut: bool

    def fitted(self, rows: pd.DataFrame) -> FittedPair:
        """Both models fitted to rows."""
        cut = self._cut(rows) if self.search_cut else float("nan")
        marked = with_group(rows, self.marker, cut)
        added = quoted(f"{self.marker} {ABOVE_CUT}") if self.search_cut else as_formula(self.marker, rows)
        without, with_marker = (self._fit(marked, text) for text in (self.base, f"{self.base} + {added}"))
        return FittedPair((without, with_marker), self.marker, cut)

    def _fit(self, rows: pd.DataFrame, formula: str) -> CoxFit:
        """One model; one without finite estimates is an error."""
        design = read_design(rows, self.endpoint, formula, strata=self.strata)
        fit = fit_design(design, CoxModel(self.endpoint, formula, strata=self.strata, engine="kernel"))
        if fit.maximum.directions:
            raise NotEstimable(
                f"the model {formula!r} has no finite estimate (separation); join levels, or leave terms out"
            )
        return fit

    def _cut(self, rows: pd.DataFrame) -> float:
        """The cut of the largest log-rank statistic."""
        columns = (self.marker, self.endpoint.duration, self.endpoint.event)
        values, time, event = (rows[name].to_numpy(dtype=np.float64) for name in columns)
        order = np.argsort(values, kind="stable")
        low, high = FRACTIONS
        cut = cutpoints.cut_of_resamples(
            values[order], time[order], event[order] == 1, np.ones((1, len(order))), min_fraction=low, max_fraction=high
        )
        if np.isnan(cut[0]):
            raise NotEstimable(f"marker {self.marker!r}: no cut leaves enough rows on either side")
        return float(cut[0])


def with_group(rows: pd.DataFrame, marker: str, cut: float) -> pd.DataFrame:
    """The rows with a column for those above the cut, where there is one."""
    if np.isnan(cut):
        return rows
    return rows.assign(**{f"{marker} {ABOVE_CUT}": (rows[marker] > cut).astype(np.float64)})


def as_formula(terms: str | Sequence[str], rows: pd.DataFrame) -> str:
    """A column's name in backticks, a formula as it is, or several of them joined to one.

    Examples
    --------
    >>> as_formula(["serum mg", "log2(crp)"], pd.DataFrame({"serum mg": [0.8], "crp": [5.0]}))
    '`serum mg` + log2(crp)'
    """
    if isinstance(terms, (str, int)):
        return quoted(terms) if terms in rows.columns else str(terms)
    return " + ".join(as_formula(term, rows) for term in terms)
