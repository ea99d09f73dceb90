"""Tables and prose of the report, made from tidy frames in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar

import pandas as pd

from analysis.errors import (
    AnalysisWarning,
    InputError,
    NotComputed,
    NotWritten,
    PackageFault,
    PartFailed,
    collected,
    guarded,
    warn_all,
)
from analysis.present.pages import TableBlock
from analysis.present.text import display_frame

P = ParamSpec("P")
T = TypeVar("T")


def attempted(what: str, compute: Callable[P, Iterable[T]], *args: P.args, **options: P.kwargs) -> list[T]:
    """What `compute` yields, or nothing and a warning, which `run_study` makes a note of the section.

    The warning is `NotComputed` where the rows do not allow it, and `PartFailed` where the package did not foresee it;
    a file that cannot be written ends the run.
    """
    try:
        return guarded(what, lambda: list(compute(*args, **options)))
    except NotWritten:
        raise
    except InputError as error:
        warn_all([NotComputed(f"{what} is not given: {'; '.join(error.problems)}")])
    except PackageFault as fault:
        warn_all([PartFailed(fault)])
    return []


def recorded(
    what: str, compute: Callable[P, Iterable[T]], *args: P.args, **options: P.kwargs
) -> tuple[list[T], list[AnalysisWarning]]:
    """As `attempted`, with its warnings in hand, each once; `PartFailed` is emitted as well."""
    with collected() as caught:
        made = attempted(what, compute, *args, **options)
    warnings = list({str(warning): warning for warning in caught}.values())
    warn_all(warning for warning in warnings if isinstance(warning, PartFailed))
    return made, warnings


def table(
    name: str,
    title: str,
    frame: pd.DataFrame,
    *,
    note: str = "",
    kinds: Mapping[str, str] | None = None,
    display: pd.DataFrame | None = None,
) -> TableBlock:
    """A table of the report: the tidy frame for reuse, and its display for reading (`kinds`: how cells are written)."""
    shown = display_frame(frame, kinds=kinds) if display is None else display
    return TableBlock(name=name, title=title, frame=frame, display=shown, note=note)
