"""What can be wrong: errors that teach, options that are not allowed, and warnings that travel with a result."""

from __future__ import annotations

import difflib
import math
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeVar

T = TypeVar("T")


class Sendable(BaseException):
    """What can be raised or warned in one process and read in another, with all its attributes."""

    def __reduce__(self) -> tuple[Any, ...]:
        """The attributes as they are, in place of a call with the message alone, which not every class takes."""
        return _remade, (type(self), self.args), self.__dict__


def _remade(kind: type[Sendable], arguments: tuple[object, ...]) -> Sendable:
    """An exception of a class without its own `__init__`."""
    made = kind.__new__(kind, *arguments)
    made.args = arguments
    return made


class InputError(Sendable, ValueError):
    """Something that was given cannot be used; `problems` lists every fault found, not just the first.

    Examples
    --------
    >>> error = InputError(["time column 'os': 1 negative value (row 3)", "no column 'ecog'"])
    >>> len(error.problems)
    2
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class CohortError(InputError):
    """The rows or the columns of a cohort are not what the analysis needs."""


class PlanError(InputError):
    """A study plan names something that is missing, misspelt or contradictory."""


class NotEstimable(InputError):
    """The rows are sound, but hold no information on what was asked (no events, one group, ...)."""


class NotSupported(InputError):
    """The engine asked for by name does not offer this estimate."""


class NotWritten(InputError):
    """A file cannot be written where it was asked for: no room, no permission, no such folder."""


class PackageFault(Sendable, RuntimeError):
    """Something that this package did not foresee; `details` holds the traceback of the exception that it was.

    Attributes
    ----------
    what, reason, details : str
    """

    def __init__(self, what: str, error: Exception) -> None:
        self.what, self.reason = what, f"a fault of this package ({type(error).__name__}: {error})"
        self.details = "".join(traceback.format_exception(error))
        super().__init__(f"{what}: {self.reason}")


class AnalysisWarning(Sendable, UserWarning):
    """A result that needs a word; the root of all warnings given here."""


class RowsDropped(AnalysisWarning):
    """Rows with missing values were left out of one analysis.

    Attributes
    ----------
    n_read, n_used : int
        Rows given and rows analysed.
    dropped : Mapping[str, int]
        Rows left out by reason; a row counts once, under its first missing column.
    """

    def __init__(self, n_read: int, n_used: int, dropped: Mapping[str, int]) -> None:
        self.n_read, self.n_used, self.dropped = n_read, n_used, dict(dropped)
        reasons = ", ".join(f"{count} for {reason}" for reason, count in self.dropped.items())
        super().__init__(f"{n_read - n_used} of {n_read} rows dropped: {reasons}")


def dropped_warnings(n_read: int, n_used: int, dropped: Mapping[str, int]) -> tuple[RowsDropped, ...]:
    """One `RowsDropped` when rows were dropped, none otherwise.

    Examples
    --------
    >>> [str(one) for one in dropped_warnings(5, 3, {"missing age": 2})], dropped_warnings(5, 5, {})
    (['2 of 5 rows dropped: 2 for missing age'], ())
    """
    return (RowsDropped(n_read, n_used, dropped),) if dropped else ()


def but_for_dropped(found: Iterable[AnalysisWarning]) -> tuple[AnalysisWarning, ...]:
    """Warnings of one part of an analysis, without those on dropped rows, which the whole carries already."""
    return tuple(one for one in found if not isinstance(one, RowsDropped))


class SuspiciousValues(AnalysisWarning):
    """The values can be analysed, but look like an error (units, codes, times at zero, duplicate rows)."""


class EmptyStratum(AnalysisWarning):
    """A stratum of the cut-points holds no row."""


class SmallStratum(AnalysisWarning):
    """A stratum holds too few rows to carry an estimate."""


class TiedEdges(AnalysisWarning):
    """Quantile edges fell together, so there are fewer groups than asked for."""


class TiedKnots(AnalysisWarning):
    """Knots of a spline fell together, so there are fewer than asked for."""


class FewEvents(AnalysisWarning):
    """Fewer events than the model or the test needs to be trusted."""


class ManyTies(AnalysisWarning):
    """Most event times are tied, so the treatment of ties matters."""


class Separation(AnalysisWarning):
    """The likelihood has no maximum at a finite coefficient: the term is not estimable."""


class RobustErrors(AnalysisWarning):
    """Standard errors are the robust ones although nobody asked for them: the weights are fractional."""


class NotComputed(AnalysisWarning):
    """A part of a study that its rows do not allow; the rest of the study stands."""


class PartFailed(NotComputed):
    """A part of a study that failed in a way the package did not foresee; the rest of the study stands.

    Attributes
    ----------
    details : str
        The traceback.
    """

    def __init__(self, fault: PackageFault) -> None:
        self.details = fault.details
        super().__init__(f"{fault.what} is not given: {fault.reason}")


class MuchMissing(AnalysisWarning):
    """So many values are missing that imputation leans on its model, or needs more draws."""


class EarlyZero(AnalysisWarning):
    """With late entry, everybody at risk had the event early: the curve is zero from there on."""


class BeyondFollowUp(AnalysisWarning):
    """A time was asked for that lies beyond the follow-up of a stratum."""


class ExtremeWeights(AnalysisWarning):
    """A few rows carry most of the weight of their stratum."""


class NoOverlap(AnalysisWarning):
    """A stratum has no rows like many of those that it is compared with."""


class LowReliability(AnalysisWarning):
    """So much of a marker's variance is error of measurement that a correction for it falls short."""


