"""Numbers read off the frames of curves: survival at times, quantiles, restricted means, differences, follow-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, column_problems, first_few, numbers, rows_where, with_columns
from analysis.errors import InputError, NotEstimable
from analysis.kernels.counts import ConfType, areas, quantile
from analysis.kernels.tails import normal_quantile, two_sided
from analysis.kernels.times import n_times_to, reached
from analysis.survival import rows as gate
from analysis.survival.curves.kaplan_meier import GREENWOOD, JACKKNIFE, at_start, check_curve_options, curves_of_counts
from analysis.survival.rows import label_column

CURVE_COLUMNS = ("stratum", "time", "n_risk", "n_event", "survival", "std_error", "conf_low", "conf_high")
EVENT_TIMES, QUANTILES, CHOSEN_TIMES = "event times", "quantiles of event times", "chosen times"
"""What the rows of adjusted curves stand at, in their column `rows_at`."""


def strata_of(curves: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each stratum, in stratum order; a frame that holds no curves is refused."""
    if not isinstance(curves, pd.DataFrame):
        raise InputError(f"curves: expected the frame that kaplan_meier returns, got {type(curves).__name__}")
    missing = [name for name in CURVE_COLUMNS if name not in curves]
    if missing:
        raise InputError(f"curves: no columns {', '.join(missing)}; give the frame that kaplan_meier returns")
    if curves.empty:
        raise InputError("curves: the frame has no rows")
    errors.raise_all([f"curves: {problem}" for problem in column_problems(curves, CURVE_COLUMNS)], InputError)
    typed = _typed(curves)
    return {str(label): rows for label, rows in typed.groupby("stratum", observed=True, sort=True)}


