"""Where the explorer's slider stops: cuts that were searched, the ones found, and the plan's edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.cohort.columns import FloatArray, IntArray
from analysis.cohort.endpoints import Endpoint
from analysis.strata.cutpoints import Closed, Rule, edges_as_text
from analysis.strata.search.one_cut import CutpointSearch
from analysis.study.study import Study

MOST_CUTS = 80
PLANNED: dict[Rule, str] = {
    "clinical": "pre-specified",
    "quantile": "quantile of these patients",
    "searched": "searched elsewhere",
}


@dataclass(frozen=True)
class Cut:
    """One stop of the slider: a value of the marker, and the side that a value equal to it belongs to."""

    value: float
    closed: Closed
    planned: str = ""
    label: str = ""

    def n_low(self, marker: FloatArray) -> int:
        """Rows of the lower group among ascending values."""
        return int(np.searchsorted(marker, self.value, side="left" if self.closed == "left" else "right"))


def slider_cuts(study: Study, found: Sequence[CutpointSearch]) -> list[Cut]:
    """The stops in order: of the cuts searched first at most about 80, evenly spread, and each cut worth a look.

    A searched cut at an edge of the plan, or with the same groups, gives way to it, unless it was found.
    """
    marker = study.plan.marker.column
    values = [np.sort(used_rows(study, search.endpoint)[marker].to_numpy(dtype=np.float64)) for search in found]
    edges = [Cut(edge, study.cutpoints.closed, PLANNED[study.cutpoints.rule]) for edge in study.cutpoints.edges]
    taken = {edge.n_low(values[0]) for edge in edges} | {Cut(edge.value, "right").n_low(values[0]) for edge in edges}
    best = {search.cut for search in found} - {edge.value for edge in edges if edge.closed == "right"}
    searched = found[0].scan["cut"].to_numpy()[spread(len(found[0].scan), MOST_CUTS)]
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
