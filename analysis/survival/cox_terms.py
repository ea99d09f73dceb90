"""The covariates of a Cox model, named in a list or in a formula, as columns of numbers with readable terms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.cohort.columns import FloatArray, column_problems, first_few, holds_numbers, numbers, rows_where
from analysis.cohort.endpoints import Endpoint
from analysis.errors import CohortError, InputError, raise_all
from analysis.survival.data import SurvivalData, group_rows, survival_data

_STOP = "\u2024"  # the one-dot leader: looks like a full stop and is none


@dataclass(frozen=True, eq=False)
class Design:
    """The rows a model uses and its design matrix.

    `columns` says which columns of `x` each term of the formula fills: several for a category with several levels.
    """

    data: SurvivalData
    x: FloatArray
    terms: tuple[str, ...]
    columns: Mapping[str, tuple[int, ...]]


def read_design(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    covariates: str | Sequence[str],
    *,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weights: str | None = None,
) -> Design:
    """Check the columns of a model, drop incomplete rows and build the design matrix.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint
    covariates : str or sequence of str
        A formula's right-hand side, or numeric columns taken as they are.
    strata, cluster, weights : optional
        As in `fit_cox`.

    Returns
    -------
    Design

    Raises
    ------
    InputError
        A formula that cannot be read; no covariate, or one named twice.
    CohortError
        Faults of the columns; a logarithm of zero or less.
    """
    raise_all(column_problems(cohort, []))
    if not isinstance(endpoint, Endpoint):
        raise InputError(
            f"endpoint: expected an Endpoint, got {type(endpoint).__name__}; competing risks: fit_fine_gray"
        )
    if not isinstance(covariates, Iterable):
        raise InputError(f"covariates={covariates!r}: give a formula string, or a list of column names")
    roles: dict[str, Any] = {"strata": strata, "cluster": cluster, "weights": weights}
    if isinstance(covariates, str):
        formula, names = _parsed(covariates, cohort)
        raise_all(_slips(names, endpoint))
        data = survival_data(cohort, endpoint, **roles, complete=names)
        return _expanded(data, formula, _variables(cohort, names, data), covariates)
    names = list(covariates)
    raise_all(list_problems(names, endpoint), InputError)
    data = survival_data(cohort, endpoint, **roles, covariates=names)
    return Design(data, data.covariates, tuple(map(str, names)), {str(name): (k,) for k, name in enumerate(names)})


def formula_columns(text: str, cohort: pd.DataFrame) -> tuple[str, ...]:
    """The columns that a formula's right-hand side names, in its order; they need not be there.

    Parameters
    ----------
    text : str
        As `fit_cox` takes it.
    cohort : DataFrame
        Tells functions from columns.

    Returns
    -------
    tuple of str

    Raises
    ------
    InputError
        A formula that cannot be read, or that calls a function there is none of.

    Examples
    --------
    >>> formula_columns("log2(crp) + `a.b`:age", pd.DataFrame({"crp": [1.0], "a.b": [1.0], "age": [1.0]}))
    ('crp', 'a.b', 'age')
    """
    return tuple(_parsed(text, cohort)[1])


def list_problems(names: Sequence[str], endpoint: Endpoint) -> list[str]:
    """What is wrong with a list of covariates, whatever the columns hold.

    Examples
    --------
    >>> list_problems(["age", "died"], Endpoint("months", "died"))
    ["covariate 'died' is the event itself"]
    """
    return _slips(names, endpoint) + _doubles(names)


def _slips(names: Sequence[str], endpoint: Endpoint) -> list[str]:
    """The outcome among its own covariates."""
    outcome = {endpoint.duration: "follow-up time", endpoint.event: "event"}
    return [f"covariate {name!r} is the {outcome[name]} itself" for name in names if name in outcome]


def _doubles(names: Sequence[str]) -> list[str]:
    """No covariates, or the same one twice."""
    if not names:
        return ["covariates: none given; name at least one column"]
    return [f"covariate {name!r} is named twice" for name in dict.fromkeys(names) if list(names).count(name) > 1]


def _parsed(text: str, cohort: pd.DataFrame) -> tuple[Any, list[str]]:
    """The formula and the columns it needs, in the order in which it names them."""
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    plain = re.sub(r"`[^`]*`", lambda quoted: _masked(quoted[0]), text.strip().removeprefix("~"))
    if "~" in plain:
        raise InputError(f"covariates: {text!r} has a left side; give the right-hand side only, the endpoint is known")
    try:
        formula = Formula(plain)
        found = {*formula.required_variables, *_inner_names(formula, cohort)}
        needed = sorted(found, key=lambda name: (plain.find(name), name))
    except (FormulaicError, SyntaxError, AttributeError) as error:
        raise InputError(
            f"covariates: cannot read the formula {text!r}; write terms as 'age + sex', interactions as 'age:sex' or"
            " 'age * sex', names with blanks or signs in backticks: '`Mg (mmol/L)` + age'"
        ) from error
    if not needed:
        raise InputError(f"covariates: the formula {text!r} names no column")
    called = [name for name in needed if name not in cohort and re.search(rf"\b{re.escape(name)}\s*\(", plain)]
    raise_all(
        [
            f"covariates: no function {name!r}; there are log, log2, log10, exp and numpy's, as np.sqrt"
            for name in called
        ],
        InputError,
    )
    return formula, [_unmasked(name) for name in needed]


def _inner_names(formula: Any, cohort: pd.DataFrame) -> set[str]:  # noqa: ANN401
    """Columns named inside a spline and its like, which the parser does not count as needed."""
    factors = [re.sub(r"`[^`]*`", "quoted", str(factor)) for term in formula for factor in term.factors]
    nodes = (
        node for text in factors if "(" in text and _unmasked(text) not in cohort for node in ast.walk(ast.parse(text))
    )
    return {node.id for node in nodes if isinstance(node, ast.Name) and node.id in cohort}


def _masked(name: str) -> str:
    """A quoted name without full stops, which the formula's parser would read as attributes."""
    return name.replace(".", _STOP)


