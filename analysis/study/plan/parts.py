"""The parts of a study plan, one for each table of its file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analysis.cohort.reading import DecimalMark, Limits, MissingCodes, ThousandsMark
from analysis.strata.cutpoints import Cutpoints
from analysis.study.plan.file import EventCodes


@dataclass(frozen=True)
class DataPlan:
    """Where the cohort is, how to read it (the arguments of `read_cohort`), and `id`, the column of patients."""

    path: Path
    sep: str | None = None
    decimal: DecimalMark = "."
    encoding: str | None = None
    sheet: str | None = None
    limits: Limits = "error"
    event_codes: EventCodes | None = None
    thousands: ThousandsMark = ""
    missing: MissingCodes = ()
    id: str | None = None


@dataclass(frozen=True)
class MarkerPlan:
    """The marker: its column, unit, and the step that its hazard ratio is given for."""

    column: str
    label: str
    unit: str
    per: float = 0.1
    direction: Literal["lower", "higher"] = "lower"
    analyte: str = ""


@dataclass(frozen=True)
class StrataPlan:
    """How the marker is cut: at cut-points with a source, or into quantile groups of the sample."""

    cutpoints: Cutpoints | None
    n_groups: int | None = None
    reference: str | None = None


@dataclass(frozen=True)
class ModelPlan:
    """The adjusted Cox model: formula terms, and the columns that it is stratified by."""

    covariates: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabsPlan:
    """Where the marker's repeated values are: a file with a row a sample, and its columns.

    `key` is in the cohort too; `time` counts from the cohort's time zero, in its endpoints' unit; `value` is in the
    marker's unit.
    """

    path: Path
    key: str
    time: str
    value: str


@dataclass(frozen=True)
class RobustnessPlan:
    """What could fool us, as far as the cohort has the columns for it.

    Parameters
    ----------
    subgroups : tuple of str
        Columns of groups in which the marker's hazard ratio is looked at; the first is the one of interest.
    site : str, optional
        Column of what is left out in turn.
    landmarks : tuple of float
        Times from which survival is counted anew, by the marker's last value until then; needs [labs].
    measurement_error : float, optional
        Standard deviation of one measurement of the marker around its true value, in the marker's inner unit.
    n_bootstrap, n_imputations : int
        Resamples behind the intervals of adjusted curves; completed data sets behind an imputed estimate.
    seed : int
        Of everything drawn.
    """

    subgroups: tuple[str, ...] = ()
    site: str | None = None
    landmarks: tuple[float, ...] = ()
    measurement_error: float | None = None
    n_bootstrap: int = 500
    n_imputations: int = 20
    seed: int = 1


def ascending(name: str, times: object) -> list[str]:
    """A problem when times asked for are not positive and ascending."""
    given: list[float] = list(times)  # type: ignore[call-overload]
    if all(0 < time < math.inf for time in given) and given == sorted(set(given)):
        return []
    return [f"{name} = {given}: positive times, ascending, each once"]


def robustness_plan(table: dict[str, object], *, has_labs: bool, problems: list[str]) -> RobustnessPlan:
    """The [robustness] table, its faults added to `problems`."""
    problems += ascending("[robustness] landmarks", table.get("landmarks", ()))
    if table.get("landmarks") and not has_labs:
        problems.append("[robustness] landmarks need the marker's later values: say in [labs] where they are")
    error = table.get("measurement_error")
    if error is not None and not 0 < float(error) < math.inf:  # type: ignore[arg-type]
        problems.append(f"[robustness] measurement_error = {error!r}: a standard deviation above 0")
    for key, least in (("n_bootstrap", 50), ("n_imputations", 2), ("seed", 0)):
        value = table.get(key, least)
        if isinstance(value, int) and value < least:
            problems.append(f"[robustness] {key} = {value}: at least {least}")
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return RobustnessPlan(**{**table, **lists})  # type: ignore[arg-type]


LONGEST = 60  # a file name has room for a prefix and a suffix


def slug(text: str) -> str:
    """A label as part of a file name: letters and digits of any script, in lower case.

    Examples
    --------
    >>> slug("Overall survival"), slug("Επιβίωση (μήνες)")
    ('overall-survival', 'επιβίωση-μήνες')
    """
    return re.sub(r"[\W_]+", "-", text.lower())[:LONGEST].strip("-") or "unnamed"
