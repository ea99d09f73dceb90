"""A multiverse as tidy frames: its analyses, their curve, and the grid of choices behind it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.kernels.tails import normal_quantile
from analysis.robustness.multiverse.choices import DIMENSIONS


def analysis_table(rows: list[dict[str, object]], conf_level: float) -> pd.DataFrame:
    """The analyses as a frame, with limits and p-values by Wald."""
    from scipy.special import erfc

    table = pd.DataFrame(rows)
    table.insert(0, "analysis", np.arange(1, len(table) + 1))
    coef, std_error = table["coef"].to_numpy(np.float64), table["std_error"].to_numpy(np.float64)
    reach = normal_quantile(conf_level) * std_error
    table = table.assign(
        hazard_ratio=np.exp(coef),
        conf_low=np.exp(coef - reach),
        conf_high=np.exp(coef + reach),
        log_hazard_ratio=coef,
        p_value=erfc(np.abs(coef / std_error) / np.sqrt(2)),
    )
    counts = ["n", "n_event", "n_low", "n_excluded", "n_missing"]
    estimates = ["hazard_ratio", "conf_low", "conf_high", "log_hazard_ratio", "std_error", "p_value"]
    return table[["analysis", *DIMENSIONS, *counts, *estimates, "note", "error", "n_parameter"]]


def curve_table(analyses: pd.DataFrame, nulls: FloatArray, conf_level: float) -> pd.DataFrame:
    """The estimates in order, each rank beside what permutations find there."""
    found = analyses[analyses["error"] == ""].sort_values(["log_hazard_ratio", "analysis"])
    ranks = np.arange(1, len(found) + 1)
    columns = ["analysis", "hazard_ratio", "conf_low", "conf_high", "p_value"]
    curve = found[columns].reset_index(drop=True)
    curve.insert(0, "rank", ranks)
    ordered = [curve for curve in (_at_ranks(null, len(found)) for null in nulls) if curve is not None]
    levels = [(1 - conf_level) / 2, 0.5, (1 + conf_level) / 2]
    limits = np.quantile(ordered, levels, axis=0) if ordered and len(found) else np.full((3, len(found)), np.nan)
    low, middle, high = np.exp(limits)
    return curve.assign(null_low=low, null_median=middle, null_high=high)


def _at_ranks(null: FloatArray, n_ranks: int) -> FloatArray | None:
    """A permuted curve in order, stretched to the ranks of the observed one where fewer or more are estimable."""
    known = null[~np.isnan(null)]
    return np.quantile(known, np.linspace(0, 1, n_ranks)) if len(known) else None


def decision_grid(curve: pd.DataFrame, analyses: pd.DataFrame) -> pd.DataFrame:
    """The choices behind every rank, a row a dimension."""
    chosen = curve[["rank", "analysis"]].merge(analyses[["analysis", *DIMENSIONS]], on="analysis")
    grid = chosen.melt(
        id_vars=["rank", "analysis"], value_vars=list(DIMENSIONS), var_name="dimension", value_name="choice"
    )
    kind = pd.CategoricalDtype(list(DIMENSIONS), ordered=True)
    return grid.astype({"dimension": kind}).sort_values(["rank", "dimension"], ignore_index=True)
