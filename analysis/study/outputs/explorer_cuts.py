"""Survival on either side of many cuts: who lies there, the steps of the curves, and the numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint
from analysis.present.canvas import breaks_for
from analysis.present.pages import FEW_AT_RISK
from analysis.strata.cutpoints import Closed, Rule, edges_as_text
from analysis.strata.search import CutpointSearch
from analysis.study.study import Study, milestones
from analysis.survival.curves import kaplan_meier, risk_table, survival_at, survival_quantile
from analysis.survival.rows import code_column

MOST_STEPS = 200
YEARS = {"days": (365, 730), "weeks": (52, 104), "months": (12, 24), "years": (1, 2)}
MOST_ROWS = 2_000_000
"""Cuts times rows whose curves are counted at once."""
SIDES = ("low", "high")
SIDE, PATIENT = "side of the cut", "patient of the cut"


def survival_at_cuts(
    study: Study, endpoint: Endpoint, cuts: Sequence[Cut]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Groups, curves, numbers at risk, and survival at the milestones, on either side of every cut."""
    rows = used_rows(study, endpoint)
    marker = rows[study.plan.marker.column].to_numpy(dtype=np.float64)
    times = breaks_for(float(rows[endpoint.duration].max()), endpoint.time_unit)
    at_once = max(1, MOST_ROWS // len(rows))
    parts: list[tuple[pd.DataFrame, ...]] = []
    for first in range(0, len(cuts), at_once):
        some = cuts[first : first + at_once]
        stacked = _stacked(rows, marker, some, first)
        cluster = None
        if study.cluster is not None:  # a patient of each cut is a patient of its own
            cluster, n = PATIENT, len(some)
            codes = pd.factorize(rows[study.cluster])[0]
            stacked[PATIENT] = (np.arange(n)[:, None] * (codes.max() + 1) + codes).ravel()
        curves = kaplan_meier(stacked, endpoint, by=SIDE, cluster=cluster, engine="kernel")
        risk = risk_table(stacked, endpoint, times=times, by=SIDE, cluster=cluster)
        points = survival_at(curves, shown_milestones(study, endpoint))
        parts.append((survival_quantile(curves), curves, risk, points))
    medians, curves, risk, points = (
        _split(pd.concat(frames, ignore_index=True)) for frames in zip(*parts, strict=True)
    )
    totals = curves.groupby(["place", "group"], sort=False)[["n_event", "n_censor"]].sum()
    keys = pd.MultiIndex.from_frame(medians[["place", "group"]])
    groups = medians[["place", "group"]].assign(
        interval=[interval for cut in cuts for interval in _intervals(cut, study.unit)],
        n=(totals["n_event"] + totals["n_censor"]).reindex(keys).to_numpy(),
        n_event=totals["n_event"].reindex(keys).to_numpy(),
        median=medians["time"],
        conf_low=medians["conf_low"],
        conf_high=medians["conf_high"],
    )
    counts = risk[["place", "group", "time", "n_risk", "n_event", "n_censor"]]
    return groups, _steps(curves), counts, points[["place", "group", "time", "survival", "conf_low", "conf_high"]]


def shown_milestones(study: Study, endpoint: Endpoint) -> tuple[float, ...]:
    """One and two years where they are among the milestones, else the first two of them."""
    times = milestones(study, endpoint)
    return tuple(time for time in times if time in YEARS.get(endpoint.time_unit, ())) or times[:2]


def _stacked(rows: pd.DataFrame, marker: FloatArray, cuts: Sequence[Cut], first: int) -> pd.DataFrame:
    """The rows once for each cut, with the side of it on which each lies."""
    ordered = np.sort(marker)
    edge = np.array([ordered[cut.n_low(ordered)] for cut in cuts])  # the smallest value of the higher group
    codes = (2 * np.arange(len(cuts))[:, None] + (marker >= edge[:, None])).ravel()
    labels = [f"{place} {side}" for place in range(first, first + len(cuts)) for side in SIDES]
    stacked = rows.iloc[np.tile(np.arange(len(rows)), len(cuts))].reset_index(drop=True)
    return stacked.assign(**{SIDE: code_column(codes, labels)})


def _split(frame: pd.DataFrame) -> pd.DataFrame:
    """Strata of `_stacked` as place and group."""
    words = frame["stratum"].astype(str).str.split(" ", expand=True)
    rest = frame.drop(columns="stratum")
    rest.insert(0, "place", words[0].astype(int))
    rest.insert(1, "group", words[1])
    return rest


def _steps(curves: pd.DataFrame) -> pd.DataFrame:
    """The rows at which curves step, evenly thinned, with the first, the last, and the last with many at risk."""
    columns = ["place", "group", "time", "n_risk", "survival", "conf_low", "conf_high"]
    parts = [rows.iloc[_step_places(rows)] for _, rows in curves.groupby(["place", "group"], sort=False)]
    return pd.concat(parts, ignore_index=True)[columns]


def _step_places(curve: pd.DataFrame) -> IntArray:
    """The rows of one curve that its drawing needs."""
    events = np.flatnonzero(curve["n_event"] > 0)
    kept = events[spread(len(events), MOST_STEPS)] if len(events) else events
    thinning = max(int((curve["n_risk"] >= FEW_AT_RISK).sum()) - 1, 0)
    return np.unique([0, *kept, thinning, len(curve) - 1])


def _intervals(cut: Cut, unit: str) -> tuple[str, str]:
    """What the groups of a cut span, in words."""
    signs = ("<", "≥") if cut.closed == "left" else ("≤", ">")
    low, high = (f"{sign} {cut.label} {unit}".strip() for sign in signs)
    return low, high


MOST_CUTS = 80
PLANNED: dict[Rule, str] = {
    "clinical": "named by the plan",
    "quantile": "quantile of these patients",
    "searched": "searched elsewhere",
}


@dataclass(frozen=True)
class Cut:
    """One position of the slider: a value of the marker, and the side that a value equal to it belongs to."""

    value: float
    closed: Closed
    planned: str = ""
    label: str = ""

    def n_low(self, marker: FloatArray) -> int:
        """Rows of the lower group among ascending values."""
        return int(np.searchsorted(marker, self.value, side="left" if self.closed == "left" else "right"))


def slider_cuts(study: Study, searches: Sequence[CutpointSearch]) -> list[Cut]:
    """The stops in order: of the cuts searched first at most about 80, evenly spread, and each cut worth a look.

    A searched cut at an edge of the plan, or with the same groups, gives way to it, unless it was found.
    """
    marker = study.plan.marker.column
    values = [np.sort(used_rows(study, search.endpoint)[marker].to_numpy(dtype=np.float64)) for search in searches]
    edges = [Cut(edge, study.cutpoints.closed, PLANNED[study.cutpoints.rule]) for edge in study.cutpoints.edges]
    taken = {edge.n_low(values[0]) for edge in edges} | {Cut(edge.value, "right").n_low(values[0]) for edge in edges}
    best = {search.cut for search in searches} - {edge.value for edge in edges if edge.closed == "right"}
    searched = searches[0].scan["cut"].to_numpy()[spread(len(searches[0].scan), MOST_CUTS)]
    others = [Cut(float(value), "right") for value in sorted(best | set(searched))]
    stops = [*edges, *(cut for cut in others if cut.value in best or cut.n_low(values[0]) not in taken)]
    parting = [cut for cut in stops if all(0 < cut.n_low(one) < len(one) for one in values)]
    return _labelled(sorted(parting, key=lambda cut: (cut.value, cut.closed)))


def _labelled(cuts: Sequence[Cut]) -> list[Cut]:
    """The cuts with as many digits as keep them apart."""
    values = sorted({cut.value for cut in cuts})
    labels = dict(zip(values, edges_as_text(values), strict=True))
    return [replace(cut, label=labels[cut.value]) for cut in cuts]


def spread(n: int, most: int) -> IntArray:
    """Places among n, evenly spread where there are more than `most`."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def used_rows(study: Study, endpoint: Endpoint) -> pd.DataFrame:
    """The rows that an unadjusted analysis of an endpoint uses, with the columns that it needs."""
    cluster = [study.cluster] if study.cluster is not None else []
    return study.cohort[list(dict.fromkeys([*endpoint.columns, study.plan.marker.column, *cluster]))].dropna()
