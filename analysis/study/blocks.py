"""Parts of a study made one by one, so that one that fails costs itself alone; and tables of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar

import pandas as pd

from analysis import errors
from analysis.present.pages import TableBlock
from analysis.present.text import display_frame

P = ParamSpec("P")
T = TypeVar("T")


def computed(what: str, compute: Callable[P, T], *args: P.args, **options: P.kwargs) -> T | None:
    """What `compute` gives, or None and a warning, which `run_study` makes a note of the section.

    The warning is `NotComputed` where the rows do not allow it, and `PartFailed` where the package did not foresee it;
    a file that cannot be written ends the run.
    """
    try:
        return errors.guarded(what, lambda: compute(*args, **options))
    except errors.NotWritten:
        raise
    except errors.InputError as error:
        errors.warn_all([errors.NotComputed(f"{what} is not given: {'; '.join(error.problems)}")])
    except errors.PackageFault as fault:
        errors.warn_all([errors.PartFailed(fault)])
    return None


def attempted(what: str, compute: Callable[P, Iterable[T]], *args: P.args, **options: P.kwargs) -> list[T]:
    """As `computed`, of all that `compute` yields; an empty list in place of None."""
    return computed(what, lambda: list(compute(*args, **options))) or []


def recorded(
    what: str, compute: Callable[P, T], *args: P.args, **options: P.kwargs
) -> tuple[T | None, list[errors.AnalysisWarning]]:
    """As `computed`, with its warnings in hand, each once; `PartFailed` is emitted as well."""
    with errors.collected() as caught:
        made = computed(what, compute, *args, **options)
    warnings = list({str(warning): warning for warning in caught}.values())
    errors.warn_all(warning for warning in warnings if isinstance(warning, errors.PartFailed))
    return made, warnings


def table(
    name: str,
    title: str,
    frame: pd.DataFrame,
    *,
    note: str = "",
    kinds: Mapping[str, str] | None = None,
    headings: Mapping[str, str] | None = None,
    display: pd.DataFrame | None = None,
) -> TableBlock:
    """A table of the report: the tidy frame for reuse, and its display for reading.

    `kinds` says how cells are written and `headings` how columns are called, as for `display_frame`. A statistic with
    degrees of freedom beside it is a chi-square, one without is a z.
    """
    names = {"statistic": "Chi-square" if "df" in frame else "z"} | dict(headings or {})
    shown = display_frame(frame, kinds=kinds, headings=names) if display is None else display
    return TableBlock(name=name, title=title, frame=frame, display=shown, note=note)
