"""Results as they print: what was fitted, the rows, the estimates with intervals, the test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

import pandas as pd

LEAST_P = 2.2e-16
"""R's limit: a smaller p-value prints as below it."""


LEAST_COUNT = 1e-4
"""A smaller expected number of events prints as below it."""


class Printed:
    """A result that prints as a few lines around a table, in a notebook as HTML."""

    def _printed(self) -> tuple[list[str], pd.DataFrame, list[str]]:
        """The lines before the table, the table as text, the lines after it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        before, table, after = self._printed()
        return "\n".join([*before, *([] if table.empty else [table.to_string(index=False)]), *after])

    def _repr_html_(self) -> str:
        before, table, after = self._printed()
        lines = (["<br>".join(map(escape, lines))] if lines else [] for lines in (before, after))
        head, foot = (f"<p>{text[0]}</p>" if text else "" for text in lines)
        return head + ("" if table.empty else table.to_html(index=False, border=0)) + foot


def significant(value: float, digits: int = 4) -> str:
    """A number to so many significant digits.

    Examples
    --------
    >>> significant(5.34889), significant(float("nan"))
    ('5.349', 'NaN')
    """
    return "NaN" if value != value else f"{value:.{digits}g}"


def event_count(value: float) -> str:
    """A number of events, never in powers of ten: whole where it is whole, else with the digits that its size asks for.

    Examples
    --------
    >>> event_count(19964.0), event_count(91.5817), event_count(19980.2), event_count(3e-06)
    ('19964', '91.58', '19980', '<0.0001')
    """
    if not math.isfinite(value):
        return "NaN"
    if value == round(value) or value >= 1000:
        return str(round(value))
    return "<0.0001" if abs(value) < LEAST_COUNT else significant(value)


def p_text(p_value: float) -> str:
    """A p-value to two digits.

    Examples
    --------
    >>> p_text(0.0131), p_text(0.0)
    ('0.013', '<2e-16')
    """
    return "<2e-16" if p_value < LEAST_P else significant(p_value, 2)


def chi_square_text(name: str, statistic: float, df: int, p_value: float) -> str:
    """A chi-square test in a line.

    Examples
    --------
    >>> chi_square_text("Wald test", 6.17345, 1, 0.01297)
    'Wald test = 6.173 on 1 df, p = 0.013'
    """
    return f"{name} = {significant(statistic)} on {df} df, p = {p_text(p_value)}"


def rows_text(n: int, n_event: int | None, dropped: Mapping[str, int]) -> str:
    """The rows and events analysed, and the rows left out.

    Examples
    --------
    >>> rows_text(226, 163, {"missing age": 2})
    'n = 226, number of events = 163 (2 rows dropped: 2 for missing age)'
    """
    events = "" if n_event is None else f", number of events = {n_event}"
    if not dropped:
        return f"n = {n}{events}"
    n_dropped, reasons = sum(dropped.values()), ", ".join(f"{count} for {reason}" for reason, count in dropped.items())
    return f"n = {n}{events} ({n_dropped} row{'s' * (n_dropped > 1)} dropped: {reasons})"
