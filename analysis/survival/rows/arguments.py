"""Options of the estimators, checked in one way: what was given, what is allowed, what was probably meant."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from analysis.cohort.columns import FloatArray, first_few
from analysis.errors import InputError


def choice_problems(name: str, value: object, allowed: Sequence[str]) -> list[str]:
    """What is wrong with an option that takes one of a few words.

    Examples
    --------
    >>> choice_problems("ties", "effron", ("efron", "breslow"))
    ["ties='effron'; choose 'efron' or 'breslow'; did you mean 'efron'?"]
    """
    if isinstance(value, str) and value in allowed:
        return []
    words = [repr(word) for word in allowed]
    listed = " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    near = difflib.get_close_matches(value, allowed, n=1) if isinstance(value, str) else []
    return [f"{name}={value!r}; choose {listed}" + (f"; did you mean {near[0]!r}?" if near else "")]


def level_problems(conf_level: object) -> list[str]:
    """What is wrong with a confidence level.

    Examples
    --------
    >>> level_problems(95)
    ['conf_level=95 must lie between 0 and 1; did you mean 0.95?']
    """
    level = _number(conf_level)
    if 0 < level < 1:
        return []
    hint = f"; did you mean {level / 100:g}?" if 1 < level < 100 else ""
    return [f"conf_level={_plain(conf_level)!r} must lie between 0 and 1{hint}"]


def number_problems(name: str, value: object, *, low: float = -math.inf, open_low: bool = False) -> list[str]:
    """What is wrong with an option that must be a finite number at or above (when open: above) a limit.

    Examples
    --------
    >>> number_problems("horizon", -1, low=0, open_low=True)
    ['horizon=-1 must be a finite number above 0']
    """
    number = _number(value)
    if math.isfinite(number) and (number > low if open_low else number >= low):
        return []
    limit = "" if low == -math.inf else f" above {low:g}" if open_low else f" of at least {low:g}"
    return [f"{name}={_plain(value)!r} must be a finite number{limit}"]


def count_problems(name: str, value: object, *, low: int = 1) -> list[str]:
    """What is wrong with an option that must be a whole number of at least `low` (a seed: at least 0).

    Examples
    --------
    >>> count_problems("seed", None, low=0)
    ['seed=None must be a whole number of at least 0']
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= low:
        return []
    return [f"{name}={_plain(value)!r} must be a whole number of at least {low}"]


def times_given(times: ArrayLike, *, name: str = "times") -> FloatArray:
    """Times asked for, as floats in the order given; one number is one time.

    Raises
    ------
    InputError
        When there is none, or one is no number, negative or not finite.

    Examples
    --------
    >>> times_given([12, 6]).tolist()
    [12.0, 6.0]
    """
    given = np.atleast_1d(np.asarray(times))
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "iuf":
        raise InputError(f"{name}={times!r} must be one or more numbers, in the unit of the follow-up")
    values = given.astype(np.float64)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise InputError(f"{name}: {first_few(values[wrong])} must be finite and not negative")
    return values


def _plain(value: object) -> object:
    """A numpy number as Python's own, which reads as a number in a message."""
    return value.item() if isinstance(value, np.generic) else value


def _number(value: object) -> float:
    """A real number as a float; NaN for anything else, truth values too."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, np.number)):
        return math.nan
    return float(value)
