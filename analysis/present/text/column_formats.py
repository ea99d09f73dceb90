"""What each column of a tidy frame is called and how its cells are printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.present.text.formatting import (
    LONG_TIME,
    MISSING,
    NOT_REACHED,
    format_count,
    format_number,
    format_p,
    format_ratio,
    format_share,
    is_missing,
)


@dataclass(frozen=True)
class ColumnFormat:
    """How the cells of a column are printed, and the limits that belong to them."""

    cell: Callable[[Any], str]
    missing: str = MISSING
    digits: int = 2
    share: bool = False


FORMATS = {
    "count": ColumnFormat(format_count),
    "share": ColumnFormat(format_share, digits=1, share=True),
    "ratio": ColumnFormat(format_ratio),
    "p": ColumnFormat(format_p),
    "time": ColumnFormat(lambda value: format_number(value, digits=1, missing=NOT_REACHED), NOT_REACHED, digits=1),
    "long time": ColumnFormat(lambda value: format_number(value, digits=0, missing=NOT_REACHED), NOT_REACHED, digits=0),
    "number": ColumnFormat(format_number),
    "number3": ColumnFormat(lambda value: format_number(value, digits=3), digits=3),
    "plain": ColumnFormat(lambda value: MISSING if is_missing(value) else f"{value:g}"),
    "edge": ColumnFormat(lambda value: MISSING if is_missing(value) else f"{value:.4g}"),
    "digits": ColumnFormat(lambda value: MISSING if is_missing(value) else f"{value:.8g}".replace("-", "−")),
    "tiny": ColumnFormat(lambda value: MISSING if is_missing(value) else (f"{value:.1e}" if value else "0")),
    "yes": ColumnFormat(lambda value: MISSING if is_missing(value) else ("yes" if value else "no")),
    "text": ColumnFormat(lambda value: MISSING if is_missing(value) else str(value)),
}

# column: heading, format of its cells
KNOWN_COLUMNS: dict[str, tuple[str, str]] = {
    "stratum": ("Stratum", "text"),
    "stratum_a": ("Stratum a", "text"),
    "stratum_b": ("Stratum b", "text"),
    "time": ("Time", "plain"),
    "horizon": ("Horizon", "plain"),
    "n": ("Patients", "count"),
    "n_read": ("Rows read", "count"),
    "n_used": ("Rows used", "count"),
    "n_risk": ("At risk", "count"),
    "n_event": ("Events", "count"),
    "n_censor": ("Censored", "count"),
    "n_missing": ("Missing", "count"),
    "n_values": ("Values compared", "count"),
    "observed": ("Observed events", "count"),
    "observed_value": ("Observed", "text"),
    "expected": ("Expected events", "number"),
    "person_time": ("Person-time", "long time"),
    "rate": ("Rate", "number"),
    "survival": ("Survival", "share"),
    "incidence": ("Cumulative incidence", "share"),
    "share": ("Share", "share"),
    "probability": ("Probability", "plain"),
    "median": ("Median", "time"),
    "restricted_mean": ("Restricted mean", "number"),
    "difference": ("Difference (b − a)", "number"),
    "ratio": ("Ratio (b / a)", "ratio"),
    "hazard_ratio": ("Hazard ratio", "ratio"),
    "coef": ("Coefficient", "number3"),
    "coefficient": ("Coefficient", "number3"),
    "correlation": ("Correlation", "number"),
    "concordance": ("Concordance", "number3"),
    "std_error": ("Standard error", "number3"),
    "robust_std_error": ("Robust standard error", "number3"),
    "statistic": ("Statistic", "number"),
    "df": ("df", "plain"),
    "p_value": ("p", "p"),
    "p_adjusted": ("Adjusted p", "p"),
    "p_naive": ("p, uncorrected", "p"),
    "p_corrected": ("p, corrected", "p"),
    "interaction_p_value": ("p for interaction", "p"),
    "share_outside": ("Share outside", "share"),
    "monte_carlo_error": ("Monte-Carlo error", "number3"),
    "effective_n": ("Effective sample size", "number"),
    "smd": ("SMD", "number"),
    "edge": ("Edge", "edge"),
    "searched": ("Searched in its data", "yes"),
    "used": ("In use here", "yes"),
    "largest_difference": ("Largest difference", "tiny"),
    "log_hazard_ratio": ("Log hazard ratio", "number3"),
    "sha256": ("SHA-256", "text"),
}
ESTIMATES = (
    "hazard_ratio", "survival", "incidence", "difference", "restricted_mean", "median", "concordance", "coef",
    "coefficient", "rate", "time",
)  # fmt: skip
HIDDEN = ("conf_type", "conf_level")


def heading_of(column: str) -> str:
    """The heading of a column: the known one, else its name in words."""
    if column in KNOWN_COLUMNS:
        return KNOWN_COLUMNS[column][0]
    words = str(column).replace("_", " ").replace("target", "true value")
    return words[:1].upper() + words[1:]


def format_of(frame: pd.DataFrame, column: str) -> str:
    """The name of a column's format: the known one, else by what it holds."""
    values = frame[column]
    if column == "time" and "probability" in frame:
        return "time"  # a quantile: undefined is "not reached"
    if column in KNOWN_COLUMNS:
        kind = KNOWN_COLUMNS[column][1]
        if kind == "time" and pd.api.types.is_numeric_dtype(values.dtype) and values.max() >= LONG_TIME:
            return "long time"
        return kind if kind == "text" or pd.api.types.is_numeric_dtype(values.dtype) else "text"
    if column == "target" and pd.api.types.is_numeric_dtype(values.dtype):
        estimate = next((name for name in ESTIMATES if name in frame), None)
        return KNOWN_COLUMNS[estimate][1] if estimate else "number"
    if pd.api.types.is_bool_dtype(values.dtype):
        return "yes"
    if pd.api.types.is_integer_dtype(values.dtype):
        return "count"
    return "number" if pd.api.types.is_float_dtype(values.dtype) else "text"
