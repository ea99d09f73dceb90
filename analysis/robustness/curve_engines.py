"""From the rows of an adjusted comparison to the engine of its curves: the outcome's model, baselines and times."""

from __future__ import annotations

import numpy as np

from analysis.cohort.columns import FloatArray, IntArray, first_few
from analysis.cohort.endpoints import Endpoint
from analysis.errors import NotEstimable, Separation
from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cox.risk_sets import risk_sets
from analysis.robustness.confounding.curve_engines import CurveEngine, Reweighter, Standardiser
from analysis.robustness.confounding.exposure import ExposureRows
from analysis.robustness.confounding.weights import Weighting
from analysis.survival.cox.fit import fit_design
from analysis.survival.cox.result import CoxFit, CoxModel

MOST_TIMES = 500
"""Distinct event times above which the curves are computed at as many quantiles of them."""


def refuse_no_events(rows: ExposureRows, by: str) -> None:
    """Without an event there is nothing to adjust in a stratum."""
    labels = rows.exposure.labels
    n_event = np.bincount(rows.exposure.codes, rows.data.event, len(labels))
    without = [repr(label) for label, count in zip(labels, n_event, strict=True) if not count]
    if without:
        raise NotEstimable(
            f"column {by!r}: no events in {first_few(without)}; an adjusted curve needs some: join it with another"
        )


def outcome_model(rows: ExposureRows, endpoint: Endpoint, strata: tuple[str, ...]) -> CoxFit:
    """The Cox model of a standardisation; an error when it has no finite estimate."""
    model = CoxModel(endpoint, rows.formula, "efron", strata, None, None, robust=False, engine="kernel")
    fit = fit_design(rows.design, model)
    if fit.maximum.directions:
        words = "; ".join(str(one) for one in fit.warnings if isinstance(one, Separation))
        raise NotEstimable(f"the outcome model has no finite estimate, so nothing can be standardised: {words}")
    return fit


def _last_seen(time: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """The longest follow-up of each group."""
    return np.array([time[codes == code].max() for code in range(n_groups)], dtype=np.float64)


def curve_ends(rows: ExposureRows, model: CoxFit | None) -> FloatArray:
    """Where each stratum's curve ends: with its follow-up, and with that of the baselines it is made of."""
    data, labels = rows.data, rows.exposure.labels
    ends = _last_seen(data.time, rows.exposure.codes, len(labels))
    if model is None:
        return ends
    baselines = _last_seen(data.time, data.strata.codes, len(data.strata.labels))[_baselines(rows)]
    return np.asarray(np.minimum(ends, baselines.min(axis=1)), dtype=np.float64)


def _baselines(rows: ExposureRows) -> IntArray:
    """The baseline of each group within each of the other strata: its own where the groups are strata too."""
    n_groups, n_within = len(rows.exposure.labels), len(rows.within.labels)
    found = np.full((n_groups, n_within), -1)
    found[rows.exposure.codes, rows.within.codes] = rows.data.strata.codes
    if not _own_baselines(rows):
        found[:] = found.max(axis=0)
    empty = [
        f"{rows.exposure.labels[a]!r} within {rows.within.labels[s]!r}" for a, s in np.argwhere(found < 0).tolist()
    ]
    if empty:
        raise NotEstimable(f"no row to make a baseline of: {first_few(empty)}; leave a column out of strata")
    return found.astype(np.int64)


def _own_baselines(rows: ExposureRows) -> bool:
    """Whether the groups are strata of the outcome model as well."""
    return len(rows.design.terms) == len(rows.terms)


def curve_times(rows: ExposureRows, ends: FloatArray, asked: FloatArray | None) -> FloatArray:
    """The times at which the curves are computed: 0, the event times, the ends, the times asked for."""
    events = np.unique(rows.data.time[rows.data.event])
    if len(events) > MOST_TIMES:
        events = events[np.linspace(0, len(events) - 1, MOST_TIMES).round().astype(np.int64)]
    later = np.unique(np.concatenate([events, ends, np.empty(0) if asked is None else asked]))
    return np.concatenate([[0.0], later])


def standardiser(rows: ExposureRows, grid: FloatArray) -> CurveEngine:
    """The engine of a standardisation, its rows in canonical order."""
    order, data = rows.order, rows.data
    n_indicators = 0 if _own_baselines(rows) else len(rows.exposure.labels) - 1
    codes, labels = rows.exposure.codes[order], rows.exposure.labels
    indicators = np.eye(len(labels))[codes][:, len(labels) - n_indicators :]
    covariates = rows.x[order] - rows.x.mean(axis=0)
    time, event, entry, stratum = data.time[order], data.event[order], data.entry[order], data.strata.codes[order]
    x = np.column_stack([indicators, covariates])
    start = fit_arrays(x, time, event, entry=entry, strata=stratum)[0]
    return Standardiser(
        x=x, n_indicators=n_indicators, time=time, event=event, entry=entry, stratum=stratum,
        baselines=_baselines(rows), within=rows.within.codes[order], times=grid, start=start,
    )  # fmt: skip


def reweighter(rows: ExposureRows, found: Weighting, grid: FloatArray) -> CurveEngine:
    """The engine of a weighting, its rows in canonical order."""
    order, data, codes = rows.order, rows.data, rows.exposure.codes
    sets = risk_sets(data.time[order], data.event[order], entry=data.entry[order], strata=codes[order])
    return Reweighter(found.basis[order], codes[order], len(rows.exposure.labels), sets, grid, found.coef, found.limits)
