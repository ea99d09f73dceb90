"""A study: a plan with its cohort, the times at which its results are read, and their targets where known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import AnalysisWarning
from analysis.present.text import in_sentence
from analysis.strata.cutpoints import Cutpoints
from analysis.study.plan import StudyPlan
from analysis.truth.estimands import TrueEstimands

if TYPE_CHECKING:
    from analysis.strata.search import CutpointSearch
    from analysis.study.models import StudyModel


@dataclass(frozen=True, eq=False)
class Study:
    """A plan with its cohort, ready for the sections of the report.

    Attributes
    ----------
    plan : StudyPlan
        What was decided.
    cohort : DataFrame
        The rows as read and typed, with the columns `stratum_column`, `marker_term` and the contrasts added.
    cutpoints : Cutpoints
        Where the marker was cut, in the marker's unit.
    reference : str
        The stratum that the others are compared with.
    labs : DataFrame, optional
        The marker's repeated values, in its inner unit, where the plan says where they are.
    truth : TrueEstimands, optional
        What was planted, for a synthetic cohort.
    notes : tuple of AnalysisWarning
        The warnings of reading, checking and cutting.
    """

    plan: StudyPlan
    cohort: pd.DataFrame
    cutpoints: Cutpoints
    reference: str
    labs: pd.DataFrame | None
    truth: TrueEstimands | None
    notes: tuple[AnalysisWarning, ...]

    @property
    def primary(self) -> Endpoint:
        """The first endpoint of the plan."""
        return self.plan.endpoints[0]

    @property
    def unit(self) -> str:
        """The marker's unit inside (mmol/L for magnesium)."""
        return self.plan.marker.inner_unit

    @property
    def stratum_column(self) -> str:
        """Column of the strata."""
        return self.plan.marker.stratum_column

    @property
    def marker_term(self) -> str:
        """Column of the continuous marker, one unit of it being the step that the plan asks for."""
        return quotable(f"{self.plan.marker.label}, per {self.step}")

    @property
    def strata_labels(self) -> tuple[str, ...]:
        """The strata that hold rows, in order."""
        return tuple(self.cohort[self.stratum_column].cat.remove_unused_categories().cat.categories)

    @property
    def marker_label(self) -> str:
        """The marker's label within a sentence."""
        return in_sentence(self.plan.marker.label)

    @property
    def step(self) -> str:
        """The contrast of the continuous marker in words, as in "0.1 mmol/L lower"."""
        marker = self.plan.marker
        return " ".join(part for part in (f"{marker.per:g}", self.unit, marker.direction) if part)

    @property
    def descriptions(self) -> dict[str, str]:
        """Each stratum's interval with its unit, as in "< 0.75 mmol/L"."""
        return dict(zip(self.cutpoints.labels, self.cutpoints.intervals(), strict=True))

    @property
    def adjusts(self) -> bool:
        """Whether the plan adjusts for anything."""
        return bool(self.plan.model.covariates or self.plan.model.strata)

    @property
    def adjustment(self) -> dict[str, Any]:
        """The plan's covariates and strata, as the keywords of functions that adjust."""
        return {"adjust": self.plan.model.covariates, "strata": self.plan.model.strata or None}

    @property
    def within(self) -> str:
        """The strata of the models in the plan's words, as in "treatment and site"."""
        return " and ".join(in_sentence(self.label(name)) for name in self.plan.model.strata)

    @property
    def in_unit(self) -> str:
        """The marker's unit in brackets after a space; empty where it has none."""
        return f" ({self.unit})" if self.unit else ""

    @property
    def compared(self) -> tuple[str, ...]:
        """The strata that are compared with the reference."""
        return tuple(label for label in self.strata_labels if label != self.reference)

    @property
    def spells(self) -> bool:
        """Whether a patient may have several rows: an endpoint has entry times."""
        return any(endpoint.entry for endpoint in self.plan.endpoints)

    @property
    def cluster(self) -> str | None:
        """The column of the patients, where a patient may have several rows and the plan names it."""
        return self.plan.data.id if self.spells else None

    @property
    def counted(self) -> str:
        """What a row is called: a patient, unless a patient may have several, or has."""
        key = self.plan.data.id
        return "rows" if self.spells and (key is None or self.cohort[key].duplicated().any()) else "patients"

    @property
    def contrasted(self) -> str:
        """The stratum that headlines compare with the reference: at the end that the plan's direction points to."""
        return self.compared[0 if self.plan.marker.direction == "lower" else -1]

    @cached_property
    def fits(self) -> dict[str, tuple[tuple[StudyModel, ...], tuple[AnalysisWarning, ...]]]:
        """The Cox models of each endpoint with their warnings, fitted when they are first asked for."""
        from analysis.study.models import fitted_models

        return {endpoint.name: fitted_models(self, endpoint) for endpoint in self.plan.endpoints}

    @cached_property
    def searches(self) -> dict[tuple[str, bool], CutpointSearch]:
        """The searches made so far, by endpoint and whether adjusted: several parts of a report show the same one."""
        return {}

    @property
    def marker_columns(self) -> tuple[str, ...]:
        """The marker and all that is made from it, which a patient without a value misses together."""
        contrasts = (self.contrast(label) for label in self.compared)
        return (self.plan.marker.column, self.stratum_column, self.marker_term, *contrasts)

    def contrast(self, label: str) -> str:
        """The indicator column of one stratum, as in "low against reference"."""
        return quotable(f"{label} against {self.reference}")

    def label(self, name: str) -> str:
        """The plan's words for a column or a model term, else the name itself."""
        return self.plan.labels.get(name, name)

    def listed(self, names: Iterable[str]) -> str:
        """Columns or terms in the plan's words, as a list within a sentence."""
        return "; ".join(in_sentence(self.label(name)) for name in names)


