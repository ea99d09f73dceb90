"""The choices that a multiverse crosses: read, named and checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray
from analysis.cohort.columns import Endpoint, column_problems, first_few
from analysis.errors import InputError, raise_all
from analysis.strata.cutpoints import Cutpoints
from analysis.strata.marker_designs import adjust_problems
from analysis.survival import formulas, rows

Condition = str | Mapping[str, object] | Callable[[pd.DataFrame], object] | None
"""Which rows to leave out: a condition, values by column, or a function of the cohort; None leaves out nobody."""

COMPLETE, MEDIAN, LOWEST, HIGHEST = "complete case", "median imputation", "missing as lowest", "missing as highest"
MISSING_RULES = (COMPLETE, MEDIAN, LOWEST, HIGHEST)
FAULTS = (ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError)
"""What a condition that cannot be evaluated raises: a text as `InputError`, a function of the user's as it may."""
DIMENSIONS = ("cutpoint", "endpoint", "adjustment", "exclusion", "missing")


@dataclass(frozen=True, eq=False)
class Choices:
    """What is crossed: each choice by its name, in the order given. `exclusions` marks the rows left out."""

    cutpoints: dict[str, Cutpoints]
    endpoints: dict[str, Endpoint]
    adjustments: dict[str, tuple[str, ...]]
    exclusions: dict[str, BoolArray]
    missing: tuple[str, ...]

    def settings(self) -> list[tuple[str, str, str, str]]:
        """Every endpoint, adjustment, exclusion and rule for missing values: an analysis but for its cut."""
        return list(product(self.endpoints, self.adjustments, self.exclusions, self.missing))


def read_choices(
    cohort: pd.DataFrame,
    marker: str,
    *,
    cutpoints: Mapping[str, Cutpoints | float | Sequence[float]],
    endpoints: Endpoint | Sequence[Endpoint],
    adjustments: Mapping[str, str | Sequence[str]],
    exclusions: Mapping[str, Condition],
    missing: str | Sequence[str],
) -> Choices:
    """Every choice in one form.

    Raises
    ------
    InputError
        With every fault at once: nothing to choose from, names used twice, edges that are none, terms that hold the
        marker, conditions that cannot be evaluated without the marker, unknown rules.
    """
    mappings = {"cutpoints": cutpoints, "adjustments": adjustments, "exclusions": exclusions}
    unnamed = {what: type(given).__name__ for what, given in mappings.items() if not isinstance(given, Mapping)}
    expected = "expected a mapping from a name to each choice"
    raise_all([f"{what}: {expected}, got {kind}" for what, kind in unnamed.items()], InputError)
    outcomes, rules = _outcomes(endpoints), rows.listed(missing)
    problems = [problem for rule in rules for problem in rows.choice_problems("missing", rule, MISSING_RULES)]
    named = {
        "cutpoints": list(cutpoints),
        "endpoints": [endpoint.name for endpoint in outcomes],
        "adjustments": list(adjustments),
        "exclusions": list(exclusions),
        "missing": list(rules),
    }
    problems += [f"{what}: none given; name at least one" for what, names in named.items() if not names]
    for what, names in named.items():
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        problems += [f"{what}: {first_few(map(repr, twice))} given twice; each needs a name of its own"] * bool(twice)
    terms = {name: rows.listed(given) for name, given in adjustments.items()}
    problems += [f"{name!r}: {text}" for name, given in terms.items() for text in adjust_problems(marker, given)]
    cuts = {name: _as_cutpoints(name, given, problems) for name, given in cutpoints.items()}
    masks = {name: _excluded(cohort, marker, name, condition, problems) for name, condition in exclusions.items()}
    raise_all(problems, InputError)
    by_name = {endpoint.name: endpoint for endpoint in outcomes}
    return Choices({name: cut for name, cut in cuts.items() if cut}, by_name, terms, masks, rules)


def _outcomes(endpoints: Endpoint | Sequence[Endpoint]) -> list[Endpoint]:
    """One endpoint or several, as a list."""
    if not isinstance(endpoints, (Endpoint, Iterable)):
        raise InputError(f"endpoints: expected Endpoint(duration, event), or several, got {type(endpoints).__name__}")
    outcomes = [endpoints] if isinstance(endpoints, Endpoint) else list(endpoints)
    wrong = [type(outcome).__name__ for outcome in outcomes if not isinstance(outcome, Endpoint)]
    if wrong:
        raise InputError(f"endpoints: expected Endpoint(duration, event), got {first_few(wrong)}")
    return outcomes


def _as_cutpoints(name: str, given: Cutpoints | float | Sequence[float], problems: list[str]) -> Cutpoints | None:
    """Cut-points as they are, or made of bare edges."""
    if isinstance(given, Cutpoints):
        return given
    edges = tuple(np.ravel(np.asarray(given, dtype=object)))
    between = tuple(f"stratum {number}" for number in range(2, len(edges) + 1))
    try:
        return Cutpoints(edges, ("low", *between, "high"), source=f"given as {name!r}")
    except InputError as error:
        problems += [f"{name!r}: {problem}" for problem in error.problems]
        return None


def _excluded(cohort: pd.DataFrame, marker: str, name: str, condition: Condition, problems: list[str]) -> BoolArray:
    """The rows for which a condition holds; where it is undefined, as for a missing value, it does not hold.

    Conditions are evaluated without the marker: an exclusion that read it would change with every permutation of it.
    """
    nobody = np.zeros(len(cohort), dtype=bool)
    if condition is None:
        return nobody
    others = cohort.drop(columns=marker, errors="ignore")
    if isinstance(condition, Mapping):
        wrong = column_problems(others, list(condition))
        problems += [f"exclusion {name!r}: {problem}" for problem in wrong]
        return nobody if wrong else _any_of(others, condition)
    try:
        answer: Any = condition(others) if callable(condition) else formulas.rows_that_meet(others, condition)
        excluded = pd.array(answer, dtype="boolean")
    except FAULTS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        problems.append(
            f"exclusion {name!r}: cannot be evaluated ({reason}); it must be True or False for every row, and may read"
            f" every column but the marker {marker!r}"
        )
        return nobody
    if len(excluded) != len(cohort):
        problems.append(f"exclusion {name!r}: {len(excluded)} answers for {len(cohort)} rows; give one a row")
        return nobody
    return np.asarray(excluded.fillna(False).to_numpy(dtype=bool), dtype=bool)


def _any_of(cohort: pd.DataFrame, condition: Mapping[str, object]) -> BoolArray:
    """The rows in which at least one column holds one of its values."""
    met = np.zeros(len(cohort), dtype=bool)
    for name, values in condition.items():
        wanted = list(values) if pd.api.types.is_list_like(values) else [values]  # type: ignore[call-overload]
        met |= cohort[name].isin(wanted).to_numpy(dtype=bool)
    return met
