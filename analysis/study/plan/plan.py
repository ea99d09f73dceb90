"""A study plan as its author wrote it, read from TOML with all its faults at once."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from analysis.cohort.columns import Endpoint
from analysis.cohort.reading import missing_problems
from analysis.cohort.remedies import remedies_for
from analysis.cohort.units import MAGNESIUM_UNITS
from analysis.errors import InputError, PlanError, raise_all
from analysis.strata.cutpoints import Cutpoints, clinical_cutpoints
from analysis.study.plan import form, tables
from analysis.study.plan.endpoints import combination_problems, endpoints_of
from analysis.study.plan.tables import DataPlan, LabsPlan, MarkerPlan, ModelPlan, RobustnessPlan, StrataPlan, StudyTable
from analysis.study.plan.times import MadeColumns
from analysis.study.plan.toml_file import read_toml

Tables = dict[str, Any]
Part = TypeVar("Part")
LONGEST = 60  # a file name has room for a prefix and a suffix


@dataclass(frozen=True, kw_only=True)
class StudyPlan(StudyTable):
    """A study as its author planned it; to be written before the outcome is seen, which no software can check.

    Parameters
    ----------
    title : str
        The study in one line.
    data, marker, strata, model
        The parts of the plan.
    endpoints : tuple of Endpoint
        The outcomes; the first is the primary one.
    made : tuple of MadeColumns
        The columns of outcomes that are made from others: times from dates, the later of two, without a sign.
    labs, robustness
        The marker's repeated values, and what the checks of robustness need to know.
    reporting : Mapping[str, str]
        The author's words on what no data can tell (ethics, assay, funding), by item.
    time_zero : str
        What follow-up is counted from, for axes ("first infusion").
    milestones : tuple of float
        Times at which survival is read off; empty means that they are taken from the follow-up.
    horizon : float, optional
        Horizon of restricted means; None means that it is taken from the follow-up.
    summary : {"hazard ratio", "restricted mean"}
        The summary of the effect that leads, whatever tests of proportional hazards find.
    labels : Mapping[str, str]
        Words for columns and model terms in tables and figures.
    synthetic : bool
        Whether the cohort is simulated; then every figure says so.
    truth : Path, optional
        A `truth.json` beside a synthetic cohort.
    path : Path, optional
        The file that it was read from.
    text : str
        The plan as written; `sha256` is its digest.

    Examples
    --------
    >>> from analysis.study.run import synthetic_plan
    >>> plan = synthetic_plan()
    >>> [endpoint.name for endpoint in plan.endpoints]
    ['Overall survival', 'Progression-free survival']
    >>> plan.marker.per, plan.marker.direction
    (0.1, 'lower')
    """

    data: DataPlan
    marker: MarkerPlan
    strata: StrataPlan
    endpoints: tuple[Endpoint, ...]
    made: tuple[MadeColumns, ...] = ()
    model: ModelPlan = field(default_factory=ModelPlan)
    labs: LabsPlan | None = None
    robustness: RobustnessPlan = field(default_factory=RobustnessPlan)
    reporting: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    text: str = ""

    @property
    def sha256(self) -> str:
        """The SHA-256 digest of the plan as written."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    @classmethod
    def from_toml(cls, path: str | Path) -> StudyPlan:
        """Read a plan; paths in it are relative to the plan's own folder.

        Parameters
        ----------
        path : str or Path
            A TOML file as ``python -m analysis plan new`` writes it.

        Returns
        -------
        StudyPlan

        Raises
        ------
        PlanError
            With every fault: no such file, TOML that does not parse, unknown or missing keys, values of the wrong type,
            cut-points that are none.
        """
        path = Path(path)
        text, written = read_toml(path)
        with remedies_for("plan"):
            wrong = form.form_problems(written, plan_schema()) + combination_problems(written.get("endpoints"))
            raise_all(wrong, PlanError)
            return replace(_from_tables(written, path.parent), path=path, text=text)


_ONE_OF_EACH: list[form.Schema] = [
    {"anyOf": [{"required": list(keys)} for keys in ways]}
    for ways in ((["duration"], ["start", "end"]), (["event"], ["negative"]))
]
"""An endpoint's time, and its event, each in one way or another."""


