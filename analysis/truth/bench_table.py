"""The scores of a bench with one row a world and method, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

LOWEST_COVERAGE, WANTED_COVERAGE, HIGHEST_COVERAGE = 0.93, 0.95, 0.97
MOST_BIAS = 0.4
"""Of the standard deviation: beyond it bias spoils intervals and tests (Collins, Schafer and Kam, Psychol Methods 6
(2001) 330)."""
ERRORS_AWAY = 2.0
"""Monte-Carlo standard errors beyond which a score is told from what it should be."""
LEVEL = 0.05


def bench_table(scores: pd.DataFrame) -> pd.DataFrame:
    """One row for each world, method and estimand.

    Parameters
    ----------
    scores : DataFrame
        As `run_bench` gives them.

    Returns
    -------
    DataFrame
        world, method, estimand, target, n, bias, bias_error, misspecification, standard_deviation, relative_bias,
        relative_bias_error, coverage, coverage_error, type_1_error, type_1_error_error, power, power_error, failed,
        verdict. Answers that no target of their world judges are left out. Bias is counted away from zero: more than 0
        exaggerates; misspecification is the part of it that no
        number of patients takes away, and the relative one is in standard deviations of the estimate. The errors are
        Monte-Carlo standard errors, NaN where a method has no such score. The verdict is "holds", or what does not: a
        bias of more than 0.4 standard deviations, coverage outside 93 to 97 %, a type-I error away from 5 %, each by
        more than two Monte-Carlo errors.

    Examples
    --------
    >>> rows = [("null", "cut", "coverage", 0.90, 0.01, 900, "effect", 0.0)]
    >>> columns = ["world", "method", "score", "value", "std_error", "n", "estimand", "target"]
    >>> bench_table(pd.DataFrame(rows, columns=columns))["verdict"].tolist()
    ['intervals too narrow']
    """
    judged = scores[scores["target"].notna()]
    rows = [_row(part) for _, part in judged.groupby(["world", "method", "estimand"], sort=False, observed=True)]
    return pd.DataFrame(rows, columns=list(_ORDER))


_COLUMNS = {
    "bias": "bias away from zero",
    "misspecification": "misspecification",
    "coverage": "coverage",
    "type_1_error": "type-I error",
    "power": "power",
    "failed": "failed",
}
"""Column of the table to score of the bench."""

_ORDER = (
    *("world", "method", "estimand", "target", "n", "bias", "bias_error", "misspecification", "standard_deviation"),
    *("relative_bias", "relative_bias_error", "coverage", "coverage_error", "type_1_error", "type_1_error_error"),
    *("power", "power_error", "failed", "verdict"),
)


def _row(part: pd.DataFrame) -> dict[str, float | str]:
    """The scores of one method in one world, side by side."""
    known = part.set_index("score")[["value", "std_error"]].to_dict("index")
    row: dict[str, float] = {"target": part["target"].iloc[0], "n": part["n"].max()}
    for column, score in _COLUMNS.items():
        found = known.get(score, {})
        row |= {column: found.get("value", np.nan), f"{column}_error": found.get("std_error", np.nan)}
    square = known.get("root mean squared error", {}).get("value", np.nan) ** 2 - row["bias"] ** 2
    row["standard_deviation"] = spread = float(np.sqrt(square)) if square > 0 else np.nan
    row |= {"relative_bias": row["bias"] / spread, "relative_bias_error": row["bias_error"] / spread}
    names = {name: str(part[name].iloc[0]) for name in ("world", "method", "estimand")}
    return {**names, **row, "verdict": _verdict(row)}


def _verdict(row: Mapping[str, float]) -> str:
    """What does not hold of one method in one world; "holds" if nothing is known against it, "" if nothing is known."""
    if all(np.isnan(row[score]) for score in ("relative_bias", "coverage", "type_1_error")):
        return ""
    faults = []
    if abs(row["relative_bias"]) > max(MOST_BIAS, ERRORS_AWAY * row["relative_bias_error"]):
        faults.append("biased")
    if abs(row["coverage"] - WANTED_COVERAGE) > ERRORS_AWAY * row["coverage_error"]:
        faults += ["intervals too narrow"] * (row["coverage"] < LOWEST_COVERAGE)
        faults += ["intervals too wide"] * (row["coverage"] > HIGHEST_COVERAGE)
    away = row["type_1_error"] - LEVEL
    if abs(away) > ERRORS_AWAY * row["type_1_error_error"]:
        faults.append("rejects too often" if away > 0 else "conservative")
    return "; ".join(faults) or "holds"
