"""A commented plan for a cohort file, guessed from its columns, for its owner to correct."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.cohort.files import read_cohort

_TIME_WORDS = re.compile(r"time|months?|days?|weeks?|years?|duration|survival|follow", re.IGNORECASE)
_EVENT_WORDS = re.compile(r"event|status|death|dead|died|cens|relapse|progress", re.IGNORECASE)
_MAGNESIUM_WORDS = re.compile(r"magnes|^s?_?mg(2\+|²⁺)?([ _(]|$)", re.IGNORECASE)
_IDENTIFIER_WORDS = re.compile(r"(^|_)(id|no|nr|number|patient|subject|pid)($|_)|unnamed|rownames", re.IGNORECASE)
_MOST_LEVELS, _MOST_GROUPS = 8, 20


@dataclass(frozen=True)
class Guess:
    """What the columns of a file look like: pairs of time and event columns, the marker, the covariates."""

    endpoints: tuple[tuple[str, str], ...]
    marker: str
    is_magnesium: bool
    covariates: tuple[str, ...]
    codes: dict[str, dict[int, int]]


def new_plan(path: str | Path, *, folder: Path | None = None) -> str:
    """The text of a commented plan for a cohort file.

    Parameters
    ----------
    path : str or Path
        A CSV, Parquet or Excel file.
    folder : Path, optional
        Where the plan will lie, for the path in it; the working folder when None.

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
    cohort = read_cohort(path)
    guess = guess_columns(cohort)
    relative = Path(os.path.relpath(path, folder or Path.cwd())).as_posix()
    return _TEMPLATE.format(
        path=_text(relative),
        columns="\n".join(f"#   {line}" for line in _described(cohort)),
        codes=_codes(guess),
        marker=_text(guess.marker),
        unit=_text("mmol/L" if guess.is_magnesium else ""),
        per=_per(cohort, guess),
        strata=_MAGNESIUM_STRATA if guess.is_magnesium else _QUANTILE_STRATA,
        endpoints="\n".join(_endpoint(cohort, *pair) for pair in guess.endpoints),
        covariates=", ".join(_text(_term(name)) for name in guess.covariates),
    )


def guess_columns(cohort: pd.DataFrame) -> Guess:
    """What the columns look like, from their names and values."""
    numeric = [name for name in map(str, cohort.columns) if pd.api.types.is_numeric_dtype(cohort[name].dtype)]
    events = [name for name in numeric if _EVENT_WORDS.search(name) and cohort[name].nunique() == 2]
    times = [name for name in numeric if name not in events and _TIME_WORDS.search(name)]
    pairs = tuple(_pair(times, event) for event in events if times) or (("TIME_COLUMN", "EVENT_COLUMN"),)
    outcome = {name for pair in pairs for name in pair} | set(times) | set(events)
    left = [name for name in numeric if name not in outcome and not _IDENTIFIER_WORDS.search(name)]
    magnesium = [name for name in left if _MAGNESIUM_WORDS.search(name)]
    continuous = [name for name in left if cohort[name].nunique() > _MOST_GROUPS]
    marker = (magnesium or continuous or ["MARKER_COLUMN"])[0]
    groups = [
        name for name in map(str, cohort.columns) if name not in numeric and 2 <= cohort[name].nunique() <= _MOST_LEVELS
    ]
    varied = [name for name in [*left, *groups] if len(cohort[name].dropna().unique()) > 1]
    covariates = tuple(name for name in varied if name != marker)
    codes = {event: {1: 0, 2: 1} for event in events if set(cohort[event].dropna().unique()) == {1, 2}}
    return Guess(pairs, marker, bool(magnesium), covariates, codes)


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
    """The line on event codes: in force where a column holds 1 and 2, else a comment that shows the form."""
    if not guess.codes:
        return '# event_codes = { "dead" = 1, "alive" = 0 }'
    inner = ", ".join(
        f"{_text(column)} = {{ {', '.join(f'{code} = {event}' for code, event in codes.items())} }}"
        for column, codes in guess.codes.items()
    )
    return f"event_codes = {{ {inner} }}  # 1 read as censored, 2 as the event: check"


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
# sep = ";"
# decimal = ","
# sheet = "Sheet1"

[marker]
column = {marker}
label = {marker}
unit = {unit}
per = {per}            # the step that hazard ratios are given for
direction = "lower"  # hazard ratios per step lower; or "higher"

[strata]
{strata}
{endpoints}
[model]
covariates = [{covariates}]  # formula terms: log2(crp) and interactions are allowed
# strata = ["treatment"]     # columns that the baseline hazard differs by

[labels]
# crp = "C-reactive protein (mg/L)"
"""
