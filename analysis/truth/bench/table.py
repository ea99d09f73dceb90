"""The scores of a bench with one row a world and method, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

COVERAGE, LEVEL = 0.95, 0.05
"""What the coverage of an interval and the type-I error of a test should be."""
MUCH_BIAS = 0.4
"""Of the standard deviation: beyond it bias spoils intervals and tests (Collins, Schafer and Kam, Psychol Methods 6
(2001) 330)."""
ERRORS_AWAY = 2.0
"""Monte-Carlo standard errors beyond which a score departs from what it should be."""
NO_DEPARTURE = "no departure shown"


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
        Monte-Carlo standard errors, NaN where a method has no such score. The verdict names every score that is more
        than two Monte-Carlo errors from what it should be: a bias ("slightly biased" up to 0.4 standard deviations of
        the estimate), coverage other than 95 %, a type-I error other than 5 %. For a share the error is the one under
        the share that should be, sqrt(0.05 0.95 / n): at the share seen it would shrink towards 0 and forgive a test
        that rejects too often. "no departure shown" says no more than that: fewer data sets show less.

    Examples
    --------
    >>> rows = [("no effect", "cut", "coverage", 0.90, 0.01, 900, "effect", 0.0)]
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
    counts = {str(score): int(n) for score, n in zip(part["score"], part["n"], strict=True)}
    row: dict[str, float] = {"target": part["target"].iloc[0], "n": part["n"].max()}
    for column, score in _COLUMNS.items():
        found = known.get(score, {})
        row |= {column: found.get("value", np.nan), f"{column}_error": found.get("std_error", np.nan)}
    square = known.get("root mean squared error", {}).get("value", np.nan) ** 2 - row["bias"] ** 2
    row["standard_deviation"] = spread = float(np.sqrt(square)) if square > 0 else np.nan
    row |= {"relative_bias": row["bias"] / spread, "relative_bias_error": row["bias_error"] / spread}
    names = {name: str(part[name].iloc[0]) for name in ("world", "method", "estimand")}
    return {**names, **row, "verdict": _verdict(row, counts)}


def errors_away(share: float, wanted: float, n: float) -> float:
    """How many standard errors a share of n data sets is from the one wanted, the error that of the one wanted.

    Examples
    --------
    >>> round(errors_away(17 / 200, 0.05, 200), 2), round(errors_away(2 / 100, 0.05, 100), 2)
    (2.27, -1.38)
    """
    return float((share - wanted) / np.sqrt(wanted * (1 - wanted) / n))


def level_verdict(type_1_error: float, n: float) -> str:
    """Whether a test rejects too often or too seldom in n data sets without an effect, or no departure is shown."""
    away = errors_away(type_1_error, LEVEL, n)
    return "rejects too often" if away > ERRORS_AWAY else "conservative" if away < -ERRORS_AWAY else NO_DEPARTURE


def _verdict(row: Mapping[str, float], counts: Mapping[str, int]) -> str:
    """Every departure of one method in one world; "" where no score says what it should be."""
    if all(np.isnan(row[score]) for score in ("relative_bias", "coverage", "type_1_error")):
        return ""
    departures = []
    if abs(row["relative_bias"]) > ERRORS_AWAY * row["relative_bias_error"]:
        departures.append("biased" if abs(row["relative_bias"]) > MUCH_BIAS else "slightly biased")
    away = errors_away(row["coverage"], COVERAGE, counts.get("coverage", 1))
    departures += ["intervals too narrow"] * (away < -ERRORS_AWAY) + ["intervals too wide"] * (away > ERRORS_AWAY)
    level = level_verdict(row["type_1_error"], counts.get("type-I error", 1))
    departures += [level] * (level != NO_DEPARTURE)
    return "; ".join(departures) or NO_DEPARTURE
