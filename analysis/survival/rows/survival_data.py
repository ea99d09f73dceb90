"""From a frame and an endpoint to arrays and counts that an estimator can trust: the one gate of this room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort import columns as cohort_columns
from analysis.cohort.columns import SMALLEST, Endpoint, column_problems, first_few, indicator, numbers, rows_where
from analysis.errors import CohortError, InputError, RowAccount, dropped_warnings, raise_all
from analysis.kernels.counts import MANY_ROWS, Counts, count
from analysis.kernels.times import merge_near_ties
from analysis.survival.rows.groups import Groups, group_rows, grouping_problems, label_problems

ApproximateTies = Literal["efron", "breslow"]
Engine = Literal["auto", "lifelines", "kernel"]
MOST_ROWS_FOR_LIFELINES = 20_000
"""Above this many rows ``engine="auto"`` takes the kernel, which fits Cox models in passes over unsorted rows then."""
NOBODY_FOLLOWED = "every follow-up time is 0; nobody was followed"


@dataclass(frozen=True, eq=False)
class SurvivalData(RowAccount):
    """The complete rows of a cohort in the columns an analysis uses, in input order, near-tied times merged.

    `position` is that of each row in the cohort; `entry` is -inf without late entry, `weights` 1 without weights;
    `warnings` begin with one `RowsDropped` when rows were dropped.
    """

    time: FloatArray
    event: BoolArray
    entry: FloatArray
    weights: FloatArray
    covariates: FloatArray
    by: Groups
    strata: Groups
    cluster: Groups
    position: IntArray

    def take(self, index: IntArray | BoolArray) -> SurvivalData:
        """Some of the rows, or rows several times over: `n_used` counts them, what was read and dropped stays."""
        position = self.position[index]
        by, strata, cluster = (
            replace(groups, codes=groups.codes[index]) for groups in (self.by, self.strata, self.cluster)
        )
        return replace(
            self, time=self.time[index], event=self.event[index], entry=self.entry[index], weights=self.weights[index],
            covariates=self.covariates[index], by=by, strata=strata, cluster=cluster, position=position,
            n_used=len(position),
        )  # fmt: skip


def survival_data(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str | None = None,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    covariates: Sequence[str] = (),
    complete: Sequence[str] = (),
) -> SurvivalData:
    """Check the columns of an analysis, drop its incomplete rows and merge near-tied times.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient (or a row a spell, with entry times); never changed.
    endpoint : Endpoint
        Where the outcome is.
    by, cluster, weights : str, optional
        Columns of group labels, of cluster labels, of positive numbers.
    strata : str or sequence of str, optional
        Columns whose combinations are the strata.
    covariates : sequence of str
        Numeric columns, taken as they are.
    complete : sequence of str
        Further columns of any type that must not be missing (a formula reads them itself).

    Returns
    -------
    SurvivalData

    Raises
    ------
    CohortError
        With every fault at once: missing columns, negative or infinite times, events that are not 0/1, entry at or
        after the time, weights of zero or less, no rows left.
    InputError
        When the endpoint is none, or a role is given several columns or the outcome itself.
    """
    strata_names = listed(strata)
    check_roles(endpoint, strata_names, by=by, cluster=cluster, weights=weights)
    label_names = [name for name in (by, *strata_names, cluster) if name is not None]
    number_names = [*([weights] if weights is not None else []), *covariates]
    raise_all(column_problems(cohort, [*endpoint.columns, *label_names, *number_names, *complete]))

    columns = _numeric_columns(cohort, endpoint, number_names, by, label_names)
    missing = {name: np.isnan(values) for name, values in columns.items()}
    missing |= {name: cohort[name].isna().to_numpy(dtype=bool) for name in (*label_names, *complete)}
    kept, dropped = complete_rows(missing)
    if not kept.any():
        raise no_rows_left(dropped)
    position, used = np.flatnonzero(kept), cohort
    if len(position) < len(cohort):
        columns = {name: values[kept] for name, values in columns.items()}
        used = cohort[list(dict.fromkeys(label_names))].iloc[position]
    problems: list[str] = []
    time, entry = _times(columns, endpoint, position, problems)
    weight = _weights(columns, weights, position, problems)
    raise_all(problems)
    everybody = Groups(np.zeros(len(time), dtype=np.int64), ("all",))
    return SurvivalData(
        time=time,
        event=columns[endpoint.event] == 1,
        entry=entry,
        weights=weight,
        covariates=np.array([columns[name] for name in covariates]).T if covariates else np.empty((len(time), 0)),
        by=everybody if by is None else group_rows(used, [by]),
        strata=group_rows(used, strata_names) if strata_names else everybody,
        cluster=everybody if cluster is None else group_rows(used, [cluster]),
        position=position,
        n_read=len(cohort),
        n_used=len(time),
        dropped=dropped,
        warnings=(
            *dropped_warnings(len(cohort), len(time), dropped),
            *zero_time_warnings(int(((time == 0) & (columns[endpoint.event] == 0)).sum()), endpoint),
        ),
    )


@dataclass(frozen=True, eq=False)
class CohortCounts(RowAccount):
    """A cohort as counts, which is all that curves and log-rank tests need.

    Attributes
    ----------
    counts : Counts
        Of curves: a segment for each group. Of a test: a column for each group, a segment for each stratum.
    labels : tuple of str
        The groups, in stratum order.
    sizes : ndarray of int
        The rows of each group.
    rows : SurvivalData or None
        The rows themselves; None where one pass over many counted them.
    """

    counts: Counts
    labels: tuple[str, ...]
    sizes: IntArray
    rows: SurvivalData | None = field(default=None, repr=False)


def read_counts(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str | None = None,
    strata: str | Sequence[str] | None = None,
    weights: str | None = None,
    cluster: str | None = None,
    compared: bool = False,
    with_rows: bool = False,
) -> CohortCounts:
    """Check the columns of an analysis and count its complete rows, many of them in one pass over the columns.

    Parameters
    ----------
    cohort, endpoint, by, strata, weights, cluster
        As in `survival_data`.
    compared : bool
        Whether groups share the risk sets of their stratum, as in a test; curves have risk sets of their own.
    with_rows : bool
        The rows are needed, too. They always come with weights, clusters or late entry.

    Returns
    -------
    CohortCounts

    Raises
    ------
    CohortError, InputError
        As `survival_data`.
    """
    many = isinstance(cohort, pd.DataFrame) and len(cohort) >= MANY_ROWS
    if many and not with_rows and weights is None and cluster is None:
        from analysis.survival.rows.one_pass import counts_in_one_pass  # which stands on this module

        counted = counts_in_one_pass(cohort, endpoint, by=by, strata=listed(strata), compared=compared)
        if counted is not None:
            return counted
    data = survival_data(cohort, endpoint, by=by, strata=strata, weights=weights, cluster=cluster)
    counts = counts_of_rows(data, compared=compared, weighted=weights is not None)
    return CohortCounts(counts=counts, labels=data.by.labels, sizes=data.by.sizes, rows=data, **data.account)


def counts_of_rows(
    data: SurvivalData, event: BoolArray | None = None, *, compared: bool = False, weighted: bool = False
) -> Counts:
    """The counts of checked rows, as `read_counts` arranges them; `event` in place of the endpoint's."""
    by, strata = data.by, data.strata
    several = len(strata.labels) > 1
    return count(
        data.time,
        data.event if event is None else event,
        entry=late_entry(data),
        weights=data.weights if weighted else None,
        segment=by.codes if not compared else strata.codes if several else None,
        group=by.codes if compared else None,
        n_segments=len(strata.labels if compared else by.labels),
        n_groups=len(by.labels) if compared else 1,
    )


