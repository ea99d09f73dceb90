"""What the cut-point explorer says of each cut, as text: the page only shows it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from analysis.present.text import (
    MISSING,
    format_count,
    format_number,
    format_p,
    format_ratio,
    format_share,
    format_time,
    is_missing,
)

Row = Mapping[Hashable, Any]
CRUDE = "corrected for the search, crude: not corrected for confounding"
"""What the explorer's corrected p-values and hazard ratios are: its search adjusts for nothing."""
SPOKEN = {MISSING: "not estimable"}


@dataclass(frozen=True)
class CutWords:
    """One cut of one endpoint in words.

    Attributes
    ----------
    value : str
        The cut with its unit, as on the slider.
    mark : str
        What the cut is: named by the plan, best of the search, or one of many.
    spoken : str
        The value and the mark, for those who hear the slider.
    groups : list of list of str
        Two rows: interval, patients, events, median.
    milestones : list of list of str
        Rows of three: the time in words, survival in the lower and in the higher group.
    ratio, adjusted, p_naive, p_corrected : str
        The hazard ratio of one side against the rest, beside the plan's covariates, and both p-values.
    caution : str
        What must be said of this cut.
    sentence : str
        All of it in a sentence or two.
    curves_alt, scan_alt, response_alt : str
        What the charts show at this cut.
    """

    value: str
    mark: str
    spoken: str
    groups: list[list[str]]
    milestones: list[list[str]]
    ratio: str
    adjusted: str
    p_naive: str
    p_corrected: str
    caution: str
    sentence: str
    curves_alt: str
    scan_alt: str
    response_alt: str

    def as_dict(self) -> dict[str, Any]:
        """The words by name."""
        return asdict(self)


def cut_words(
    cuts: pd.DataFrame,
    groups: pd.DataFrame,
    milestones: pd.DataFrame,
    search: Row,
    *,
    unit: str,
    time_unit: str,
    conf_level: float,
    direction: str,
) -> list[CutWords]:
    """The words of every cut of one endpoint, in the order of `cuts`."""
    level = f"{100 * conf_level:g}%"
    sides = {key: rows.to_dict("records") for key, rows in groups.groupby("place", sort=False)}
    points = {key: _milestones(rows, time_unit) for key, rows in milestones.groupby("place", sort=False)}
    order = 1 if direction == "lower" else -1  # whose hazard is divided by the rest's comes first
    return [
        _words(row, sides[row["place"]], points[row["place"]], search, unit, time_unit, level, order)
        for row in cuts.to_dict("records")
    ]


def _milestones(rows: pd.DataFrame, time_unit: str) -> list[list[str]]:
    """Survival of both groups at each milestone."""
    return [
        [f"Survival at {time:g} {time_unit}", *(_share(point) for point in points.to_dict("records"))]
        for time, points in rows.groupby("time", sort=False)
    ]


def _share(point: Row) -> str:
    """Survival at one time with its interval."""
    if is_missing(point["survival"]):
        return "beyond follow-up"
    return f"{format_share(point['survival'], digits=0)} ({_bare(point['conf_low'])} to {_bare(point['conf_high'])})"


def _bare(share: float) -> str:
    """A limit in percent without its sign."""
    return MISSING if is_missing(share) else format_number(100 * share, digits=0)


def _words(
    row: Row,
    sides: list[dict[Hashable, Any]],
    milestones: list[list[str]],
    search: Row,
    unit: str,
    time_unit: str,
    level: str,
    order: int,
) -> CutWords:
    """One cut in words."""
    value = f"{row['label']} {unit}".strip()
    mark = " and ".join(filter(None, (row["planned"], "best of the search" if row["found"] else "")))
    ratio = format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"])
    p_corrected = format_p(row["p_corrected"]) if not is_missing(row["p_corrected"]) else "not searched"
    low, high = (str(side["interval"]) for side in sides)
    p_naive = format_p(row["p_naive"])
    tested = f"p {p_naive} if this cut alone had been looked at, {p_corrected} {CRUDE}"
    one, rest = sides[::order]
    sentence = (
        f"{one['interval']} against {rest['interval']}: hazard ratio {SPOKEN.get(ratio, ratio)}; {tested}."
        f" Medians {_median(one, time_unit)} against {_median(rest, time_unit)}."
    )
    return CutWords(
        value=value,
        mark=mark or "one of many",
        spoken=f"{value}, {mark}" if mark else value,
        groups=[_group(side) for side in sides],
        milestones=milestones,
        ratio=ratio,
        adjusted=format_ratio(row["adjusted_hazard_ratio"], row["adjusted_conf_low"], row["adjusted_conf_high"]),
        p_naive=p_naive,
        p_corrected=p_corrected,
        caution=_caution(row, search),
        sentence=sentence,
        curves_alt=f"Kaplan-Meier curves of {search['endpoint']} with {level} bands, {low} and {high}. {sentence}",
        scan_alt=(
            f"The statistic at every cut; at {value} it is {format_number(row['statistic'])}, and chance exceeds"
            f" {format_number(search['critical_value'])} once in twenty searches."
        ),
        response_alt=_response(row, value),
    )


def _group(side: Row) -> list[str]:
    """One side of a cut as a row of a table."""
    return [str(side["interval"]), format_count(side["n"]), format_count(side["n_event"]), _median(side)]


def _median(side: Row, time_unit: str = "") -> str:
    """A median with its interval."""
    return format_time(side["median"], side["conf_low"], side["conf_high"], unit=time_unit)


def _response(row: Row, value: str) -> str:
    """Where a cut lies on the marker's curve."""
    words = format_ratio(row["curve_hazard_ratio"], row["curve_conf_low"], row["curve_conf_high"])
    return f"At {value} itself the hazard is {words} times that at the median."


def _caution(row: Row, search: Row) -> str:
    """What must be said of a cut that was found, or that was not among those searched."""
    if row["found"]:
        corrected = format_ratio(search["hazard_ratio_corrected"], search["conf_low"], search["conf_high"])
        text = "This cut was chosen because it separates these patients most, so its hazard ratio is overstated."
        return f"{text} {CRUDE[:1].upper()}{CRUDE[1:]}: {corrected}." if corrected != MISSING else text
    if is_missing(row["p_corrected"]):
        return "Too few patients lie on one side of this cut for it to be among those searched."
    if row["planned"] == "named by the plan":
        return (
            "The plan names this cut: if that was before looking, its own p-value needs no correction as long as no"
            " other is tried."
        )
    return f"Choosing this cut after looking would be a search, and calls for the p-value {CRUDE}."
