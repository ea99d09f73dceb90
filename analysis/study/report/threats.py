"""What could fool us, a row a threat: the analysis that would show it, its result, and where the whole of it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.present.pages import Prose
from analysis.present.text import format_interval, format_number, format_ratio, in_sentence
from analysis.study.blocks import table
from analysis.study.models import ADJUSTED, CONTINUOUS, CRUDE
from analysis.study.report.results import StudySection, slug
from analysis.study.study import Study, horizon

Tables = Mapping[str, pd.DataFrame]
Row = dict[str, object]
RATIO = "hazard ratio"


@dataclass(frozen=True)
class Threat:
    """A way of being fooled: what was done about it, the table that shows it, and how the result is read off it.

    `crude` is what was done where the plan adjusts for nothing, if that is other than `analysis`.
    """

    name: str
    analysis: str
    table: str
    result: Callable[[Study, pd.DataFrame], Row | None]
    crude: str = ""


def threats_section(study: Study, tables: Tables) -> StudySection:
    """One table of all threats for the primary endpoint; what was not analysed has no row.

    Parameters
    ----------
    study : Study
        A prepared study.
    tables : mapping of str to DataFrame
        The report's frames by name.

    Returns
    -------
    StudySection
    """
    rows = [row for threat in THREATS if (row := _row(study, threat, tables)) is not None]
    frame = pd.DataFrame(rows, columns=["threat", "analysis", "measure", "estimate", "low", "high", "range", "table"])
    display = pd.DataFrame(
        {
            "Threat": frame["threat"],
            "What was done": frame["analysis"],
            "Result": [_result(row) for row in rows],
            "See": [f"[[table-{name}]]" for name in frame["table"]],
        }
    )
    endpoint = in_sentence(study.primary.name)
    adjusted = "adjusted as the plan says" if study.adjusts else "not adjusted"
    words = (
        f"One row for each threat to the result on {endpoint}. Hazard ratios are for {study.step}, {adjusted}, unless a"
        " row says otherwise. None of these analyses turns an association into an effect; each removes one explanation."
    )
    block = table("threats", "What could fool us, and what was done about it", frame, display=display)
    return StudySection("threats", "What could fool us", (Prose(words), block) if rows else ())


def _row(study: Study, threat: Threat, tables: Tables) -> Row | None:
    """One row; None where nothing was asked, or the rows did not allow it."""
    name = threat.table.format(primary=slug(study.primary.name))
    frame = tables.get(name)
    if frame is None:
        return None
    if "endpoint" in frame.columns:
        frame = frame[frame["endpoint"] == study.primary.name]
    result = threat.result(study, frame)
    analysis = threat.analysis if study.adjusts else threat.crude or threat.analysis
    return None if result is None else {"threat": threat.name, "analysis": analysis, "table": name, **result}


def _result(row: Mapping[str, object]) -> str:
    """The result of a row in words: an estimate with its interval, or the range of several."""
    low, high = float(str(row["low"])), float(str(row["high"]))
    if row["range"]:
        return f"{row['measure']} {format_number(low)} to {format_number(high)}"
    estimate = float(str(row["estimate"]))
    if row["measure"] == RATIO:
        return f"{RATIO} {format_ratio(estimate, low, high)}"
    return f"{row['measure']} {format_number(estimate)} ({format_interval(low, high)})"


def _estimate(
    frame: pd.DataFrame, column: str = "hazard_ratio", *, limits: str = "", measure: str = RATIO
) -> Row | None:
    """The first row of a table as a result."""
    if frame.empty or pd.isna(frame[column].iloc[0]):
        return None
    row = frame.iloc[0]
    low, high = row[f"{limits}conf_low"], row[f"{limits}conf_high"]
    return {"measure": measure, "estimate": row[column], "low": low, "high": high, "range": False}


def _range(frame: pd.DataFrame) -> Row | None:
    """The lowest and the highest hazard ratio of a table as a result."""
    ratios = frame["hazard_ratio"].dropna()
    if ratios.empty:
        return None
    low, high = float(ratios.min()), float(ratios.max())
    return {"measure": "hazard ratios", "estimate": float("nan"), "low": low, "high": high, "range": True}


def _of(column: str, *values: str) -> Callable[[Study, pd.DataFrame], Row | None]:
    """The first row in which a column has one of some values."""
    return lambda _, frame: _estimate(frame[frame[column].isin(values)])


def _crude(_: Study, frame: pd.DataFrame) -> Row | None:
    """The continuous marker before adjustment."""
    return _estimate(frame[(frame["marker"] == CONTINUOUS) & (frame["adjustment"] == CRUDE)])


def _adjusted(_: Study, frame: pd.DataFrame) -> Row | None:
    """The continuous marker after adjustment."""
    return _estimate(frame[(frame["marker"] == CONTINUOUS) & (frame["adjustment"] == ADJUSTED)])


def _standardised(study: Study, frame: pd.DataFrame) -> Row | None:
    """The difference of restricted means between the reference and the first stratum compared with it."""
    pair = {study.reference, study.compared[0]}
    rows = frame[[{str(row.stratum_a), str(row.stratum_b)} == pair for row in frame.itertuples()]]
    if rows.empty:
        return None
    row, unit, end = rows.iloc[0], study.primary.time_unit, horizon(study, study.primary)
    measure = f"{row['stratum_b']} less {row['stratum_a']}, mean {unit} within {end:g}:"
    return _estimate(rows, "standardised", limits="standardised_", measure=measure)


def _at_the_time(_: Study, frame: pd.DataFrame) -> Row | None:
    """The time-dependent model of the continuous marker."""
    continuous = frame["contrast"].str.startswith("per ")
    return _estimate(frame[continuous & frame["analysis"].str.contains("time-dependent")])


def _of_the_incidence(_: Study, frame: pd.DataFrame) -> Row | None:
    """Fine and Gray's model of the first cause."""
    return _estimate(frame[frame["model"].str.contains("Fine and Gray")])