def _numeric_columns(
    cohort: pd.DataFrame, endpoint: Endpoint, number_names: Sequence[str], by: str | None, label_names: Sequence[str]
) -> dict[str, FloatArray]:
    """The columns of the outcome and of numbers as arrays; raises with every fault of theirs, and of the labels."""
    problems: list[str] = []
    columns = _outcome_columns(cohort, endpoint, problems)
    columns |= {name: numbers(cohort, name, problems) for name in number_names}
    for name in dict.fromkeys(label_names):
        problems += grouping_problems(cohort[name]) if name == by else label_problems(cohort[name])
    raise_all(problems)
    return columns


def _outcome_columns(cohort: pd.DataFrame, endpoint: Endpoint, problems: list[str]) -> dict[str, FloatArray]:
    """The outcome's columns as arrays, their faults added to `problems`."""
    columns = {endpoint.duration: numbers(cohort, endpoint.duration, problems, role="time column")}
    columns[endpoint.event] = indicator(cohort, endpoint.event, problems)
    if endpoint.entry is not None:
        columns[endpoint.entry] = numbers(cohort, endpoint.entry, problems, role="entry column")
    for name, role in ((endpoint.duration, "time"), (endpoint.entry, "entry")):
        if name is not None:
            negative = columns[name] < 0
            if negative.any():
                values = first_few(f"{value:g}" for value in columns[name][negative])
                problems.append(f"{role} column {name!r}: negative values ({values}) in {rows_where(negative, cohort)}")
    return columns


