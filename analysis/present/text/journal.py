"""The tables of a paper: survival by stratum, and crude beside adjusted hazard ratios with their reference rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

from analysis.present.text.formatting import (
    MISSING,
    format_count,
    format_interval,
    format_p,
    format_ratio,
    format_share,
    format_time,
)

Row = Mapping[Hashable, Any]
REFERENCE = "1 (reference)"
INDENT = "    "


def survival_display(table: pd.DataFrame, *, time_unit: str, counted: str = "patients") -> pd.DataFrame:
    """Survival by stratum as people read it: a column a stratum, a row an estimate.

    Parameters
    ----------
    table : DataFrame
        A row a stratum and estimate: stratum n n_event estimate ("median", "survival" or "restricted mean") time (the
        milestone or the horizon) value conf_low conf_high conf_level.
    time_unit : str
        Of times, medians and means.
    counted : str
        What the rows of the cohort are: patients, or rows where a patient may have several.

    Returns
    -------
    DataFrame
        Strings: the estimates' names under "Estimate (95% CI)", then a column for each stratum; "NR" stands for what
        was not reached, "–" for what the follow-up does not reach.

    Examples
    --------
    >>> names = "stratum n n_event estimate time value conf_low conf_high conf_level".split()
    >>> rows = [("low", 40, 25, "median", None, 7.6, 6.1, None, 0.95),
    ...         ("low", 40, 25, "survival", 12, 0.4, 0.3, 0.5, 0.95)]
    >>> survival_display(pd.DataFrame(rows, columns=names), time_unit="months")["low"].tolist()
    ['40', '25', '7.6 (6.1 to NR)', '40.0% (30.0% to 50.0%)']
    """
    rows = table.to_dict("records")
    level = f"{100 * float(table['conf_level'].iloc[0]):g}% CI" if rows else "95% CI"
    head = f"Estimate ({level})"
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        stratum = str(row["stratum"])
        cells.setdefault(counted.capitalize(), {})[stratum] = format_count(row["n"])
        cells.setdefault("Events", {})[stratum] = format_count(row["n_event"])
        name, write = _ESTIMATES[str(row["estimate"])]
        cells.setdefault(name.format(time=row["time"], unit=time_unit), {})[stratum] = write(row)
    strata = list(dict.fromkeys(str(row["stratum"]) for row in rows))
    lines = [{head: name, **by_stratum} for name, by_stratum in cells.items()]
    return pd.DataFrame(lines, columns=[head, *strata], dtype=object).fillna(MISSING)


def _time_cell(row: Row) -> str:
    """A time with its interval; "NR" where it was not reached."""
    return format_time(row["value"], row["conf_low"], row["conf_high"])


def _share_cell(row: Row) -> str:
    """Survival with its interval."""
    share = format_share(row["value"])
    if pd.isna(row["conf_low"]) and pd.isna(row["conf_high"]):
        return share
    return f"{share} ({format_interval(row['conf_low'], row['conf_high'], digits=1, missing=MISSING, share=True)})"


_ESTIMATES: dict[str, tuple[str, Callable[[Row], str]]] = {
    "median": ("Median ({unit})", _time_cell),
    "survival": ("Survival at {time:g} {unit}", _share_cell),
    "restricted mean": ("Mean {unit} within the first {time:g}", _time_cell),
}


def hazard_ratio_display(table: pd.DataFrame, *, conf_level: float = 0.95, counted: str = "patients") -> pd.DataFrame:
    """Crude and adjusted hazard ratios side by side, endpoint by endpoint, reference rows as "1 (reference)".

    Parameters
    ----------
    table : DataFrame
        A row an endpoint, line and adjustment: endpoint label reference (whether it is the reference) adjustment
        ("crude" or "adjusted") n n_event hazard_ratio conf_low conf_high p_value.
    conf_level : float
        Of the intervals, for the headings.
    counted : str
        As for `survival_display`.

    Returns
    -------
    DataFrame
        Strings: "Characteristic" (an endpoint, then its lines, indented), "Patients" and "Events" of the crude model
        (of the adjusted one where that is all), and for each adjustment the ratio with its interval and its p-value.

    Examples
    --------
    >>> names = "endpoint label reference adjustment n n_event hazard_ratio conf_low conf_high p_value".split()
    >>> rows = [("Death", "low", False, "crude", 40, 25, 1.5, 1.1, 2.04, 0.01),
    ...         ("Death", "high", True, "crude", 60, 20, 1.0, None, None, None)]
    >>> hazard_ratio_display(pd.DataFrame(rows, columns=names))["Crude hazard ratio (95% CI)"].tolist()
    ['', '1.50 (1.10 to 2.04)', '1 (reference)']
    """
    adjustments = list(dict.fromkeys(table["adjustment"]))
    columns = ["Characteristic", counted.capitalize(), "Events"]
    for adjustment in adjustments:
        columns += list(_headings(adjustment, conf_level))
    lines: list[dict[str, str]] = []
    for endpoint, of_one in table.groupby("endpoint", sort=False, observed=True):
        lines.append({"Characteristic": str(endpoint)})
        for label, of_line in of_one.groupby("label", sort=False, observed=True):
            lines.append({"Characteristic": f"{INDENT}{label}", **_line(of_line, conf_level, counted)})
    return pd.DataFrame(lines, columns=columns, dtype=object).fillna("")


def _headings(adjustment: str, conf_level: float) -> tuple[str, str]:
    """The headings of one adjustment's ratio and p-value."""
    word = f"{adjustment[:1].upper()}{adjustment[1:]}"
    return f"{word} hazard ratio ({100 * conf_level:g}% CI)", f"{word} p"


def _line(rows: pd.DataFrame, conf_level: float, counted: str) -> dict[str, str]:
    """The cells of one line: counts of its first model, then each adjustment's estimate."""
    first = rows.iloc[0]
    cells = {counted.capitalize(): format_count(first["n"]), "Events": format_count(first["n_event"])}
    for row in rows.to_dict("records"):
        ratio, p_value = _headings(str(row["adjustment"]), conf_level)
        if row["reference"]:
            cells[ratio] = REFERENCE
        else:
            cells[ratio] = format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"])
            cells[p_value] = format_p(row["p_value"])
    return cells