def _typed(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves whose columns are numbers and whose times go up in each stratum; from a file, they may not be."""
    problems = gate.label_problems(curves["stratum"])
    columns = {name: numbers(curves, name, problems) for name in CURVE_COLUMNS[1:]}
    for name, missing in (
        ("stratum", curves["stratum"].isna().to_numpy(dtype=bool)),
        ("time", np.isnan(columns["time"])),
    ):
        problems += [f"column {name!r}: missing in {rows_where(missing)}"] if missing.any() else []
    if not problems:
        falls = pd.Series(columns["time"]).groupby(gate.group_rows(curves, ["stratum"]).codes).diff() < 0
        problems += (
            [f"times fall within a stratum in {rows_where(falls.to_numpy())}; sort the rows"] if falls.any() else []
        )
    errors.raise_all([f"curves: {problem}" for problem in problems], InputError)
    odd = {name: columns[name] for name in columns if not _is_plain(curves[name])}
    return with_columns(curves, odd) if odd else curves


def _is_plain(column: pd.Series) -> bool:
    """Whether numpy holds the numbers of a column."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf"


def steps_of(curves: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The same of curves that hold every step; those at chosen times are refused, as they fell between their rows."""
    strata = strata_of(curves)
    if _at_chosen_times(curves):
        raise InputError(f"curves: their rows stand at chosen times only, and {_BETWEEN}")
    return strata


def strata_at(curves: pd.DataFrame, at: FloatArray, *, extend: bool) -> dict[str, pd.DataFrame]:
    """The same of curves that are read at given times; the values of those at chosen times hold at these alone."""
    strata = strata_of(curves)
    if not _at_chosen_times(curves):
        return strata
    unknown = np.zeros(len(at), dtype=bool)
    for rows in strata.values():
        times = rows["time"].to_numpy(dtype=np.float64)
        following = n_times_to(times, at, side="left")
        unknown |= (n_times_to(times, at) == following) & (extend | (following < len(times)))
    if unknown.any():
        shown = first_few(f"{time:g}" for time in at[unknown])
        raise InputError(f"curves: no row at {shown}, only at chosen times, and {_BETWEEN}")
    return strata


_BETWEEN = (
    "what happened between those is not in the frame; leave times out of adjusted_curves to have every event time"
)


def _at_chosen_times(curves: pd.DataFrame) -> bool:
    """Whether the frame says that its rows are not the steps of the curves."""
    return "rows_at" in curves and bool((curves["rows_at"] == CHOSEN_TIMES).any())


def pairs_of(labels: list[str]) -> list[tuple[str, str]]:
    """Every pair of strata in stratum order; one stratum alone has nothing to be compared with."""
    if len(labels) < 2:
        raise NotEstimable(f"need at least 2 strata to compare, the curves hold {len(labels)} ({labels[0]!r})")
    return list(combinations(labels, 2))


def survival_at(curves: pd.DataFrame, times: ArrayLike, *, extend: bool = False) -> pd.DataFrame:
    """Survival at given times, with its interval.

    Parameters
    ----------
    curves : DataFrame
        As `kaplan_meier` returns them.
    times : number or sequence of numbers
        In the unit of the follow-up.
    extend : bool
        Carry the last value flat beyond the follow-up of a stratum instead of leaving it undefined.

    Returns
    -------
    DataFrame
        Columns stratum, time, n_risk, survival, std_error, conf_low, conf_high; the times in the order given. n_risk is
        that of the first row at or after the time, 0 beyond follow-up, where the rest is NaN unless `extend`. A curve
        that has fallen to 0 stays there: nobody is left whose survival could be unknown.

    Raises
    ------
    InputError
        When `curves` are none, or a time is negative or no number, or lies between the rows of adjusted curves at
        chosen times.

    Warns
    -----
    BeyondFollowUp
        When a time lies beyond the follow-up of a stratum with S > 0 and `extend` is false.

    Notes
    -----
    Equals ``summary(survfit, times = , extend = )`` of R.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, kaplan_meier, survival_at
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]})
    >>> survival_at(kaplan_meier(cohort, Endpoint("months", "died")), [2.5])[["n_risk", "survival"]].round(4)
       n_risk  survival
    0       3      0.75
    """
    at = gate.times_given(times)
    strata = strata_at(curves, at, extend=extend)
    parts = [_at(rows, at, extend) for rows in strata.values()]
    if not extend:
        errors.warn_all(_beyond(strata, at))
    table = pd.concat(parts, ignore_index=True)
    labels = list(strata)
    table.insert(0, "stratum", label_column([label for label in labels for _ in at], labels))
    return table


def _at(rows: pd.DataFrame, at: FloatArray, extend: bool) -> pd.DataFrame:
    """One curve at the times."""
    times = rows["time"].to_numpy()
    last = n_times_to(times, at) - 1
    following = n_times_to(times, at, side="left")
    past = following == len(times)
    points = rows[["survival", "std_error", "conf_low", "conf_high"]].iloc[last].reset_index(drop=True)
    if not extend:
        points = points.mask(pd.Series(past) & (points["survival"] > 0))
    n_risk = rows["n_risk"].to_numpy()
    points.insert(0, "n_risk", np.where(past, 0, n_risk[np.minimum(following, len(times) - 1)]).astype(n_risk.dtype))
    points.insert(0, "time", at)
    return points


def _beyond(strata: dict[str, pd.DataFrame], at: FloatArray) -> list[errors.BeyondFollowUp]:
    """A warning on times that lie beyond the follow-up of a stratum in which somebody is still alive."""
    last = {label: rows[["time", "survival"]].iloc[-1] for label, rows in strata.items()}
    short = [
        f"{label} ends at {end.time:g}"
        for label, end in last.items()
        if end.survival > 0 and not reached(at, float(end.time)).all()
    ]
    if not short:
        return []
    text = f"survival at {first_few(f'{time:g}' for time in at)}: stratum {first_few(short)}; undefined beyond it"
    return [errors.BeyondFollowUp(f"{text} (extend=True carries the last value on)")]


def survival_quantile(curves: pd.DataFrame, probability: float = 0.5) -> pd.DataFrame:
    """The time by which a proportion has had the event (the median by default), with its interval.

    The first time with S <= 1 - probability; where S equals it along a flat stretch, the middle of the stretch. The
    limits are the times at which the limits of the curve cross, by the same rule (Brookmeyer and Crowley, Biometrics 38
    (1982) 29).

    Parameters
    ----------
    curves : DataFrame
        As `kaplan_meier` returns them; the level and type of its interval are those of the curves.
    probability : float
        From 0 to 1; 0.5 is the median.

    Returns
    -------
    DataFrame
        Columns stratum, probability, time, conf_low, conf_high; NaN where not reached.

    Raises
    ------
    InputError
        When `curves` are none or adjusted ones at chosen times, or the probability is outside 0 to 1.

    Notes
    -----
    Equals ``quantile(survfit)`` of R.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, kaplan_meier, survival_quantile
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]})
    >>> survival_quantile(kaplan_meier(cohort, Endpoint("months", "died")))["time"].tolist()
    [4.0]
    """
    problems = errors.number_problems("probability", probability, low=0)
    if not problems and probability > 1:
        hint = f"; did you mean {probability / 100:g}?" if probability < 100 else ""
        problems = [f"probability={probability!r} must lie between 0 and 1{hint}"]
    errors.raise_all(problems, InputError)
    strata = steps_of(curves)
    columns = {"time": "survival", "conf_low": "conf_low", "conf_high": "conf_high"}
    table = {
        name: [_quantile(rows, column, probability) for rows in strata.values()] for name, column in columns.items()
    }
    labels = list(strata)
    return pd.DataFrame({"stratum": label_column(labels, labels), "probability": float(probability), **table})


def _quantile(rows: pd.DataFrame, column: str, probability: float) -> float:
    """The quantile of one curve or of one of its limits."""
    values = rows[column].to_numpy()
    if "variance" in rows and (rows["variance"] == JACKKNIFE).all() and (rows["conf_type"] == "plain").all():
        # The jackknife's error is zero where S is, so a plain limit reaches zero there, as R has it.
        values = np.where(rows["survival"] == 0, 0.0, values)
    return quantile(rows["time"].to_numpy(), values, probability)


def survival_difference(
    curves: pd.DataFrame, time: float, *, extend: bool = False, conf_level: float = 0.95
) -> pd.DataFrame:
    """Differences in survival at one time, b less a, for every pair of strata.

    Parameters
    ----------
    curves : DataFrame
        As `kaplan_meier` returns them.
    time : float
        In the unit of the follow-up, fixed before looking.
    extend : bool
        As in `survival_at`.
    conf_level : float

    Returns
    -------
    DataFrame
        Columns stratum_a, stratum_b, time, difference, std_error, conf_low, conf_high, statistic (z), p_value; pairs in
        stratum order; NaN where a stratum's follow-up ends before the time with S > 0, unless `extend`. The error is
        undefined (NaN) where a curve is 0.

    Raises
    ------
    InputError
        When `curves` are none or adjusted, or an option is not allowed; NotEstimable with fewer than 2 strata.

    Warns
    -----
    BeyondFollowUp

    Notes
    -----
    The standard error is the root of the sum of both Greenwood variances (Klein et al., Stat Med 26 (2007) 4505).

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, kaplan_meier, survival_difference
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0], "arm": ["a", "a", "b", "b"]})
    >>> curves = kaplan_meier(cohort, Endpoint("months", "died"), by="arm")
    >>> survival_difference(curves, 2)["difference"].round(4).tolist()
    [0.5]
    """
    errors.raise_all(errors.number_problems("time", time, low=0) + errors.level_problems(conf_level), InputError)
    pairs = pairs_of(list(strata_of(curves)))
    if "variance" in curves and not curves["variance"].isin([GREENWOOD, JACKKNIFE]).all():
        raise InputError(
            "adjusted curves: the error of a difference needs the resamples, not the curves; use"
            " adjusted_survival_difference(adjusted_curves(...), time)"
        )
    points = survival_at(curves, [time], extend=extend).set_index("stratum")
    numbers = points[["survival", "std_error"]].to_numpy()
    values = {str(label): row for label, row in zip(points.index, numbers, strict=True)}
    estimates = np.array([[values[b][0] - values[a][0], np.hypot(values[a][1], values[b][1])] for a, b in pairs])
    table = difference_columns(estimates[:, 0], estimates[:, 1], conf_level)
    table.insert(0, "time", float(time))
    return with_pairs(table, pairs, list(values))


def difference_columns(difference: FloatArray, std_error: FloatArray, conf_level: float) -> pd.DataFrame:
    """A normal estimate as columns difference, std_error, conf_low, conf_high, statistic, p_value."""
    half = normal_quantile(conf_level) * std_error
    statistic = np.divide(difference, std_error, out=np.full(len(difference), np.nan), where=std_error > 0)
    return pd.DataFrame(
        {
            "difference": difference,
            "std_error": std_error,
            "conf_low": difference - half,
            "conf_high": difference + half,
            "statistic": statistic,
            "p_value": [two_sided(value) for value in statistic],
        }
    )


def with_pairs(table: pd.DataFrame, pairs: list[tuple[str, str]], labels: list[str]) -> pd.DataFrame:
    """The table of pairs with their labels in front."""
    table.insert(0, "stratum_b", label_column([b for _, b in pairs], labels))
    table.insert(0, "stratum_a", label_column([a for a, _ in pairs], labels))
    return table


def median_follow_up(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str | None = None,
    cluster: str | None = None,
    conf_level: float = 0.95,
    conf_type: ConfType = "log-log",
) -> pd.DataFrame:
    """Median follow-up by the reverse Kaplan-Meier estimate: censoring is the event, events are censored.

    Parameters
    ----------
    cohort, endpoint, by, conf_level, conf_type
        As in `kaplan_meier`.
    cluster : str, optional
        Column of the patients where a row is a spell: follow-up ends with a patient's last row.

    Returns
    -------
    DataFrame
        Columns stratum, median, conf_low, conf_high; NaN where not reached.

    Raises
    ------
    CohortError
        When the columns cannot be used, or rows look like spells (as `kaplan_meier` says) and no `cluster` was given;
        InputError when an option is not allowed.

    Notes
    -----
    Equals the median of ``survfit(Surv(time, 1 - event) ~ by)`` of R; of spells, of ``survfit(Surv(entry, time, last &
    !event) ~ by)``, `last` being each patient's last row. Schemper and Smith, Control Clin Trials 17
    (1996) 343.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, median_follow_up
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]})
    >>> median_follow_up(cohort, Endpoint("months", "died"))["median"].tolist()
    [5.0]
    """
    check_curve_options(conf_level, conf_type)
    read = gate.read_counts(cohort, endpoint, by=by, cluster=cluster)
    data, counts = read.rows, read.counts
    n_lost, n_left = counts.n_censor, counts.n_event + counts.n_censor
    if data is not None and (cluster is not None or endpoint.entry is not None):
        gate.refuse_spells(cohort, endpoint, data, cluster)
        n_lost = gate.counts_of_rows(data, gate.patient_rows(data, cluster).last & ~data.event).n_event
    reverse = replace(counts, n_event=n_lost, n_censor=n_left - n_lost)
    curves, _ = curves_of_counts(reverse, read.labels, at_start(read), conf_level=conf_level, conf_type=conf_type)
    errors.warn_all(read.warnings)
    return survival_quantile(curves).drop(columns="probability").rename(columns={"time": "median"})


def restricted_mean(
    curves: pd.DataFrame, horizon: float, *, extend: bool = False, conf_level: float = 0.95
) -> pd.DataFrame:
    """Mean survival time up to a horizon: the area under each curve from 0 to it.

    Parameters
    ----------
    curves : DataFrame
        As `kaplan_meier` returns them, without weights or with whole-number weights.
    horizon : float
        Positive, in the unit of the follow-up, fixed before looking.
    extend : bool
        Carry the last value flat to the horizon where follow-up ends before it.
    conf_level : float

    Returns
    -------
    DataFrame
        Columns stratum, restricted_mean, std_error, conf_low, conf_high, in the unit of the follow-up.

    Raises
    ------
    InputError
        When the horizon is not positive, or lies beyond the follow-up of a stratum with S > 0 (unless `extend`); for
        curves with fractional weights, whose error needs the rows.

    Notes
    -----
    With A(t) the area from t to the horizon, the variance is the sum of A(t)^2 d / (n (n - d)) over the event times up
    to the horizon. Equals ``print(survfit, rmean = horizon)`` of R. Royston and Parmar, BMC Med Res Methodol 13 (2013)
    152.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, kaplan_meier, restricted_mean
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]})
    >>> restricted_mean(kaplan_meier(cohort, Endpoint("months", "died")), 4)["restricted_mean"].round(6).tolist()
    [3.25]
    """
    strata, estimates = _estimates(curves, horizon, extend, conf_level)
    mean, std_error = estimates.T
    half = normal_quantile(conf_level) * std_error
    return pd.DataFrame(
        {
            "stratum": label_column(strata, strata),
            "restricted_mean": mean,
            "std_error": std_error,
            "conf_low": mean - half,
            "conf_high": mean + half,
        }
    )


def restricted_mean_difference(
    curves: pd.DataFrame, horizon: float, *, extend: bool = False, conf_level: float = 0.95
) -> pd.DataFrame:
    """Differences and ratios of restricted means, b against a, for every pair of strata.

    Parameters
    ----------
    curves, horizon, extend, conf_level
        As in `restricted_mean`.

    Returns
    -------
    DataFrame
        Columns stratum_a, stratum_b, difference (b - a), std_error, conf_low, conf_high, statistic (z), p_value, ratio
        (b / a), ratio_conf_low, ratio_conf_high; pairs in stratum order. The ratio's interval is symmetric in its
        logarithm (delta method); it is undefined (NaN) where a mean is 0.

    Raises
    ------
    InputError
        As `restricted_mean`; NotEstimable with fewer than 2 strata.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, kaplan_meier, restricted_mean_difference
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 1], "arm": ["a", "a", "b", "b"]})
    >>> curves = kaplan_meier(cohort, Endpoint("months", "died"), by="arm")
    >>> restricted_mean_difference(curves, 3)[["difference", "ratio"]].round(4).to_numpy().tolist()
    [[0.5, 1.2]]
    """
    strata, estimates = _estimates(curves, horizon, extend, conf_level)
    pairs = pairs_of(strata)
    a, b = (estimates[[strata.index(pair[side]) for pair in pairs]] for side in (0, 1))
    table = difference_columns(b[:, 0] - a[:, 0], np.hypot(a[:, 1], b[:, 1]), conf_level)
    mean_a, mean_b = (np.where(side[:, 0] > 0, side[:, 0], np.nan) for side in (a, b))
    ratio = b[:, 0] / mean_a
    spread = np.exp(normal_quantile(conf_level) * np.hypot(a[:, 1] / mean_a, b[:, 1] / mean_b))
    table = table.assign(ratio=ratio, ratio_conf_low=ratio / spread, ratio_conf_high=ratio * spread)
    return with_pairs(table, pairs, strata)


def _estimates(curves: pd.DataFrame, horizon: float, extend: bool, conf_level: float) -> tuple[list[str], FloatArray]:
    """The strata, and the mean and standard error of each."""
    problems = errors.number_problems("horizon", horizon, low=0, open_low=True)
    errors.raise_all(problems + errors.level_problems(conf_level), InputError)
    strata = strata_of(curves)
    check_horizon(strata, float(horizon), extend=extend)
    return list(strata), np.array([_area(rows, float(horizon)) for rows in strata.values()])


def check_horizon(strata: Mapping[str, pd.DataFrame], horizon: float, *, extend: bool) -> None:
    """Refuse curves whose error cannot be read off them, and a horizon beyond the follow-up unless it is extended."""
    if any("variance" in rows and (rows["variance"] != GREENWOOD).any() for rows in strata.values()):
        raise InputError(
            "curves with fractional weights, or adjusted ones: the standard error of a restricted mean needs the rows,"
            " not the curve; use unweighted curves, or adjusted_restricted_mean(adjusted_curves(...), horizon)"
        )
    ends = {label: rows[["time", "survival"]].iloc[-1] for label, rows in strata.items()}
    short = [
        f"{label!r} ends at {end.time:g}"
        for label, end in ends.items()
        if end.survival > 0 and not reached(np.array([horizon]), float(end.time)).all()
    ]
    if short and not extend:
        latest = min(end.time for end in ends.values() if end.survival > 0)
        raise InputError(
            f"horizon={horizon:g} lies beyond the follow-up: stratum {first_few(short)}; choose at most {latest:g}, or"
            " extend=True to carry the last value flat"
        )


def _area(rows: pd.DataFrame, horizon: float) -> tuple[float, float]:
    """The area under one curve to the horizon, and its standard error."""
    area = areas(rows["time"].to_numpy(), rows["survival"].to_numpy(), horizon)
    n_risk, n_event = rows["n_risk"].to_numpy(dtype=np.float64), rows["n_event"].to_numpy(dtype=np.float64)
    left = n_risk - n_event
    # Once nobody is left the area is zero, and so is the term.
    terms = np.divide(area**2 * n_event, n_risk * left, out=np.zeros(len(area)), where=(left > 0) & (area > 0))
    return float(area[0]), float(np.sqrt(terms.sum()))