def complete_rows(missing: Mapping[str, BoolArray], n: IntArray | None = None) -> tuple[BoolArray, dict[str, int]]:
    """Which rows miss nothing, and how many of the others miss what: a row counts once, or `n` times.

    Examples
    --------
    >>> complete_rows({"age": np.array([True, False, True]), "sex": np.array([True, False, False])})[1]
    {'missing age': 2}
    """
    kept, dropped = np.ones(len(next(iter(missing.values()))), dtype=bool), {}
    for name, absent in missing.items():
        newly = absent & kept
        if newly.any():
            dropped[f"missing {name}"] = int(newly.sum() if n is None else n[newly].sum())
            kept &= ~newly
    return kept, dropped


def no_rows_left(dropped: Mapping[str, int]) -> CohortError:
    """The error when every row was left out."""
    reasons = ", ".join(f"{count} dropped for {reason}" for reason, count in dropped.items())
    return CohortError(f"no rows left: {reasons}")


def _times(
    columns: dict[str, FloatArray], endpoint: Endpoint, position: IntArray, problems: list[str]
) -> tuple[FloatArray, FloatArray]:
    """Follow-up and entry times with near-ties merged; somebody was followed, and entry comes before the end."""
    time = columns[endpoint.duration]
    if not time.any():
        problems.append(f"time column {endpoint.duration!r}: {NOBODY_FOLLOWED}")
    if endpoint.entry is None:
        return merge_near_ties(time)[0], np.full(len(time), -np.inf)
    time, entry = merge_near_ties(time, columns[endpoint.entry])
    late = entry >= time
    if late.any():
        problems.append(
            f"entry column {endpoint.entry!r}: entry is at or after {endpoint.duration!r}"
            f" in {_rows_of(position[late])}; a row must come under observation before it ends"
        )
    return time, entry


def _weights(
    columns: dict[str, FloatArray], weights: str | None, position: IntArray, problems: list[str]
) -> FloatArray:
    """Positive weights; 1 for every row without them."""
    if weights is None:
        return np.ones(len(position))
    values = columns[weights]
    for wrong, what, advice in (
        (values <= 0, "zero or negative", "; weights must be positive"),
        ((values > 0) & (values < SMALLEST), f"below {SMALLEST:g}", ", too small to compute with; leave such rows out"),
    ):
        if wrong.any():
            problems.append(f"weights column {weights!r}: {what} in {_rows_of(position[wrong])}{advice}")
    return values


