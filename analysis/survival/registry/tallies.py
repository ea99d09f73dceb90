"""How often each combination of an outcome's values occurs: what a scan of a registry brings home, and its faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, CohortError, dropped_warnings, raise_all
from analysis.kernels.times import merge_near_ties
from analysis.survival.rows import complete_rows, grouping_problems, no_rows_left, zero_time_warnings

SOUND, MISSING, INFINITE, NEGATIVE, LATE = range(5)
"""What may be wrong with the entry time of a row."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Rows counted by the values of their outcome, as they stand in the source: a combination may come up twice.

    Attributes
    ----------
    exits : DataFrame
        Columns stratum, time, event (values as in the source, missing ones too), fault (of the entry time: `SOUND`,
        `MISSING`, `INFINITE`, `NEGATIVE` or `LATE`), latest (the last entry time of these rows; without late entry
        missing) and n, the number of rows.
    entries : DataFrame or None
        Columns stratum, entry, n of the complete and sound rows; None without an entry column.
    """

    exits: pd.DataFrame
    entries: pd.DataFrame | None


def sound_part(tally: Tally, endpoint: Endpoint, by: str | None) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """The exits of complete rows, and warnings on the others; raises with every fault of the rows."""
    rows = tally.exits[tally.exits["n"] > 0]
    if rows.empty:
        raise CohortError("the cohort has no rows")
    measured = grouping_problems(rows["stratum"].rename(by)) if by is not None else []
    raise_all([*_outcome_problems(rows, endpoint), *measured])
    missing = {endpoint.duration: rows["time"].isna(), endpoint.event: rows["event"].isna()}
    missing |= {endpoint.entry: rows["fault"] == MISSING} if endpoint.entry is not None else {}
    missing |= {by: rows["stratum"].isna()} if by is not None else {}
    complete, dropped = complete_rows(
        {name: np.asarray(absent) for name, absent in missing.items()}, rows["n"].to_numpy()
    )
    if not complete.any():
        raise no_rows_left(dropped)
    kept = rows[complete]
    raise_all(_order_problems(kept, tally.entries, endpoint))
    n_read, n_used = int(rows["n"].sum()), int(kept["n"].sum())
    at_zero = int(kept["n"][(kept["time"] == 0) & (kept["event"] == 0)].sum())
    return kept, (*dropped_warnings(n_read, n_used, dropped), *zero_time_warnings(at_zero, endpoint))


def _outcome_problems(rows: pd.DataFrame, endpoint: Endpoint) -> list[str]:
    """Infinite and negative times, and events that are not 0 or 1, with the number of rows of each."""
    time, event, fault, n = rows["time"], rows["event"], rows["fault"], rows["n"]
    problems = []
    for role, name, infinite, negative in (
        ("time", endpoint.duration, np.isinf(time), np.isfinite(time) & (time < 0)),
        ("entry", endpoint.entry, fault == INFINITE, fault == NEGATIVE),
    ):
        if infinite.any():
            problems.append(f"{role} column {name!r}: infinite values in {_rows(n[infinite])}; set them missing")
        if negative.any():
            shown = f" ({first_few(f'{value:g}' for value in sorted(set(time[negative])))})" if role == "time" else ""
            problems.append(f"{role} column {name!r}: negative values{shown} in {_rows(n[negative])}")
    odd = n[event.notna() & (event != 0) & (event != 1)].groupby(event).sum()
    if len(odd):
        shown = first_few(f"{value:g} in {_rows([count])}" for value, count in odd.items())
        problems.append(f"event column {endpoint.event!r}: {shown}; it must hold 0 and 1 (or True and False)")
    return problems


def _order_problems(kept: pd.DataFrame, entries: pd.DataFrame | None, endpoint: Endpoint) -> list[str]:
    """Nobody followed, and entries at or after the end: as written, or but for a rounding error."""
    problems = []
    if not kept["time"].any():
        problems.append(f"time column {endpoint.duration!r}: every follow-up time is 0; nobody was followed")
    late, advice = kept["fault"] == LATE, "a row must come under observation before it ends"
    if late.any():
        problems.append(
            f"entry column {endpoint.entry!r}: entry is at or after {endpoint.duration!r}"
            f" in {_rows(kept['n'][late])}; {advice}"
        )
    sound = kept[~late]
    if entries is not None and len(sound):
        columns = (sound["time"], sound["latest"], entries["entry"])
        time, latest, _ = merge_near_ties(*(column.to_numpy(dtype=np.float64) for column in columns))
        same = sound["time"][time == latest]
        if len(same):
            problems.append(
                f"entry column {endpoint.entry!r}: entry differs from {endpoint.duration!r} by rounding only at time"
                f" {first_few(f'{value:g}' for value in sorted(set(same)))}; {advice}"
            )
    return problems


def _rows(counts: pd.Series | list[int]) -> str:
    """A number of rows in words."""
    total = int(sum(counts))
    return f"{total} row{'s' if total != 1 else ''}"
