"""A commented plan for a cohort file, guessed from its columns, for its owner to correct."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.cohort.cells import Limits
from analysis.cohort.files import read_cohort

_TIME_WORDS = re.compile(r"time|months?|days?|weeks?|years?|duration|survival|follow", re.IGNORECASE)
_EVENT_WORDS = re.compile(r"event|status|death|dead|died|cens|relapse|progress", re.IGNORECASE)
_MAGNESIUM_WORDS = re.compile(r"magnes|^s?_?mg(2\+|²⁺)?([ _(]|$)", re.IGNORECASE)
_IDENTIFIER_WORDS = re.compile(r"(^|_)(id|no|nr|number|patient|subject|pid)($|_)|unnamed|rownames", re.IGNORECASE)
_WORDS_AS_CODES = {
    **dict.fromkeys(("dead", "death", "died", "deceased", "event", "progressed", "relapsed", "yes", "y"), 1),
    **dict.fromkeys(("alive", "living", "censored", "no event", "no", "n"), 0),
}
_MOST_LEVELS, _MOST_GROUPS = 8, 20


@dataclass(frozen=True)
class Guess:
    """What the columns of a file look like: pairs of time and event columns, the marker, the covariates."""

    endpoints: tuple[tuple[str, str], ...]
    marker: str
    is_magnesium: bool
    covariates: tuple[str, ...]
    codes: dict[str, dict[int | str, int]]


def new_plan(
    path: str | Path,
    *,
    folder: Path | None = None,
    sep: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    sheet: str | None = None,
    limits: Limits = "error",
) -> str:
    """The text of a commented plan for a cohort file.

    Parameters
    ----------
    path : str or Path
        A CSV, Parquet or Excel file.
    folder : Path, optional
        Where the plan will lie, for the path in it; the working folder when None.
    sep, decimal, encoding, sheet, limits
        As `read_cohort` takes them; what is given stands in the plan.

    Returns
    -------
    str
        TOML. Every guess is to be checked; what could not be guessed is a name that no column has, so that
        ``validate`` names it.

    Raises
    ------
    CohortError
        When the file cannot be read.
    """
    cohort = read_cohort(path, sep=sep, decimal=decimal, encoding=encoding, sheet=sheet, limits=limits)
    guess = guess_columns(cohort)
    reading = {"sep": sep, "decimal": decimal, "encoding": encoding, "sheet": sheet, "limits": limits}
    relative = Path(os.path.relpath(path, folder or Path.cwd())).as_posix()
    return _TEMPLATE.format(
        path=_text(relative),
        columns="\n".join(f"#   {line}" for line in _described(cohort)),
        codes=_codes(guess),
        reading="\n".join(_reading_line(key, value) for key, value in reading.items()),
        marker=_text(guess.marker),
        label=_text(re.sub(r"\s*[(\[]mmol/L[)\]]\s*$", "", guess.marker) or guess.marker),
        unit=_text("mmol/L" if guess.is_magnesium else ""),
        units='or "mg/dL", "mEq/L"' if guess.is_magnesium else "in words",
        per=_per(cohort, guess),
        strata=_MAGNESIUM_STRATA if guess.is_magnesium else _QUANTILE_STRATA,
        endpoints="\n".join(_endpoint(cohort, *pair) for pair in guess.endpoints),
        covariates=", ".join(_text(_term(name)) for name in guess.covariates),
    )


def guess_columns(cohort: pd.DataFrame) -> Guess:
    """What the columns look like, from their names and values."""
    numeric = [name for name in map(str, cohort.columns) if pd.api.types.is_numeric_dtype(cohort[name].dtype)]
    coded = {name: _code_guess(cohort[name]) for name in map(str, cohort.columns) if _EVENT_WORDS.search(name)}
    events = [name for name, codes in coded.items() if codes is not None]
    times = [name for name in numeric if name not in events and _TIME_WORDS.search(name)]
    broken = [name for name in numeric if name in coded and name not in [*events, *times]]
    events += [name for name in broken if times and _shared_beginning(_pair(times, name)[0], name) > 1]
    pairs = tuple(_pair(times, event) for event in events if times) or (("TIME_COLUMN", "EVENT_COLUMN"),)
    outcome = {name for pair in pairs for name in pair} | set(times) | set(events)
    left = [name for name in numeric if name not in outcome and not _IDENTIFIER_WORDS.search(name)]
    magnesium = [name for name in left if _MAGNESIUM_WORDS.search(name)]
    continuous = [name for name in left if cohort[name].nunique() > _MOST_GROUPS]
    marker = (magnesium or continuous or ["MARKER_COLUMN"])[0]
    groups = [
        name
        for name in map(str, cohort.columns)
        if name not in [*numeric, *outcome]
        and 2 <= cohort[name].nunique() <= _MOST_LEVELS
        and not _IDENTIFIER_WORDS.search(name)
    ]
    varied = [name for name in [*left, *groups] if len(cohort[name].dropna().unique()) > 1]
    covariates = tuple(name for name in varied if name != marker and "`" not in name)
    codes = {event: coded[event] or {} for event in events if coded[event]}
    return Guess(pairs, marker, bool(magnesium), covariates, codes)


def _code_guess(values: pd.Series) -> dict[int | str, int] | None:
    """What a column's codes seem to mean; nothing to say of 0 and 1, None where it holds no event."""
    held = list(values.dropna().unique())
    if pd.api.types.is_numeric_dtype(values.dtype):
        if set(held) == {1, 2}:
            return {1: 0, 2: 1}
        return {} if len(held) == 2 or set(held) <= {0, 1} else None
    codes: dict[int | str, int] = {str(value): _WORDS_AS_CODES.get(str(value).strip().lower(), -1) for value in held}
    return codes if sorted(codes.values()) == [0, 1] else None


