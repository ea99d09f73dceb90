"""Options of the estimators, checked in one way: what was given, what is allowed, what was probably meant."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.cohort.columns import CompetingEndpoint, Endpoint, first_few
from analysis.errors import InputError, raise_all

ApproximateTies = Literal["efron", "breslow"]
Engine = Literal["auto", "lifelines", "kernel"]


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


def listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name, several or none, as a tuple.

    Raises
    ------
    InputError
        When it is neither a name nor a list of names.

    Examples
    --------
    >>> listed("age"), listed(["age", "sex"]), listed(None)
    (('age',), ('age', 'sex'), ())
    """
    if names is None:
        return ()
    if isinstance(names, (str, int)):
        return (names,)
    given: object = names
    is_list = isinstance(given, Iterable) and not isinstance(given, (bytes, Mapping, pd.DataFrame))
    held = tuple(names) if is_list else ()
    if not is_list or not all(isinstance(name, (str, int)) for name in held):
        raise InputError(
            f"expected the name of a column or a list of names, got {type(given).__name__} {str(given).splitlines()[0]}"
        )
    return held


def check_competing(endpoint: object) -> None:
    """Refuse what is no `CompetingEndpoint`."""
    if not isinstance(endpoint, CompetingEndpoint):
        raise InputError(
            f"endpoint: expected CompetingEndpoint(duration, status, causes=...), got {type(endpoint).__name__}"
        )


def check_roles(endpoint: Endpoint, strata: Sequence[str], **columns: str | None) -> None:
    """Refuse what is no `Endpoint`, a role that names several columns, and groups or weights that are the outcome."""
    check_endpoint(endpoint)
    problems = [
        f"{role}={name!r}: name one column; combine several into one first"
        for role, name in columns.items()
        if name is not None and not isinstance(name, (str, int))
    ]
    outcome = dict(zip(endpoint.columns, ("follow-up time", "event", "entry time"), strict=False))
    given = [*columns.items(), *(("strata", name) for name in strata)]
    problems += [
        f"{role}={name!r} is the {outcome[name]} of the endpoint itself"
        for role, name in given
        if isinstance(name, str) and name in outcome
    ]
    raise_all(problems, InputError)


def check_endpoint(endpoint: object) -> None:
    """Refuse what is no `Endpoint`."""
    if isinstance(endpoint, Endpoint):
        return
    if isinstance(endpoint, CompetingEndpoint):
        raise InputError(
            f"endpoint: {endpoint.name!r} has several causes; use cumulative_incidence, gray_test or fit_fine_gray, or"
            " an Endpoint whose event column is 1 for what counts here"
        )
    is_pair = isinstance(endpoint, (tuple, list)) and [type(part) for part in endpoint] == [str, str]
    hint = f"; write Endpoint({', '.join(map(repr, endpoint))})" if is_pair else ""  # type: ignore[call-overload]
    raise InputError(f"endpoint: expected Endpoint(duration, event), got {type(endpoint).__name__} {endpoint!r}{hint}")