def _unmasked(name: str) -> str:
    """The name with its full stops again."""
    return name.replace(_STOP, ".")


def _variables(cohort: pd.DataFrame, names: Sequence[str], data: SurvivalData) -> pd.DataFrame:
    """The formula's columns on the rows used: numbers as floats, anything else as categories in stratum order."""
    raise_all(column_problems(cohort, names))
    problems: list[str] = []
    used = cohort.iloc[data.position]
    held: dict[str, Any] = {}
    for name in names:
        kind = cohort[name].dtype
        if holds_numbers(cohort[name]) or pd.api.types.is_datetime64_any_dtype(kind):
            held[name] = numbers(cohort, name, problems)[data.position]
        else:
            groups = group_rows(used, [name])
            held[name] = pd.Categorical(np.asarray(groups.labels)[groups.codes], categories=list(groups.labels))
    raise_all(problems)
    return pd.DataFrame({_masked(name): values for name, values in held.items()})


def _expanded(data: SurvivalData, formula: Any, variables: pd.DataFrame, text: str) -> Design:  # noqa: ANN401
    """The design matrix of a formula, without its intercept."""
    from formulaic.errors import FormulaicError

    try:
        with np.errstate(all="ignore"):
            matrix = formula.get_model_matrix(variables, context={}, na_action="ignore")
    except (FormulaicError, TypeError, NameError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"covariates: the formula {text!r} cannot be evaluated: {reason}") from error
    spec = matrix.model_spec
    x = np.asarray(matrix, dtype=np.float64)
    held = [name for name in spec.column_names if name != "Intercept"]
    kept = [place for place, name in enumerate(spec.column_names) if name != "Intercept"]
    _refuse_undefined(data, x, spec.column_names)
    if not kept:
        raise InputError(f"covariates: the formula {text!r} has no term")
    where = {place: new for new, place in enumerate(kept)}
    columns = {
        _unmasked(str(term)).replace("`", ""): tuple(where[place] for place in places if place in where)
        for term, places in spec.term_indices.items()
        if any(place in where for place in places)
    }
    return Design(data, np.ascontiguousarray(x[:, kept]), tuple(map(term_name, held)), columns)