def _by_period(_: Study, frame: pd.DataFrame) -> Row | None:
    """Effects by period."""
    return _range(frame)


def _by_subgroup(_: Study, frame: pd.DataFrame) -> Row | None:
    """Effects by subgroup, without that of everybody."""
    return _range(frame[frame["level"] != "all"])


def _without_a_site(_: Study, frame: pd.DataFrame) -> Row | None:
    """Effects without each site."""
    return _range(frame[frame["left_out"] != "nobody"])


def _searched(_: Study, frame: pd.DataFrame) -> Row | None:
    """The searched cut, corrected, adjusted where the plan adjusts."""
    return _estimate(frame[frame["analysis"].str.contains("corrected")])


THREATS: Sequence[Threat] = (
    Threat("None: the crude association", "as observed, before adjustment", "hazard-ratios", _crude),
    Threat("Confounding", "adjusted for the covariates of the plan", "hazard-ratios", _adjusted),
    Threat(
        "Confounding, without a model of hazards",
        "strata standardised over the covariates",
        "{primary}-adjusted-mean-differences",
        _standardised,
    ),
    Threat(
        "Missing values",
        "imputed from the covariates and the outcomes",
        "imputed",
        _of("analysis", "imputed"),
        crude="imputed from the outcomes",
    ),
    Threat("A marker that changes over time", "the latest value at each time", "moving-marker", _at_the_time),
    Threat(
        "Competing events",
        "subdistribution hazard ratio of the first cause",
        "competing-hazard-ratios",
        _of_the_incidence,
    ),
    Threat("An effect that changes with time", "lowest and highest of all periods", "{primary}-periods", _by_period),
    Threat("One group of patients", "lowest and highest of all subgroups", "subgroups-{primary}", _by_subgroup),
    Threat("One site", "lowest and highest without each site", "without-each-site", _without_a_site),
    Threat(
        "Measurement error",
        "extrapolated to a measurement without error",
        "simulation-extrapolation",
        _of("measurement", "corrected"),
    ),
    Threat(
        "A searched cut",
        "above against below the cut, adjusted, corrected for the search",
        "searched-cut",
        _searched,
        crude="above against below the cut, corrected for the search",
    ),
)