def quotable(term: str) -> str:
    """A column's name that a formula can hold between backticks."""
    return term.replace("`", "'")


_CUSTOMARY = {
    "days": (90.0, 180.0, 365.0, 730.0, 1095.0, 1825.0, 3650.0),
    "weeks": (13.0, 26.0, 52.0, 104.0, 156.0, 260.0, 520.0),
    "months": (3.0, 6.0, 12.0, 24.0, 36.0, 60.0, 120.0),
    "years": (1.0, 2.0, 3.0, 5.0, 10.0, 20.0),
}


def common_follow_up(study: Study, endpoint: Endpoint) -> float:
    """The last time at which every stratum is still followed: the shortest of the strata's longest times."""
    cohort = study.cohort[[study.stratum_column, endpoint.duration, endpoint.event]].dropna()
    longest = cohort.groupby(study.stratum_column, observed=True)[endpoint.duration].max()
    return float(longest.min())


def milestones(study: Study, endpoint: Endpoint) -> tuple[float, ...]:
    """The plan's milestones, else up to four customary times within the common follow-up."""
    if study.plan.milestones:
        return study.plan.milestones
    limit = common_follow_up(study, endpoint)
    within = [time for time in _CUSTOMARY.get(endpoint.time_unit, ()) if time <= limit]
    return tuple(within[-4:]) or (_round_down(limit),)


def horizon(study: Study, endpoint: Endpoint) -> float:
    """The plan's horizon, else the longest customary time within the common follow-up."""
    return study.plan.horizon or milestones(study, endpoint)[-1]


def _round_down(limit: float) -> float:
    """The limit to its two leading digits, never above it."""
    scale = 10.0 ** (math.floor(math.log10(limit)) - 1) if limit > 0 else 1.0
    return math.floor(limit / scale) * scale


def with_survival_targets(points: pd.DataFrame, truth: TrueEstimands | None, endpoint: Endpoint) -> pd.DataFrame:
    """Survival at fixed times with the column `target`, after the interval; unchanged where no truth is known."""
    if truth is None:
        return points
    curves = truth.curves[truth.curves["endpoint"] == endpoint.name]
    known = curves.set_index([curves["stratum"].astype(str), "time"])["survival"]
    return with_targets(
        points, [_value(known, key) for key in zip(points["stratum"].astype(str), points["time"], strict=True)]
    )


def with_restricted_mean_targets(
    means: pd.DataFrame, truth: TrueEstimands | None, endpoint: Endpoint, horizon: float
) -> pd.DataFrame:
    """Restricted means with the column `target`; unchanged where no truth is known."""
    if truth is None:
        return means
    known = _restricted_means(truth, endpoint, horizon)
    return with_targets(means, [_value(known, label) for label in means["stratum"].astype(str)])


def with_difference_targets(
    differences: pd.DataFrame, truth: TrueEstimands | None, endpoint: Endpoint, horizon: float
) -> pd.DataFrame:
    """Differences of restricted means (b less a) with the column `target`; unchanged where no truth is known."""
    if truth is None:
        return differences
    known = _restricted_means(truth, endpoint, horizon)
    first, second = (differences[name].astype(str) for name in ("stratum_a", "stratum_b"))
    return with_targets(differences, [_value(known, b) - _value(known, a) for a, b in zip(first, second, strict=True)])


def hazard_ratio_target(truth: TrueEstimands | None, endpoint: Endpoint, target: str) -> float:
    """A hazard ratio among the true estimands, by the name of its target; NaN where there is none."""
    if truth is None:
        return float("nan")
    ratios = truth.log_hazard_ratios
    return _value(ratios[ratios["endpoint"] == endpoint.name].set_index("target")["hazard_ratio"], target)


def with_targets(frame: pd.DataFrame, targets: list[float]) -> pd.DataFrame:
    """A copy with the column `target` after the interval."""
    placed = frame.copy()
    placed.insert(list(placed.columns).index("conf_high") + 1, "target", targets)
    return placed


def _restricted_means(truth: TrueEstimands, endpoint: Endpoint, horizon: float) -> pd.Series:
    """The true restricted means of one endpoint and horizon, by stratum."""
    means = truth.restricted_means
    mine = means[(means["endpoint"] == endpoint.name) & (means["horizon"] == horizon)]
    return mine.set_index(mine["stratum"].astype(str))["restricted_mean"]


def _value(known: pd.Series, key: object) -> float:
    """A known value as a float; NaN where it is not known."""
    return float(known.get(key, float("nan")))
