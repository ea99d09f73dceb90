"""Time-to-event data sets of CDISC (ADaM ADTTE): one parameter as a cohort of a row a subject, and its endpoint."""

from __future__ import annotations

import pandas as pd

from analysis.cohort.columns import Endpoint, column_problems, first_few, nearest, numbers, rows_where, with_columns
from analysis.cohort.likely_errors import repeated_keys
from analysis.errors import CohortError, raise_all

_UNITS = {"DAY": "days", "WEEK": "weeks", "MONTH": "months", "YEAR": "years"}
_IN_PARAMETER = {"(D": "days", "(W": "weeks", "(M": "months", "(Y": "years"}


def endpoint_from_adtte(adtte: pd.DataFrame, parameter: str) -> tuple[pd.DataFrame, Endpoint]:
    """One parameter of a CDISC ADTTE data set as a cohort, and the endpoint that it holds.

    event = 1 where CNSR is 0, else 0: by the standard 0 is the event, and any other value a reason of censoring.

    Parameters
    ----------
    adtte : DataFrame
        A row a subject and parameter, with USUBJID, PARAMCD, AVAL and CNSR. AVALU, or PARAM as in "Overall Survival
        (Days)", gives the unit of AVAL, which is days where neither does.
    parameter : str
        A value of PARAMCD, such as "OS".

    Returns
    -------
    cohort : DataFrame
        The parameter's rows with a column "event" added, 1 where CNSR is 0; other columns as they are.
    endpoint : Endpoint
        Of AVAL and "event", in the unit of AVAL, under the name of PARAM.

    Raises
    ------
    CohortError
        With every fault: columns that are not there, no such parameter, a subject in several of its rows, CNSR that is
        missing, no whole number or negative, several units, a column "event" that is there already.

    Examples
    --------
    >>> adtte = pd.DataFrame({"USUBJID": ["X-1", "X-2"] * 2, "PARAMCD": ["OS"] * 2 + ["PFS"] * 2,
    ...                       "AVAL": [300, 700, 110, 420], "CNSR": [0, 1, 0, 3]})
    >>> cohort, endpoint = endpoint_from_adtte(adtte, "PFS")
    >>> cohort["event"].tolist(), endpoint.time_unit
    ([1, 0], 'days')
    """
    raise_all(column_problems(adtte, ["USUBJID", "PARAMCD", "AVAL", "CNSR"]))
    rows = adtte[adtte["PARAMCD"] == parameter]
    if rows.empty:
        known = adtte["PARAMCD"].dropna().unique()
        raise CohortError(f"PARAMCD holds no {parameter!r}{nearest(parameter, known, kind='it holds')}")
    problems: list[str] = []
    numbers(rows, "AVAL", problems, role="time column")
    censoring = numbers(rows, "CNSR", problems, role="censoring column")
    wrong = ~((censoring >= 0) & (censoring % 1 == 0))
    if wrong.any() and not problems:
        problems.append(
            f"censoring column 'CNSR': missing, or no whole number from 0, in {rows_where(wrong, rows)}; 0 is the"
            " event, and any other number a reason of censoring"
        )
    repeated = repeated_keys(rows, "USUBJID")
    problems += [f"parameter {parameter!r}: {repeated}"] if repeated else []
    problems += ["column 'event' is there already; rename it"] if "event" in adtte.columns else []
    unit, unknown = _unit(rows)
    problems += [unknown] if unknown else []
    raise_all(problems)
    cohort = with_columns(rows, {"event": (censoring == 0).astype("int64")})
    return cohort, Endpoint("AVAL", "event", label=_label(rows, parameter), time_unit=unit)


def _unit(rows: pd.DataFrame) -> tuple[str, str]:
    """The unit of AVAL by AVALU, else by PARAM, else days; and what is wrong with it."""
    stated = [word.strip().upper() for word in _words(rows, "AVALU")]
    units = {_UNITS.get(word.removesuffix("S"), "") for word in stated}
    if len(units) == 1 and "" not in units:
        return units.pop(), ""
    if stated:
        return "", f"AVALU holds {first_few(map(repr, stated))}; give the parameter one of days, weeks, months, years"
    named = _words(rows, "PARAM")
    found = {unit for name in named for start, unit in _IN_PARAMETER.items() if start in name.upper()}
    return (found.pop() if len(found) == 1 else "days"), ""


def _label(rows: pd.DataFrame, parameter: str) -> str:
    """What PARAM calls the parameter, without its unit; else its code."""
    names = _words(rows, "PARAM")
    return names[0].partition(" (")[0].strip() if names else parameter


def _words(rows: pd.DataFrame, name: str) -> list[str]:
    """The different words of a column; none where it is not there."""
    return list(dict.fromkeys(rows[name].dropna().map(str))) if name in rows.columns else []