def term_name(name: str) -> str:
    """A readable name for a column of the design matrix.

    Examples
    --------
    >>> term_name("C(grade)[T.2.0]"), term_name("sex[T.male]:age")
    ('grade[2]', 'sex[male]:age')
    """
    plain = re.sub(r"\[T\.", "[", _unmasked(name).replace("`", ""))
    plain = re.sub(r"\[(-?\d+)\.0\]", r"[\1]", plain)
    return re.sub(r"C\((\w+)\)\[", r"\1[", plain)


def level_columns(design: Design, cohort: pd.DataFrame, *, leave_out: str) -> tuple[tuple[str, ...], FloatArray]:
    """The columns of a design with one more for the level that a category of three or more is coded against.

    Parameters
    ----------
    design : Design
    cohort : DataFrame
        The rows that it was read from.
    leave_out : str
        A term whose columns are not wanted.

    Returns
    -------
    tuple of str, and ndarray of shape (n, p)
        Names and columns, term by term; the level that the others are coded against stands before them.

    Examples
    --------
    >>> cohort = pd.DataFrame({"t": [1.0, 2, 3], "e": [1, 1, 1], "mg": [0.7, 0.8, 0.9], "site": list("abc")})
    >>> level_columns(read_design(cohort, Endpoint("t", "e"), "mg + site"), cohort, leave_out="mg")[0]
    ('site[a]', 'site[b]', 'site[c]')
    """
    used = cohort.iloc[design.data.position]
    names: list[str] = []
    parts: list[FloatArray] = []
    for term, places in design.columns.items():
        if term == leave_out:
            continue
        own, x = [design.terms[place] for place in places], design.x[:, list(places)]
        without = [name for name in _level_names(term, used) if name not in own] if len(places) > 1 else []
        if len(without) == 1:
            own, x = [*without, *own], np.column_stack([1.0 - x.sum(axis=1), x])
        names += own
        parts.append(x)
    return tuple(names), np.column_stack(parts)


def _level_names(term: str, used: pd.DataFrame) -> list[str]:
    """What the columns of a category would be called, had each level one; none where the term is no category."""
    written = re.fullmatch(r"C\((.*)\)", term)
    column = written[1] if written and term not in used else term
    if column not in used:
        return []
    numeric = pd.api.types.is_numeric_dtype(used[column].dtype)
    levels = np.unique(used[column].to_numpy(dtype=np.float64)) if numeric else group_rows(used, [column]).labels
    return [term_name(f"{term}[T.{level}]") for level in levels]


def _refuse_undefined(data: SurvivalData, x: FloatArray, names: Sequence[str]) -> None:
    """An error when a transformation gave infinite or undefined values, such as the logarithm of zero."""
    problems = []
    for place, name in enumerate(names):
        wrong = ~np.isfinite(x[:, place])
        if not wrong.any() or ":" in name:
            continue
        rows = np.zeros(data.n_read, dtype=bool)
        rows[data.position[wrong]] = True
        found = re.fullmatch(r"(?:np\.)?log(?:2|10)?\((.*)\)", _unmasked(name).replace("`", ""))
        if found and np.isneginf(x[wrong, place]).all():
            problems.append(
                f"log of 0 in {found[1]!r}, {rows_where(rows)}; correct the values, set them missing, or add a constant"
                f" that you justify, as log({found[1]} + 1)"
            )
        elif found:
            problems.append(f"log of 0 or of negative values in {found[1]!r}, {rows_where(rows)}")
        else:
            problems.append(f"the term {name!r} is infinite or undefined in {rows_where(rows)}")
    if not problems and not np.isfinite(x).all():
        wrong_terms = first_few(repr(name) for place, name in enumerate(names) if not np.isfinite(x[:, place]).all())
        problems.append(f"terms infinite or undefined: {wrong_terms}")
    raise_all(problems, CohortError)