def _pair(times: list[str], event: str) -> tuple[str, str]:
    """The time column that shares most of its beginning with an event column."""
    return max(times, key=lambda name: _shared_beginning(name, event)), event


def _shared_beginning(first: str, second: str) -> int:
    """How many letters two names share at their beginning."""
    return next((place for place, pair in enumerate(zip(first, second, strict=False)) if len(set(pair)) > 1), 0)


def _described(cohort: pd.DataFrame) -> list[str]:
    """Each column with its type, its missing values and its first values."""
    lines = []
    for name in cohort.columns:
        values = cohort[name].dropna()
        first = ", ".join(str(value) for value in values.unique()[:4])
        lines.append(
            f"{name}: {cohort[name].dtype}, {cohort[name].isna().sum()} missing, such as {first}".replace("\n", " ")
        )
    return lines


def _text(value: str) -> str:
    """Text as TOML writes it (its basic strings are JSON's)."""
    return json.dumps(value, ensure_ascii=False)


def _term(name: str) -> str:
    """A column as a formula term: quoted where it is no plain name."""
    return name if name.isidentifier() else f"`{name}`"


def _codes(guess: Guess) -> str:
    """The line on event codes: in force where a column holds 1 and 2, or words, else a comment that shows the form."""
    if not guess.codes:
        return '# event_codes = { "dead" = 1, "alive" = 0 }'
    inner = ", ".join(
        f"{_text(column)} = {{ {', '.join(f'{_key(code)} = {event}' for code, event in codes.items())} }}"
        for column, codes in guess.codes.items()
    )
    return f"event_codes = {{ {inner} }}  # 1: the event, 0: censored; check"


def _key(code: int | str) -> str:
    """A code as a key of TOML."""
    return _text(code) if isinstance(code, str) else str(code)


def _reading_line(key: str, value: str | None) -> str:
    """One option of reading: in force where it was given, else a comment that shows the form."""
    given = value not in (None, ".", "error")
    return f"{key} = {_text(str(value))}" if given else f"# {key} = {_text(_SHOWN[key])}"


def _per(cohort: pd.DataFrame, guess: Guess) -> str:
    """A step of the marker that patients really differ by: 0.1 mmol/L, else about half a standard deviation."""
    if guess.is_magnesium or guess.marker not in cohort.columns:
        return "0.1"
    return f"{float(f'{cohort[guess.marker].std() / 2:.1g}'):g}"


def _endpoint(cohort: pd.DataFrame, duration: str, event: str) -> str:
    """One endpoint's table."""
    named = next((unit for unit in ("days", "weeks", "months", "years") if unit[:-1] in duration.lower()), "")
    longest = float(cohort[duration].max()) if duration in cohort.columns else 0.0
    unit = named or ("days" if longest > 400 else "months")
    return (
        f'[[endpoints]]\nname = {_text(event)}  # in words, as in "Overall survival"\nduration = {_text(duration)}\n'
        f"event = {_text(event)}  # 1: the event was seen; 0: follow-up ended\ntime_unit = {_text(unit)}  # check\n"
    )


_MAGNESIUM_STRATA = """cutpoints = "nhanes-1"  # or "rcpa-aacb", "mayo", "ejc-2024"; or your own:
# edges = [0.70, 1.10]
# labels = ["low", "reference", "high"]
# source = "the laboratory's reference interval"
"""
_QUANTILE_STRATA = """quantiles = 3  # groups of equal size; better, where they exist, edges set by others:
# edges = [20.0]
# labels = ["low", "high"]
# source = "who set the cut, and where"
"""
_SHOWN = {"sep": ";", "decimal": ",", "encoding": "cp1252", "sheet": "Sheet1", "limits": "bound"}
_TEMPLATE = """# A study plan: what is decided before looking at the outcome. Check every line, then:
#   python -m analysis validate THIS_FILE
#   python -m analysis report --plan THIS_FILE
#
# Columns of the file:
{columns}

[study]
title = "One marker and survival"  # your study in one line
# time_zero = "first infusion"     # what follow-up is counted from
# milestones = [12, 24]            # times at which survival is read off
# horizon = 24                     # horizon of restricted means

[data]
path = {path}
{codes}
{reading}

[marker]
column = {marker}
label = {label}
unit = {unit}  # {units}
per = {per}            # the step that hazard ratios are given for
direction = "lower"  # hazard ratios per step lower; or "higher"

[strata]
{strata}
{endpoints}
[model]
covariates = [{covariates}]  # formula terms: log2(crp) and interactions are allowed
# strata = ["treatment"]     # columns that the baseline hazard differs by

# [labs]                      # the marker's later values, a row a sample: for landmarks and time-dependent models
# path = "labs.csv"
# key = "patient_id"          # in both files
# time = "month"              # from the same time zero, in the endpoints' unit
# value = "magnesium"         # in the marker's unit

[robustness]
# subgroups = ["treatment"]   # columns of groups; the first is the one of interest
# site = "hospital"           # left out one at a time
# landmarks = [3]             # needs [labs]
# measurement_error = 0.03    # standard deviation of one measurement, in the marker's unit

[reporting]                    # your words on what no result can tell; the report's checklists name every key
# eligibility = "Adults given a first infusion at two hospitals, 2019 to 2023"
# assay = "Xylidyl blue, one laboratory, blind to outcome"
# funding = "none"

[labels]
# crp = "C-reactive protein (mg/L)"
"""