def plan_schema() -> form.Schema:
    """The JSON schema of a plan file, by which editors of TOML complete and check one.

    Examples
    --------
    >>> plan_schema()["required"]
    ['data', 'marker', 'strata', 'endpoints']
    """
    classes = {"study": StudyTable, "data": DataPlan, "marker": MarkerPlan, "strata": tables.StrataTable}
    later = {"model": ModelPlan, "labs": LabsPlan, "robustness": RobustnessPlan}
    parts = {name: form.table_schema(table) for name, table in classes.items()}
    endpoint = form.table_schema(tables.EndpointTable) | {"allOf": _ONE_OF_EACH}
    parts["endpoints"] = {"type": "array", "minItems": 1, "items": endpoint}
    parts |= {name: form.table_schema(table) for name, table in later.items()}
    words = {key: {"type": "string", "description": text} for key, text in tables.FIELDS.items()}
    parts["reporting"] = form.closed_table(words)
    parts["labels"] = {"type": "object", "description": "words for columns and model terms in tables and figures"}
    head = {"$schema": "http://json-schema.org/draft-04/schema#", "title": "A study plan"}
    return head | form.closed_table(parts, ["data", "marker", "strata", "endpoints"])


def _from_tables(written: Tables, folder: Path) -> StudyPlan:
    """The plan of tables whose keys and types are known to be right."""
    data, study = written["data"], dict(written.get("study", {}))
    if study.get("truth") == "":
        del study["truth"]
    marker = written["marker"]
    if "cutpoints" in written["strata"]:  # the named cut-points are all of magnesium
        marker = {"analyte": "magnesium", **marker}
    problems: list[str] = []
    strata = _strata(written["strata"], marker.get("unit", ""), problems)
    endpoints, made = endpoints_of(written["endpoints"], problems)
    problems += _name_problems(endpoints)
    if data.get("id") is None and any(one.where is not None for one in made):
        problems.append("[[endpoints]] where needs the column of the patients: id in [data]")
    problems += [*_marker_problems(marker), *_study_problems(study), *_robustness_problems(written)]
    problems += [f"[data] {problem}" for problem in missing_problems(data.get("missing", ()))]
    raise_all(problems, PlanError)
    return StudyPlan(
        **vars(_part(StudyTable, study, folder)),
        data=_part(DataPlan, {**data, "event_codes": _event_codes(data.get("event_codes"))}, folder),
        marker=_part(MarkerPlan, marker, folder),
        strata=strata,
        endpoints=endpoints,
        made=made,
        model=_part(ModelPlan, written.get("model", {}), folder),
        labs=_part(LabsPlan, written["labs"], folder) if "labs" in written else None,
        robustness=_part(RobustnessPlan, written.get("robustness", {}), folder),
        reporting=written.get("reporting", {}),
        labels={key: str(value) for key, value in written.get("labels", {}).items()},
    )


def _part(kind: type[Part], table: Tables, folder: Path) -> Part:
    """One part of the plan: paths lie in the plan's folder, and lists, or one name alone, become tuples."""
    values, hints = dict(table), get_type_hints(kind)
    for key, value in table.items():
        if Path in (hints[key], *get_args(hints[key])):
            values[key] = folder / value
        elif get_origin(hints[key]) is tuple:
            values[key] = (value,) if isinstance(value, str) else tuple(value)
        elif tables.JoinPlan in get_args(hints[key]):
            values[key] = _part(tables.JoinPlan, value, folder)
    return kind(**values)


def _event_codes(table: object) -> form.EventCodes | None:
    """Codes as `read_cohort` takes them: TOML's keys are text, so those that are whole numbers become numbers."""
    if not isinstance(table, dict):
        return None
    return {
        int(key) if key.lstrip("-").isdigit() else key: _event_codes(value) if isinstance(value, dict) else _code(value)
        for key, value in table.items()
    }


def _code(value: object) -> object:
    """What a code means: nothing known where the plan says "missing"."""
    return None if value == "missing" else value


