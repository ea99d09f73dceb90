"""A commented plan for a cohort file, guessed from its columns, for its owner to correct."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from analysis.cohort.column_names import (
    is_cdisc_censoring,
    looks_like_event,
    looks_like_late_entry,
    looks_like_magnesium,
    looks_like_no_event,
    looks_like_outcome,
    looks_like_patient,
    time_unit_of,
)
from analysis.cohort.likely_errors import calendar_years
from analysis.cohort.reading import read_cohort

_ROW_NAMES = re.compile(r"unnamed|rownames", re.IGNORECASE)
_IDENTIFIERS = re.compile(r"(^|[ _.-])(id|no|nr|number)$", re.IGNORECASE)
_WORDS_AS_CODES = {
    **dict.fromkeys(("dead", "death", "died", "deceased", "event", "progressed", "relapsed", "yes", "y"), 1),
    **dict.fromkeys(("alive", "living", "censored", "no event", "no", "n"), 0),
}
_YES_OR_NO = frozenset(("yes", "y", "no", "n"))
_STANDARD_PAIRS = {("aval", "cnsr")}
_MOST_LEVELS, _MOST_GROUPS = 8, 20


@dataclass(frozen=True)
class Guess:
    """What the columns of a file look like: pairs of time and event, the marker, the covariates, the patient."""

    endpoints: tuple[tuple[str, str], ...]
    marker: str
    is_magnesium: bool
    covariates: tuple[str, ...]
    codes: dict[str, dict[int | str, int]]
    patient: str = ""


def new_plan(path: str | Path, *, folder: Path | None = None, **reading: Any) -> str:  # noqa: ANN401
    """The text of a commented plan for a cohort file.

    Parameters
    ----------
    path : str or Path
        A CSV, Parquet or Excel file.
    folder : Path, optional
        Where the plan will lie, for the path in it; the working folder when None.
    **reading
        sep, decimal, encoding, sheet, limits and thousands as `read_cohort` takes them; what is given stands in the
        plan.

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
    cohort = read_cohort(path, **reading)
    guess = guess_columns(cohort)
    relative = Path(os.path.relpath(path, folder or Path.cwd())).as_posix()
    template = files("analysis.study.plan").joinpath("template.toml").read_text(encoding="utf-8")
    return Template(template).substitute(
        path=_text(relative),
        columns="\n".join(f"#   {line}" for line in _described(cohort)),
        codes=_codes(guess),
        patient=("" if guess.patient else "# ") + f"id = {_text(guess.patient or 'patient_id')}",
        reading="\n".join(_reading_line(key, reading.get(key)) for key in _READING_EXAMPLES),
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
    """What the columns look like, from their names and values; a choice between two columns is left to the reader."""
    names = list(map(str, cohort.columns))
    numeric = [name for name in names if pd.api.types.is_numeric_dtype(cohort[name].dtype)]
    times = [name for name in numeric if _is_time(cohort, name)]
    coded = {name: _code_guess(cohort[name], name) for name in names if name not in times and _may_be_event(name)}
    events = [name for name, codes in coded.items() if codes is not None]
    broken = [name for name in numeric if name in coded and name not in events and looks_like_event(name)]
    events += [name for name in broken if max((_likeness(time, name) for time in times), default=0) > 1]
    pairs = _pairs(times, events)
    used = {name for pair in pairs for name in pair}
    free = [name for name in names if name not in used and not _is_label(name) and not looks_like_outcome(name)]
    magnesium = [name for name in free if looks_like_magnesium(name) and not _is_flag(cohort[name])]
    continuous = [name for name in free if name in numeric and cohort[name].nunique() > _MOST_GROUPS]
    marker = (magnesium or continuous or ["MARKER_COLUMN"])[0]
    measured = [name for name in free if name in numeric and len(cohort[name].dropna().unique()) > 1]
    groups = [name for name in free if name not in numeric and 2 <= cohort[name].nunique() <= _MOST_LEVELS]
    covariates = tuple(name for name in [*measured, *groups] if name != marker and "`" not in name)
    codes = {event: coded[event] or {} for _, event in pairs if coded.get(event)}
    patient = next((name for name in names if looks_like_patient(name) and cohort[name].is_unique), "")
    return Guess(pairs, marker, bool(magnesium), covariates, codes, patient)


def _is_time(cohort: pd.DataFrame, name: str) -> bool:
    """Whether a numeric column is likely to hold follow-up times: by its name, and no years of the calendar."""
    if time_unit_of(name) is None or looks_like_late_entry(name):
        return False
    values = cohort[name].to_numpy(dtype=float, na_value=float("nan"))
    return not calendar_years(values) and not _is_flag(cohort[name])


def _is_flag(values: pd.Series) -> bool:
    """Whether all values are 0 and 1."""
    return set(values.dropna().unique()) <= {0, 1}


def _may_be_event(name: str) -> bool:
    """Whether a column may hold an event by its name."""
    return looks_like_event(name) or (looks_like_outcome(name) and time_unit_of(name) is None)


def _is_label(name: str) -> bool:
    """Whether a column names rows or patients rather than measuring them."""
    return looks_like_patient(name) or bool(_ROW_NAMES.search(name) or _IDENTIFIERS.search(name))


def _code_guess(values: pd.Series, name: str) -> dict[int | str, int] | None:
    """What a column's codes seem to mean; empty for 0 and 1 and where only its owner can say, None for no event."""
    seen = list(values.dropna().unique())
    if pd.api.types.is_numeric_dtype(values.dtype):
        if is_cdisc_censoring(name) and len(seen) <= _MOST_LEVELS and 0 in seen:
            return {int(code): int(code == 0) for code in sorted(seen)}
        if looks_like_no_event(name):
            return {} if len(seen) <= _MOST_LEVELS else None
        if set(seen) == {1, 2}:
            return {1: 0, 2: 1}
        return {} if set(seen) <= {0, 1} else None
    if looks_like_no_event(name) and {str(value).strip().lower() for value in seen} <= _YES_OR_NO:
        return {}
    codes: dict[int | str, int] = {str(value): _WORDS_AS_CODES.get(str(value).strip().lower(), -1) for value in seen}
    return codes if sorted(codes.values()) == [0, 1] else None


def _pairs(times: list[str], events: list[str]) -> tuple[tuple[str, str], ...]:
    """Each event with the time whose name is most like its own; a placeholder where two are equally like it."""
    if not (times and events):
        return (("TIME_COLUMN", "EVENT_COLUMN"),)
    claimed = {time for time in times if any(_likeness(time, event) for event in events)}
    return tuple((_time_of(event, times, claimed), event) for event in events)


def _time_of(event: str, times: list[str], claimed: set[str]) -> str:
    """The one time that is most like an event, and not another event's; else a placeholder."""
    likeness = {time: _likeness(time, event) for time in times}
    most = max(likeness.values())
    best = [time for time in times if likeness[time] == most]
    return best[0] if len(best) == 1 and (most or best[0] not in claimed) else "TIME_COLUMN"


def _likeness(time: str, event: str) -> int:
    """How many letters two names share at their beginning; many for names that a standard pairs."""
    if (time.lower(), event.lower()) in _STANDARD_PAIRS:
        return 100
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(time, event, strict=False)))


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