def _rows_of(position: IntArray) -> str:
    """How many rows are wrong and which, from their positions in the cohort."""
    return rows_where(np.isin(np.arange(position.max() + 1), position))


def late_entry(data: SurvivalData) -> FloatArray | None:
    """Entry times, or None when everybody is under observation from the start."""
    return None if np.isneginf(data.entry).all() else data.entry


def zero_time_warnings(count: int, endpoint: Endpoint) -> tuple[errors.SuspiciousValues, ...]:
    """A warning on rows whose follow-up ended at time 0 without an event: they are kept and at risk at 0 only."""
    if not count:
        return ()
    text = f"time column {endpoint.duration!r}: {count} row{'s' if count > 1 else ''} censored at time 0, kept"
    return (errors.SuspiciousValues(text),)


def listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name, several or none, as a tuple.

    Raises
    ------
    InputError
        When it is neither a name nor a list of names.

    Examples
    --------
    >>> listed("age"), listed(["age", "sex"]), listed(None)
    (('age',), ('age', 'sex'), ())
    """
    if names is None:
        return ()
    if isinstance(names, (str, int)):
        return (names,)
    given: object = names
    is_list = isinstance(given, Iterable) and not isinstance(given, (bytes, Mapping, pd.DataFrame))
    columns = tuple(names) if is_list else ()
    if not is_list or not all(isinstance(name, (str, int)) for name in columns):
        raise InputError(
            f"expected the name of a column or a list of names, got {type(given).__name__} {str(given).splitlines()[0]}"
        )
    return columns


def check_roles(endpoint: Endpoint, strata: Sequence[str], **columns: str | None) -> None:
    """Refuse what is no `Endpoint`, a role that names several columns, and groups or weights that are the outcome."""
    check_endpoint(endpoint)
    problems = [
        f"{role}={name!r}: name one column; combine several into one first"
        for role, name in columns.items()
        if name is not None and not isinstance(name, (str, int))
    ]
    outcome = dict(zip(endpoint.columns, ("follow-up time", "event", "entry time"), strict=False))
    given = [*columns.items(), *(("strata", name) for name in strata)]
    problems += [
        f"{role}={name!r} is the {outcome[name]} of the endpoint itself"
        for role, name in given
        if isinstance(name, str) and name in outcome
    ]
    raise_all(problems, InputError)


def check_endpoint(endpoint: object) -> None:
    """Refuse what is no `Endpoint`."""
    if isinstance(endpoint, Endpoint):
        return
    if isinstance(endpoint, cohort_columns.CompetingEndpoint):
        raise InputError(
            f"endpoint: {endpoint.name!r} has several causes; use cumulative_incidence, gray_test or fit_fine_gray, or"
            " an Endpoint whose event column is 1 for what counts here"
        )
    is_pair = isinstance(endpoint, (tuple, list)) and [type(part) for part in endpoint] == [str, str]
    hint = f"; write Endpoint({', '.join(map(repr, endpoint))})" if is_pair else ""  # type: ignore[call-overload]
    raise InputError(f"endpoint: expected Endpoint(duration, event), got {type(endpoint).__name__} {endpoint!r}{hint}")


def times_given(times: ArrayLike, *, name: str = "times") -> FloatArray:
    """Times asked for, as floats in the order given; one number is one time.

    Raises
    ------
    InputError
        When there is none, or one is no number, negative or not finite.

    Examples
    --------
    >>> times_given([12, 6]).tolist()
    [12.0, 6.0]
    """
    given = np.atleast_1d(np.asarray(times))
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "iuf":
        raise InputError(f"{name}={times!r} must be one or more numbers, in the unit of the follow-up")
    values = given.astype(np.float64)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise InputError(f"{name}: {first_few(values[wrong])} must be finite and not negative")
    return values