class FailedDraws(AnalysisWarning):
    """Resamples in which the estimate could not be computed; they were left out and counted."""


class ValueUnknown(AnalysisWarning):
    """Patients are followed before anything is known of their marker."""


class FollowUpGaps(AnalysisWarning):
    """Patients leave observation and come back: they are not at risk in between."""


def raise_all(problems: Sequence[str], error: type[InputError] = CohortError) -> None:
    """Raise `error` with every problem at once; do nothing when there is none."""
    if problems:
        raise error(problems)


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
    choices = " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    near = difflib.get_close_matches(value, allowed, n=1) if isinstance(value, str) else []
    return [f"{name}={value!r}; choose {choices}" + (f"; did you mean {near[0]!r}?" if near else "")]


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
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= low:
        return []
    return [f"{name}={_plain(value)!r} must be a whole number of at least {low}"]


def _plain(value: object) -> object:
    """A number of numpy as Python's own, which reads as a number in a message."""
    if hasattr(value, "__setitem__"):  # an array, which may have no dimensions
        return value
    return value.item() if hasattr(value, "item") else value


def _number(value: object) -> float:
    """A real number as a float; NaN for anything else, truth values too."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan


_collector: ContextVar[list[AnalysisWarning] | None] = ContextVar("collector", default=None)


def warn_all(found: Iterable[AnalysisWarning], *, stacklevel: int = 3) -> None:
    """Emit each warning, pointing at the caller of the public function; within `collected`, hand it over instead."""
    collector = _collector.get()
    for warning in found:
        if collector is None:
            warnings.warn(warning, stacklevel=stacklevel)
        else:
            collector.append(warning)


@contextmanager
def collected() -> Iterator[list[AnalysisWarning]]:
    """The package's warnings of a block as a list, instead of emitted; other threads and filters are not touched.

    Examples
    --------
    >>> with collected() as caught:
    ...     warn_all([FewEvents("3 events")])
    >>> [str(warning) for warning in caught]
    ['3 events']
    """
    caught: list[AnalysisWarning] = []
    token = _collector.set(caught)
    try:
        yield caught
    finally:
        _collector.reset(token)


@dataclass(frozen=True, eq=False, kw_only=True)
class RowAccount:
    """The base of every result: the rows it rests on, and its warnings.

    Attributes
    ----------
    n_read, n_used : int
        Rows given and rows analysed.
    dropped : Mapping[str, int]
        Rows left out by reason; a row counts once.
    warnings : tuple of AnalysisWarning
    """

    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]

    @property
    def account(self) -> dict[str, Any]:
        """The account as keyword arguments, for a result that rests on the same rows."""
        return {"n_read": self.n_read, "n_used": self.n_used, "dropped": self.dropped, "warnings": self.warnings}


def guarded(what: str, compute: Callable[[], T]) -> T:
    """What `compute` gives; raise `PackageFault` with its traceback for an exception that is not the package's own."""
    with _Guard(what):
        return compute()


class _Guard(AbstractContextManager[None]):
    """What fails in the block is a `PackageFault`: one part must not end a report, nor a verb in code."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Pass on the package's own errors, and what ends the process."""
        if isinstance(error, Exception) and not isinstance(error, InputError | PackageFault):
            raise PackageFault(self.what, error) from error