def _text(value: str | int) -> str:
    """Text, or a whole number as a key, as TOML writes it: its basic strings are JSON's."""
    return json.dumps(value, ensure_ascii=False)


def _term(name: str) -> str:
    """A column as a formula term: quoted where it is no plain name."""
    return name if name.isidentifier() else f"`{name}`"


def _codes(guess: Guess) -> str:
    """The line on event codes: in force where a column holds 1 and 2, or words, else a comment that shows the form."""
    if not guess.codes:
        return '# event_codes = { "dead" = 1, "alive" = 0 }'
    inner = ", ".join(
        f"{_text(column)} = {{ {', '.join(f'{_text(code)} = {event}' for code, event in codes.items())} }}"
        for column, codes in guess.codes.items()
    )
    return f"event_codes = {{ {inner} }}  # 1: the event, 0: censored; check"


def _reading_line(key: str, value: str | None) -> str:
    """One option of reading: in force where it was given, else a comment that shows the form."""
    given = value not in (None, ".", "error", "")
    return f"{key} = {_text(str(value))}" if given else f"# {key} = {_text(_READING_EXAMPLES[key])}"


def _per(cohort: pd.DataFrame, guess: Guess) -> str:
    """A step of the marker that patients really differ by: 0.1 mmol/L, else about half a standard deviation."""
    if guess.is_magnesium or guess.marker not in cohort.columns:
        return "0.1"
    return f"{float(f'{cohort[guess.marker].std() / 2:.1g}'):g}"


def _endpoint(cohort: pd.DataFrame, duration: str, event: str) -> str:
    """One endpoint's table."""
    named = next((unit for unit in ("days", "weeks", "months", "years") if unit[:-1] in duration.lower()), "")
    flag = "1: the event was seen; 0: follow-up ended"
    if looks_like_no_event(event):
        flag = "by its name no event: say in event_codes what its values mean"
    longest = float(cohort[duration].max()) if duration in cohort.columns else 0.0
    unit = named or ("days" if longest > 400 else "months")
    return (
        f'[[endpoints]]\nname = {_text(event)}  # in words, as in "Overall survival"\nduration = {_text(duration)}\n'
        f"event = {_text(event)}  # {flag}\ntime_unit = {_text(unit)}  # check\n"
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
_READING_EXAMPLES = {
    "sep": ";",
    "decimal": ",",
    "encoding": "cp1252",
    "sheet": "Sheet1",
    "limits": "bound",
    "thousands": ",",
}
