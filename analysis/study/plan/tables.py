"""The tables of a study plan: their keys, with type, meaning and limits; the one place that names them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from analysis.cohort.reading import DecimalMark, Limits, MissingCodes, ThousandsMark
from analysis.strata.cutpoints import Closed, Cutpoints, Published, Rule
from analysis.study.plan.form import ONE_OR_MORE, POSITIVE, EventCodes, at_least

Times = tuple[Annotated[float, POSITIVE], ...]

FIELDS = {
    "abstract": "a balanced summary, with the design in the title or abstract",
    "background": "why the question is asked, and what is known",
    "objectives": "the aims, and any hypothesis stated beforehand",
    "design": "prospective or retrospective, and how the cases were selected",
    "setting": "places, and dates of recruitment, treatment and follow-up",
    "eligibility": "who could enter, from where, and who was excluded",
    "treatments": "what the patients were given, and how that was chosen",
    "specimen": "the material, its handling and storage",
    "assay": "how the marker was measured, its quality control, and whether blind to the outcome",
    "endpoint_definitions": "how each endpoint is defined, and what ends follow-up without it",
    "prespecification": "what was decided before the outcome was seen, and where that can be checked (a registration, a"
    " date)",
    "later_treatment": "whether follow-up goes on past a change of treatment, and how death before an event is counted",
    "candidate_variables": "every variable that was looked at or considered, and how those of the models were chosen",
    "bias": "what was done about possible bias",
    "sample_size": "why this many patients",
    "non_participation": "who was eligible and did not take part, and why",
    "key_results": "the findings in words, against the aims",
    "limitations": "what limits the study, with the direction of likely bias",
    "interpretation": "what the results mean beside other evidence",
    "generalisability": "to whom the results carry over",
    "implications": "what follows for research and for care",
    "funding": "who paid, and what part they had",
}
"""Every key of [reporting], and what the author is asked for."""


@dataclass(frozen=True, kw_only=True)
class StudyTable:
    """[study]: the title, the times at which results are read, and the summary that leads."""

    title: Annotated[str, "the study in one line"] = "A survival study of one marker"
    question: Annotated[str, "why it is asked, in a few sentences on the report's first screen"] = ""
    time_zero: Annotated[str, "what follow-up is counted from"] = ""
    synthetic: Annotated[bool, "whether the patients are simulated"] = False
    truth: Annotated[Path | None, "a truth.json beside a synthetic cohort"] = None
    milestones: Annotated[Times, "times at which survival is read off"] = ()
    horizon: Annotated[float | None, "horizon of restricted means", POSITIVE] = None
    summary: Annotated[Literal["hazard ratio", "restricted mean"], "the summary that leads"] = "hazard ratio"


@dataclass(frozen=True)
class JoinPlan:
    """[data.join]: a second file with more columns of the same patients."""

    path: Annotated[Path, "the second file, seen from the plan's folder"]
    key: Annotated[str, "column of the patients, in both files; once each in the second"]
    where: Annotated[str | None, "the rows of the second file to take, as in SAMPLE_TYPE == 'Primary'"] = None
    sep: Annotated[str | None, "what separates the fields of a text file"] = None
    encoding: Annotated[str | None, "of a text file, such as cp1252"] = None
    sheet: Annotated[str | None, "of an Excel file with several"] = None


@dataclass(frozen=True)
class DataPlan:
    """[data]: where the cohort is, and how to read it (the arguments of `read_cohort`)."""

    path: Annotated[Path, "the cohort's file, seen from the plan's folder"]
    sep: Annotated[str | None, "what separates the fields of a text file"] = None
    decimal: Annotated[DecimalMark, "the decimal mark"] = "."
    encoding: Annotated[str | None, "of a text file, such as cp1252"] = None
    sheet: Annotated[str | None, "of an Excel file with several"] = None
    limits: Annotated[Limits, "how values such as <0.5 are read"] = "error"
    event_codes: Annotated[
        EventCodes | None, 'what the codes of events mean (1: the event, "missing": not known), or of each column'
    ] = None
    thousands: Annotated[ThousandsMark, "what separates thousands"] = ""
    missing: Annotated[
        MissingCodes,
        "codes of a missing value: a list, or a list for each column",
        {"type": ["array", "object"], "items": {"type": ["string", "number"]}},
    ] = ()
    header: Annotated[int | None, "the row that names the columns, as a spreadsheet numbers it", at_least(1)] = None
    skip: Annotated[tuple[int, ...], "rows to leave out, as a spreadsheet numbers them"] = ()
    numbers: Annotated[tuple[str, ...], "columns that must hold numbers, leading zeros and all"] = ()
    dates: Annotated[dict[str, str] | None, "how columns of dates are written, as in %d.%m.%Y"] = None
    id: Annotated[str | None, "column of the patients"] = None
    where: Annotated[str | None, "the rows to take, as in PARAMCD == 'OS' and AGE >= 18"] = None
    join: Annotated[JoinPlan | None, "a second file with more columns of the same patients"] = None


@dataclass(frozen=True)
class MarkerPlan:
    """[marker]: its column, its unit, and the step that its hazard ratio is given for."""

    column: Annotated[str, "column of the marker"]
    label: Annotated[str, "what figures and tables call it"] = ""
    unit: Annotated[str, "its unit; of magnesium mmol/L, mg/dL or mEq/L"] = ""
    per: Annotated[float, "the step that hazard ratios are given for", POSITIVE] = 0.1
    direction: Annotated[Literal["lower", "higher"], "hazard ratios per step lower or higher"] = "lower"
    analyte: Annotated[str, "magnesium, which is converted to mmol/L; else anything"] = ""

    def __post_init__(self) -> None:
        if not self.label.strip():
            object.__setattr__(self, "label", self.column)

    @property
    def inner_unit(self) -> str:
        """The unit that the marker has once read: magnesium is mmol/L inside."""
        return "mmol/L" if self.analyte == "magnesium" else self.unit

    @property
    def stratum_column(self) -> str:
        """Column of the strata in a prepared study."""
        return f"{self.label} stratum"

    def units(self, column: str) -> dict[str, str] | None:
        """The unit in which a column holds the marker, as `read_cohort` takes it; None where none is converted."""
        return {column: self.unit} if self.analyte == "magnesium" else None


class StrataTable(TypedDict, total=False):
    """[strata] as it is written: one of `cutpoints`, `edges` (with labels and source) and `quantiles`."""

    cutpoints: Annotated[Published, "published cut-points of magnesium"]
    edges: Annotated[list[float], "cuts between the groups"]
    labels: Annotated[list[str], "what the groups are called, one more than edges"]
    source: Annotated[str, "who set the cut, and where"]
    closed: Annotated[Closed, "whether a value equal to an edge is in the group above (left) or below (right)"]
    rule: Annotated[Rule, "how the cut came about"]
    quantiles: Annotated[int, "groups of equal size", at_least(2)]
    reference: Annotated[str, "label of the group that the others are compared with"]


@dataclass(frozen=True)
class StrataPlan:
    """How the marker is cut: at cut-points with a source, or into quantile groups of the sample."""

    cutpoints: Cutpoints | None
    n_groups: int | None = None
    reference: str | None = None


class EndpointTable(TypedDict, total=False):
    """One of [[endpoints]]: the arguments of `Endpoint`, its label as the name, or what its columns are made from."""

    name: Annotated[str, "the outcome in words"]
    duration: Annotated[tuple[str, ...], "column of follow-up times; of several the latest counts", ONE_OR_MORE]
    start: Annotated[str, "column of dates at which follow-up begins, in place of duration"]
    end: Annotated[tuple[str, ...], "column of dates at which it ends; of several the latest counts", ONE_OR_MORE]
    format: Annotated[str, "how dates are written: DD.MM.YYYY, MM/DD/YYYY, excel (numbers of days), or as strptime"]
    event: Annotated[str, "column of events (1) and ends of follow-up (0)"]
    negative: Annotated[Literal["censored", "event"], "what a duration below 0 means, in place of event"]
    entry: Annotated[str, "column of times from which a row is under observation"]
    where: Annotated[str, "the rows that hold this outcome, as in PARAMCD == 'OS'; needs id in [data]"]
    time_unit: Annotated[str, "months, days, weeks or years"]


@dataclass(frozen=True)
class ModelPlan:
    """[model]: formula terms of the adjusted Cox model, and the columns that it is stratified by."""

    covariates: Annotated[tuple[str, ...], "formula terms", ONE_OR_MORE] = ()
    strata: Annotated[tuple[str, ...], "columns that the baseline hazard differs by", ONE_OR_MORE] = ()


@dataclass(frozen=True)
class LabsPlan:
    """[labs]: where the marker's repeated values are, a file with a row a sample."""

    path: Annotated[Path, "the file of the repeated values"]
    key: Annotated[str, "column of the patients, in both files"]
    time: Annotated[str, "column of times, from the cohort's time zero and in its endpoints' unit"]
    value: Annotated[str, "column of the values, in the marker's unit"]


@dataclass(frozen=True)
class RobustnessPlan:
    """[robustness]: what could fool us, as far as the cohort has the columns for it."""

    subgroups: Annotated[tuple[str, ...], "columns of groups; the first is the one of interest"] = ()
    site: Annotated[str | None, "column of what is left out in turn"] = None
    landmarks: Annotated[Times, "times from which survival is counted anew; needs [labs]"] = ()
    measurement_error: Annotated[
        float | None, "standard deviation of one measurement of the marker, in its inner unit", POSITIVE
    ] = None
    n_bootstrap: Annotated[int, "resamples behind the intervals of adjusted curves", at_least(50)] = 500
    n_imputations: Annotated[int, "completed data sets behind an imputed estimate", at_least(2)] = 20
    seed: Annotated[int, "of everything drawn", at_least(0)] = 1