def _strata(table: tables.StrataTable, unit: str, problems: list[str]) -> StrataPlan:
    """The cut-points or the number of quantile groups; what is wrong is added to `problems`."""
    ways = [key for key in ("cutpoints", "edges", "quantiles") if key in table]
    reference, n_groups, cutpoints = table.get("reference"), table.get("quantiles"), None
    if len(ways) != 1:
        problems.append(
            f"[strata] has {' and '.join(ways) or 'no cut-points'}: give one of cutpoints (a name), edges (with labels"
            " and source), quantiles (a number of groups)"
        )
    elif n_groups is None:
        try:
            cutpoints = clinical_cutpoints(table["cutpoints"]) if "cutpoints" in table else _own_cutpoints(table, unit)
        except InputError as error:
            problems += [f"[strata] {problem}" for problem in error.problems]
    if n_groups is not None and n_groups < 2:
        problems.append(f"[strata] quantiles = {n_groups}: at least 2 groups, or there is nothing to compare")
    if cutpoints is not None and reference is not None and reference not in cutpoints.labels:
        problems.append(f"[strata] reference {reference!r} is none of the labels {cutpoints.labels}")
    return StrataPlan(cutpoints, n_groups, reference)


def _own_cutpoints(table: tables.StrataTable, unit: str) -> Cutpoints:
    """Cut-points written out in the plan; they need labels and a source."""
    missing = [key for key in ("labels", "source") if key not in table]
    if missing:
        raise InputError(f"edges need {' and '.join(missing)} too: say what the groups are called and who set the cut")
    return Cutpoints(
        tuple(table["edges"]),
        tuple(table["labels"]),
        unit=unit,
        source=table["source"],
        rule=table.get("rule", "clinical"),
        closed=table.get("closed", "left"),
    )


def _name_problems(endpoints: Sequence[Endpoint]) -> list[str]:
    """A problem where endpoints share a name."""
    names = [endpoint.name for endpoint in endpoints]
    if len(set(map(slug, names))) == len(names):
        return []
    return [
        f"[[endpoints]] share a name: {names}; give each its own, differing in letters or digits within the first"
        f" {LONGEST}, for files are named by them"
    ]


def _marker_problems(marker: Tables) -> list[str]:
    """What is wrong with the step, the direction or the unit."""
    problems = []
    per, direction, unit = marker.get("per", 1), marker.get("direction", "lower"), marker.get("unit", "")
    if not 0 < per < math.inf:
        problems.append(f"[marker] per = {per!r}: the step of the hazard ratio must be above 0")
    if direction not in {"lower", "higher"}:
        problems.append(f"[marker] direction = {direction!r}: say 'lower' or 'higher'")
    if marker.get("analyte") == "magnesium" and unit not in MAGNESIUM_UNITS:
        problems.append(f"[marker] unit = {unit!r}: magnesium is in one of {MAGNESIUM_UNITS}")
    return problems


def _study_problems(study: Tables) -> list[str]:
    """Times asked for must be positive and ascending, and the summary one that there is."""
    problems = _time_problems("[study] milestones", study.get("milestones", []))
    horizon, summaries = study.get("horizon", 1), get_args(get_type_hints(StudyTable)["summary"])
    if not 0 < horizon < math.inf:
        problems.append(f"[study] horizon = {horizon!r}: must be above 0")
    if study.get("summary", summaries[0]) not in summaries:
        problems.append(f"[study] summary = {study['summary']!r}: one of {', '.join(map(repr, summaries))}")
    return problems


def _robustness_problems(written: Tables) -> list[str]:
    """What is wrong with the values of [robustness]."""
    table = written.get("robustness", {})
    problems = _time_problems("[robustness] landmarks", table.get("landmarks", []))
    if table.get("landmarks") and "labs" not in written:
        problems.append("[robustness] landmarks need the marker's later values: say in [labs] where they are")
    error = table.get("measurement_error", 1)
    if not 0 < error < math.inf:
        problems.append(f"[robustness] measurement_error = {error!r}: a standard deviation above 0")
    for key, known in form.table_schema(RobustnessPlan)["properties"].items():
        if known["type"] == "integer" and key in table and table[key] < known["minimum"]:
            problems.append(f"[robustness] {key} = {table[key]}: at least {known['minimum']}")
    return problems


def _time_problems(name: str, times: Sequence[float]) -> list[str]:
    """A problem when times asked for are not positive and ascending."""
    if all(0 < time < math.inf for time in times) and list(times) == sorted(set(times)):
        return []
    return [f"{name} = {times}: positive times, ascending, each once"]


def slug(text: str) -> str:
    """A label as part of a file name: letters and digits of any script, in lower case.

    Examples
    --------
    >>> slug("Overall survival"), slug("Επιβίωση (μήνες)")
    ('overall-survival', 'επιβίωση-μήνες')
    """
    return re.sub(r"[\W_]+", "-", text.lower())[:LONGEST].strip("-") or "unnamed"
