"""A study plan as its author wrote it, read from TOML with all its faults at once."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from analysis.cohort.columns import Endpoint
from analysis.cohort.reading import missing_problems
from analysis.cohort.units import MAGNESIUM_UNITS
from analysis.errors import InputError, PlanError, raise_all
from analysis.study.plan.file import event_codes, plan_cutpoints, table_problems
from analysis.study.plan.parts import (
    LONGEST,
    DataPlan,
    LabsPlan,
    MarkerPlan,
    ModelPlan,
    RobustnessPlan,
    StrataPlan,
    ascending,
    robustness_plan,
    slug,
)

Summary = Literal["hazard ratio", "restricted mean"]


@dataclass(frozen=True)
class StudyPlan:
    """A study as its author planned it; to be written before the outcome is seen, which no software can check.

    Parameters
    ----------
    title : str
        The study in one line.
    data, marker, strata, model
        The parts of the plan.
    endpoints : tuple of Endpoint
        The outcomes; the first is the primary one.
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

    title: str
    data: DataPlan
    marker: MarkerPlan
    strata: StrataPlan
    endpoints: tuple[Endpoint, ...]
    model: ModelPlan = field(default_factory=ModelPlan)
    labs: LabsPlan | None = None
    robustness: RobustnessPlan = field(default_factory=RobustnessPlan)
    reporting: Mapping[str, str] = field(default_factory=dict)
    time_zero: str = ""
    milestones: tuple[float, ...] = ()
    horizon: float | None = None
    summary: Summary = "hazard ratio"
    labels: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False
    truth: Path | None = None
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
        try:
            text = path.read_text(encoding="utf-8-sig")
            tables = tomllib.loads(text)
        except FileNotFoundError:
            raise PlanError(f"no plan at {path}; write one with: python -m analysis plan new COHORT_FILE") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise PlanError(f"{path} is not TOML: {error}") from None
        raise_all(table_problems(tables), PlanError)
        return replace(_from_tables(tables, path.parent, text), path=path)


def _from_tables(tables: dict[str, dict[str, object]], folder: Path, text: str) -> StudyPlan:
    """The plan of tables whose keys and types are known to be right."""
    study = {"title": "A survival study of one marker", **tables.get("study", {})}
    truth = study.pop("truth", None)
    problems: list[str] = []
    strata = _strata(tables["strata"], str(tables["marker"].get("unit", "")), problems)
    endpoints = _endpoints(tables["endpoints"], problems)
    marker = _marker(tables["marker"], named_cut="cutpoints" in tables["strata"], problems=problems)
    _check_milestones(study, problems)
    robustness = robustness_plan(tables.get("robustness", {}), has_labs="labs" in tables, problems=problems)
    data = dict(tables["data"])
    problems += [f"[data] {problem}" for problem in missing_problems(data.get("missing", ()))]
    raise_all(problems, PlanError)
    return StudyPlan(
        data=DataPlan(
            path=folder / str(data.pop("path")),
            event_codes=event_codes(data.pop("event_codes", None)),
            **data,  # type: ignore[arg-type]
        ),
        marker=marker,
        strata=strata,
        endpoints=endpoints,
        model=ModelPlan(**{key: _names(value) for key, value in tables.get("model", {}).items()}),
        labs=_labs(tables.get("labs"), folder),
        robustness=robustness,
        reporting={str(key): str(value) for key, value in tables.get("reporting", {}).items()},
        labels={str(key): str(value) for key, value in tables.get("labels", {}).items()},
        truth=folder / str(truth) if truth else None,
        milestones=tuple(study.pop("milestones", ())),  # type: ignore[arg-type]
        text=text,
        **study,  # type: ignore[arg-type]
    )


def _labs(table: dict[str, object] | None, folder: Path) -> LabsPlan | None:
    """Where the repeated values are, relative to the plan's folder."""
    if table is None:
        return None
    return LabsPlan(folder / str(table["path"]), *(str(table[key]) for key in ("key", "time", "value")))


def _names(value: object) -> tuple[str, ...]:
    """One name or a list of them, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def _strata(table: dict[str, object], unit: str, problems: list[str]) -> StrataPlan:
    """The cut-points or the number of quantile groups."""
    cutpoints = plan_cutpoints(table, unit, problems)
    reference, n_groups = table.get("reference"), table.get("quantiles")
    if isinstance(n_groups, int) and n_groups < 2:
        problems.append(f"[strata] quantiles = {n_groups}: at least 2 groups, or there is nothing to compare")
    if cutpoints is not None and reference is not None and reference not in cutpoints.labels:
        problems.append(f"[strata] reference {reference!r} is none of the labels {cutpoints.labels}")
    return StrataPlan(cutpoints, n_groups, reference)  # type: ignore[arg-type]


def _endpoints(tables: object, problems: list[str]) -> tuple[Endpoint, ...]:
    """The outcomes, each with a name of its own."""
    endpoints: list[Endpoint] = []
    for table in tables:  # type: ignore[attr-defined]
        fields = {"label" if key == "name" else key: value for key, value in table.items()}
        try:
            endpoints.append(Endpoint(**fields))
        except InputError as error:
            problems += error.problems
    names = [endpoint.name for endpoint in endpoints]
    if len(set(map(slug, names))) < len(names):
        problems.append(
            f"[[endpoints]] share a name: {names}; give each its own, differing in letters or digits within the first"
            f" {LONGEST}, for files are named by them"
        )
    return tuple(endpoints)


def _marker(table: dict[str, object], *, named_cut: bool, problems: list[str]) -> MarkerPlan:
    """The marker; one that is cut at named cut-points is magnesium, for the named ones all are."""
    fields = {"label": table["column"], "unit": "", "analyte": "magnesium" if named_cut else "", **table}
    if not 0 < float(fields.get("per", 0.1)) < math.inf:  # type: ignore[arg-type]
        problems.append(f"[marker] per = {fields['per']!r}: the step of the hazard ratio must be above 0")
    if fields.get("direction", "lower") not in {"lower", "higher"}:
        problems.append(f"[marker] direction = {fields['direction']!r}: say 'lower' or 'higher'")
    if fields["analyte"] == "magnesium" and fields["unit"] not in MAGNESIUM_UNITS:
        problems.append(f"[marker] unit = {fields['unit']!r}: magnesium is in one of {MAGNESIUM_UNITS}")
    return MarkerPlan(**fields)  # type: ignore[arg-type]


def _check_milestones(study: dict[str, object], problems: list[str]) -> None:
    """Times asked for must be positive and ascending, and the summary one that there is."""
    problems += ascending("[study] milestones", study.get("milestones", ()))
    horizon = study.get("horizon")
    if horizon is not None and not 0 < horizon < math.inf:  # type: ignore[operator]
        problems.append(f"[study] horizon = {horizon!r}: must be above 0")
    if study.get("summary", "hazard ratio") not in get_args(Summary):
        problems.append(f"[study] summary = {study['summary']!r}: one of {', '.join(map(repr, get_args(Summary)))}")
