"""Adjusted curves as tidy frames, and what must be said of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.cohort.columns import FloatArray, first_few
from analysis.errors import AnalysisWarning, BeyondFollowUp, FailedDraws, NotEstimable
from analysis.kernels.counts.product_limit import interval
from analysis.kernels.times import n_times_to, reached
from analysis.robustness.confounding.exposure import ExposureRows
from analysis.survival.curves.frames import CHOSEN_TIMES, EVENT_TIMES, QUANTILES, code_column

MANY_FAILED = 0.05
CONF_TYPE, BOOTSTRAP = "log-log", "bootstrap"


def failed(n_bootstrap: int, n_drawn: int) -> tuple[AnalysisWarning, ...]:
    """A word on resamples that failed, when they were more than a few; an error when most did."""
    n_failed = n_bootstrap - n_drawn
    text = f"{n_failed} of {n_bootstrap} resamples had no adjusted curves (a stratum empty, or no finite estimate)"
    if n_failed > n_bootstrap / 2:
        raise NotEstimable(f"{text}: too few rows or events for these covariates; adjust for less, or join strata")
    if n_failed > MANY_FAILED * n_bootstrap:
        return (FailedDraws(f"{text}; the intervals rest on the others and may be too narrow"),)
    return ()


def beyond(asked: FloatArray | None, ends: FloatArray, labels: Sequence[str]) -> tuple[AnalysisWarning, ...]:
    """A word on times asked for beyond the end of a stratum's curve."""
    if asked is None:
        return ()
    short = [
        f"{label!r} ends at {end:g}" for label, end in zip(labels, ends, strict=True) if not reached(asked, end).all()
    ]
    if not short:
        return ()
    return (BeyondFollowUp(f"times up to {asked[-1]:g}: stratum {first_few(short)}; its rows stop there"),)


def curve_frame(
    rows: ExposureRows,
    grid: FloatArray,
    asked: FloatArray | None,
    ends: FloatArray,
    survival: FloatArray,
    draws: FloatArray,
    *,
    method: str,
    conf_level: float,
) -> pd.DataFrame:
    """The tidy frame, each stratum from time 0 to its end, with the counts of the rows as they are."""
    error = draws.std(axis=0, ddof=1) if len(draws) else np.full(survival.shape, np.nan)
    low, high = interval(survival.ravel(), error.ravel(), conf_level=conf_level, conf_type=CONF_TYPE)
    limits = np.stack([low, high]).reshape(2, *survival.shape)
    wanted = np.ones(len(grid), dtype=bool) if asked is None else np.isin(grid, np.r_[0.0, asked])
    parts = []
    for code, end in enumerate(ends):
        shown = np.flatnonzero(wanted & reached(grid, end))
        values = (survival[code, shown], error[code, shown], limits[0, code, shown], limits[1, code, shown])
        part = pd.DataFrame(dict(zip(("survival", "std_error", "conf_low", "conf_high"), values, strict=True)))
        parts.append(pd.concat([_counts(rows, code, grid[shown]), part], axis=1))
    table = pd.concat(parts, ignore_index=True)
    labels = rows.exposure.labels
    table.insert(0, "stratum", code_column(np.repeat(np.arange(len(labels)), [len(part) for part in parts]), labels))
    same = np.zeros(len(table), dtype=np.int64)
    return table.assign(
        conf_type=code_column(same, [CONF_TYPE], ordered=False),
        conf_level=float(conf_level),
        variance=code_column(same, [BOOTSTRAP], ordered=False),
        method=code_column(same, [method], ordered=False),
        rows_at=code_column(same, [_rows_at(rows, grid, asked)], ordered=False),
    )


def _rows_at(rows: ExposureRows, grid: FloatArray, asked: FloatArray | None) -> str:
    """Whether the rows stand at every step of the curves, at most of them, or where they were asked for."""
    if asked is not None:
        return CHOSEN_TIMES
    return EVENT_TIMES if np.isin(rows.data.time[rows.data.event], grid).all() else QUANTILES


def _counts(rows: ExposureRows, code: int, times: FloatArray) -> pd.DataFrame:
    """At risk just before each time (at the first: just after 0), events and censorings since the time before it."""
    mine = rows.exposure.codes == code
    time, event, entry = rows.data.time[mine], rows.data.event[mine], rows.data.entry[mine]
    left, entered = n_times_to(np.sort(time), times, side="left"), n_times_to(np.sort(entry), times, side="left")
    left[0], entered[0] = 0, (entry <= 0).sum()
    sums = [n_times_to(np.sort(time[event == kind]), times) for kind in (True, False)]
    for count in sums:
        count[0] = 0
    n_event, n_censor = (np.diff(count, prepend=0) for count in sums)
    return pd.DataFrame({"time": times, "n_risk": entered - left, "n_event": n_event, "n_censor": n_censor})
