"""The form of a plan file: which tables and keys there are, of what type, and words on what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from typing import Any, cast

from analysis.cohort.columns import first_few
from analysis.errors import InputError
from analysis.strata.cutpoints import Cutpoints, Published, clinical_cutpoints

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

EventCodes = Mapping[Hashable, Any]
Kind = type | tuple[type, ...]

_NUMBER = (int, float)
_KEYS: dict[str, dict[str, Kind]] = {
    "study": {
        "title": str,
        "time_zero": str,
        "synthetic": bool,
        "truth": str,
        "milestones": list,
        "horizon": _NUMBER,
        "summary": str,
    },
    "data": {
        "path": str,
        "sep": str,
        "decimal": str,
        "encoding": str,
        "sheet": str,
        "limits": str,
        "event_codes": dict,
        "thousands": str,
        "missing": (list, dict),
        "id": str,
    },
    "marker": {"column": str, "label": str, "unit": str, "per": _NUMBER, "direction": str, "analyte": str},
    "strata": {
        "cutpoints": str,
        "edges": list,
        "labels": list,
        "source": str,
        "closed": str,
        "rule": str,
        "quantiles": int,
        "reference": str,
    },
    "endpoints": {"name": str, "duration": str, "event": str, "entry": str, "time_unit": str},
    "model": {"covariates": (list, str), "strata": (list, str)},
    "labs": {"path": str, "key": str, "time": str, "value": str},
    "robustness": {
        "subgroups": list,
        "site": str,
        "landmarks": list,
        "measurement_error": _NUMBER,
        "n_bootstrap": int,
        "n_imputations": int,
        "seed": int,
    },
    "reporting": dict.fromkeys(FIELDS, str),
    "labels": {},
}
_ITEMS: dict[str, Kind] = {
    "milestones": _NUMBER,
    "missing": (str, int, float),
    "landmarks": _NUMBER,
    "subgroups": str,
    "edges": _NUMBER,
    "labels": str,
    "covariates": str,
    "strata": str,
}
_REQUIRED = {
    "data": ("path",),
    "marker": ("column",),
    "strata": (),
    "endpoints": ("duration", "event"),
    "labs": ("path", "key", "time", "value"),
}
_NEEDED = ("data", "marker", "strata", "endpoints")


def table_problems(tables: Mapping[str, object]) -> list[str]:
    """Every unknown, missing or mistyped table and key of a plan."""
    problems = [_unknown("table", name, _KEYS) for name in tables if name not in _KEYS]
    problems += [f"no table [{name}]; every plan needs one" for name in _NEEDED if name not in tables]
    for name, table in tables.items():
        if name not in _KEYS:
            continue
        if name == "endpoints":
            if not isinstance(table, list) or not table:
                problems.append("endpoints: write each as a table of its own, headed [[endpoints]]")
                continue
            for place, endpoint in enumerate(table, start=1):
                where = f"[[endpoints]] number {place}"
                if isinstance(endpoint, dict):
                    problems += _key_problems(name, endpoint, where)
                else:
                    problems.append(f"{where}: {endpoint!r} is no table")
        elif isinstance(table, dict):
            problems += _key_problems(name, table, f"[{name}]")
        else:
            problems.append(f"{name} = {table!r}: write it as a table headed [{name}]")
    return problems


def _key_problems(name: str, table: Mapping[str, object], where: str) -> list[str]:
    """Every unknown, missing or mistyped key of one table."""
    known = _KEYS[name]
    problems = [f"{where}: {_unknown('key', key, known)}" for key in table if known and key not in known]
    problems += [f"{where}: no {key!r}" for key in _REQUIRED.get(name, ()) if key not in table]
    for key, value in table.items():
        if key in known and not _fits(value, known[key]):
            problems.append(f"{where}: {key} = {value!r} should be {_IN_WORDS[known[key]]}")
        elif key in _ITEMS and isinstance(value, list):
            unfit = [repr(item) for item in value if not _fits(item, _ITEMS[key])]
            if unfit:
                problems.append(f"{where}: {key} holds {first_few(unfit)}; each should be {_IN_WORDS[_ITEMS[key]]}")
    return problems


def _fits(value: object, kind: Kind) -> bool:
    """Whether a value is of a type; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


_IN_WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    _NUMBER: "a number",
    list: "a list",
    (list, str): "a list of text",
    (list, dict): "a list, or a table with a list for each column",
    (str, int, float): "text or a number",
    dict: "a table",
}


def _unknown(what: str, name: str, known: Mapping[str, object]) -> str:
    """Words on a name that no plan has, with the nearest ones."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {first_few(known, 12)}"
    return f"unknown {what} {name!r}; {hint}"


def event_codes(table: object) -> EventCodes | None:
    """Codes as `read_cohort` takes them: TOML's keys are text, so those that are whole numbers become numbers."""
    if not isinstance(table, dict):
        return None
    return {_code(key): event_codes(value) if isinstance(value, dict) else value for key, value in table.items()}


def _code(key: str) -> Hashable:
    """A key as a number where it is one."""
    return int(key) if key.lstrip("-").isdigit() else key


def plan_cutpoints(table: Mapping[str, object], unit: str, problems: list[str]) -> Cutpoints | None:
    """The cut-points of [strata]; None with quantile groups, or when something is wrong (then in `problems`)."""
    ways = [key for key in ("cutpoints", "edges", "quantiles") if key in table]
    if len(ways) != 1:
        problems.append(
            f"[strata] has {' and '.join(ways) or 'no cut-points'}: give one of cutpoints (a name), edges (with labels"
            " and source), quantiles (a number of groups)"
        )
        return None
    try:
        if "cutpoints" in table:
            return clinical_cutpoints(cast(Published, str(table["cutpoints"])))
        if "edges" in table:
            return _own_cutpoints(table, unit)
    except InputError as error:
        problems += [f"[strata] {problem}" for problem in error.problems]
    return None


def _own_cutpoints(table: Mapping[str, object], unit: str) -> Cutpoints:
    """Cut-points written out in the plan; they need labels and a source."""
    missing = [key for key in ("labels", "source") if key not in table]
    if missing:
        raise InputError(f"edges need {' and '.join(missing)} too: say what the groups are called and who set the cut")
    return Cutpoints(
        tuple(table["edges"]),  # type: ignore[arg-type]
        tuple(str(label) for label in table["labels"]),  # type: ignore[attr-defined]
        unit=unit,
        source=str(table["source"]),
        rule=str(table.get("rule", "clinical")),  # type: ignore[arg-type]
        closed=str(table.get("closed", "left")),  # type: ignore[arg-type]
    )
