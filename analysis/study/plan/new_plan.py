"""A commented plan for a cohort file, written from what its columns look like, for its owner to correct."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path
from string import Template

import pandas as pd

from analysis.cohort.cell_text import reads_as_missing
from analysis.cohort.column_names import looks_like_no_event
from analysis.cohort.reading import CellRules, DecimalMark, Limits, MissingCodes, ThousandsMark, read_table, typed_table
from analysis.cohort.remedies import toml
from analysis.study.plan import guess as guesses
from analysis.study.plan.form import EventCodes


def new_plan(
    path: str | Path,
    *,
    folder: Path | None = None,
    sep: str | None = None,
    decimal: DecimalMark = ".",
    encoding: str | None = None,
    sheet: str | None = None,
    limits: Limits = "error",
    thousands: ThousandsMark = "",
    missing: MissingCodes = (),
    event_codes: EventCodes | None = None,
) -> str:
    """The text of a commented plan for a cohort file.

    Parameters
    ----------
    path : str or Path
        A file that `read_cohort` reads.
    folder : Path, optional
        Where the plan will lie, for the path in it; the working folder when None.
    sep, decimal, encoding, sheet, limits, thousands, missing, event_codes
        As `read_cohort` takes them; what is given stands in the plan. Words that read as missing ("Unknown", "--") are
        proposed where no `missing` is given.

    Returns
    -------
    str
        TOML. Every guess is to be checked; what could not be guessed is a name that no column has, so that
        ``validate`` names it, with the columns that come into question beside it.

    Raises
    ------
    CohortError
        When the file cannot be read.
    """
    table = read_table(Path(path), sep=sep, decimal=decimal, encoding=encoding, sheet=sheet)
    words = missing or _words_for_missing(table.frame)
    rules = CellRules(decimal, limits, thousands)
    cohort, _, _ = typed_table(table, rules, missing=words, event_codes=event_codes)
    guess = guesses.guess_columns(cohort)
    relative = Path(os.path.relpath(path, folder or Path.cwd())).as_posix()
    template = files("analysis.study.plan").joinpath("template.toml").read_text(encoding="utf-8")
    given = {"sep": sep, "decimal": decimal, "encoding": encoding, "sheet": sheet, "limits": limits}
    return Template(template).substitute(
        path=toml(relative),
        columns="\n".join(f"#   {line}" for line in _described(cohort)),
        codes=_codes(guess, event_codes),
        patient=("" if guess.patient else "# ") + f"id = {toml(guess.patient or 'patient_id')}",
        reading="\n".join(_reading_line(key, value) for key, value in {**given, "thousands": thousands}.items()),
        missing=_missing_line(words, proposed=not missing),
        marker=toml(guess.marker),
        marker_note=_among(guess.markers) if guess.marker == guesses.MARKER else "",
        label=toml(re.sub(r"\s*[(\[]mmol/L[)\]]\s*$", "", guess.marker) or guess.marker),
        unit=toml(guess.unit),
        units='or "mmol/L", "mg/dL", "mEq/L"' if guess.unit else "in words",
        per=_per(cohort, guess),
        strata=_MAGNESIUM_STRATA if guess.unit else _QUANTILE_STRATA,
        endpoints="\n".join(_endpoint(cohort, guess, one) for one in guess.outcomes),
        covariates=", ".join(toml(_term(name)) for name in guess.covariates),
        left_out="".join(f"# left out: {name!r}, {why}\n" for name, why in guess.left_out),
    )


def _words_for_missing(frame: pd.DataFrame) -> list[str]:
    """The words in a file's cells that read as missing."""
    words: dict[str, None] = {}
    for name in frame.columns:
        if pd.api.types.is_object_dtype(frame[name].dtype):
            cells = {cell.strip(): None for cell in frame[name] if isinstance(cell, str)}
            words |= {cell: None for cell in cells if reads_as_missing(cell.removeprefix("'"))}
    return list(words)


def _missing_line(words: MissingCodes, *, proposed: bool) -> str:
    """The line on codes of missing values: in force where some were given or found, else a comment."""
    if not words:
        return '# missing = { ecog = [9] }  # codes of a missing value, by column; in every column: ["[Not Available]"]'
    return f"missing = {toml(words)}" + ("  # words that read as a missing value; check" if proposed else "")


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


def _term(name: str) -> str:
    """A column as a formula term: quoted where it is no plain name."""
    return name if name.isidentifier() else f"`{name}`"


def _codes(guess: guesses.Guess, given: EventCodes | None) -> str:
    """The line on event codes: in force where given, or where a column holds 1 and 2 or words; else a comment."""
    if given:
        return f"event_codes = {toml(given)}"
    if not guess.codes:
        return '# event_codes = { "dead" = 1, "alive" = 0, "unknown" = "missing" }'
    return f"event_codes = {toml(guess.codes)}  # 1: the event, 0: censored; check"


def _reading_line(key: str, value: str | None) -> str:
    """One option of reading: in force where it was given, else a comment that shows the form."""
    given = value not in (None, ".", "error", "")
    return f"{key} = {toml(str(value))}" if given else f"# {key} = {toml(_READING_EXAMPLES[key])}"


def _per(cohort: pd.DataFrame, guess: guesses.Guess) -> str:
    """A step that patients really differ by: 0.1 mmol/L, else 1, 2 or 5 within half a standard deviation."""
    if guess.unit or guess.marker not in cohort.columns:
        return "0.1"
    half = float(pd.to_numeric(cohort[guess.marker], errors="coerce").std()) / 2
    if not half > 0:
        return "0.1"
    scale = 10.0 ** int(f"{half:e}".split("e")[1])
    return f"{next(digit for digit in (5, 2, 1) if digit * scale <= half * (1 + 1e-9)) * scale:g}"


def _among(names: tuple[str, ...]) -> str:
    """The columns that come into question, for a comment."""
    return f"  # one of: {', '.join(names)}" if names else ""


def _endpoint(cohort: pd.DataFrame, guess: guesses.Guess, one: guesses.Outcome) -> str:
    """One endpoint's table."""
    flag = "1: the event was seen; 0: follow-up ended"
    if looks_like_no_event(one.event):
        flag = "by its name no event: say in event_codes what its values mean"
    lines = ["[[endpoints]]", f'name = {toml(one.name)}  # in words, as in "Overall survival"']
    if one.start:
        lines += [f"start = {toml(one.start)}", f"end = {toml(one.ends)}  # the later one"]
    elif len(one.durations) > 1:
        lines.append(f"duration = {toml(one.durations)}  # the later one")
    else:
        question = _among(guess.times) if one.durations[0] == guesses.TIME else ""
        lines.append(f"duration = {toml(one.durations[0])}{question}")
    question = _among(guess.events) if one.event == guesses.EVENT else f"  # {flag}"
    sign = f"negative = {toml(one.negative)}  # what a duration below 0 means; check"
    lines.append(sign if one.negative else f"event = {toml(one.event)}{question}")
    lines += [f"where = {toml(one.where)}"] if one.where else []
    return "\n".join([*lines, f"time_unit = {toml(_unit(cohort, one))}  # check", ""])


def _unit(cohort: pd.DataFrame, one: guesses.Outcome) -> str:
    """The unit of a time by its column's name, else by its longest value."""
    named = guesses.named_unit(one.durations[0]) if one.durations else ""
    longest = max((float(cohort[name].max()) for name in one.durations if name in cohort.columns), default=0.0)
    return named or ("days" if longest > 400 else "months")


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
