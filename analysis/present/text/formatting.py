"""Numbers as words: counts, shares, ratios, intervals and p-values as a journal prints them.

The decimal point is always ".", a minus is "−", and what is undefined is never an empty cell: "NR" (not reached) for a
time, "–" elsewhere.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MISSING = "–"
NOT_REACHED = "NR"
LARGEST_RATIO = 1000.0
SMALLEST_P = 1e-300
LONG_TIME = 100.0  # from here on a tenth is no news


def format_number(value: float | None, *, digits: int = 2, missing: str = MISSING) -> str:
    """A number with a fixed number of decimals.

    Parameters
    ----------
    value : float or None
    digits : int
        Decimals.
    missing : str
        What stands for NaN and None.

    Returns
    -------
    str
        With "−" for a minus, and never "−0.00"; infinity is "∞".

    Examples
    --------
    >>> format_number(1.005), format_number(-0.001), format_number(-1.2, digits=1), format_number(float("nan"))
    ('1.00', '0.00', '−1.2', '–')
    """
    if is_missing(value):
        return missing
    number = float(value)  # type: ignore[arg-type]
    text = "∞" if math.isinf(number) else f"{abs(number):.{digits}f}"
    negative = number < 0 and text.strip("0.") != ""
    return f"−{text}" if negative else text


def format_count(value: float | None, *, missing: str = MISSING) -> str:
    """A count with separated thousands; a weighted count keeps one decimal.

    Examples
    --------
    >>> format_count(1441), format_count(12.5), format_count(87.0)
    ('1,441', '12.5', '87')
    """
    if is_missing(value):
        return missing
    number = float(value)  # type: ignore[arg-type]
    return f"{number:,.0f}" if abs(number - round(number)) < 1e-9 else f"{number:,.1f}"


def in_sentence(label: str) -> str:
    """A label within a sentence: its capital falls where a small letter follows it, so that abbreviations keep theirs.

    Examples
    --------
    >>> in_sentence("Serum magnesium"), in_sentence("C-reactive protein"), in_sentence("LDH")
    ('serum magnesium', 'C-reactive protein', 'LDH')
    """
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def format_share(share: float | None, *, digits: int = 1, missing: str = MISSING) -> str:
    """A share as a percentage.

    Examples
    --------
    >>> format_share(0.4312), format_share(1, digits=0)
    ('43.1%', '100%')
    """
    return missing if is_missing(share) else f"{format_number(100 * float(share), digits=digits)}%"  # type: ignore[arg-type]


def format_p(p_value: float | None, *, exact: bool = False, missing: str = MISSING) -> str:
    """A p-value to three decimals, never as 0.000 or 1.000.

    Parameters
    ----------
    p_value : float or None
        Between 0 and 1.
    exact : bool
        Two significant digits below 0.001, in place of "<0.001".
    missing : str
        What stands for NaN and None.

    Returns
    -------
    str
        "<1e-300" where the p-value is smaller than a double can hold.

    Raises
    ------
    InputError
        A value outside 0 to 1.

    Examples
    --------
    >>> format_p(0.0312), format_p(0.00031), format_p(0.00031, exact=True), format_p(0.0), format_p(0.9999)
    ('0.031', '<0.001', '3.1e-04', '<1e-300', '>0.999')
    """
    if is_missing(p_value):
        return missing
    value = float(p_value)  # type: ignore[arg-type]
    if not 0 <= value <= 1:
        raise InputError(f"p-value {value:g}: a p-value lies between 0 and 1")
    if value < SMALLEST_P:
        return "<1e-300"
    if value < 0.001:
        return f"{value:.1e}" if exact else "<0.001"
    return ">0.999" if 0.9995 <= value < 1 else f"{value:.3f}"


def least_p(p_value: float, n_permutations: int) -> str:
    """A p-value by permutation that is the least that so many can give, as a bound; empty for any other.

    Examples
    --------
    >>> least_p(0.005, 199), least_p(0.04, 199)
    ('≤ 0.005', '')
    """
    least = 1 / (1 + n_permutations)
    return f"≤ {least:.1g}" if p_value <= least * 1.000001 else ""


def permutation_p(p_value: float | None, n_permutations: int) -> str:
    """A p-value by permutation in words: with its Monte-Carlo error, or as the least that so many can give.

    Examples
    --------
    >>> permutation_p(0.04, 199), permutation_p(0.01, 99)
    ('p 0.040 (Monte-Carlo error 0.014)', 'p ≤ 0.01, the least of 99 permutations')
    """
    if is_missing(p_value):
        return "no p-value"
    value = float(p_value)  # type: ignore[arg-type]
    least = least_p(value, n_permutations)
    if least:
        return f"p {least}, the least of {n_permutations} permutations"
    return f"p {format_p(value)} (Monte-Carlo error {math.sqrt(value * (1 - value) / n_permutations):.2g})"


def format_interval(
    low: float | None, high: float | None, *, digits: int = 2, missing: str = NOT_REACHED, share: bool = False
) -> str:
    """The limits of an interval, joined by "to" so that negative limits read well.

    Examples
    --------
    >>> format_interval(1.021, 1.44), format_interval(6.1, float("nan"), digits=1)
    ('1.02 to 1.44', '6.1 to NR')
    >>> format_interval(0.25, 0.5, digits=0, share=True)
    '25% to 50%'
    """
    one = format_share if share else format_number
    return f"{one(low, digits=digits, missing=missing)} to {one(high, digits=digits, missing=missing)}"


def format_ratio(
    ratio: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    digits: int = 2,
    missing: str = MISSING,
) -> str:
    """A ratio, with its interval in brackets where one is given.

    Ratios are printed as "<0.01" and ">1000" beyond these: further digits would be read as precision.

    Examples
    --------
    >>> format_ratio(1.3), format_ratio(1.3, 1.021, 1.62), format_ratio(2.5e9, 3.1, float("nan"))
    ('1.30', '1.30 (1.02 to 1.62)', '>1000 (3.10 to –)')
    """
    estimate = _one_ratio(ratio, digits, missing)
    if is_missing(low) and is_missing(high):
        return estimate
    return f"{estimate} ({_one_ratio(low, digits, missing)} to {_one_ratio(high, digits, missing)})"


def format_time(
    time: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    digits: int | None = None,
    unit: str = "",
) -> str:
    """A time, with its interval in brackets where one is given; "NR" where it was not reached.

    One decimal below 100 and none from there, unless `digits` says how many.

    Examples
    --------
    >>> format_time(7.62, 6.1, float("nan"), unit="months"), format_time(float("nan"))
    ('7.6 months (6.1 to NR)', 'NR')
    >>> format_time(1140.0, 827.0, 1366.0)
    '1140 (827 to 1366)'
    """
    if digits is None:
        digits = 1 if is_missing(time) or abs(float(time or 0)) < LONG_TIME else 0
    text = format_number(time, digits=digits, missing=NOT_REACHED)
    text = f"{text} {unit}" if unit and text != NOT_REACHED else text
    if is_missing(low) and is_missing(high):
        return text
    return f"{text} ({format_interval(low, high, digits=digits)})"


def inline(template: str, row: Mapping[Any, object] | pd.Series | None = None, /, **values: object) -> str:
    """Put numbers into a sentence, formatted by what they are.

    Parameters
    ----------
    template : str
        As for `str.format`, with these kinds after the colon: ``count``, ``share``, ``p`` ("0.031", "<0.001"), ``p=``
        ("= 0.031", "< 0.001"), ``ratio``, ``time``; a number of digits may follow (``share0``, ``time2``). Any other
        format is Python's.
    row : mapping, optional
        Where names are looked up: a dict, or a row of a frame (``frame.set_index("term").loc["age"]``).
    **values
        Further names, which win.

    Returns
    -------
    str

    Raises
    ------
    InputError
        A name that is not there.

    Examples
    --------
    >>> row = {"hazard_ratio": 1.2345, "p_value": 0.0004}
    >>> inline("HR {hazard_ratio:ratio}, p {p_value:p=}, n {n:count}", row, n=1441)
    'HR 1.23, p < 0.001, n 1,441'
    """
    names = {**(dict(row) if row is not None else {}), **values}
    try:
        return _Sentence().vformat(template, (), names)
    except KeyError as error:
        known = ", ".join(sorted(map(str, names))) or "none"
        raise InputError(f"the sentence asks for {error.args[0]!r}; the names given are: {known}") from None


class _Sentence(string.Formatter):
    """Formats fields by kind."""

    def format_field(self, value: object, format_spec: str) -> str:
        """One field, by its kind or as Python would."""
        kind = format_spec.rstrip("0123456789")
        digits = format_spec[len(kind) :]
        if kind in _KINDS:
            text = _KINDS[kind](value, **({"digits": int(digits)} if digits else {}))
        else:
            text = str(super().format_field(value, format_spec))
        if kind == "p=":
            return f"{text[0]} {text[1:]}" if text[0] in "<>" else f"= {text}"
        return text


_KINDS: dict[str, Callable[..., str]] = {
    "count": format_count,
    "share": format_share,
    "ratio": format_ratio,
    "time": format_time,
    "p": format_p,
    "p=": format_p,
}


def is_missing(value: object) -> bool:
    """Whether a value is None, NaN or pandas' NA."""
    if value is None:
        return True
    try:
        return bool(math.isnan(value))  # type: ignore[arg-type]
    except TypeError:
        return type(value).__name__ in {"NAType", "NaTType"}


def _one_ratio(value: float | None, digits: int, missing: str) -> str:
    """One ratio, cut off where digits would mislead."""
    if is_missing(value):
        return missing
    number = float(value)  # type: ignore[arg-type]
    smallest = 10.0**-digits
    if 0 <= number < smallest / 2:
        return f"<{smallest:.{digits}f}"
    return f">{LARGEST_RATIO:g}" if number > LARGEST_RATIO else format_number(number, digits=digits)
